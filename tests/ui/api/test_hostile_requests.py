"""Whatever is asked of a route, it answers in a moment, without an error of its own."""

import time
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.ui.api import routes
from tests.support.api import ask, post
from tests.support.engines import PIXELS, digest_of
from tests.support.load import times

LONGEST_SECONDS = 2.0

PATHS = sorted({route.path for route in routes.routes() if route.path.startswith("/api/")})

WORDS = st.one_of(
    st.sampled_from(
        ["", "0", "-1", "1e999", "nan", "٣", "../../etc/passwd", "..%2f..", "\0",
         "<script>", "%00", "null", "[]", "{}", "'", "data", "data:0", "prior",
         "9" * 20, "\U0001d7d9",
         "a" * 3000]
    ),
    st.text(max_size=30),
    st.integers().map(str),
    st.floats().map(str),
)  # fmt: skip

NAMES = ["x", "y", "seed", "scale", "tiles", "frames", "code", "z", "at", "index", "component",
         "flow", "alpha", "reynolds", "layer", "project", "v", "since"]  # fmt: skip


def filled(path, words):
    """Fill in the places of a path, its model mostly a real one."""
    real = {"slug": PIXELS, "digest": digest_of(PIXELS)}
    parts = []
    for part in path.split("/"):
        name = part.strip("{}").partition(":")[0]
        parts.append(real.get(name) or next(words) if part.startswith("{") else part)
    return "/".join(quote(part, safe="") for part in parts)


@pytest.mark.load
@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS)
@settings(max_examples=times(3), deadline=None)
@given(data=st.data())
def test_a_route_answers_whatever_it_is_asked(path, data):
    words = iter(data.draw(st.lists(WORDS, min_size=5, max_size=5)))
    query = data.draw(st.dictionaries(st.sampled_from(NAMES), WORDS, max_size=4))
    tail = "&".join(f"{name}={quote(word, safe='')}" for name, word in query.items())
    address = f"{filled(path, words)}?{tail}"
    start = time.thread_time()
    answers = [ask(address)]
    if path.startswith("/api/picks"):
        answers.append(post(address, data.draw(st.binary(max_size=200))))
    for answer in answers:
        assert answer.status in (200, 304, 400, 403, 404, 405, 413, 503), address
        if answer.status != 200:
            assert b"Traceback" not in answer.body
            assert "html" not in answer.headers.get("content-type", "")
    assert time.thread_time() - start < LONGEST_SECONDS
