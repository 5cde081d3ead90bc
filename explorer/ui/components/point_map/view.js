// The visible part of the plane, in units of the data's span, so that it survives a change of model.

/** @typedef {import("../types").PointMap} PointMap */
/** @typedef {import("../types").ReadyMap} ReadyMap */
/** @typedef {import("../types").Point} Point */

/**
 * Whether the points have arrived.
 *
 * @param {PointMap} map
 * @returns {map is ReadyMap}
 */
export function isReady(map) { return map.facts !== null && map.points !== null }

/**
 * Return the data's span in CSS pixels.
 *
 * @param {PointMap} map
 */
export function spanOnScreen(map) { return Math.min(map.width, map.height) * map.zoom }

/** @param {ReadyMap} map @param {number} x @param {number} y @returns {Point} */
export function toScreen(map, x, y) {
  const { span, middle } = map.points
  const size = spanOnScreen(map)
  return [
    map.width / 2 + ((x - middle[0]) / span - map.centre[0]) * size,
    map.height / 2 - ((y - middle[1]) / span - map.centre[1]) * size,
  ]
}

/** @param {ReadyMap} map @param {Point} at @returns {Point} */
export function toData(map, [x, y]) {
  const { span, middle } = map.points
  const size = spanOnScreen(map)
  return [
    middle[0] + ((x - map.width / 2) / size + map.centre[0]) * span,
    middle[1] + ((map.height / 2 - y) / size + map.centre[1]) * span,
  ]
}

/** @param {ReadyMap} map @param {import("../types").Found} found */
export function screenOf(map, { layer, index }) {
  const { xy } = map.facts.layers[layer]
  return toScreen(map, xy[2 * index], xy[2 * index + 1])
}

/**
 * Zoom about a point of the screen; its centre by default.
 *
 * @param {PointMap} map
 * @param {number} factor
 * @param {Point} at
 */
export function zoom(map, factor, at = [map.width / 2, map.height / 2]) {
  const size = Math.min(map.width, map.height)
  const next = Math.max(0.5, Math.min(200, map.zoom * factor))
  const shift = (1 / map.zoom - 1 / next) / size
  map.centre[0] += (at[0] - map.width / 2) * shift
  map.centre[1] -= (at[1] - map.height / 2) * shift
  map.zoom = next
  map.paintSoon()
}

/** @param {PointMap} map */
export function showAll(map) {
  map.zoom = 1
  map.centre = [0, 0]
  map.paintSoon()
}

/**
 * Pan to a point of the screen if it is out of view.
 *
 * @param {ReadyMap} map
 * @param {Point} place
 */
export function bringIntoView(map, [x, y]) {
  if (x >= 20 && y >= 20 && x <= map.width - 20 && y <= map.height - 20) return
  const size = spanOnScreen(map)
  map.centre = [map.centre[0] + (x - map.width / 2) / size, map.centre[1] - (y - map.height / 2) / size]
}
