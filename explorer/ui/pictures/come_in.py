"""Pictures of one's own: as an archive or a folder, seen as a model will, then trained on."""

import numpy as np
import streamlit as st

from explorer import incoming, settings
from explorer.data.files import OWN
from explorer.data.limits import LARGEST_SIDE
from explorer.errors import DataError
from explorer.incoming import Seen
from explorer.strips import samples_strip
from explorer.ui.components.filmstrip import Grid, filmstrip
from explorer.ui.shell import pages
from explorer.ui.wording.format import prose

MEGABYTES = 200
_SET = "pictures_set"
"""Session key of the set that is looked at."""

TONES: dict[bool | None, str] = {
    None: "As guessed", False: "Ink on a ground", True: "Light, as in photographs",
}  # fmt: skip
COLOURS = {1: "Grey", 3: "Colour"}


def given() -> str | None:
    """Render the doors; return the path of the pictures that came in, as in a recipe."""
    archive, folder = st.tabs(["A ZIP file", "A folder"])
    with archive:
        file = st.file_uploader(
            "Pictures in a ZIP file", type=["zip"], key="pictures_zip",
            max_upload_size=MEGABYTES,
        )  # fmt: skip
        st.caption(
            "PNG, JPEG, GIF, BMP, TIFF or WebP. Folders inside are classes; folders called train, "
            f"val and test are splits. At most {MEGABYTES} MB; they stay on this machine."
        )
        if file is not None and st.session_state.get("pictures_taken") != file.file_id:
            st.session_state["pictures_taken"] = file.file_id
            try:
                with st.spinner("Unpacking"):
                    slug = incoming.unpack(file.getvalue(), file.name)
                st.session_state[_SET] = f"{OWN}/{slug}/files"
            except DataError as error:
                st.error(prose(str(error)), icon=":material/error:")
    with folder:
        _folders()
    path: str | None = st.session_state.get(_SET)
    return path


def _folders() -> None:
    root = settings.current().data
    known = incoming.folders(root) if root.is_dir() else []
    if not known:
        st.caption(
            "There are no folders of pictures below the data directory. Start the app with "
            "`--data DIR` to offer those of DIR, or look at any by `latent-explorer data PATH`."
        )
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        chosen = st.selectbox("Below the data directory", known, key="pictures_folder", width=320)
        if st.button("Look", key="pictures_look"):
            st.session_state[_SET] = chosen


def seen(path: str) -> None:
    """Render what a model will see of the pictures, what was done to them, and the way on."""
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        first = _looked(path, None, None, None)
        if isinstance(first, str):
            st.error(prose(first), icon=":material/error:")
            return
        side = st.number_input(
            "Longer side, pixels", 8, LARGEST_SIDE, max(first.data.sketch.shape[1:]),
            key=f"pictures_side_{path}", width=170,
        )  # fmt: skip
        colour = st.segmented_control(
            "Colours", list(COLOURS), default=first.config.channels, required=True,
            key=f"pictures_colour_{path}", format_func=COLOURS.__getitem__,
        )  # fmt: skip
        tone = st.selectbox(
            "Grey is", list(TONES), key=f"pictures_tone_{path}", format_func=TONES.__getitem__,
            width=240, disabled=colour == 3,
        )  # fmt: skip
    found = _looked(path, side, colour, None if colour == 3 else tone)
    if isinstance(found, str):
        st.error(prose(found), icon=":material/error:")
        return
    _told(found)
    filmstrip(
        samples_strip(found.forty, found.data.sketch), key="pictures_seen",
        grid=Grid(tile_width=56, noun="picture", selectable=False),
    )  # fmt: skip
    st.caption(
        f"{len(found.forty)} of {found.counts['train']:,} training samples, as a model will see "
        "them."
    )
    if st.button(
        "Train on these", key="pictures_use", type="primary", icon=":material/arrow_forward:"
    ):
        slug = path.split("/")[1] if path.startswith(f"{OWN}/") else path.rsplit("/", 1)[-1]
        incoming.keep(slug, found.config)
        st.switch_page(pages.page_path("train"), query_params={"data": slug})


def _told(found: Seen) -> None:
    first, *rest = incoming.lines(found)
    st.markdown(f"**{prose(first)}**")
    st.caption(prose("  \n".join(rest)))


@st.cache_resource(max_entries=3, show_spinner="Reading the pictures")
def _looked(path: str, side: int | None, colour: int | None, tone: bool | None) -> Seen | str:
    """Look at pictures; what is wrong is returned as a sentence."""
    first = None if side is None else _looked(path, None, None, None)
    if isinstance(first, str):
        return first
    changes: dict[str, object] = {}
    if first is not None:
        shape = np.array(first.data.sketch.shape[1:])
        if side != shape.max() or colour != first.config.channels:
            height, width = np.maximum(1, np.round(side * shape / shape.max())).astype(int)
            changes = {"height": int(height), "width": int(width), "channels": colour}
        if tone is not None:
            changes |= {"light": tone, "invert": False if tone else None}
        if not changes:
            return first
    try:
        return incoming.look(path, settings.current().data, **changes)
    except DataError as error:
        return str(error)
