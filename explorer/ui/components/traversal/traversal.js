// Dials for the units of a code. While one is dragged the picture is fetched, the latest wish
// first; its release is reported, and Python sends the rows that pass through the new code.
const boards = new WeakMap()
const GAP = 3

export default function (component) {
  const { parentElement, data } = component
  const root = parentElement.querySelector(".traversal")
  if (!root || !data) return
  let board = boards.get(root)
  if (!board) {
    board = build(root)
    boards.set(root, board)
  }
  board.send = component.setStateValue
  board.theme = inks(root)
  read(board, data)
  layout(board)
  const pressed = (event) => {
    const here = root.matches(":hover") || event.composedPath().includes(root)
    if (!here || typing(event) || event.key.toLowerCase() !== "k" || event.ctrlKey || event.metaKey) return
    event.preventDefault()
    pick(board)
  }
  window.addEventListener("keydown", pressed)
  return () => { board.observer.disconnect(); window.removeEventListener("keydown", pressed) }
}

// Keep the sample as the dials stand.
function pick(board) {
  const [, , , model, hash] = board.facts.address.split("?")[0].split("/")
  const z = btoa(String.fromCharCode(...new Uint8Array(code(board).buffer)))
  keepAll([{ model, hash, z, origin: `${hash}|code|${z}` }])
}

function build(root) {
  const board = {
    root, facts: null, values: new Map(), painted: 0, wanted: null, busy: false, list: root.querySelector(".rows"),
    picture: root.querySelector(".picture"), fact: root.querySelector(".fact"),
  }
  root.querySelector(".reset").onclick = () => {
    board.values.clear()
    for (const row of board.facts.rows) set(board, row, 0)
    ask(board)
    release(board)
  }
  root.querySelector(".keep").onclick = () => pick(board)
  board.observer = new ResizeObserver(() => layout(board))
  board.observer.observe(board.list)
  return board
}

function read(board, bytes) {
  const [facts, body] = unpack(bytes)
  const moved = !board.facts || facts.turn !== board.facts.turn || facts.address !== board.facts.address
  let at = 0
  for (const panel of [facts.strip, facts.live, facts.heat]) {
    if (!panel) continue
    panel.body = bodyOf(panel, body.slice(at, at + panel.bytes))
    at += panel.bytes
  }
  const numbers = new Float32Array(body.slice(at).buffer)
  const size = facts.latent
  facts.centre = numbers.subarray(0, size)
  facts.rows.forEach((row, k) => { row.direction = numbers.subarray((k + 1) * size, (k + 2) * size) })
  board.facts = facts
  if (moved) {
    board.values = new Map(Object.entries(facts.at).map(([key, value]) => [key, value]))
    board.live = facts.live
    board.sent = text(board)
  }
  while (board.list.children.length > facts.rows.length) board.list.lastChild.remove()
  while (board.list.children.length < facts.rows.length) board.list.append(shelf())
  facts.rows.forEach((row, k) => fit(board, row, board.list.children[k], k))
}

function shelf() {
  const element = document.createElement("div")
  element.className = "row"
  element.innerHTML = '<div class="name"><span></span><small></small></div><div class="dial"><input type="range"><output></output></div><div class="strip"><canvas></canvas></div>'
  return element
}

function fit(board, row, element, k) {
  const { values } = board.facts
  row.element = element
  row.canvas = element.querySelector("canvas")
  element.querySelector(".name span").textContent = row.label
  element.querySelector(".name small").textContent = row.note
  const input = element.querySelector("input")
  input.min = values[0]
  input.max = values[values.length - 1]
  input.step = 0.1
  input.setAttribute("aria-label", row.label)
  input.oninput = () => { set(board, row, Number(input.value)); ask(board) }
  input.onchange = () => release(board)
  input.ondblclick = () => { set(board, row, 0); ask(board); release(board) }
  row.canvas.setAttribute("aria-label", `${row.label} from ${values[0]} to ${values[values.length - 1]}`)
  let down = false
  const scrub = (event) => {
    const tile = tileAt(board, row, event)
    if (tile !== null) { set(board, row, values[tile]); ask(board) }
  }
  row.canvas.onpointerdown = (event) => { if (!event.button) { down = true; row.canvas.setPointerCapture(event.pointerId); scrub(event) } }
  row.canvas.onpointermove = (event) => { if (down) scrub(event) }
  row.canvas.onpointerup = () => { if (down) { down = false; release(board) } }
  row.canvas.onpointercancel = () => { down = false }
  set(board, row, board.values.get(row.key) ?? 0)
  row.number = k
}

function set(board, row, value) {
  if (value) board.values.set(row.key, value)
  else board.values.delete(row.key)
  row.element.querySelector("input").value = value
  row.element.querySelector("output").textContent = value.toFixed(1).replace("-", "−")
  if (row.tile) paintRow(board, row)
}

function text(board) {
  return [...board.values].filter(([, value]) => value).map(([key, value]) => `${key}:${Number(value.toFixed(2))}`).join(",")
}

function release(board) {
  const now = text(board)
  if (now === board.sent) return
  board.sent = now
  board.send("at", now)
}

function code(board) {
  const z = Float32Array.from(board.facts.centre)
  for (const row of board.facts.rows) {
    const value = board.values.get(row.key) ?? 0
    if (value) row.direction.forEach((step, unit) => { z[unit] += value * step })
  }
  return z
}

function ask(board) {
  board.wanted = code(board)
  if (!board.busy) fetchLatest(board)
}

async function fetchLatest(board) {
  board.busy = true
  while (board.wanted) {
    const z = board.wanted
    board.wanted = null
    try {
      const answer = await fetch(`${board.facts.address}?z=${encodeURIComponent(half(z))}`)
      if (!answer.ok) throw new Error(answer.status)
      const [panel, body] = unpack(new Uint8Array(await answer.arrayBuffer()))
      panel.body = bodyOf(panel, body)
      board.live = panel
      paintLive(board)
    } catch { board.fact.textContent = "The picture could not be fetched." }
  }
  board.busy = false
}

// Half precision, as it stands in a link.
function half(z) {
  const bytes = new Uint8Array(2 * z.length)
  const view = new DataView(bytes.buffer)
  const single = new DataView(new ArrayBuffer(4))
  z.forEach((value, k) => {
    single.setFloat32(0, value)
    const bits = single.getUint32(0)
    const sign = (bits >>> 16) & 0x8000
    let exponent = ((bits >>> 23) & 255) - 112
    let mantissa = bits & 0x7fffff
    let out
    if (exponent >= 31) out = sign | 0x7bff
    else if (exponent <= 0) {
      if (exponent < -10) out = sign
      else {
        mantissa |= 0x800000
        const shift = 14 - exponent
        out = sign | ((mantissa + (1 << (shift - 1))) >> shift)
      }
    } else out = (sign | (exponent << 10) | (mantissa >> 13)) + ((mantissa >> 12) & 1)
    view.setUint16(2 * k, out, true)
  })
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")
}

function layout(board) {
  const { facts } = board
  if (!facts) return
  const ratio = window.devicePixelRatio || 1
  board.ratio = ratio
  const shape = shapeOf(facts.live)
  const width = board.picture.clientWidth
  if (!width) return
  board.size = [width, Math.round(width / shape)]
  board.picture.style.height = `${board.size[1]}px`
  board.picture.width = Math.round(width * ratio)
  board.picture.height = Math.round(board.size[1] * ratio)
  for (const row of facts.rows) {
    const room = row.canvas.parentElement.clientWidth
    const [least, most] = facts.live.kind === "pixels" ? [20, 56] : [62, 130]
    // Where there is little room every second, third or sixth frame is shown: the middle stays.
    let across = 0
    let tiles = 0
    for (const stride of [1, 2, 3, 6]) {
      row.frames = facts.values.map((_, frame) => frame).filter((frame) => frame % stride === 0)
      tiles = row.frames.length + (facts.heat ? 1 : 0)
      across = Math.min(most, Math.floor((room - GAP * (tiles - 1) - 8) / tiles))
      if (across >= least) break
    }
    row.tile = [Math.max(10, across), Math.max(12, Math.round(across / shape))]
    across = row.tile[0]
    const [w, h] = [tiles * (across + GAP) + 5, row.tile[1]]
    row.canvas.style.width = `${w}px`
    row.canvas.style.height = `${h}px`
    row.canvas.width = Math.round(w * ratio)
    row.canvas.height = Math.round(h * ratio)
    paintRow(board, row)
  }
  paintLive(board)
}

function paintRow(board, row) {
  const { facts, ratio, theme } = board
  const pen = row.canvas.getContext("2d", { willReadFrequently: true })
  pen.setTransform(ratio, 0, 0, ratio, 0, 0)
  pen.clearRect(0, 0, row.canvas.width, row.canvas.height)
  const [w, h] = row.tile
  const here = board.values.get(row.key) ?? 0
  const step = facts.values[row.frames[1]] - facts.values[row.frames[0]]
  row.frames.forEach((frame, place) => {
    const value = facts.values[frame]
    const x = place * (w + GAP)
    paintSample(theme, facts.strip, pen, frame * facts.rows.length + row.number, x, 0, w, h, w * ratio < facts.strip.width)
    if (Math.abs(value - here) < step / 2 + 1e-6) {
      pen.strokeStyle = theme.accent
      pen.lineWidth = 2
      pen.strokeRect(x + 1, 1, w - 2, h - 2)
    }
  })
  if (facts.heat) heat(board, row, pen, row.frames.length * (w + GAP) + 5, w, h)
}

// What moves most: from still (paper) to moving (the accent).
function heat(board, row, pen, x, w, h) {
  const { height, width } = board.facts.heat
  const area = width * height
  const [r, g, b] = rgb(board.theme.accent)
  const [pr, pg, pb] = rgb(board.theme.paper)
  const image = new ImageData(width, height)
  for (let i = 0; i < area; i++) {
    const share = board.facts.heat.body[row.number * area + i] / 255
    image.data.set([pr + (r - pr) * share, pg + (g - pg) * share, pb + (b - pb) * share, 255], 4 * i)
  }
  const native = new OffscreenCanvas(width, height)
  native.getContext("2d").putImageData(image, 0, 0)
  pen.imageSmoothingEnabled = false
  pen.drawImage(native, x, 0, w, h)
}

function rgb(colour) {
  const pen = new OffscreenCanvas(1, 1).getContext("2d")
  pen.fillStyle = colour
  pen.fillRect(0, 0, 1, 1)
  return pen.getImageData(0, 0, 1, 1).data
}

function paintLive(board) {
  if (!board.size || !board.live) return
  const pen = board.picture.getContext("2d", { willReadFrequently: true })
  pen.setTransform(board.ratio, 0, 0, board.ratio, 0, 0)
  pen.clearRect(0, 0, ...board.size)
  paintSample(board.theme, board.live, pen, 0, 0, 0, ...board.size, false)
  const density = board.live.density[0][0]
  board.fact.textContent = board.facts.scored ? `log p(z) ${density.toFixed(1)} nats`.replace("-", "−") : ""
  board.painted += 1
  Object.assign(board.picture.dataset, { painted: board.painted, at: text(board), rows: board.facts.rows.length })
  clearTimeout(board.timer)
  board.timer = setTimeout(() => { const crc = crcOf(board.picture); if (crc) board.picture.dataset.digest = crc }, 120)
}

function tileAt(board, row, event) {
  const box = row.canvas.getBoundingClientRect()
  const tile = Math.floor((event.clientX - box.left) / (row.tile[0] + GAP))
  return row.frames[tile] ?? null
}
