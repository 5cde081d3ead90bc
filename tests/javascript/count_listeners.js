// An init script: counts the listeners that components put on window and document, by the kind of
// event. Those of Streamlit itself come and go.
const ofComponents = () => /\/api\/components\/|st-bidi/.test(new Error().stack ?? "")
window.listenersByKind = {}
for (const target of [window, document]) {
  const add = target.addEventListener.bind(target)
  const remove = target.removeEventListener.bind(target)
  /** @type {[string, unknown][]} */
  let known = []
  const drop = (kind, act) => {
    const kept = known.filter((item) => item[0] !== kind || item[1] !== act)
    if (kept.length < known.length) window.listenersByKind[kind] -= known.length - kept.length
    known = kept
  }
  target.addEventListener = (kind, act, options) => {
    if (ofComponents() && !known.some((item) => item[0] === kind && item[1] === act)) {
      known.push([kind, act])
      window.listenersByKind[kind] = (window.listenersByKind[kind] ?? 0) + 1
      options?.signal?.addEventListener("abort", () => drop(kind, act))
    }
    return add(kind, act, options)
  }
  target.removeEventListener = (kind, act, options) => {
    drop(kind, act)
    return remove(kind, act, options)
  }
}
