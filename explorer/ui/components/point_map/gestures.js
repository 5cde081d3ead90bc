// Pointers, wheel, keys and buttons of a map.
import { part } from "../bridge.js"
import { coordinate, thinned } from "./notation.js"
import { choose, clear, fall, hover, leave, near, neighbour, REACH, rest, take, walk } from "./selection.js"
import { look, lookAway } from "./preview.js"
import { isReady, showAll, spanOnScreen, toData, zoom } from "./view.js"

/** @typedef {import("../types").PointMap} PointMap */
/** @typedef {import("../types").ReadyMap} ReadyMap */
/** @typedef {import("../types").Mode} Mode */
/** @typedef {import("../types").Point} Point */

const MOST_VERTICES = 60
const MOST_STATIONS = 24
const FINGER = 22
/** @type {[Mode, string][]} */
const MODES = [["move", "Move"], ["box", "Box"], ["lasso", "Lasso"], ["path", "Draw a path"]]
/** @type {Record<string, Point>} */
const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }

/**
 * Attach the handlers of a new map.
 *
 * @param {PointMap} map
 */
export function handle(map) {
  const { canvas, root } = map
  canvas.onwheel = (event) => {
    if (!isReady(map)) return
    event.preventDefault()
    lookAway(map)
    zoom(map, Math.exp(-event.deltaY * 0.0016), local(map, event))
  }
  canvas.onpointerdown = (event) => {
    if (event.button || !isReady(map)) return
    canvas.setPointerCapture(event.pointerId)
    lookAway(map)
    map.pointers.set(event.pointerId, local(map, event))
    if (map.pointers.size > 1) { letGo(map); return }
    const command = event.ctrlKey || event.metaKey
    const kind = event.shiftKey ? (command ? "lasso" : "box") : map.mode
    map.grip = { from: local(map, event), centre: [...map.centre], kind, moved: false, finger: event.pointerType === "touch" }
    map.trail = kind === "lasso" || kind === "path" ? [local(map, event)] : null
  }
  canvas.onpointermove = (event) => { if (isReady(map)) move(map, event) }
  canvas.onpointerup = (event) => { if (isReady(map)) drop(map, event) }
  canvas.onpointercancel = (event) => { map.pointers.delete(event.pointerId); letGo(map); map.paintSoon() }
  canvas.onpointerleave = () => { lookAway(map); if (!map.grip) leave(map) }
  canvas.ondblclick = (event) => { if (isReady(map) && !near(map, local(map, event))) clear(map) }
  canvas.onkeydown = (event) => { if (isReady(map)) press(map, event) }
  canvas.onblur = () => { lookAway(map); leave(map) }
  /** @param {string} selector @param {() => void} act */
  const button = (selector, act) => { part(root, selector, HTMLElement).onclick = () => { if (isReady(map)) act() } }
  button(".closer", () => zoom(map, 1.5))
  button(".farther", () => zoom(map, 1 / 1.5))
  button(".whole", () => showAll(map))
}

/**
 * Render the buttons that choose what a drag does.
 *
 * @param {PointMap} map
 */
export function showModes(map) {
  const bar = part(map.root, ".modes", HTMLElement)
  bar.replaceChildren(...MODES.map(([mode, words]) => {
    const button = document.createElement("button")
    button.type = "button"
    button.textContent = words
    button.setAttribute("aria-pressed", String(map.mode === mode))
    button.onclick = () => { map.mode = mode; showModes(map) }
    return button
  }))
  map.canvas.classList.toggle("move", map.mode === "move")
}

/** @param {PointMap} map @param {MouseEvent} event @returns {Point} */
function local(map, event) {
  const box = map.canvas.getBoundingClientRect()
  return [event.clientX - box.left, event.clientY - box.top]
}

/** @param {PointMap} map */
function letGo(map) {
  map.grip = map.trail = null
  map.box.hidden = true
}

/** @param {ReadyMap} map @param {PointerEvent} event */
function move(map, event) {
  const at = local(map, event)
  if (map.pointers.size === 2 && map.pointers.has(event.pointerId)) { pinch(map, event.pointerId, at); return }
  const { grip } = map
  if (!grip) { if (!map.pointers.size) { hover(map, at); look(map, at, event.timeStamp) } return }
  const by = [at[0] - grip.from[0], at[1] - grip.from[1]]
  if (Math.hypot(...by) > (grip.finger ? 8 : 4)) grip.moved = true
  if (!grip.moved) return
  leave(map)
  if (grip.kind === "box") {
    const { style } = map.box
    map.box.hidden = false
    style.left = `${Math.min(at[0], grip.from[0])}px`
    style.top = `${Math.min(at[1], grip.from[1])}px`
    style.width = `${Math.abs(by[0])}px`
    style.height = `${Math.abs(by[1])}px`
  } else if (map.trail) map.trail.push(at)
  else {
    const size = spanOnScreen(map)
    map.centre = [grip.centre[0] - by[0] / size, grip.centre[1] + by[1] / size]
  }
  map.paintSoon()
}

/** @param {ReadyMap} map @param {number} pointer @param {Point} at */
function pinch(map, pointer, at) {
  /** @returns {{spread: number, middle: Point}} */
  const measure = () => {
    const [a, b] = [...map.pointers.values()]
    return { spread: Math.hypot(a[0] - b[0], a[1] - b[1]), middle: [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2] }
  }
  const before = measure()
  map.pointers.set(pointer, at)
  const now = measure()
  const size = spanOnScreen(map)
  map.centre = [
    map.centre[0] - (now.middle[0] - before.middle[0]) / size,
    map.centre[1] + (now.middle[1] - before.middle[1]) / size,
  ]
  zoom(map, now.spread / Math.max(before.spread, 1), now.middle)
}

/** @param {ReadyMap} map @param {PointerEvent} event */
function drop(map, event) {
  const { grip, trail } = map
  map.pointers.delete(event.pointerId)
  letGo(map)
  if (!grip) return
  const at = local(map, event)
  if (!grip.moved) tap(map, event, at, grip.finger)
  else if (grip.kind === "box") {
    const [a, b] = [toData(map, grip.from), toData(map, at)]
    const corners = [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[0], b[0]), Math.max(a[1], b[1])]
    choose(map, `box:${corners.map(coordinate).join(",")}`)
  } else if (trail) {
    const vertices = thinned(trail, grip.kind === "path" ? MOST_STATIONS : MOST_VERTICES).map((point) => toData(map, point).map(coordinate))
    if (grip.kind === "path" && vertices.length > 1) {
      map.mode = "move" // the next drag would replace the path
      showModes(map)
      walk(map, vertices.join(","))
    }
    else if (vertices.length > 2) choose(map, `lasso:${vertices.join(",")}`)
    else map.paintSoon()
  }
}

/** @param {ReadyMap} map @param {PointerEvent} event @param {Point} at @param {boolean} finger */
function tap(map, event, at, finger) {
  // Only data can be added or removed, so a star above a dot does not block it.
  const found = near(map, at, finger ? FINGER : REACH, event.shiftKey || event.altKey ? "data" : null)
  if (found) take(map, found, event.shiftKey ? "add" : event.altKey ? "cut" : "only")
  else if (!event.shiftKey && !event.altKey) fall(map, at)
  if (found && finger) rest(map, found, 0)
}

/** @param {ReadyMap} map @param {KeyboardEvent} event */
function press(map, event) {
  const step = 0.1 / map.zoom
  const way = WAYS[event.key]
  if (way && event.shiftKey) map.centre = [map.centre[0] + way[0] * step, map.centre[1] - way[1] * step]
  else if (way) neighbour(map, way)
  else if (event.key === "+" || event.key === "=") zoom(map, 1.25)
  else if (event.key === "-") zoom(map, 0.8)
  else if (event.key === "0") showAll(map)
  else if (event.key === "Escape") clear(map)
  else if (event.key === "Enter" || event.key === " ") {
    const found = map.hovered ?? near(map, [map.width / 2, map.height / 2], 60)
    if (found) take(map, found, event.shiftKey ? "add" : event.altKey ? "cut" : "only")
  } else return
  event.preventDefault()
  map.paintSoon()
}
