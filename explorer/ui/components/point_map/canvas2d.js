// Painting of a map on a 2D canvas: all but the dots, and those too without WebGL.
import { crcOf, penOf } from "../painting.js"
import { parsePath, parsePick } from "./notation.js"
import { isHidden, levelOf, palette, star, toneOf } from "./points.js"
import { selected } from "./selection.js"
import { isReady, screenOf, toData, toScreen } from "./view.js"
import { shade } from "./webgl.js"

/** @typedef {import("../types").PointMap} PointMap */
/** @typedef {import("../types").ReadyMap} ReadyMap */
/** @typedef {import("../types").MapLayer} MapLayer */
/** @typedef {CanvasRenderingContext2D} Pen */

/** From how many stars on they are small, and pale until one comes nearer: the colours below are seen first. */
const CROWD = 150
const HATCH = 6

/**
 * Fit the canvases to their element, and paint.
 *
 * @param {PointMap} map
 */
export function resize(map) {
  const ratio = window.devicePixelRatio || 1
  map.width = map.canvas.clientWidth
  map.height = map.canvas.clientHeight
  if (!map.width || !isReady(map)) return
  for (const canvas of [map.canvas, map.under]) {
    canvas.width = Math.round(map.width * ratio)
    canvas.height = Math.round(map.height * ratio)
  }
  map.ratio = ratio
  paint(map)
}

/**
 * Paint the map.
 *
 * @param {PointMap} map
 */
export function paint(map) {
  if (!map.width || !isReady(map)) return
  const { canvas, facts, graphics, ratio, width, height } = map
  const pen = penOf(canvas)
  pen.setTransform(ratio, 0, 0, ratio, 0, 0)
  pen.clearRect(0, 0, width, height)
  const dot = Math.max(1.6, Math.min(5, 1.9 * Math.sqrt(map.zoom)))
  const data = facts.layers.find((layer) => layer.mark === "dot")
  const webgl = graphics !== null && !graphics.gl.isContextLost()
  if (webgl) shade(map, graphics, data, dot)
  else dots(map, penOf(map.under), data, dot)
  shadow(map)
  if (facts.axes) axes(map, pen)
  if (map.regions) regions(map, map.regions, pen)
  let points = data?.shown ? data.n : 0
  for (const layer of facts.layers) {
    if (!layer.shown || layer.mark === "dot") continue
    if (layer.mark === "hole") { holes(map, pen, layer); continue }
    points += layer.n
    marks(map, pen, layer, layer.mark === "star" ? (layer.n > CROWD ? 1.2 : 5) + dot : dot + 1.4)
  }
  arrows(map, pen)
  const chosen = (map.chosen ??= selected(map))
  outline(map, pen)
  chosen.forEach((found, k) => { if (k < 3000) ring(map, pen, found, chosen.length > 100 ? 3 : chosen.length > 20 ? 4.5 : 8, chosen.length > 100 ? 0.7 : 1.5) })
  const path = parsePath(map.path)
  if (path) route(map, pen, path)
  if (map.trail) {
    pen.strokeStyle = map.theme.accent
    pen.lineWidth = 2
    pen.beginPath()
    map.trail.forEach(([x, y], k) => (k ? pen.lineTo(x, y) : pen.moveTo(x, y)))
    pen.stroke()
  }
  if (facts.marks.length > 1) polyline(map, pen, facts.marks.flatMap(([x, y]) => [x, y]), true)
  for (const [x, y, label] of [...facts.marks].sort((a, b) => a[2].length - b[2].length)) flag(map, pen, x, y, label)
  if (map.hovered) ring(map, pen, map.hovered, 10, 2.5)
  map.painted += 1
  const { hovered } = map
  Object.assign(canvas.dataset, {
    points, zoom: map.zoom.toFixed(3), painted: map.painted, selected: chosen.length, pick: map.pick, path: map.path,
    hovered: hovered ? `${facts.layers[hovered.layer].name}:${hovered.index}` : "",
    centre: map.centre.map((value) => value.toFixed(4)).join(","),
    renderer: webgl ? "webgl" : "canvas", holes: map.regions && facts.holes ? map.regions.holes.length : 0,
    arrows: facts.arrows.length, shade: facts.shade && arrived(map.shade) ? facts.shade.label : "",
  })
  map.digestion.set()
}

/** @param {HTMLImageElement} picture */
function arrived(picture) { return picture.complete && picture.naturalWidth > 0 }

/**
 * Put the picture below the points to where it belongs.
 *
 * @param {ReadyMap} map
 */
function shadow(map) {
  const { shade } = map.facts
  if (!shade) return
  const [left, right, bottom, top] = shade.box
  const [x, y] = toScreen(map, left, top)
  const [u, v] = toScreen(map, right, bottom)
  map.shade.style.width = `${u - x}px`
  map.shade.style.height = `${v - y}px`
  map.shade.style.transform = `translate(${x}px, ${y}px)`
}

/** @param {ReadyMap} map @param {Pen} pen @param {MapLayer | undefined} layer @param {number} size */
function dots(map, pen, layer, size) {
  pen.setTransform(map.ratio, 0, 0, map.ratio, 0, 0)
  pen.clearRect(0, 0, map.width, map.height)
  if (!layer?.shown) return
  const list = palette(map, layer)
  const heaps = list.map(() => /** @type {number[]} */ ([]))
  for (let i = 0; i < layer.n; i++) if (!isHidden(layer, i)) heaps[levelOf(map, layer, i, list.length)].push(i)
  pen.globalAlpha = layer.n > 3000 ? 0.72 : 0.85
  heaps.forEach((heap, k) => {
    if (!heap.length) return
    pen.fillStyle = `rgb(${list[k].slice(0, 3)})`
    pen.beginPath()
    for (const i of heap) {
      const [x, y] = toScreen(map, layer.xy[2 * i], layer.xy[2 * i + 1])
      if (x < -9 || y < -9 || x > map.width + 9 || y > map.height + 9) continue
      pen.moveTo(x + size, y)
      pen.arc(x, y, size, 0, 6.2832)
    }
    pen.fill()
  })
  pen.globalAlpha = 1
}

/** @param {ReadyMap} map @param {Pen} pen @param {MapLayer} layer @param {number} size */
function marks(map, pen, layer, size) {
  const shape = new Path2D(layer.mark === "star" ? star(size) : `M0-${size}L${size} 0L0 ${size}L-${size} 0Z`)
  const crowd = layer.n > CROWD
  pen.lineWidth = layer.mark !== "star" ? 1.3 : crowd ? 0.6 : 1.2
  pen.globalAlpha = layer.mark !== "star" ? 0.55 : crowd ? Math.min(1, 0.4 + 0.15 * map.zoom) : 1
  const tone = toneOf(map, layer)
  for (let i = 0; i < layer.n; i++) {
    const [x, y] = toScreen(map, layer.xy[2 * i], layer.xy[2 * i + 1])
    if (x < -9 || y < -9 || x > map.width + 9 || y > map.height + 9) continue
    pen.setTransform(map.ratio, 0, 0, map.ratio, x * map.ratio, y * map.ratio)
    if (layer.mark === "star") {
      pen.fillStyle = tone
      pen.fill(shape)
      pen.strokeStyle = map.theme.ground
    } else pen.strokeStyle = tone
    pen.stroke(shape)
  }
  pen.globalAlpha = 1
  pen.setTransform(map.ratio, 0, 0, map.ratio, 0, 0)
}

/** @param {ReadyMap} map @param {import("../types").Regions} found @param {Pen} pen */
function regions(map, found, pen) {
  const { facts } = map
  /** @param {number[][]} lines */
  const trace = (lines) => {
    pen.beginPath()
    for (const line of lines) {
      for (let k = 0; k < line.length; k += 2) {
        const [x, y] = toScreen(map, line[k], line[k + 1])
        if (k) pen.lineTo(x, y)
        else pen.moveTo(x, y)
      }
    }
  }
  if (facts.holes) {
    trace(found.outlines)
    hatch(map, pen, facts.holes)
  }
  for (const kind of facts.contours) {
    pen.strokeStyle = kind === "prior" ? map.theme.accent : map.theme.text
    pen.setLineDash(kind === "prior" ? [] : [5, 4])
    found[kind].forEach((lines, k) => {
      trace(lines)
      pen.globalAlpha = [0.95, 0.7, 0.45][k]
      pen.lineWidth = [2, 1.5, 1.2][k]
      pen.stroke()
    })
    pen.setLineDash([])
    pen.globalAlpha = 1
  }
}

/**
 * Hatch the traced area; what lies below recedes, so that its dots do not hide the lines.
 *
 * @param {ReadyMap} map
 * @param {Pen} pen
 * @param {string} colour
 */
function hatch(map, pen, colour) {
  pen.fillStyle = map.theme.ground
  pen.strokeStyle = colour
  pen.globalAlpha = 0.45
  pen.fill("evenodd")
  pen.globalAlpha = 1
  pen.lineWidth = 1.5
  pen.stroke()
  pen.save()
  pen.clip("evenodd")
  pen.beginPath()
  for (let x = HATCH; x < map.width + map.height; x += HATCH * Math.SQRT2) {
    pen.moveTo(x, 0)
    pen.lineTo(x - map.height, map.height)
  }
  pen.lineWidth = 1.2
  pen.stroke()
  pen.restore()
}

/** @param {ReadyMap} map @param {Pen} pen @param {MapLayer} layer */
function holes(map, pen, layer) {
  pen.lineWidth = 1.6
  for (let i = 0; i < layer.n; i++) {
    const [x, y] = toScreen(map, layer.xy[2 * i], layer.xy[2 * i + 1])
    pen.beginPath()
    pen.arc(x, y, 7, 0, 6.2832)
    pen.fillStyle = map.theme.ground
    pen.fill()
    pen.strokeStyle = toneOf(map, layer)
    pen.setLineDash([3, 2])
    pen.stroke()
    pen.setLineDash([])
  }
}

/** @param {ReadyMap} map @param {Pen} pen */
function axes(map, pen) {
  pen.strokeStyle = pen.fillStyle = map.theme.text
  pen.lineWidth = 0.5
  pen.font = "11px sans-serif"
  const [low, high] = [toData(map, [0, map.height]), toData(map, [map.width, 0])]
  const rough = (high[1] - low[1]) / 5
  const power = Math.pow(10, Math.floor(Math.log10(rough)))
  const step = power * ([1, 2, 5].find((times) => times * power >= rough * 0.99) ?? 10)
  for (const axis of [0, 1]) {
    for (let v = Math.ceil(low[axis] / step) * step; v <= high[axis]; v += step) {
      const [x, y] = toScreen(map, axis ? 0 : v, axis ? v : 0)
      pen.globalAlpha = Math.abs(v) < step / 2 ? 0.45 : 0.12
      pen.beginPath()
      if (axis) { pen.moveTo(0, y); pen.lineTo(map.width, y) } else { pen.moveTo(x, 0); pen.lineTo(x, map.height) }
      pen.stroke()
      pen.globalAlpha = 0.6
      const text = String(Number(v.toPrecision(4))).replace("-", "−")
      if (axis) pen.fillText(text, 4, y - 3)
      else pen.fillText(text, x + 3, map.height - 5)
    }
  }
  pen.globalAlpha = 1
}

/**
 * Draw arrows, with a head where they are long enough for one, on a lighter line that parts them from the dots.
 *
 * @param {ReadyMap} map
 * @param {Pen} pen
 */
function arrows(map, pen) {
  if (!map.facts.arrows.length) return
  const line = new Path2D()
  for (const [left, bottom, right, top] of map.facts.arrows) {
    const [x, y] = toScreen(map, left, bottom)
    const [u, v] = toScreen(map, right, top)
    const long = Math.hypot(u - x, v - y)
    if (long < 1 || Math.max(x, u) < 0 || Math.max(y, v) < 0 || Math.min(x, u) > map.width || Math.min(y, v) > map.height) continue
    line.moveTo(x, y)
    line.lineTo(u, v)
    const head = Math.min(7, long / 2)
    const angle = Math.atan2(v - y, u - x)
    for (const turn of [2.7, -2.7]) {
      line.moveTo(u, v)
      line.lineTo(u + head * Math.cos(angle + turn), v + head * Math.sin(angle + turn))
    }
  }
  for (const [colour, width, alpha] of /** @type {[string, number, number][]} */ ([[map.theme.ground, 3, 0.5], [map.theme.text, 1.2, 0.85]])) {
    pen.strokeStyle = colour
    pen.lineWidth = width
    pen.globalAlpha = alpha
    pen.stroke(line)
  }
  pen.globalAlpha = 1
}

/** @param {ReadyMap} map @param {Pen} pen */
function outline(map, pen) {
  const pick = parsePick(map.pick)
  if (!pick) return
  const { kind, numbers: n } = pick
  if (kind === "spot") flag(map, pen, n[0], n[1], "+")
  else if (kind === "box") polyline(map, pen, [n[0], n[1], n[2], n[1], n[2], n[3], n[0], n[3]], false)
  else if (kind === "lasso") polyline(map, pen, n, false)
}

/** @param {ReadyMap} map @param {Pen} pen @param {number[]} numbers @param {boolean} open */
function polyline(map, pen, numbers, open) {
  pen.strokeStyle = pen.fillStyle = map.theme.accent
  pen.lineWidth = open ? 2.5 : 2
  pen.beginPath()
  for (let k = 0; k < numbers.length; k += 2) {
    const [x, y] = toScreen(map, numbers[k], numbers[k + 1])
    if (k) pen.lineTo(x, y)
    else pen.moveTo(x, y)
  }
  if (!open) {
    pen.closePath()
    pen.globalAlpha = 0.08
    pen.fill()
    pen.globalAlpha = 1
  }
  pen.stroke()
}

/**
 * Draw the path in ink, unlike what is selected, and its direction: a dot where it starts, a head at its end.
 *
 * @param {ReadyMap} map
 * @param {Pen} pen
 * @param {number[]} numbers
 */
function route(map, pen, numbers) {
  /** @type {import("../types").Point[]} */
  const points = []
  for (let k = 0; k < numbers.length; k += 2) points.push(toScreen(map, numbers[k], numbers[k + 1]))
  const last = points[points.length - 1]
  const before = points.filter(([x, y]) => Math.hypot(x - last[0], y - last[1]) > 6).pop() ?? points[0]
  const angle = Math.atan2(last[1] - before[1], last[0] - before[0])
  const head = new Path2D("M-13 -6L0 0L-13 6Z")
  pen.lineJoin = "round"
  for (const [colour, width] of /** @type {[string, number][]} */ ([[map.theme.ground, 5], [map.theme.text, 2.5]])) {
    pen.strokeStyle = pen.fillStyle = colour
    pen.lineWidth = width
    pen.beginPath()
    points.forEach(([x, y], k) => (k ? pen.lineTo(x, y) : pen.moveTo(x, y)))
    pen.stroke()
    pen.beginPath()
    pen.arc(points[0][0], points[0][1], width + 2, 0, 6.2832)
    pen.fill()
    pen.save()
    pen.translate(last[0], last[1])
    pen.rotate(angle)
    if (colour === map.theme.ground) pen.stroke(head)
    else pen.fill(head)
    pen.restore()
  }
}

// A number in a disc, a dot without one, and a ring with words beside it.
/** @param {ReadyMap} map @param {Pen} pen @param {number} x @param {number} y @param {string} label */
function flag(map, pen, x, y, label) {
  const at = toScreen(map, x, y)
  if (label.length > 2) return tag(map, pen, at, label)
  pen.beginPath()
  pen.arc(at[0], at[1], label ? 8 : 3, 0, 6.2832)
  pen.fillStyle = map.theme.accent
  pen.fill()
  pen.strokeStyle = map.theme.ground
  pen.lineWidth = 2
  pen.stroke()
  if (!label) return
  pen.fillStyle = map.theme.ground
  pen.font = "bold 11px sans-serif"
  pen.textAlign = "center"
  pen.textBaseline = "middle"
  pen.fillText(label, at[0], at[1] + 0.5)
  pen.textAlign = "start"
  pen.textBaseline = "alphabetic"
}

/** @param {ReadyMap} map @param {Pen} pen @param {import("../types").Point} at @param {string} words */
function tag(map, pen, at, words) {
  const [x, y] = at
  for (const [colour, width] of /** @type {[string, number][]} */ ([[map.theme.ground, 6], [map.theme.accent, 3]])) {
    pen.strokeStyle = colour
    pen.lineWidth = width
    pen.beginPath()
    pen.arc(x, y, 9, 0, 6.2832)
    pen.stroke()
  }
  pen.font = "bold 12px sans-serif"
  const left = x + 14 + pen.measureText(words).width > pen.canvas.clientWidth
  pen.textAlign = left ? "right" : "left"
  pen.textBaseline = "middle"
  pen.lineWidth = 4
  pen.strokeStyle = map.theme.ground
  pen.strokeText(words, left ? x - 14 : x + 14, y)
  pen.fillStyle = map.theme.accent
  pen.fillText(words, left ? x - 14 : x + 14, y)
  pen.textAlign = "start"
  pen.textBaseline = "alphabetic"
}

/** @param {ReadyMap} map @param {Pen} pen @param {import("../types").Found} found @param {number} radius @param {number} width */
function ring(map, pen, found, radius, width) {
  const [x, y] = screenOf(map, found)
  pen.strokeStyle = map.theme.ground
  pen.lineWidth = width + 2
  pen.beginPath()
  pen.arc(x, y, radius, 0, 6.2832)
  pen.stroke()
  pen.strokeStyle = map.theme.accent
  pen.lineWidth = width
  pen.stroke()
}

/**
 * Record a digest of both canvases.
 *
 * @param {PointMap} map
 */
export function digest(map) {
  if (!map.canvas.width || !map.canvas.height) return
  const both = document.createElement("canvas")
  both.width = map.canvas.width
  both.height = map.canvas.height
  const pen = penOf(both)
  pen.fillStyle = map.theme.ground
  pen.fillRect(0, 0, both.width, both.height)
  if (isReady(map) && map.facts.shade && arrived(map.shade)) {
    const [left, right, bottom, top] = map.facts.shade.box
    const [[x, y], [u, v]] = [toScreen(map, left, top), toScreen(map, right, bottom)]
    pen.drawImage(map.shade, x * map.ratio, y * map.ratio, (u - x) * map.ratio, (v - y) * map.ratio)
  }
  pen.drawImage(map.under, 0, 0)
  pen.drawImage(map.canvas, 0, 0)
  map.canvas.dataset.digest = crcOf(both) ?? ""
}
