"""Upload of an airfoil file as a sample."""

from typing import NamedTuple

import numpy as np
import streamlit as st
from jaxtyping import Float

from explorer.data.drawn import (
    MOST_SECTION_BYTES,
    from_coordinates,
)
from explorer.errors import DataError
from explorer.sketch import CurveSketch
from explorer.ui.wording.format import prose


class Given(NamedTuple):
    """A sample to reconstruct, its description, and its row in the atlas, if any.

    `smooth` marks a decoded mean, which is more likely than any sample, and not ranked among them.
    """

    x: Float[np.ndarray, "1 *sample"]
    words: str
    row: int | None
    smooth: bool = False


def section(sketch: CurveSketch, key: str) -> Given | None:
    """Render the upload of an airfoil file; None until there is a valid one."""
    file = st.file_uploader(
        "An airfoil: Selig or Lednicer .dat, or CSV", key=key, max_upload_size=1
    )
    if file is None:
        st.caption(
            "Coordinates of one section, trailing edge to trailing edge or surface by surface; at "
            f"most {MOST_SECTION_BYTES // 1024} kB. It is not part of the link."
        )
        return None
    try:
        x = from_coordinates(file.getvalue(), file.name, sketch)
    except DataError as error:
        st.error(prose(str(error)), icon=":material/error:")
        return None
    return Given(x[None], "Your section, resampled", None)
