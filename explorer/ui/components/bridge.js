// Life cycle and requests of all components: one instance per root, ended when it leaves the page.

/** @typedef {import("./types").Life} Life */

// This module is at <base>/api/components/<hash>/bridge.js, wherever a proxy has put the app.
const BASE = new URL("../../../", import.meta.url)

// On the window, since after a server upgrade two versions of this module can meet in one tab.
/** @type {WeakMap<Element, Life>} */
const LIVES = (window.latentExplorerLives ??= new WeakMap())

/**
 * Return the function that Streamlit calls at every redraw.
 *
 * Streamlit 1.67 keeps only the cleanup of the last call, and runs that of a superseded call at
 * once. So any cleanup ends the instance once its root has left the page, and the last one does so
 * in any case. An instance that is redrawn after its end keeps its state and listens again.
 *
 * @template Instance, Data
 * @param {import("./types").Parts<Instance, Data>} parts
 * @returns {(component: import("./types").Component<Data>) => (() => void) | undefined}
 */
export function mount({ selector, build, update, listen }) {
  const owner = {}
  return (component) => {
    const root = component.parentElement.querySelector(selector)
    if (!(root instanceof HTMLElement) || component.data === null || component.data === undefined) return undefined
    let life = LIVES.get(root)
    if (life?.owner !== owner) {
      life?.end?.abort()
      life = { owner, instance: build(root), end: null, calls: 0 }
      LIVES.set(root, life)
    }
    const own = life
    const instance = /** @type {Instance} */ (own.instance)
    if (!own.end || own.end.signal.aborted) {
      own.end = new AbortController()
      listen(instance, own.end.signal)
    }
    const { end } = own
    const call = (own.calls += 1)
    /** @param {(name: string, value: unknown) => void} send @returns {(name: string, value: unknown) => void} */
    const living = (send) => (name, value) => { if (!end.signal.aborted) send(name, value) }
    update(instance, component.data, {
      ...component,
      setStateValue: living(component.setStateValue),
      setTriggerValue: living(component.setTriggerValue),
    })
    return () => { if (call === own.calls || !root.isConnected) own.end?.abort() }
  }
}

/**
 * Type what `build` returns; `listen` and the first redraw fill in the rest.
 *
 * @template Instance
 * @param {NoInfer<Partial<Instance>>} known
 * @returns {Instance}
 */
export function begin(known) {
  return /** @type {Instance} */ (known)
}

/**
 * Resolve a path of this app ("/api/...") below the path at which it is served.
 *
 * @param {string} path
 */
export function address(path) {
  return new URL(path.replace(/^\/+/, ""), BASE).href
}

/**
 * Find an element that must exist.
 *
 * @template {Element} Kind
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => Kind} kind
 * @returns {Kind}
 */
export function part(root, selector, kind) {
  const found = root.querySelector(selector)
  if (!(found instanceof kind)) throw new Error(`${selector} is missing.`)
  return found
}

/**
 * Observe an element's size until the signal aborts.
 *
 * @param {AbortSignal} signal
 * @param {Element} element
 * @param {() => void} resized
 */
export function observeSize(signal, element, resized) {
  const observer = new ResizeObserver(resized)
  observer.observe(element)
  signal.addEventListener("abort", () => observer.disconnect())
}

/**
 * Observe whether an element is in view until the signal aborts.
 *
 * @param {AbortSignal} signal
 * @param {Element} element
 * @param {(visible: boolean) => void} changed
 */
export function observeView(signal, element, changed) {
  const observer = new IntersectionObserver((seen) => changed(seen[seen.length - 1].isIntersecting))
  observer.observe(element)
  signal.addEventListener("abort", () => observer.disconnect())
}

/**
 * Observe what is written below an element until the signal aborts.
 *
 * @param {AbortSignal} signal
 * @param {Element} element
 * @param {() => void} changed
 */
export function observeText(signal, element, changed) {
  const observer = new MutationObserver(changed)
  observer.observe(element, { childList: true, subtree: true, characterData: true })
  signal.addEventListener("abort", () => observer.disconnect())
}

/**
 * A timer that restarts when it is set, and stops with the signal.
 *
 * @param {AbortSignal} signal
 * @param {number} milliseconds
 * @param {() => void} act
 * @returns {import("./types").Timer}
 */
export function timer(signal, milliseconds, act) {
  let running = 0
  const stop = () => { clearTimeout(running); running = 0 }
  signal.addEventListener("abort", stop)
  return {
    set(wait = milliseconds) {
      stop()
      if (!signal.aborted) running = setTimeout(() => { running = 0; act() }, wait)
    },
    stop,
    get running() { return running !== 0 },
  }
}

/**
 * Batch calls into one before the next frame; none after the signal aborts.
 *
 * @param {AbortSignal} signal
 * @param {() => void} act
 */
export function beforeFrame(signal, act) {
  let pending = false
  return () => {
    if (pending) return
    pending = true
    requestAnimationFrame(() => { pending = false; if (!signal.aborted) act() })
  }
}

/**
 * Post JSON and return the response; `why` says what failed.
 *
 * @template Answer
 * @param {string} path
 * @param {object} body
 * @param {{refused: string, silent: string}} words
 * @returns {Promise<Answer | import("./types").Refusal>}
 */
export async function post(path, body, { refused, silent }) {
  try {
    const answer = await fetch(address(path), {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
      referrerPolicy: "same-origin", // a stricter one, which a proxy may set, would hide the Origin
    })
    const found = await answer.json()
    return answer.ok ? found : { why: found.why ?? refused }
  } catch {
    return { why: silent }
  }
}
