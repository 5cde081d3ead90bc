// The clock of a step: waits until the page stands still, moves its first slider as a hand would,
// and reports when the time is over. A visitor who touches the page takes over.
import { begin, mount, part, timer } from "../bridge.js"

/** @typedef {import("../types").Tour} Tour */
/** @typedef {import("../types").TourFacts} TourFacts */

const TICK = 50

const PATIENCE = 10_000 // a page without a picture starts its clock anyway

export default mount({
  selector: ".tour",
  build: (root) => /** @type {Tour} */ (begin({ root, left: part(root, ".left", HTMLElement), elapsed: 0, waited: 0, last: 0, state: "waiting" })),
  listen(tour, signal) {
    tour.ticking = timer(signal, TICK, () => tick(tour))
    for (const kind of ["pointerdown", "wheel", "keydown", "touchmove"]) {
      window.addEventListener(kind, (event) => { if (event.isTrusted && touches(event)) take(tour) }, { signal, capture: true, passive: true })
    }
    signal.addEventListener("abort", () => settle(tour))
  },
  update(tour, /** @type {TourFacts} */ facts, { setTriggerValue }) {
    tour.send = setTriggerValue
    if (tour.facts?.step !== facts.step) {
      Object.assign(tour, { elapsed: 0, waited: 0, slider: null, state: still() ? "still" : "waiting" })
    }
    tour.facts = facts
    show(tour)
    tour.last = performance.now()
    if (tour.state === "waiting" || tour.state === "running") tour.ticking.set()
  },
})

function still() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches
}

/** Whether an event is meant for the page, not for the bar or the sidebar. @param {Event} event */
function touches(event) {
  const at = event.target
  if (event instanceof KeyboardEvent && ["Escape", "Tab", "Shift"].includes(event.key)) return false
  return at instanceof Element && at.closest("[data-testid=stMain]") !== null && at.closest(".st-key-frame_tour") === null
}

/** @param {Tour} tour */
function tick(tour) {
  const now = performance.now()
  const passed = document.hidden ? 0 : Math.min(now - tour.last, 4 * TICK)
  tour.last = now
  if (tour.state === "waiting") {
    tour.waited += passed
    if (ready() || tour.waited > PATIENCE) tour.state = "running"
  } else if (tour.state === "running") {
    tour.elapsed += passed / 1000
    sweep(tour)
    if (tour.elapsed >= tour.facts.seconds) {
      settle(tour)
      tour.state = "over"
      if (tour.facts.advances) tour.send("done", tour.facts.step)
    }
  }
  show(tour)
  if (tour.state === "waiting" || tour.state === "running") tour.ticking.set()
}

/** The roots of the page's components. @returns {ShadowRoot[]} */
function roots() {
  return [...document.querySelectorAll("[data-testid=stMain] *")].flatMap((element) => element.shadowRoot ?? [])
}

/** Whether a picture of the page has come to rest, and no script is running. */
function ready() {
  const app = document.querySelector("[data-testid=stApp]")
  if (app instanceof HTMLElement && app.dataset.testScriptState === "running") return false
  return roots().some((root) => root.querySelector("canvas[data-digest]"))
}

/** @param {Tour} tour */
function sweep(tour) {
  const { sweep: stops } = tour.facts
  if (!stops.length) return
  if (!tour.slider?.isConnected) {
    const found = roots().map((root) => root.querySelector("[data-testid=filmstrip] input[type=range]")).find(Boolean)
    tour.slider = found instanceof HTMLInputElement ? found : null
  }
  const { slider } = tour
  if (!slider || tour.elapsed < stops[0][0]) return
  const next = stops.findIndex(([time]) => time > tour.elapsed)
  const [from, to] = next < 0 ? [stops[stops.length - 1], stops[stops.length - 1]] : [stops[next - 1], stops[next]]
  const share = to[0] > from[0] ? (tour.elapsed - from[0]) / (to[0] - from[0]) : 1
  const frame = String(Math.round(Number(slider.max) * (from[1] + share * (to[1] - from[1]))))
  if (frame === slider.value) return
  slider.value = frame
  slider.dispatchEvent(new Event("input", { bubbles: true }))
}

/** Release the slider where it is. @param {Tour} tour */
function settle(tour) {
  if (tour.slider?.isConnected) tour.slider.dispatchEvent(new Event("change", { bubbles: true }))
  tour.slider = null
}

/** The visitor takes over: nothing moves by itself any more. @param {Tour} tour */
function take(tour) {
  if (tour.state !== "running" && tour.state !== "waiting") return
  tour.state = "paused"
  tour.slider = null // the hand on it releases it
  tour.ticking.stop()
  show(tour)
}

/** @param {Tour} tour */
function show(tour) {
  tour.root.dataset.state = tour.state
  tour.root.dataset.step = String(tour.facts.step)
  tour.left.style.transform = `scaleX(${Math.min(1, tour.elapsed / tour.facts.seconds)})`
}
