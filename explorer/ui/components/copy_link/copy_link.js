// Copies the page's address and confirms it for a moment.
import { begin, mount, timer } from "../bridge.js"

/** @typedef {{button: HTMLElement, words: string, back: import("../types").Timer}} Copy */

export default mount({
  selector: ".copy",
  build: (button) => /** @type {Copy} */ (begin({ button, words: button.textContent ?? "" })),
  listen(copy, signal) {
    copy.back = timer(signal, 1600, () => { copy.button.textContent = copy.words })
  },
  update(copy) {
    copy.button.onclick = async () => {
      try {
        await navigator.clipboard.writeText(location.href)
        copy.button.textContent = "Copied"
      } catch { copy.button.textContent = "Copy it from the address bar" }
      copy.back.set()
    }
  },
})
