// Run in a page of the app: loads the served modules and compares them with the table of cases.
async ([modules, cases]) => {
  const { float16Text } = await import(`${modules}/float16.js`)
  const notation = await import(`${modules}/point_map/notation.js`)
  const { tiling } = await import(`${modules}/filmstrip/tiling.js`)
  const { sharesOf } = await import(`${modules}/filmstrip/novelty.js`)
  const { coordinate, edited, parsePath, parsePick, pickText, rowsOf } = notation
  const wrong = []
  const check = (name, result, expected) => {
    if (JSON.stringify(result) !== JSON.stringify(expected)) wrong.push([name, result, expected])
  }
  const xy = cases.points.flat()
  for (const { z, text } of cases.codes) check(text, float16Text(z), text)
  for (const { text, rows, written } of cases.picks) {
    const pick = parsePick(text)
    check(text, pick && pickText(pick), written ?? text)
    if (rows) check(text, pick && [...rowsOf(pick, xy)].sort((a, b) => a - b), rows)
  }
  for (const text of cases.no_picks) check(text, parsePick(text), null)
  for (const { text, how, row, then } of cases.edits) {
    check(text, pickText(edited(parsePick(text), how, row, xy)), then)
  }
  for (const { text, vertices } of cases.paths) check(text, parsePath(text), vertices.flat())
  for (const text of cases.no_paths) check(text, parsePath(text), null)
  for (const { value, text } of cases.coordinates) check(value, String(coordinate(value)), text)
  for (const { wall, columns, tile } of cases.tilings) {
    const found = tiling({ columns: null, fixed: false, shape: 1, ratio: 1, tallest: 600, ...wall })
    check(JSON.stringify(wall), [found.columns, Math.round(10 * found.tile) / 10], [columns, tile])
    check("room", found.columns * (found.tile + found.gap) - found.gap <= wall.width, true)
  }
  for (const { percentiles, shares } of cases.shares) check(percentiles, sharesOf(percentiles), shares)
  return wrong
}
