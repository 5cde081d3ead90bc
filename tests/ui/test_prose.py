"""Text from outside is shown as it is, and code in our own sentences as code."""

import pytest

from explorer.ui.wording.format import prose


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("out [best] run", r"out \[best\] run"),
        (":red[alarm]", r":red\[alarm\]"),
        ("[a](http://b)", r"\[a\](http://b)"),
        ("a*b*c ~~d~~ $x$", r"a\*b\*c \~\~d\~\~ \$x\$"),
        ("run `git lfs pull`.", "run `git lfs pull`."),
    ],
)
def test_markup_from_outside_is_escaped(text, shown):
    assert prose(text) == shown
