// How many tiles lie in a row, and how large they are.

export const GAP = 4
/** Gaps may shrink to this where one more tile, or larger ones, then fit. */
const NARROW = 2
/** Smallest width of a tile, in CSS pixels, and as a share of its minimum and of its usual width. */
const LEAST = 28
const SHRUNK = 0.6
/** Smallest share of the width that a wall with fewer columns than fit still has to fill. */
const FILLED = 0.6

/** @typedef {import("../types").Wall} Wall */
/** @typedef {import("../types").Tiling} Tiling */

/**
 * Choose columns and tile size: as many as fit, and so that the last row is full where that is possible.
 *
 * A count of tiles that has no divisor near the usual number of columns keeps its short last row.
 *
 * @param {Wall} wall
 * @returns {Tiling}
 */
export function tiling(wall) {
  const usual = fitted(wall)
  if (wall.fixed || wall.tiles % usual.columns === 0) return usual
  const most = Math.min(wall.columns ?? wall.tiles, wall.tiles)
  const even = [...Array(most).keys()].map((k) => k + 1).filter((d) => wall.tiles % d === 0 && 2 * d >= usual.columns)
  /** How far a number of columns is from the usual one; more, and so smaller, tiles weigh heavier. @param {number} d */
  const away = (d) => Math.abs(Math.log(d / usual.columns)) * (d > usual.columns ? 1.5 : 1)
  even.sort((a, b) => away(a) - away(b))
  for (const crisp of [true, false]) {
    for (const columns of even) {
      const found = sized(wall, columns, columns < usual.columns ? wall.tallest : Infinity, crisp)
      const filled = columns >= usual.columns || columns * (found.tile + found.gap) >= FILLED * wall.width
      if (filled && found.tile >= Math.max(LEAST, SHRUNK * wall.least, SHRUNK * usual.tile)) return found
    }
  }
  return usual
}

/**
 * As many tiles in a row as fit.
 *
 * @param {Wall} wall
 * @returns {Tiling}
 */
function fitted(wall) {
  const { least, tiles, width } = wall
  const fit = Math.max(1, Math.floor((width + GAP) / (least + GAP)))
  const columns = wall.fixed && wall.columns ? wall.columns : Math.min(wall.columns ?? fit, fit, tiles)
  const found = sized(wall, columns, Infinity)
  if (wall.pixels === null) return found
  const loose = roomOf(wall, columns, GAP, Infinity)
  const step = wall.pixels / wall.ratio
  const larger = (Math.floor(loose / step) + 1) * step
  const fewer = Math.min(tiles, Math.floor((width + GAP) / (larger + GAP)))
  if (found.tile >= 0.75 * loose) return found
  // Where whole pixels would lose over a quarter of the tile, larger ones are shown, unless a single row would break; a wall
  // of a given number of columns gives up whole pixels.
  if (wall.columns) return { columns, tile: loose, gap: GAP }
  const fits = larger <= 1.6 * least && fewer >= 1 && (columns < tiles || fewer === tiles)
  return fits ? { columns: fewer, tile: larger, gap: GAP } : found
}

/**
 * The size of tiles in so many columns, if crisp of whole device pixels per image pixel.
 *
 * @param {Wall} wall
 * @param {number} columns
 * @param {number} tallest
 * @param {boolean} [crisp]
 * @returns {Tiling}
 */
function sized(wall, columns, tallest, crisp = true) {
  const loose = roomOf(wall, columns, GAP, tallest)
  if (wall.pixels === null || !crisp) return { columns, tile: loose, gap: GAP }
  const step = wall.pixels / wall.ratio
  const factor = Math.floor(roomOf(wall, columns, NARROW, tallest) / step + 1e-9)
  const tile = factor >= 1 ? factor * step : loose
  return { columns, tile, gap: columns > 1 ? Math.max(0, Math.min(GAP, Math.floor((wall.width - columns * tile) / (columns - 1)))) : GAP }
}

/** @param {Wall} wall @param {number} columns @param {number} gap @param {number} tallest */
function roomOf(wall, columns, gap, tallest) {
  const rows = Math.ceil(wall.tiles / columns)
  const across = Math.floor((wall.width - gap * (columns - 1)) / columns)
  const down = ((tallest + gap) / rows - gap) * wall.shape
  return Math.min(across, wall.pixels === null ? 340 : Math.max(1.6 * wall.least, 40), down)
}
