// Shared by all components that offer tiles: what is picked waits in this browser until it is saved.
const OUTBOX = "latent-explorer-pick:"
const KEPT = (window.latentKept ??= { origins: new Map(), waiting: new Map(), project: null })

function keepAll(items) {
  for (const item of items) {
    const key = [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("")
    const whole = { ...item, key, project: KEPT.project, page: location.pathname.split("/").pop(), view: location.search.slice(0, 3900) }
    KEPT.waiting.set(item.origin, key)
    try { localStorage.setItem(OUTBOX + key, JSON.stringify(whole)) } catch { KEPT.homeless = [...(KEPT.homeless ?? []), whole] }
  }
  window.dispatchEvent(new Event("latent-outbox"))
}

function unkeep(origin) {
  window.dispatchEvent(new CustomEvent("latent-unkeep", { detail: origin }))
}

function isKept(origin) {
  return KEPT.waiting.has(origin) || KEPT.origins.has(origin)
}

// One tile of a strip: drawn from the prior, or a code that came with it.
function itemOf(panel, frame, tile, value) {
  const { keep } = panel
  if (!keep) return null
  const base = { model: keep.model, hash: keep.hash }
  if (keep.kind === "drawn") {
    const component = keep.component === null ? "all" : keep.component
    return {
      ...base, origin: `${keep.hash}|drawn|${keep.seed}|${component}|${tile}|${value}`,
      drawn: { seed: keep.seed, component: keep.component, tile, scale: value },
    }
  }
  keep.bytes ??= Uint8Array.from(atob(keep.z), (c) => c.charCodeAt(0))
  const size = 4 * keep.latent
  const from = (Math.min(frame, panel.frames - 1) * panel.tiles + tile) * size
  const z = btoa(String.fromCharCode(...keep.bytes.subarray(from, from + size)))
  return { ...base, origin: `${keep.hash}|code|${z}`, z }
}

function typing(event) {
  const at = event.composedPath()[0]
  return at instanceof Element && (at.matches("input:not([type=range]), textarea, select") || at.isContentEditable)
}

function bookmark(pen, x, y, size, fill, edge, paper) {
  const [w, h] = [size * 0.62, size]
  pen.beginPath()
  pen.moveTo(x, y); pen.lineTo(x + w, y); pen.lineTo(x + w, y + h)
  pen.lineTo(x + w / 2, y + h - w * 0.42); pen.lineTo(x, y + h); pen.closePath()
  pen.lineJoin = "round"
  pen.lineWidth = 4
  pen.strokeStyle = paper
  pen.stroke()
  pen.fillStyle = fill ?? paper
  pen.fill()
  pen.lineWidth = 1.5
  pen.strokeStyle = edge
  pen.stroke()
}
