"""Starts the server, and waits until it ends."""

import os
import re
import socket
import sys
from importlib import import_module
from pathlib import Path

from explorer import settings
from explorer.errors import SettingsError
from explorer.ui.access.names import known_names

ENTRY = Path(__file__).with_name("asgi.py")

_PATH = re.compile(r"\w[\w.~-]*(/\w[\w.~-]*)*", re.ASCII)
_TAKEN = ("_stcore", "api", "component", "media", "static")
"""First words of routes of Streamlit and of our own."""


def launch(
    host: str,
    port: int,
    environment: dict[str, str],
    browser: bool = True,
    base_path: str | None = None,
) -> None:
    """Start the app and wait until it ends.

    Streamlit's own command is used, since it reads the config.toml beside the entry script.

    Args:
        host: Address to listen on.
        port: Port to listen on.
        environment: Settings of the server, as variables.
        browser: Whether to open a browser window.
        base_path: Path below which a proxy shows the app, if it passes that path on; None is that
            of Streamlit's settings.

    Raises:
        SettingsError: If the port is taken, or an address, name or path cannot be used.
        PluginError: If what another package plugs in cannot be used.
    """
    inherited = os.environ.get("STREAMLIT_SERVER_BASE_URL_PATH", "")
    base = _base(inherited if base_path is None else base_path)
    known_names(host, settings.allowed_hosts(environment))
    _free(host, port)
    os.environ.update(environment)
    from streamlit.web import cli

    from explorer.designs.measuring import families

    import_module("explorer.registry")  # a plug-in that cannot be used ends here, in one sentence
    families()

    shown = "localhost" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host
    print(f"Latent Explorer: http://{shown}:{port}/{base} (press Ctrl+C to quit)", flush=True)  # noqa: T201
    sys.argv = [
        "streamlit",
        "run",
        str(ENTRY),
        f"--server.address={host}",
        f"--server.port={port}",
        f"--server.headless={'false' if browser else 'true'}",
        f"--server.baseUrlPath={base}",
    ]
    cli.main()


def _base(text: str) -> str:
    """Return a base path without slashes at its ends."""
    base = text.strip("/")
    first = base.split("/")[0]
    if base and (len(base) > 200 or not _PATH.fullmatch(base) or first in _TAKEN):
        raise SettingsError(
            f"{text[:80]!r} cannot be the base path; use words of letters, digits, _ and - with "
            "slashes between them, as in --base-path tools/latent."
        )
    return base


def _free(host: str, port: int) -> None:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise SettingsError(
            f"{host} is not an address of this machine; use --host localhost."
        ) from error
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            raise SettingsError(
                f"Port {port} on {host} is in use ({error.strerror}); choose another with --port."
            ) from error
