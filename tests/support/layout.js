// Waits until the page rests, then lists clipped and overlapping texts, small targets, and more.
async (least) => {
  const found = {clipped: [], overlapping: [], small: [], read: []}
  const main = document.querySelector("[data-testid=stMain]")
  const rest = ms => new Promise(done => setTimeout(done, ms))
  for (let height = -1, calm = 0; calm < 2; ) { // a resized page settles in several steps
    await rest(90)
    calm = main.scrollHeight === height ? calm + 1 : 0
    height = main.scrollHeight
  }
  const side = document.querySelector("[data-testid=stSidebar]")
  const closed = side !== null && side.getBoundingClientRect().right < 100
  const roots = [document, ...[...document.querySelectorAll("*")].map(e => e.shadowRoot).filter(Boolean)]
  const all = wanted => roots.flatMap(root => [...root.querySelectorAll(wanted)])
  const above = e => e.parentElement ?? e.getRootNode().host
  const within = e => { while (e && e !== side) e = above(e); return e === side }
  const seen = e => {
    const box = e.getBoundingClientRect()
    return box.width > 1 && box.height > 1 && e.checkVisibility({opacityProperty: true, visibilityProperty: true})
      && !(closed && within(e))
  }
  const name = e => {
    let key = ""
    for (let p = e; p && !key; p = above(p)) key = [...(p.classList ?? [])].find(c => c.startsWith("st-key-")) ?? ""
    key ||= e.closest("[data-testid=stDataFrame]") ? "st-key-stDataFrame" : ""
    const words = (e.innerText || e.value || e.getAttribute("aria-label") || "").trim().split("\n").join(" ")
    return `${key.slice(7)}: ${e.tagName.toLowerCase()} ${words.slice(0, 60)}`
  }
  const inView = e => { // without what a pane that scrolls by itself hides
    const {left, right, top, bottom} = e.getBoundingClientRect(), box = {left, right, top, bottom}
    for (let p = above(e); p && p !== main; p = above(p)) {
      if (!/auto|scroll/.test(getComputedStyle(p).overflowY)) continue
      const edge = p.getBoundingClientRect()
      box.top = Math.max(box.top, edge.top)
      box.bottom = Math.min(box.bottom, edge.bottom)
    }
    return box
  }
  const hides = s => s.overflowX === "hidden" || s.overflowX === "clip"
  const scrolls = s => s.overflowX === "auto" || s.overflowX === "scroll"
  for (const e of all("*")) {
    if (!seen(e)) continue
    const s = getComputedStyle(e), written = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())
    if (scrolls(s) && e !== main && e.scrollWidth > e.clientWidth + 1) found.clipped.push(`scrolls ${name(e)}`)
    if (!written) continue
    if (hides(s) && e.scrollWidth > e.clientWidth + 1) { found.clipped.push(name(e)); continue }
    const box = e.getBoundingClientRect()
    for (let p = above(e); p && p !== document.body; p = above(p)) {
      const ps = getComputedStyle(p)
      if (scrolls(ps)) break
      const edge = p.getBoundingClientRect()
      if (hides(ps) && edge.width > 0 && (box.right > edge.right + 2 || box.left < edge.left - 2)) {
        found.clipped.push(name(e))
        break
      }
    }
  }
  for (const e of all("input[role=combobox]")) if (seen(e) && e.scrollWidth > e.clientWidth + 1) found.clipped.push(name(e))
  const controls = "button, a[href], input:not([type=file]):not([type=range]):not([type=text]), [role=tab]"
  for (const e of all(controls)) {
    if (!seen(e) || e.closest("[data-testid=stElementToolbar], [data-testid=stHeader]")) continue
    const boxes = [e, e.closest("label, [role=group], [data-testid=stNumberInputContainer]")].filter(Boolean).map(one => one.getBoundingClientRect())
    const wide = Math.max(...boxes.map(b => b.width)), high = Math.max(...boxes.map(b => b.height))
    if (Math.min(wide, high) < least - 0.5) found.small.push(`${name(e)} ${Math.round(wide)}x${Math.round(high)}`)
  }
  for (const e of all("[data-testid=stIconMaterial]")) if (!e.closest("[aria-hidden=true]")) found.read.push(name(e))
  const boxes = all("[data-testid=stElementContainer]")
    .filter(e => seen(e) && !e.querySelector("[data-testid=stElementContainer]"))
    .filter(e => !side?.contains(e) && !e.closest(".st-key-hand_card, .st-key-hand_empty"))
    .map(e => [e, inView(e)])
  boxes.forEach(([e, a], place) => boxes.slice(place + 1).forEach(([other, b]) => {
    const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left)
    const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)
    if (wide > 3 && high > 3) found.overlapping.push(`${name(e)} / ${name(other)}`)
  }))
  const panes = [...document.querySelectorAll("[data-testid=stPlotlyChart], .st-key-latent_map_plane, .st-key-reconstruct_models")]
  const room = Math.min(320, main.clientWidth - 40)
  return {
    ...Object.fromEntries(Object.entries(found).map(([kind, items]) => [kind, [...new Set(items)]])),
    sideways: Math.max(main.scrollWidth - main.clientWidth, document.documentElement.scrollWidth - innerWidth),
    narrow: panes.filter(e => seen(e) && e.getBoundingClientRect().width < room).map(name),
  }
}
