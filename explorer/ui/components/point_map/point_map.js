// Points come once, by an address of their own; colours are a byte a point. Zoom, pan, hover and
// every gesture live here, and Python hears of a finished selection or path only.
const maps = new WeakMap()
const fetched = new Map()
const DWELL = 125
const REACH = 12
const MOST_VERTICES = 60
const MOST_STATIONS = 24
const MODES = [["move", "Move"], ["box", "Box"], ["lasso", "Lasso"], ["path", "Draw a path"]]
const HIDDEN = 255, UNKNOWN = 254

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
  map.theme = inks(root)
  root.classList.toggle("dark", map.theme.dark)
  read(map, data)
  const pressed = (event) => {
    const elsewhere = event.composedPath()[0] !== map.canvas
    if (elsewhere && map.facts && map.hovered && !typing(event) && event.key.toLowerCase() === "k" && !event.ctrlKey && !event.metaKey) pick(map)
  }
  window.addEventListener("keydown", pressed)
  return () => { map.observer.disconnect(); window.removeEventListener("keydown", pressed) }
}

async function get(address) {
  if (!fetched.has(address)) {
    if (fetched.size > 12) fetched.clear()
    fetched.set(address, fetch(address).then(async (answer) => {
      if (!answer.ok || (answer.headers.get("content-type") ?? "").includes("html")) throw new Error(await answer.text())
      return new Uint8Array(await answer.arrayBuffer())
    }).catch((error) => { fetched.delete(address); throw error }))
  }
  return fetched.get(address)
}

async function read(map, bytes) {
  const [facts, colours] = unpack(bytes)
  const turn = (map.turnOfRead = (map.turnOfRead ?? 0) + 1)
  map.root.style.setProperty("--height", `${facts.height}px`)
  map.canvas.setAttribute("aria-label", facts.summary)
  map.wait.hidden = Boolean(map.facts && map.facts.points === facts.points)
  try {
    const [points, regions] = await Promise.all([get(facts.points), facts.regions ? get(facts.regions) : null])
    if (turn !== map.turnOfRead) return
    if (map.points?.address !== facts.points) map.points = places(facts.points, points)
    map.regions = regions ? JSON.parse(new TextDecoder().decode(regions)) : null
  } catch {
    map.wait.hidden = false
    map.wait.textContent = "The map could not be fetched; reload the page."
    return
  }
  map.wait.hidden = true
  facts.layers = facts.layers.map((layer) => ({ ...layer, ...map.points.layers[layer.name] }))
  const data = facts.layers.find((layer) => layer.name === "data")
  if (data && colours.length) data.colours = colours
  if (map.regions && facts.holes) {
    const list = map.regions.holes
    facts.layers.push({
      name: "holes", label: "Holes", mark: "hole", n: list.length, shown: true, colour: "ink",
      xy: Float32Array.from(list.flatMap((hole) => hole.slice(0, 2))),
    })
  }
  const moved = map.facts?.points !== facts.points || map.facts?.turn !== facts.turn
  map.facts = facts
  map.buckets = null
  map.glStale = true
  if (facts.turn !== map.turn) { map.pick = facts.pick; map.path = facts.path; map.turn = facts.turn }
  map.chosen = null
  modes(map)
  legend(map)
  if (moved) leave(map)
  resize(map)
}

function places(address, bytes) {
  const [facts, body] = unpack(bytes)
  const numbers = new Float32Array(body.buffer)
  const layers = {}
  let at = 0
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity]
  for (const { name, n } of facts.layers) {
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

function build(root) {
  const canvas = root.querySelector("canvas.over")
  const map = {
    root, canvas, under: root.querySelector("canvas.points"), facts: null, zoom: 1, centre: [0, 0], pick: "", path: "",
    hovered: null, painted: 0, pending: false, mode: "move", trail: null,
    box: root.querySelector(".box"), card: root.querySelector(".card"), said: root.querySelector(".said"),
    wait: root.querySelector(".wait"), pointers: new Map(), grip: null,
  }
  map.gl = graphics(map)
  canvas.onwheel = (event) => {
    if (!map.facts) return
    event.preventDefault()
    zoom(map, Math.exp(-event.deltaY * 0.0016), local(map, event))
  }
  canvas.onpointerdown = (event) => {
    if (event.button || !map.facts) return
    canvas.setPointerCapture(event.pointerId)
    map.pointers.set(event.pointerId, local(map, event))
    if (map.pointers.size > 1) { map.grip = null; map.trail = null; map.box.hidden = true; return }
    const command = event.ctrlKey || event.metaKey
    const kind = event.shiftKey ? (command ? "lasso" : "box") : map.mode
    map.grip = { from: local(map, event), centre: [...map.centre], kind, moved: false, finger: event.pointerType === "touch" }
    map.trail = kind === "lasso" || kind === "path" ? [local(map, event)] : null
  }
  canvas.onpointermove = (event) => { if (map.facts) move(map, event) }
  canvas.onpointerup = (event) => { if (map.facts) drop(map, event) }
  canvas.onpointercancel = (event) => { map.pointers.delete(event.pointerId); map.grip = map.trail = null; map.box.hidden = true; if (map.facts) paintSoon(map) }
  canvas.onpointerleave = () => { if (!map.grip) leave(map) }
  canvas.ondblclick = (event) => { if (map.facts && !near(map, local(map, event))) clear(map) }
  canvas.onkeydown = (event) => { if (map.facts) key(map, event) }
  canvas.onblur = () => leave(map)
  root.querySelector(".closer").onclick = () => zoom(map, 1.5)
  root.querySelector(".farther").onclick = () => zoom(map, 1 / 1.5)
  root.querySelector(".whole").onclick = () => { map.zoom = 1; map.centre = [0, 0]; paintSoon(map) }
  map.observer = new ResizeObserver(() => resize(map))
  map.observer.observe(canvas)
  return map
}

function modes(map) {
  const bar = map.root.querySelector(".modes")
  bar.replaceChildren()
  for (const [mode, words] of MODES) {
    const button = document.createElement("button")
    button.type = "button"
    button.textContent = words
    button.setAttribute("aria-pressed", String(map.mode === mode))
    button.onclick = () => { map.mode = mode; modes(map) }
    bar.append(button)
  }
  map.canvas.classList.toggle("move", map.mode === "move")
}

function local(map, event) {
  const box = map.canvas.getBoundingClientRect()
  return [event.clientX - box.left, event.clientY - box.top]
}

// The view is kept in units of the data's span, so that it survives another model's coordinates.
function toScreen(map, x, y) {
  const { span, middle } = map.points
  const size = Math.min(map.width, map.height) * map.zoom
  return [
    map.width / 2 + ((x - middle[0]) / span - map.centre[0]) * size,
    map.height / 2 - ((y - middle[1]) / span - map.centre[1]) * size,
  ]
}

function toData(map, [x, y]) {
  const { span, middle } = map.points
  const size = Math.min(map.width, map.height) * map.zoom
  return [
    middle[0] + ((x - map.width / 2) / size + map.centre[0]) * span,
    middle[1] + ((map.height / 2 - y) / size + map.centre[1]) * span,
  ]
}

function zoom(map, factor, at = [map.width / 2, map.height / 2]) {
  if (!map.facts) return
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
    const pair = () => [...map.pointers.values()]
    const spread = () => { const [a, b] = pair(); return Math.hypot(a[0] - b[0], a[1] - b[1]) }
    const middle = () => { const [a, b] = pair(); return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2] }
    const [before, was] = [spread(), middle()]
    map.pointers.set(event.pointerId, at)
    const now = middle()
    const size = Math.min(map.width, map.height) * map.zoom
    map.centre = [map.centre[0] - (now[0] - was[0]) / size, map.centre[1] + (now[1] - was[1]) / size]
    zoom(map, spread() / Math.max(before, 1), now)
    return
  }
  const grip = map.grip
  if (!grip) { if (!map.pointers.size) hover(map, at); return }
  const by = [at[0] - grip.from[0], at[1] - grip.from[1]]
  if (Math.hypot(...by) > (grip.finger ? 8 : 4)) grip.moved = true
  if (!grip.moved) return
  leave(map)
  if (grip.kind === "box") {
    const style = map.box.style
    map.box.hidden = false
    style.left = `${Math.min(at[0], grip.from[0])}px`
    style.top = `${Math.min(at[1], grip.from[1])}px`
    style.width = `${Math.abs(by[0])}px`
    style.height = `${Math.abs(by[1])}px`
  } else if (map.trail) {
    map.trail.push(at)
    paintSoon(map)
  } else {
    const size = Math.min(map.width, map.height) * map.zoom
    map.centre = [grip.centre[0] - by[0] / size, grip.centre[1] + by[1] / size]
    paintSoon(map)
  }
}

function drop(map, event) {
  const { grip, trail } = map
  map.pointers.delete(event.pointerId)
  map.grip = map.trail = null
  map.box.hidden = true
  if (!grip) return
  const at = local(map, event)
  if (grip.moved && grip.kind === "box") {
    const [a, b] = [toData(map, grip.from), toData(map, at)]
    choose(map, "box:" + [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[0], b[0]), Math.max(a[1], b[1])].map(round).join(","))
  } else if (grip.moved && trail) {
    const vertices = thinned(trail, grip.kind === "path" ? MOST_STATIONS : MOST_VERTICES).map((point) => toData(map, point).map(round))
    if (grip.kind === "path" && vertices.length > 1) walk(map, vertices.join(","))
    else if (vertices.length > 2) choose(map, "lasso:" + vertices.join(","))
    else paintSoon(map)
  } else if (!grip.moved) {
    // Only data can be added or taken out, so a star above a dot does not stand in the way.
    const found = near(map, at, grip.finger ? 22 : REACH, event.shiftKey || event.altKey ? "data" : null)
    if (found) take(map, found, event.shiftKey ? "add" : event.altKey ? "cut" : "only")
    else if (!event.shiftKey && !event.altKey) fall(map, at)
    if (found && grip.finger) card(map, (map.hovered = found))
  }
}

// A click into a hole: where the map is the latent space, that very spot; elsewhere its sample.
function fall(map, at) {
  if (!map.regions || !map.facts.holes) return
  const [x, y] = toData(map, at)
  if (!map.regions.outlines.reduce((odd, line) => odd !== within(x, y, line), false)) return
  if (map.regions.exact) { choose(map, `spot:${round(x)},${round(y)}`); return }
  const list = map.regions.holes
  let best = 0
  list.forEach((hole, k) => { if (Math.hypot(hole[0] - x, hole[1] - y) < Math.hypot(list[best][0] - x, list[best][1] - y)) best = k })
  if (list.length) choose(map, `holes:${best}`)
}

function round(value) { return Number(value.toPrecision(5)) }

// Ramer, Douglas and Peucker's line, ever coarser until few enough vertices are left.
function thinned(points, most) {
  let tolerance = 1
  let kept = points
  const thin = (from, to, out) => {
    const [a, b] = [points[from], points[to]]
    const length = Math.hypot(b[0] - a[0], b[1] - a[1])
    let [far, at] = [0, -1]
    for (let i = from + 1; i < to; i++) {
      const p = points[i]
      const away = length < 1e-9 ? Math.hypot(p[0] - a[0], p[1] - a[1])
        : Math.abs((b[0] - a[0]) * (a[1] - p[1]) - (a[0] - p[0]) * (b[1] - a[1])) / length
      if (away > far) { far = away; at = i }
    }
    if (far > tolerance) { thin(from, at, out); thin(at, to, out) } else out.push(points[to])
  }
  do {
    kept = [points[0]]
    thin(0, points.length - 1, kept)
    tolerance *= 1.5
  } while (kept.length > most)
  return kept
}

// Adding and cutting are edits of a selection: "box:...;add:1,2;cut:3".
function take(map, found, how) {
  const layer = map.facts.layers[found.layer]
  const name = `${layer.name}:${found.index}`
  if (how === "only" || layer.name !== "data" || (how === "add" && !map.pick.match(/^(data|box|lasso)/))) {
    if (how !== "cut") choose(map, name)
    return
  }
  const [base, ...edits] = map.pick.split(";")
  const lists = { add: new Set(), cut: new Set() }
  for (const edit of edits) {
    const [kind, rows] = edit.split(":")
    rows.split(",").forEach((row) => lists[kind].add(Number(row)))
  }
  const other = how === "add" ? "cut" : "add"
  const within = base === name || inBase(map, base).has(found.index)
  lists[other].delete(found.index)
  lists[how].delete(found.index)
  if (how === "add" ? !within : within) lists[how].add(found.index)
  if (lists.add.size + lists.cut.size > 64) { map.said.textContent = "A link holds 64 changes to a selection; draw it anew."; return }
  choose(map, [base, ...["add", "cut"].filter((kind) => lists[kind].size).map((kind) => `${kind}:${[...lists[kind]].join(",")}`)].join(";"))
}

function key(map, event) {
  const step = 0.1 / map.zoom
  const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }
  const way = ways[event.key]
  if (way && event.shiftKey) map.centre = [map.centre[0] + way[0] * step, map.centre[1] - way[1] * step]
  else if (way) neighbour(map, way)
  else if (event.key === "+" || event.key === "=") zoom(map, 1.25)
  else if (event.key === "-") zoom(map, 0.8)
  else if (event.key === "0") { map.zoom = 1; map.centre = [0, 0] }
  else if (event.key === "Escape") clear(map)
  else if (event.key.toLowerCase() === "k" && !event.ctrlKey && !event.metaKey) pick(map)
  else if (event.key === "Enter" || event.key === " ") {
    const found = map.hovered ?? near(map, [map.width / 2, map.height / 2], 60)
    if (found) take(map, found, event.shiftKey ? "add" : event.altKey ? "cut" : "only")
  } else return
  event.preventDefault()
  paintSoon(map)
}

// Keep the point under the pointer.
function pick(map) {
  const found = map.hovered
  if (!found) return
  const [, , , model, hash] = map.facts.card.split("/")
  const place = `${map.facts.layers[found.layer].name}:${found.index}`
  keepAll([{ model, hash, place, origin: `${hash}|place|${place}` }])
}

// The nearest point within a right angle round the way of the arrow; far to the side counts double.
function neighbour(map, way) {
  const from = map.hovered ?? near(map, [map.width / 2, map.height / 2], 200)
  if (!from) return
  if (!map.hovered) { focus(map, from); return }
  const here = screenOf(map, from)
  let best = null
  map.facts.layers.forEach((layer, number) => {
    if (!layer.shown) return
    for (let i = 0; i < layer.n; i++) {
      if ((number === from.layer && i === from.index) || hiddenPoint(layer, i)) continue
      const [x, y] = toScreen(map, layer.xy[2 * i], layer.xy[2 * i + 1])
      const along = (x - here[0]) * way[0] + (y - here[1]) * way[1]
      const aside = Math.abs((x - here[0]) * way[1]) + Math.abs((y - here[1]) * way[0])
      if (along <= 0.5 || aside > along) continue
      const away = along + 2 * aside
      if (!best || away < best.away) best = { layer: number, index: i, away }
    }
  })
  if (best) focus(map, best)
}

function focus(map, found) {
  map.hovered = found
  const [x, y] = screenOf(map, found)
  if (x < 20 || y < 20 || x > map.width - 20 || y > map.height - 20) {
    const size = Math.min(map.width, map.height) * map.zoom
    map.centre = [map.centre[0] + (x - map.width / 2) / size, map.centre[1] - (y - map.height / 2) / size]
  }
  clearTimeout(map.dwell)
  map.dwell = setTimeout(() => card(map, found), DWELL)
  paintSoon(map)
}

function screenOf(map, { layer, index }) {
  const { xy } = map.facts.layers[layer]
  return toScreen(map, xy[2 * index], xy[2 * index + 1])
}

function choose(map, pick) {
  if (pick === map.pick) return
  map.pick = pick
  map.chosen = null
  map.send("pick", pick)
  paintSoon(map)
}

function walk(map, path) {
  if (path === map.path) return
  map.path = path
  map.send("path", path)
  paintSoon(map)
}

function clear(map) {
  choose(map, "")
  walk(map, "")
  leave(map)
}

function hiddenPoint(layer, i) { return layer.colours?.[i] === HIDDEN }

// A grid of buckets finds the point under the pointer without looking at all of them.
function near(map, at, reach = REACH, only = null) {
  const { facts, points } = map
  const cell = points.span / 120
  if (!map.buckets) {
    map.buckets = new Map()
    facts.layers.forEach((layer, number) => {
      if (!layer.shown) return
      for (let i = 0; i < layer.n; i++) {
        if (hiddenPoint(layer, i)) continue
        const name = Math.floor(layer.xy[2 * i] / cell) * 4096 + Math.floor(layer.xy[2 * i + 1] / cell)
        if (!map.buckets.has(name)) map.buckets.set(name, [])
        map.buckets.get(name).push([number, i])
      }
    })
  }
  const [low, high] = [toData(map, [at[0] - reach, at[1] + reach]), toData(map, [at[0] + reach, at[1] - reach])]
  let best = null
  for (let i = Math.floor(low[0] / cell); i <= Math.floor(high[0] / cell); i++) {
    for (let j = Math.floor(low[1] / cell); j <= Math.floor(high[1] / cell); j++) {
      for (const [number, index] of map.buckets.get(i * 4096 + j) ?? []) {
        const { xy, mark, name } = facts.layers[number]
        if (only && name !== only) continue
        const [x, y] = toScreen(map, xy[2 * index], xy[2 * index + 1])
        // A star lies above the dots and is larger: it wins a near tie.
        const distance = Math.hypot(x - at[0], y - at[1]) - (mark === "star" || mark === "hole" ? 5 : 0)
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
  map.dwell = setTimeout(() => card(map, found), DWELL)
  paintSoon(map)
}

function leave(map) {
  clearTimeout(map.dwell)
  map.hovered = null
  map.card.hidden = true
  if (map.facts && map.width) paintSoon(map)
}

async function card(map, found) {
  const layer = map.facts.layers[found.layer]
  let facts
  try {
    facts = JSON.parse(new TextDecoder().decode(await get(map.facts.card.replace("{layer}", layer.name).replace("{i}", found.index))))
  } catch { return }
  if (map.hovered !== found) return
  const list = map.card.querySelector("dl")
  list.replaceChildren()
  for (const [name, value] of [[facts.title, ""], ...facts.rows]) {
    const [term, detail] = [document.createElement("dt"), document.createElement("dd")]
    term.textContent = name
    detail.textContent = value
    list.append(term, detail)
  }
  const frame = map.card.querySelector(".pictures")
  frame.replaceChildren()
  frame.classList.toggle("tall", map.facts.smooth)
  frame.classList.toggle("inked", map.facts.inked)
  for (const [words, address] of facts.pictures) {
    const figure = document.createElement("figure")
    const image = new Image()
    image.alt = words
    image.className = map.facts.smooth ? "smooth" : ""
    image.src = address
    const caption = document.createElement("figcaption")
    caption.textContent = words
    figure.append(image, caption)
    frame.append(figure)
  }
  map.said.textContent = [...list.children].map((cell) => cell.textContent).join(" ")
  map.card.hidden = false
  const [x, y] = screenOf(map, found)
  const [width, height] = [Math.max(map.card.offsetWidth, 190), map.card.offsetHeight]
  map.card.style.left = `${x + 16 + width > map.width ? Math.max(4, x - 16 - width) : x + 16}px`
  map.card.style.top = `${Math.max(4, Math.min(map.height - height - 4, y - height / 2))}px`
}

function toneOf(map, layer) { return layer.colour === "ink" ? map.theme.text : layer.colour }

function legend(map) {
  const box = map.root.querySelector(".legend")
  box.replaceChildren()
  const add = (mark, text) => {
    const item = document.createElement("span")
    if (mark) item.append(mark)
    item.append(text)
    box.append(item)
  }
  const chip = (colour, kind = "") => { const dot = document.createElement("i"); dot.style.background = dot.style.borderColor = colour; dot.className = kind; return dot }
  const count = (layer) => {
    const seen = layer.colours ? layer.colours.reduce((sum, level) => sum + (level !== HIDDEN), 0) : layer.n
    return seen < layer.n ? `${layer.label} (${seen.toLocaleString("en")} of ${layer.n.toLocaleString("en")})` : `${layer.label} (${layer.n.toLocaleString("en")})`
  }
  const { column, ramp } = map.facts
  for (const layer of map.facts.layers) {
    if (!layer.shown) continue
    if (layer.mark === "hole") { add(chip(map.theme.accent, "patch"), `${map.regions.words}`); continue }
    if (layer.mark !== "dot") {
      const sign = document.createElementNS("http://www.w3.org/2000/svg", "svg")
      sign.setAttribute("viewBox", "-8 -8 16 16")
      const path = document.createElementNS("http://www.w3.org/2000/svg", "path")
      path.setAttribute("d", layer.mark === "star" ? star(7) : "M0-6L6 0L0 6L-6 0Z")
      path.setAttribute("fill", layer.mark === "star" ? toneOf(map, layer) : "none")
      path.setAttribute("stroke", toneOf(map, layer))
      path.setAttribute("stroke-width", layer.mark === "star" ? "1" : "2")
      sign.append(path)
      add(sign, count(layer))
    } else if (column?.classes?.length > 2 * ramp.length) {
      add(null, `${count(layer)}: ${column.classes.length} classes share ${ramp.length} colours; rest the pointer on a dot for its class`)
    } else if (column?.classes) {
      add(null, `${count(layer)}:`)
      column.classes.forEach((name, k) => add(chip(ramp[k % ramp.length]), name))
    } else if (column) {
      const bar = document.createElement("i")
      bar.className = "ramp"
      bar.style.background = `linear-gradient(to right, ${ramp.join(",")})`
      add(null, `${layer.label}, ${column.label}: ${column.low}`)
      add(bar, column.high)
    } else add(chip(toneOf(map, layer)), count(layer))
  }
  for (const kind of map.facts.contours) {
    const line = chip(kind === "prior" ? map.theme.accent : map.theme.text, kind === "prior" ? "line" : "line dashed")
    line.style.background = "none"
    add(line, `${kind === "prior" ? "Prior" : "Aggregated posterior"}: 50, 90, 99 % of its mass${map.regions?.exact ? "" : ", estimated"}`)
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
  for (const canvas of [map.canvas, map.under]) {
    canvas.width = Math.round(map.width * ratio)
    canvas.height = Math.round(map.height * ratio)
  }
  map.ratio = ratio
  paint(map)
}

function paintSoon(map) {
  if (map.pending || !map.facts || !map.width) return
  map.pending = true
  requestAnimationFrame(() => { map.pending = false; paint(map) })
}

function paint(map) {
  const { canvas, facts, ratio, width, height } = map
  if (!width || !facts) return
  const pen = canvas.getContext("2d", { willReadFrequently: true })
  pen.setTransform(ratio, 0, 0, ratio, 0, 0)
  pen.clearRect(0, 0, width, height)
  const dot = Math.max(1.6, Math.min(5, 1.9 * Math.sqrt(map.zoom)))
  const data = facts.layers.find((layer) => layer.mark === "dot")
  if (map.gl && !map.gl.isContextLost()) shade(map, data, dot)
  else dots(map, map.under.getContext("2d", { willReadFrequently: true }), data, dot)
  if (facts.axes) axes(map, pen)
  if (map.regions) regions(map, pen)
  let points = data?.shown ? data.n : 0
  for (const layer of facts.layers) {
    if (!layer.shown || layer.mark === "dot") continue
    if (layer.mark === "hole") { holes(map, pen, layer); continue }
    points += layer.n
    marks(map, pen, layer, layer.mark === "star" ? (layer.n > 150 ? 2 : 5) + dot : dot + 1.4)
  }
  const chosen = (map.chosen ??= selected(map))
  outline(map, pen)
  chosen.forEach(([layer, index], k) => { if (k < 3000) ring(map, pen, layer, index, chosen.length > 100 ? 3 : chosen.length > 20 ? 4.5 : 8, chosen.length > 100 ? 0.7 : 1.5) })
  if (map.path) polyline(map, pen, numbersOf(map.path), true)
  if (map.trail) {
    pen.strokeStyle = map.theme.accent
    pen.lineWidth = 2
    pen.beginPath()
    map.trail.forEach((point, k) => (k ? pen.lineTo(...point) : pen.moveTo(...point)))
    pen.stroke()
  }
  if (facts.marks.length > 1) polyline(map, pen, facts.marks.flatMap(([x, y]) => [x, y]), true)
  for (const [x, y, label] of [...facts.marks].sort((a, b) => a[2].length - b[2].length)) flag(map, pen, x, y, label)
  if (map.hovered) ring(map, pen, map.hovered.layer, map.hovered.index, 10, 2.5)
  map.painted += 1
  const { hovered } = map
  Object.assign(canvas.dataset, {
    points, zoom: map.zoom.toFixed(3), painted: map.painted, selected: chosen.length, pick: map.pick, path: map.path,
    hovered: hovered ? `${facts.layers[hovered.layer].name}:${hovered.index}` : "",
    centre: map.centre.map((value) => value.toFixed(4)).join(","),
    renderer: map.gl && !map.gl.isContextLost() ? "webgl" : "canvas", holes: map.regions && facts.holes ? map.regions.holes.length : 0,
  })
  clearTimeout(map.timer)
  map.timer = setTimeout(() => digest(map), 150)
}

// WebGL draws the dots where the browser has it; a plain canvas does elsewhere.
function graphics(map) {
  const gl = map.under.getContext("webgl", { preserveDrawingBuffer: true, antialias: false, premultipliedAlpha: false })
  if (!gl) return null
  const part = (kind, text) => {
    const shader = gl.createShader(kind)
    gl.shaderSource(shader, text)
    gl.compileShader(shader)
    return shader
  }
  const program = gl.createProgram()
  gl.attachShader(program, part(gl.VERTEX_SHADER, `
    attribute vec2 place; attribute vec4 tone; uniform vec2 centre; uniform vec2 reach; uniform float size; varying vec4 colour;
    void main() { gl_Position = vec4((place - centre) * reach, 0., 1.); gl_PointSize = tone.a > 0. ? size : 0.; colour = tone; }`))
  gl.attachShader(program, part(gl.FRAGMENT_SHADER, `
    precision highp float; varying vec4 colour; uniform float size;
    void main() {
      float away = length(gl_PointCoord - .5) * size;
      float cover = clamp(size * .5 - away, 0., 1.);
      if (cover * colour.a <= 0.) discard;
      gl_FragColor = vec4(colour.rgb, colour.a * cover);
    }`))
  gl.linkProgram(program)
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) { plain(map); return null }
  map.program = program
  map.places = gl.createBuffer()
  map.tones = gl.createBuffer()
  map.under.addEventListener("webglcontextlost", (event) => { event.preventDefault(); lost(map) })
  return gl
}

// A canvas keeps its kind for life: where WebGL fails or is lost, a new one takes its place.
function plain(map) {
  const fresh = map.under.cloneNode()
  map.under.replaceWith(fresh)
  map.under = fresh
  map.gl = null
}

function lost(map) {
  plain(map)
  resize(map)
}

function palette(map, layer) {
  const { column, ramp } = map.facts
  const list = column ? ramp : [toneOf(map, layer)]
  const pen = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true })
  return [...list, "#8a8f98"].map((colour) => {
    pen.fillStyle = colour
    pen.fillRect(0, 0, 1, 1)
    return [...pen.getImageData(0, 0, 1, 1).data]
  })
}

function levelOf(map, layer, i, count) {
  if (!map.facts.column) return 0
  const level = layer.colours[i]
  if (level === UNKNOWN) return count - 1
  return map.facts.column.classes ? level % (count - 1) : Math.min(count - 2, Math.floor((level / 254) * (count - 1)))
}

function shade(map, layer, dot) {
  const { gl, program } = map
  gl.viewport(0, 0, map.under.width, map.under.height)
  gl.clearColor(0, 0, 0, 0)
  gl.clear(gl.COLOR_BUFFER_BIT)
  if (!layer?.shown || !layer.n) return
  gl.useProgram(program)
  const attribute = (name, buffer, size, kind, unit) => {
    const at = gl.getAttribLocation(program, name)
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer)
    gl.enableVertexAttribArray(at)
    gl.vertexAttribPointer(at, size, kind, unit, 0, 0)
  }
  if (map.glStale) {
    gl.bindBuffer(gl.ARRAY_BUFFER, map.places)
    gl.bufferData(gl.ARRAY_BUFFER, layer.xy, gl.STATIC_DRAW)
    const list = palette(map, layer)
    const tones = new Uint8Array(4 * layer.n)
    const alpha = layer.n > 3000 ? 184 : 217
    for (let i = 0; i < layer.n; i++) {
      const [r, g, b] = list[levelOf(map, layer, i, list.length)]
      tones.set([r, g, b, hiddenPoint(layer, i) ? 0 : alpha], 4 * i)
    }
    gl.bindBuffer(gl.ARRAY_BUFFER, map.tones)
    gl.bufferData(gl.ARRAY_BUFFER, tones, gl.STATIC_DRAW)
    map.glStale = false
  }
  attribute("place", map.places, 2, gl.FLOAT, false)
  attribute("tone", map.tones, 4, gl.UNSIGNED_BYTE, true)
  const { span, middle } = map.points
  const size = Math.min(map.width, map.height) * map.zoom
  gl.uniform2f(gl.getUniformLocation(program, "centre"), middle[0] + map.centre[0] * span, middle[1] + map.centre[1] * span)
  gl.uniform2f(gl.getUniformLocation(program, "reach"), (2 * size) / span / map.width, (2 * size) / span / map.height)
  gl.uniform1f(gl.getUniformLocation(program, "size"), 2 * dot * map.ratio + 1)
  gl.enable(gl.BLEND)
  gl.blendFuncSeparate(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA, gl.ONE, gl.ONE_MINUS_SRC_ALPHA)
  gl.drawArrays(gl.POINTS, 0, layer.n)
}

function dots(map, pen, layer, size) {
  pen.setTransform(map.ratio, 0, 0, map.ratio, 0, 0)
  pen.clearRect(0, 0, map.width, map.height)
  if (!layer?.shown) return
  const list = palette(map, layer)
  const heaps = list.map(() => [])
  for (let i = 0; i < layer.n; i++) if (!hiddenPoint(layer, i)) heaps[levelOf(map, layer, i, list.length)].push(i)
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

function marks(map, pen, layer, size) {
  const shape = new Path2D(layer.mark === "star" ? star(size) : `M0-${size}L${size} 0L0 ${size}L-${size} 0Z`)
  pen.lineWidth = layer.mark === "star" ? 1.2 : 1.3
  pen.globalAlpha = layer.mark === "star" ? 1 : 0.55
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

function regions(map, pen) {
  const { facts } = map
  const trace = (lines) => {
    pen.beginPath()
    for (const line of lines) {
      for (let k = 0; k < line.length; k += 2) {
        const at = toScreen(map, line[k], line[k + 1])
        if (k) pen.lineTo(...at)
        else pen.moveTo(...at)
      }
    }
  }
  if (facts.holes) {
    trace(map.regions.outlines)
    pen.fillStyle = pen.strokeStyle = map.theme.accent
    pen.globalAlpha = 0.14
    pen.fill("evenodd")
    pen.globalAlpha = 0.5
    pen.lineWidth = 1
    pen.stroke()
    pen.globalAlpha = 1
  }
  for (const kind of facts.contours) {
    pen.strokeStyle = kind === "prior" ? map.theme.accent : map.theme.text
    pen.setLineDash(kind === "prior" ? [] : [5, 4])
    map.regions[kind].forEach((lines, k) => {
      trace(lines)
      pen.globalAlpha = [0.95, 0.7, 0.45][k]
      pen.lineWidth = [2, 1.5, 1.2][k]
      pen.stroke()
    })
    pen.setLineDash([])
    pen.globalAlpha = 1
  }
}

function holes(map, pen, layer) {
  pen.lineWidth = 1.6
  for (let i = 0; i < layer.n; i++) {
    const [x, y] = toScreen(map, layer.xy[2 * i], layer.xy[2 * i + 1])
    pen.beginPath()
    pen.arc(x, y, 6, 0, 6.2832)
    pen.fillStyle = map.theme.ground
    pen.fill()
    pen.strokeStyle = map.theme.accent
    pen.setLineDash([3, 2])
    pen.stroke()
    pen.setLineDash([])
  }
}

function axes(map, pen) {
  pen.strokeStyle = pen.fillStyle = map.theme.text
  pen.lineWidth = 0.5
  pen.font = "11px sans-serif"
  const [low, high] = [toData(map, [0, map.height]), toData(map, [map.width, 0])]
  const rough = (high[1] - low[1]) / 5
  const power = Math.pow(10, Math.floor(Math.log10(rough)))
  const step = power * [1, 2, 5, 10].find((times) => times * power >= rough * 0.99)
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

function numbersOf(text) { return text.split(",").map(Number) }

function inBase(map, base) {
  const [kind, rest] = base.split(":")
  const layer = map.facts.layers.find((item) => item.name === "data")
  const found = new Set()
  if (!rest || !layer) return found
  const numbers = numbersOf(rest)
  if (kind === "data") found.add(numbers[0])
  for (let i = 0; i < layer.n && (kind === "box" || kind === "lasso"); i++) {
    const [x, y] = [layer.xy[2 * i], layer.xy[2 * i + 1]]
    if (kind === "box" ? x >= numbers[0] && x <= numbers[2] && y >= numbers[1] && y <= numbers[3] : within(x, y, numbers)) found.add(i)
  }
  return found
}

function within(x, y, polygon) {
  let found = false
  for (let i = 0, j = polygon.length - 2; i < polygon.length; j = i, i += 2) {
    const [x1, y1, x2, y2] = [polygon[i], polygon[i + 1], polygon[j], polygon[j + 1]]
    if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) found = !found
  }
  return found
}

function selected(map) {
  if (!map.pick) return []
  const [base, ...edits] = map.pick.split(";")
  const [kind, rest] = base.split(":")
  if (kind === "spot") return []
  if (kind !== "data" && kind !== "box" && kind !== "lasso") {
    const number = map.facts.layers.findIndex((layer) => layer.name === kind)
    return number >= 0 && Number(rest) < map.facts.layers[number].n ? [[number, Number(rest)]] : []
  }
  const number = map.facts.layers.findIndex((layer) => layer.name === "data")
  const layer = map.facts.layers[number]
  const rows = inBase(map, base)
  for (const edit of edits) {
    const [how, list] = edit.split(":")
    for (const row of numbersOf(list)) how === "add" ? rows.add(row) : rows.delete(row)
  }
  return [...rows].filter((row) => row < layer.n && !hiddenPoint(layer, row)).map((row) => [number, row])
}

function outline(map, pen) {
  const [kind, rest] = map.pick.split(";")[0].split(":")
  if (kind === "spot") flag(map, pen, ...numbersOf(rest), "+")
  if (kind !== "box" && kind !== "lasso") return
  const n = numbersOf(rest)
  polyline(map, pen, kind === "box" ? [n[0], n[1], n[2], n[1], n[2], n[3], n[0], n[3]] : n, false)
}

function polyline(map, pen, numbers, open) {
  pen.strokeStyle = pen.fillStyle = map.theme.accent
  pen.lineWidth = open ? 2.5 : 2
  pen.beginPath()
  for (let k = 0; k < numbers.length; k += 2) {
    const at = toScreen(map, numbers[k], numbers[k + 1])
    if (k) pen.lineTo(...at)
    else pen.moveTo(...at)
  }
  if (!open) {
    pen.closePath()
    pen.globalAlpha = 0.08
    pen.fill()
    pen.globalAlpha = 1
  }
  pen.stroke()
}

function flag(map, pen, x, y, label) {
  const at = toScreen(map, x, y)
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

function ring(map, pen, number, index, radius, width) {
  const { xy } = map.facts.layers[number]
  const [x, y] = toScreen(map, xy[2 * index], xy[2 * index + 1])
  pen.strokeStyle = map.theme.ground
  pen.lineWidth = width + 2
  pen.beginPath()
  pen.arc(x, y, radius, 0, 6.2832)
  pen.stroke()
  pen.strokeStyle = map.theme.accent
  pen.lineWidth = width
  pen.stroke()
}

function digest(map) {
  if (!map.canvas.width || !map.canvas.height) return
  const both = document.createElement("canvas")
  both.width = map.canvas.width
  both.height = map.canvas.height
  const pen = both.getContext("2d", { willReadFrequently: true })
  pen.fillStyle = map.theme.ground
  pen.fillRect(0, 0, both.width, both.height)
  pen.drawImage(map.under, 0, 0)
  pen.drawImage(map.canvas, 0, 0)
  map.canvas.dataset.digest = crcOf(both)
}
