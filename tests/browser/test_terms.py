"""Terms explain themselves where they first occur, whatever is redrawn around them."""

from explorer.ui.wording import glossary
from tests.support.browsing import go
from tests.support.serving import settled

BOXES = """
word => [...(CSS.highlights.get("latent-term") ?? [])]
  .filter(range => range.toString() === word)
  .map(range => range.getBoundingClientRect())
  .map(box => [box.x + box.width / 2, box.y + box.height / 2])
"""


IN_HEADINGS = """
[...CSS.highlights.get("latent-term")].filter(range => {
  const element = range.startContainer.parentElement
  const bold = element.closest("p > strong")
  return element.closest("h1, h2, h3, h4") || (bold && bold.previousSibling === null)
}).map(String)
"""


def places(page, word):
    page.wait_for_function(f"word => ({BOXES})(word).length > 0", arg=word)
    return page.evaluate(BOXES, word)


def test_a_term_shows_its_definition_once_on_a_page_and_after_a_redraw(page, address):
    go(page, address, "generate?model=digits-vae-vamp-2&tile=3")
    for seed in ("0", "1"):
        (at,) = places(page, "diversity")  # the first time only
        page.mouse.move(*at)
        tip = page.locator("[role=tooltip]#latent-explorer-term")
        tip.wait_for()
        assert tip.inner_text() == glossary.define("diversity")
        page.mouse.move(5, 5)
        tip.wait_for(state="detached")
        if seed == "0":
            page.get_by_role("button", name="Resample").click()
            settled(page, "filmstrip")
    assert page.evaluate(IN_HEADINGS) == []
    page.get_by_role("button", name="Terms").click()
    page.get_by_text(glossary.TERMS["VampPrior"].definition[:40]).wait_for()
    page.keyboard.press("Escape")
    assert page.problems == []
