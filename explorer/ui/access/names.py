"""Names of this server: which a request may use, and which page it comes from.

A browser that is lured to another site can be made to ask this server, but not to lie about it:
it says which host it believes to ask (`Host`), and which page asks (`Origin`). If a foreign name
is pointed at this machine (DNS rebinding), the foreign page is of the *same* origin as its target;
only the name tells, so only known names are answered.
"""

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from explorer.errors import SettingsError

_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{0,5}))?")
_ORIGIN = re.compile(r"(https?)://(.*)")
_LABEL = re.compile(r"[a-z0-9_-]{1,63}")
_DEFAULT_PORT = {"http": 80, "https": 443}


class Authority(NamedTuple):
    """A host and its port, as in a URL; no port means the default of whatever scheme is used."""

    host: str
    """In lower case, without a trailing dot; an address in its shortest form, without brackets."""
    port: int | None = None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"


class Origin(NamedTuple):
    """A page's scheme and authority."""

    scheme: str
    authority: Authority

    def is_of(self, host: Authority) -> bool:
        """Whether the page came from this host; either may leave out the scheme's own port."""
        default = _DEFAULT_PORT[self.scheme]
        ours = (self.authority.host, self.authority.port or default)
        return ours == (host.host, host.port or default)


def parse_authority(text: str) -> Authority | None:
    """Parse `name`, `address` or `[address]`, with or without a port; None if it is none."""
    found = _AUTHORITY.fullmatch(text)
    host = None if found is None else _host(found[1])
    if found is None or host is None:
        return None
    port = int(found[2]) if found[2] else None
    return Authority(host, port) if port is None or 0 < port < 65536 else None


def parse_origin(text: str) -> Origin | None:
    """Parse the value of an `Origin` header; None for `null` and for all that is no web page."""
    found = _ORIGIN.fullmatch(text)
    authority = None if found is None else parse_authority(found[2])
    return None if found is None or authority is None else Origin(found[1], authority)


@dataclass(frozen=True)
class KnownNames:
    """The names and addresses at which this server answers.

    Loopback is always known, and so is the address at which a connection arrived: a page cannot
    make a browser send another address than the one it asks.
    """

    bound: str = ""
    """What the server listens on, a name or an address."""
    allowed: frozenset[Authority] = frozenset()
    """Further names, which a proxy or the local network uses; a port is that of the proxy."""

    def has(self, host: Authority, local: str | None) -> bool:
        """Whether requests to a host are answered; ports make no difference.

        Args:
            host: What the request asks for.
            local: The address at which its connection arrived, if known.
        """
        bound = _written(self.bound)
        names = {item.host for item in (*self.allowed, *(() if bound is None else (bound,)))}
        return is_loopback(host.host) or host.host in names or host.host == _address(local or "")

    def asked(self, host: Authority, forwarded: str | None) -> list[Authority]:
        """List what a visitor may have asked for, where this host is what arrived here.

        A proxy may drop the visitor's port, or ask for a name of its own. It is then believed to
        have been asked for an allowed port of the name, or for an allowed name that it forwards.

        Args:
            host: What the request asks for.
            forwarded: Its `X-Forwarded-Host`, if it has exactly one.
        """
        told = None if forwarded is None else parse_authority(forwarded)
        found = [host]
        if told is not None and told.host in {item.host for item in self.allowed}:
            found.append(told)
        without_port = {item.host for item in found if item.port is None}
        return [*found, *(item for item in self.allowed if item.host in without_port)]


@lru_cache(maxsize=8)
def known_names(bound: str, allowed: tuple[str, ...]) -> KnownNames:
    """Return the names at which a server answers.

    Args:
        bound: What it listens on.
        allowed: Further names, each with or without a port.

    Raises:
        SettingsError: If one of them is no name.
    """
    return KnownNames(bound, frozenset(_allowed(text) for text in allowed))


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, whatever the network says."""
    found = _address(host)
    return host == "localhost" or (found is not None and ipaddress.ip_address(found).is_loopback)


def _allowed(text: str) -> Authority:
    found = _written(text)
    if found is None:
        raise SettingsError(
            "--allow-host takes a name or an address, with or without a port, such as "
            f"explorer.example or 192.168.1.5:8443, but not {text[:80]!r}."
        )
    return found


def _written(text: str) -> Authority | None:
    """Parse what people write: also an IPv6 address without brackets, or an international name."""
    text = text.strip()
    if (address := _address(text)) is not None:
        return Authority(address)
    try:
        return parse_authority(text if text.isascii() else text.encode("idna").decode())
    except UnicodeError:
        return None


def _host(text: str) -> str | None:
    """Return a host as it is compared; None if there can be none."""
    name = text.lower().removesuffix(".")
    address = _address(name[1:-1] if name.startswith("[") else name)
    if address is not None:
        return address if (":" in name) == name.startswith("[") else None
    labels = name.split(".")
    return name if len(name) <= 253 and all(map(_LABEL.fullmatch, labels)) else None


def _address(text: str) -> str | None:
    """Return an IP address in its shortest form, without the name of an interface."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)
