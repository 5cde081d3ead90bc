// A drawing pad: strokes are polylines in units of its sides, reported when finished.
import { begin, mount, part, timer } from "../bridge.js"
import { crcOf, inks, penOf } from "../painting.js"

/** @typedef {import("../types").Pad} Pad */

const SIDE = 280
const MOST_POINTS = 400
const MOST_STROKES = 60

export default mount({
  selector: ".pad",
  build,
  listen(pad, signal) {
    pad.digestion = timer(signal, 120, () => { const crc = crcOf(pad.canvas); if (crc) pad.canvas.dataset.digest = crc })
  },
  update(pad, /** @type {import("../types").CanvasFacts} */ facts, { setStateValue }) {
    pad.send = setStateValue
    pad.theme = inks(pad.root)
    if (facts.version !== pad.version) { pad.strokes = facts.strokes; pad.version = facts.version }
    pad.shape = facts.shape
    pad.width = facts.width
    pad.root.style.setProperty("--shape", String(facts.shape))
    paint(pad)
  },
})

/** @param {HTMLElement} root */
function build(root) {
  const canvas = part(root, "canvas", HTMLCanvasElement)
  /** @type {Pad} */
  const pad = begin({ root, canvas, version: null, strokes: [], stroke: null, painted: 0 })
  /** @param {PointerEvent} event @returns {[number, number]} */
  const at = (event) => {
    const box = canvas.getBoundingClientRect()
    /** @param {number} value */
    const round = (value) => Math.round(1000 * Math.max(0, Math.min(1, value))) / 1000
    return [round((event.clientX - box.left) / box.width), round((event.clientY - box.top) / box.height)]
  }
  canvas.onpointerdown = (event) => {
    if (event.button || pad.strokes.length >= MOST_STROKES) return
    canvas.setPointerCapture(event.pointerId)
    pad.stroke = [at(event)]
    paint(pad)
  }
  canvas.onpointermove = (event) => {
    if (!pad.stroke || pad.stroke.length >= MOST_POINTS) return
    pad.stroke.push(at(event))
    paint(pad)
  }
  canvas.onpointerup = () => {
    if (!pad.stroke) return
    pad.strokes = [...pad.strokes, pad.stroke]
    pad.stroke = null
    tell(pad)
  }
  canvas.onpointercancel = () => { pad.stroke = null; paint(pad) }
  const undo = () => { pad.strokes = pad.strokes.slice(0, -1); tell(pad) }
  canvas.onkeydown = (event) => {
    if (event.key === "z" && (event.ctrlKey || event.metaKey)) { undo(); event.preventDefault() }
  }
  part(root, ".undo", HTMLElement).onclick = undo
  part(root, ".clear", HTMLElement).onclick = () => { pad.strokes = []; tell(pad) }
  return pad
}

/** @param {Pad} pad */
function tell(pad) {
  paint(pad)
  pad.send("strokes", pad.strokes)
}

/** @param {Pad} pad */
function paint(pad) {
  const ratio = window.devicePixelRatio || 1
  const [width, height] = [SIDE * ratio, (SIDE * ratio) / pad.shape]
  pad.canvas.width = Math.round(width)
  pad.canvas.height = Math.round(height)
  const pen = penOf(pad.canvas)
  pen.fillStyle = pad.theme.paper
  pen.fillRect(0, 0, width, height)
  pen.strokeStyle = pen.fillStyle = pad.theme.ink
  pen.lineWidth = pad.width * width
  pen.lineCap = pen.lineJoin = "round"
  for (const stroke of pad.stroke ? [...pad.strokes, pad.stroke] : pad.strokes) {
    pen.beginPath()
    if (stroke.length === 1) {
      pen.arc(stroke[0][0] * width, stroke[0][1] * height, pen.lineWidth / 2, 0, 6.2832)
      pen.fill()
      continue
    }
    stroke.forEach(([x, y], k) => (k ? pen.lineTo(x * width, y * height) : pen.moveTo(x * width, y * height)))
    pen.stroke()
  }
  pad.painted += 1
  Object.assign(pad.canvas.dataset, { painted: pad.painted, strokes: pad.strokes.length })
  pad.digestion.set()
}
