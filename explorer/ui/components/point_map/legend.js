// The legend of a map's marks and colours.
import { part } from "../bridge.js"
import { HIDDEN, star, toneOf } from "./points.js"

/** @typedef {import("../types").ReadyMap} ReadyMap */
/** @typedef {import("../types").MapLayer} MapLayer */

/** @param {ReadyMap} map */
export function showLegend(map) {
  const box = part(map.root, ".legend", HTMLElement)
  box.replaceChildren()
  /** @param {Element | null} mark @param {string} text */
  const add = (mark, text) => {
    const item = document.createElement("span")
    if (mark) item.append(mark)
    item.append(text)
    box.append(item)
  }
  const { column, ramp } = map.facts
  for (const layer of map.facts.layers) {
    if (!layer.shown) continue
    if (layer.mark === "hole") add(chip(toneOf(map, layer), "patch"), map.regions?.words ?? "")
    else if (layer.mark !== "dot") add(sign(layer.mark, toneOf(map, layer)), counted(layer))
    else if (column?.classes && column.classes.length > ramp.length) {
      add(null, `${counted(layer)}: ${column.classes.length} classes share ${ramp.length} colours; hover over a dot for its class`)
    } else if (column?.classes) {
      add(null, `${counted(layer)}:`)
      column.classes.forEach((name, k) => add(chip(ramp[k]), name))
    } else if (column) {
      const bar = document.createElement("i")
      bar.className = "ramp"
      bar.style.background = `linear-gradient(to right, ${ramp.join(",")})`
      add(null, `${layer.label}, ${column.label}: ${column.low}`)
      add(bar, column.high ?? "")
    } else add(chip(toneOf(map, layer)), counted(layer))
  }
  const { shade } = map.facts
  const same = map.facts.layers.some((layer) => layer.mark === "dot" && layer.shown)
    && shade?.classes.every((name, k) => ramp[column?.classes?.indexOf(name) ?? -1] === shade.colours[k])
  if (shade?.classes.length && same) add(null, `${shade.label}: in the same colours, paler in doubt`)
  else if (shade?.classes.length) {
    add(null, `${shade.label}:`)
    shade.classes.slice(0, shade.colours.length).forEach((name, k) => add(chip(shade.colours[k], "pale"), name))
  } else if (shade) {
    const bar = document.createElement("i")
    bar.className = "ramp"
    bar.style.background = `linear-gradient(to right, ${shade.colours.join(",")})`
    add(null, `${shade.label}: ${shade.low}`)
    add(bar, shade.high)
  }
  if (map.facts.arrows.length) {
    const line = chip(map.theme.text, "line")
    line.style.background = "none"
    add(line, `Transport: ${map.facts.arrows.length} arrows from codes to prior`)
  }
  for (const kind of map.facts.contours) {
    const line = chip(kind === "prior" ? map.theme.accent : map.theme.text, kind === "prior" ? "line" : "line dashed")
    line.style.background = "none"
    add(line, `${kind === "prior" ? "Prior" : "Aggregated posterior"}: 50, 90, 99 % of the mass${map.regions?.exact ? "" : ", estimated"}`)
  }
}

/** @param {string} colour @param {string} kind */
function chip(colour, kind = "") {
  const dot = document.createElement("i")
  if (kind !== "patch") dot.style.background = colour
  dot.style.color = dot.style.borderColor = colour
  dot.className = kind
  return dot
}

/** @param {"diamond" | "star"} mark @param {string} tone */
function sign(mark, tone) {
  const space = "http://www.w3.org/2000/svg"
  const drawing = document.createElementNS(space, "svg")
  drawing.setAttribute("viewBox", "-8 -8 16 16")
  const path = document.createElementNS(space, "path")
  path.setAttribute("d", mark === "star" ? star(7) : "M0-6L6 0L0 6L-6 0Z")
  path.setAttribute("fill", mark === "star" ? tone : "none")
  path.setAttribute("stroke", tone)
  path.setAttribute("stroke-width", mark === "star" ? "1" : "2")
  drawing.append(path)
  return drawing
}

/** @param {MapLayer} layer */
function counted(layer) {
  const seen = layer.colours ? layer.colours.reduce((sum, level) => sum + (level === HIDDEN ? 0 : 1), 0) : layer.n
  const all = layer.n.toLocaleString("en")
  return seen < layer.n ? `${layer.label} (${seen.toLocaleString("en")} of ${all})` : `${layer.label} (${all})`
}
