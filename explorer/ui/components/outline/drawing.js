// How an outline is drawn: before and now, its marks, and the finger.
import { frameOf, heightAt, heightOf, marksOf, pairOf, placeOf, stationsOf } from "./handles.js"

/** @typedef {import("../types").Outline} Outline */

/** @param {Outline} board @param {CanvasRenderingContext2D} pen */
export function drawOutline(board, pen) {
  const { theme, facts, now, origin, grip } = board
  const [width, height] = board.size ?? [0, 0]
  const frame = frameOf(board)
  pen.fillStyle = theme.paper
  pen.fillRect(0, 0, width, height)
  if (facts.section) axis(board, pen)
  if (now !== origin) {
    trace(board, pen, origin.panel)
    pen.setLineDash([5, 4])
    pen.globalAlpha = 0.55
    pen.lineWidth = 1.25
    pen.strokeStyle = theme.ink
    pen.stroke()
    pen.setLineDash([])
    pen.globalAlpha = 1
  }
  trace(board, pen, now.panel)
  if (now.panel.closed) { pen.fillStyle = theme.fill; pen.fill() }
  pen.lineJoin = "round"
  pen.lineWidth = 2
  pen.strokeStyle = theme.ink
  pen.stroke()
  if (facts.section) {
    meanLine(board, pen)
    for (const mark of marksOf(now.panel)) drawMark(board, pen, mark)
  }
  const handle = grip?.handle ?? board.near
  if (handle) {
    const [x, y] = placeOf(board, handle)
    pen.lineWidth = 2
    pen.strokeStyle = pen.fillStyle = theme.accent
    if (handle.kind === "thickness") {
      const [up, down] = pairOf(now.panel, handle.station).map((index) => frame.y(heightOf(now.panel, index)))
      pen.beginPath(); pen.moveTo(x, up); pen.lineTo(x, down); pen.stroke()
    }
    pen.beginPath(); pen.arc(x, y, 6, 0, 2 * Math.PI); pen.fill()
    if (grip?.moved) {
      const off = (grip.target - heightAt(now.panel, handle, facts.section)) * frame.scale / (handle.kind === "thickness" ? 2 : 1)
      pen.beginPath(); pen.arc(x, y - off, 11, 0, 2 * Math.PI); pen.stroke()
    }
  }
}

/** The chord, with a tick at each tenth. @param {Outline} board @param {CanvasRenderingContext2D} pen */
function axis(board, pen) {
  const { theme } = board
  const frame = frameOf(board)
  pen.globalAlpha = 0.35
  pen.strokeStyle = theme.ink
  pen.lineWidth = 1
  pen.beginPath()
  pen.moveTo(frame.x(0), frame.y(0)); pen.lineTo(frame.x(1), frame.y(0))
  for (let tenth = 0; tenth <= 10; tenth++) { pen.moveTo(frame.x(tenth / 10), frame.y(0) - 3); pen.lineTo(frame.x(tenth / 10), frame.y(0) + 3) }
  pen.stroke()
  pen.globalAlpha = 1
}

/** @param {Outline} board @param {CanvasRenderingContext2D} pen @param {import("../types").CurvePanel} panel */
function trace(board, pen, panel) {
  const frame = frameOf(board)
  pen.beginPath()
  panel.x.forEach((x, index) => pen.lineTo(frame.x(x), frame.y(heightOf(panel, index))))
  if (panel.closed) pen.closePath()
}

/** @param {Outline} board @param {CanvasRenderingContext2D} pen */
function meanLine(board, pen) {
  const { panel } = board.now
  const frame = frameOf(board)
  pen.beginPath()
  pen.moveTo(frame.x(0), frame.y(0))
  for (let station = 0; station < stationsOf(panel); station++) {
    const [up, down] = pairOf(panel, station)
    pen.lineTo(frame.x(panel.x[down]), frame.y((heightOf(panel, up) + heightOf(panel, down)) / 2))
  }
  pen.strokeStyle = board.theme.accent
  pen.globalAlpha = 0.7
  pen.lineWidth = 1
  pen.stroke()
  pen.globalAlpha = 1
}

/** @param {Outline} board @param {CanvasRenderingContext2D} pen @param {import("../types").OutlineHandle} mark */
function drawMark(board, pen, mark) {
  const [x, y] = placeOf(board, mark)
  pen.lineWidth = 1.75
  pen.fillStyle = board.theme.paper
  pen.strokeStyle = board.theme.accent
  pen.beginPath()
  if (mark.kind === "camber") pen.arc(x, y, 5, 0, 2 * Math.PI)
  else { pen.moveTo(x, y - 7); pen.lineTo(x + 6, y); pen.lineTo(x, y + 7); pen.lineTo(x - 6, y); pen.closePath() }
  pen.fill()
  pen.stroke()
}
