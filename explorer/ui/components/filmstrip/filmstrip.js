// Frames arrive once; from then on the browser paints them at the screen's rate, and Python
// hears of the frame only when it is released.
const strips = new WeakMap()
const GAP = 4

export default function (component) {
  const { parentElement, data } = component
  const root = parentElement.querySelector(".filmstrip")
  if (!root || !data) return
  let strip = strips.get(root)
  if (!strip) {
    strip = build(root)
    strips.set(root, strip)
  }
  strip.send = component.setStateValue
  read(strip, data)
  colours(strip)
  layout(strip)
  return () => strip.observer.disconnect()
}

function read(strip, bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = view.getUint32(0, true)
  const facts = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)))
  let at = 4 + length
  for (const panel of facts.panels) {
    const body = bytes.slice(at, at + panel.bytes)
    panel.body = panel.kind === "pixels" ? body : new Uint16Array(body.buffer)
    at += panel.bytes
  }
  const first = !strip.facts
  const changed = first || facts.turn !== strip.facts.turn
  strip.facts = facts
  const last = facts.values.length - 1
  if (changed) {
    strip.frame = strip.sentFrame = facts.at
    strip.tile = facts.tile
  }
  strip.frame = Math.min(strip.frame, last)
  const { input, control, home } = strip
  control.hidden = last < 1
  input.max = last
  input.value = strip.frame
  input.setAttribute("aria-label", facts.label || "frame")
  strip.label.textContent = facts.label
  strip.low.textContent = facts.low
  strip.high.textContent = facts.high
  home.hidden = facts.home === null
  // The thumb's centre travels between half its width from either end.
  if (facts.home !== null) home.style.left = `calc(12px + (100% - 24px) * ${facts.home / last})`
  home.title = "Double-click: back to here"
  while (strip.panels.children.length > facts.panels.length) strip.panels.lastChild.remove()
  while (strip.panels.children.length < facts.panels.length) strip.panels.append(stage(strip))
  facts.panels.forEach((panel, index) => {
    const element = strip.panels.children[index]
    element.querySelector("h4").textContent = panel.title
    const canvas = element.querySelector("canvas")
    canvas.classList.toggle("still", !facts.selectable)
    canvas.setAttribute("aria-label", `${panel.tiles} ${facts.name}s${panel.title ? ", " + panel.title : ""}; arrow keys move, Enter selects`)
    panel.canvas = canvas
    panel.native = null
  })
}

function build(root) {
  const strip = {
    root, facts: null, frame: 0, tile: null, hover: null, painted: 0, pending: false,
    control: root.querySelector(".control"), input: root.querySelector("input"),
    output: root.querySelector("output"), label: root.querySelector(".label"),
    low: root.querySelector(".low"), high: root.querySelector(".high"),
    home: root.querySelector(".home"), panels: root.querySelector(".panels"),
    said: root.querySelector(".said"), timer: 0, keys: new Set(),
  }
  const { input } = strip
  input.oninput = () => show(strip, Number(input.value))
  input.onchange = () => { if (!strip.keys.size) release(strip) }
  input.onkeydown = (event) => {
    strip.keys.add(event.key)
    if (event.key === "0") reset(strip)
  }
  input.onkeyup = (event) => {
    strip.keys.delete(event.key)
    if (!strip.keys.size) release(strip)
  }
  input.onblur = () => { strip.keys.clear(); release(strip) }
  input.ondblclick = () => reset(strip)
  strip.observer = new ResizeObserver(() => layout(strip))
  strip.observer.observe(strip.panels)
  return strip
}

function stage(strip) {
  const panel = document.createElement("div")
  panel.className = "panel"
  panel.innerHTML = '<h4></h4><div class="stage"><canvas tabindex="0" role="group"></canvas></div>'
  const canvas = panel.querySelector("canvas")
  let grip = null
  const index = () => [...strip.panels.children].indexOf(panel)
  canvas.onpointerdown = (event) => {
    if (event.button) return
    grip = { x: event.clientX, frame: strip.frame, moved: false }
    canvas.setPointerCapture(event.pointerId)
  }
  canvas.onpointermove = (event) => {
    const last = strip.facts.values.length - 1
    if (grip && last > 0) {
      const by = event.clientX - grip.x
      if (Math.abs(by) > 6) grip.moved = true
      if (grip.moved) {
        const frame = Math.round(grip.frame + (by / canvas.clientWidth) * last)
        show(strip, Math.max(0, Math.min(last, frame)))
        return
      }
    }
    hover(strip, index(), tileAt(strip, index(), event))
  }
  canvas.onpointerup = (event) => {
    if (!grip) return
    const moved = grip.moved
    grip = null
    if (moved) release(strip)
    else choose(strip, tileAt(strip, index(), event))
  }
  canvas.onpointercancel = () => { if (grip?.moved) release(strip); grip = null }
  canvas.onpointerleave = () => { if (!grip) hover(strip, index(), null) }
  canvas.onkeydown = (event) => {
    const data = strip.facts.panels[index()]
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -data.columns, ArrowDown: data.columns }[event.key]
    if (step) {
      const to = (strip.hover?.tile ?? strip.tile ?? -Math.sign(step)) + step
      hover(strip, index(), Math.max(0, Math.min(data.tiles - 1, to)))
    } else if (event.key === "Enter" || event.key === " ") choose(strip, strip.hover?.tile ?? null)
    else if (event.key === "Escape") choose(strip, null)
    else return
    event.preventDefault()
  }
  return panel
}

function colours(strip) {
  const style = getComputedStyle(strip.root)
  const parse = (name, other) => {
    const pen = document.createElement("canvas").getContext("2d")
    pen.fillStyle = other
    pen.fillStyle = style.getPropertyValue(name).trim()
    pen.fillRect(0, 0, 1, 1)
    return pen.getImageData(0, 0, 1, 1).data
  }
  const ground = parse("--st-background-color", "#ffffff")
  const dark = ground[0] + ground[1] + ground[2] < 380
  const paper = dark ? [8, 11, 15] : [255, 255, 255]
  const ink = dark ? [240, 244, 248] : [17, 24, 34]
  strip.paper = `rgb(${paper})`
  strip.ink = `rgb(${ink})`
  strip.fill = dark ? "rgb(38, 58, 80)" : "rgb(219, 229, 240)"
  strip.accent = style.getPropertyValue("--st-primary-color").trim() || "#0b6bb8"
  strip.edge = style.getPropertyValue("--st-border-color").trim() || "#cccccc"
  strip.table = new Uint32Array(256)
  for (let v = 0; v < 256; v++) {
    const mix = paper.map((p, c) => Math.round(p + ((ink[c] - p) * v) / 255))
    strip.table[v] = (255 << 24) | (mix[2] << 16) | (mix[1] << 8) | mix[0]
  }
}

function layout(strip) {
  if (!strip.facts) return
  const ratio = window.devicePixelRatio || 1
  for (const panel of strip.facts.panels) {
    const width = panel.canvas.parentElement.clientWidth
    if (!width) continue
    const shape = panel.kind === "pixels" ? panel.width / panel.height : curveShape(panel)
    const least = strip.facts.tileWidth
    const fit = Math.max(1, Math.floor((width + GAP) / (least + GAP)))
    panel.columns = Math.min(strip.facts.columns ?? fit, fit, panel.tiles)
    const rows = Math.ceil(panel.tiles / panel.columns)
    let tile = Math.floor((width - GAP * (panel.columns - 1)) / panel.columns)
    tile = Math.min(tile, panel.kind === "pixels" ? Math.max(least * 1.6, 40) : 340)
    // Whole device pixels for each picture element: crisp at any size.
    if (panel.kind === "pixels") {
      const factor = Math.floor((tile * ratio) / panel.width)
      if (factor >= 1) tile = (factor * panel.width) / ratio
    }
    panel.tile = [tile, Math.round(tile / shape)]
    const size = [panel.columns * (tile + GAP) - GAP, rows * (panel.tile[1] + GAP) - GAP]
    panel.canvas.style.width = `${size[0]}px`
    panel.canvas.style.height = `${size[1]}px`
    panel.canvas.width = Math.round(size[0] * ratio)
    panel.canvas.height = Math.round(size[1] * ratio)
    panel.ratio = ratio
  }
  paint(strip)
}

function curveShape(panel) {
  const span = Math.max(...panel.x) - Math.min(...panel.x)
  return Math.max(1, Math.min(4, span / (panel.high - panel.low)))
}

function show(strip, frame) {
  if (frame === strip.frame) return
  strip.frame = frame
  strip.input.value = frame
  if (strip.pending) return
  strip.pending = true
  requestAnimationFrame(() => { strip.pending = false; paint(strip) })
}

function reset(strip) {
  if (strip.facts.home === null) return
  show(strip, strip.facts.home)
  release(strip)
}

function release(strip) {
  if (strip.sentFrame === strip.frame) return
  strip.sentFrame = strip.frame
  strip.send("frame", strip.frame)
}

function choose(strip, tile) {
  if (!strip.facts.selectable) return
  strip.tile = tile === strip.tile ? null : tile
  paint(strip)
  strip.send("tile", strip.tile)
}

function hover(strip, panel, tile) {
  strip.hover = tile === null ? null : { panel, tile }
  say(strip)
  paint(strip)
}

function say(strip) {
  const { facts, hover: over } = strip
  if (!over) { strip.said.textContent = ""; return }
  const panel = facts.panels[over.panel]
  const parts = [facts.numbered ? `${facts.name} ${over.tile + 1}` : ""]
  if (facts.captions) parts.push(facts.captions[over.tile])
  if (panel.component[over.tile] >= 0 && panel.mixture) parts.push(`component ${panel.component[over.tile]}`)
  if (panel.scored) parts.push(`log p(z) ${panel.density[strip.frame][over.tile].toFixed(1)} nats`)
  strip.said.textContent = parts.filter(Boolean).join(" · ").replaceAll(" -", " −")
}

function tileAt(strip, index, event) {
  const panel = strip.facts.panels[index]
  const box = panel.canvas.getBoundingClientRect()
  const column = Math.floor((event.clientX - box.left) / (panel.tile[0] + GAP))
  const row = Math.floor((event.clientY - box.top) / (panel.tile[1] + GAP))
  const tile = row * panel.columns + column
  return column >= 0 && column < panel.columns && tile >= 0 && tile < panel.tiles ? tile : null
}

function paint(strip) {
  const { facts, frame, output, input } = strip
  const last = facts.values.length - 1
  const value = facts.values[frame]
  output.textContent = last > 0 ? format(facts, value) : ""
  input.setAttribute("aria-valuetext", format(facts, value))
  input.style.setProperty("--at", `calc(12px + (100% - 24px) * ${last ? frame / last : 0})`)
  facts.panels.forEach((panel, index) => {
    if (!panel.tile) return
    const pen = panel.canvas.getContext("2d", { willReadFrequently: true })
    pen.setTransform(panel.ratio, 0, 0, panel.ratio, 0, 0)
    pen.clearRect(0, 0, panel.canvas.width, panel.canvas.height)
    const own = Math.min(frame, panel.frames - 1)
    if (panel.kind === "pixels") pixels(strip, panel, pen, own)
    else curves(strip, panel, pen, own)
    const over = strip.hover && strip.hover.panel === index ? strip.hover.tile : null
    for (const [tile, width] of [[over, 1.5], [strip.tile, 3]]) {
      if (tile === null || tile === undefined || tile >= panel.tiles) continue
      const [x, y] = place(panel, tile)
      pen.strokeStyle = strip.accent
      pen.lineWidth = width
      pen.strokeRect(x + width / 2, y + width / 2, panel.tile[0] - width, panel.tile[1] - width)
    }
  })
  strip.painted += 1
  for (const { canvas, tiles } of facts.panels) {
    Object.assign(canvas.dataset, { frame, frames: last + 1, tiles, painted: strip.painted, tile: strip.tile ?? "" })
  }
  clearTimeout(strip.timer)
  strip.timer = setTimeout(() => digest(strip), 120)
}

function format(facts, value) {
  return facts.decimals === 0 ? String(value) : value.toFixed(facts.decimals)
}

function place(panel, tile) {
  return [(tile % panel.columns) * (panel.tile[0] + GAP), Math.floor(tile / panel.columns) * (panel.tile[1] + GAP)]
}

function pixels(strip, panel, pen, frame) {
  const { width, height, channels, tiles } = panel
  if (!panel.native) {
    panel.native = new OffscreenCanvas(width, height * tiles)
    panel.picture = new ImageData(width, height * tiles)
  }
  const size = width * height * tiles
  const out = new Uint32Array(panel.picture.data.buffer)
  const from = frame * size * channels
  if (channels === 1) for (let i = 0; i < size; i++) out[i] = strip.table[panel.body[from + i]]
  else for (let i = 0, j = from; i < size; i++, j += 3) {
    out[i] = (255 << 24) | (panel.body[j + 2] << 16) | (panel.body[j + 1] << 8) | panel.body[j]
  }
  panel.native.getContext("2d").putImageData(panel.picture, 0, 0)
  pen.imageSmoothingEnabled = panel.tile[0] * panel.ratio < width
  for (let tile = 0; tile < tiles; tile++) {
    const [x, y] = place(panel, tile)
    pen.drawImage(panel.native, 0, tile * height, width, height, x, y, panel.tile[0], panel.tile[1])
  }
}

function curves(strip, panel, pen, frame) {
  const { x, tiles, body } = panel
  const [width, height] = panel.tile
  const left = Math.min(...x)
  const span = Math.max(...x) - left
  const pad = 5
  const bottom = (panel.least - panel.low) / (panel.high - panel.low)
  const step = (panel.most - panel.least) / (panel.high - panel.low) / 65535
  pen.lineJoin = "round"
  pen.lineWidth = 1.5
  for (let tile = 0; tile < tiles; tile++) {
    const [across, down] = place(panel, tile)
    pen.fillStyle = strip.paper
    pen.fillRect(across, down, width, height)
    const from = (frame * tiles + tile) * x.length
    pen.save()
    pen.beginPath()
    pen.rect(across, down, width, height)
    pen.clip()
    pen.beginPath()
    for (let i = 0; i < x.length; i++) {
      pen.lineTo(
        across + pad + ((x[i] - left) / span) * (width - 2 * pad),
        down + pad + (1 - (bottom + body[from + i] * step)) * (height - 2 * pad),
      )
    }
    if (panel.closed) {
      pen.closePath()
      pen.fillStyle = strip.fill
      pen.fill()
    }
    pen.strokeStyle = strip.ink
    pen.stroke()
    pen.restore()
  }
}

const CRC = new Uint32Array(256).map((_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1
  return n
})

function digest(strip) {
  for (const { canvas } of strip.facts.panels) {
    if (!canvas.width || !canvas.height) continue
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height)
    let crc = -1
    for (let i = 0; i < data.length; i++) crc = CRC[(crc ^ data[i]) & 255] ^ (crc >>> 8)
    canvas.dataset.digest = ((crc ^ -1) >>> 0).toString(16).padStart(8, "0")
  }
}
