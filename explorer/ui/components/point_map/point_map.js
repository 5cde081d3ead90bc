// Points arrive as typed arrays; zoom, pan, hover and box live in the browser, and only a finished
// pick is reported.
const maps = new WeakMap()
const DWELL = 125
const REACH = 12
const LEVELS = 24

export default function (component) {
  const { parentElement, data } = component
  const root = parentElement.querySelector(".point-map")
  if (!root || !data) return
  let map = maps.get(root)
  if (!map) {
    map = build(root)
    maps.set(root, map)
  }
  map.send = component.setStateValue
  read(map, data)
  colours(map)
  legend(map)
  resize(map)
  return () => map.observer.disconnect()
}

function read(map, bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = view.getUint32(0, true)
  const facts = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)))
  const numbers = new Float32Array(bytes.slice(4 + length).buffer)
  let at = 0
  const take = (n) => numbers.subarray(at, (at += n))
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity]
  for (const layer of facts.layers) {
    layer.xy = take(2 * layer.n)
    for (const column of layer.columns) column.values = take(layer.n)
    for (let i = 0; i < layer.n; i++) {
      left = Math.min(left, layer.xy[2 * i]); right = Math.max(right, layer.xy[2 * i])
      top = Math.min(top, layer.xy[2 * i + 1]); bottom = Math.max(bottom, layer.xy[2 * i + 1])
    }
  }
  facts.span = Math.max(right - left, bottom - top, 1e-6) * 1.06
  facts.middle = [(left + right) / 2, (top + bottom) / 2]
  for (const layer of facts.layers) Object.defineProperty(layer, "tone", { get: () => (layer.colour === "ink" ? map.ink : layer.colour) })
  map.facts = facts
  map.buckets = null
  map.root.style.setProperty("--height", `${facts.height}px`)
  map.canvas.setAttribute("aria-label", facts.summary)
  if (facts.turn !== map.turn) { map.pick = facts.pick; map.turn = facts.turn }
  leave(map)
}

function build(root) {
  const canvas = root.querySelector("canvas")
  const map = {
    root, canvas, facts: null, zoom: 1, centre: [0, 0], pick: "", hovered: null, painted: 0, pending: false,
    box: root.querySelector(".box"), card: root.querySelector(".card"), said: root.querySelector(".said"),
    pointers: new Map(), grip: null,
  }
  canvas.onwheel = (event) => {
    event.preventDefault()
    zoom(map, Math.exp(-event.deltaY * 0.0016), local(map, event))
  }
  canvas.onpointerdown = (event) => {
    if (event.button) return
    canvas.setPointerCapture(event.pointerId)
    map.pointers.set(event.pointerId, local(map, event))
    map.grip = { from: local(map, event), centre: [...map.centre], box: event.shiftKey, moved: false }
  }
  canvas.onpointermove = (event) => move(map, event)
  canvas.onpointerup = (event) => drop(map, event)
  canvas.onpointercancel = (event) => { map.pointers.delete(event.pointerId); map.grip = null; map.box.hidden = true }
  canvas.onpointerleave = () => { if (!map.grip) leave(map) }
  canvas.ondblclick = (event) => { if (!near(map, local(map, event))) choose(map, "") }
  canvas.onkeydown = (event) => key(map, event)
  root.querySelector(".closer").onclick = () => zoom(map, 1.5)
  root.querySelector(".farther").onclick = () => zoom(map, 1 / 1.5)
  root.querySelector(".whole").onclick = () => { map.zoom = 1; map.centre = [0, 0]; paintSoon(map) }
  map.observer = new ResizeObserver(() => resize(map))
  map.observer.observe(canvas)
  return map
}

function local(map, event) {
  const box = map.canvas.getBoundingClientRect()
  return [event.clientX - box.left, event.clientY - box.top]
}

// The view is kept in units of the data's span, so that it survives another model's coordinates.
function toScreen(map, x, y) {
  const { span, middle } = map.facts
  const size = Math.min(map.width, map.height) * map.zoom
  return [
    map.width / 2 + ((x - middle[0]) / span - map.centre[0]) * size,
    map.height / 2 - ((y - middle[1]) / span - map.centre[1]) * size,
  ]
}

function toData(map, [x, y]) {
  const { span, middle } = map.facts
  const size = Math.min(map.width, map.height) * map.zoom
  return [
    middle[0] + ((x - map.width / 2) / size + map.centre[0]) * span,
    middle[1] + ((map.height / 2 - y) / size + map.centre[1]) * span,
  ]
}

function zoom(map, factor, at = [map.width / 2, map.height / 2]) {
  const size = Math.min(map.width, map.height)
  const next = Math.max(0.5, Math.min(200, map.zoom * factor))
  const shift = (1 / map.zoom - 1 / next) / size
  map.centre[0] += (at[0] - map.width / 2) * shift
  map.centre[1] -= (at[1] - map.height / 2) * shift
  map.zoom = next
  paintSoon(map)
}

function move(map, event) {
  const at = local(map, event)
  if (map.pointers.size === 2 && map.pointers.has(event.pointerId)) {
    const spread = () => { const [a, b] = [...map.pointers.values()]; return Math.hypot(a[0] - b[0], a[1] - b[1]) }
    const before = spread()
    map.pointers.set(event.pointerId, at)
    const [a, b] = [...map.pointers.values()]
    zoom(map, spread() / Math.max(before, 1), [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2])
    map.grip = null
    return
  }
  const grip = map.grip
  if (!grip) { hover(map, at); return }
  const by = [at[0] - grip.from[0], at[1] - grip.from[1]]
  if (Math.hypot(...by) > 4) grip.moved = true
  if (!grip.moved) return
  leave(map)
  if (grip.box) {
    const style = map.box.style
    map.box.hidden = false
    style.left = `${Math.min(at[0], grip.from[0])}px`
    style.top = `${Math.min(at[1], grip.from[1])}px`
    style.width = `${Math.abs(by[0])}px`
    style.height = `${Math.abs(by[1])}px`
  } else {
    const size = Math.min(map.width, map.height) * map.zoom
    map.centre = [grip.centre[0] - by[0] / size, grip.centre[1] + by[1] / size]
    paintSoon(map)
  }
}

function drop(map, event) {
  const grip = map.grip
  map.pointers.delete(event.pointerId)
  map.grip = null
  map.box.hidden = true
  if (!grip) return
  const at = local(map, event)
  if (grip.box && grip.moved) {
    const [a, b] = [toData(map, grip.from), toData(map, at)]
    const round = (value) => Number(value.toPrecision(6))
    choose(map, "box:" + [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[0], b[0]), Math.max(a[1], b[1])].map(round).join(","))
  } else if (!grip.moved) {
    const found = near(map, at)
    if (found) choose(map, `${map.facts.layers[found.layer].name}:${found.index}`)
  }
}

function key(map, event) {
  const step = 0.1 / map.zoom
  const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] }
  if (moves[event.key]) map.centre = map.centre.map((value, axis) => value + moves[event.key][axis])
  else if (event.key === "+" || event.key === "=") zoom(map, 1.25)
  else if (event.key === "-") zoom(map, 0.8)
  else if (event.key === "0") { map.zoom = 1; map.centre = [0, 0] }
  else if (event.key === "Escape") choose(map, "")
  else if (event.key === "Enter") {
    const found = near(map, [map.width / 2, map.height / 2], 60)
    if (found) choose(map, `${map.facts.layers[found.layer].name}:${found.index}`)
  } else return
  event.preventDefault()
  paintSoon(map)
}

function choose(map, pick) {
  if (pick === map.pick) return
  map.pick = pick
  map.send("pick", pick)
  paintSoon(map)
}

// A grid of buckets finds the point under the pointer without looking at all of them.
function near(map, at, reach = REACH) {
  const { facts } = map
  const cell = facts.span / 80
  if (!map.buckets) {
    map.buckets = new Map()
    facts.layers.forEach((layer, number) => {
      if (!layer.shown) return
      for (let i = 0; i < layer.n; i++) {
        const name = `${Math.floor(layer.xy[2 * i] / cell)},${Math.floor(layer.xy[2 * i + 1] / cell)}`
        if (!map.buckets.has(name)) map.buckets.set(name, [])
        map.buckets.get(name).push([number, i])
      }
    })
  }
  const [low, high] = [toData(map, [at[0] - reach, at[1] + reach]), toData(map, [at[0] + reach, at[1] - reach])]
  let best = null
  for (let i = Math.floor(low[0] / cell); i <= Math.floor(high[0] / cell); i++) {
    for (let j = Math.floor(low[1] / cell); j <= Math.floor(high[1] / cell); j++) {
      for (const [number, index] of map.buckets.get(`${i},${j}`) ?? []) {
        const { xy } = facts.layers[number]
        const [x, y] = toScreen(map, xy[2 * index], xy[2 * index + 1])
        // A star lies above the dots and is larger: it wins a near tie.
        const distance = Math.hypot(x - at[0], y - at[1]) - (facts.layers[number].mark === "star" ? 5 : 0)
        if (distance < reach && (!best || distance < best.distance)) best = { layer: number, index, distance }
      }
    }
  }
  return best
}

function hover(map, at) {
  const found = near(map, at)
  const same = found && map.hovered && found.layer === map.hovered.layer && found.index === map.hovered.index
  if (same || (!found && !map.hovered)) return
  leave(map)
  if (!found) { paintSoon(map); return }
  map.hovered = found
  const layer = map.facts.layers[found.layer]
  if (layer.thumbnail) new Image().src = layer.thumbnail.replace("{i}", found.index)
  map.dwell = setTimeout(() => card(map, found), DWELL)
  paintSoon(map)
}

function leave(map) {
  clearTimeout(map.dwell)
  map.hovered = null
  map.card.hidden = true
  if (map.facts && map.width) paintSoon(map)
}

function card(map, { layer: number, index }) {
  const layer = map.facts.layers[number]
  const image = map.card.querySelector("img")
  image.hidden = !layer.thumbnail
  image.classList.toggle("smooth", map.facts.smooth)
  if (layer.thumbnail) image.src = layer.thumbnail.replace("{i}", index)
  const list = map.card.querySelector("dl")
  list.replaceChildren()
  const row = (name, value) => {
    const [term, detail] = [document.createElement("dt"), document.createElement("dd")]
    term.textContent = name
    detail.textContent = value
    list.append(term, detail)
  }
  row(layer.label, `${layer.name === "prototypes" ? index : index + 1}`)
  for (const column of layer.columns) row(column.label, worded(column, column.values[index]))
  map.said.textContent = [...list.children].map((cell) => cell.textContent).join(" ")
  map.card.hidden = false
  const [x, y] = toScreen(map, layer.xy[2 * index], layer.xy[2 * index + 1])
  const [width, height] = [map.card.offsetWidth, map.card.offsetHeight]
  map.card.style.left = `${x + 16 + width > map.width ? Math.max(4, x - 16 - width) : x + 16}px`
  map.card.style.top = `${Math.max(4, Math.min(map.height - height - 4, y - height / 2))}px`
}

function worded(column, value) {
  if (column.classes) return column.classes[value] ?? "unknown"
  return `${value.toFixed(column.decimals)}${column.unit ? " " + column.unit : ""}`.replace("-", "−")
}

function colours(map) {
  const style = getComputedStyle(map.root)
  const read = (name, other) => style.getPropertyValue(name).trim() || other
  map.paper = read("--st-background-color", "#fff")
  map.ink = read("--st-text-color", "#111")
  map.accent = read("--st-primary-color", "#0b6bb8")
  const pen = document.createElement("canvas").getContext("2d")
  pen.fillStyle = map.paper
  pen.fillRect(0, 0, 1, 1)
  const [r, g, b] = pen.getImageData(0, 0, 1, 1).data
  map.root.classList.toggle("dark", r + g + b < 380)
}

function colourOf(map, layer) {
  const column = layer.columns.find((item) => item.name === map.facts.colour)
  if (!column) return { of: () => 0, list: [layer.tone] }
  if (column.classes) {
    const list = [...column.palette, "#8a8f98"]
    return { of: (i) => { const k = column.values[i]; return k >= 0 ? k % column.palette.length : list.length - 1 }, list }
  }
  const ramp = map.facts.ramp
  const list = Array.from({ length: LEVELS }, (_, k) => ramp[Math.round((k / (LEVELS - 1)) * (ramp.length - 1))])
  const width = Math.max(column.high - column.low, 1e-9)
  return { of: (i) => Math.max(0, Math.min(LEVELS - 1, Math.floor(((column.values[i] - column.low) / width) * LEVELS))), list }
}

function legend(map) {
  const box = map.root.querySelector(".legend")
  box.replaceChildren()
  const add = (mark, text) => {
    const item = document.createElement("span")
    if (mark) item.append(mark)
    item.append(text)
    box.append(item)
  }
  const chip = (colour) => { const dot = document.createElement("i"); dot.style.background = colour; return dot }
  for (const layer of map.facts.layers) {
    if (!layer.shown) continue
    const column = layer.columns.find((item) => item.name === map.facts.colour)
    if (layer.mark !== "dot") {
      const sign = document.createElementNS("http://www.w3.org/2000/svg", "svg")
      sign.setAttribute("viewBox", "-8 -8 16 16")
      const path = document.createElementNS("http://www.w3.org/2000/svg", "path")
      path.setAttribute("d", layer.mark === "star" ? star(7) : "M0-6L6 0L0 6L-6 0Z")
      path.setAttribute("fill", layer.mark === "star" ? layer.tone : "none")
      path.setAttribute("stroke", layer.tone)
      path.setAttribute("stroke-width", layer.mark === "star" ? "1" : "2")
      sign.append(path)
      add(sign, `${layer.label} (${layer.n.toLocaleString("en")})`)
    } else if (column?.classes) {
      add(null, `${layer.label} (${layer.n.toLocaleString("en")}):`)
      column.classes.forEach((name, k) => add(chip(column.palette[k % column.palette.length]), name))
    } else if (column) {
      const bar = document.createElement("i")
      bar.className = "ramp"
      bar.style.background = `linear-gradient(to right, ${map.facts.ramp.join(",")})`
      add(null, `${layer.label}, ${column.label}: ${worded(column, column.low)}`)
      add(bar, worded(column, column.high))
    } else add(chip(layer.tone), `${layer.label} (${layer.n.toLocaleString("en")})`)
  }
}

function star(radius) {
  let path = ""
  for (let k = 0; k < 10; k++) {
    const r = k % 2 ? radius * 0.42 : radius
    const angle = (Math.PI * k) / 5 - Math.PI / 2
    path += `${k ? "L" : "M"}${(r * Math.cos(angle)).toFixed(2)} ${(r * Math.sin(angle)).toFixed(2)}`
  }
  return path + "Z"
}

function resize(map) {
  const ratio = window.devicePixelRatio || 1
  map.width = map.canvas.clientWidth
  map.height = map.canvas.clientHeight
  if (!map.width || !map.facts) return
  map.canvas.width = Math.round(map.width * ratio)
  map.canvas.height = Math.round(map.height * ratio)
  map.ratio = ratio
  paint(map)
}

function paintSoon(map) {
  if (map.pending) return
  map.pending = true
  requestAnimationFrame(() => { map.pending = false; paint(map) })
}

function paint(map) {
  const { canvas, facts, ratio, width, height } = map
  if (!width) return
  const pen = canvas.getContext("2d", { willReadFrequently: true })
  pen.setTransform(ratio, 0, 0, ratio, 0, 0)
  pen.fillStyle = map.paper
  pen.fillRect(0, 0, width, height)
  if (facts.axes) axes(map, pen)
  const dot = Math.max(1.6, Math.min(5, 1.9 * Math.sqrt(map.zoom)))
  let points = 0
  for (const layer of facts.layers) {
    if (!layer.shown) continue
    points += layer.n
    if (layer.mark === "dot") dots(map, pen, layer, dot)
    else marks(map, pen, layer, layer.mark === "star" ? (layer.n > 150 ? 2 : 5) + dot : dot + 1.4)
  }
  const chosen = selected(map)
  pen.globalAlpha = 1
  if (map.pick.startsWith("box:")) frame(map, pen)
  if (chosen.length <= 40) for (const [layer, index] of chosen) ring(map, pen, layer, index, chosen.length > 20 ? 5 : 8, 1.5)
  if (map.hovered) ring(map, pen, map.hovered.layer, map.hovered.index, 10, 2.5)
  map.painted += 1
  const { hovered } = map
  Object.assign(canvas.dataset, {
    points, zoom: map.zoom.toFixed(3), painted: map.painted, selected: chosen.length, pick: map.pick,
    hovered: hovered ? `${facts.layers[hovered.layer].name}:${hovered.index}` : "",
    centre: map.centre.map((value) => value.toFixed(4)).join(","),
  })
  clearTimeout(map.timer)
  map.timer = setTimeout(() => digest(map), 150)
}

function dots(map, pen, layer, size) {
  const { of, list } = colourOf(map, layer)
  const heaps = list.map(() => [])
  for (let i = 0; i < layer.n; i++) heaps[of(i)].push(i)
  pen.globalAlpha = layer.n > 3000 ? 0.72 : 0.85
  heaps.forEach((heap, k) => {
    if (!heap.length) return
    pen.fillStyle = list[k]
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

function marks(map, pen, layer, size) {
  const shape = new Path2D(layer.mark === "star" ? star(size) : `M0-${size}L${size} 0L0 ${size}L-${size} 0Z`)
  pen.lineWidth = layer.mark === "star" ? 1.2 : 1.3
  pen.globalAlpha = layer.mark === "star" ? 1 : 0.55
  for (let i = 0; i < layer.n; i++) {
    const [x, y] = toScreen(map, layer.xy[2 * i], layer.xy[2 * i + 1])
    if (x < -9 || y < -9 || x > map.width + 9 || y > map.height + 9) continue
    pen.setTransform(map.ratio, 0, 0, map.ratio, x * map.ratio, y * map.ratio)
    if (layer.mark === "star") {
      pen.fillStyle = layer.tone
      pen.fill(shape)
      pen.strokeStyle = map.paper
    } else pen.strokeStyle = layer.tone
    pen.stroke(shape)
  }
  pen.globalAlpha = 1
  pen.setTransform(map.ratio, 0, 0, map.ratio, 0, 0)
}

function axes(map, pen) {
  pen.strokeStyle = map.ink
  pen.fillStyle = map.ink
  pen.globalAlpha = 0.5
  pen.lineWidth = 0.5
  pen.font = "11px sans-serif"
  const [low, high] = [toData(map, [0, map.height]), toData(map, [map.width, 0])]
  const step = Math.pow(10, Math.floor(Math.log10((high[1] - low[1]) / 2)))
  for (const axis of [0, 1]) {
    for (let v = Math.ceil(low[axis] / step) * step; v <= high[axis]; v += step) {
      const [x, y] = toScreen(map, axis ? 0 : v, axis ? v : 0)
      pen.globalAlpha = Math.abs(v) < step / 2 ? 0.45 : 0.12
      pen.beginPath()
      if (axis) { pen.moveTo(0, y); pen.lineTo(map.width, y) } else { pen.moveTo(x, 0); pen.lineTo(x, map.height) }
      pen.stroke()
      pen.globalAlpha = 0.6
      const text = String(Number(v.toPrecision(4)))
      if (axis) pen.fillText(text, 4, y - 3)
      else pen.fillText(text, x + 3, map.height - 5)
    }
  }
  pen.globalAlpha = 1
}

function selected(map) {
  const [kind, rest] = map.pick.split(":")
  if (!rest) return []
  if (kind === "box") {
    const [left, bottom, right, top] = rest.split(",").map(Number)
    const found = []
    map.facts.layers.forEach((layer, number) => {
      if (layer.name !== "data" || !layer.shown) return
      for (let i = 0; i < layer.n; i++) {
        const [x, y] = [layer.xy[2 * i], layer.xy[2 * i + 1]]
        if (x >= left && x <= right && y >= bottom && y <= top) found.push([number, i])
      }
    })
    return found
  }
  const number = map.facts.layers.findIndex((layer) => layer.name === kind)
  const index = Number(rest)
  return number >= 0 && index < map.facts.layers[number].n ? [[number, index]] : []
}

function frame(map, pen) {
  const [left, bottom, right, top] = map.pick.slice(4).split(",").map(Number)
  const [a, b] = [toScreen(map, left, top), toScreen(map, right, bottom)]
  pen.strokeStyle = pen.fillStyle = map.accent
  pen.lineWidth = 2
  pen.strokeRect(a[0], a[1], b[0] - a[0], b[1] - a[1])
  pen.globalAlpha = 0.08
  pen.fillRect(a[0], a[1], b[0] - a[0], b[1] - a[1])
  pen.globalAlpha = 1
}

function ring(map, pen, number, index, radius, width) {
  const { xy } = map.facts.layers[number]
  const [x, y] = toScreen(map, xy[2 * index], xy[2 * index + 1])
  pen.strokeStyle = map.paper
  pen.lineWidth = width + 2
  pen.beginPath()
  pen.arc(x, y, radius, 0, 6.2832)
  pen.stroke()
  pen.strokeStyle = map.accent
  pen.lineWidth = width
  pen.stroke()
}

const CRC = new Uint32Array(256).map((_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1
  return n
})

function digest(map) {
  const { canvas } = map
  if (!canvas.width || !canvas.height) return
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height)
  let crc = -1
  for (let i = 0; i < data.length; i++) crc = CRC[(crc ^ data[i]) & 255] ^ (crc >>> 8)
  canvas.dataset.digest = ((crc ^ -1) >>> 0).toString(16).padStart(8, "0")
}
