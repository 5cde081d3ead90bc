// Plotly's own script comes once, from this server; the ranges stay in the browser.
const plotly = (window.latentPlotly ??= { loading: null })

export default function (component) {
  const { parentElement, data } = component
  const root = parentElement.querySelector(".parallel")
  if (!root || !data) return
  const chart = (root.chart ??= { root, plot: root.querySelector(".plot"), said: root.querySelector(".said") })
  chart.facts = data
  draw(chart)
  chart.observer ??= new ResizeObserver(() => { if (chart.drawn) window.Plotly.Plots.resize(chart.plot) })
  chart.observer.observe(root)
  return () => chart.observer.disconnect()
}

function load(address) {
  plotly.loading ??= window.Plotly ? Promise.resolve() : new Promise((done, failed) => {
    const script = document.createElement("script")
    script.src = address
    script.onload = done
    script.onerror = failed
    document.head.append(script)
  })
  return plotly.loading
}

async function draw(chart) {
  const { facts, root } = chart
  try { await load(facts.address) } catch { chart.said.textContent = "The chart's script could not be fetched; reload the page."; return }
  if (facts !== chart.facts) return
  const style = getComputedStyle(root)
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
  chart.drawn = true
  chart.root.dataset.lines = facts.numbers.length
  chart.plot.removeAllListeners?.("plotly_restyle")
  chart.plot.on("plotly_restyle", () => ranges(chart))
  ranges(chart)
}

function ranges(chart) {
  const { facts } = chart
  const axes = chart.plot.data[0].dimensions
  const inside = (axis, row) => {
    const range = axis.constraintrange
    if (!range || !range.length) return true
    return (Array.isArray(range[0]) ? range : [range]).some(([low, high]) => axis.values[row] >= low && axis.values[row] <= high)
  }
  const outside = facts.numbers.filter((_, row) => !axes.every((axis) => inside(axis, row)))
  const drawn = axes.some((axis) => axis.constraintrange?.length)
  chart.said.textContent = drawn ? `${facts.numbers.length - outside.length} of ${facts.numbers.length} lie within the ranges drawn; the others recede above.` : ""
  chart.root.dataset.outside = outside.join(",")
  window.dispatchEvent(new CustomEvent("latent-ranges", { detail: drawn ? outside : [] }))
}
