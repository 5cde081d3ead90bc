// Cards of picks. A key changes the card at once and the store right after; Python hears of it a
// little later, so that a run of keys is one run of the page.
const PAUSE = 500

export default function (component) {
  const { parentElement, data } = component
  const root = parentElement.querySelector(".shortlist")
  if (!root || !data) return
  const list = (root.list ??= { root, cards: root.querySelector(".cards"), said: root.querySelector(".said"), at: null, chosen: [], timer: 0, turn: 0, painted: 0, queue: Promise.resolve() })
  list.send = component.setStateValue
  list.theme = inks(root)
  read(list, data)
  list.observer ??= new ResizeObserver(() => paint(list))
  list.observer.observe(list.cards)
  const narrow = (event) => { list.outside = event.detail; veil(list) }
  window.addEventListener("latent-ranges", narrow)
  return () => { list.observer.disconnect(); window.removeEventListener("latent-ranges", narrow) }
}

function read(list, bytes) {
  const [facts, bodies] = unpack(bytes)
  let at = 0
  for (const panel of facts.panels) {
    panel.body = bodyOf(panel, bodies.slice(at, at + panel.bytes))
    at += panel.bytes
  }
  list.facts = facts
  if (!list.timer) Object.assign(list, { at: facts.at, chosen: facts.chosen })
  const curves = facts.panels.some((panel) => panel.kind === "curve")
  list.root.style.setProperty("--least", curves ? "168px" : "112px")
  while (list.cards.children.length > facts.cards.length) list.cards.lastChild.remove()
  while (list.cards.children.length < facts.cards.length) list.cards.append(build(list))
  facts.cards.forEach((card, index) => fill(list, list.cards.children[index], card))
  veil(list)
  paint(list)
}

function build(list) {
  const element = document.createElement("div")
  element.className = "card"
  element.setAttribute("role", "option")
  element.tabIndex = 0
  element.innerHTML = '<canvas></canvas><button type="button" class="pin" tabindex="-1"></button><div class="line"><span class="number"></span><span class="badge"></span><span class="stars"></span></div><div class="words"></div>'
  const stars = element.querySelector(".stars")
  for (let n = 1; n <= 5; n++) {
    const star = document.createElement("b")
    star.textContent = "★"
    star.onclick = (event) => { event.stopPropagation(); mark(list, element, { stars: element.card.stars === n ? 0 : n }) }
    stars.append(star)
  }
  element.querySelector(".pin").onclick = (event) => { event.stopPropagation(); compare(list, element) }
  element.onclick = () => { element.focus(); focus(list, element) }
  element.onfocus = () => focus(list, element)
  element.onkeydown = (event) => key(list, element, event)
  return element
}

function fill(list, element, card) {
  element.card = card
  element.className = ["card", card.verdict, card.number === list.at ? "at" : "", list.chosen.includes(card.number) ? "chosen" : ""].filter(Boolean).join(" ")
  element.querySelector(".number").textContent = `${card.number}`
  element.querySelector(".badge").textContent = card.fault ? "unsound" : { keep: "keep", reject: "reject" }[card.verdict] ?? ""
  element.querySelectorAll(".stars b").forEach((star, index) => star.classList.toggle("off", index >= card.stars))
  element.querySelector(".words").textContent = card.words.slice(0, 2).join(" · ")
  const pin = element.querySelector(".pin")
  const place = list.chosen.indexOf(card.number)
  pin.textContent = place < 0 ? "+" : place + 1
  pin.title = "Compare (Enter)"
  pin.setAttribute("aria-label", `Compare pick ${card.number}`)
  element.setAttribute("aria-selected", card.number === list.at)
  element.setAttribute("aria-label", `Pick ${card.number}, ${card.stars} stars, ${{ keep: "marked to keep", reject: "rejected" }[card.verdict] ?? "undecided"}${card.fault ? `, unsound: ${card.fault}` : ""}`)
  element.title = [...card.words, card.fault ? `unsound: ${card.fault}` : "", ...card.tags.map((tag) => `#${tag}`)].filter(Boolean).join(" · ")
  Object.assign(element.dataset, { number: card.number, stars: card.stars, verdict: card.verdict })
}

// Cards outside the ranges drawn on the parallel coordinates recede, as do those out of bounds.
function veil(list) {
  for (const element of list.cards.children) element.classList.toggle("dim", element.card.dim || Boolean(list.outside?.includes(element.card.number)))
}

function paint(list) {
  const { facts, theme } = list
  const ratio = window.devicePixelRatio || 1
  for (const element of list.cards.children) {
    const { card } = element
    const panel = facts.panels[card.panel]
    const canvas = element.querySelector("canvas")
    const width = canvas.clientWidth
    if (!width) continue
    const height = Math.round(width / shapeOf(panel))
    canvas.style.height = `${height}px`
    canvas.width = Math.round(width * ratio)
    canvas.height = Math.round(height * ratio)
    const pen = canvas.getContext("2d", { willReadFrequently: true })
    pen.setTransform(ratio, 0, 0, ratio, 0, 0)
    paintSample(theme, panel, pen, card.at, 0, 0, width, height, false)
    canvas.dataset.digest = crcOf(canvas) ?? ""
  }
  list.painted += 1
  Object.assign(list.root.dataset, { painted: list.painted, cards: facts.cards.length, at: list.at ?? "", chosen: list.chosen.join(",") })
}

function key(list, element, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  const columns = getComputedStyle(list.cards).gridTemplateColumns.split(" ").length
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key]
  const all = [...list.cards.children]
  const low = event.key.toLowerCase()
  if (step) all[Math.max(0, Math.min(all.length - 1, all.indexOf(element) + step))].focus()
  else if (event.key === "Home") all[0].focus()
  else if (event.key === "End") all[all.length - 1].focus()
  else if (/^[0-5]$/.test(event.key)) mark(list, element, { stars: Number(event.key) })
  else if (low === "x") mark(list, element, { verdict: element.card.verdict === "reject" ? "" : "reject" })
  else if (low === "k") mark(list, element, { verdict: element.card.verdict === "keep" ? "" : "keep" })
  else if (low === "u") undo(list)
  else if (event.key === "Enter" || event.key === " ") compare(list, element)
  else return
  event.preventDefault()
}

function focus(list, element) {
  if (list.at === element.card.number) return
  list.at = element.card.number
  for (const other of list.cards.children) other.classList.toggle("at", other === element)
  list.root.dataset.at = list.at
  later(list)
}

function compare(list, element) {
  const { number } = element.card
  const known = list.chosen.includes(number)
  if (!known && list.chosen.length >= list.facts.most) { say(list, `At most ${list.facts.most} are compared; take one out first.`); return }
  list.chosen = known ? list.chosen.filter((item) => item !== number) : [...list.chosen, number]
  for (const other of list.cards.children) fill(list, other, other.card)
  veil(list)
  list.root.dataset.chosen = list.chosen.join(",")
  later(list)
}

// All in one message: two that overtake each other would each carry the other's old address.
function later(list) {
  clearTimeout(list.timer)
  list.timer = setTimeout(() => {
    list.timer = 0
    list.send("held", { at: list.at, chosen: list.chosen, turn: ++list.turn })
  }, PAUSE)
}

// One after the other, so that what is undone is what was done last.
function mark(list, element, said) {
  const { card } = element
  const before = { ...card }
  Object.assign(card, said)
  fill(list, element, card)
  list.queue = list.queue.then(() => tell(list, "/api/picks/mark", { project: list.facts.project, keys: [card.key], ...said })).then((answer) => {
    if (!answer.why) { say(list, ""); return }
    Object.assign(card, before)
    if (element.card === card) fill(list, element, card)
    say(list, answer.why)
  })
}

function undo(list) {
  list.queue = list.queue.then(() => tell(list, "/api/picks/undo", { project: list.facts.project, keys: [] })).then((answer) => {
    say(list, answer.why ?? (answer.undone ? `Undone: ${answer.undone}` : "There is nothing to undo."))
  })
}

async function tell(list, address, body) {
  list.root.dataset.busy = "1"
  try {
    const answer = await fetch(address, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) })
    const found = await answer.json()
    if (!answer.ok) return { why: found.why ?? "It could not be saved; try again." }
    later(list)
    return found
  } catch {
    return { why: "The server does not answer; nothing was changed." }
  } finally { delete list.root.dataset.busy }
}

function say(list, words) { list.said.textContent = words }
