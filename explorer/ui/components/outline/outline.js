// A curve that can be grabbed: while a point is dragged, the nearest design of the model that passes
// there is fetched, always for the latest position; the release settles it and is reported.
import { address, begin, mount, observeSize, part, timer } from "../bridge.js"
import { codeItem, keepAll, keepByKey, leave, reach } from "../outbox_client.js"
import { bodyOf, crcOf, inks, penOf, unpack } from "../painting.js"
import { drawOutline } from "./drawing.js"
import { frameOf, handleNear, heightAt, KINDS, positionOf, rangeOf, stationsOf } from "./handles.js"

/** @typedef {import("../types").Outline} Outline */
/** @typedef {import("../types").Grip} Grip */

const STEP = 0.1
const MOST_UNDO = 50
/** How near a finger has to come, in CSS pixels. */
const FINGER = 36

export default mount({
  selector: ".outline",
  build,
  listen(board, signal) {
    board.signal = signal
    board.digestion = timer(signal, 120, () => { const crc = crcOf(board.canvas); if (crc) board.canvas.dataset.digest = crc })
    board.settling = timer(signal, 500, () => release(board))
    observeSize(signal, board.root, () => layout(board))
    keepByKey(board.keeper, signal)
  },
  update(board, /** @type {Uint8Array} */ bytes, { setStateValue }) {
    board.send = setStateValue
    board.theme = inks(board.root)
    read(board, bytes)
    layout(board)
  },
})

/** @param {HTMLElement} root */
function build(root) {
  /** @type {Outline} */
  const board = begin({
    root, version: null, canvas: part(root, "canvas", HTMLCanvasElement), text: part(root, ".said", HTMLElement),
    list: part(root, ".facts", HTMLElement), undo: part(root, ".undo", HTMLButtonElement), reset: part(root, ".reset", HTMLButtonElement),
    past: [], grip: null, near: null, wanted: null, busy: false, painted: 0, chosen: null, sent: "",
  })
  const { canvas } = board
  board.keeper = { root, keep: () => keep(board) }
  root.onpointermove = () => reach(board.keeper)
  root.onpointerleave = () => leave(board.keeper)
  board.undo.onclick = () => back(board)
  board.reset.onclick = () => { if (board.past.length) { board.past.length = 1; back(board) } }
  part(root, ".keep", HTMLElement).onclick = () => keep(board)
  canvas.onpointerdown = (event) => {
    const near = event.button || board.grip ? null : handleNear(board, at(board, event), event.pointerType === "mouse" ? 22 : FINGER)
    if (!near) return
    event.preventDefault()
    canvas.focus({ preventScroll: true })
    canvas.setPointerCapture(event.pointerId)
    grasp(board, near, at(board, event)[1])
  }
  canvas.onpointermove = (event) => {
    if (board.grip) { drag(board, at(board, event)[1]); return }
    board.near = handleNear(board, at(board, event), 22)
    canvas.classList.toggle("near", Boolean(board.near))
    if (board.near) board.chosen = board.near
    say(board)
    paint(board)
  }
  canvas.onpointerup = () => release(board)
  canvas.onpointercancel = () => release(board)
  canvas.onpointerleave = () => { if (!board.grip) { board.near = null; paint(board) } }
  // A finger on a handle drags it; elsewhere it scrolls the page.
  canvas.addEventListener("touchstart", (event) => {
    const box = canvas.getBoundingClientRect()
    const [touch] = event.touches
    if (handleNear(board, [touch.clientX - box.left, touch.clientY - box.top], FINGER)) event.preventDefault()
  }, { passive: false })
  canvas.onkeydown = (event) => onKey(board, event)
  return board
}

/** @param {Outline} board @param {Uint8Array} bytes */
function read(board, bytes) {
  const [header, body] = unpack(bytes)
  const facts = /** @type {import("../types").OutlineFacts} */ (header)
  facts.panel.body = bodyOf(facts.panel, body)
  const version = `${facts.version} ${facts.hash}`
  const first = version !== board.version
  board.facts = facts
  if (first) {
    board.version = version
    board.grip = null
    board.past = []
    board.sent = facts.code
    board.origin = board.now = { z: facts.code, exact: facts.exact, panel: facts.panel, values: facts.values, short: [], gap: 0, lacks: facts.lacks }
  } else if (facts.code === board.now.z) board.now = { ...board.now, panel: facts.panel, values: facts.values }
  board.canvas.setAttribute("aria-label", `${facts.name}: left and right choose a point, up and down move it`)
  tell(board)
}

/** @param {Outline} board @param {PointerEvent} event @returns {[number, number]} */
function at(board, event) {
  const box = board.canvas.getBoundingClientRect()
  return [event.clientX - box.left, event.clientY - box.top]
}

/** @param {Outline} board @param {import("../types").OutlineHandle} handle @param {number} y */
function grasp(board, handle, y) {
  const value = heightAt(board.now.panel, handle, board.facts.section)
  board.chosen = handle
  board.grip = { handle, from: board.now, value, y, target: value, moved: false }
  board.canvas.classList.add("held")
  paint(board)
}

/** @param {Outline} board @param {number} y */
function drag(board, y) {
  const { grip } = board
  if (!grip) return
  const by = (grip.y - y) / frameOf(board).scale
  // The thickness grows on both sides of the mean line.
  const target = grip.value + (grip.handle.kind === "thickness" ? 2 * by : by)
  if (!grip.moved && Math.abs(by * frameOf(board).scale) < 2) return
  grip.moved = true
  grip.target = target
  ask(board, false)
  paint(board)
}

/** @param {Outline} board */
function release(board) {
  const { grip } = board
  if (!grip || grip.released) return
  board.settling.stop()
  board.canvas.classList.remove("held")
  if (!grip.moved) { board.grip = null; paint(board); return }
  grip.released = true
  ask(board, true)
}

/** @param {Outline} board @param {boolean} settle */
function ask(board, settle) {
  const { grip } = board
  if (!grip) return
  board.wanted = { grip, target: grip.target, settle }
  if (!board.busy) fetchLatest(board)
}

/** @param {Outline} board */
async function fetchLatest(board) {
  board.busy = true
  while (board.wanted) {
    const { grip, target, settle } = board.wanted
    board.wanted = null
    const { handle } = grip
    const query = new URLSearchParams({ z: grip.from.z, from: board.now.z, kind: handle.kind, at: String(handle.station), to: target.toFixed(5) })
    if (settle) query.set("settle", "1")
    try {
      const answer = await fetch(address(`${board.facts.address}&${query}`))
      if (!answer.ok) throw new Error(String(answer.status))
      const [found, body] = unpack(new Uint8Array(await answer.arrayBuffer()))
      const header = /** @type {import("../types").GrabAnswer} */ (found)
      if (board.signal.aborted) break
      if (board.grip !== grip) continue
      header.body = bodyOf(header, body)
      board.now = { z: header.z, exact: header.exact, panel: header, values: header.values, short: header.short, gap: header.gap, lacks: header.lacks }
      if (settle) settled(board, grip)
      paint(board)
      tell(board)
    } catch {
      if (board.signal.aborted) break
      board.text.textContent = "The server did not answer; drag again."
      if (settle && board.grip === grip) board.grip = null
    }
  }
  board.busy = false
  paint(board)
}

/** @param {Outline} board @param {Grip} grip */
function settled(board, grip) {
  board.grip = null
  if (board.now.z === grip.from.z) return
  board.past.push(grip.from)
  if (board.past.length > MOST_UNDO) board.past.splice(1, 1)
  report(board)
}

/** Take what is shown as it is, so that another handle can be grasped. @param {Outline} board */
function conclude(board) {
  board.settling.stop()
  board.wanted = null
  if (board.grip?.moved) settled(board, board.grip)
  board.grip = null
}

/** @param {Outline} board */
function back(board) {
  const before = board.grip?.moved ? board.grip.from : board.past.pop()
  if (!before) return
  board.grip = null
  board.settling.stop()
  board.now = before
  paint(board)
  tell(board)
  report(board)
}

/** @param {Outline} board */
function report(board) {
  if (board.sent === board.now.z) return
  board.sent = board.now.z
  board.send("code", board.now.z)
}

/** @param {Outline} board */
function keep(board) {
  const { model, hash } = board.facts
  keepAll([codeItem({ model, hash }, Uint8Array.from(atob(board.now.exact), (c) => c.charCodeAt(0)))])
}

/** @param {Outline} board @param {KeyboardEvent} event */
function onKey(board, event) {
  const { facts } = board
  if (event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); back(board); return }
  const count = facts.section ? stationsOf(facts.panel) : facts.panel.x.length
  board.chosen ??= { kind: facts.section ? "upper" : "height", station: Math.round(count / 3) }
  const { kind, station } = board.chosen
  const across = new Map([["ArrowLeft", -1], ["ArrowRight", 1]]).get(event.key)
  const up = new Map([["ArrowDown", -1], ["ArrowUp", 1]]).get(event.key)
  const key = event.key.toLowerCase()
  if (across || KINDS.has(key)) conclude(board)
  if (across) board.chosen = { kind, station: Math.max(0, Math.min(count - 1, station + across)) }
  else if (up) {
    if (board.grip?.released) conclude(board)
    if (!board.grip) grasp(board, board.chosen, 0)
    if (board.grip) { board.grip.moved = true; board.grip.target += up * (facts.section ? STEP : (facts.panel.high - facts.panel.low) / 200) }
    ask(board, false)
    board.settling.set()
  } else if (facts.section && KINDS.has(key)) board.chosen = { kind: KINDS.get(key) ?? kind, station }
  else return
  event.preventDefault()
  board.near = board.chosen
  say(board)
  paint(board)
}

/** @param {Outline} board */
function layout(board) {
  const width = board.root.clientWidth
  if (!width) return
  const { panel, section } = board.facts
  const span = Math.max(...panel.x) - Math.min(...panel.x)
  // A section is drawn true to scale; other curves fill the room.
  const [low, high] = rangeOf(board)
  const height = section ? Math.max(120, Math.min(460, (width * (high - low)) / span)) : Math.min(360, Math.max(180, width / 2.5))
  const ratio = window.devicePixelRatio || 1
  board.size = [width, Math.round(height)]
  board.ratio = ratio
  board.canvas.style.height = `${board.size[1]}px`
  board.canvas.width = Math.round(width * ratio)
  board.canvas.height = Math.round(board.size[1] * ratio)
  paint(board)
}

/** @param {Outline} board */
function paint(board) {
  if (!board.size || !board.now) return
  const pen = penOf(board.canvas)
  pen.setTransform(board.ratio, 0, 0, board.ratio, 0, 0)
  drawOutline(board, pen)
  board.painted += 1
  const { grip, now, canvas } = board
  Object.assign(canvas.dataset, {
    painted: board.painted, code: now.z, held: grip ? grip.handle.kind : "", gap: now.gap.toFixed(4), past: board.past.length, busy: String(board.busy || Boolean(grip)),
  })
  board.undo.disabled = board.reset.disabled = !board.past.length
  board.digestion.set()
}

/** @param {Outline} board */
function say(board) {
  const { facts, now, grip } = board
  const handle = grip?.handle ?? board.chosen
  const parts = []
  if (handle) parts.push(positionOf(board, handle))
  else parts.push(facts.section ? "Drag a point of the outline, the thickness (diamond) or the camber (circle)" : "Drag a point of the curve")
  if (grip?.moved) parts.push(`${now.gap.toFixed(2)} ${facts.unit} from the finger`)
  if (now.short.length) parts.push(`held by ${now.short.join(" and ")}`)
  if (facts.scored) parts.push(`log p(z) ${now.panel.density[0][0].toFixed(1)} nats`)
  if (now.lacks.length) parts.push(now.lacks[0].startsWith("invalid") ? now.lacks[0] : `no longer sound: ${now.lacks.join(", ")}`)
  board.text.textContent = parts.join(" · ").replaceAll(" -", " −")
  board.canvas.setAttribute("aria-valuetext", board.text.textContent)
}

/** @param {Outline} board */
function tell(board) {
  say(board)
  const { facts, now, origin } = board
  while (board.list.children.length > facts.properties.length) board.list.lastElementChild?.remove()
  facts.properties.forEach((property, index) => {
    const element = board.list.children[index] ?? board.list.appendChild(row())
    const [label, value, change] = /** @type {HTMLElement[]} */ ([...element.children])
    const [before, after] = [origin.values[property.key], now.values[property.key]]
    const by = after === undefined || before === undefined ? 0 : after - before
    const shown = Math.abs(by) < 0.5 * 10 ** -property.digits ? "" : `${by > 0 ? "+" : "−"}${Math.abs(by).toFixed(property.digits)}`
    const better = property.better === "more" ? by > 0 : by < 0
    label.textContent = property.label
    value.textContent = after === undefined ? "–" : `${after.toFixed(property.digits)}${property.unit ? ` ${property.unit}` : ""}`.replace("-", "−")
    change.textContent = shown && property.better ? `${better ? "▲" : "▼"} ${shown}` : shown
    change.className = `change ${shown && property.better ? (better ? "better" : "worse") : ""}`
    change.title = shown && property.better ? (better ? "better than before" : "worse than before") : ""
  })
  board.list.style.setProperty("--worse", board.theme.dark ? "#ff9d8a" : "#b3261e")
  board.list.style.setProperty("--better", board.theme.dark ? "#7fd6a4" : "#12693c")
}

function row() {
  const element = document.createElement("div")
  element.className = "fact"
  element.innerHTML = '<span></span><span class="now"></span><span class="change"></span>'
  return element
}
