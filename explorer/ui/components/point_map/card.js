// The card of the hovered point, with its images.
import { address, part } from "../bridge.js"
import { fetched } from "./fetched.js"
import { lookAway } from "./preview.js"
import { isReady, screenOf } from "./view.js"

/**
 * Fetch and show the card of the hovered point.
 *
 * @param {import("../types").PointMap} map
 */
export async function showCard(map) {
  const found = map.hovered
  if (!found || !isReady(map)) return
  const layer = map.facts.layers[found.layer]
  /** @type {import("../types").CardResponse} */
  let card
  try {
    const from = map.facts.card.replace("{layer}", layer.name).replace("{i}", String(found.index))
    card = JSON.parse(new TextDecoder().decode(await fetched(from)))
  } catch { return }
  if (map.signal.aborted || map.hovered !== found) return
  const list = part(map.card, "dl", HTMLElement)
  list.replaceChildren()
  for (const [name, value] of [[card.title, ""], ...card.rows]) {
    const [term, detail] = [document.createElement("dt"), document.createElement("dd")]
    term.textContent = name
    detail.textContent = value
    list.append(term, detail)
  }
  const frame = part(map.card, ".pictures", HTMLElement)
  frame.classList.toggle("tall", map.facts.smooth)
  frame.classList.toggle("inked", map.facts.inked)
  frame.replaceChildren(...card.pictures.map(([words, from]) => {
    const figure = document.createElement("figure")
    const image = new Image()
    image.alt = words
    image.className = map.facts?.smooth ? "smooth" : ""
    image.src = address(from)
    const caption = document.createElement("figcaption")
    caption.textContent = words
    figure.append(image, caption)
    return figure
  }))
  map.said.textContent = [...list.children].map((cell) => cell.textContent).join(" ")
  lookAway(map)
  map.card.hidden = false
  const [x, y] = screenOf(map, found)
  const [width, height] = [Math.max(map.card.offsetWidth, 190), map.card.offsetHeight]
  map.card.style.left = `${x + 16 + width > map.width ? Math.max(4, x - 16 - width) : x + 16}px`
  map.card.style.top = `${Math.max(4, Math.min(map.height - height - 4, y - height / 2))}px`
}
