// Drains the outbox to the server, tells what is kept, and offers to undo the last pick.
const PAUSES = [1500, 3000, 6000, 12000]

export default function (component) {
  const { parentElement, data } = component
  const root = parentElement.querySelector(".shelf")
  if (!root || !data) return
  const shelf = (root.shelf ??= { root, failures: 0, timer: 0, busy: false, said: "" })
  shelf.send = component.setTriggerValue
  shelf.facts = data
  if (data.project !== null) KEPT.project = data.project
  shelf.count = data.count
  root.querySelector(".open").onclick = () => shelf.send("open", true)
  show(shelf)
  refresh(shelf)
  const drainNow = () => drain(shelf)
  const takeOut = (event) => remove(shelf, event.detail)
  window.addEventListener("latent-outbox", drainNow)
  window.addEventListener("latent-unkeep", takeOut)
  window.addEventListener("online", drainNow)
  drain(shelf)
  return () => {
    window.removeEventListener("latent-outbox", drainNow)
    window.removeEventListener("latent-unkeep", takeOut)
    window.removeEventListener("online", drainNow)
    clearTimeout(shelf.timer)
  }
}

function outbox() {
  const found = [...(KEPT.homeless ?? [])]
  for (let i = 0; i < localStorage.length; i++) {
    const name = localStorage.key(i)
    if (!name.startsWith(OUTBOX)) continue
    try { found.push(JSON.parse(localStorage.getItem(name))) } catch { localStorage.removeItem(name) }
  }
  return found
}

function discard(key) {
  localStorage.removeItem(OUTBOX + key)
  KEPT.homeless = (KEPT.homeless ?? []).filter((item) => item.key !== key)
  for (const [origin, own] of KEPT.waiting) if (own === key) KEPT.waiting.delete(origin)
}

async function drain(shelf) {
  if (shelf.busy) return
  const items = outbox().slice(0, 64)
  if (!items.length) { shelf.said = ""; show(shelf); return }
  shelf.busy = true
  clearTimeout(shelf.timer)
  const project = items[0].project ?? KEPT.project
  const batch = items.filter((item) => (item.project ?? KEPT.project) === project)
  const answer = await post("/api/picks", { project, items: batch })
  shelf.busy = false
  if (answer.saved) {
    shelf.failures = 0
    shelf.said = answer.refused.length ? answer.refused[0].why : ""
    for (const { key, origin, stored } of answer.saved) { KEPT.origins.set(origin, stored); discard(key) }
    for (const { key } of answer.refused) discard(key)
    shelf.count = answer.count
    if (answer.saved.length) toast(shelf, answer)
    show(shelf)
    tell(shelf)
    if (outbox().length) drain(shelf)
    return
  }
  shelf.said = answer.why
  show(shelf)
  shelf.timer = setTimeout(() => drain(shelf), PAUSES[Math.min(shelf.failures++, PAUSES.length - 1)])
}

async function remove(shelf, origin) {
  const waiting = KEPT.waiting.get(origin)
  if (waiting && !KEPT.origins.has(origin)) { discard(waiting); show(shelf); tell(shelf); return }
  await removeKeys(shelf, [KEPT.origins.get(origin)])
}

async function removeKeys(shelf, keys) {
  const answer = await post("/api/picks/mark", { project: KEPT.project, keys: keys.filter(Boolean), removed: true })
  if (answer.why) { shelf.said = answer.why; show(shelf); return }
  for (const [origin, key] of KEPT.origins) if (keys.includes(key)) KEPT.origins.delete(origin)
  shelf.count = answer.count
  shelf.said = ""
  show(shelf)
  tell(shelf)
}

async function post(address, body) {
  try {
    const answer = await fetch(address, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) })
    const found = await answer.json()
    return answer.ok ? found : { why: found.why ?? "The server could not save it; it is tried again." }
  } catch {
    return { why: "The server does not answer; it is tried again." }
  }
}

// What is kept already, so that its tiles bear a mark.
async function refresh(shelf) {
  if (shelf.facts.project === null || shelf.known === `${shelf.facts.project} ${shelf.facts.count}`) return
  try {
    const answer = await fetch(`/api/picks/${shelf.facts.project}`)
    if (!answer.ok) return
    const found = await answer.json()
    shelf.known = `${shelf.facts.project} ${found.count}`
    KEPT.origins = new Map(found.origins)
    shelf.count = found.count
    show(shelf)
    window.dispatchEvent(new Event("latent-kept"))
  } catch { /* it is asked for again with the next run */ }
}

function tell(shelf) {
  window.dispatchEvent(new Event("latent-kept"))
  if (shelf.facts.listens) shelf.send("changed", Date.now())
}

function show(shelf) {
  const { root, facts, said } = shelf
  const waiting = outbox().length
  const n = shelf.count
  root.querySelector(".count").textContent = `${n.toLocaleString("en")} pick${n === 1 ? "" : "s"} in ${facts.name}`
  const news = root.querySelector(".news")
  const wait = waiting ? `${waiting} pick${waiting === 1 ? " waits" : "s wait"} in this browser until saved.` : ""
  const words = [said || facts.news, wait].filter(Boolean).join(" ")
  if (news.textContent !== words) news.textContent = words
  news.hidden = !words
  Object.assign(root.dataset, { count: n, waiting })
}

// Over the page, since the sidebar may be folded away.
function toast(shelf, answer) {
  document.getElementById("latent-toast")?.remove()
  const style = getComputedStyle(shelf.root)
  const read = (name, other) => style.getPropertyValue(name).trim() || other
  const box = document.createElement("div")
  box.id = "latent-toast"
  box.setAttribute("role", "status")
  Object.assign(box.style, {
    position: "fixed", right: "1.25rem", bottom: "1.25rem", zIndex: 1000000, display: "flex", gap: "1rem", alignItems: "center",
    padding: ".65rem 1rem", borderRadius: ".6rem", font: `500 .9rem ${read("--st-font", "sans-serif")}`,
    color: read("--st-background-color", "#fff"), background: read("--st-text-color", "#111"), boxShadow: "0 4px 18px rgb(0 0 0 / .3)",
  })
  const n = answer.saved.length
  const words = document.createElement("span")
  words.textContent = n === 1 ? `Kept as pick ${answer.saved[0].number}` : `${n} picks kept`
  const undo = document.createElement("button")
  undo.type = "button"
  undo.textContent = "Undo"
  Object.assign(undo.style, { font: "inherit", fontWeight: 700, color: "inherit", background: "none", border: 0, cursor: "pointer", textDecoration: "underline" })
  undo.onclick = () => { box.remove(); removeKeys(shelf, answer.saved.map((item) => item.stored)) }
  box.append(words, undo)
  document.body.append(box)
  setTimeout(() => box.remove(), 6000)
}
