"""Faults under a running server: one calm sentence each, recovery without a restart, no loss."""

import json
import os
import resource
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from explorer.designs.candidates import FILE, Store
from tests.support.api import drawn_wish
from tests.support.browsing import go
from tests.support.engines import PIXELS, digest_of, engine_of
from tests.support.load import FACTOR
from tests.support.proxies import Proxy
from tests.support.sentences import assert_one_sentence
from tests.support.serving import _RUNNING, CHROMIUM, FLAGS, serve, settled

pytestmark = [pytest.mark.slow, pytest.mark.fault]

at_length = pytest.mark.skipif(FACTOR == 1, reason="runs by `python -m tests.faults`")

FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A user's folder, and a folder with one model that may be changed."""
    root = tmp_path_factory.mktemp("faults")
    shutil.copytree(engine_of(PIXELS).checkpoint.folder, root / "models" / PIXELS)
    (root / "user").mkdir()
    return root


@pytest.fixture(scope="module")
def server(home):
    with serve(home / "user", LATENT_EXPLORER_CHECKPOINTS=str(home / "models")) as address:
        assert keep(address, 0)[0] == 200
        yield address


def ask(url, facts=None):
    """Return the status and the text of an answer."""
    body = None if facts is None else json.dumps(facts).encode()
    said = {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, said), timeout=60) as found:
            return found.status, found.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode("utf-8", "replace")


def keep(address, tile):
    return ask(f"{address}/api/picks", {"items": [drawn_wish(tile=tile)]})


def kept(home):
    """How many picks are in the file that the path names."""
    with closing(Store(home / "user" / FILE)) as store:
        return store.projects()[0].picks


def points(address):
    return ask(f"{address}/api/points/{PIXELS}/{digest_of(PIXELS)}")


@contextmanager
def full_disk(address):
    """No file of the server may grow beyond what is there already."""
    process = _RUNNING[address].pid
    before = resource.prlimit(process, resource.RLIMIT_FSIZE)
    resource.prlimit(process, resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.prlimit(process, resource.RLIMIT_FSIZE, before)


@contextmanager
def instead(path, content):
    """Something else in the place of a file: bytes, a folder (None), or nothing (...)."""
    away = path.with_name(f"{path.name}.away")
    path.rename(away)
    if content is None:
        path.mkdir()
    elif content is not ...:
        path.write_bytes(content)
    try:
        yield
    finally:
        if path.is_dir():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        away.rename(path)


def assert_said(answer, status):
    assert answer[0] == status
    assert_one_sentence(json.loads(answer[1])["why"])


def assert_recovered(address, home, before, tile):
    assert keep(address, tile)[0] == 200
    assert kept(home) == before + 1


def test_a_full_disk_keeps_nothing_by_halves(server, home):
    before = kept(home)
    with full_disk(server):
        assert_said(keep(server, 1), 503)
        assert ask(f"{server}/generate")[0] == 200
        assert points(server)[0] == 200
    assert kept(home) == before
    assert_recovered(server, home, before, 1)


@pytest.mark.parametrize("content", [b"no database" * 999, None], ids=["garbage", "a folder"])
def test_what_is_no_store_is_said_and_left_as_it_is(server, home, content):
    before, path = kept(home), home / "user" / FILE
    with instead(path, content):
        assert_said(keep(server, 2), 503)
        assert_said(ask(f"{server}/api/picks/1"), 503)
        assert content is None or path.read_bytes() == content
    assert_recovered(server, home, before, 11 if content else 12)


def test_a_store_that_is_taken_away_is_begun_anew_and_the_old_one_comes_back(server, home):
    before = kept(home)
    with instead(home / "user" / FILE, ...):
        assert keep(server, 3)[0] == 200
        assert kept(home) == 1
    assert_recovered(server, home, before, 4)


@at_length
def test_a_store_that_another_program_locks_is_said_and_free_again(server, home):
    before = kept(home)
    with closing(sqlite3.connect(home / "user" / FILE, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert_said(keep(server, 5), 503)
    assert_recovered(server, home, before, 5)


def test_a_model_that_is_deleted_or_changed_while_it_is_open_concerns_that_model_alone(
    server, home
):
    folder = home / "models" / PIXELS
    assert points(server)[0] == 200
    away = home / "away"
    folder.rename(away)
    assert points(server) == (404, "Model not found.")
    assert ask(f"{server}/api/picks/1")[0] == 200
    away.rename(folder)
    assert points(server)[0] == 200
    for name in ("model.safetensors", "config.json"):
        with instead(folder / name, b"{"):
            assert points(server)[0] == 404
    for name in ("atlas.npz", "likelihood.npz", "metrics.json"):
        with instead(folder / name, ...):
            assert points(server)[0] in (200, 404)
    assert points(server)[0] == 200


@at_length
def test_two_servers_on_one_store_see_what_the_other_keeps(server, home):
    before = kept(home)
    with serve(home / "user", LATENT_EXPLORER_CHECKPOINTS=str(home / "models")) as other:
        for tile in range(20, 30):
            assert keep((server, other)[tile % 2], tile)[0] == 200
        assert [json.loads(ask(f"{one}/api/picks/1")[1])["count"] for one in (server, other)] == [
            before + 10
        ] * 2
    assert kept(home) == before + 10


CLOCKED = """
import sys, time
from pathlib import Path
import numpy as np
from explorer.designs.candidates import Store
from explorer.designs.picks import Model, PickSource
from explorer.sketch import PixelSketch

sketch = PixelSketch(height=8, width=8)
model = Model("ab" * 8, "digits-vae-vamp-2", "digits", sketch)
code, sample = np.zeros(2, np.float32), np.zeros(sketch.shape, np.float32)
store = Store(Path(sys.argv[1]))
for number, jump in enumerate(("+0", "-365d", "+365d", "-1d", "+0")):
    Path(sys.argv[2]).write_text(jump)
    source = PickSource(model, code, sample, str(number), "generate", "", "0.1")
    store.keep(1, [(f"key-{number}", source)])
    print(time.gmtime().tm_year)
"""


@at_length
@pytest.mark.skipif(not FAKETIME.exists(), reason="needs apt-get install faketime")
def test_a_clock_that_jumps_a_year_loses_nothing_and_changes_no_order(tmp_path):
    """Of the store alone: under libfaketime a whole server stands still."""
    clock = tmp_path / "clock"
    clock.write_text("+0")
    facts = {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", CLOCKED, str(tmp_path / FILE), str(clock)],
        capture_output=True, text=True, check=False, timeout=120, env=os.environ | facts,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(set(done.stdout.split())) > 1
    with closing(Store(tmp_path / FILE)) as store:
        assert [(pick.key, pick.number) for pick in store.picks(1)] == [
            (f"key-{number}", number + 1) for number in range(5)
        ]


class Cut(Proxy):
    """A proxy whose connections can be lost, and which is then away for a while."""

    down = False

    def __init__(self, upstream):
        self.open = set()
        super().__init__(upstream, "", strip=False)

    def translate(self, path):
        return path

    def process_request(self, request, client_address):
        if self.down:
            request.close()
            return
        self.open.add(request)
        super().process_request(request, client_address)

    def lose(self, seconds):
        self.down = True
        for link in self.open:
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
        self.open.clear()
        time.sleep(seconds)
        self.down = False


@at_length
@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
@pytest.mark.parametrize("seconds", [0.1, 4])
def test_a_connection_that_is_lost_comes_back_without_a_reload(server, home, seconds):
    from playwright.sync_api import sync_playwright

    before = kept(home)
    with Cut(server) as proxy, sync_playwright() as playwright:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        page = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS).new_page()
        go(page, proxy.address, f"generate?model={PIXELS}&tile=3&seed={int(seconds)}")
        page.evaluate("window.same = true")
        canvas = page.locator("[data-testid=filmstrip] canvas").first
        canvas.hover(position={"x": 30, "y": 40})
        lost = threading.Thread(target=proxy.lose, args=(seconds,))
        lost.start()
        page.keyboard.press("k")
        lost.join()
        page.locator('[data-testid=shelf][data-waiting="0"]').first.wait_for(timeout=60_000)
        settled(page, "filmstrip")
        assert page.evaluate("window.same")
        proxy.shutdown()
    assert kept(home) == before + 1
