// What the model decodes under the pointer, in a picture that follows it.
import { address, part } from "../bridge.js"
import { bodyOf, paintSample, penOf, shapeOf, unpack } from "../painting.js"
import { coordinate } from "./notation.js"
import { toData } from "./view.js"

/** @typedef {import("../types").PointMap} PointMap */
/** @typedef {import("../types").ReadyMap} ReadyMap */
/** @typedef {import("../types").Point} Point */
/** @typedef {import("../types").Panel} Panel */

/** Largest width of a picture in CSS pixels, and its share of the map's; images are scaled to whole pixels below it. */
const [IMAGE, CURVE, SHARE] = [224, 300, 0.42]
const AWAY = 18

/** @param {HTMLElement} root @returns {import("../types").Preview} */
export function previewOf(root) {
  const box = part(root, ".preview", HTMLElement)
  return { box, canvas: part(box, "canvas", HTMLCanvasElement), words: part(box, "p", HTMLElement), wanted: null, end: null, place: "", painted: 0 }
}

/**
 * Follow the pointer: the picture moves at once, and shows the newest place as soon as it is decoded.
 *
 * A point of a projection is decoded from its own code, everything else from its place.
 *
 * @param {ReadyMap} map
 * @param {Point} at
 * @param {number} since When the pointer came here.
 */
export function look(map, at, since) {
  const { preview, facts, hovered } = map
  if (!facts.here || !map.card.hidden) return
  const place = hovered && !facts.axes ? `${facts.layers[hovered.layer].name}:${hovered.index}` : `spot:${toData(map, at).map(coordinate)}`
  moveTo(map, at)
  if (place === preview.place && !preview.end) { preview.box.hidden = false; return }
  preview.wanted = { place, since }
  if (!preview.end) fetchNewest(map)
}

/**
 * Hide the picture, and drop what is under way.
 *
 * @param {PointMap} map
 */
export function lookAway({ preview }) {
  preview.wanted = null
  preview.end?.abort()
  preview.end = null
  preview.box.hidden = true
  preview.place = ""
}

/**
 * Decode the place wanted last, until there is none: one request at a time, so that old ones never queue up.
 *
 * @param {PointMap} map
 */
async function fetchNewest(map) {
  const { preview } = map
  const end = new AbortController()
  preview.end = end
  const signal = AbortSignal.any([end.signal, map.signal])
  for (let next = preview.wanted; next && map.facts?.here; next = preview.wanted) {
    preview.wanted = null
    try {
      const answer = await fetch(address(`${map.facts.here}&at=${encodeURIComponent(next.place)}`), { signal })
      if (!answer.ok || !(answer.headers.get("content-type") ?? "").includes("octet-stream")) throw new Error("no picture")
      const [header, body] = unpack(new Uint8Array(await answer.arrayBuffer()))
      if (signal.aborted) return
      show(map, header, body)
      preview.place = next.place
      preview.painted += 1
      Object.assign(preview.box.dataset, { place: next.place, painted: preview.painted, milliseconds: (performance.now() - next.since).toFixed(1) })
    } catch {
      if (signal.aborted) return
      preview.box.hidden = true
    }
  }
  if (preview.end === end) preview.end = null
}

/** @param {PointMap} map @param {import("../types").Here} header @param {Uint8Array} body */
function show(map, header, body) {
  const { preview, theme } = map
  const { box, canvas, words } = preview
  box.classList.toggle("empty", !body.length)
  if (words.textContent !== header.words) words.textContent = header.words
  if (body.length) {
    const panel = /** @type {Panel} */ ({ ...header, body: bodyOf(/** @type {Panel} */ (header), body) })
    const ratio = window.devicePixelRatio || 1
    const most = Math.min(panel.kind === "pixels" ? IMAGE : CURVE, SHARE * map.width)
    const wide = panel.kind === "pixels" ? Math.max(1, Math.floor(most / panel.width)) * panel.width : most
    const high = Math.round(wide / shapeOf(panel))
    const size = [Math.round(wide * ratio), Math.round(high * ratio)]
    if (canvas.width !== size[0] || canvas.height !== size[1]) {
      [canvas.width, canvas.height] = size
      canvas.style.width = `${wide}px`
      canvas.style.height = `${high}px`
    }
    const pen = penOf(canvas)
    pen.setTransform(ratio, 0, 0, ratio, 0, 0)
    paintSample(theme, panel, pen, 0, 0, 0, wide, high, false)
  }
  box.hidden = !map.card.hidden
  if (map.preview.at) moveTo(map, map.preview.at)
}

/** @param {PointMap} map @param {Point} at */
function moveTo(map, at) {
  const { box } = map.preview
  map.preview.at = at
  const [width, height] = [box.offsetWidth, box.offsetHeight]
  const left = at[0] + AWAY + width > map.width ? at[0] - AWAY - width : at[0] + AWAY
  const top = at[1] + AWAY + height > map.height ? at[1] - AWAY - height : at[1] + AWAY
  box.style.transform = `translate(${Math.max(4, left)}px, ${Math.max(4, top)}px)`
}
