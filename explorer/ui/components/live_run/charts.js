// The curves of a run, and the activity of its units.
import { penOf } from "../painting.js"

/** @typedef {import("../types").LiveRun} LiveRun */

const PAD = { left: 44, right: 8, top: 8, bottom: 20 }
/** A unit is active above this variance of its posterior means (Burda et al., 2016). */
const ALIVE = 0.01

/**
 * Size a canvas for its box, and return its pen and size in CSS pixels.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {number} [height] By default that of its box.
 * @returns {[CanvasRenderingContext2D, number, number]}
 */
export function sized(canvas, height) {
  const ratio = devicePixelRatio || 1
  const width = canvas.clientWidth
  if (height !== undefined) canvas.style.height = `${height}px`
  const tall = height ?? canvas.clientHeight
  canvas.width = Math.max(1, Math.round(width * ratio))
  canvas.height = Math.max(1, Math.round(tall * ratio))
  const pen = penOf(canvas)
  pen.setTransform(ratio, 0, 0, ratio, 0, 0)
  return [pen, width, tall]
}

/** @param {import("../types").RunPoint} point @param {"bound" | "reconstruction" | "kl"} name */
const valueOf = (point, name) => (name === "bound" ? point.reconstruction - point.kl : point[name])

/**
 * @param {LiveRun} run
 * @param {HTMLCanvasElement} canvas
 * @param {"bound" | "reconstruction" | "kl"} name
 * @param {number | null} at
 */
export function drawCurve(run, canvas, name, at) {
  const [pen, width, height] = sized(canvas)
  const { theme, points, news } = run
  pen.clearRect(0, 0, width, height)
  pen.font = `11px ${theme.font}`
  const batches = run.meta?.batches ?? 1
  const known = points.filter((point) => Number.isFinite(valueOf(point, name)))
  const others = run.others.filter((point) => point.split === "valid" && Number.isFinite(valueOf(point, name)))
  if (!known.length) {
    pen.fillStyle = theme.text
    pen.fillText("No values yet", PAD.left, height / 2)
    return
  }
  const last = known.concat(others).reduce((most, point) => Math.max(most, point.step), 1)
  const sorted = known.map((point) => valueOf(point, name)).sort((a, b) => a - b)
  // The first steps are far off: what comes after the first tenth sets the range.
  const late = known.concat(others).filter((point) => point.step >= last / 10).map((point) => valueOf(point, name))
  let low = late.reduce((least, value) => Math.min(least, value), sorted[Math.floor(sorted.length / 10)])
  let high = late.reduce((most, value) => Math.max(most, value), low + 1e-6)
  const margin = 0.06 * (high - low) || 1
  low -= margin
  high += margin
  /** @param {number} step */
  const x = (step) => PAD.left + (step / last) * (width - PAD.left - PAD.right)
  /** @param {number} value */
  const y = (value) => PAD.top + (1 - (value - low) / (high - low)) * (height - PAD.top - PAD.bottom)
  pen.strokeStyle = theme.edge
  pen.fillStyle = theme.text
  pen.textAlign = "right"
  for (const value of ticks(low, high, 4)) {
    pen.beginPath()
    pen.moveTo(PAD.left, y(value))
    pen.lineTo(width - PAD.right, y(value))
    pen.stroke()
    pen.fillText(label(value), PAD.left - 5, y(value) + 4)
  }
  pen.textAlign = "center"
  for (const epoch of ticks(0, last / batches, 4)) pen.fillText(label(epoch), x(epoch * batches), height - 5)
  pen.save()
  pen.beginPath()
  pen.rect(PAD.left, 0, width, height - PAD.bottom)
  pen.clip()
  for (const turn of news?.turns ?? []) {
    pen.strokeStyle = theme.text
    pen.setLineDash([2, 3])
    pen.beginPath()
    pen.moveTo(x(turn.step), 0)
    pen.lineTo(x(turn.step), height)
    pen.stroke()
    pen.setLineDash([])
    if (name === "bound") {
      pen.textAlign = x(turn.step) > width / 2 ? "right" : "left"
      pen.fillText(` ${turn.words} `, x(turn.step), 12)
    }
  }
  pen.strokeStyle = theme.edge
  pen.lineWidth = 3
  pen.beginPath()
  for (const point of others) pen.lineTo(x(point.step), y(valueOf(point, name)))
  pen.stroke()
  for (const split of ["train", "valid"]) {
    pen.strokeStyle = split === "train" ? theme.accent : theme.text
    pen.lineWidth = split === "train" ? 1.5 : 2
    pen.setLineDash(split === "train" ? [] : [5, 3])
    pen.beginPath()
    for (const point of known) if (point.split === split) pen.lineTo(x(point.step), y(valueOf(point, name)))
    pen.stroke()
    pen.setLineDash([])
  }
  if (at !== null) {
    pen.strokeStyle = theme.accent
    pen.lineWidth = 1
    pen.beginPath()
    pen.moveTo(x(at), 0)
    pen.lineTo(x(at), height)
    pen.stroke()
  }
  pen.restore()
  const latest = known.filter((point) => point.split === "valid").pop() ?? known[known.length - 1]
  canvas.setAttribute("aria-label", `${name}, ${latest.split}: ${label(valueOf(latest, name))} nats after ${label(latest.step / batches)} epochs`)
}

/** @param {LiveRun} run @param {HTMLCanvasElement} canvas @param {import("../types").RunFrame} frame */
export function drawUnits(run, canvas, frame) {
  const [pen, width, height] = sized(canvas, 120)
  const { theme } = run
  const values = frame.activity
  const [low, high] = [-4, Math.max(0.5, Math.log10(Math.max(...values, 1e-4)))]
  pen.clearRect(0, 0, width, height)
  /** @param {number} value */
  const y = (value) => 6 + (1 - (Math.max(low, value) - low) / (high - low)) * (height - 12)
  const step = Math.min(28, width / values.length)
  values.forEach((value, unit) => {
    const top = y(Math.log10(Math.max(value, 1e-9)))
    pen.fillStyle = value > ALIVE ? theme.accent : theme.edge
    pen.fillRect(unit * step + Math.min(1, step / 5), top, Math.max(1, step - 2), height - 6 - top)
  })
  pen.strokeStyle = theme.text
  pen.setLineDash([4, 3])
  pen.beginPath()
  pen.moveTo(0, y(Math.log10(ALIVE)))
  pen.lineTo(width, y(Math.log10(ALIVE)))
  pen.stroke()
  pen.setLineDash([])
  canvas.setAttribute("aria-label", `${values.filter((value) => value > ALIVE).length} of ${values.length} units are active`)
}

/** Round numbers between two ends. @param {number} low @param {number} high @param {number} most */
function ticks(low, high, most) {
  const raw = (high - low) / most
  if (!(raw > 0)) return []
  const power = 10 ** Math.floor(Math.log10(raw))
  const step = [1, 2, 5, 10].map((k) => k * power).find((value) => value >= raw) ?? raw
  const found = []
  for (let value = Math.ceil(low / step) * step; value <= high + 1e-9 * step; value += step) found.push(Math.abs(value) < step / 1e6 ? 0 : value)
  return found
}

/** @param {number} value */
const label = (value) => Number(value.toPrecision(3)).toLocaleString("en-GB", { maximumFractionDigits: 2 }).replace("-", "−")
