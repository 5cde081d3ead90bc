// The points of a map: positions, visibility and colours.
import { penOf, unpack } from "../painting.js"

/** @typedef {import("../types").PointMap} PointMap */
/** @typedef {import("../types").ReadyMap} ReadyMap */
/** @typedef {import("../types").MapLayer} MapLayer */

export const HIDDEN = 255
const UNKNOWN = 254
const GREY = "#8a8f98"

/**
 * Parse the response of /api/points.
 *
 * @param {string} address
 * @param {Uint8Array} bytes
 * @returns {import("../types").Points}
 */
export function placesOf(address, bytes) {
  const [header, body] = unpack(bytes)
  const listed = /** @type {{name: import("../types").LayerName, n: number}[]} */ (header.layers)
  const numbers = new Float32Array(body.buffer)
  /** @type {import("../types").Points["layers"]} */
  const layers = {}
  let at = 0
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity]
  for (const { name, n } of listed) {
    const xy = numbers.subarray(at, (at += 2 * n))
    layers[name] = { xy, n }
    for (let i = 0; i < n; i++) {
      left = Math.min(left, xy[2 * i]); right = Math.max(right, xy[2 * i])
      top = Math.min(top, xy[2 * i + 1]); bottom = Math.max(bottom, xy[2 * i + 1])
    }
  }
  return {
    address, layers, span: Math.max(right - left, bottom - top, 1e-6) * 1.06,
    middle: [(left + right) / 2, (top + bottom) / 2],
  }
}

/** @param {MapLayer} layer @param {number} i */
export function isHidden(layer, i) { return layer.colours?.[i] === HIDDEN }

/** @param {PointMap} map @param {MapLayer} layer */
export function toneOf(map, layer) { return layer.colour === "ink" ? map.theme.text : layer.colour }

/**
 * Return a layer's colours as RGBA, the last for unknown values.
 *
 * @param {ReadyMap} map
 * @param {MapLayer} layer
 */
export function palette(map, layer) {
  const { column, ramp } = map.facts
  const pen = penOf(new OffscreenCanvas(1, 1))
  return [...(column ? ramp : [toneOf(map, layer)]), GREY].map((colour) => {
    pen.fillStyle = colour
    pen.fillRect(0, 0, 1, 1)
    return [...pen.getImageData(0, 0, 1, 1).data]
  })
}

/**
 * Return the index of a point's colour in the palette.
 *
 * @param {ReadyMap} map
 * @param {MapLayer} layer
 * @param {number} i
 * @param {number} count
 */
export function levelOf(map, layer, i, count) {
  if (!map.facts.column) return 0
  const level = layer.colours?.[i] ?? UNKNOWN
  if (level === UNKNOWN) return count - 1
  return map.facts.column.classes ? level % (count - 1) : Math.min(count - 2, Math.floor((level / 254) * (count - 1)))
}

/**
 * Return the outline of a star as an SVG path.
 *
 * @param {number} radius
 */
export function star(radius) {
  let path = ""
  for (let k = 0; k < 10; k++) {
    const r = k % 2 ? radius * 0.42 : radius
    const angle = (Math.PI * k) / 5 - Math.PI / 2
    path += `${k ? "L" : "M"}${(r * Math.cos(angle)).toFixed(2)} ${(r * Math.sin(angle)).toFixed(2)}`
  }
  return path + "Z"
}
