"""The catalogue is short, and loads the pictures in view."""

from tests.support.browsing import go

SHOWN = """() => {
  const images = [...document.querySelectorAll(".latent-preview img")]
  return {
    height: document.querySelector("[data-testid=stMain]").scrollHeight,
    images: images.length,
    lazy: images.every(image => image.loading === "lazy"),
  }
}"""

LOADED = "() => [...document.querySelectorAll('.latent-preview img')].every(i => i.naturalWidth)"


def test_the_catalogue_is_at_most_three_screens_tall_with_its_largest_group_open(page, address):
    size = page.viewport_size
    page.set_viewport_size({"width": 1440, "height": 900})
    go(page, address, "catalogue?model=digits-vae-vamp-2")
    page.locator(".shares").first.wait_for()
    found = page.evaluate(SHOWN)
    assert found.pop("height") <= 3 * 900
    assert found == {"images": 8, "lazy": True}
    page.locator(".latent-preview img").last.scroll_into_view_if_needed()
    page.wait_for_function(LOADED)
    page.set_viewport_size(size)
    assert page.problems == []
