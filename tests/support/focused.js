// Describes the element in focus: its tag, its words, and whether a ring is drawn around it.
() => {
  let e = document.activeElement
  while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement
  const ring = one => {
    const s = getComputedStyle(one)
    return s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2
  }
  const field = e.closest("[role=group]")
  return [e.tagName, e.innerText || e.getAttribute("aria-label") || "", ring(e) || (field !== null && ring(field))]
}
