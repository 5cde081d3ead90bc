// Responses, cached by their URL.
import { address } from "../bridge.js"

const MOST = 12

/** @type {Map<string, Promise<Uint8Array>>} */
const known = new Map()

/**
 * Fetch the bytes at a path, once.
 *
 * @param {string} path
 */
export function fetched(path) {
  const running = known.get(path)
  if (running) return running
  if (known.size > MOST) known.clear()
  const answer = load(path)
  known.set(path, answer)
  answer.catch(() => known.delete(path))
  return answer
}

/** @param {string} path */
async function load(path) {
  const answer = await fetch(address(path))
  // Streamlit responds to unknown paths with its own page.
  if (!answer.ok || (answer.headers.get("content-type") ?? "").includes("html")) throw new Error(await answer.text())
  return new Uint8Array(await answer.arrayBuffer())
}
