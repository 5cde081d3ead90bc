"""What installed networks say on pages: literally, where they fit, and off in one sentence."""

import html
import io
import re

import numpy as np
import plotly.graph_objects as go
import pytest
from PIL import Image

from explorer import figures
from explorer.designs import installed, measuring
from explorer.designs.measuring import measure
from explorer.ui import cache
from explorer.ui.address.notation import code_text
from explorer.ui.api.address import address_of, decision_address
from explorer.ui.panels import asked, flip
from explorer.ui.panels.printed import printed
from explorer.ui.wording.format import plain
from tests.support.api import ask
from tests.support.asked import classifier, described, described_regressor, install, regressor
from tests.support.engines import engine_of
from tests.support.pages import address, open_page, told

FLAT = "digits-vae-vamp-2"
HOSTILE = "<b>a</b> $x$ *y* [z](//e) :red[q]"


def unescaped(text):
    """What is left for Markdown to take for markup."""
    return re.sub(r"\\.", "", text)


@pytest.fixture
def side(tmp_path):
    return install(tmp_path / "side", classifier(seed=1)).family


@pytest.fixture
def hostile(tmp_path):
    """A classifier all of whose words are markup."""
    outputs = [
        {"key": f"side_{k}", "label": f"{name} <i>${k}$", "meaning": HOSTILE}
        for k, name in enumerate(("a", "b", "c"))
    ]
    more = described(label=HOSTILE, outputs=outputs, origin=HOSTILE)
    return install(tmp_path / "side", classifier(seed=1), more).family


def test_a_decision_map_is_served_as_a_picture(side):
    engine = engine_of(FLAT)
    answer = ask(decision_address(engine, "side"))
    assert answer.status == 200
    picture = np.asarray(Image.open(io.BytesIO(answer.body)))
    found = cache.decision(engine, "side").found
    assert picture.shape == (*found.value.shape, 4)
    sure = np.unravel_index(found.value.argmax(), found.value.shape)
    unsure = np.unravel_index(found.value.argmin(), found.value.shape)
    assert picture[::-1][sure][3] > picture[::-1][unsure][3]


def test_no_decision_map_without_a_network_or_a_plane(side):
    assert ask(decision_address(engine_of("digits-vae-vamp-16"), "side")).status == 404
    for key in ("", "other", "../side", "side%00", "x" * 5000):
        assert ask(decision_address(engine_of(FLAT), key)).status == 404
    installed.remove("side")
    assert ask(decision_address(engine_of(FLAT), "side")).status == 404


def test_hovering_tells_what_a_network_sees(side):
    engine = engine_of(FLAT)
    rows = dict(ask(address_of(engine, "card", "data", 3)).json["rows"])
    x = engine.decode(cache.atlas(engine).codes[3:4])
    assert f"Side {rows['Side']}" == side.told(x)[0]
    header, _ = ask(address_of(engine, "here") + "&at=spot:0.5,0.5").packed
    assert "Side " in header["words"]


def test_properties_of_a_strip_name_their_classes(side):
    from explorer.designs.properties import Conditions
    from explorer.strips import StripSpec
    from explorer.ui.api.address import properties_address

    url = properties_address(engine_of(FLAT), StripSpec(tiles=4), Conditions())
    header, _ = ask(f"{url}&frame=3").packed
    listed = {item["key"]: item for item in header["properties"]}
    assert listed["side"]["classes"] == ["left", "right", "none"]
    assert listed["ink"]["classes"] == []
    installed.remove("side")
    assert properties_address(engine_of(FLAT), StripSpec(tiles=4), Conditions()) != url


def test_the_sentence_of_a_flip_escapes_its_classes(hostile):
    engine = engine_of(FLAT)
    z = engine.sample(1, 1.0, 4).z[0]
    found = cache.flipped(engine, "side", z, None)
    said = flip.sentence(found, hostile.description.classes)
    assert "<i>" not in unescaped(said)
    assert plain(hostile.description.classes[found.after]) in said


def test_a_figure_shows_decisions_with_their_names_as_written(hostile):
    engine = engine_of(FLAT)
    shade = asked.printed(engine, "side")
    drawn = figures.of_plane(
        engine.checkpoint, lambda: figures.PlaneFigure([], shade=shade), "A plane."
    ).file("svg")
    for name, _ in shade.classes:
        assert html.escape(name, quote=False).encode() in drawn
    assert b"<image" in drawn


def test_axes_of_charts_keep_words_as_written():
    figure = go.Figure().add_scatter(x=[0, 1], y=[0, 1], name=html.escape(HOSTILE))
    figure.update_layout(showlegend=True, xaxis={"title": html.escape("<b>$a$</b>")})
    chart = printed(figure)
    assert chart.x.label == r"<b>\$a\$</b>"
    assert chart.series[0].name == HOSTILE.replace("$", r"\$")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "parameters"),
    [
        ("latent_map", {"layers": "data,decision", "colour": "side", "hand": "data:3"}),
        ("interpolate", {"hand": "data:3"}),
        ("generate", {"limits": "side_0>=60", "hand": "sample:0,2,1"}),
        ("candidates", {"limits": "side_0>=60"}),
    ],
)
def test_labels_are_shown_as_they_are_written(hostile, page, parameters):
    app = open_page(page, model=FLAT, **parameters)
    assert not app.exception
    for item in (*app.caption, *app.markdown):
        for markup in ("<b>a", "$x$", "*y*", "[z](", ":red["):
            assert markup not in unescaped(item.value), item.value
    for item in (*app.number_input, *app.toggle):
        assert "<b>a" not in unescaped(item.label)
        assert "<b>a" not in unescaped(item.help or "")
    if page == "latent_map":
        assert address(app)["colour"] == "side"
        assert "Decision map" in told(app)
    if parameters.get("hand"):
        assert any(plain(HOSTILE) in item.value for item in app.caption)


@pytest.mark.slow
def test_a_path_shows_what_the_network_says_of_each_frame(side, monkeypatch):
    drawn = []
    real = go.Figure.add_scatter

    def add(figure, **trace):
        drawn.append(trace)
        return real(figure, **trace)

    monkeypatch.setattr(go.Figure, "add_scatter", add)
    app = open_page("interpolate", model=FLAT, ends="data:3|data:200", frames=9)
    assert not app.exception
    engine = engine_of(FLAT)
    codes = cache.atlas(engine).codes[[3, 200]]
    way = codes[0] + np.linspace(0, 1, 9)[:, None] * (codes[1] - codes[0])
    x = engine.decode(way.astype(np.float32))
    values = measure(x, engine.sketch, keys=["side"]).values
    lines = {trace.get("name"): trace["y"] for trace in drawn}
    shown = [name for name in ("left", "right", "none") if name in lines]
    assert shown
    for name in shown:
        np.testing.assert_allclose(lines[name], values[f"side_{name}"], atol=1e-3)


@pytest.mark.slow
def test_a_regressor_colours_the_map_and_is_charted(tmp_path):
    install(tmp_path / "logs", regressor(), described_regressor())
    app = open_page("latent_map", model=FLAT, layers="data,decision", colour="log_ink")
    assert not app.exception
    assert "Log ink of what is decoded" in told(app)
    assert not open_page("interpolate", model=FLAT).exception


@pytest.mark.slow
@pytest.mark.parametrize("page", ["latent_map", "interpolate", "candidates", "generate"])
def test_a_broken_network_breaks_no_page(side, page):
    (installed.folder() / "side" / "property.json").write_text("{")
    app = open_page(
        page, model=FLAT, layers="data,decision", colour="side", asked="side",
        limits="side_left>=5", hand="data:3",
    )  # fmt: skip
    assert not app.exception
    if page in ("latent_map", "interpolate"):
        (said,) = [item.value for item in app.caption if "is off" in item.value]
        assert said.startswith("Property “side” is off: property.json: ")
    assert measuring.networks()[0].family is None


@pytest.mark.slow
def test_the_flip_is_offered_for_what_is_in_hand(side):
    engine = engine_of(FLAT)
    hand = code_text(engine.sample(1, 1.0, 4).z[0])
    app = open_page("traverse", model=FLAT, hand=hand)
    assert not app.button("hand_flip").disabled
    app.button("hand_flip").click().run()
    assert not app.exception
    assert "standard deviations of the prior" in told(app)
    plain_one = open_page("traverse", model="digits-ae-2", hand="data:3")
    assert plain_one.button("hand_flip").disabled
