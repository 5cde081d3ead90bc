// The map: points are fetched once, colours are one byte per point. Zoom, hover and gestures stay in
// the browser; only a finished selection or path is reported.
import { address, beforeFrame, begin, mount, observeSize, part, timer } from "../bridge.js"
import { keepByKey } from "../outbox_client.js"
import { inks, unpack } from "../painting.js"
import { digest, paint, resize } from "./canvas2d.js"
import { showCard } from "./card.js"
import { fetched } from "./fetched.js"
import { handle, showModes } from "./gestures.js"
import { showLegend } from "./legend.js"
import { placesOf } from "./points.js"
import { lookAway, previewOf } from "./preview.js"
import { keep, leave } from "./selection.js"
import { isReady } from "./view.js"
import { graphics } from "./webgl.js"

/** @typedef {import("../types").PointMap} PointMap */
/** @typedef {import("../types").MapHeader} MapHeader */
/** @typedef {import("../types").MapLayer} MapLayer */

const DWELL = 125

export default mount({
  selector: ".point-map",
  build,
  listen(map, signal) {
    map.signal = signal
    map.paintSoon = beforeFrame(signal, () => paint(map))
    map.dwell = timer(signal, DWELL, () => showCard(map))
    map.digestion = timer(signal, 150, () => digest(map))
    observeSize(signal, map.canvas, () => resize(map))
    keepByKey(map.keeper, signal)
  },
  update(map, /** @type {Uint8Array} */ bytes, { setStateValue }) {
    map.send = setStateValue
    map.theme = inks(map.root)
    map.root.classList.toggle("dark", map.theme.dark)
    read(map, bytes)
  },
})

/** @param {HTMLElement} root */
function build(root) {
  /** @param {string} selector */
  const find = (selector) => part(root, selector, HTMLElement)
  /** @type {PointMap} */
  const map = begin({
    root, canvas: part(root, "canvas.over", HTMLCanvasElement), under: part(root, "canvas.points", HTMLCanvasElement),
    shade: part(root, "img.shade", HTMLImageElement), box: find(".box"), card: find(".card"), said: find(".said"), wait: find(".wait"),
    facts: null, points: null, regions: null, reading: 0, version: null, zoom: 1, centre: [0, 0], width: 0, height: 0, ratio: 1,
    pick: "", path: "", chosen: null, hovered: null, buckets: null, mode: "move", pointers: new Map(), grip: null, trail: null,
    painted: 0,
  })
  map.preview = previewOf(root)
  map.keeper = { root, keep: () => keep(map) }
  map.shade.addEventListener("load", () => { map.paintSoon() })
  map.graphics = graphics(map, () => resize(map))
  handle(map)
  return map
}

/** @param {PointMap} map @param {Uint8Array} bytes */
async function read(map, bytes) {
  const [parsed, colours] = unpack(bytes)
  const header = /** @type {MapHeader} */ (parsed)
  const reading = (map.reading += 1)
  const late = () => map.signal.aborted || reading !== map.reading
  map.root.style.setProperty("--height", `${header.height}px`)
  map.canvas.setAttribute("aria-label", header.summary)
  map.wait.hidden = map.facts?.points === header.points
  try {
    const [points, regions] = await Promise.all([fetched(header.points), header.regions ? fetched(header.regions) : null])
    if (late()) return
    if (map.points?.address !== header.points) map.points = placesOf(header.points, points)
    map.regions = regions ? JSON.parse(new TextDecoder().decode(regions)) : null
  } catch {
    if (late()) return
    map.wait.hidden = false
    map.wait.textContent = "The map could not be loaded; reload the page."
    return
  }
  map.wait.hidden = true
  const moved = map.facts?.points !== header.points || map.facts?.version !== header.version
  map.facts = { ...header, layers: layersOf(map, header, colours) }
  map.buckets = null
  shade(map, header)
  if (map.graphics) map.graphics.stale = true
  if (header.version !== map.version) { map.pick = header.pick; map.path = header.path; map.version = header.version }
  map.chosen = null
  showModes(map)
  if (isReady(map)) showLegend(map)
  if (moved) { lookAway(map); leave(map) }
  resize(map)
}

/**
 * Have the picture below the points fetched, once.
 *
 * @param {PointMap} map
 * @param {MapHeader} header
 */
function shade(map, header) {
  const from = header.shade ? address(header.shade.picture) : ""
  map.shade.hidden = !from
  if (!from) map.shade.removeAttribute("src")
  else if (map.shade.getAttribute("src") !== from) map.shade.src = from
}

/** @param {PointMap} map @param {MapHeader} header @param {Uint8Array} colours @returns {MapLayer[]} */
function layersOf(map, header, colours) {
  const nowhere = { xy: new Float32Array(0), n: 0 }
  /** @type {MapLayer[]} */
  const layers = header.layers.map((layer) => ({ ...layer, ...(map.points?.layers[layer.name] ?? nowhere) }))
  const data = layers.find((layer) => layer.name === "data")
  if (data && colours.length) data.colours = colours
  if (map.regions && header.holes) {
    const list = map.regions.holes
    layers.push({
      name: "holes", label: "Holes", mark: "hole", n: list.length, shown: true, colour: header.holes,
      xy: Float32Array.from(list.flatMap((hole) => hole.slice(0, 2))),
    })
  }
  return layers
}
