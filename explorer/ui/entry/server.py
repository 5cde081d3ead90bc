"""Starts the server, and waits until it ends."""

import os
import socket
import sys
from importlib import import_module
from pathlib import Path

from explorer.errors import SettingsError

ENTRY = Path(__file__).with_name("asgi.py")


def launch(host: str, port: int, environment: dict[str, str], browser: bool = True) -> None:
    """Start the app and wait until it ends.

    Streamlit's own command is used, since it reads the config.toml beside the entry script.

    Args:
        host: Address to listen on.
        port: Port to listen on.
        environment: Settings of the server, as variables.
        browser: Whether to open a browser window.

    Raises:
        SettingsError: If the port is taken or the address cannot be used.
        PluginError: If what another package plugs in cannot be used.
    """
    _free(host, port)
    os.environ.update(environment)
    from streamlit.web import cli

    from explorer.designs.measuring import families

    import_module("explorer.registry")  # a plug-in that cannot be used ends here, in one sentence
    families()

    shown = "localhost" if host in ("0.0.0.0", "::") else host
    print(f"Latent Explorer: http://{shown}:{port} (press Ctrl+C to quit)", flush=True)  # noqa: T201
    sys.argv = [
        "streamlit",
        "run",
        str(ENTRY),
        f"--server.address={host}",
        f"--server.port={port}",
        f"--server.headless={'false' if browser else 'true'}",
    ]
    cli.main()


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
