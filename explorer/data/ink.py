"""Ink recognised on its ground: by contrast at full resolution, in any colour, on any paper."""

from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from PIL import Image, ImageDraw
from scipy import ndimage
from scipy.spatial import ConvexHull

from explorer.data.grounds import SMALL, Ground, border_of, grounds
from explorer.data.placing import extent, line_width

Tone = Literal["dark", "light"]
"""Whether ink is darker or lighter than its ground."""

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_FLOOR = 0.02
_SEPARATE = 2.5
_SAMPLED = 400
_CELLS = 256
_SPECK = 0.02
_MARGIN = 0.04
_ROOM = 0.25

_Levels = Float[np.ndarray, "height width channels"]
_Plane = Float[np.ndarray, "height width"]


class Ink(NamedTuple):
    """Ink from 0 (ground) to 1, at the resolution of the picture.

    `whole` has its greys and specks too, where the ground is even. `contrast` is its difference
    from the ground, as a share of the room that leaves; `clear` tells that the ground is
    transparent.
    """

    amount: _Plane
    whole: _Plane
    tone: Tone
    contrast: float
    clear: bool = False


class _Found(NamedTuple):
    """Ink on one ground, and its difference from it, also in standard deviations of the ground.

    `touching` is the share of the border it touches.
    """

    amount: _Plane
    whole: _Plane
    difference: Float[np.ndarray, " channels"]
    separation: float
    touching: float

    @property
    def contrast(self) -> float:
        """Difference from the ground, from 0 to 1."""
        return float(np.sqrt((self.difference**2).mean()))

    @property
    def likely(self) -> float:
        """How much it looks like ink: what reaches far along the border looks like a shadow."""
        return self.separation * (1 - self.touching) ** 4


def find_ink(levels: _Levels, alpha: _Plane | None = None, tone: Tone | None = None) -> Ink | None:
    """Find what is drawn in a picture; None if nothing is.

    The ground is what most of the border shows: one colour, or light that falls off, or shadows; a
    later one has to separate ink from ground better than those before. Ink is measured along its
    own difference in colour, as a share of what the ground leaves room for, and separated by
    Otsu's threshold; specks are dropped. On a transparent ground what is opaque is the ink, unless
    that is a card on which something is drawn.

    Args:
        levels: Grey or colour, from 0 (black) to 1.
        alpha: Opacity from 0 to 1; None if all of it is opaque.
        tone: The tone of the ink; by default that of what is not ground.

    References:
        A threshold selection method from gray-level histograms (Otsu, 1979).
        https://doi.org/10.1109/TSMC.1979.4310076
    """
    if alpha is not None:
        laid = _laid(levels, alpha, tone)
        if tone is None and np.median(border_of(alpha[..., None])) < 0.5 * alpha.max():
            opaque = _on_paper(alpha[..., None])
            inner = None if opaque is None else _on_card(laid, opaque, None)
            if opaque is None or inner is not None:
                return inner
            bright = float(_grey(_middle(levels, alpha)))
            return Ink(
                opaque.amount, opaque.whole, "light" if bright > 0.5 else "dark", 1.0, clear=True
            )
        levels = laid
    found = _on_paper(levels)
    if found is not None:
        inner = _on_card(levels, found, tone)
        if inner is not None:
            return inner
    if tone is not None and (found is None or _tone(found) != tone):
        found = _as_told(levels, tone)
    elif found is None and alpha is not None:  # a stencil
        found = _on_paper(alpha[..., None])
    return None if found is None else Ink(found.amount, found.whole, _tone(found), found.contrast)


def _tone(found: _Found) -> Tone:
    return "dark" if float(_grey(found.difference)) < 0 else "light"


def _grey(levels: Float[np.ndarray, "*any channels"]) -> Float[np.ndarray, "*any"]:
    return np.asarray(levels[..., 0] if levels.shape[-1] == 1 else levels @ _LUMA)


def _middle(levels: _Levels, alpha: _Plane) -> Float[np.ndarray, " channels"]:
    """Return the median colour of what is opaque."""
    return np.median(levels[alpha > 0.5 * alpha.max()], 0).astype(np.float32)


def _laid(levels: _Levels, alpha: _Plane, tone: Tone | None) -> _Levels:
    """Lay a picture on what it is mostly made of, or on the paper its ink asks for."""
    if not alpha.max() > 0:
        return np.zeros_like(levels)
    paper = _middle(levels, alpha) if tone is None else np.float32(tone == "dark")
    return alpha[..., None] * levels + (1 - alpha[..., None]) * paper


def _on_card(levels: _Levels, found: _Found, tone: Tone | None) -> Ink | None:
    """Find ink on what was taken for ink, if that is a quadrilateral: paper, a card, a screen."""
    card = _card(found.amount > 0.5)
    if card is None:
        return None
    window = extent(card.astype(np.float32))
    inside = card[window]
    nearest = ndimage.distance_transform_edt(~inside, return_distances=False, return_indices=True)
    inner = find_ink(levels[window][tuple(nearest)], tone=tone)
    if inner is None or inner.contrast < 0.3 * found.contrast:
        return None
    planes = []
    for plane in (inner.amount, inner.whole):
        planes.append(np.zeros(card.shape, np.float32))
        planes[-1][window] = plane * inside
    return inner._replace(amount=planes[0], whole=planes[1])


def _card(
    dark: Bool[np.ndarray, "height width"],
) -> Bool[np.ndarray, "height width"] | None:
    """Mark the inside of a quadrilateral that is mostly full, at any angle; None if it is not."""
    rows = np.flatnonzero(dark.any(1))
    first, last = dark[rows].argmax(1), dark.shape[1] - 1 - dark[rows, ::-1].argmax(1)
    outline = np.concatenate([np.stack([first, rows], 1), np.stack([last, rows], 1)])
    if min(np.ptp(outline, axis=0)) < SMALL:
        return None
    outline = outline[ConvexHull(outline).vertices].astype(float)
    apart = np.linalg.norm(outline[:, None] - outline[None], axis=2)
    start, end = outline[list(np.unravel_index(apart.argmax(), apart.shape))]
    across = (outline - start) @ np.array([start[1] - end[1], end[0] - start[0]])
    corners = np.stack([start, outline[across.argmin()], end, outline[across.argmax()]])
    area = np.ptp(across) / 2
    full = ndimage.binary_fill_holes(dark).sum()
    if abs(full / area - 1) > 0.1 or dark.sum() < 0.7 * full:
        return None
    corners = corners.mean(0) + 0.9 * (corners - corners.mean(0))
    sheet = Image.new("1", dark.shape[::-1])
    ImageDraw.Draw(sheet).polygon([(x, y) for x, y in corners.tolist()], fill=1)
    return np.array(sheet)


def _on_paper(levels: _Levels) -> _Found | None:
    step = -(-max(levels.shape[:2]) // _SAMPLED)
    sample = levels[::step, ::step]
    chosen, best = None, 0.0
    for ground in grounds(levels):
        tried = _separate(sample, ground)
        if tried is not None and tried.likely > ground.advantage * best:
            chosen, best = ground, tried.likely
    # Thin ink may lie between the rows of the sample.
    return _separate(levels, chosen or next(grounds(levels)))


def _as_told(levels: _Levels, tone: Tone) -> _Found | None:
    """Take the other one of two tones for the ground, whatever the border says."""
    grey = _grey(levels)
    lighter = grey > grey.min() + _otsu(grey - grey.min(), 0.0)
    ground = lighter if tone == "dark" else ~lighter
    if not 0 < ground.mean() < 1:
        return None
    colour = np.median(levels[ground], 0)[None, None]
    found = _separate(levels, Ground(colour, told=float(ground.mean())))
    return found if found is not None and _tone(found) == tone else None


def _separate(levels: _Levels, ground: Ground) -> _Found | None:
    """Measure ink on a given ground."""
    under = ground.over(levels.shape[:2])
    apart = levels - under
    away = np.linalg.norm(apart, axis=2) / np.sqrt(np.float32(apart.shape[2]))
    quarter = 0.0 if ground.even else 0.25 * (1 if ground.told is None else ground.told)
    rough = away > _otsu(away, max(_FLOOR, 8 * float(np.quantile(away, quarter))))
    if not rough.any():
        return None
    difference = apart[rough].mean(0)
    room = under if float(_grey(difference)) < 0 else 1 - under
    apart /= np.maximum(room, _ROOM)
    difference = apart[rough].mean(0)
    size = float(np.linalg.norm(difference))
    mixed = size < 0.5 * float(np.linalg.norm(apart[rough], axis=1).mean())
    amount = np.linalg.norm(apart, axis=2) if mixed else apart @ (difference / size)
    noise = float(np.quantile(np.abs(amount), quarter)) / 0.319  # that of a normal distribution
    floor = max(_FLOOR, 5 * noise)
    threshold = _otsu(amount, floor)
    ink = amount > threshold
    if threshold < floor or not ink.any() or ink.all():
        return None
    kept = _without_specks(np.where(ink, amount, 0), ground.shadows)
    paper, ink = amount[~ink], ink & kept
    contrast = float(amount[ink].mean() - paper.mean())
    separation = contrast / (float(paper.std()) + 0.01)
    if contrast < ground.doubt or (separation < _SEPARATE and not ground.even):
        return None
    if ground.told is None and _shade(np.where(kept, amount, 0), ink):
        return None
    full = float(np.quantile(amount[ink], 0.95))
    amount = np.where(amount > floor, amount, 0).astype(np.float32)
    shown = (amount * kept / full).clip(0, 1)
    whole = (amount / float(amount.max())).clip(0, 1) if ground.even else shown
    touching = float(border_of(ink[..., None]).mean())
    return _Found(shown, whole, difference, separation, touching)


def _shade(amount: _Plane, ink: Bool[np.ndarray, "height width"]) -> bool:
    """Whether it is rather a shadow: without an edge, or as wide as long and cut by the border."""
    if min(ink.shape) < SMALL:
        return False
    full = float(np.quantile(amount[ink], 0.95))
    blurred = np.count_nonzero((amount > full / 4) & (amount < full * 3 / 4))
    if blurred > 1.2 * np.count_nonzero(ink):
        return True
    part = ink[extent(ink.astype(np.float32))].astype(np.float32)
    touching = float(border_of(ink[..., None]).mean())
    return touching > 0.12 and line_width(part) > 0.3 * min(part.shape)


def _otsu(values: Float[np.ndarray, "*any"], floor: float) -> float:
    """Return Otsu's threshold, with no more weight on what is below a floor than on the rest.

    One class that is rare, as a small digit on a page, would otherwise lose to the noise of the
    other. Infinite if nothing is above the floor.

    References:
        Characteristic analysis of Otsu threshold and its applications (Xu et al., 2011).
        https://doi.org/10.1016/j.patrec.2011.01.021
    """
    top = float(values.max())
    if not top > floor:
        return np.inf
    counts, edges = np.histogram(values, 256, (0, top))
    counts = counts.astype(np.float64)
    below = edges[1:] <= floor
    rest = counts[~below].sum()
    counts[below] *= min(1.0, rest / max(1.0, counts[below].sum()))
    middles = (edges[1:] + edges[:-1]) / 2
    low = counts.cumsum()
    high = low[-1] - low
    mass = (counts * middles).cumsum()
    with np.errstate(divide="ignore", invalid="ignore"):
        between = low * high * (mass / low - (mass[-1] - mass) / high) ** 2
    between = np.nan_to_num(between)
    best = np.flatnonzero(
        between >= between.max() * (1 - 1e-9)
    )  # a plateau where none lie between
    return float((edges[1:][best[0]] + edges[1:][best[-1]]) / 2)


def _without_specks(ink: _Plane, shadows: bool) -> Bool[np.ndarray, "height width"]:
    """Mark ink and what is close to it, but not dirt.

    That is what is small beside the largest part, and what lies along the very edge of the picture
    or, with shadows, reaches it; unless there is nothing else.
    """
    cell = -(-max(ink.shape) // _CELLS)
    high, wide = (-(-side // cell) for side in ink.shape)
    padded = np.zeros((high * cell, wide * cell), np.float32)
    padded[: ink.shape[0], : ink.shape[1]] = ink
    mass_of = padded.reshape(high, cell, wide, cell).sum((1, 3))
    parts, count = ndimage.label(mass_of > 0, np.ones((3, 3)))
    mass = np.bincount(parts.ravel(), mass_of.ravel(), count + 1)
    deep = int(_MARGIN * min(high, wide))
    within = np.zeros_like(parts, bool)
    within[deep : high - deep, deep : wide - deep] = True
    good = np.setdiff1d(parts[within], parts[~within] if shadows else 0)
    if len(good):
        mass[np.setdiff1d(np.arange(count + 1), good)] = 0
    mass[0] = 0
    kept = (mass >= max(_SPECK * mass.max(), 1e-9))[parts]
    kept = ndimage.binary_dilation(kept, iterations=2)
    return kept.repeat(cell, 0).repeat(cell, 1)[: ink.shape[0], : ink.shape[1]]
