"""A small reference that samples are compared with."""

import numpy as np

from explorer.checkpoint import Metric
from explorer.metrics.novelty import Axes
from explorer.reference import Reference

ROWS = 40


def reference_of(rows=ROWS):
    random = np.random.default_rng(0)
    return Reference(
        axes=Axes(np.zeros(2, np.float32), np.ones(2, np.float32), np.eye(2, dtype=np.float32)),
        codes=random.integers(-9, 9, (rows, 2)).astype(np.int8),
        step=0.25,
        ids=np.empty(0, np.int64),
        total=rows,
        split="0" * 32,
        usual=np.sort(random.random(30)).astype(np.float16),
        rates={"noise_far": Metric(value=0.9, se=0.1, n=9, seed=1, unit="share")},
        reconstructed=True,
    )
