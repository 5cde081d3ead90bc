"""Picks over HTTP: stored bit for bit, or refused with a reason."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from explorer.designs import database
from explorer.designs.candidates import FILE
from explorer.designs.geometry import faults
from explorer.strips import StripSpec, scale_strip
from explorer.ui import cache
from explorer.ui.api import answers as api_answers
from explorer.ui.picks import requests, service
from tests.support.api import ask, assert_refused, drawn_wish, kept, post, wish
from tests.support.archives import text_of
from tests.support.engines import CURVES, PIXELS, PLAIN, digest_of, engine_of
from tests.support.picks import assert_same_bits, holding, key_of, keys, some, state_of
from tests.support.sentences import assert_one_sentence

pytestmark = pytest.mark.usefixtures("no_data")

TILES = [
    (PIXELS, 0, 0, None, 1.0),
    (PIXELS, 37, 2**31 - 1, None, 0.35),
    (PIXELS, 63, 5, 3, 2.0),
    (CURVES, 0, 1, None, 0.0),
    (CURVES, 20, 7, None, 1.15),
    (CURVES, 5, 0, 0, 0.7),
]


@pytest.mark.parametrize(("slug", "tile", "seed", "component", "scale"), TILES)
def test_a_tile_is_kept_as_it_was_drawn_bit_by_bit(slug, tile, seed, component, scale):
    item = drawn_wish(slug, tile, seed, component, scale)
    (pick,) = kept(item)
    drawn = engine_of(slug).sample(64, scale, seed, component)
    assert_same_bits(pick.source.code, drawn.z[tile])
    assert_same_bits(pick.source.sample, drawn.x[tile])
    assert pick.source.component == drawn.component[tile]
    assert (pick.source.seed, pick.source.scale) == (seed, scale)
    assert (pick.source.origin, pick.source.page, pick.source.view) == (
        item["origin"], "generate", "?seed=1",
    )  # fmt: skip
    model = pick.source.model
    assert (model.slug, model.hash, model.sketch) == (
        slug, digest_of(slug), engine_of(slug).sketch,
    )  # fmt: skip


def test_a_tile_is_the_one_that_a_strip_shows():
    engine = engine_of(PIXELS)
    strip = scale_strip(engine, StripSpec(tiles=16, seed=3))
    (pick,) = kept(drawn_wish(tile=11, seed=3, scale=strip.values[26]))
    assert_same_bits(pick.source.sample, strip.samples[26, 11])


@pytest.mark.parametrize("slug", [PIXELS, CURVES, PLAIN])
def test_a_code_is_kept_and_decoded_bit_by_bit(slug):
    engine = engine_of(slug)
    z = np.random.default_rng(4).normal(size=engine.space.size).astype(np.float32)
    z[0] = 1e-45
    (pick,) = kept(wish(slug, z=text_of(z)))
    assert_same_bits(pick.source.code, z)
    assert_same_bits(pick.source.sample, engine.decode(z[None])[0])
    assert (pick.source.component, pick.source.scale, pick.source.seed) == (None, None, None)


@pytest.mark.parametrize("slug", [PIXELS, CURVES])
def test_a_point_of_the_map_is_kept_by_its_own_code(slug):
    engine = engine_of(slug)
    atlas = cache.atlas(engine)
    items = [wish(slug, place="data:12"), wish(slug, place="prototypes:3")]
    datum, prototype = kept(*items)
    assert_same_bits(datum.source.code, atlas.codes[12])
    assert_same_bits(prototype.source.code, engine.prototypes().loc[3])
    for pick in (datum, prototype):
        assert_same_bits(pick.source.sample, engine.decode(pick.source.code[None])[0])
    again = post("/api/picks", {"items": [wish(slug, place="data:12")]}).json
    assert [item["stored"] for item in again["saved"]] == [datum.key]
    assert again["count"] == 2


NO_PICKS = {
    "other weights": {"hash": "0" * 16},
    "the hash of another model": {"hash": digest_of(CURVES)},
    "a model that is not here": {"model": "gone"},
    "a model that is a path": {"model": "../../etc"},
    "neither tile nor code nor place": {"drawn": None},
    "a tile below zero": {"drawn": {"seed": 0, "tile": -1, "scale": 1.0}},
    "a tile beyond all": {"drawn": {"seed": 0, "tile": 4096, "scale": 1.0}},
    "a tile without a scale": {"drawn": {"seed": 0, "tile": 0}},
    "half a tile": {"drawn": {"seed": 0, "tile": 0.5, "scale": 1.0}},
    "a scale beyond": {"drawn": {"seed": 0, "tile": 0, "scale": 2.5}},
    "a scale that is NaN": {"drawn": {"seed": 0, "tile": 0, "scale": float("nan")}},
    "a seed too large": {"drawn": {"seed": 2**31, "tile": 0, "scale": 1.0}},
    "no such component": {"drawn": {"seed": 0, "tile": 0, "scale": 1.0, "component": 9999}},
    "a code that is no base64": {"drawn": None, "z": "!!!!"},
    "a code that is no ASCII": {"drawn": None, "z": "éé=="},
    "an empty code": {"drawn": None, "z": ""},
    "a code too short": {"drawn": None, "z": text_of([0])},
    "a code too long": {"drawn": None, "z": text_of([0, 0, 0])},
    "a code and a byte": {"drawn": None, "z": base64.b64encode(bytes(9)).decode()},
    "a code that is NaN": {"drawn": None, "z": text_of([np.nan, 0])},
    "a code without end": {"drawn": None, "z": text_of([-np.inf, 0])},
    "a code far away": {"drawn": None, "z": text_of([2e4, 0])},
    "a code without measure": {"drawn": None, "z": "A" * 8001},
    "a place beyond": {"drawn": None, "place": "data:999999"},
    "a prototype beyond": {"drawn": None, "place": "prototypes:9999"},
    "a place that is none": {"drawn": None, "place": "density:1"},
    "a place that is text": {"drawn": None, "place": "data:1; DROP TABLE pick"},
    "no origin": {"origin": ""},
    "an origin without end": {"origin": "o" * 8001},
    "a view without end": {"view": "v" * 4001},
    "a page without end": {"page": "p" * 41},
    "a key that is none": {"key": "a key"},
    "a key too short": {"key": "abc"},
    "no key": {"key": None},
    "a field too many": {"command": "rm"},
}


@pytest.mark.parametrize("changes", NO_PICKS.values(), ids=NO_PICKS.keys())
def test_what_cannot_be_kept_is_refused_by_name_and_the_rest_is_kept(changes):
    good, other = drawn_wish(tile=1), drawn_wish(tile=2)
    bad = drawn_wish(tile=0, origin="bad") | changes
    facts = post("/api/picks", {"items": [good, bad, other]}).json
    assert [item["key"] for item in facts["saved"]] == [good["key"], other["key"]]
    assert [item["number"] for item in facts["saved"]] == [1, 2]
    assert facts["count"] == 2
    (why,) = facts["refused"]
    assert why["key"] == str(bad["key"])[:64]
    assert_one_sentence(why["why"])
    assert keys(service.store().picks(1)) == [good["key"], other["key"]]


def test_nothing_but_bad_picks_leaves_no_trace():
    facts = post("/api/picks", {"items": [drawn_wish(hash="0" * 16)] * 3}).json
    assert (facts["saved"], facts["count"], len(facts["refused"])) == ([], 0, 3)
    assert service.store().history(1) == []


def test_an_autoencoder_has_no_tiles_to_be_kept():
    item = drawn_wish(PLAIN)
    facts = post("/api/picks", {"items": [item]}).json
    assert [why["key"] for why in facts["refused"]] == [item["key"]]
    assert_one_sentence(facts["refused"][0]["why"])


FOREIGN = {
    "a form": {"content-type": "application/x-www-form-urlencoded"},
    "a text": {"content-type": "text/plain"},
    "a text that looks like it": {"content-type": "text/plain; application/json"},
    "no type": {"content-type": ""},
}


@pytest.mark.parametrize("address", ["/api/picks", "/api/picks/mark", "/api/picks/undo"])
@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN.keys())
def test_only_json_is_read(address, headers):
    store = service.store()
    store.keep(1, some(1))
    facts = {"items": [drawn_wish()]} if address == "/api/picks" else MARK | {"stars": 5}
    assert_refused(post(address, facts, headers), 403)
    assert [(pick.key, pick.stars) for pick in store.picks(1)] == [(key_of(1), 0)]


MARK = {"project": 1, "keys": [key_of(1)]}


def test_a_type_may_name_its_characters():
    headers = {"content-type": "application/json; charset=utf-8"}
    assert post("/api/picks", {"items": [drawn_wish()]}, headers).status == 200


@pytest.mark.parametrize("parts", [1, 7])
def test_too_much_at_once_is_refused(parts):
    facts = {"items": [drawn_wish() | {"view": "v" * api_answers.MOST_BODY}]}
    assert_refused(post("/api/picks", facts, parts=parts), 413)
    assert service.store().picks(1) == []


def test_a_body_may_come_in_parts():
    assert post("/api/picks", {"items": [drawn_wish()]}, parts=5).json["count"] == 1


NO_BODIES = {
    "/api/picks": [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b"[" * 10**5,
        b'{"items": []}',
        b'{"items": [1]}',
        b'{"items": "all"}',
        b'{"items": [{}], "command": "rm"}',
        b'{"items": [{}], "project": -1}',
        b'{"items": [{"key": "\\ud800"}]}',
        json.dumps({"items": [{}] * (requests.MOST_AT_ONCE + 1)}).encode(),
    ],
    "/api/picks/mark": [
        b"",
        b"{}",
        b'{"project": 1}',
        *(
            json.dumps(MARK | change).encode()
            for change in (
                {"stars": 6},
                {"stars": -1},
                {"verdict": "maybe"},
                {"notes": "x" * 4001},
                {"command": "rm"},
                {"keys": "all"},
                {"keys": ["a b"]},
                {"keys": [key_of(1)] * 5001, "stars": 1},
                {"project": "x", "stars": 1},
            )
        ),
    ],
    "/api/picks/undo": [b"", b"{}", b'{"project": null, "keys": []}'],
}


@pytest.mark.parametrize(
    ("address", "body"),
    [(address, body) for address, bodies in NO_BODIES.items() for body in bodies],
    ids=lambda value: repr(value)[:40],
)
def test_what_cannot_be_understood_is_refused_and_changes_nothing(address, body):
    service.store().keep(1, some(1))
    before = state_of(service.store())
    assert_refused(post(address, body), 400)
    assert state_of(service.store()) == before


def test_a_pick_that_is_posted_twice_is_kept_once():
    item = drawn_wish(tile=4)
    first, again = (post("/api/picks", {"items": [item]}).json for _ in range(2))
    assert first == again
    assert first["saved"] == [
        {
            "key": item["key"],
            "stored": item["key"],
            "origin": item["origin"],
            "number": 1,
            "fault": "",
        }
    ]
    other = drawn_wish(tile=4)
    third = post("/api/picks", {"items": [other]}).json
    assert third["saved"][0] | {"key": item["key"]} == first["saved"][0]
    assert (third["saved"][0]["key"], third["count"]) == (other["key"], 1)


def test_an_invalid_section_is_kept_and_the_answer_says_why():
    engine = engine_of(CURVES)
    wrong = faults(engine.sample(64, 2.0, 0).x, engine.sketch)
    tiles = [next(k for k, fault in enumerate(wrong) if bool(fault) == bad) for bad in (1, 0)]
    items = [drawn_wish(CURVES, tile=tile, scale=2.0) for tile in tiles]
    saved = post("/api/picks", {"items": items}).json["saved"]
    assert [item["fault"] for item in saved] == [wrong[tile] for tile in tiles]
    assert "surfaces cross" in saved[0]["fault"]


def test_picks_that_are_posted_by_many_at_once_are_kept_once_each():
    items = [drawn_wish(tile=tile) for tile in range(12)]
    with ThreadPoolExecutor(4) as crowd:
        answers = list(
            crowd.map(lambda turn: post("/api/picks", {"items": items[turn:]}), range(6))
        )
    assert {answer.status for answer in answers} == {200}
    found = service.store().picks(1)
    assert sorted(keys(found)) == sorted(item["key"] for item in items)
    assert [pick.number for pick in found] == list(range(1, 13))


def test_picks_go_to_the_project_that_is_asked_for():
    other = service.store().add_project("Another")
    post("/api/picks", {"items": [drawn_wish(tile=1)], "project": 1})
    post("/api/picks", {"items": [drawn_wish(tile=2)], "project": other})
    assert [project.picks for project in service.store().projects()] == [1, 1]
    gone = post("/api/picks", {"items": [drawn_wish(tile=3)], "project": 99}).json
    assert gone["count"] == 2


def test_marks_are_stored_and_undone_and_the_count_is_told():
    store = service.store()
    store.keep(1, some(1, 2, 3))
    both = {"project": 1, "keys": [key_of(1), key_of(2)]}
    assert post("/api/picks/mark", both | {"stars": 4, "verdict": "keep"}).json == {"count": 3}
    assert [(p.stars, p.verdict) for p in store.picks(1)] == [(4, "keep")] * 2 + [(0, "")]
    assert post("/api/picks/mark", both | {"removed": True}).json == {"count": 1}
    undo = {"project": 1, "keys": []}
    facts = post("/api/picks/undo", undo).json
    assert facts == {"undone": "removed (2 picks)", "count": 3}
    assert post("/api/picks/undo", undo).json["undone"] == "4 stars, kept (2 picks)"
    assert post("/api/picks/undo", undo).json == {"undone": "added (3 picks)", "count": 0}
    assert post("/api/picks/undo", undo).json == {"undone": None, "count": 0}


def test_what_is_kept_is_told_by_where_it_came_from():
    item = drawn_wish(tile=9)
    assert ask("/api/picks/1").json == {"count": 0, "origins": []}
    post("/api/picks", {"items": [item]})
    answer = ask("/api/picks/1")
    assert answer.json == {"count": 1, "origins": [[item["origin"], item["key"]]]}
    assert "cache-control" not in answer.headers
    for number in ("x", "-1", "1.0", "9" * 40, "%D9%A3"):
        assert_refused(ask(f"/api/picks/{number}"), 404)


def test_picks_are_only_posted():
    for address in ("/api/picks/mark", "/api/picks/undo"):
        assert post("/api/picks/1", MARK).status == 405
        assert ask(address, "DELETE").status == 405
    assert ask("/api/picks").status == 405


def test_a_locked_store_is_said_and_the_pick_may_be_sent_again(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "PATIENCE_SECONDS", 0.1)
    service.store().keep(1, some(1))
    item = drawn_wish(tile=3)
    with holding(tmp_path / "user" / FILE):
        for address, facts in (
            ("/api/picks", {"items": [item]}),
            ("/api/picks/mark", MARK | {"stars": 1}),
            ("/api/picks/undo", MARK),
        ):
            answer = post(address, facts)
            assert_refused(answer, 503)
            assert "another program" in answer.json["why"]
        assert ask("/api/picks/1").json["count"] == 1
    assert kept(item)[0].stars == 0


def test_a_store_that_cannot_be_opened_is_said(tmp_path):
    (tmp_path / "user").mkdir()
    (tmp_path / "user" / FILE).write_text("no candidates " * 100)
    answers = [post("/api/picks", {"items": [drawn_wish()]}), ask("/api/picks/1")]
    answers += [post(f"/api/picks/{what}", MARK) for what in ("mark", "undo")]
    for answer in answers:
        assert_refused(answer, 503)
        assert "damaged" in answer.json["why"]
