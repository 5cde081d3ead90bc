"""The clock of a tour: it moves a slider of the page, and says when a step has had its time."""

from collections.abc import Callable, Sequence
from functools import partial

from explorer.ui.components.bridge import Synced

_TOUR = Synced("tour")


def tour_clock(
    *,
    key: str,
    step: int,
    seconds: float,
    sweep: Sequence[tuple[float, float]],
    advances: bool,
    done: Callable[[int], None],
) -> None:
    """Render the time that is left of a step.

    It starts when the page stands still, and pauses when the visitor touches the page. Who prefers
    reduced motion sees nothing move, and goes on by hand.

    Args:
        key: Key of the widget.
        step: The step; another one starts the clock anew.
        seconds: Its length.
        sweep: Times in seconds and positions from 0 to 1 between which the page's first slider
            moves; none leave it alone.
        advances: Whether there is a step after it.
        done: Called with the step when its time is over, if another one comes after it.
    """
    facts = {"step": step, "seconds": seconds, "sweep": [*sweep], "advances": advances}
    _TOUR.mount(key, facts, listeners={"done": partial(_told, step, done)})


def _told(step: int, done: Callable[[int], None], given: object) -> None:
    if given == step:  # a report of another step came too late
        done(step)
