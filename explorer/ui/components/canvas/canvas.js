// A drawing pad: strokes are polylines in units of its sides, reported when finished. In ink they
// take the theme's colours; with a palette they keep their own, on white paper in either theme.
import { begin, mount, part, timer } from "../bridge.js"
import { crcOf, inks, penOf } from "../painting.js"

/** @typedef {import("../types").Pad} Pad */
/** @typedef {import("../types").Stroke} Stroke */

const SIDE = 280
const MOST_POINTS = 400
const MOST_STROKES = 120
const INK = "#000000"

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
    pad.widths = facts.widths
    pad.palette = facts.palette
    if (!facts.widths.includes(pad.width)) pad.width = facts.widths[0]
    if (!facts.palette.some(([colour]) => colour === pad.colour)) pad.colour = facts.palette[0]?.[0] ?? INK
    offer(pad)
    pad.root.style.setProperty("--shape", String(facts.shape))
    paint(pad)
  },
})

/** @param {HTMLElement} root */
function build(root) {
  const canvas = part(root, "canvas", HTMLCanvasElement)
  /** @type {Pad} */
  const pad = begin({ root, canvas, version: null, strokes: [], stroke: null, painted: 0, colour: INK, width: 0 })
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
    pad.stroke = { points: [at(event)], width: pad.width, colour: pad.colour }
    paint(pad)
  }
  canvas.onpointermove = (event) => {
    if (!pad.stroke || pad.stroke.points.length >= MOST_POINTS) return
    pad.stroke.points.push(at(event))
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

// The palette and the brushes, where there is a choice.
/** @param {Pad} pad */
function offer(pad) {
  const colours = part(pad.root, ".palette", HTMLElement)
  colours.hidden = !pad.palette.length
  colours.replaceChildren(...pad.palette.map(([colour, name]) => {
    const button = choice(name, colour === pad.colour, () => { pad.colour = colour })
    button.style.setProperty("--colour", colour)
    return button
  }))
  const brushes = part(pad.root, ".brushes", HTMLElement)
  brushes.hidden = pad.widths.length < 2
  brushes.replaceChildren(...pad.widths.map((width, index) => {
    const button = choice(`Brush ${index + 1} of ${pad.widths.length}`, width === pad.width, () => { pad.width = width })
    const dot = document.createElement("i")
    dot.style.setProperty("--size", `${Math.round(4 + 60 * width)}px`)
    button.append(dot)
    return button
  }))
}

/** @param {string} name @param {boolean} chosen @param {() => void} choose */
function choice(name, chosen, choose) {
  const button = document.createElement("button")
  button.type = "button"
  button.title = name
  button.setAttribute("aria-label", name)
  button.setAttribute("aria-pressed", String(chosen))
  button.onclick = () => {
    choose()
    for (const other of button.parentElement?.children ?? []) other.setAttribute("aria-pressed", String(other === button))
  }
  return button
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
  const coloured = pad.palette.length > 0
  pen.fillStyle = coloured ? "#ffffff" : pad.theme.paper
  pen.fillRect(0, 0, width, height)
  pen.lineCap = pen.lineJoin = "round"
  for (const { points, width: wide, colour } of pad.stroke ? [...pad.strokes, pad.stroke] : pad.strokes) {
    pen.strokeStyle = pen.fillStyle = coloured ? colour : pad.theme.ink
    pen.lineWidth = wide * width
    pen.beginPath()
    if (points.length === 1) {
      pen.arc(points[0][0] * width, points[0][1] * height, pen.lineWidth / 2, 0, 6.2832)
      pen.fill()
      continue
    }
    points.forEach(([x, y], k) => (k ? pen.lineTo(x * width, y * height) : pen.moveTo(x * width, y * height)))
    pen.stroke()
  }
  pad.painted += 1
  Object.assign(pad.canvas.dataset, { painted: pad.painted, strokes: pad.strokes.length })
  pad.digestion.set()
}
