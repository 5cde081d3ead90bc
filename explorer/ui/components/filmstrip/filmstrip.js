// Frames arrive once; the browser then paints them at the display's rate, and reports a frame only
// when it is released. Of a slow model one frame arrives; the others are fetched, the wanted first.
import { address, beforeFrame, begin, mount, observeSize, observeView, part, timer } from "../bridge.js"
import { bookmark, isKept, itemOf, keepAll, keepByKey, leave, nothingKept, reach, unkeep } from "../outbox_client.js"
import { bodyOf, crcOf, inkPixels, inks, paintCurve, penOf, shapeOf, unpack } from "../painting.js"
import { judge, known, noveltyOf, sayShares, signs } from "./novelty.js"
import { place, rowOf, sizeOf } from "./places.js"
import { digestMap, fitMap, loadMap, paintMap, showMap } from "./sample_map.js"
import { tiling } from "./tiling.js"

/** @typedef {import("../types").Filmstrip} Filmstrip */
/** @typedef {import("../types").FilmstripFacts} FilmstripFacts */
/** @typedef {import("../types").FilmstripPanel} FilmstripPanel */

const PAUSE = 250

const QUIET = 1500

/** Height of a line below tiles, in CSS pixels. */
const FOOT = 16

/** Side of the target that keeps a tile, in CSS pixels. */
const MARK = 24

/** When a strip of this page was last redrawn: the server may still be busy with the page. */
let redrawn = 0

export default mount({
  selector: ".filmstrip",
  build,
  listen(strip, signal) {
    strip.signal = signal
    strip.paintSoon = beforeFrame(signal, () => paint(strip))
    strip.digestion = timer(signal, 120, () => digest(strip))
    strip.later = timer(signal, PAUSE, () => gather(strip))
    strip.judging = timer(signal, PAUSE, () => judgeLater(strip))
    observeView(signal, strip.root, (visible) => {
      strip.visible = visible
      if (visible && strip.facts) strip.judging.set()
    })
    observeSize(signal, strip.panels, () => layout(strip))
    keepByKey(strip.keeper, signal)
    window.addEventListener("latent-explorer-kept", () => paint(strip), { signal })
    document.addEventListener("visibilitychange", () => gather(strip), { signal })
  },
  update(strip, /** @type {Uint8Array} */ bytes, { setStateValue }) {
    strip.send = setStateValue
    strip.theme = inks(strip.root)
    read(strip, bytes)
    layout(strip)
  },
})

/** @param {Filmstrip} strip @param {Uint8Array} bytes */
function read(strip, bytes) {
  redrawn = performance.now()
  const [header, bodies] = unpack(bytes)
  const facts = /** @type {FilmstripFacts} */ (header)
  let at = 0
  for (const panel of facts.panels) {
    const own = bodies.slice(at, at + panel.bytes)
    if (panel.sent === null) panel.body = bodyOf(panel, own)
    else assemble(panel, own)
    at += panel.bytes
  }
  for (const panel of facts.panels) if (panel.under !== null) panel.ghost = facts.panels[panel.under]
  strip.facts = facts
  const last = facts.values.length - 1
  if (facts.version !== strip.version) {
    strip.version = facts.version
    strip.frame = strip.sentFrame = facts.at
    strip.tile = facts.tile
  }
  strip.frame = Math.min(strip.frame, last)
  const over = strip.hover && facts.panels[strip.hover.panel]
  if (strip.hover && !(over && strip.hover.tile < over.tiles)) { strip.hover = null; leave(strip.keeper) }
  const { input, control, home } = strip
  strip.all.hidden = !facts.keepAll || !facts.panels[0].keep
  strip.all.textContent = facts.panels[0].tiles === 1 ? "Keep" : `Keep all ${facts.panels[0].tiles}`
  control.hidden = last < 1
  strip.said.hidden = last < 1 && facts.panels.every((panel) => panel.tiles === 1)
  input.max = String(last)
  input.value = String(strip.frame)
  input.setAttribute("aria-label", facts.label || "frame")
  strip.label.textContent = facts.label
  strip.low.textContent = facts.low
  strip.high.textContent = facts.high
  home.hidden = facts.home === null
  // The thumb's centre stays half its width away from either end.
  if (facts.home !== null) home.style.left = `calc(12px + (100% - 24px) * ${facts.home / last})`
  home.title = "Double-click to return here"
  while (strip.panels.children.length > facts.panels.length) strip.panels.lastElementChild?.remove()
  while (strip.panels.children.length < facts.panels.length) strip.panels.append(stage(strip))
  facts.panels.forEach((panel, index) => {
    const element = strip.panels.children[index]
    const heading = part(element, "h4", HTMLElement)
    heading.textContent = heading.title = panel.title
    const canvas = part(element, "canvas", HTMLCanvasElement)
    canvas.classList.toggle("still", !facts.selectable)
    canvas.classList.toggle("scrubs", last > 0 && facts.low !== "")
    canvas.setAttribute("aria-label", `${panel.tiles} ${facts.name}s${panel.title ? ", " + panel.title : ""}; arrow keys move, Enter selects${panel.keep ? ", K keeps" : ""}`)
    panel.canvas = canvas
    panel.native = null
    panel.tally = part(element, ".tally", HTMLElement)
    panel.tally.hidden = true
    panel.shares = part(element, ".shares", HTMLElement)
    panel.shares.dataset.shares = ""
    const frame = panel.sent === null ? null : strip.frame
    if (panel.novelty) panel.judged = known(panel.novelty, frame)
    panel.asked = panel.signs
    showMap(strip, index, element, { hover: (tile) => hover(strip, index, tile), choose: (tile) => choose(strip, tile) })
    if (panel.novelty && panel.signs) complete(strip, panel, judge(panel, panel.novelty, frame))
    if (panel.properties) complete(strip, panel, measure(panel, panel.properties, frame))
  })
  gather(strip)
  strip.judging.set()
}

/**
 * Fetch the novelty of walls without signs: once they are in view and the page is quiet, one after another.
 *
 * @param {Filmstrip} strip
 */
async function judgeLater(strip) {
  if (!strip.visible) return
  for (const panel of strip.facts.panels) {
    if (!panel.novelty || panel.signs || panel.asked || strip.signal.aborted) continue
    panel.asked = true
    await complete(strip, panel, judge(panel, panel.novelty, panel.sent === null ? null : strip.frame))
  }
}

/** Frames of slow models, by their URL: they outlive redraws. @type {Map<string, import("../types").Arrived>} */
const arrived = new Map()

/** @param {FilmstripPanel} panel @param {Uint8Array} bytes Of the frame that was sent, if one was. */
function assemble(panel, bytes) {
  if (panel.kind !== "pixels" || panel.sent === null) return
  const size = panel.tiles * panel.width * panel.height * panel.channels
  const known = (panel.later && arrived.get(panel.later)) || { body: new Uint8Array(panel.frames * size), frames: new Set() }
  if (panel.later && !arrived.has(panel.later)) {
    if (arrived.size > 12) arrived.clear()
    arrived.set(panel.later, known)
  }
  if (panel.sent >= 0 && !known.frames.has(panel.sent)) {
    known.body.set(bytes, panel.sent * size)
    known.frames.add(panel.sent)
  }
  panel.body = known.body
  panel.arrived = known
}

/**
 * The frame to paint: the nearest that is here, or -1.
 *
 * @param {FilmstripPanel} panel
 * @param {number} frame
 */
function nearest(panel, frame) {
  const wanted = Math.min(frame, panel.frames - 1)
  if (!panel.arrived || panel.arrived.frames.has(wanted)) return wanted
  let best = -1
  for (const known of panel.arrived.frames) if (best < 0 || Math.abs(known - wanted) < Math.abs(best - wanted)) best = known
  return best
}

/**
 * The next frame to fetch: the one on display, then ever finer steps from it.
 *
 * @param {Filmstrip} strip
 * @returns {[FilmstripPanel, number] | null}
 */
function missing(strip) {
  for (const step of [0, 8, 4, 2, 1]) {
    for (const panel of strip.facts.panels) {
      if (!panel.later || !panel.arrived || panel.failed) continue
      const wanted = Math.min(strip.frame, panel.frames - 1)
      let best = -1
      for (let frame = step ? 0 : wanted; frame < panel.frames; frame += step || panel.frames) {
        if (!panel.arrived.frames.has(frame) && (best < 0 || Math.abs(frame - wanted) < Math.abs(best - wanted))) best = frame
      }
      if (best >= 0) return [panel, best]
    }
  }
  return null
}

/** Strips on this page whose frame on display is still to come. @type {Set<Filmstrip>} */
const waiting = new Set()

/**
 * Fetch frame after frame while the page is in view: those on display at once, the others when
 * nothing else is awaited.
 *
 * @param {Filmstrip} strip
 */
async function gather(strip) {
  if (strip.gathering) return
  strip.gathering = true
  for (let next = missing(strip); next && !strip.signal.aborted && !document.hidden; next = missing(strip)) {
    const [panel, frame] = next
    const { later, arrived: known } = panel
    if (frame === Math.min(strip.frame, panel.frames - 1)) waiting.add(strip)
    else if (waiting.size || performance.now() - redrawn < QUIET || strip.facts.panels.some((one) => one.pending)) {
      strip.later.set()
      break
    }
    try {
      const response = await fetch(address(`${later}&frame=${frame}`), { signal: strip.signal })
      const bytes = new Uint8Array(await response.arrayBuffer())
      if (!response.ok || !known || bytes.length !== known.body.length / panel.frames) throw new Error("no frame")
      known.body.set(bytes, frame * bytes.length)
      known.frames.add(frame)
      strip.paintSoon()
    } catch { panel.failed = true }
    waiting.delete(strip)
  }
  strip.gathering = false
}

/**
 * Repaint a panel when more is known of its samples, which are shown without it until then.
 *
 * @param {Filmstrip} strip
 * @param {FilmstripPanel} panel
 * @param {Promise<void>} loading
 */
async function complete(strip, panel, loading) {
  panel.pending = (panel.pending ?? 0) + 1
  try { await loading } catch { /* the samples are shown without it */ }
  panel.pending -= 1
  if (strip.signal.aborted || !strip.facts.panels.includes(panel)) return
  say(strip)
  paint(strip)
}

/** @type {Map<string, import("../types").Measured>} */
const measured = new Map()

/** @param {FilmstripPanel} panel @param {string} url @param {number | null} frame The only one, or null for all. */
async function measure(panel, url, frame) {
  const from = frame === null ? url : `${url}&frame=${frame}`
  let found = measured.get(from)
  if (!found) {
    const response = await fetch(address(from))
    if (!response.ok || !(response.headers.get("content-type") ?? "").includes("octet-stream")) return
    const [header, body] = unpack(new Uint8Array(await response.arrayBuffer()))
    const facts = /** @type {import("../types").PropertiesHeader} */ (header)
    const size = (frame === null ? panel.frames : 1) * panel.tiles
    const state = 4 * size * facts.properties.length
    found = { ...facts, values: new Float32Array(body.slice(0, state).buffer), state: body.slice(state), size, only: frame }
    if (measured.size > 20) measured.clear()
    measured.set(from, found)
  }
  panel.measured = found
}

/** @param {Filmstrip} strip @param {number} index @param {number} tile */
function toggle(strip, index, tile) {
  const panel = strip.facts.panels[index]
  const item = itemOf(panel, strip.frame, tile, strip.facts.values[strip.frame])
  if (!item) return
  if (isKept(item.origin)) unkeep(item.origin)
  else keepAll([item])
  paint(strip)
}

// The bookmark in a tile's corner: its size, and whether the pointer is on it.
/** @param {FilmstripPanel} panel */
function markSize(panel) {
  return Math.max(11, Math.min(18, Math.min(...sizeOf(panel)) * 0.3))
}

/** @param {Filmstrip} strip @param {number} index @param {number} tile @param {PointerEvent} event */
function onMark(strip, index, tile, event) {
  const panel = strip.facts.panels[index]
  if (!panel.keep) return false
  const box = panel.canvas.getBoundingClientRect()
  const [x, y] = place(panel, tile)
  const [across, down] = sizeOf(panel)
  // In a small tile the mark covers only its corner: the rest selects the tile.
  const [wide, high] = [across, down].map((length) => Math.min(MARK, 0.43 * length))
  return event.clientX - box.left - x < wide && event.clientY - box.top - y < high
}

/** @param {HTMLElement} root */
function build(root) {
  /** @param {string} selector */
  const find = (selector) => part(root, selector, HTMLElement)
  /** @type {Filmstrip} */
  const strip = begin({
    root, version: null, frame: 0, tile: null, hover: null, painted: 0, keys: new Set(), gathering: false, visible: false, onMap: false,
    control: find(".control"), input: part(root, "input", HTMLInputElement), output: part(root, "output", HTMLOutputElement),
    label: find(".label"), low: find(".low"), high: find(".high"), home: find(".home"), panels: find(".panels"),
    said: find(".said"), all: part(root, ".all", HTMLButtonElement),
  })
  strip.keeper = { root, keep: () => { if (strip.hover) toggle(strip, strip.hover.panel, strip.hover.tile) } }
  const { input } = strip
  strip.all.onclick = () => {
    const [panel] = strip.facts.panels
    const value = strip.facts.values[strip.frame]
    const items = [...Array(panel.tiles).keys()].flatMap((tile) => itemOf(panel, strip.frame, tile, value) ?? [])
    keepAll(items.filter((item) => !isKept(item.origin)))
    paint(strip)
  }
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
  return strip
}

/** @param {Filmstrip} strip */
function stage(strip) {
  const panel = document.createElement("div")
  panel.className = "panel"
  panel.innerHTML = '<h4></h4><div class="stage"><canvas tabindex="0" role="group"></canvas></div><p class="tally"></p><p class="shares" hidden></p>'
  const canvas = part(panel, "canvas", HTMLCanvasElement)
  /** @type {{x: number, frame: number, moved: boolean} | null} */
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
      if (Math.abs(by) > 6) { grip.moved = true; canvas.classList.add("scrubbed") }
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
    canvas.classList.remove("scrubbed")
    if (moved) { release(strip); return }
    const tile = tileAt(strip, index(), event)
    if (tile !== null && onMark(strip, index(), tile, event)) toggle(strip, index(), tile)
    else choose(strip, tile)
  }
  canvas.onpointercancel = () => { if (grip?.moved) release(strip); grip = null; canvas.classList.remove("scrubbed") }
  canvas.onpointerleave = () => { if (!grip) hover(strip, index(), null) }
  canvas.onkeydown = (event) => {
    const data = strip.facts.panels[index()]
    const steps = new Map([["ArrowLeft", -1], ["ArrowRight", 1], ["ArrowUp", -data.columns], ["ArrowDown", data.columns]])
    const step = steps.get(event.key)
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

/** @param {Filmstrip} strip */
function layout(strip) {
  const ratio = window.devicePixelRatio || 1
  // A wall and its slider are seen together.
  const tallest = Math.max(480, 0.7 * window.innerHeight)
  for (const panel of strip.facts.panels) {
    const width = panel.canvas.parentElement?.clientWidth
    if (!width) continue
    const shape = shapeOf(panel)
    const { columns, fixed, tileWidth: least } = strip.facts
    const found = tiling({ tiles: panel.tiles, width, least, columns, fixed, shape, ratio, tallest, pixels: panel.kind === "pixels" ? panel.width : null })
    const { tile, gap } = found
    const rows = Math.ceil(panel.tiles / found.columns)
    panel.columns = found.columns
    panel.gap = gap
    panel.tile = [tile, Math.round(tile / shape)]
    panel.foot = strip.facts.feet ? FOOT * Math.max(...strip.facts.feet.map((lines) => lines.length)) + 4 : 0
    const size = [panel.columns * (tile + gap) - gap, rows * (panel.tile[1] + panel.foot + gap) - gap]
    panel.canvas.style.width = `${size[0]}px`
    panel.canvas.style.height = `${size[1]}px`
    panel.canvas.width = Math.round(size[0] * ratio)
    panel.canvas.height = Math.round(size[1] * ratio)
    panel.ratio = ratio
  }
  strip.facts.panels.forEach(fitMap)
  paint(strip)
  chart(strip)
}

/**
 * Fetch the maps that have come into view; the walls are shown without them until then.
 *
 * @param {Filmstrip} strip
 */
async function chart(strip) {
  const { panels } = strip.facts
  const found = await Promise.all(panels.map((panel, index) => loadMap(panel, strip.panels.children[index])))
  if (strip.signal.aborted || strip.facts.panels !== panels) return
  if (found.includes("failed")) layout(strip) // its room is free
  else if (found.includes("here")) paint(strip)
}

/** @param {Filmstrip} strip @param {number} frame */
function show(strip, frame) {
  if (frame === strip.frame) return
  strip.frame = frame
  strip.input.value = String(frame)
  strip.paintSoon()
  gather(strip)
}

/** @param {Filmstrip} strip */
function reset(strip) {
  if (strip.facts.home === null) return
  show(strip, strip.facts.home)
  release(strip)
}

/** @param {Filmstrip} strip */
function release(strip) {
  if (strip.sentFrame === strip.frame) return
  strip.sentFrame = strip.frame
  strip.send("frame", strip.frame)
}

/** @param {Filmstrip} strip @param {number | null} tile */
function choose(strip, tile) {
  if (!strip.facts.selectable) return
  strip.tile = tile === strip.tile ? null : tile
  paint(strip)
  strip.send("tile", strip.tile)
}

/** @param {Filmstrip} strip @param {number} panel @param {number | null} tile */
function hover(strip, panel, tile) {
  strip.hover = tile === null ? null : { panel, tile }
  if (strip.hover) reach(strip.keeper)
  else leave(strip.keeper)
  say(strip)
  paint(strip)
}

/** @param {Filmstrip} strip */
function say(strip) {
  const { facts, hover: over } = strip
  if (!over) { strip.said.textContent = ""; return }
  const panel = facts.panels[over.panel]
  const parts = [facts.numbered ? `${facts.name} ${over.tile + 1}` : ""]
  if (facts.captions) parts.push(facts.captions[over.tile])
  if (panel.component[over.tile] >= 0 && panel.mixture) parts.push(`component ${panel.component[over.tile]}`)
  if (panel.scored) parts.push(`log p(z) ${panel.density[strip.frame][over.tile].toFixed(1)} nats`)
  parts.push(...propertiesOf(panel, strip.frame, over.tile), ...noveltyOf(panel, strip.frame, over.tile))
  strip.said.textContent = parts.filter(Boolean).join(" · ").replaceAll(" -", " −")
}

/** @param {Filmstrip} strip @param {number} index @param {PointerEvent} event */
function tileAt(strip, index, event) {
  const panel = strip.facts.panels[index]
  const box = panel.canvas.getBoundingClientRect()
  const [across, down] = sizeOf(panel)
  const column = Math.floor((event.clientX - box.left) / (across + panel.gap))
  const row = Math.floor((event.clientY - box.top) / (down + panel.foot + panel.gap))
  const tile = row * panel.columns + column
  return column >= 0 && column < panel.columns && tile >= 0 && tile < panel.tiles ? tile : null
}

/** @param {Filmstrip} strip */
function paint(strip) {
  const { facts, frame, output, input } = strip
  const last = facts.values.length - 1
  const value = facts.values[frame]
  output.textContent = last > 0 ? format(facts, value) : ""
  input.setAttribute("aria-valuetext", format(facts, value))
  input.style.setProperty("--at", `calc(12px + (100% - 24px) * ${last ? frame / last : 0})`)
  facts.panels.forEach((panel, index) => {
    if (!panel.tile) return
    const pen = penOf(panel.canvas)
    pen.setTransform(panel.ratio, 0, 0, panel.ratio, 0, 0)
    pen.clearRect(0, 0, panel.canvas.width, panel.canvas.height)
    const own = Math.min(frame, panel.frames - 1)
    const here = nearest(panel, frame)
    pen.globalAlpha = here === own ? 1 : 0.55
    if (here < 0) blank(strip, panel, pen)
    else if (panel.kind === "pixels") pixels(strip, panel, pen, here)
    else curves(strip, panel, pen, here)
    pen.globalAlpha = 1
    panel.canvas.dataset.ready = String(here === own)
    const over = strip.hover && strip.hover.panel === index ? strip.hover.tile : null
    const [across, down] = panel.tile
    for (const { tile, width } of [{ tile: over, width: 1.5 }, { tile: strip.tile, width: 3 }]) {
      if (tile === null || tile >= panel.tiles) continue
      const [x, y] = place(panel, tile)
      pen.strokeStyle = strip.theme.accent
      pen.lineWidth = width
      pen.strokeRect(x + width / 2, y + width / 2, across - width, down - width)
    }
    feet(strip, panel, pen)
    signs(strip, panel, pen, own)
    dim(strip, panel, pen, own)
    marks(strip, panel, pen, own, over)
    paintMap(strip, panel, own, over)
  })
  for (const panel of facts.panels) sayShares(strip, panel, Math.min(frame, panel.frames - 1))
  strip.painted += 1
  for (const { canvas, tiles, columns } of facts.panels) {
    const painted = strip.painted
    Object.assign(canvas.dataset, { frame, frames: last + 1, tiles, columns, painted, tile: strip.tile ?? "" })
  }
  strip.digestion.set()
}

/** Write the lines below tiles. @param {Filmstrip} strip @param {FilmstripPanel} panel @param {CanvasRenderingContext2D} pen */
function feet(strip, panel, pen) {
  const { facts, theme } = strip
  const [across, down] = sizeOf(panel)
  if (!facts.feet) return
  pen.textBaseline = "top"
  for (let tile = 0; tile < panel.tiles; tile++) {
    const [x, y] = place(panel, tile)
    facts.feet[tile].forEach((line, index) => {
      pen.font = `${index ? "" : "600 "}12px ${theme.font}`
      pen.globalAlpha = index ? 0.8 : 1
      pen.fillStyle = theme.text
      pen.fillText(line, x + 2, y + down + 3 + index * FOOT, across - 4)
    })
  }
  pen.globalAlpha = 1
}

/** @param {FilmstripFacts} facts @param {number} value */
function format(facts, value) {
  return facts.decimals === 0 ? String(value) : value.toFixed(facts.decimals)
}

/** @param {Filmstrip} strip @param {FilmstripPanel & import("../types").PixelPanel} panel @param {CanvasRenderingContext2D} pen @param {number} frame */
function pixels(strip, panel, pen, frame) {
  const { width, height, channels, tiles } = panel
  const native = (panel.native ??= new OffscreenCanvas(width, height * tiles))
  const picture = (panel.picture ??= new ImageData(width, height * tiles))
  const size = width * height * tiles
  const from = frame * size * channels
  inkPixels(strip.theme, panel, new Uint32Array(picture.data.buffer), from, size)
  penOf(native).putImageData(picture, 0, 0)
  const [across, down] = sizeOf(panel)
  const factor = (across * panel.ratio) / width
  pen.imageSmoothingEnabled = factor < 1 || Math.abs(factor - Math.round(factor)) > 0.01
  for (let tile = 0; tile < tiles; tile++) {
    const [x, y] = place(panel, tile)
    pen.drawImage(native, 0, tile * height, width, height, x, y, across, down)
  }
}

/** Tiles whose samples are still to come. @param {Filmstrip} strip @param {FilmstripPanel} panel @param {CanvasRenderingContext2D} pen */
function blank(strip, panel, pen) {
  pen.fillStyle = strip.theme.paper
  const [across, down] = sizeOf(panel)
  for (let tile = 0; tile < panel.tiles; tile++) {
    const [x, y] = place(panel, tile)
    pen.fillRect(x, y, across, down)
  }
}

/** @param {Filmstrip} strip @param {FilmstripPanel & import("../types").CurvePanel} panel @param {CanvasRenderingContext2D} pen @param {number} frame */
function curves(strip, panel, pen, frame) {
  const { theme } = strip
  const [width, height] = sizeOf(panel)
  for (let tile = 0; tile < panel.tiles; tile++) {
    const [across, down] = place(panel, tile)
    pen.fillStyle = theme.paper
    pen.fillRect(across, down, width, height)
    paintCurve(theme, panel, pen, frame * panel.tiles + tile, across, down, width, height)
    const { ghost } = panel
    if (ghost?.kind === "curve") paintCurve(theme, ghost, pen, frame * panel.tiles + tile, across, down, width, height, theme.accent)
  }
}

/** @param {FilmstripPanel} panel @param {number} frame @param {number} tile */
function propertiesOf(panel, frame, tile) {
  const known = panel.measured
  const own = known ? rowOf(known, Math.min(frame, panel.frames - 1)) : -1
  if (!known || own < 0) return []
  const at = own * panel.tiles + tile
  const said = known.properties.map((property, index) => {
    const value = known.values[index * known.size + at]
    if (!property.main || !Number.isFinite(value)) return ""
    if (property.classes.length) return `${property.label} ${property.classes[value] ?? "–"}`
    return `${property.label} ${value.toFixed(property.digits)}${property.unit ? ` ${property.unit}` : ""}`
  })
  return [known.state[at] === 0 ? "invalid: its decoded surfaces cross" : "", ...said]
}

// Samples that violate a constraint are dimmed; invalid ones are marked ×, with or without constraints.
/** @param {Filmstrip} strip @param {FilmstripPanel} panel @param {CanvasRenderingContext2D} pen @param {number} frame */
function dim(strip, panel, pen, frame) {
  const known = panel.measured
  const own = known ? rowOf(known, frame) : -1
  if (!known || own < 0) return
  const [across, down] = sizeOf(panel)
  const from = own * panel.tiles
  let sound = 0
  let good = 0
  for (let tile = 0; tile < panel.tiles; tile++) {
    const state = known.state[from + tile]
    if (state > 0) sound += 1
    if (state === 2) good += 1
    const [x, y] = place(panel, tile)
    if (known.constraints && state < 2) {
      pen.globalAlpha = 0.78
      pen.fillStyle = strip.theme.ground
      pen.fillRect(x - 0.5, y - 0.5, across + 1, down + 1)
      pen.globalAlpha = 1
    }
    if (state === 0) {
      const [cx, cy, r] = [x + 8, y + down - 8, 3.5]
      pen.beginPath()
      pen.moveTo(cx - r, cy - r); pen.lineTo(cx + r, cy + r); pen.moveTo(cx + r, cy - r); pen.lineTo(cx - r, cy + r)
      pen.lineWidth = 2
      pen.strokeStyle = "#c8501e"
      pen.stroke()
    }
  }
  const words = known.constraints ? `${good} of ${panel.tiles} ${known.curves ? "are valid and " : ""}meet the constraints` : known.curves ? `${sound} of ${panel.tiles} are valid sections${sound < panel.tiles ? "; × marks those whose decoded surfaces cross" : ""}` : ""
  if (panel.tally.textContent !== words) panel.tally.textContent = words
  panel.tally.hidden = !words
}

/** @param {Filmstrip} strip @param {FilmstripPanel} panel @param {CanvasRenderingContext2D} pen @param {number} frame @param {number | null} over */
function marks(strip, panel, pen, frame, over) {
  if (!panel.keep) return
  const size = markSize(panel)
  const { accent, paper } = strip.theme
  const value = strip.facts.values[strip.frame]
  const bare = nothingKept()
  for (let tile = 0; tile < panel.tiles; tile++) {
    if (bare && tile !== over) continue
    const item = bare ? null : itemOf(panel, frame, tile, value)
    const kept = item !== null && isKept(item.origin)
    if (!kept && tile !== over) continue
    const [x, y] = place(panel, tile)
    bookmark(pen, x + 4, y + 2.5, size, kept ? accent : null, accent, paper)
  }
}

/** @param {Filmstrip} strip */
function digest(strip) {
  if (strip.facts.panels.some((panel) => panel.pending)) return
  for (const { canvas } of strip.facts.panels) {
    const crc = crcOf(canvas)
    if (crc) canvas.dataset.digest = crc
  }
  for (const panel of strip.facts.panels) digestMap(strip, panel)
}
