// Hovering and selecting points.
import { keepAll, leave as leaveKeeper, reach } from "../outbox_client.js"
import { coordinate, edited, parsePick, pickText, rowsOf, within } from "./notation.js"
import { isHidden } from "./points.js"
import { bringIntoView, screenOf, toData, toScreen } from "./view.js"

/** @typedef {import("../types").PointMap} PointMap */
/** @typedef {import("../types").ReadyMap} ReadyMap */
/** @typedef {import("../types").Found} Found */
/** @typedef {import("../types").Point} Point */
/** @typedef {"only" | "add" | "cut"} How */

/** Largest distance of a point from the pointer, in CSS pixels. */
export const REACH = 12

/**
 * Find the point nearest to a point of the screen, by a grid of buckets.
 *
 * @param {ReadyMap} map
 * @param {Point} at
 * @param {number} reach
 * @param {import("../types").LayerName | null} only
 * @returns {Found | null}
 */
export function near(map, at, reach = REACH, only = null) {
  const { facts, points } = map
  const cell = points.span / 120
  const buckets = (map.buckets ??= fill(map, cell))
  const [low, high] = [toData(map, [at[0] - reach, at[1] + reach]), toData(map, [at[0] + reach, at[1] - reach])]
  let best = null
  let least = reach
  for (let i = Math.floor(low[0] / cell); i <= Math.floor(high[0] / cell); i++) {
    for (let j = Math.floor(low[1] / cell); j <= Math.floor(high[1] / cell); j++) {
      for (const found of buckets.get(i * 4096 + j) ?? []) {
        const { mark, name } = facts.layers[found.layer]
        if (only && name !== only) continue
        const [x, y] = screenOf(map, found)
        // A star lies above the dots and is larger: it wins near ties.
        const distance = Math.hypot(x - at[0], y - at[1]) - (mark === "star" || mark === "hole" ? 5 : 0)
        if (distance < least) { best = found; least = distance }
      }
    }
  }
  return best
}

/** @param {ReadyMap} map @param {number} cell */
function fill(map, cell) {
  /** @type {Map<number, Found[]>} */
  const buckets = new Map()
  map.facts.layers.forEach((layer, number) => {
    if (!layer.shown) return
    for (let i = 0; i < layer.n; i++) {
      if (isHidden(layer, i)) continue
      const name = Math.floor(layer.xy[2 * i] / cell) * 4096 + Math.floor(layer.xy[2 * i + 1] / cell)
      const bucket = buckets.get(name)
      if (bucket) bucket.push({ layer: number, index: i })
      else buckets.set(name, [{ layer: number, index: i }])
    }
  })
  return buckets
}

/**
 * Move to the nearest point within 45° of an arrow's direction; lateral distance counts double.
 *
 * @param {ReadyMap} map
 * @param {Point} way
 */
export function neighbour(map, way) {
  const from = map.hovered ?? near(map, [map.width / 2, map.height / 2], 200)
  if (!from) return
  if (!map.hovered) { focus(map, from); return }
  const here = screenOf(map, from)
  let best = null
  let least = Infinity
  map.facts.layers.forEach((layer, number) => {
    if (!layer.shown) return
    for (let i = 0; i < layer.n; i++) {
      if ((number === from.layer && i === from.index) || isHidden(layer, i)) continue
      const [x, y] = toScreen(map, layer.xy[2 * i], layer.xy[2 * i + 1])
      const along = (x - here[0]) * way[0] + (y - here[1]) * way[1]
      const aside = Math.abs((x - here[0]) * way[1]) + Math.abs((y - here[1]) * way[0])
      if (along <= 0.5 || aside > along || along + 2 * aside >= least) continue
      least = along + 2 * aside
      best = { layer: number, index: i }
    }
  })
  if (best) focus(map, best)
}

/** @param {ReadyMap} map @param {Found} found */
function focus(map, found) {
  bringIntoView(map, screenOf(map, found))
  rest(map, found)
}

/**
 * Hover over a point; its card is shown after a delay.
 *
 * @param {PointMap} map
 * @param {Found} found
 * @param {number} [wait]
 */
export function rest(map, found, wait) {
  map.hovered = found
  reach(map.keeper)
  map.dwell.set(wait)
  map.paintSoon()
}

/**
 * Hover over what is under the pointer.
 *
 * @param {ReadyMap} map
 * @param {Point} at
 */
export function hover(map, at) {
  const found = near(map, at)
  const same = found && map.hovered && found.layer === map.hovered.layer && found.index === map.hovered.index
  if (same || (!found && !map.hovered)) return
  leave(map)
  if (found) rest(map, found)
}

/** @param {PointMap} map */
export function leave(map) {
  map.dwell.stop()
  map.hovered = null
  leaveKeeper(map.keeper)
  map.card.hidden = true
  map.paintSoon()
}

/**
 * Keep the hovered point as a pick.
 *
 * @param {PointMap} map
 */
export function keep(map) {
  const { facts, hovered } = map
  if (!facts || !hovered) return
  const [, , , model, hash] = facts.card.split("/")
  const place = `${facts.layers[hovered.layer].name}:${hovered.index}`
  keepAll([{ model, hash, place, origin: `${hash}|place|${place}` }])
}

/**
 * Select a point alone, add it to the selection or cut it.
 *
 * @param {ReadyMap} map
 * @param {Found} found
 * @param {How} how
 */
export function take(map, found, how) {
  const layer = map.facts.layers[found.layer]
  const pick = parsePick(map.pick)
  const editable = pick && ["data", "box", "lasso"].includes(pick.kind)
  if (how === "only" || layer.name !== "data" || (how === "add" && !editable)) {
    if (how !== "cut") choose(map, `${layer.name}:${found.index}`)
    return
  }
  if (!editable) return
  const changed = edited(pick, how, found.index, layer.xy)
  if (changed) choose(map, pickText(changed))
  else map.said.textContent = "A link holds at most 64 changes to a selection; draw a new one."
}

/**
 * Select a hole: the exact spot if the map is the latent space itself, else the hole's sample.
 *
 * @param {ReadyMap} map
 * @param {Point} at
 */
export function fall(map, at) {
  if (!map.regions || !map.facts.holes) return
  const [x, y] = toData(map, at)
  if (!map.regions.outlines.reduce((odd, line) => odd !== within(x, y, line), false)) return
  if (map.regions.exact) { choose(map, `spot:${coordinate(x)},${coordinate(y)}`); return }
  const list = map.regions.holes
  let best = 0
  list.forEach((hole, k) => { if (Math.hypot(hole[0] - x, hole[1] - y) < Math.hypot(list[best][0] - x, list[best][1] - y)) best = k })
  if (list.length) choose(map, `holes:${best}`)
}

/** @param {PointMap} map @param {string} pick */
export function choose(map, pick) {
  if (pick === map.pick) return
  map.pick = pick
  map.chosen = null
  map.send("pick", pick)
  map.paintSoon()
}

/** @param {PointMap} map @param {string} path */
export function walk(map, path) {
  if (path === map.path) return
  map.path = path
  map.send("path", path)
  map.paintSoon()
}

/** @param {PointMap} map */
export function clear(map) {
  choose(map, "")
  walk(map, "")
  leave(map)
}

/**
 * Return the selected points.
 *
 * @param {ReadyMap} map
 * @returns {Found[]}
 */
export function selected(map) {
  const pick = parsePick(map.pick)
  if (!pick || pick.kind === "spot") return []
  const data = ["data", "box", "lasso"].includes(pick.kind)
  const number = map.facts.layers.findIndex(({ name }) => name === (data ? "data" : pick.kind))
  if (number < 0) return []
  const layer = map.facts.layers[number]
  const rows = data ? [...rowsOf(pick, layer.xy)] : pick.numbers.filter((index) => index < layer.n)
  return rows.filter((index) => !data || !isHidden(layer, index)).map((index) => ({ layer: number, index }))
}
