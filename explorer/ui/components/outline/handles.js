// Where an outline can be grabbed, and how its numbers become pixels.

/** @typedef {import("../types").Outline} Outline */
/** @typedef {import("../types").OutlineHandle} OutlineHandle */
/** @typedef {import("../types").CurvePanel} CurvePanel */

const PAD = 14

/**
 * How a board's numbers become pixels: `scale` is in pixels per unit of height as it is told.
 *
 * @param {Outline} board
 */
export function frameOf(board) {
  const { panel, section } = board.facts
  const [width, height] = board.size ?? [1, 1]
  const left = Math.min(...panel.x)
  const across = (width - 2 * PAD) / (Math.max(...panel.x) - left)
  const [low, high] = rangeOf(board)
  const middle = (low + high) / 2
  const down = section ? across : (height - 2 * PAD) / (high - low)
  return {
    /** @param {number} x */
    x: (x) => PAD + (x - left) * across,
    /** @param {number} y Height in the units of the panel. */
    y: (y) => height / 2 - (y - middle) * down,
    scale: section ? down / 100 : down,
  }
}

/**
 * The heights that have to be in sight: the usual ones of the data, and those of the design before.
 *
 * @param {Outline} board
 * @returns {[number, number]}
 */
export function rangeOf(board) {
  const { panel } = board.facts
  const heights = board.origin.panel.x.map((_, index) => heightOf(board.origin.panel, index))
  const room = 0.12 * (panel.high - panel.low)
  return [Math.min(panel.low, Math.min(...heights) - room), Math.max(panel.high, Math.max(...heights) + room)]
}

/**
 * The height of one point of a panel, in its units.
 *
 * @param {CurvePanel} panel
 * @param {number} index
 */
export function heightOf(panel, index) {
  return panel.least + (panel.body[index] * (panel.most - panel.least)) / 65535
}

/** The number of stations at which a surface of a section can be grabbed. @param {CurvePanel} panel */
export function stationsOf(panel) {
  return (panel.x.length - 1) / 2 // the leading edge stays at the origin
}

/**
 * The points of both surfaces at a station, counted from the leading edge aft.
 *
 * @param {CurvePanel} panel
 * @param {number} station
 * @returns {[number, number]}
 */
export function pairOf(panel, station) {
  const nose = stationsOf(panel)
  return [nose - 1 - station, nose + 1 + station]
}

/**
 * Where the outline is at a handle, in per cent of the chord or the curve's units.
 *
 * @param {CurvePanel} panel
 * @param {OutlineHandle} handle
 * @param {boolean} section
 */
export function heightAt(panel, handle, section) {
  if (!section) return heightOf(panel, handle.station)
  const [up, down] = pairOf(panel, handle.station).map((index) => 100 * heightOf(panel, index))
  if (handle.kind === "upper") return up
  if (handle.kind === "lower") return down
  return handle.kind === "thickness" ? up - down : (up + down) / 2
}

/**
 * The handles that are drawn: the greatest thickness, and the greatest camber beside it.
 *
 * @param {CurvePanel} panel
 * @returns {OutlineHandle[]}
 */
export function marksOf(panel) {
  const half = stationsOf(panel)
  /** @param {"thickness" | "camber"} kind @param {(station: number) => boolean} allowed */
  const greatest = (kind, allowed) => {
    let best = 0
    for (let station = 1; station < half; station++) {
      if (allowed(station) && Math.abs(heightAt(panel, { kind, station }, true)) >= Math.abs(heightAt(panel, { kind, station: best }, true))) best = station
    }
    return best
  }
  const thick = greatest("thickness", () => true)
  const from = panel.x[pairOf(panel, thick)[1]]
  // Two marks need room: the mean line is grabbed a tenth of the chord away.
  const bent = greatest("camber", (station) => Math.abs(panel.x[pairOf(panel, station)[1]] - from) > 0.1)
  return [{ kind: "thickness", station: thick }, { kind: "camber", station: bent }]
}

/**
 * The place of a handle in CSS pixels.
 *
 * @param {Outline} board
 * @param {OutlineHandle} handle
 * @returns {[number, number]}
 */
export function placeOf(board, handle) {
  const { panel } = board.now
  const frame = frameOf(board)
  if (!board.facts.section) return [frame.x(panel.x[handle.station]), frame.y(heightOf(panel, handle.station))]
  const [up, down] = pairOf(panel, handle.station)
  const x = frame.x(panel.x[down])
  if (handle.kind === "upper") return [x, frame.y(heightOf(panel, up))]
  if (handle.kind === "lower") return [x, frame.y(heightOf(panel, down))]
  return [x, frame.y((heightOf(panel, up) + heightOf(panel, down)) / 2)]
}

/**
 * The handle nearest to a point, if one is within reach. Marks inside a section go before its surfaces.
 *
 * @param {Outline} board
 * @param {[number, number]} at
 * @param {number} within In CSS pixels.
 * @returns {OutlineHandle | null}
 */
export function handleNear(board, [x, y], within) {
  const { section } = board.facts
  const { panel } = board.now
  /** @type {OutlineHandle | null} */
  let best = null
  let least = within
  /** @param {OutlineHandle} handle @param {number} bonus */
  const offer = (handle, bonus) => {
    const [across, down] = placeOf(board, handle)
    const away = Math.hypot(across - x, down - y) * bonus
    if (away < least) { least = away; best = handle }
  }
  const count = section ? stationsOf(panel) : panel.x.length
  for (let station = 0; station < count; station++) {
    if (section) { offer({ kind: "upper", station }, 1); offer({ kind: "lower", station }, 1) } else offer({ kind: "height", station }, 1)
  }
  if (section) for (const mark of marksOf(panel)) offer(mark, 0.8)
  return best
}

const NAMES = { upper: "upper surface", lower: "lower surface", thickness: "thickness", camber: "camber", height: "height" }
/** What digits choose: letters open other pages. @type {Map<string, OutlineHandle["kind"]>} */
export const KINDS = new Map([["1", "upper"], ["2", "lower"], ["3", "thickness"], ["4", "camber"]])

/** @param {Outline} board @param {OutlineHandle} handle */
export function positionOf(board, handle) {
  const { section, unit } = board.facts
  const { panel } = board.now
  const value = heightAt(panel, handle, section)
  const x = panel.x[section ? pairOf(panel, handle.station)[1] : handle.station]
  const where = section ? `at ${(100 * x).toFixed(0)} % of the chord` : `at ${Number(x.toPrecision(3))}`
  return `${NAMES[handle.kind]} ${where}: ${value.toFixed(2)} ${unit}`
}
