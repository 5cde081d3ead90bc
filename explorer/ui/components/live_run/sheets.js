// Pictures of a frame, side by side; and the plane of a model of two units.
import { paintSample, shapeOf } from "../painting.js"
import { sized } from "./charts.js"

/** @typedef {import("../types").LiveRun} LiveRun */
/** @typedef {import("../types").RunFrame} RunFrame */

export const SHEETS = /** @type {const} */ (["samples", "reconstructed", "pseudo", "plane"])

const GAP = 3

/**
 * @param {LiveRun} run
 * @param {HTMLCanvasElement} canvas
 * @param {typeof SHEETS[number]} name
 * @param {RunFrame} frame
 */
export function drawPictures(run, canvas, name, frame) {
  const panel = /** @type {import("../types").Panel} */ (frame.panels[name])
  const pairs = name === "reconstructed" && run.meta ? run.meta.panel : null
  const columns = name === "plane" ? Math.round(Math.sqrt(panel.tiles)) : pairs ? Math.min(10, panel.tiles) : Math.min(panel.tiles, shapeOf(panel) > 1.5 ? 2 : 8)
  const gap = name === "plane" ? 0 : GAP
  const rows = Math.ceil(panel.tiles / columns)
  const width = canvas.clientWidth
  const wide = (width - gap * (columns - 1)) / columns
  const tall = wide / shapeOf(panel)
  const sets = pairs ? 2 : 1
  const [pen] = sized(canvas, Math.round(rows * sets * (tall + gap) - gap))
  for (let k = 0; k < panel.tiles; k++) {
    const [x, row] = [(k % columns) * (wide + gap), Math.floor(k / columns)]
    // Pixels are shown as they are where they are large.
    const smooth = panel.kind !== "pixels" || wide < 3 * panel.width
    if (pairs && k < pairs.tiles) paintSample(run.theme, pairs, pen, k, x, row * sets * (tall + gap), wide, tall, smooth)
    paintSample(run.theme, panel, pen, k, x, (row * sets + sets - 1) * (tall + gap), wide, tall, smooth)
  }
  canvas.setAttribute("aria-label", `${panel.tiles} pictures after ${frame.epoch.toFixed(1)} epochs`)
}

/** @param {LiveRun} run @param {HTMLCanvasElement} canvas @param {RunFrame} frame */
export function drawCodes(run, canvas, frame) {
  const [pen, side] = sized(canvas, canvas.clientWidth)
  const { theme } = run
  pen.fillStyle = theme.paper
  pen.fillRect(0, 0, side, side)
  const density = frame.panels.density?.body
  if (density) {
    const cells = Math.round(Math.sqrt(density.length))
    const each = side / cells
    for (let k = 0; k < density.length; k++) {
      const level = density[k] % 4
      const [x, y] = [Math.round((k % cells) * each), Math.round(Math.floor(k / cells) * each)]
      const [right, low] = [Math.round(((k % cells) + 1) * each), Math.round((Math.floor(k / cells) + 1) * each)]
      if (level) {
        pen.globalAlpha = 0.1 * level
        pen.fillStyle = theme.accent
        pen.fillRect(x, y, right - x, low - y)
      }
      if (density[k] > 3) {
        pen.globalAlpha = 0.6
        pen.strokeStyle = theme.text
        pen.lineWidth = 0.75
        pen.beginPath()
        pen.moveTo(x, low)
        pen.lineTo(right, y)
        pen.stroke()
      }
    }
    pen.globalAlpha = 1
  }
  const { colours } = run.facts
  const bytes = /** @type {Uint8Array} */ (frame.panels.codes.body)
  const codes = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2)
  for (let k = 0; 2 * k < codes.length; k++) {
    const label = run.meta?.labels?.[k]
    pen.fillStyle = label === undefined ? theme.ink : colours[label % colours.length]
    pen.beginPath()
    pen.arc((codes[2 * k] / 65535) * side, (1 - codes[2 * k + 1] / 65535) * side, 2.2, 0, 2 * Math.PI)
    pen.fill()
  }
  canvas.setAttribute("aria-label", `${codes.length / 2} codes after ${frame.epoch.toFixed(1)} epochs`)
}
