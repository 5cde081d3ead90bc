"""Serves the page with 70,000 points, and the points."""

from pathlib import Path

import numpy as np
import streamlit as st
from starlette.responses import Response
from starlette.routing import Route

from explorer.strips import pack
from explorer.ui.api.assets import assets

N = 70_000
xy = np.random.default_rng(1).normal(size=(N, 2)).astype("<f4")
body = pack({"layers": [{"name": "data", "n": N}]}, xy.tobytes())


def points(request):
    return Response(body, media_type="application/octet-stream")


app = st.App(
    Path(__file__).with_name("many_points.py"),
    routes=[Route("/points", points), *(Route(path, served) for path, served in assets().items())],
)
