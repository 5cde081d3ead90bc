"""A page and its own requests are those of the same user, by Streamlit's cookie alone."""

from contextlib import closing

from explorer.designs.candidates import FILE, Store
from tests.support.browsing import go
from tests.support.logins import COOKIE, ISSUER, cookie_of, user_of, write_secrets
from tests.support.serving import serve

LINK = "generate?model=digits-vae-vamp-16&seed=9"


def test_picks_of_a_page_belong_to_who_logged_in(chromium, tmp_path):
    write_secrets(tmp_path, "http://127.0.0.1:{port}")
    with serve(tmp_path) as address:
        context = chromium.new_context(viewport={"width": 1440, "height": 1000})
        page = context.new_page()
        page.goto(f"{address}/{LINK}")
        page.get_by_role("button", name="Log in").wait_for(timeout=60_000)
        assert not page.locator("[data-testid=shelf]").count()
        cookie = cookie_of(user_of("anne", address))
        context.add_cookies([{"name": COOKIE, "value": cookie, "url": address}])
        go(page, address, LINK)
        page.get_by_role("button", name="Log out").wait_for()
        page.locator("[data-testid=shelf][data-count]").first.wait_for()
        page.locator("[data-testid=filmstrip] canvas").first.hover(position={"x": 30, "y": 40})
        page.keyboard.press("k")
        page.locator('[data-testid=shelf][data-count="1"][data-waiting="0"]').first.wait_for()
        context.close()
    with closing(Store(tmp_path / FILE)) as store:
        assert [item.picks for item in store.of(f"{ISSUER}|anne").projects()] == [1]
        assert [item.picks for item in store.projects()] == [0]
