"""A page with a map of 70,000 points, as a large user atlas might have."""

import numpy as np
import streamlit as st

from explorer.ui.components import Layer, point_map
from explorer.ui.components.point_map import Column, Sources

N = 70_000
classes = np.random.default_rng(0).integers(0, 10, N).astype(np.float32)
shift = st.button("Recolour")
values = (classes + 1) % 10 if shift else classes
state = point_map(
    [Layer("data", "Data", "dot", "#5B7A99")],
    key="map",
    sources=Sources("/points", "/none", "/none/{layer}/{i}"),
    column=Column("Class", values, classes=[str(k) for k in range(10)]),
    ramp=("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9"),
)
st.text(f"picked {state.pick or 'nothing'}")
