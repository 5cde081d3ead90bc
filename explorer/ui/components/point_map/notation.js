// Grammar of selections and paths in a link, as `explorer.ui.address.notation` reads them. Both run
// the cases in tests/javascript/cases.json.

/** @typedef {import("../types").Point} Point */
/** @typedef {{kind: string, numbers: number[], add: number[], cut: number[]}} Pick */

const MOST_EDITS = 64
const MOST_VERTICES = 64
const NUMBER = /^-?\d{1,9}(\.\d{1,12})?(e[+-]?\d)?$/
const INDEX = /^\d{1,6}$/
const POINTS = ["data", "prior", "prototypes", "holes"]

/**
 * Parse a selection: a spot of the map; or a point of a layer, a box or a lasso, with rows added
 * and cut.
 *
 * @param {string} text
 * @returns {Pick | null} Null if it is invalid.
 */
export function parsePick(text) {
  const [base, ...edits] = text.split(";")
  const [kind, rest, ...more] = base.split(":")
  if (more.length || rest === undefined) return null
  const numbers = list(rest, POINTS.includes(kind) ? INDEX : NUMBER)
  if (!numbers || !fits(kind, numbers.length)) return null
  const pick = { kind, numbers, add: /** @type {number[]} */ ([]), cut: /** @type {number[]} */ ([]) }
  for (const edit of edits) {
    const [how, rows, ...others] = edit.split(":")
    const found = list(rows ?? "", INDEX)
    const repeated = how === "add" ? pick.add.length || pick.cut.length : pick.cut.length
    if (kind === "spot" || others.length || (how !== "add" && how !== "cut")) return null
    if (!found || found.length > MOST_EDITS || repeated) return null
    pick[how] = found
  }
  return pick
}

/**
 * Format a selection; an edit without rows is omitted.
 *
 * @param {Pick} pick
 */
export function pickText({ kind, numbers, add, cut }) {
  const edits = Object.entries({ add, cut }).filter(([, rows]) => rows.length)
  return [`${kind}:${numbers.join(",")}`, ...edits.map(([how, rows]) => `${how}:${rows.join(",")}`)].join(";")
}

/**
 * Parse a path: x and y of two to 32 vertices, interleaved.
 *
 * @param {string} text
 * @returns {number[] | null} Null if it is invalid.
 */
export function parsePath(text) {
  const numbers = list(text, NUMBER)
  return numbers && numbers.length % 2 === 0 && numbers.length >= 4 && numbers.length <= MOST_VERTICES ? numbers : null
}

/**
 * Round a coordinate for a link: five significant digits, and zero below any zoom's resolution.
 *
 * @param {number} value
 */
export function coordinate(value) {
  return Math.abs(value) < 1e-6 ? 0 : Number(value.toPrecision(5))
}

/**
 * Return the rows of data that a selection contains; x and y of the points are interleaved.
 *
 * @param {Pick} pick
 * @param {ArrayLike<number>} xy
 */
export function rowsOf({ kind, numbers, add, cut }, xy) {
  const rows = inBase({ kind, numbers }, xy)
  for (const row of add) rows.add(row)
  for (const row of cut) rows.delete(row)
  return new Set([...rows].filter((row) => 2 * row < xy.length))
}

/**
 * Add a row to a selection, or cut it; an edit that reverts an earlier one cancels it.
 *
 * @param {Pick} pick
 * @param {"add" | "cut"} how
 * @param {number} row
 * @param {ArrayLike<number>} xy
 * @returns {Pick | null} Null if a link cannot hold that many edits.
 */
export function edited(pick, how, row, xy) {
  const already = inBase(pick, xy).has(row)
  const add = pick.add.filter((other) => other !== row)
  const cut = pick.cut.filter((other) => other !== row)
  if (how === "add" && !already) add.push(row)
  if (how === "cut" && already) cut.push(row)
  return add.length + cut.length > MOST_EDITS ? null : { ...pick, add, cut }
}

/**
 * Whether a point lies inside a polygon.
 *
 * @param {number} x
 * @param {number} y
 * @param {ArrayLike<number>} polygon
 */
export function within(x, y, polygon) {
  let found = false
  for (let i = 0, j = polygon.length - 2; i < polygon.length; j = i, i += 2) {
    const [x1, y1, x2, y2] = [polygon[i], polygon[i + 1], polygon[j], polygon[j + 1]]
    if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) found = !found
  }
  return found
}

/**
 * Simplify a line by Ramer, Douglas and Peucker's algorithm, coarser until few enough vertices
 * remain.
 *
 * @param {Point[]} points
 * @param {number} most
 */
export function thinned(points, most) {
  for (let tolerance = 1; ; tolerance *= 1.5) {
    const kept = [points[0]]
    thin(points, tolerance, 0, points.length - 1, kept)
    if (kept.length <= most) return kept
  }
}

/** @param {Point[]} points @param {number} tolerance @param {number} from @param {number} to @param {Point[]} out */
function thin(points, tolerance, from, to, out) {
  const [a, b] = [points[from], points[to]]
  const length = Math.hypot(b[0] - a[0], b[1] - a[1])
  let [far, at] = [0, -1]
  for (let i = from + 1; i < to; i++) {
    const p = points[i]
    const away = length < 1e-9 ? Math.hypot(p[0] - a[0], p[1] - a[1])
      : Math.abs((b[0] - a[0]) * (a[1] - p[1]) - (a[0] - p[0]) * (b[1] - a[1])) / length
    if (away > far) { far = away; at = i }
  }
  if (far > tolerance) { thin(points, tolerance, from, at, out); thin(points, tolerance, at, to, out) } else out.push(b)
}

/** @param {{kind: string, numbers: number[]}} base @param {ArrayLike<number>} xy */
function inBase({ kind, numbers }, xy) {
  const rows = new Set(kind === "data" ? numbers : [])
  for (let row = 0; 2 * row < xy.length && (kind === "box" || kind === "lasso"); row++) {
    const [x, y] = [xy[2 * row], xy[2 * row + 1]]
    if (kind === "box" ? x >= numbers[0] && x <= numbers[2] && y >= numbers[1] && y <= numbers[3] : within(x, y, numbers)) rows.add(row)
  }
  return rows
}

/** @param {string} text @param {RegExp} grammar */
function list(text, grammar) {
  const parts = text.split(",")
  return parts.every((item) => grammar.test(item)) ? parts.map(Number) : null
}

/** @param {string} kind @param {number} count */
function fits(kind, count) {
  if (POINTS.includes(kind)) return count === 1
  if (kind === "spot") return count === 2
  if (kind === "box") return count === 4
  return kind === "lasso" && count % 2 === 0 && count >= 6 && count <= 2 * MOST_VERTICES
}
