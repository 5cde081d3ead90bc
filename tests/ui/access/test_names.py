"""Names of the server are read as browsers write them, and nothing else is a name."""

import pytest

from explorer.errors import SettingsError
from explorer.ui.access.names import (
    Authority,
    Origin,
    is_loopback,
    known_names,
    parse_authority,
    parse_origin,
)
from tests.support.sentences import refused

WRITTEN = {
    "localhost": ("localhost", None),
    "LocalHost:8501": ("localhost", 8501),
    "localhost.": ("localhost", None),
    "explorer.example.:80": ("explorer.example", 80),
    "a_b-c.example:65535": ("a_b-c.example", 65535),
    "localhost:": ("localhost", None),
    "127.0.0.1:8501": ("127.0.0.1", 8501),
    "[::1]:8501": ("::1", 8501),
    "[0:0:0:0:0:0:0:1]": ("::1", None),
    "[2001:DB8::A]": ("2001:db8::a", None),
    "[::ffff:192.168.1.5]:1": ("192.168.1.5", 1),
}

NOT_WRITTEN = [
    "", ".", "..", "localhost..", "a..b", ".localhost", "::1", "[::1", "::1]", "[localhost]",
    "[127.0.0.1]", "a b", " localhost", "localhost ", "localhost\n", "user@localhost",
    "http://localhost", "localhost/", "localhost?", "localhost#", "localhost,localhost",
    "localhost:0", "localhost:65536",
    "localhost:-1", "localhost:8_0", "localhost:٨", "localhost:80:80", "löcalhost", "a" * 64,
    ".".join(["a" * 50] * 6), "[fe80::1%25eth0]", "*", "*.example", "localhost\\", "a\0b",
]  # fmt: skip


@pytest.mark.parametrize(("text", "parts"), WRITTEN.items(), ids=WRITTEN.keys())
def test_a_host_is_read_as_it_is_compared(text, parts):
    assert parse_authority(text) == parts
    assert parse_authority(str(Authority(*parts))) == parts


@pytest.mark.parametrize("text", NOT_WRITTEN, ids=repr)
def test_what_is_no_host_is_none(text):
    assert parse_authority(text) is None
    assert parse_origin(f"http://{text}") is None


def test_an_origin_is_a_scheme_and_a_host():
    assert parse_origin("https://[::1]:8443") == Origin("https", Authority("::1", 8443))
    for text in ("null", "", "localhost", "file://", "ftp://a", "HTTP://a", "http:a", "http://"):
        assert parse_origin(text) is None
    for text in ("http://a/", "http://a http://b", "http://a,http://b", "http://a@b"):
        assert parse_origin(text) is None


OF_HOSTS = [
    ("http://a:8501", "a:8501", True),
    ("http://a", "a", True),
    ("http://a", "a:80", True),
    ("https://a", "a:443", True),
    ("https://a", "a", True),
    ("http://[::1]:1", "[::1]:1", True),
    ("https://a", "a:80", False),
    ("http://a:8501", "a", False),
    ("http://a:8501", "a:8502", False),
    ("http://a", "b", False),
    ("http://b.a", "a", False),
]


@pytest.mark.parametrize(("origin", "host", "same"), OF_HOSTS)
def test_an_origin_is_of_a_host_whose_port_may_be_the_default(origin, host, same):
    assert parse_origin(origin).is_of(parse_authority(host)) == same


@pytest.mark.parametrize(
    ("host", "this"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("localhost.evil.example", False),
        ("evil.localhost", False),
        ("127.0.0.1.evil.example", False),
        ("10.0.0.1", False),
    ],
)
def test_loopback_is_this_machine_by_any_name_of_its_own(host, this):
    assert is_loopback(host) == this


def has(names, host, local=None):
    return names.has(parse_authority(host), local)


def test_loopback_what_was_bound_and_what_is_allowed_are_known():
    names = known_names("Explorer.lan", ("one.example", "TWO.example.:8443", "bücher.example"))
    for host in ("localhost:1", "[::1]", "explorer.lan", "one.example:99", "two.example"):
        assert has(names, host)
    assert has(names, "xn--bcher-kva.example")
    for host in ("evil.example", "x.one.example", "example", "10.0.0.1", "explorer.lan.example"):
        assert not has(names, host)


@pytest.mark.parametrize("bound", ["0.0.0.0", "::", ""])
def test_the_address_at_which_a_connection_arrived_is_known(bound):
    names = known_names(bound, ())
    assert has(names, "192.168.1.5:8501", "192.168.1.5")
    assert has(names, "192.168.1.5", "::ffff:192.168.1.5")
    assert has(names, "[fe80::1]", "fe80::1%eth0")
    assert not has(names, "192.168.1.6", "192.168.1.5")
    assert not has(names, "explorer.lan", "explorer.lan")


def test_a_name_may_be_allowed_twice_and_in_any_writing():
    names = known_names("::1", ("A.example", "a.example.", "::1", "[::1]", "[::1]:80"))
    assert names.allowed == {
        Authority("a.example"), Authority("::1"), Authority("::1", 80),
    }  # fmt: skip


@pytest.mark.parametrize(
    "text", ["http://a.example", "a.example/latent", "*", "*.example", "a b", "a:b", "a@b", "[::1"]
)
def test_what_is_no_name_cannot_be_allowed(text):
    with refused(SettingsError, said="--allow-host"):
        known_names("localhost", (text,))


def asked(names, host, forwarded=None):
    return {str(item) for item in names.asked(parse_authority(host), forwarded)}


def test_a_proxy_may_drop_a_port_that_is_allowed():
    names = known_names("localhost", ("a.example:8443", "b.example"))
    assert asked(names, "a.example") == {"a.example", "a.example:8443"}
    assert asked(names, "a.example:80") == {"a.example:80"}
    assert asked(names, "b.example") == {"b.example"}


def test_a_forwarded_host_is_believed_if_it_is_allowed():
    names = known_names("localhost", ("a.example:8443",))
    assert asked(names, "localhost:8501", "a.example:8443") == {
        "localhost:8501", "a.example:8443",
    }  # fmt: skip
    assert "a.example:8443" in asked(names, "localhost:8501", "a.example")
    for forwarded in (None, "", "evil.example", "a.example, evil.example", "localhost:9000"):
        assert asked(names, "localhost:8501", forwarded) == {"localhost:8501"}
