"""For all: no sideways scroll at any width, nothing clipped or covered, named, in contrast."""

from importlib.resources import files

import pytest

from tests.support.browsing import go
from tests.support.layout import AUDIT, FOCUSED
from tests.support.serving import settled

WIDTHS = (1920, 1440, 1180, 1024, 768, 390)
TARGET, TOUCH = 24, 44
MODEL = "model=digits-vae-vamp-2"

PAGES = {
    "catalogue": "catalogue",
    "generate": f"generate?{MODEL}&tile=3",
    "prototypes": f"prototypes?{MODEL}&component=1",
    "latent_map": f"latent_map?{MODEL}&pick=data:5",
    "traverse": f"traverse?{MODEL}",
    "interpolate": f"interpolate?{MODEL}",
    "reconstruct": f"reconstruct?{MODEL}",
    "candidates": "candidates",
    "priors_lab": f"priors_lab?{MODEL}",
    "evaluate": "evaluate?of=mnist-static",
}

INTENDED = {
    "frame_picker": "a model's name, which stands whole below if it is long",
    "hand_words": "the facts of the thing in hand, in one line each; its page has them whole",
    "hand_moves": "the moves of the thing in hand are a row that one pushes",
    "hand_card": "likewise",
    "stDataFrame": "a table of results scrolls within itself",
}
"""What may be cut off, by the key of its container, and why."""


@pytest.fixture(scope="module")
def visitor(chromium):
    context = chromium.new_context(viewport={"width": WIDTHS[0], "height": 900})
    yield context.new_page()
    context.close()


def visit(visitor, address, path, width):
    """Open a page at a width; once the width has settled, as it may rerun the page before."""
    visitor.set_viewport_size({"width": width, "height": 900})
    visitor.wait_for_timeout(400)
    go(visitor, address, path, None)


def barriers(visitor, scheme):
    """What axe-core finds that is serious: contrast under 4.5, no name, no role."""
    visitor.emulate_media(color_scheme=scheme)
    settled(visitor)
    visitor.wait_for_timeout(500)
    ground = visitor.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    assert (sum(map(int, ground[4:-1].split(","))) < 384) == (scheme == "dark")
    visitor.evaluate((files("axe_playwright_python") / "axe.min.js").read_text())
    found = visitor.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return {
        item["id"]: [f"{node['target']} {node['html'][:200]}" for node in item["nodes"]]
        for item in found["violations"]
        if item["impact"] in ("serious", "critical")
    }


def unintended(items):
    return [item for item in items if item.removeprefix("scrolls ").split(":")[0] not in INTENDED]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_keeps_its_layout_at_six_widths_and_raises_no_barrier(visitor, address, name):
    if name == "candidates":  # with a pick to show
        visit(visitor, address, PAGES["generate"], WIDTHS[0])
        visitor.locator(".st-key-hand_card").get_by_role("button", name="Keep").click()
        visitor.get_by_text("Kept as").wait_for()
    visit(visitor, address, PAGES[name], WIDTHS[0])
    wrong = {}
    for width in WIDTHS:
        visitor.set_viewport_size({"width": width, "height": 900})
        found = visitor.evaluate(AUDIT, TARGET)
        found["clipped"] = unintended(found["clipped"])
        if found["sideways"] <= 0:
            del found["sideways"]
        if left := {kind: items for kind, items in found.items() if items}:
            wrong[width] = left
    assert wrong == {}
    assert barriers(visitor, "dark") == barriers(visitor, "light") == {}


@pytest.mark.parametrize("path", ["design?model=airfoils-vae-vamp-8", "train", "pictures"])
def test_other_pages_raise_no_barrier(visitor, address, path):
    visit(visitor, address, path, 1440)
    assert barriers(visitor, "dark") == barriers(visitor, "light") == {}


def test_the_keyboard_shows_where_it_is(visitor, address):
    visitor.goto("about:blank")  # the focus is at the start of a page that is loaded anew
    visit(visitor, address, PAGES["interpolate"], 1440)
    visitor.keyboard.press("Tab")  # the link past the sidebar
    walked = []
    for _ in range(22):
        visitor.keyboard.press("Tab")
        walked.append(visitor.evaluate(FOCUSED))
    assert [(tag, words) for tag, words, ring in walked if not ring] == []
    assert len({words for _, words, _ in walked}) > 15


def test_targets_are_large_enough_for_a_finger(visitor, address):
    tools = visitor.context.new_cdp_session(visitor)
    tools.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    assert visitor.evaluate("matchMedia('(pointer: coarse)').matches")
    visit(visitor, address, PAGES["interpolate"], 390)
    found = visitor.evaluate(AUDIT, TOUCH)["small"]
    tools.send("Emulation.setTouchEmulationEnabled", {"enabled": False})
    assert [item for item in found if "Help for" not in item] == []
