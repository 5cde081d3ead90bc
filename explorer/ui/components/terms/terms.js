// Marks terms where they first occur on the page, and shows their definitions. They are marked by
// ranges (CSS custom highlights): the page's own elements, which Streamlit redraws, stay as they are.
import { beforeFrame, begin, mount, observeText, timer } from "../bridge.js"

/** @typedef {import("../types").Terms} Terms */
/** @typedef {import("../types").TermsFacts} TermsFacts */

const NAME = "latent-term"

const TIP = "latent-explorer-term"

const PAUSE = 250

/** What is no prose: controls, code, formulas, charts, headings and Streamlit's own tooltips. */
const NOT_PROSE = "button, a, input, textarea, select, code, pre, svg, h1, h2, h3, h4, h5, h6, summary, .katex, [role=tooltip], [data-baseweb=popover]"

export default mount({
  selector: ".terms",
  build: (root) => /** @type {Terms} */ (begin({ root, known: [], at: { x: 0, y: 0 } })),
  listen(terms, signal) {
    if (!("highlights" in CSS)) return
    terms.later = timer(signal, PAUSE, () => scan(terms))
    const look = beforeFrame(signal, () => probe(terms))
    const move = (/** @type {PointerEvent} */ event) => { terms.at = { x: event.clientX, y: event.clientY }; look() }
    addEventListener("pointermove", move, { signal, passive: true })
    addEventListener("pointerdown", move, { signal, passive: true })
    addEventListener("scroll", hide, { signal, passive: true, capture: true })
    addEventListener("keydown", (event) => { if (event.key === "Escape") hide() }, { signal })
    observeText(signal, document.body, () => terms.later.set())
    signal.addEventListener("abort", () => { CSS.highlights.delete(NAME); hide() })
    terms.later.set()
  },
  update(terms, /** @type {TermsFacts} */ facts) {
    const forms = facts.terms.flatMap((term, index) => term.forms.map((form) => ({ form: form.toLowerCase(), index })))
    forms.sort((one, other) => other.form.length - one.form.length)
    terms.facts = facts
    terms.forms = new Map(forms.map(({ form, index }) => [form, index]))
    terms.labels = new Map(facts.terms.flatMap((term, index) => term.labels.map((form) => [form.toLowerCase(), index])))
    const words = forms.map(({ form }) => form.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&"))
    terms.pattern = new RegExp(`(?<![\\p{L}\\p{N}_|-])(?:${words.join("|")})(?![\\p{L}\\p{N}_|²])`, "giu")
    terms.later?.set()
  },
})

/** @param {Terms} terms */
function scan(terms) {
  const main = document.querySelector("[data-testid=stMain]")
  if (!main) return
  const seen = new Set()
  terms.known = []
  const walker = document.createTreeWalker(main, NodeFilter.SHOW_TEXT)
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const text = node.nodeValue ?? ""
    const parent = node.parentElement
    if (text.length < 2 || !parent || parent.closest(NOT_PROSE) || heads(parent)) continue
    const label = terms.labels.get(text.trim().toLowerCase().replace(/, nats$/, ""))
    if (label !== undefined) {
      if (!seen.has(label)) add(terms, seen, label, node, text.length - text.trimStart().length, text.trimEnd().length)
      continue
    }
    for (const found of text.matchAll(terms.pattern)) {
      const index = terms.forms.get(found[0].toLowerCase())
      if (index !== undefined && !seen.has(index)) add(terms, seen, index, node, found.index, found.index + found[0].length)
    }
  }
  CSS.highlights.set(NAME, new Highlight(...terms.known.map(({ range }) => range)))
  terms.root.dataset.marked = String(terms.known.length)
}

/** Whether an element is the bold beginning of a paragraph: a heading too. @param {Element} element */
function heads(element) {
  const bold = element.closest("p > strong")
  return bold !== null && bold.previousSibling === null
}

/** @param {Terms} terms @param {Set<number>} seen @param {number} index @param {Node} node @param {number} from @param {number} to */
function add(terms, seen, index, node, from, to) {
  const range = new Range()
  range.setStart(node, from)
  range.setEnd(node, to)
  seen.add(index)
  terms.known.push({ range, index })
}

/** Show the definition of the term under the pointer, if there is one. @param {Terms} terms */
function probe(terms) {
  const { x, y } = terms.at
  const over = document.elementFromPoint(x, y)
  for (const { range, index } of terms.known) {
    const parent = range.startContainer.parentElement
    if (!parent?.isConnected || !over || !(parent === over || parent.contains(over) || over.contains(parent))) continue
    const box = [...range.getClientRects()].find((rect) => x >= rect.left && x <= rect.right && y >= rect.top - 2 && y <= rect.bottom + 2)
    if (box) { tell(terms, terms.facts.terms[index].definition, box); return }
  }
  hide()
}

/** @param {Terms} terms @param {string} words @param {DOMRect} box */
function tell(terms, words, box) {
  let tip = document.getElementById(TIP)
  if (!tip) {
    tip = document.createElement("div")
    tip.id = TIP
    tip.setAttribute("role", "tooltip")
    document.body.append(tip)
  }
  if (tip.textContent === words && tip.dataset.at === `${box.left},${box.top}`) return
  const style = getComputedStyle(terms.root)
  tip.textContent = words
  tip.dataset.at = `${box.left},${box.top}`
  tip.style.cssText = `
    position: fixed; z-index: 1000000; max-width: min(22rem, calc(100vw - 1.5rem)); padding: .5rem .7rem; pointer-events: none;
    font: .85rem/1.45 ${style.getPropertyValue("--st-font")}; color: ${style.getPropertyValue("--st-text-color")};
    background: ${style.getPropertyValue("--st-secondary-background-color")}; border: 1px solid ${style.getPropertyValue("--st-border-color")};
    border-radius: 8px; box-shadow: 0 4px 16px #0003;`
  const { width, height } = tip.getBoundingClientRect()
  const left = Math.max(8, Math.min(innerWidth - width - 8, box.left))
  const above = box.top - height - 6
  tip.style.left = `${left}px`
  tip.style.top = `${above >= 8 ? above : box.bottom + 6}px`
}

function hide() {
  document.getElementById(TIP)?.remove()
}
