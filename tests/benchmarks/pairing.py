"""Times two functions in turn, A B A B, and returns the ratio of each pair."""

import statistics
import time
from collections.abc import Callable
from typing import NamedTuple


class Ratio(NamedTuple):
    """Median of time(A) / time(B) over pairs, its quartiles, and the medians in milliseconds."""

    median: float
    low: float
    high: float
    first_ms: float
    second_ms: float

    def __str__(self) -> str:
        return (
            f"{self.median:.3f} (quartiles {self.low:.3f} to {self.high:.3f}; "
            f"{self.first_ms:.2f} ms over {self.second_ms:.2f} ms)"
        )


def ratio(first: Callable[[], object], second: Callable[[], object], pairs: int = 40) -> Ratio:
    """Run both in turn after a warm-up."""
    for _ in range(5):
        first()
        second()
    times = [(_seconds(first), _seconds(second)) for _ in range(pairs)]
    ratios = sorted(a / b for a, b in times)
    return Ratio(
        statistics.median(ratios),
        ratios[pairs // 4],
        ratios[3 * pairs // 4],
        1000 * statistics.median(a for a, _ in times),
        1000 * statistics.median(b for _, b in times),
    )


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
