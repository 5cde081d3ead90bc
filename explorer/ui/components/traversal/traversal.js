// Sliders for the latent units. While one is dragged the image is fetched, always for the latest
// position; its release is reported, and Python sends the rows that pass through the new code.
import { address, begin, mount, observeSize, part, timer } from "../bridge.js"
import { float16Text } from "../float16.js"
import { codeItem, keepAll, keepByKey, leave, reach } from "../outbox_client.js"
import { bodyOf, crcOf, inks, paintSample, penOf, shapeOf, unpack } from "../painting.js"

/** @typedef {import("../types").Board} Board */
/** @typedef {import("../types").TraversalRow} Row */

const GAP = 3

export default mount({
  selector: ".traversal",
  build,
  listen(board, signal) {
    board.signal = signal
    board.digestion = timer(signal, 120, () => { const crc = crcOf(board.picture); if (crc) board.picture.dataset.digest = crc })
    observeSize(signal, board.list, () => layout(board))
    keepByKey(board.keeper, signal)
  },
  update(board, /** @type {Uint8Array} */ bytes, { setStateValue }) {
    board.send = setStateValue
    board.theme = inks(board.root)
    read(board, bytes)
    layout(board)
  },
})

// Keep the current sample.
/** @param {Board} board */
function pick(board) {
  const [, , , model, hash] = board.facts.address.split("?")[0].split("/")
  keepAll([codeItem({ model, hash }, new Uint8Array(code(board).buffer))])
}

/** @param {HTMLElement} root */
function build(root) {
  /** @type {Board} */
  const board = begin({
    root, version: null, values: new Map(), painted: 0, wanted: null, busy: false, list: part(root, ".rows", HTMLElement),
    picture: part(root, ".picture", HTMLCanvasElement), fact: part(root, ".fact", HTMLElement),
  })
  board.keeper = { root, keep: () => pick(board) }
  root.onpointermove = () => reach(board.keeper)
  root.onpointerleave = () => leave(board.keeper)
  part(root, ".reset", HTMLElement).onclick = () => {
    board.values.clear()
    for (const row of board.facts.rows) set(board, row, 0)
    ask(board)
    release(board)
  }
  part(root, ".keep", HTMLElement).onclick = () => pick(board)
  return board
}

/** @param {Board} board @param {Uint8Array} bytes */
function read(board, bytes) {
  const [header, body] = unpack(bytes)
  const facts = /** @type {import("../types").TraversalFacts} */ (header)
  const version = `${facts.version} ${facts.address}`
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
  if (version !== board.version) {
    board.version = version
    board.values = new Map(Object.entries(facts.at))
    board.live = facts.live
    board.sent = text(board)
  }
  while (board.list.children.length > facts.rows.length) board.list.lastElementChild?.remove()
  const elements = /** @type {HTMLElement[]} */ ([...board.list.children])
  facts.rows.forEach((row, k) => {
    if (!elements[k]) board.list.append((elements[k] = dial()))
    fit(board, row, elements[k], k)
  })
}

function dial() {
  const element = document.createElement("div")
  element.className = "row"
  element.innerHTML = '<div class="name"><span></span><small></small></div><div class="dial"><input type="range"><output></output></div><div class="strip"><canvas></canvas></div>'
  return element
}

/** @param {Board} board @param {Row} row @param {HTMLElement} element @param {number} k */
function fit(board, row, element, k) {
  const { values } = board.facts
  row.element = element
  row.canvas = part(element, "canvas", HTMLCanvasElement)
  part(element, ".name span", HTMLElement).textContent = row.label
  part(element, ".name small", HTMLElement).textContent = row.note
  const input = part(element, "input", HTMLInputElement)
  input.min = String(values[0])
  input.max = String(values[values.length - 1])
  input.step = "0.1"
  input.setAttribute("aria-label", row.label)
  input.oninput = () => { set(board, row, Number(input.value)); ask(board) }
  input.onchange = () => release(board)
  input.ondblclick = () => { set(board, row, 0); ask(board); release(board) }
  row.canvas.setAttribute("aria-label", `${row.label} from ${values[0]} to ${values[values.length - 1]}`)
  let down = false
  /** @param {PointerEvent} event */
  const scrub = (event) => {
    const tile = tileAt(row, event)
    if (tile !== null) { set(board, row, values[tile]); ask(board) }
  }
  row.canvas.onpointerdown = (event) => { if (!event.button) { down = true; row.canvas.setPointerCapture(event.pointerId); scrub(event) } }
  row.canvas.onpointermove = (event) => { if (down) scrub(event) }
  row.canvas.onpointerup = () => { if (down) { down = false; release(board) } }
  row.canvas.onpointercancel = () => { down = false }
  set(board, row, board.values.get(row.key) ?? 0)
  row.number = k
}

/** @param {Board} board @param {Row} row @param {number} value */
function set(board, row, value) {
  if (value) board.values.set(row.key, value)
  else board.values.delete(row.key)
  part(row.element, "input", HTMLInputElement).value = String(value)
  part(row.element, "output", HTMLElement).textContent = value.toFixed(1).replace("-", "−")
  if (row.tile) paintRow(board, row)
}

/** @param {Board} board */
function text(board) {
  return [...board.values].filter(([, value]) => value).map(([key, value]) => `${key}:${Number(value.toFixed(2))}`).join(",")
}

/** @param {Board} board */
function release(board) {
  const now = text(board)
  if (now === board.sent) return
  board.sent = now
  board.send("at", now)
}

/** @param {Board} board */
function code(board) {
  const z = Float32Array.from(board.facts.centre)
  for (const row of board.facts.rows) {
    const value = board.values.get(row.key) ?? 0
    if (value) row.direction.forEach((step, unit) => { z[unit] += value * step })
  }
  return z
}

/** @param {Board} board */
function ask(board) {
  board.wanted = code(board)
  if (!board.busy) fetchLatest(board)
}

/** @param {Board} board */
async function fetchLatest(board) {
  board.busy = true
  while (board.wanted) {
    const z = board.wanted
    board.wanted = null
    try {
      const answer = await fetch(address(`${board.facts.address}?z=${float16Text(z)}`))
      if (!answer.ok) throw new Error(String(answer.status))
      const [panel, body] = unpack(new Uint8Array(await answer.arrayBuffer()))
      if (board.signal.aborted) break
      panel.body = bodyOf(panel, body)
      board.live = panel
      paintLive(board)
    } catch { if (!board.signal.aborted) board.fact.textContent = "The image could not be loaded." }
  }
  board.busy = false
}

/** @param {Board} board */
function layout(board) {
  const { facts } = board
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
    const room = row.canvas.parentElement?.clientWidth ?? 0
    const [least, most] = facts.live.kind === "pixels" ? [24, 56] : [82, 130]
    // If space is short, every second, third or sixth frame is shown, always including the middle.
    let across = 0
    let tiles = 0
    for (const stride of [1, 2, 3, 6]) {
      row.frames = facts.values.map((_, frame) => frame).filter((frame) => frame % stride === 0)
      tiles = row.frames.length + (facts.heat ? 1 : 0)
      across = Math.min(most, Math.floor((room - GAP * (tiles - 1) - 8) / tiles))
      if (across >= least) break
    }
    row.tile = [Math.max(24, across), Math.max(24, Math.round(across / shape))]
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

/** @param {Board} board @param {Row} row */
function paintRow(board, row) {
  const { facts, ratio, theme } = board
  const pen = penOf(row.canvas)
  pen.setTransform(ratio, 0, 0, ratio, 0, 0)
  pen.clearRect(0, 0, row.canvas.width, row.canvas.height)
  const [w, h] = row.tile ?? [0, 0]
  const here = board.values.get(row.key) ?? 0
  const step = facts.values[row.frames[1]] - facts.values[row.frames[0]]
  row.frames.forEach((frame, place) => {
    const value = facts.values[frame]
    const x = place * (w + GAP)
    paintSample(theme, facts.strip, pen, frame * facts.rows.length + row.number, x, 0, w, h, facts.strip.kind === "pixels" && w * ratio < facts.strip.width)
    if (Math.abs(value - here) < step / 2 + 1e-6) {
      pen.strokeStyle = theme.accent
      pen.lineWidth = 2
      pen.strokeRect(x + 1, 1, w - 2, h - 2)
    }
  })
  if (facts.heat) heat(board, facts.heat, row, pen, row.frames.length * (w + GAP) + 5, w, h)
}

// What changes most: from still (background) to changing (accent colour).
/**
 * @param {Board} board
 * @param {NonNullable<import("../types").TraversalFacts["heat"]>} moved
 * @param {Row} row
 * @param {CanvasRenderingContext2D} pen
 * @param {number} x
 * @param {number} w
 * @param {number} h
 */
function heat(board, moved, row, pen, x, w, h) {
  const { height, width } = moved
  const area = width * height
  const [r, g, b] = rgb(board.theme.accent)
  const [pr, pg, pb] = rgb(board.theme.paper)
  const image = new ImageData(width, height)
  for (let i = 0; i < area; i++) {
    const share = moved.body[row.number * area + i] / 255
    image.data.set([pr + (r - pr) * share, pg + (g - pg) * share, pb + (b - pb) * share, 255], 4 * i)
  }
  const native = new OffscreenCanvas(width, height)
  penOf(native).putImageData(image, 0, 0)
  pen.imageSmoothingEnabled = false
  pen.drawImage(native, x, 0, w, h)
}

/** @param {string} colour */
function rgb(colour) {
  const pen = penOf(new OffscreenCanvas(1, 1))
  pen.fillStyle = colour
  pen.fillRect(0, 0, 1, 1)
  return pen.getImageData(0, 0, 1, 1).data
}

/** @param {Board} board */
function paintLive(board) {
  if (!board.size || !board.live) return
  const pen = penOf(board.picture)
  pen.setTransform(board.ratio, 0, 0, board.ratio, 0, 0)
  const [width, height] = board.size
  pen.clearRect(0, 0, width, height)
  paintSample(board.theme, board.live, pen, 0, 0, 0, width, height, false)
  const density = board.live.density[0][0]
  board.fact.textContent = board.facts.scored ? `log p(z) ${density.toFixed(1)} nats`.replace("-", "−") : ""
  board.painted += 1
  Object.assign(board.picture.dataset, { painted: board.painted, at: text(board), rows: board.facts.rows.length })
  board.digestion.set()
}

/** @param {Row} row @param {PointerEvent} event */
function tileAt(row, event) {
  const box = row.canvas.getBoundingClientRect()
  const tile = Math.floor((event.clientX - box.left) / ((row.tile?.[0] ?? 0) + GAP))
  return row.frames[tile] ?? null
}
