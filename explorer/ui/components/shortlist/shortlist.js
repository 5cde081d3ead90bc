// Cards of picks. A key changes the card at once and the store right after; the page is told with a
// delay, so that a burst of keys is one rerun.
import { begin, mount, observeSize, part, post, timer } from "../bridge.js"
import { bodyOf, crcOf, inks, paintSample, penOf, shapeOf, unpack } from "../painting.js"

/** @typedef {import("../types").Shortlist} Shortlist */
/** @typedef {import("../types").CardFacts} CardFacts */
/** @typedef {import("../types").Counted | import("../types").Refusal} Answer */

const PAUSE = 500
const VERDICTS = { keep: "Kept", reject: "Rejected", "": "Undecided" }
/** What a click on the verdict makes of it. @type {Record<CardFacts["verdict"], CardFacts["verdict"]>} */
const NEXT = { "": "keep", keep: "reject", reject: "" }

export default mount({
  selector: ".shortlist",
  build: (root) => /** @type {Shortlist} */ (begin({
    root, cards: part(root, ".cards", HTMLElement), said: part(root, ".said", HTMLElement), elements: new Map(),
    at: null, chosen: [], outside: [], turn: 0, painted: 0, queue: Promise.resolve(),
  })),
  listen(list, signal) {
    list.signal = signal
    // One message for all: of two, each could carry the other's old value.
    list.pause = timer(signal, PAUSE, () => list.send("held", { at: list.at, chosen: list.chosen, turn: ++list.turn }))
    observeSize(signal, list.cards, () => paint(list))
    window.addEventListener("latent-explorer-ranges", (event) => { list.outside = event.detail; veil(list) }, { signal })
  },
  update(list, /** @type {Uint8Array} */ bytes, { setStateValue }) {
    list.send = setStateValue
    list.theme = inks(list.root)
    read(list, bytes)
  },
})

/** @param {Shortlist} list @param {Uint8Array} bytes */
function read(list, bytes) {
  const [header, bodies] = unpack(bytes)
  const facts = /** @type {import("../types").ShortlistFacts} */ (header)
  let at = 0
  for (const panel of facts.panels) {
    panel.body = bodyOf(panel, bodies.slice(at, at + panel.bytes))
    at += panel.bytes
  }
  list.facts = facts
  if (!list.pause.running) Object.assign(list, { at: facts.at, chosen: facts.chosen })
  const curves = facts.panels.some((panel) => panel.kind === "curve")
  list.root.style.setProperty("--least", curves ? "168px" : "131px")
  const elements = [...list.elements.keys()]
  for (const element of elements.splice(facts.cards.length)) { list.elements.delete(element); element.remove() }
  facts.cards.forEach((card, index) => fill(list, elements[index] ?? build(list, card), card))
  veil(list)
  paint(list)
}

/** @param {Shortlist} list @param {CardFacts} card */
function build(list, card) {
  const element = document.createElement("div")
  element.className = "card"
  element.setAttribute("role", "listitem")
  element.tabIndex = 0
  element.innerHTML = '<div class="line"><span class="number"></span><button type="button" class="verdict" tabindex="-1"></button></div><div class="picture"><canvas></canvas><button type="button" class="pin" tabindex="-1"></button></div><div class="stars"></div><div class="words"></div><div class="reasons"></div>'
  list.elements.set(element, card)
  list.cards.append(element)
  const stars = part(element, ".stars", HTMLElement)
  for (let n = 1; n <= 5; n++) {
    const star = document.createElement("b")
    star.textContent = "★"
    star.onclick = (event) => { event.stopPropagation(); mark(list, element, { stars: cardOf(list, element).stars === n ? 0 : n }) }
    stars.append(star)
  }
  part(element, ".pin", HTMLElement).onclick = (event) => { event.stopPropagation(); compare(list, element) }
  part(element, ".verdict", HTMLElement).onclick = (event) => { event.stopPropagation(); mark(list, element, { verdict: NEXT[cardOf(list, element).verdict] }) }
  element.onclick = () => { element.focus(); focus(list, element) }
  element.onfocus = () => focus(list, element)
  element.onkeydown = (event) => key(list, element, event)
  return element
}

/** @param {Shortlist} list @param {HTMLElement} element @returns {CardFacts} */
function cardOf(list, element) {
  const card = list.elements.get(element)
  if (!card) throw new Error("This card has no pick.")
  return card
}

/** @param {Shortlist} list @param {HTMLElement} element @param {CardFacts} card */
function fill(list, element, card) {
  list.elements.set(element, card)
  element.className = ["card", card.verdict, card.number === list.at ? "at" : "", list.chosen.includes(card.number) ? "chosen" : ""].filter(Boolean).join(" ")
  part(element, ".number", HTMLElement).textContent = card.name ? `${card.number} · ${card.name}` : `${card.number}`
  const verdict = part(element, ".verdict", HTMLElement)
  verdict.textContent = VERDICTS[card.verdict]
  verdict.title = "Keep (K) or reject (X)"
  verdict.setAttribute("aria-label", `Pick ${card.number} is ${VERDICTS[card.verdict].toLowerCase()}: change to ${VERDICTS[NEXT[card.verdict]].toLowerCase()}`)
  element.querySelectorAll(".stars b").forEach((star, index) => star.classList.toggle("off", index >= card.stars))
  part(element, ".words", HTMLElement).textContent = card.words.slice(0, 2).map(unbroken).join(" · ")
  part(element, ".reasons", HTMLElement).textContent = card.reasons.map((why) => `⚠ ${unbroken(why)}`).join("\n")
  const pin = part(element, ".pin", HTMLElement)
  const place = list.chosen.indexOf(card.number)
  pin.textContent = place < 0 ? "+" : String(place + 1)
  pin.title = "Compare (Enter)"
  pin.setAttribute("aria-label", `Compare pick ${card.number}`)
  element.setAttribute("aria-current", String(card.number === list.at))
  element.setAttribute("aria-label", `Pick ${card.number}${card.name ? `, own section ${card.name}` : ""}, ${card.stars} stars, ${VERDICTS[card.verdict].toLowerCase()}${card.reasons.map((why) => `, ${why}`).join("")}`)
  element.title = [...card.words, ...card.reasons, ...card.tags.map((tag) => `#${tag}`)].filter(Boolean).join(" · ")
  Object.assign(element.dataset, { number: card.number, stars: card.stars, verdict: card.verdict })
}

/** Keep numbers and their units in one line. @param {string} words */
function unbroken(words) { return words.replace(/([\d≥≤]) (?=[%°\d−])/g, "$1\u00a0") }

// Cards outside the ranges of the parallel coordinates are dimmed, as are those that violate constraints.
/** @param {Shortlist} list */
function veil(list) {
  for (const [element, card] of list.elements) element.classList.toggle("dim", card.dim || list.outside.includes(card.number))
}

/** @param {Shortlist} list */
function paint(list) {
  const { facts, theme } = list
  const ratio = window.devicePixelRatio || 1
  for (const [element, card] of list.elements) {
    const panel = facts.panels[card.panel]
    const canvas = part(element, "canvas", HTMLCanvasElement)
    const width = canvas.clientWidth
    if (!width) continue
    const height = Math.round(width / shapeOf(panel))
    canvas.style.height = `${height}px`
    canvas.width = Math.round(width * ratio)
    canvas.height = Math.round(height * ratio)
    const pen = penOf(canvas)
    pen.setTransform(ratio, 0, 0, ratio, 0, 0)
    paintSample(theme, panel, pen, card.at, 0, 0, width, height, false)
    canvas.dataset.digest = crcOf(canvas) ?? ""
  }
  list.painted += 1
  Object.assign(list.root.dataset, { painted: list.painted, cards: facts.cards.length, at: list.at ?? "", chosen: list.chosen.join(",") })
}

/** @param {Shortlist} list @param {HTMLElement} element @param {KeyboardEvent} event */
function key(list, element, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  const columns = getComputedStyle(list.cards).gridTemplateColumns.split(" ").length
  const step = new Map([["ArrowLeft", -1], ["ArrowRight", 1], ["ArrowUp", -columns], ["ArrowDown", columns]]).get(event.key)
  const all = [...list.elements.keys()]
  const { verdict } = cardOf(list, element)
  const low = event.key.toLowerCase()
  if (step) all[Math.max(0, Math.min(all.length - 1, all.indexOf(element) + step))].focus()
  else if (event.key === "Home") all[0].focus()
  else if (event.key === "End") all[all.length - 1].focus()
  else if (/^[0-5]$/.test(event.key)) mark(list, element, { stars: Number(event.key) })
  else if (low === "x") mark(list, element, { verdict: verdict === "reject" ? "" : "reject" })
  else if (low === "k") mark(list, element, { verdict: verdict === "keep" ? "" : "keep" })
  else if (low === "u") undo(list)
  else if (event.key === "Enter" || event.key === " ") compare(list, element)
  else return
  event.preventDefault()
}

/** @param {Shortlist} list @param {HTMLElement} element */
function focus(list, element) {
  const { number } = cardOf(list, element)
  if (list.at === number) return
  list.at = number
  for (const other of list.elements.keys()) other.classList.toggle("at", other === element)
  list.root.dataset.at = String(number)
  list.pause.set()
}

/** @param {Shortlist} list @param {HTMLElement} element */
function compare(list, element) {
  const { number } = cardOf(list, element)
  const known = list.chosen.includes(number)
  if (!known && list.chosen.length >= list.facts.most) { say(list, `At most ${list.facts.most} can be compared; remove one first.`); return }
  list.chosen = known ? list.chosen.filter((item) => item !== number) : [...list.chosen, number]
  for (const [other, card] of list.elements) fill(list, other, card)
  veil(list)
  list.root.dataset.chosen = list.chosen.join(",")
  list.pause.set()
}

/**
 * Change a pick. Changes are sent in order, so that undo reverts the last one.
 *
 * @param {Shortlist} list
 * @param {HTMLElement} element
 * @param {Partial<Pick<CardFacts, "stars" | "verdict">>} said
 */
function mark(list, element, said) {
  const card = cardOf(list, element)
  const before = { ...card }
  Object.assign(card, said)
  fill(list, element, card)
  queue(list, "/api/picks/mark", { project: list.facts.project, keys: [card.key], ...said }, (answer) => {
    if (!("why" in answer)) { say(list, ""); return }
    Object.assign(card, before)
    if (list.elements.get(element) === card) fill(list, element, card)
    say(list, answer.why)
  })
}

/** @param {Shortlist} list */
function undo(list) {
  queue(list, "/api/picks/undo", { project: list.facts.project, keys: [] }, (answer) => {
    say(list, "why" in answer ? answer.why : answer.undone ? `Undone: ${answer.undone}` : "There is nothing to undo.")
  })
}

/**
 * @param {Shortlist} list
 * @param {string} path
 * @param {object} body
 * @param {(answer: Answer) => void} then
 */
function queue(list, path, body, then) {
  list.queue = list.queue.then(async () => {
    list.root.dataset.busy = "1"
    const answer = /** @type {Answer} */ (
      await post(path, body, { refused: "Could not be saved; try again.", silent: "The server does not respond; nothing was changed." }))
    delete list.root.dataset.busy
    if (list.signal.aborted) return
    if (!("why" in answer)) list.pause.set()
    then(answer)
  })
}

/** @param {Shortlist} list @param {string} words */
function say(list, words) { list.said.textContent = words }
