// Where tiles lie on a panel's canvas, and which row of a response is about a frame.

/** @typedef {import("../types").FilmstripPanel} FilmstripPanel */

/** @param {FilmstripPanel} panel @returns {[number, number]} */
export function sizeOf(panel) {
  return panel.tile ?? [0, 0]
}

/** @param {FilmstripPanel} panel @param {number} tile */
export function place(panel, tile) {
  const [across, down] = sizeOf(panel)
  return [(tile % panel.columns) * (across + panel.gap), Math.floor(tile / panel.columns) * (down + panel.foot + panel.gap)]
}

/**
 * The row of a response that belongs to a frame; -1 if it is about another one.
 *
 * @param {{only: number | null}} known
 * @param {number} frame
 */
export function rowOf(known, frame) {
  if (known.only === null) return frame
  return known.only === frame ? 0 : -1
}
