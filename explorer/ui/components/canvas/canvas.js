// A pad to draw on: strokes as polylines in units of its sides; each finished one is reported.
const pads = new WeakMap()
const SIDE = 280
const MOST_POINTS = 400
const MOST_STROKES = 60

export default function (component) {
  const { parentElement, data } = component
  const root = parentElement.querySelector(".pad")
  if (!root || !data) return
  let pad = pads.get(root)
  if (!pad) {
    pad = build(root)
    pads.set(root, pad)
  }
  pad.send = component.setStateValue
  pad.theme = inks(root)
  if (data.turn !== pad.turn) { pad.strokes = data.strokes; pad.turn = data.turn }
  pad.shape = data.shape
  pad.width = data.width
  root.style.setProperty("--shape", String(data.shape))
  paint(pad)
}

function build(root) {
  const canvas = root.querySelector("canvas")
  const pad = { root, canvas, strokes: [], stroke: null, painted: 0 }
  const at = (event) => {
    const box = canvas.getBoundingClientRect()
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
  canvas.onkeydown = (event) => {
    if (event.key === "z" && (event.ctrlKey || event.metaKey)) { pad.strokes = pad.strokes.slice(0, -1); tell(pad); event.preventDefault() }
  }
  root.querySelector(".undo").onclick = () => { pad.strokes = pad.strokes.slice(0, -1); tell(pad) }
  root.querySelector(".clear").onclick = () => { pad.strokes = []; tell(pad) }
  return pad
}

function tell(pad) {
  paint(pad)
  pad.send("strokes", pad.strokes)
}

function paint(pad) {
  const ratio = window.devicePixelRatio || 1
  const [width, height] = [SIDE * ratio, (SIDE * ratio) / pad.shape]
  pad.canvas.width = Math.round(width)
  pad.canvas.height = Math.round(height)
  const pen = pad.canvas.getContext("2d", { willReadFrequently: true })
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
  clearTimeout(pad.timer)
  pad.timer = setTimeout(() => { const crc = crcOf(pad.canvas); if (crc) pad.canvas.dataset.digest = crc }, 120)
}
