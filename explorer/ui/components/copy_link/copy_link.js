// Copies the page's address and confirms it for a moment; closes a sidebar that covers the page
// once a page is chosen in it, as Streamlit does for its own navigation.
import { begin, mount, timer } from "../bridge.js"

/** @typedef {{button: HTMLElement, words: string, back: import("../types").Timer}} Copy */

const NARROW = 768 // below this width Streamlit lays the sidebar over the page

export default mount({
  selector: ".copy",
  build: (button) => /** @type {Copy} */ (begin({ button, words: button.textContent ?? "" })),
  listen(copy, signal) {
    copy.back = timer(signal, 1600, () => { copy.button.textContent = copy.words })
    addEventListener("click", (event) => {
      const chosen = event.target instanceof Element && event.target.closest(".st-key-frame_links a")
      if (!chosen || innerWidth > NARROW) return
      const close = document.querySelector("[data-testid=stSidebarCollapseButton] button")
      if (close instanceof HTMLElement) close.click()
    }, { signal })
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
