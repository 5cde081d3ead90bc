"""Proxies that forward one path of their own, as web servers in front of several apps do."""

import re
import select
import shutil
import socket
import socketserver
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.repository import ROOT

_BLOCK = 65_536


class _Request(socketserver.BaseRequestHandler):
    """One connection: its first request's path is checked, the rest goes both ways as it comes."""

    server: "Proxy"

    def handle(self) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            block = self.request.recv(_BLOCK)
            if not block:
                return
            head += block
        head, _, body = head.partition(b"\r\n\r\n")
        line, *fields = head.split(b"\r\n")
        method, path, version = line.split(b" ")
        below = self.server.translate(path.decode())
        if below is None:
            self.server.outside.append(path.decode())
            self.request.sendall(b"HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n")
            return
        if not any(field.lower().startswith(b"upgrade:") for field in fields):
            # One request a connection: the next one's path has to be checked too.
            fields = [field for field in fields if not field.lower().startswith(b"connection:")]
            fields.append(b"Connection: close")
        sent = b"\r\n".join([b" ".join([method, below.encode(), version]), *fields, b"", body])
        with socket.create_connection(self.server.upstream) as upstream:
            upstream.sendall(sent)
            self._exchange(upstream)

    def _exchange(self, upstream: socket.socket) -> None:
        ways = {self.request: upstream, upstream: self.request}
        while True:
            for source in select.select(list(ways), [], [])[0]:
                try:
                    block = source.recv(_BLOCK)
                    ways[source].sendall(block)
                except OSError:
                    return
                if not block:
                    return


class Proxy(socketserver.ThreadingTCPServer):
    """Forwards what lies below a prefix, which the server behind it sees or does not see."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, upstream: str, prefix: str, *, strip: bool) -> None:
        parts = urlsplit(upstream)
        self.upstream = (parts.hostname, parts.port)
        self.prefix, self.strip = prefix, strip
        self.outside: list[str] = []
        super().__init__(("127.0.0.1", 0), _Request)
        self.address = f"http://127.0.0.1:{self.server_address[1]}{prefix}"

    def translate(self, path: str) -> str | None:
        """Return the path upstream; None if it does not lie below the prefix."""
        rest = path.removeprefix(self.prefix)
        if rest == path or rest[:1] not in ("", "/", "?"):
            return None
        return (rest if rest.startswith("/") else f"/{rest}") if self.strip else path


@contextmanager
def behind(upstream: str, prefix: str, *, strip: bool) -> Iterator[Proxy]:
    """Run a proxy before a server."""
    with Proxy(upstream, prefix, strip=strip) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        try:
            yield proxy
        finally:
            proxy.shutdown()


# A real one

_MAIN = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  {servers}
}}
"""

_SERVER = """
server {{
  listen 127.0.0.1:{port};
  {location}
}}
"""

README_HOST = "proxy_set_header Host $http_host;"


def location(upstream: str, prefix: str, host: str) -> str:
    """Return README's settings for a server, its path, and what is said of the host."""
    (shown,) = re.findall(r"```nginx\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    for old, new in (
        ("/latent/", f"{prefix}/"),
        ("http://127.0.0.1:8501", upstream),
        (README_HOST, host),
    ):
        assert shown.count(old) == 1
        shown = shown.replace(old, new)
    return shown


@contextmanager
def nginx(folder: Path, upstream: str, prefix: str, host: str = README_HOST) -> Iterator[str]:
    """Run nginx before a server that knows its prefix, as README shows it; yield its address."""
    with _running(
        folder, lambda port: _SERVER.format(port=port, location=location(upstream, prefix, host))
    ) as address:
        yield f"{address}{prefix}"


@contextmanager
def deployed(folder: Path, upstream: str, prefix: str) -> Iterator[str]:
    """Run nginx with the settings of `.deploy/`, for another port, app and prefix."""
    shown = (ROOT / ".deploy" / "nginx.conf").read_text()

    def servers(port: int) -> str:
        told = shown.replace("/latent/", f"{prefix}/")
        for old, new in (
            ("listen 8080", f"listen 127.0.0.1:{port}"),
            ("http://app:8501", upstream),
        ):
            assert told.count(old) == 1
            told = told.replace(old, new)
        return told

    with _running(folder, servers) as address:
        yield f"{address}{prefix}"


@contextmanager
def _running(folder: Path, servers: Callable[[int], str]) -> Iterator[str]:
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        pytest.skip("needs nginx: apt-get install nginx-light")
    port = free_port()
    folder.mkdir(exist_ok=True)
    config = folder / "nginx.conf"
    config.write_text(_MAIN.format(folder=folder, servers=servers(port)))
    log = folder / "nginx.log"
    process = subprocess.Popen(
        [program, "-e", str(log), "-p", str(folder), "-c", str(config)], stderr=subprocess.STDOUT
    )
    try:
        _wait_for(port, process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen, log: Path) -> None:
    for _ in range(100):
        if process.poll() is not None:
            raise RuntimeError(f"nginx ended: {log.read_text()}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("nginx did not answer.")
