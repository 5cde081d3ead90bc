"""User errors are one sentence."""

from contextlib import contextmanager

import pytest

from explorer.errors import ExplorerError


def assert_one_sentence(error):
    words = str(error)
    assert words.endswith("."), words
    assert len(words.splitlines()) == 1, words
    assert len(words) < 500, words
    assert "Traceback" not in words


@contextmanager
def refused(kind=ExplorerError, said=""):
    """Expect an error of one sentence that holds some words."""
    with pytest.raises(kind) as caught:
        yield
    assert_one_sentence(caught.value)
    assert said in str(caught.value)
