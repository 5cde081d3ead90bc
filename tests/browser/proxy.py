"""A proxy that forwards one path of its own, as a web server in front of several apps does."""

import select
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

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
