// Whether samples are new: signs on the tiles, words on hover, and the shares below a wall.
import { address } from "../bridge.js"
import { place, rowOf, sizeOf } from "./places.js"

/** @typedef {import("../types").Filmstrip} Filmstrip */
/** @typedef {import("../types").FilmstripPanel} FilmstripPanel */
/** @typedef {import("../types").Theme} Theme */
/** @typedef {"copy" | "new" | "far"} Kind */

/** Percentiles of held-out data below which a sample is nearly a copy, and above which it is far. */
const [COPIED, FAR] = [5, 95]

/** @type {Kind[]} */
export const KINDS = ["copy", "new", "far"]

/** @param {number} percentile @returns {Kind} */
export function kindOf(percentile) {
  return percentile < COPIED ? "copy" : percentile > FAR ? "far" : "new"
}

/**
 * The colour of a sign; its shape says the same.
 *
 * @param {Theme} theme
 * @param {Kind} kind
 */
export function toneOf(theme, kind) {
  return { copy: theme.text, new: theme.accent, far: theme.dark ? "#f0803c" : "#d55e00" }[kind]
}

/**
 * The percentiles of a frame's samples; null as long as they are not known.
 *
 * @param {FilmstripPanel} panel
 * @param {number} frame
 */
export function percentilesOf(panel, frame) {
  const rows = panel.judged
  const own = rows ? rowOf(rows, frame) : -1
  return rows && own >= 0 ? rows.novelty[own] : null
}

/** @type {Map<string, import("../types").Novelty>} */
const judged = new Map()

/**
 * What has arrived already of a wall's novelty.
 *
 * @param {string} url
 * @param {number | null} frame The only one, or null for all.
 */
export function known(url, frame) {
  return judged.get(addressOf(url, frame))
}

/** @param {FilmstripPanel} panel @param {string} url @param {number | null} frame The only one, or null for all. */
export async function judge(panel, url, frame) {
  const from = addressOf(url, frame)
  let found = judged.get(from)
  if (!found) {
    const response = await fetch(address(from))
    if (!response.ok || !(response.headers.get("content-type") ?? "").includes("json")) return
    found = /** @type {import("../types").Novelty} */ ({ ...await response.json(), only: frame })
    if (judged.size > 40) judged.clear()
    judged.set(from, found)
  }
  panel.judged = found
}

/** @param {string} url @param {number | null} frame */
function addressOf(url, frame) {
  return frame === null ? url : `${url}&frame=${frame}`
}

/**
 * Draw one sign: filled, nearly a training sample; a ring, as novel as held-out data; a diamond, farther than these.
 *
 * @param {CanvasRenderingContext2D} pen
 * @param {Theme} theme
 * @param {Kind} kind
 * @param {number} x
 * @param {number} y
 */
function sign(pen, theme, kind, x, y) {
  const r = 3.2
  pen.beginPath()
  if (kind === "far") { pen.moveTo(x, y - r - 1); pen.lineTo(x + r + 1, y); pen.lineTo(x, y + r + 1); pen.lineTo(x - r - 1, y); pen.closePath() }
  else pen.arc(x, y, r, 0, 6.2832)
  pen.lineWidth = 3.4
  pen.strokeStyle = theme.paper
  pen.stroke()
  pen.lineWidth = 1.6
  pen.strokeStyle = pen.fillStyle = toneOf(theme, kind)
  pen.globalAlpha = kind === "new" ? 0.6 : 1
  if (kind === "copy") pen.fill()
  pen.stroke()
  pen.globalAlpha = 1
}

/** @param {Filmstrip} strip @param {FilmstripPanel} panel @param {CanvasRenderingContext2D} pen @param {number} frame */
export function signs(strip, panel, pen, frame) {
  const far = panel.signs ? percentilesOf(panel, frame) : null
  if (!far) return
  for (let tile = 0; tile < panel.tiles; tile++) {
    const [x, y] = place(panel, tile)
    sign(pen, strip.theme, kindOf(far[tile]), x + sizeOf(panel)[0] - 6.5, y + 6.5)
  }
}

/** @param {FilmstripPanel} panel @param {number} frame @param {number} tile */
export function noveltyOf(panel, frame, tile) {
  const rows = panel.judged
  const own = rows ? rowOf(rows, frame) : -1
  if (!rows || own < 0) return []
  const far = rows.novelty[own][tile]
  const words = { copy: "nearly a training sample", far: `far from ${rows.whole ? "all" : rows.training.toLocaleString("en")} training samples`, new: "as novel as held-out data" }[kindOf(far)]
  const than = far < 50 ? `closer than ${Math.round(100 - far)}` : `farther than ${Math.round(far)}`
  const typical = rows.typicality ? [`typicality ${rows.typicality[own][tile]} %`] : []
  return [`${words} (${than} % of ${rows.heldOut.toLocaleString("en")} held-out)`, ...typical]
}

/**
 * The shares of samples that are nearly copies, new and far, in whole per cent that add up.
 *
 * @param {number[]} percentiles
 * @returns {[number, number, number]}
 */
export function sharesOf(percentiles) {
  const n = Math.max(1, percentiles.length)
  const count = { copy: 0, new: 0, far: 0 }
  for (const percentile of percentiles) count[kindOf(percentile)] += 1
  const [copy, far] = [Math.round((100 * count.copy) / n), Math.round((100 * count.far) / n)]
  return count.new ? [copy, Math.max(0, 100 - copy - far), far] : [100 - far, 0, far]
}

/**
 * Say below a wall how many of its samples are new at the scale on display.
 *
 * @param {Filmstrip} strip
 * @param {FilmstripPanel} panel
 * @param {number} frame
 */
export function sayShares(strip, panel, frame) {
  const line = panel.shares
  const rows = panel.judged
  const far = percentilesOf(panel, frame)
  line.hidden = !panel.novelty || (!rows && !panel.pending && panel.asked === true)
  if (line.hidden) return
  if (!far || !rows) {
    if (line.dataset.shares) line.dataset.shares = ""
    const words = rows ? "Release the slider to compare these samples with training data." : "Comparing with training data …"
    if (line.textContent !== words) line.replaceChildren(words)
    return
  }
  const shares = sharesOf(far)
  const known = `${strip.frame}:${shares}`
  if (line.dataset.shares === known) return
  line.dataset.shares = known
  const all = rows.whole ? "all" : `${rows.training.toLocaleString("en")} training samples`
  const words = { copy: "nearly copies", new: "as new as data", far: `far from ${all}` }
  line.title = `${panel.tiles} samples; each share has a standard error of at most ${Math.ceil(50 / Math.sqrt(panel.tiles))} points. `
    + `New or far is the distance to the nearest of ${rows.training.toLocaleString("en")} training samples, among ${rows.heldOut.toLocaleString("en")} held-out ones.`
  const parts = KINDS.map((kind, k) => {
    const part = line.querySelector(`.${kind}`) ?? Object.assign(document.createElement("span"), { className: kind })
    if (part instanceof HTMLElement) part.style.setProperty("--tone", toneOf(strip.theme, kind))
    part.textContent = `${shares[k]} % ${words[kind]}`
    return part
  })
  if (parts.every((part) => part.isConnected)) return
  const small = document.createElement("small")
  small.textContent = `of ${panel.tiles} samples; of held-out data 5, 90 and 5 %`
  line.replaceChildren(...parts, small)
}
