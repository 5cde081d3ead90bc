// A run while it trains: its curves, and what the model makes of the same noise at any time of it.
// The record is fetched from the server once a second, without a run of the page.
import { address, begin, beforeFrame, mount, observeSize, part, timer } from "../bridge.js"
import { bodyOf, inks, unpack } from "../painting.js"
import { drawCurve, drawUnits } from "./charts.js"
import { drawCodes, drawPictures, SHEETS } from "./sheets.js"

/** @typedef {import("../types").LiveRun} LiveRun */
/** @typedef {import("../types").RunFrame} RunFrame */
/** @typedef {import("../types").RunNews} RunNews */

const PAUSE = 1000
const MOST_KNOWN = 300

export default mount({
  selector: ".live-run",
  build,
  listen(run, signal) {
    run.signal = signal
    run.poll = timer(signal, PAUSE, () => ask(run))
    run.redraw = beforeFrame(signal, () => draw(run))
    observeSize(signal, run.root, run.redraw)
    run.poll.set(0)
  },
  update(run, /** @type {import("../types").LiveRunFacts} */ facts, { setStateValue }) {
    run.send = setStateValue
    run.theme = inks(run.root)
    if (run.facts?.address !== facts.address) {
      run.points = []
      run.others = []
      run.compared = false
      run.known = 0
      run.frames = new Map()
      run.steps = []
      run.news = null
      run.meta = null
    }
    if (run.facts?.version !== facts.version || run.facts.address !== facts.address) run.at = facts.at < 0 ? null : facts.at
    run.facts = facts
    run.redraw()
    run.poll.set(0)
  },
})

/** @param {HTMLElement} root */
function build(root) {
  /** @type {LiveRun} */
  const run = begin({
    root, slider: part(root, "input", HTMLInputElement), live: part(root, ".now", HTMLButtonElement), said: part(root, ".said", HTMLElement),
    points: [], others: [], compared: false, known: 0, frames: new Map(), steps: [], news: null, meta: null, at: null, busy: false, waiting: null,
  })
  run.slider.oninput = () => {
    run.at = run.steps[Number(run.slider.value)] ?? null
    show(run)
  }
  run.slider.onchange = () => run.send("at", run.at ?? -1)
  run.live.onclick = () => {
    run.at = null
    run.send("at", -1)
    show(run)
  }
  return run
}

/** Fetch what is new. @param {LiveRun} run */
async function ask(run) {
  if (run.busy) return
  run.busy = true
  const { facts, signal } = run
  try {
    const answer = await fetch(address(`${facts.address}?from=${run.known}`), { signal })
    if (answer.ok && facts === run.facts) take(run, /** @type {RunNews} */ (await answer.json()))
    if (facts.beside && (!run.compared || run.news?.active)) await compare(run)
    if (!run.meta && run.steps.length) {
      const found = await fetch(address(`${facts.address}/meta`), { signal })
      if (found.ok) {
        const [header, body] = unpack(new Uint8Array(await found.arrayBuffer()))
        run.meta = { ...header, panel: { ...header.panel, body: bodyOf(header.panel, body) } }
        run.redraw()
      }
    }
  } catch {
    // The server is away, or the page was left: the next request tells.
  } finally {
    run.busy = false
  }
  if (!signal.aborted && (!run.news || run.news.active)) run.poll.set()
}

/** Fetch the curves of the run that this one was branched from, as far as they are. @param {LiveRun} run */
async function compare(run) {
  const answer = await fetch(address(run.facts.beside), { signal: run.signal })
  if (!answer.ok) return
  const news = /** @type {RunNews} */ (await answer.json())
  run.others = news.points
  run.compared = !news.active
  run.redraw()
}

/** @param {LiveRun} run @param {RunNews} news */
function take(run, news) {
  if (news.from === 0) run.points = []
  run.points.push(...news.points)
  run.known = news.known
  const before = run.news
  run.news = news
  run.steps = news.steps
  run.slider.max = String(Math.max(0, news.steps.length - 1))
  run.slider.disabled = news.steps.length < 2
  if (before && before.active !== news.active) run.send("ended", news.state)
  show(run)
}

/** Show the frame of the time that is chosen, or the latest. @param {LiveRun} run */
function show(run) {
  const { steps } = run
  if (!steps.length) { run.redraw(); return }
  let index = steps.length - 1
  if (run.at !== null) {
    const wanted = run.at
    index = steps.reduce((best, step, k) => (Math.abs(step - wanted) < Math.abs(steps[best] - wanted) ? k : best), 0)
  }
  run.slider.value = String(index)
  run.live.setAttribute("aria-pressed", String(run.at === null))
  run.shown = steps[index]
  fetchFrame(run, run.shown)
  run.redraw()
}

/** Fetch a frame; while one is on its way, only the latest that is wanted waits. @param {LiveRun} run @param {number} step */
async function fetchFrame(run, step) {
  if (run.frames.has(step)) return
  if (run.waiting !== null) { run.waiting = step; return }
  run.waiting = step
  const { facts, signal } = run
  try {
    const answer = await fetch(address(`${facts.address}/frames/${step}`), { signal })
    if (answer.ok && facts === run.facts) {
      if (run.frames.size > MOST_KNOWN) run.frames.delete(run.frames.keys().next().value ?? -1)
      run.frames.set(step, read(new Uint8Array(await answer.arrayBuffer())))
      run.redraw()
    }
  } catch {
    // As above.
  }
  const next = run.waiting
  run.waiting = null
  if (next !== step && next !== null && !signal.aborted) fetchFrame(run, next)
}

/** @param {Uint8Array} bytes @returns {RunFrame} */
function read(bytes) {
  const [header, body] = unpack(bytes)
  const panels = Object.fromEntries(Object.entries(header.panels).map(([name, panel]) => {
    const own = body.slice(panel.offset, panel.offset + panel.bytes)
    return [name, { ...panel, body: panel.kind ? bodyOf(panel, own) : own }]
  }))
  return { ...header, panels }
}

/** @param {LiveRun} run */
function draw(run) {
  const { root, news, meta } = run
  const at = run.shown
  const frame = (at === undefined ? undefined : run.frames.get(at)) ?? run.painted
  if (frame) run.painted = frame
  for (const name of /** @type {const} */ (["bound", "reconstruction", "kl"])) {
    drawCurve(run, part(root, `.${name}`, HTMLCanvasElement), name, frame?.step ?? null)
  }
  for (const name of SHEETS) {
    const figure = part(root, `figure.${name}`, HTMLElement)
    figure.hidden = !frame?.panels[name]
    if (frame && !figure.hidden) drawPictures(run, part(figure, "canvas", HTMLCanvasElement), name, frame)
  }
  const codes = part(root, "figure.codes", HTMLElement)
  codes.hidden = !frame?.window
  if (frame?.window) drawCodes(run, part(codes, "canvas", HTMLCanvasElement), frame)
  const units = part(root, "figure.units", HTMLElement)
  units.hidden = !frame
  if (frame) drawUnits(run, part(units, "canvas", HTMLCanvasElement), frame)
  run.said.textContent = frame && meta && news ? words(frame, meta) : "Waiting for the first frame"
  run.slider.setAttribute("aria-valuetext", frame ? `epoch ${frame.epoch.toFixed(1)}` : "none")
  run.root.dataset.step = String(run.painted?.step ?? "")
  run.root.dataset.frames = String(run.steps.length)
}

/** @param {RunFrame} frame @param {import("../types").RunMeta} meta */
function words(frame, meta) {
  const alive = frame.activity.filter((value) => value > 0.01).length
  const units = `${alive} of ${frame.activity.length} units alive`
  return `Epoch ${frame.epoch.toFixed(frame.epoch < 10 ? 1 : 0)} of ${meta.epochs} · ${units} · β ${Number(frame.beta.toPrecision(2))}`
}
