// Parallel coordinates by Plotly, whose script this server provides; ranges stay in the browser.
import { address, begin, mount, observeSize, part } from "../bridge.js"

/** @typedef {import("../types").Chart} Chart */
/** @typedef {import("../types").Dimension} Dimension */

/** @type {Promise<unknown> | null} */
let loading = null

export default mount({
  selector: ".parallel",
  build: (root) => /** @type {Chart} */ (begin({
    root, plot: part(root, ".plot", HTMLElement), said: part(root, ".said", HTMLElement), drawn: false,
  })),
  listen(chart, signal) {
    chart.signal = signal
    // Without the chart its ranges dim no card.
    signal.addEventListener("abort", () => window.dispatchEvent(new CustomEvent("latent-explorer-ranges", { detail: [] })))
    observeSize(signal, chart.root, () => { if (chart.drawn) window.Plotly?.Plots.resize(chart.plot) })
  },
  update(chart, /** @type {import("../types").ParallelFacts} */ facts) {
    chart.facts = facts
    draw(chart)
  },
})

/** @param {string} path */
function load(path) {
  loading ??= window.Plotly ? Promise.resolve() : new Promise((done, failed) => {
    const script = document.createElement("script")
    script.src = address(path)
    script.onload = done
    script.onerror = (error) => { loading = null; failed(error) }
    document.head.append(script)
  })
  return loading
}

/** @param {Chart} chart */
async function draw(chart) {
  const { facts, root, signal } = chart
  const late = () => signal.aborted || facts !== chart.facts
  try { await load(facts.address) } catch {
    if (!late()) chart.said.textContent = "The chart’s script could not be loaded; reload the page."
    return
  }
  if (late() || !window.Plotly) return
  const style = getComputedStyle(root)
  /** @param {string} name @param {string} other */
  const read = (name, other) => style.getPropertyValue(name).trim() || other
  const ink = read("--st-text-color", "#111")
  const family = read("--st-font", "sans-serif")
  const before = Object.fromEntries((chart.plot.data?.[0]?.dimensions ?? []).map((axis) => [axis.label, axis.constraintrange]))
  const fits = Math.max(2, Math.floor(root.clientWidth / 112))
  const dimensions = facts.axes.slice(0, fits).map(({ label, values }) => ({ label, values, ...(before[label] ? { constraintrange: before[label] } : {}) }))
  const trace = {
    type: "parcoords", dimensions, labelfont: { size: 12, color: ink }, tickfont: { size: 11, color: ink }, rangefont: { size: 1, color: "rgba(0,0,0,0)" },
    line: { color: facts.numbers.map((n) => (n === facts.at ? 1 : 0)), cmin: 0, cmax: 1, colorscale: [[0, read("--st-primary-color", "#0b6bb8")], [1, "#d1495b"]] },
    unselected: { line: { opacity: 0.12, color: "#8a8f98" } },
  }
  const layout = { margin: { l: 70, r: 50, t: 50, b: 20 }, paper_bgcolor: "rgba(0,0,0,0)", font: { family, color: ink } }
  await window.Plotly.react(chart.plot, [trace], layout, { displayModeBar: false, responsive: false })
  if (late()) return
  chart.drawn = true
  chart.root.dataset.lines = String(facts.numbers.length)
  chart.plot.removeAllListeners?.("plotly_restyle")
  chart.plot.on?.("plotly_restyle", () => ranges(chart))
  ranges(chart)
}

/** @param {Chart} chart */
function ranges(chart) {
  const { facts } = chart
  const axes = chart.plot.data?.[0].dimensions ?? []
  /** @param {Dimension} axis @param {number} row */
  const inside = (axis, row) => {
    const range = axis.constraintrange
    if (!range || !range.length) return true
    const list = /** @type {number[][]} */ (Array.isArray(range[0]) ? range : [range])
    return list.some(([low, high]) => axis.values[row] >= low && axis.values[row] <= high)
  }
  const outside = facts.numbers.filter((_, row) => !axes.every((axis) => inside(axis, row)))
  const drawn = axes.some((axis) => axis.constraintrange?.length)
  chart.said.textContent = drawn ? `${facts.numbers.length - outside.length} of ${facts.numbers.length} are within the ranges; the other cards are dimmed.` : ""
  chart.root.dataset.outside = outside.join(",")
  window.dispatchEvent(new CustomEvent("latent-explorer-ranges", { detail: drawn ? outside : [] }))
}
