"""Picks in the browser, from the pointer to the ZIP and back, against running servers."""

import re
import sqlite3
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from explorer.data.airfoils import naca_section, stations
from explorer.designs import aerodynamics, xfoil
from explorer.designs.candidates import FILE, Store
from tests.support.browsing import go
from tests.support.serving import kill, serve, settled

AIRFOILS = "airfoils-vae-xvae-8"
DIGITS = "digits-vae-vamp-16"
STRIP = "[data-testid=filmstrip]"
README = Path(__file__).parents[2] / "README.md"


@pytest.fixture(scope="module")
def user(tmp_path_factory):
    return tmp_path_factory.mktemp("picker")


@pytest.fixture(scope="module")
def address(user):
    with serve(user) as running:
        yield running


@pytest.fixture
def page(page):
    """A visitor who loads the app anew: no project is chosen, no notice is left."""
    page.goto("about:blank")
    return page


def shelf(page):
    """How many picks the sidebar counts, and how many wait in the browser."""
    facts = page.locator("[data-testid=shelf][data-count]").first.evaluate("e => ({...e.dataset})")
    return int(facts["count"]), int(facts["waiting"])


def counts(page, n, waiting=0):
    """Wait until the sidebar counts so many picks."""
    page.locator(
        f'[data-testid=shelf][data-count="{n}"][data-waiting="{waiting}"]'
    ).first.wait_for(timeout=20_000)


def generate(page, address, more="", model=AIRFOILS):
    go(page, address, f"generate?model={model}{more}")
    canvas = page.locator(f"{STRIP} canvas").first
    canvas.scroll_into_view_if_needed()
    page.locator("[data-testid=shelf][data-count]").first.wait_for()
    return canvas


def rest_on(canvas, tile):
    """Put the pointer on a tile, by the component's own layout."""
    box = canvas.bounding_box()
    columns = int(canvas.get_attribute("data-columns"))
    rows = 64 // columns
    canvas.hover(
        position={
            "x": (tile % columns + 0.5) * box["width"] / columns,
            "y": (tile // columns + 0.6) * box["height"] / rows,
        }
    )


def candidates(page, address, more=""):
    go(page, address, f"candidates?model={AIRFOILS}{more}", None)
    page.locator("[data-testid=shortlist][data-painted]").first.wait_for(timeout=30_000)
    page.locator("[data-testid=shortlist] canvas[data-digest]").first.wait_for()
    return page.locator("[data-testid=shortlist] .card")


def drag_up(page):
    """Drag the upper surface of the outline at mid-chord up by a finger's width."""
    canvas = page.locator("[data-testid=outline] canvas")
    canvas.scroll_into_view_if_needed()
    page.locator("[data-testid=outline] canvas[data-code][data-digest]").wait_for()
    box = canvas.bounding_box()
    x = box["x"] + 0.5 * box["width"]
    told = page.locator("[data-testid=outline] .said")
    for y in range(8, int(box["height"]), 4):
        page.mouse.move(x, box["y"] + y)
        if "upper surface" in told.inner_text():
            break
    before = canvas.get_attribute("data-code")
    page.mouse.down()
    for step in range(1, 9):
        page.mouse.move(x, box["y"] + y - 2 * step)
        page.wait_for_timeout(60)
    page.mouse.up()
    page.locator("[data-testid=outline] canvas[data-past='1'][data-busy=false]").wait_for()
    return before, canvas.get_attribute("data-code")


def digests(cards):
    return cards.locator("canvas").evaluate_all("all => all.map(c => c.dataset.digest)")


def test_k_and_the_bookmark_keep_and_undo_takes_back(page, address):
    canvas = generate(page, address)
    before, _ = shelf(page)
    rest_on(canvas, 1)
    page.keyboard.press("k")
    counts(page, before + 1)
    page.get_by_text(re.compile(r"Kept as pick \d+")).wait_for()
    page.get_by_role("button", name="Undo", exact=True).click()
    counts(page, before)
    canvas.click(position={"x": 8, "y": 8})
    counts(page, before + 1)
    assert "hand=" not in page.url  # the mark keeps; the rest of the tile tells
    canvas.click(position={"x": 8, "y": 8})
    counts(page, before)
    assert page.problems == []


def test_a_point_of_the_map_is_kept_by_k(page, address):
    page.goto(f"{address}/latent_map?model={DIGITS}")
    settled(page, "point-map")
    before, _ = shelf(page)
    canvas = page.locator("[data-testid=point-map] canvas.over")
    canvas.focus()
    page.keyboard.press("ArrowRight")
    page.locator("[data-testid=point-map] canvas.over[data-hovered*=':']").wait_for()
    page.keyboard.press("k")
    counts(page, before + 1)


def test_a_tile_that_is_kept_is_marked_in_another_visit(chromium, page, address):
    canvas = generate(page, address, "&seed=5")
    bare = page.locator(f"{STRIP} canvas").first.get_attribute("data-digest")
    before, _ = shelf(page)
    rest_on(canvas, 3)
    page.keyboard.press("k")
    counts(page, before + 1)
    other = chromium.new_context(viewport={"width": 1440, "height": 1000}).new_page()
    again = generate(other, address, "&seed=5")
    other.wait_for_function(
        "([c, old]) => c.dataset.digest && c.dataset.digest !== old",
        arg=[again.element_handle(), bare],
    )
    other.context.close()


def test_twelve_far_apart_are_kept_at_once_and_taken_back_at_once(page, address):
    page.goto(f"{address}/candidates?model={DIGITS}&find=far")
    settled(page)
    before, _ = shelf(page)
    page.get_by_role("button", name="Find", exact=True).click()
    page.get_by_text(re.compile("2,000 drawn from the prior")).wait_for(timeout=30_000)
    page.get_by_role("button", name="Keep all 12").click()
    counts(page, before + 12)
    page.get_by_text("12 picks kept").wait_for()
    page.get_by_role("button", name="Undo", exact=True).click()
    counts(page, before)


def test_picks_go_to_the_project_on_the_screen(page, address, user):
    store = Store(user / FILE)
    number = store.add_project("Tail planes")
    store.add_project("The newest")
    store.close()
    page.goto(f"{address}/candidates?model={DIGITS}&project={number}")
    settled(page)
    page.get_by_text("0 picks in Tail planes").wait_for()
    page.get_by_role("button", name="Find", exact=True).click()
    page.get_by_role("button", name="Keep all 12").click(timeout=30_000)
    counts(page, 12)
    page.get_by_text("12 picks in Tail planes").wait_for()
    store = Store(user / FILE)
    assert [item.picks for item in store.projects()][1:] == [12, 0]
    store.close()


def test_constraints_go_along_to_the_candidates(page, address):
    generate(page, address, "&limits=thickness%3E%3D11&alpha=3")
    page.locator("[data-testid=shelf] button").click()
    page.wait_for_url(re.compile("candidates"))
    settled(page)
    page.get_by_label("Thickness ≥, %", exact=True).wait_for()
    page.wait_for_url(re.compile("limits=thickness.*alpha=3|alpha=3.*limits=thickness"))


def test_constraints_dim_and_count(page, address):
    canvas = generate(page, address)
    page.get_by_text(re.compile(r"\d+ of 64 are valid sections")).wait_for()
    free = canvas.get_attribute("data-digest")
    page.get_by_text("Constraints", exact=True).click()
    page.get_by_label("Value").fill("12")
    page.get_by_role("button", name="Add", exact=True).click()
    page.wait_for_url(re.compile("limits=thickness"))
    words = page.get_by_text(re.compile(r"\d+ of 64 are valid and meet the constraints"))
    words.wait_for()
    settled(page, "filmstrip")
    assert canvas.get_attribute("data-digest") != free
    assert 0 < int(words.inner_text().split()[0]) < 64


@pytest.mark.fault
def test_picks_wait_in_the_browser_while_the_store_is_locked(page, address, user):
    canvas = generate(page, address, "&seed=6")
    before, _ = shelf(page)
    other = sqlite3.connect(user / "candidates.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    rest_on(canvas, 2)
    page.keyboard.press("k")
    page.get_by_text(re.compile("written by another program")).first.wait_for(timeout=20_000)
    page.get_by_text(re.compile("1 pick waits in this browser")).first.wait_for()
    page.reload()  # nothing is lost by leaving the page
    other.execute("ROLLBACK")
    other.close()
    counts(page, before + 1)


def test_triage_by_keyboard_is_stored_and_undone(page, address):
    canvas = generate(page, address, "&seed=7")
    before, _ = shelf(page)
    for tile in range(3):
        rest_on(canvas, tile)
        page.keyboard.press("k")
        counts(page, before + tile + 1)
    cards = candidates(page, address)
    first = cards.count() - 3
    for place, key in ((first, "4"), (first + 1, "x"), (first + 2, "k")):
        cards.nth(place).focus()
        page.keyboard.press(key)
    page.wait_for_timeout(1500)
    cards = candidates(page, address)
    said = cards.evaluate_all(
        "all => all.slice(-3).map(c => [c.dataset.stars, c.dataset.verdict])"
    )
    assert said == [["4", ""], ["0", "reject"], ["0", "keep"]]
    cards.nth(first).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("u")
    page.get_by_text(re.compile("Undone: kept")).wait_for()
    page.wait_for_timeout(1500)
    cards = candidates(page, address)
    assert cards.last.get_attribute("data-verdict") == ""
    assert page.problems == []


def test_ranges_on_the_parallel_coordinates_dim_the_cards(page, address):
    canvas = generate(page, address, "&seed=8")
    before, _ = shelf(page)
    for tile in (0, 3, 9, 12):
        rest_on(canvas, tile)
        page.keyboard.press("k")
        before += 1
        counts(page, before)
    cards = candidates(page, address, "&tab=tradeoffs")
    chart = page.locator("[data-testid=parallel][data-lines]").first
    chart.wait_for(timeout=30_000)
    chart.scroll_into_view_if_needed()
    axis = page.locator("[data-testid=parallel] .axis-brush rect.background").first
    box = axis.bounding_box()
    x = box["x"] + box["width"] / 2
    page.mouse.move(x, box["y"] + 0.1 * box["height"])
    page.mouse.down()
    page.mouse.move(x, box["y"] + 0.3 * box["height"], steps=6)
    page.mouse.up()
    page.get_by_text(re.compile(r"\d+ of \d+ are within the ranges")).wait_for()
    outside = chart.get_attribute("data-outside").split(",")
    dim = cards.evaluate_all(
        "all => all.filter(c => c.classList.contains('dim')).map(c => c.dataset.number)"
    )
    assert outside == dim
    assert dim


def test_an_airfoil_file_goes_in_and_a_wrong_one_is_one_sentence(page, address, tmp_path):
    page.goto(f"{address}/candidates?model={AIRFOILS}&find=mine")
    settled(page)
    page.locator("input[type=file]").last.set_input_files(
        {"name": "notes.dat", "mimeType": "text/plain", "buffer": b"no numbers here"}
    )
    page.get_by_text("give at least 14, two numbers per line").wait_for(timeout=20_000)
    heights = naca_section("2412")
    points = [f"{x:.6f} {y:.6f}" for x, y in zip(stations(), heights, strict=True)]
    points.insert(64, "0.0 0.0")
    text = "\n".join(["NACA 2412", *points])
    page.locator("input[type=file]").last.set_input_files(
        {"name": "naca2412.dat", "mimeType": "text/plain", "buffer": text.encode()}
    )
    said = page.get_by_text(re.compile(r"error [\d.]+ % of the chord"))
    said.wait_for(timeout=20_000)
    off = float(re.search(r"error ([\d.]+) %", said.inner_text()).group(1))
    assert 0 < off < 1
    page.get_by_text("More like this").last.wait_for()


@pytest.mark.fault
def test_picks_survive_a_killed_server_and_come_back_from_a_zip(chromium, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    page = chromium.new_context(viewport={"width": 1440, "height": 1000}).new_page()
    with serve(first) as address:
        canvas = generate(page, address)
        for tile in range(3):
            rest_on(canvas, tile)
            page.keyboard.press("k")
            counts(page, tile + 1)
        kill(address)
    with serve(first) as address:
        cards = candidates(page, address)
        assert cards.count() == 3
        cards.first.focus()
        page.keyboard.press("3")
        page.wait_for_timeout(1500)
        shown = digests(cards)
        page.get_by_role("button", name="Export").first.click()
        with page.expect_download() as download:
            page.get_by_role("button", name="3 picks (ZIP)").click()
        took = tmp_path / "shortlist.zip"
        download.value.save_as(took)
    with serve(second) as address:
        page.goto(f"{address}/candidates?model={AIRFOILS}")
        settled(page)
        page.get_by_text("Nothing is picked yet").wait_for()
        page.get_by_role("button", name="Import").first.click()
        page.locator("[data-testid=stPopoverBody] input[type=file]").set_input_files(took)
        page.get_by_text("shortlist.zip").wait_for()
        page.locator("[data-testid=stPopoverBody]").get_by_role("button", name="Import").click()
        page.get_by_text("Imported 3 picks from “Shortlist”.").wait_for(timeout=20_000)
        cards = candidates(page, address)
        assert digests(cards) == shown
        assert cards.first.get_attribute("data-stars") == "3"
    done = subprocess.run(
        [sys.executable, "-m", "explorer.cli", "rebuild", str(took), "--out", str(tmp_path / "r")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("bit-identical") == 4  # the picks, and their table
    page.context.close()


@pytest.mark.skipif(not aerodynamics.available(), reason="needs NeuralFoil: the extra airfoil")
def test_the_five_minutes_of_the_readme(chromium, tmp_path):
    text = (
        README.read_text().partition("## Pick an airfoil in five minutes")[2].partition("\n## ")[0]
    )
    steps = [" ".join(step.split()) for step in re.split(r"\n\d\. ", text)[1:]]
    page = chromium.new_context(viewport={"width": 1440, "height": 1000}).new_page()
    with serve(tmp_path) as address:

        def step(number, *words):
            for word in words:
                assert word in steps[number - 1], f"step {number} does not say {word!r}"

        step(1, "**Catalogue**", "**Find sections**", "**Design**")
        page.goto(address)
        settled(page, "filmstrip")
        page.get_by_role("link", name="Find sections").click()
        page.wait_for_url(re.compile("design"))
        settled(page, "filmstrip")

        step(2, "Thickness (%)", "12", "**Add**", "CL at 4°", "0.6")
        page.get_by_label("Value").fill("12")
        page.get_by_role("button", name="Add", exact=True).click()
        page.wait_for_url(re.compile("thickness"))
        settled(page, "filmstrip")
        page.get_by_label("Property", exact=True).click()
        page.get_by_role("option", name="CL at 4°").click()
        page.get_by_text(re.compile("lift coefficient at 4°", re.IGNORECASE)).last.wait_for()
        settled(page, "filmstrip")
        page.get_by_label("Value").fill("0.6")
        page.get_by_role("button", name="Add", exact=True).click()
        page.wait_for_url(re.compile("cl%3E%3D0.6|cl>=0.6"))
        settled(page, "filmstrip")

        step(3, "**Twelve designs**")
        page.get_by_text("12 designs").wait_for()

        step(4, "**Shape it**", "**Undo**", "`K`")
        drag_up(page)
        page.keyboard.press("K")
        counts(page, 1)

        step(5, "**Keep all 12**", "13 picks in Shortlist", "`5`", "`X`", "`U`", "`Enter`")
        page.get_by_role("button", name="Keep all 12").click()
        counts(page, 13)
        page.get_by_role("button", name="13 picks in Shortlist").click()
        page.wait_for_url(re.compile("candidates"))
        cards = page.locator("[data-testid=shortlist] .card")
        cards.nth(3).wait_for()
        cards.first.focus()
        page.keyboard.press("5")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("X")
        page.keyboard.press("U")
        page.get_by_text("Undone: rejected").wait_for()
        cards.first.focus()
        page.keyboard.press("Enter")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        overlay = page.locator(".st-key-candidates_overlay")
        overlay.wait_for(timeout=30_000)
        beside = cards.first.bounding_box()
        assert overlay.bounding_box()["y"] + 300 < 1000  # in view, as the cards are
        assert beside["x"] + beside["width"] < overlay.bounding_box()["x"]
        page.get_by_role("radio", name="Polars").click()
        page.get_by_text(re.compile("NeuralFoil .*incompressible")).wait_for(timeout=30_000)

        step(6, "**Find more**", "Push a property", "**Push**")
        page.get_by_role("radio", name="Find more").click()
        page.get_by_text("Push a property").click()
        push = page.get_by_role("button", name="Push", exact=True)
        push.wait_for()
        settled(page)  # a rerun in progress could end the search that a click begins
        push.click()
        page.get_by_text(re.compile("largest network, not used")).wait_for(timeout=90_000)
        page.locator(".st-key-candidates_pushed_overlay").wait_for()
        found = page.locator(f"{STRIP} canvas").last
        found.scroll_into_view_if_needed()
        found.hover()
        box = found.bounding_box()
        page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 0.5 * box["height"])
        page.keyboard.press("K")
        counts(page, 14)

        step(7, "**Verify with XFoil**")
        if xfoil.available():
            page.get_by_role("button", name="Verify with XFoil (14)").click()
            page.get_by_text(re.compile("XFoil verified 14 of 14")).wait_for(timeout=90_000)

        step(8, "**Export**", "latent-explorer rebuild shortlist.zip")
        page.get_by_role("button", name="Export").first.click()
        with page.expect_download() as download:
            page.get_by_role("button", name="14 picks (ZIP)").click()
        took = tmp_path / "shortlist.zip"
        download.value.save_as(took)
    page.context.close()
    with zipfile.ZipFile(took) as archive:
        names = archive.namelist()
    assert {"candidates.csv", "manifest.json"} < set(names)
    assert sum(name.endswith(".dxf") for name in names) == 14
    assert sum(name.endswith(".pdf") for name in names) == 14
