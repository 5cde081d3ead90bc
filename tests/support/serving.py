"""Starts the app as a user would, and waits for its pages."""

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.proxies import free_port

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
]

PATIENCE = 300
"""Seconds for a server to answer: it takes four where nothing else runs."""

_RUNNING: dict[str, subprocess.Popen] = {}

READY = (
    "[data-testid=stApp][data-test-script-state=notRunning][data-test-connection-state=CONNECTED]"
)


@contextmanager
def serve(user: Path, *flags: str, host: str = "127.0.0.1", **environment: str) -> Iterator[str]:
    """Run the app on a free port and yield its address, without any base path."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "explorer.cli",
        "--host",
        host,
        "--port",
        str(port),
        "--no-browser",
        *flags,
    ]
    log = user / "server.log"
    with log.open("w") as stream:
        process = subprocess.Popen(
            command,
            cwd=user,
            env=os.environ | {"LATENT_EXPLORER_USER": str(user)} | environment,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            base = flags[flags.index("--base-path") + 1] if "--base-path" in flags else ""
            _wait_for(f"{address}/{base.strip('/')}".rstrip("/"), process, log)
            _RUNNING[address] = process
            yield address
        finally:
            process.terminate()
            process.wait(20)


def kill(address: str) -> None:
    """End a server as a power cut would."""
    _RUNNING[address].kill()
    _RUNNING[address].wait(20)


def settled(page, component: str | None = None) -> None:
    """Wait until the script has run and, if asked, until the first of a component stands still.

    It may be mounted anew while the page is still being laid out, wait for what its samples are
    worth longer than a strip below it, or get another size by a scroll bar: only a digest that is
    the same three times in a row, with no script running, counts.
    """
    same, seen = 0, None
    for _ in range(200):
        page.wait_for_selector(READY, timeout=60_000)
        if component is None:
            return
        canvas = page.locator(f"[data-testid={component}] canvas").first
        now = canvas.get_attribute("data-digest", timeout=60_000)
        same = same + 1 if now is not None and now == seen else 0
        if same == 2:
            return
        seen = now
        page.wait_for_timeout(300)
    raise AssertionError(f"{component} has not come to rest.")


def watch(page, problems: list[str]) -> None:
    """Collect what a visitor's console would show: errors, and requests that failed.

    Streamlit looks for its base path by asking for health and host-config below the page's own
    address; the answers 404 of that search are its way, not ours.
    """

    def said(message) -> None:
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            problems.append(message.text)

    def answered(response) -> None:
        if response.status >= 400 and "/_stcore/" not in response.url:
            problems.append(f"{response.status} {response.url}")

    def failed(request) -> None:
        # What is still loading when a page is left or replaced is aborted: that is no failure.
        if request.failure != "net::ERR_ABORTED":
            problems.append(f"failed: {request.url} {request.failure}")

    page.on("console", said)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("response", answered)
    page.on("requestfailed", failed)


def _wait_for(address: str, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"The server ended: {log.read_text()}")
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"The server did not answer: {log.read_text()}")
