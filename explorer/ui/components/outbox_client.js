// Picks of this browser, which wait until the outbox has saved them; and the K key.

/** @typedef {import("./types").Item} Item */
/** @typedef {import("./types").Waiting} Waiting */

const WAITING = "latent-explorer-pick:"

/** Keys of picks by their origin: those stored on the server, and those that wait here. */
export const KEPT = {
  /** @type {Map<string, string>} */
  origins: new Map(),
  /** @type {Map<string, string>} */
  waiting: new Map(),
  /** @type {number | null} */
  project: null,
  /** Picks that the browser does not store; they are lost with the tab. @type {Waiting[]} */
  homeless: [],
}

/**
 * Use the browser's storage, which even to name throws where it is forbidden, as in a frame of
 * another site.
 *
 * @template Value
 * @param {(store: Storage) => Value} act
 * @param {Value} otherwise
 */
function stored(act, otherwise) {
  try { return act(window.localStorage) } catch { return otherwise }
}

/**
 * Keep samples as picks.
 *
 * @param {Item[]} items
 */
export function keepAll(items) {
  for (const item of items) {
    const key = [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("")
    const page = location.pathname.split("/").pop() ?? ""
    const whole = { ...item, key, project: KEPT.project, page, view: location.search.slice(0, 3900) }
    KEPT.waiting.set(item.origin, key)
    if (!stored((store) => { store.setItem(WAITING + key, JSON.stringify(whole)); return true }, false)) KEPT.homeless.push(whole)
  }
  window.dispatchEvent(new Event("latent-explorer-outbox"))
}

/**
 * Remove a sample from the picks.
 *
 * @param {string} origin
 */
export function unkeep(origin) {
  window.dispatchEvent(new CustomEvent("latent-explorer-unkeep", { detail: origin }))
}

/** @param {string} origin */
export function isKept(origin) {
  return KEPT.waiting.has(origin) || KEPT.origins.has(origin)
}

export function nothingKept() {
  return !KEPT.origins.size && !KEPT.waiting.size
}

/** All picks that wait in this browser, including those of earlier visits. */
export function waitingItems() {
  const found = [...KEPT.homeless]
  for (const name of stored((store) => Object.keys(store), [])) {
    if (!name.startsWith(WAITING)) continue
    const item = stored((store) => /** @type {Waiting | null} */ (JSON.parse(store.getItem(name) ?? "null")), null)
    if (item && WAITING + item.key === name) found.push(item)
    else stored((store) => store.removeItem(name), undefined)
  }
  return found
}

/**
 * Delete a waiting pick.
 *
 * @param {string} key
 */
export function discard(key) {
  stored((store) => store.removeItem(WAITING + key), undefined)
  KEPT.homeless = KEPT.homeless.filter((item) => item.key !== key)
  for (const [origin, own] of KEPT.waiting) if (own === key) KEPT.waiting.delete(origin)
}

/**
 * Describe a tile as a pick: a draw from the prior, or a code sent with the strip.
 *
 * @param {import("./types").FilmstripPanel} panel
 * @param {number} frame
 * @param {number} tile
 * @param {number} value Of the frame.
 * @returns {Item | null}
 */
export function itemOf(panel, frame, tile, value) {
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
  return codeItem(base, keep.bytes.subarray(from, from + size))
}

/**
 * Describe a code as a pick.
 *
 * @param {{model: string, hash: string}} base
 * @param {Uint8Array} bytes Its numbers in float32.
 * @returns {Item}
 */
export function codeItem(base, bytes) {
  const z = btoa(String.fromCharCode(...bytes))
  return { ...base, origin: `${base.hash}|code|${z}`, z }
}

// K keeps one sample, and only one that is visible: that which pointer or keyboard reached last, or
// else that of the focused component.

/** @type {Set<import("./types").Keeper>} */
const KEEPERS = new Set()

/** @type {import("./types").Keeper | null} */
let reached = null

/**
 * Let K keep this component's sample until the signal aborts.
 *
 * @param {import("./types").Keeper} keeper
 * @param {AbortSignal} signal
 */
export function keepByKey(keeper, signal) {
  KEEPERS.add(keeper)
  signal.addEventListener("abort", () => { KEEPERS.delete(keeper); leave(keeper) })
  window.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || event.ctrlKey || event.metaKey || event.altKey || typing(event)) return
    if (event.defaultPrevented || meant(event) !== keeper || !canBeSeen(keeper.root)) return
    event.preventDefault()
    keeper.keep()
  }, { signal })
}

/** @param {import("./types").Keeper} keeper */
export function reach(keeper) { reached = keeper }

/** @param {import("./types").Keeper} keeper */
export function leave(keeper) { if (reached === keeper) reached = null }

/** @param {KeyboardEvent} event */
function meant(event) {
  return reached ?? [...KEEPERS].find(({ root }) => event.composedPath().includes(root)) ?? null
}

/** @param {HTMLElement} root */
function canBeSeen(root) {
  const box = root.getBoundingClientRect()
  return root.isConnected && box.width > 0 && box.bottom > 0 && box.top < window.innerHeight
}

/** @param {KeyboardEvent} event */
function typing(event) {
  const at = event.composedPath()[0]
  return at instanceof HTMLElement && (at.matches("input:not([type=range]), textarea, select") || at.isContentEditable)
}

/**
 * Draw the mark of a pick.
 *
 * @param {CanvasRenderingContext2D} pen
 * @param {number} x
 * @param {number} y
 * @param {number} size
 * @param {string | null} fill
 * @param {string} edge
 * @param {string} paper
 */
export function bookmark(pen, x, y, size, fill, edge, paper) {
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
