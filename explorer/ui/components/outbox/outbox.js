// Sends waiting picks to the server, counts what is kept, and offers to undo the last pick.
import { address, begin, mount, part, post, timer } from "../bridge.js"
import { discard, KEPT, waitingItems } from "../outbox_client.js"

/** @typedef {import("../types").Outbox} Outbox */
/** @typedef {import("../types").Stored} Stored */
/** @typedef {import("../types").Saved} Saved */
/** @typedef {import("../types").Counted} Counted */

const PAUSES = [1500, 3000, 6000, 12000]
const TOAST = "latent-explorer-toast"
const WORDS = { refused: "The server could not save it; retrying.", silent: "The server does not respond; retrying." }

// One request at a time across mounts.
let busy = false
// The last of what the server kept by itself that was confirmed here, across mounts.
let confirmed = 0

export default mount({
  selector: ".outbox",
  build(root) {
    /** @type {Outbox} */
    const box = begin({
      root, failures: 0, said: "", words: part(root, ".count", HTMLElement), news: part(root, ".news", HTMLElement),
    })
    part(root, ".open", HTMLElement).onclick = () => box.send("open", true)
    return box
  },
  listen(box, signal) {
    box.signal = signal
    box.retry = timer(signal, PAUSES[0], () => drain(box))
    window.addEventListener("latent-explorer-outbox", () => drain(box), { signal })
    window.addEventListener("latent-explorer-unkeep", (event) => remove(box, event.detail), { signal })
    window.addEventListener("latent-explorer-undo", (event) => removeKeys(box, event.detail), { signal })
    window.addEventListener("online", () => drain(box), { signal })
  },
  update(box, /** @type {import("../types").OutboxFacts} */ facts, { setTriggerValue }) {
    box.send = setTriggerValue
    box.facts = facts
    if (facts.project !== null) KEPT.project = facts.project
    box.count = facts.count
    if (facts.kept && facts.turn > confirmed) {
      confirmed = facts.turn
      KEPT.origins.set(facts.kept.origin, facts.kept.stored)
      window.dispatchEvent(new Event("latent-explorer-kept"))
      toast(box, [facts.kept])
    }
    show(box)
    refresh(box)
    drain(box)
  },
})

/** @param {Outbox} box */
async function drain(box) {
  if (busy) return
  const items = waitingItems().slice(0, 64)
  if (!items.length) { box.said = ""; show(box); return }
  busy = true
  box.retry.stop()
  const project = items[0].project ?? KEPT.project
  const batch = items.filter((item) => (item.project ?? KEPT.project) === project)
  const answer = /** @type {Stored | import("../types").Refusal} */ (await post("/api/picks", { project, items: batch }, WORDS))
  busy = false
  if ("saved" in answer) {
    for (const { key, origin, stored } of answer.saved) { KEPT.origins.set(origin, stored); discard(key) }
    for (const { key } of answer.refused) discard(key)
    // After its end a mount shows nothing; the next one continues with what still waits.
    if (box.signal.aborted) { window.dispatchEvent(new Event("latent-explorer-outbox")); return }
    box.failures = 0
    box.said = answer.refused.length ? answer.refused[0].why : ""
    box.count = answer.count
    if (answer.saved.length) toast(box, answer.saved)
    show(box)
    tell(box)
    if (waitingItems().length) drain(box)
    return
  }
  if (box.signal.aborted) return
  box.said = answer.why
  show(box)
  box.retry.set(PAUSES[Math.min(box.failures++, PAUSES.length - 1)])
}

/** @param {Outbox} box @param {string} origin */
async function remove(box, origin) {
  const waiting = KEPT.waiting.get(origin)
  const stored = KEPT.origins.get(origin)
  if (waiting && !stored) { discard(waiting); show(box); tell(box); return }
  if (stored) await removeKeys(box, [stored])
}

/** @param {Outbox} box @param {string[]} keys */
async function removeKeys(box, keys) {
  const answer = /** @type {Counted | import("../types").Refusal} */ (
    await post("/api/picks/mark", { project: KEPT.project, keys, removed: true }, WORDS))
  if (!("why" in answer)) for (const [origin, key] of KEPT.origins) if (keys.includes(key)) KEPT.origins.delete(origin)
  if (box.signal.aborted) return
  if ("why" in answer) { box.said = answer.why; show(box); return }
  box.count = answer.count
  box.said = ""
  show(box)
  tell(box)
}

/**
 * Fetch what is kept already, so that tiles can be marked.
 *
 * @param {Outbox} box
 */
async function refresh(box) {
  const { project, count } = box.facts
  if (project === null || box.known === `${project} ${count}`) return
  try {
    const answer = await fetch(address(`/api/picks/${project}`))
    if (!answer.ok) return
    const found = /** @type {import("../types").KeptPicks} */ (await answer.json())
    if (box.signal.aborted) return
    box.known = `${project} ${found.count}`
    KEPT.origins = new Map(found.origins)
    box.count = found.count
    show(box)
    window.dispatchEvent(new Event("latent-explorer-kept"))
  } catch { /* the next run retries */ }
}

/** @param {Outbox} box */
function tell(box) {
  window.dispatchEvent(new Event("latent-explorer-kept"))
  if (box.facts.listens) box.send("changed", Date.now())
}

/** @param {Outbox} box */
function show(box) {
  const { root, facts, said, news } = box
  const waiting = waitingItems().length
  const n = box.count
  box.words.textContent = `${n.toLocaleString("en")} pick${n === 1 ? "" : "s"} in ${facts.name}`
  const wait = waiting ? `${waiting} pick${waiting === 1 ? " waits" : "s wait"} in this ${KEPT.homeless.length ? "tab" : "browser"} until saved.` : ""
  const words = [said || facts.news, wait].filter(Boolean).join(" ")
  if (news.textContent !== words) news.textContent = words
  news.hidden = !words
  Object.assign(root.dataset, { count: n, waiting })
}

/**
 * Confirm on top of the page what was kept, since the sidebar may be collapsed.
 *
 * @param {Outbox} box
 * @param {Saved[]} saved
 */
function toast(box, saved) {
  document.getElementById(TOAST)?.remove()
  const style = getComputedStyle(box.root)
  /** @param {string} name @param {string} other */
  const read = (name, other) => style.getPropertyValue(name).trim() || other
  const note = document.createElement("div")
  note.id = TOAST
  note.setAttribute("role", "status")
  Object.assign(note.style, {
    position: "fixed", right: "1.25rem", bottom: "1.25rem", zIndex: 1000000, display: "flex", gap: "1rem", alignItems: "center",
    padding: ".65rem 1rem", borderRadius: ".6rem", font: `500 .9rem ${read("--st-font", "sans-serif")}`,
    color: read("--st-background-color", "#fff"), background: read("--st-text-color", "#111"), boxShadow: "0 4px 18px rgb(0 0 0 / .3)",
  })
  const words = document.createElement("span")
  words.textContent = told(saved)
  const undo = document.createElement("button")
  undo.type = "button"
  undo.textContent = "Undo"
  Object.assign(undo.style, { font: "inherit", fontWeight: 700, color: "inherit", background: "none", border: 0, cursor: "pointer", textDecoration: "underline", minHeight: matchMedia("(pointer: coarse)").matches ? "2.75rem" : "1.5rem" })
  // The note outlives this mount: the one then on the page removes the picks.
  undo.onclick = () => {
    note.remove()
    window.dispatchEvent(new CustomEvent("latent-explorer-undo", { detail: saved.map((item) => item.stored) }))
  }
  note.append(words, undo)
  document.body.append(note)
  // eslint-disable-next-line no-restricted-syntax -- the note outlives this mount
  setTimeout(() => note.remove(), 6000)
}

/** @param {Saved[]} saved */
function told(saved) {
  const invalid = saved.filter(({ fault }) => fault).length
  if (saved.length > 1) return `${saved.length} picks kept${invalid ? `, ${invalid} of them invalid` : ""}`
  return `Kept as pick ${saved[0].number}${invalid ? ` (invalid: ${saved[0].fault})` : ""}`
}
