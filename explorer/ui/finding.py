"""Finding more designs: far apart, like one, between several, pushed, or from one's own."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from explorer.designs import aerodynamics, geometry, search
from explorer.designs.properties import Conditions, Constraint, known, measure
from explorer.errors import DesignError
from explorer.inference import Engine
from explorer.sketch import CurveSketch
from explorer.strips import Strip, codes_strip, grid_strip
from explorer.ui import bounds, frame, picking, resources, tray
from explorer.ui.components import filmstrip
from explorer.ui.controls import commit, control
from explorer.ui.mirror import section
from explorer.ui.notation import code_text
from explorer.ui.reading import signed
from explorer.ui.shortlisted import Judged
from explorer.ui.sweep import prior_name
from explorer.ui.views import CandidatesView

KINDS = {
    "far": "Far apart",
    "like": "More like this",
    "between": "Between these",
    "push": "Push a property",
    "mine": "Start from mine",
}
RADII = tuple(round(0.05 * step, 2) for step in range(21))
FLOOR = 5.0
"""A search stays above the log p(z) that this share of held-out codes (per cent) fall short of."""

_FOUND, _APART = "candidates_pushed", "candidates_apart"


def find(items: Sequence[Judged], engine: Engine, view: CandidatesView, focus: int | None) -> None:
    """Offer the ways to find more designs with the model that is open, from the pick in focus."""
    st.subheader("Find more", anchor=False)
    control(st.segmented_control, "How", view, "find", options=list(KINDS),
            format_func=KINDS.get, required=True, label_visibility="collapsed")  # fmt: skip
    if view.find == "mine":
        _mine(engine, view)
        return
    if not engine.has_prior:
        st.caption(f"{engine.slug} has no prior to draw from; choose another model.")
        return
    st.caption(f"With {prior_name(engine)} (`{engine.slug}`), the model open in the sidebar.")
    of_model = [item for item in items if item.pick.made.model.hash == engine.checkpoint.hash]
    at = next((item for item in of_model if item.pick.number == focus), None)
    if view.find == "far":
        _far(of_model, engine, view)
    elif view.find == "like":
        _like(at, engine, view)
    elif view.find == "between":
        _between([i for i in of_model if i.pick.number in view.chosen], engine, view)
    else:
        _push(at, engine, view)


def _far(items: Sequence[Judged], engine: Engine, view: CandidatesView) -> None:
    with (
        st.form("candidates_far", border=False),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        n = st.number_input("How many", 2, search.MOST_CHOSEN, 12, width=110)
        scale = st.number_input("Scale", 0.0, 2.0, 1.0, 0.1, width=110)
        fidelity = st.number_input(
            "Fidelity, %",
            1.0,
            100.0,
            95.0,
            1.0,
            width=120,
            help="A design counts as faithful if its nearest training code is no farther than "
            "that of this share of held-out data. 100 leaves nothing out.",
        )
        seed = st.number_input("Seed", 0, 2**31 - 1, view.seed, width=110)
        asked = st.form_submit_button("Find", type="primary")
    if asked:
        rejected = [item.pick.made.code for item in items if item.pick.verdict == "reject"]
        conditions = bounds.conditions(view)
        try:
            with st.spinner("Choosing"):
                st.session_state[_APART] = (
                    engine.checkpoint.hash,
                    search.far_apart(
                        engine,
                        int(n),
                        seed=int(seed),
                        scale=float(scale),
                        yardstick=resources.yardstick(engine),
                        fidelity=float(fidelity),
                        constraints=bounds.of_text(view.limits, engine, conditions),
                        conditions=conditions,
                        rejected=np.stack(rejected) if rejected else None,
                    ),
                )
        except DesignError as error:
            st.session_state.pop(_APART, None)
            st.info(str(error), icon=":material/info:")
            return
    digest, found = st.session_state.get(_APART) or ("", None)
    if found is None or digest != engine.checkpoint.hash:
        st.caption(
            "Designs as different from each other as possible, of those that the prior draws: "
            "near enough to the data, sound, within the constraints, not like the rejected."
        )
        return
    _strip(engine, codes_strip(engine, found.z), "far", bounds.conditions(view))
    told = " → ".join(f"{count:,} {words}" for words, count in found.steps)
    st.caption(f"{told}. The nearest two are {found.least:.2f} spreads apart.")


def _like(item: Judged | None, engine: Engine, view: CandidatesView) -> None:
    if item is None:
        _needs("Bring a pick of this model into focus: click its card.")
        return
    z = search.like(engine, item.pick.made.code, 24, RADII, view.seed)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        control(st.number_input, "Seed", view, "seed", min_value=0, max_value=2**31 - 1, step=1,
                width=120)  # fmt: skip
        st.button("Other directions", on_click=commit, kwargs={"seed": view.seed + 1})
    filmstrip(
        strip := grid_strip(engine, z, RADII),
        key="candidates_like",
        at=0.3,
        home=0.3,
        label=f"How different from {item.pick.title}",
        low="the same",
        high="as far as the prior's spread",
        selectable=False,
        tile_width=_width(engine),
        keep=[picking.keepable(engine, strip)],
    )
    st.caption("Each tile goes its own way from the pick; drag to go farther. K keeps.")


def _between(items: Sequence[Judged], engine: Engine, view: CandidatesView) -> None:
    if len(items) < 2:
        _needs("Choose two to six picks of this model with Enter, or with the + on their cards.")
        return
    codes = np.stack([item.pick.made.code for item in items])
    z = search.between(codes, 12, view.seed)
    _strip(engine, codes_strip(engine, z), "between", bounds.conditions(view))
    names = " and ".join(item.pick.title for item in items)
    if len(items) == 2:
        st.caption(f"Twelve equal steps from {names}.")
        ends = tuple(code_text(code) for code in codes)
        st.page_link(frame.page_path("interpolate"), label="Walk it in Interpolate",
                     icon=":material/timeline:",
                     query_params={"model": engine.slug, "ends": "|".join(ends)})  # fmt: skip
    else:
        st.caption(f"Random mixtures of {names} (Dirichlet weights, seed {view.seed}).")
        st.button("Other mixtures", on_click=commit, kwargs={"seed": view.seed + 1})


def _push(item: Judged | None, engine: Engine, view: CandidatesView) -> None:
    if item is None:
        _needs("Bring a pick of this model into focus: click its card.")
        return
    conditions = bounds.conditions(view)
    properties = {prop.key: prop for prop in known(engine.sketch, conditions)}
    if not properties:
        _needs("Nothing is measured of samples like these.")
        return
    usual = "ld" if "ld" in properties else next(iter(properties))
    with (
        st.form("candidates_push", border=False),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        key = st.selectbox("Property", list(properties), index=list(properties).index(usual),
                           format_func=lambda key: properties[key].label, width=190)  # fmt: skip
        better = properties[key].better
        way = st.segmented_control("Push it", ["more", "less"],
                                   default="less" if better == "less" else "more",
                                   format_func=str.capitalize, required=True)  # fmt: skip
        length = st.selectbox("Search", [20, 60, 200], index=1, key="candidates_push_length",
                              format_func=lambda n: f"{n} generations", width=170)  # fmt: skip
        asked = st.form_submit_button("Push", type="primary")
    held_out = resources.held_out_density(engine)
    if held_out is None:
        _needs("Bounds on log p(z) need the model's map: build it on Latent map.")
        return
    floor = float(np.percentile(held_out, FLOOR))
    if asked:
        _search(engine, item, key, way, int(length), floor, view)
    found = st.session_state.get(_FOUND)
    if found is None or found["pick"] != item.pick.key or found["hash"] != engine.checkpoint.hash:
        st.caption(
            "Searches round the pick, among sound designs within the constraints that are as near "
            f"to the data as {search.FIDELITY:g} % of held-out data and, if sections, no wavier "
            "than the pick or half of these, with a log p(z) that is not below "
            f"{floor:.1f} nats, as {100 - FLOOR:.0f} % of them."
            .replace("-", "−")
        )  # fmt: skip
        return
    _before_and_after(engine, item, found, conditions)


def _search(
    engine: Engine,
    item: Judged,
    key: str,
    way: str,
    generations: int,
    floor: float,
    view: CandidatesView,
) -> None:
    """Search with a bar and a way to stop; the best so far is kept, whatever ends it."""
    conditions = bounds.conditions(view)
    st.session_state[_FOUND] = None
    place = st.empty()
    row = place.container(horizontal=True, vertical_alignment="center")
    line = row.progress(0.0, text="Searching")
    row.button("Stop", key="candidates_push_stop", icon=":material/stop:")
    prop = next(p for p in known(engine.sketch, conditions) if p.key == key)

    def report(done: int, value: float, z: np.ndarray) -> None:
        if np.isfinite(value):
            st.session_state[_FOUND] = {
                "pick": item.pick.key, "hash": engine.checkpoint.hash, "key": key, "way": way,
                "z": np.asarray(z, np.float32), "floor": floor, "done": done, "of": generations,
            }  # fmt: skip
        text = f"Generation {done} of {generations}: {prop.label} {prop.words(value)}"
        line.progress(min(1.0, done / generations), text=text)

    try:
        search.push(
            engine,
            item.pick.made.code,
            key,
            "less" if way == "less" else "more",
            floor=floor,
            constraints=(
                *bounds.of_text(view.limits, engine, conditions),
                *_smooth(engine, item),
            ),
            conditions=conditions,
            yardstick=resources.yardstick(engine),
            generations=generations,
            seed=view.seed,
            report=report,
        )
    except DesignError as error:
        place.empty()
        st.info(str(error), icon=":material/info:")
        return
    place.empty()


def _smooth(engine: Engine, item: Judged) -> tuple[Constraint, ...]:
    """A search may not wrinkle a section: NeuralFoil sees its smooth fit, a builder does not."""
    usual = resources.usual_waviness(engine)
    if usual is None:
        return ()
    return (Constraint("waviness", "<=", max(usual, item.values["waviness"])),)


def _before_and_after(
    engine: Engine, item: Judged, found: dict[str, object], conditions: Conditions
) -> None:
    z = found["z"]
    assert isinstance(z, np.ndarray)
    codes = np.stack([item.pick.made.code, z])
    x = engine.decode(codes)
    names = [item.pick.title, "Found"]
    if geometry.is_section(engine.sketch):
        tray.overlay(list(zip(names, x, strict=True)), engine.sketch, "candidates_pushed_overlay")
    filmstrip(
        strip := codes_strip(engine, z[None]),
        key="candidates_pushed_strip",
        selectable=False,
        tile_width=_width(engine) * 3 // 2,
        captions=["what the search found"],
        numbered=False,
        keep=[picking.keepable(engine, strip)],
        keep_all=True,
    )
    worth = resources.codes_worth(engine, codes, conditions)
    rows = [
        (prop.label, [prop.words(float(value)) for value in worth.values[prop.key]],
         prop.key == found["key"])
        for prop in worth.properties
    ]  # fmt: skip
    if geometry.is_section(engine.sketch) and aerodynamics.available():
        polar = aerodynamics.polars(
            x, engine.sketch, np.array([conditions.alpha]), conditions.reynolds,
            aerodynamics.CAREFUL,
        )  # fmt: skip
        for label, values, digits, unit in (
            ("CL, verified", polar.cl, 2, ""), ("CD, verified", polar.cd, 4, ""),
            ("L/D, verified", polar.cl / polar.cd, 1, ""),
            ("Confidence, verified", 100 * polar.confidence, 0, " %"),
        ):  # fmt: skip
            told = [f"{value:z.{digits}f}{unit}" for value in values[:, 0]]
            rows.append((label, told, False))
    density = [signed(f"{value:z.1f}") for value in engine.log_prior(codes)]
    rows.append(("log p(z), nats", density, False))
    tray.table(names, rows)
    said = (
        f"{found['done']} of {found['of']} generations of {search.POPULATION} designs, within "
        f"{search.REACH:g} spreads; log p(z) at least {found['floor']:.1f} nats."
    )
    if geometry.is_section(engine.sketch):
        said += (
            f" Verified: the same by NeuralFoil's largest network ({aerodynamics.CAREFUL}), which "
            "the search did not use. It is the best at one angle of attack: keep it, and compare "
            "the polars."
        )
    st.caption(signed(said))


def _mine(engine: Engine, view: CandidatesView) -> None:
    if not geometry.is_section(engine.sketch):
        st.caption(
            "Airfoil files start from here with an airfoil model; choose one in the sidebar. "
            "Pictures are drawn or uploaded on Reconstruct."
        )
        return
    assert isinstance(engine.sketch, CurveSketch)
    given = section(engine.sketch, "candidates_mine")
    if given is None:
        return
    x = given.x
    z = engine.encode(x).loc
    again = engine.decode(z)
    off = engine.sketch.heights(again[0]) - engine.sketch.heights(x[0])
    both = np.concatenate([x, again])
    names = ["Yours", "The model’s"]
    tray.overlay(list(zip(names, both, strict=True)), engine.sketch, "candidates_mine_overlay")
    st.caption(
        "Your section, turned and scaled to unit chord at the model's 128 stations, and what it "
        f"makes of it: root mean square error {100 * float(np.sqrt((off**2).mean())):.3f} % of "
        f"the chord, largest {100 * float(np.abs(off).max()):.3f} %."
    )
    conditions = bounds.conditions(view)
    worth = measure(both, engine.sketch, conditions)
    rows = [
        (prop.label, [prop.words(float(value)) for value in worth.values[prop.key]], prop.main)
        for prop in worth.properties
    ]
    tray.table(names, rows)
    for name, fault in zip(names, worth.faults, strict=True):
        if fault:
            st.caption(f":material/warning: {name}: no sound design, {fault}.")
    filmstrip(
        own := codes_strip(engine, z),
        key="candidates_mine_strip",
        selectable=False,
        tile_width=_width(engine) * 3 // 2,
        captions=["your section as the model makes it"],
        numbered=False,
        keep=[picking.keepable(engine, own)],
        keep_all=True,
    )
    if not engine.has_prior:
        return
    near = search.like(engine, z[0], 24, RADII)
    st.markdown("**More like this**")
    filmstrip(
        more := grid_strip(engine, near, RADII),
        key="candidates_mine_like",
        at=0.3,
        home=0.3,
        label="How different from yours",
        low="the same",
        high="as far as the prior's spread",
        selectable=False,
        tile_width=_width(engine),
        keep=[picking.keepable(engine, more)],
    )


def _strip(engine: Engine, strip: Strip, name: str, conditions: Conditions) -> None:
    assert strip.z is not None
    worth = resources.codes_worth(engine, strip.z[0], conditions)
    captions = [
        " · ".join(
            f"{prop.label} {prop.words(float(worth.values[prop.key][row]))}"
            for prop in worth.properties
            if prop.main
        )
        for row in range(len(strip.z[0]))
    ]
    filmstrip(
        strip,
        key=f"candidates_{name}",
        selectable=False,
        tile_width=_width(engine),
        captions=captions,
        name="design",
        keep=[picking.keepable(engine, strip)],
        keep_all=True,
    )


def _needs(words: str) -> None:
    st.caption(words)


def _width(engine: Engine) -> int:
    return 64 if engine.sketch.kind == "pixels" else 150
