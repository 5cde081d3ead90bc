"""The sidebar's links go to a page in one step, and Back takes that step back."""

import re

from tests.support.browsing import go
from tests.support.serving import settled

WALK = ("Prototypes", "Latent map", "Traverse", "Interpolate", "Reconstruct", "Candidates",
        "Priors lab", "Evaluate", "Catalogue")  # fmt: skip


def follow(page, name):
    page.get_by_test_id("stSidebar").get_by_role("link", name=name, exact=True).click()
    page.get_by_role("heading", name=name, exact=True, level=1).wait_for()
    settled(page)


def entries(page):
    return page.evaluate("history.length")


def test_back_goes_back_by_one_page(page, address):
    go(page, address, "generate?model=digits-vae-vamp-16&scale=0.7")
    visited = [page.url]
    for name in WALK:
        before = entries(page)
        follow(page, name)
        assert entries(page) == min(before + 1, 50), name
        visited.append(page.url)
    assert all("model=digits-vae-vamp-16" in url for url in visited)
    for url in visited[-2::-1]:
        page.go_back()
        page.wait_for_function("url => location.href === url", arg=url, timeout=15_000)
        settled(page)
    assert page.problems == []


def test_a_page_comes_back_with_its_last_view(page, address):
    go(page, address, "generate?model=digits-vae-vamp-16&scale=0.7&tile=5")
    follow(page, "Traverse")
    follow(page, "Generate")
    assert re.search(r"scale=0\.7.*tile=5", page.url)


def test_on_a_phone_the_sidebar_gives_way_to_the_page_chosen(chromium, address):
    context = chromium.new_context(viewport={"width": 390, "height": 900})
    page = context.new_page()
    go(page, address, "latent_map?model=digits-vae-vamp-2", "point-map")
    page.get_by_test_id("stExpandSidebarButton").click()
    follow(page, "Traverse")
    page.get_by_test_id("stExpandSidebarButton").wait_for()  # the page is no longer covered
    context.close()
