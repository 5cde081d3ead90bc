// A small map beside a wall: its samples are diamonds that move with the scale, over the codes of data.
import { part } from "../bridge.js"
import { crcOf, penOf, unpack } from "../painting.js"
import { fetched } from "../point_map/fetched.js"
import { placesOf } from "../point_map/points.js"
import { KINDS, kindOf, percentilesOf, toneOf } from "./novelty.js"
import { place, sizeOf } from "./places.js"

/** @typedef {import("../types").Filmstrip} Filmstrip */
/** @typedef {import("../types").FilmstripPanel} FilmstripPanel */
/** @typedef {import("../types").Places} Places */
/** @typedef {import("../types").SampleView} SampleView */
/** @typedef {{hover: (tile: number | null) => void, choose: (tile: number | null) => void}} Acts */

const REACH = 14
const PAD = 12
/** A sample farther out than this many extents of the data is drawn at the edge. */
const MOST_EXTENT = 2
const THUMB = 64

/** What is rare is drawn on top. @type {import("./novelty.js").Kind[]} */
const ORDER = ["new", "copy", "far"]

const MARKUP = '<div class="map"><div class="plane"><canvas role="img"></canvas></div><p class="where"></p></div>'

/**
 * Add a map to a panel, with its handlers.
 *
 * @param {Filmstrip} strip
 * @param {Element} element The panel.
 * @param {number} index
 * @param {Acts} acts
 */
function addMap(strip, element, index, { hover, choose }) {
  element.insertAdjacentHTML("beforeend", MARKUP)
  const canvas = part(element, ".map canvas", HTMLCanvasElement)
  /** @param {PointerEvent} event */
  const at = (event) => {
    const box = canvas.getBoundingClientRect()
    return nearest(strip, strip.facts.panels[index], event.clientX - box.left, event.clientY - box.top)
  }
  canvas.onpointermove = (event) => {
    const tile = at(event)
    strip.onMap = tile !== null
    canvas.classList.toggle("over", tile !== null)
    hover(tile)
  }
  canvas.onpointerleave = () => { strip.onMap = false; hover(null) }
  canvas.onpointerup = (event) => { const tile = at(event); if (tile !== null) choose(tile) }
}

/**
 * Show a panel's map, if it has one.
 *
 * @param {Filmstrip} strip
 * @param {number} index Of the panel.
 * @param {Element} element
 * @param {Acts} acts
 */
export function showMap(strip, index, element, acts) {
  const panel = strip.facts.panels[index]
  element.classList.toggle("mapped", panel.map !== null)
  if (!panel.map) return
  if (!element.querySelector(".map")) addMap(strip, element, index, acts)
  panel.chart = part(element, ".map canvas", HTMLCanvasElement)
  panel.chart.setAttribute("aria-label", `The ${panel.tiles} samples on the latent map. ${panel.map.words}`)
  const where = part(element, ".where", HTMLElement)
  const words = { copy: "nearly a copy", new: "new", far: "far from data" }
  where.replaceChildren(...KINDS.map((kind) => {
    const item = document.createElement("span")
    item.className = kind
    item.style.setProperty("--tone", toneOf(strip.theme, kind))
    item.textContent = words[kind]
    return item
  }), `Grey: data. ${panel.map.words}`)
}

/** Views by the address of their positions: they outlive redraws. @type {Map<string, SampleView>} */
const views = new Map()

/**
 * Fetch what a panel's map shows, if it is in view.
 *
 * @param {FilmstripPanel} panel
 * @param {Element} element
 * @returns {Promise<"here" | "failed" | null>} Null if there was nothing to fetch.
 */
export async function loadMap(panel, element) {
  const { map, room } = panel
  if (!map || !room?.[0] || panel.view || panel.mapping) return null
  panel.mapping = true
  let view = views.get(map.positions)
  try {
    if (!view) {
      const [points, bytes] = await Promise.all([fetched(map.points), fetched(map.positions)])
      const { data } = placesOf(map.points, points).layers
      const xy = new Float32Array(unpack(bytes)[1].buffer)
      if (xy.length !== 2 * panel.frames * panel.tiles) throw new Error("other samples")
      view = viewOf(data ?? { xy: new Float32Array(0), n: 0 }, xy)
      if (views.size > 8) views.clear()
      views.set(map.positions, view)
    }
    panel.view = view
    return "here"
  } catch {
    element.classList.remove("mapped") // the samples are shown without it
    panel.map = null
    panel.chart = undefined
    return "failed"
  }
}

/**
 * The part of the plane that holds data and samples.
 *
 * @param {Places} data
 * @param {Float32Array} xy
 * @returns {SampleView}
 */
function viewOf(data, xy) {
  const low = [0, 0]
  const high = [0, 0]
  for (const axis of [0, 1]) {
    const [left, right] = rangeOf(data.xy, axis)
    const [first, last] = rangeOf(xy, axis)
    const most = (MOST_EXTENT - 1) * Math.max(right - left, 1e-6) / 2
    low[axis] = Math.max(Math.min(left, first), left - most)
    high[axis] = Math.min(Math.max(right, last), right + most)
  }
  return { data, xy, low, high }
}

/** @param {Float32Array} xy @param {number} axis @returns {[number, number]} */
function rangeOf(xy, axis) {
  let [low, high] = [Infinity, -Infinity]
  for (let k = axis; k < xy.length; k += 2) { low = Math.min(low, xy[k]); high = Math.max(high, xy[k]) }
  return low <= high ? [low, high] : [0, 1]
}

/**
 * Adopt the size of a panel's map, which is read once per layout: reading it again while text changes costs a layout each.
 *
 * @param {FilmstripPanel} panel
 */
export function fitMap(panel) {
  panel.room = panel.chart ? [panel.chart.clientWidth, panel.chart.clientHeight] : [0, 0]
}

/**
 * A point of the plane on the screen.
 *
 * @param {SampleView} view
 * @param {[number, number]} room
 * @param {number} x
 * @param {number} y
 * @returns {[number, number]}
 */
function toScreen({ low, high }, [width, height], x, y) {
  const size = Math.min((width - 2 * PAD) / Math.max(high[0] - low[0], 1e-6), (height - 2 * PAD) / Math.max(high[1] - low[1], 1e-6))
  /** @param {number} value @param {number} most */
  const kept = (value, most) => Math.max(6, Math.min(most - 6, value))
  return [
    kept(width / 2 + (x - (low[0] + high[0]) / 2) * size, width),
    kept(height / 2 - (y - (low[1] + high[1]) / 2) * size, height),
  ]
}

/** @param {FilmstripPanel} panel @param {number} frame @param {number} tile */
function spotOf(panel, frame, tile) {
  const { view, room } = panel
  if (!view || !room) return null
  const at = 2 * (Math.min(frame, panel.frames - 1) * panel.tiles + tile)
  return toScreen(view, room, view.xy[at], view.xy[at + 1])
}

/** @param {Filmstrip} strip @param {FilmstripPanel} panel @param {number} x @param {number} y */
function nearest(strip, panel, x, y) {
  let best = null
  let least = REACH
  for (let tile = 0; tile < panel.tiles; tile++) {
    const spot = spotOf(panel, strip.frame, tile)
    const away = spot ? Math.hypot(spot[0] - x, spot[1] - y) : Infinity
    if (away < least) { best = tile; least = away }
  }
  return best
}

/**
 * The dots of data, drawn once for a size and a theme.
 *
 * @param {Filmstrip} strip
 * @param {FilmstripPanel} panel
 * @param {SampleView} view
 * @param {HTMLCanvasElement} canvas
 * @param {[number, number]} room
 */
function ground(strip, panel, view, canvas, room) {
  const made = `${canvas.width} ${canvas.height} ${strip.theme.text}`
  if (panel.ground?.made === made) return panel.ground.picture
  const picture = new OffscreenCanvas(canvas.width, canvas.height)
  const pen = penOf(picture)
  pen.scale(canvas.width / room[0], canvas.height / room[1])
  pen.fillStyle = strip.theme.text
  pen.globalAlpha = view.data.n > 3000 ? 0.2 : 0.3
  for (let k = 0; k < view.data.n; k++) {
    const [x, y] = toScreen(view, room, view.data.xy[2 * k], view.data.xy[2 * k + 1])
    pen.fillRect(x - 0.9, y - 0.9, 1.8, 1.8)
  }
  panel.ground = { made, picture }
  return picture
}

/**
 * Paint the samples of a frame.
 *
 * @param {Filmstrip} strip
 * @param {FilmstripPanel} panel
 * @param {number} frame
 * @param {number | null} over The tile under the pointer.
 */
export function paintMap(strip, panel, frame, over) {
  const { view, chart: canvas, room } = panel
  if (!view || !canvas || !room?.[0]) return
  const ratio = window.devicePixelRatio || 1
  const [width, height] = [Math.round(room[0] * ratio), Math.round(room[1] * ratio)]
  if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height }
  const pen = penOf(canvas)
  pen.setTransform(1, 0, 0, 1, 0, 0)
  pen.clearRect(0, 0, width, height)
  pen.drawImage(ground(strip, panel, view, canvas, room), 0, 0)
  pen.setTransform(ratio, 0, 0, ratio, 0, 0)
  const far = percentilesOf(panel, frame)
  for (const kind of far ? ORDER : [null]) {
    for (let tile = 0; tile < panel.tiles; tile++) {
      if (far && kindOf(far[tile]) !== kind) continue
      diamond(strip, panel, pen, frame, tile, kind, 5)
    }
  }
  for (const [tile, radius] of /** @type {[number | null, number][]} */ ([[strip.tile, 9], [over, 11]])) {
    const spot = tile === null || tile >= panel.tiles ? null : spotOf(panel, frame, tile)
    if (!spot || tile === null) continue
    diamond(strip, panel, pen, frame, tile, far ? kindOf(far[tile]) : null, 6)
    ring(strip, pen, spot, radius)
  }
  if (over !== null && strip.onMap) thumb(strip, panel, pen, frame, over)
  canvas.dataset.over = over === null ? "" : String(over)
}

/**
 * Filled: nearly a copy. Pale: new. Hollow: far.
 *
 * @param {Filmstrip} strip
 * @param {FilmstripPanel} panel
 * @param {CanvasRenderingContext2D} pen
 * @param {number} frame
 * @param {number} tile
 * @param {import("./novelty.js").Kind | null} kind
 * @param {number} r
 */
function diamond(strip, panel, pen, frame, tile, kind, r) {
  const spot = spotOf(panel, frame, tile)
  if (!spot) return
  const [x, y] = spot
  pen.beginPath()
  pen.moveTo(x, y - r); pen.lineTo(x + r, y); pen.lineTo(x, y + r); pen.lineTo(x - r, y); pen.closePath()
  const tone = kind ? toneOf(strip.theme, kind) : strip.theme.text
  pen.lineWidth = 3.5
  pen.strokeStyle = strip.theme.ground
  pen.stroke()
  pen.fillStyle = kind === "far" ? strip.theme.ground : tone
  pen.globalAlpha = kind === "copy" ? 1 : kind === "far" ? 0.75 : 0.4
  pen.fill()
  pen.globalAlpha = 1
  pen.lineWidth = 1.7
  pen.strokeStyle = tone
  pen.stroke()
}

/** @param {Filmstrip} strip @param {CanvasRenderingContext2D} pen @param {[number, number]} spot @param {number} radius */
function ring(strip, pen, [x, y], radius) {
  pen.beginPath()
  pen.arc(x, y, radius, 0, 6.2832)
  pen.lineWidth = 4.5
  pen.strokeStyle = strip.theme.ground
  pen.stroke()
  pen.lineWidth = 2.2
  pen.strokeStyle = strip.theme.accent
  pen.stroke()
}

/**
 * Show a tile beside its diamond, as it is on the wall.
 *
 * @param {Filmstrip} strip
 * @param {FilmstripPanel} panel
 * @param {CanvasRenderingContext2D} pen
 * @param {number} frame
 * @param {number} tile
 */
function thumb(strip, panel, pen, frame, tile) {
  const spot = spotOf(panel, frame, tile)
  const { room, canvas, ratio } = panel
  if (!spot || !room) return
  const [across, down] = sizeOf(panel)
  const [x, y] = place(panel, tile)
  const wide = panel.kind === "pixels" ? THUMB : 2 * THUMB
  const high = (wide * down) / across
  const left = spot[0] + 16 + wide > room[0] ? spot[0] - 16 - wide : spot[0] + 16
  const top = Math.max(2, Math.min(room[1] - high - 2, spot[1] - high / 2))
  pen.imageSmoothingEnabled = panel.kind !== "pixels"
  pen.drawImage(canvas, x * ratio, y * ratio, across * ratio, down * ratio, left, top, wide, high)
  pen.lineWidth = 1
  pen.strokeStyle = strip.theme.edge
  pen.strokeRect(left - 0.5, top - 0.5, wide + 1, high + 1)
}

/**
 * Record what the map shows: a digest, and the place of every sample on the screen.
 *
 * @param {Filmstrip} strip
 * @param {FilmstripPanel} panel
 */
export function digestMap(strip, panel) {
  const { chart, room } = panel
  if (!panel.view || !chart || !room?.[0]) return
  const spots = [...Array(panel.tiles).keys()].map((tile) => (spotOf(panel, strip.frame, tile) ?? []).map(Math.round).join(","))
  Object.assign(chart.dataset, { spots: spots.join(" "), digest: crcOf(chart) ?? "" })
}
