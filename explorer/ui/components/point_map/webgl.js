// The dots by WebGL, where the browser has it.
import { isHidden, levelOf, palette } from "./points.js"
import { spanOnScreen } from "./view.js"

/** @typedef {import("../types").PointMap} PointMap */
/** @typedef {import("../types").ReadyMap} ReadyMap */
/** @typedef {import("../types").Graphics} Graphics */
/** @typedef {import("../types").MapLayer} MapLayer */

const VERTEX = `
  attribute vec2 place; attribute vec4 tone; uniform vec2 centre; uniform vec2 reach; uniform float size; varying vec4 colour;
  void main() { gl_Position = vec4((place - centre) * reach, 0., 1.); gl_PointSize = tone.a > 0. ? size : 0.; colour = tone; }`
const FRAGMENT = `
  precision highp float; varying vec4 colour; uniform float size;
  void main() {
    float away = length(gl_PointCoord - .5) * size;
    float cover = clamp(size * .5 - away, 0., 1.);
    if (cover * colour.a <= 0.) discard;
    gl_FragColor = vec4(colour.rgb, colour.a * cover);
  }`

/**
 * Set up WebGL on the map's lower canvas; null if it is unavailable.
 *
 * @param {PointMap} map
 * @param {() => void} lost Called after a lost context was replaced by a plain canvas.
 * @returns {Graphics | null}
 */
export function graphics(map, lost) {
  const gl = map.under.getContext("webgl", { preserveDrawingBuffer: true, antialias: false, premultipliedAlpha: false })
  if (!gl) return null
  const program = gl.createProgram()
  for (const [kind, text] of /** @type {const} */ ([[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]])) {
    const shader = gl.createShader(kind)
    if (!shader) break
    gl.shaderSource(shader, text)
    gl.compileShader(shader)
    gl.attachShader(program, shader)
  }
  gl.linkProgram(program)
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) { renew(map); return null }
  map.under.addEventListener("webglcontextlost", (event) => {
    event.preventDefault()
    renew(map)
    lost()
  })
  return { gl, program, places: gl.createBuffer(), tones: gl.createBuffer(), stale: true }
}

/**
 * Replace the canvas: it keeps its kind of context for life.
 *
 * @param {PointMap} map
 */
function renew(map) {
  const fresh = /** @type {HTMLCanvasElement} */ (map.under.cloneNode())
  map.under.replaceWith(fresh)
  map.under = fresh
  map.graphics = null
}

/**
 * Draw the dots.
 *
 * @param {ReadyMap} map
 * @param {Graphics} graphics
 * @param {MapLayer | undefined} layer
 * @param {number} dot Their radius in CSS pixels.
 */
export function shade(map, graphics, layer, dot) {
  const { gl, program } = graphics
  gl.viewport(0, 0, map.under.width, map.under.height)
  gl.clearColor(0, 0, 0, 0)
  gl.clear(gl.COLOR_BUFFER_BIT)
  if (!layer?.shown || !layer.n) return
  gl.useProgram(program)
  /** @param {string} name @param {WebGLBuffer | null} buffer @param {number} size @param {number} kind @param {boolean} unit */
  const attribute = (name, buffer, size, kind, unit) => {
    const at = gl.getAttribLocation(program, name)
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer)
    gl.enableVertexAttribArray(at)
    gl.vertexAttribPointer(at, size, kind, unit, 0, 0)
  }
  if (graphics.stale) {
    gl.bindBuffer(gl.ARRAY_BUFFER, graphics.places)
    gl.bufferData(gl.ARRAY_BUFFER, layer.xy, gl.STATIC_DRAW)
    const list = palette(map, layer)
    const tones = new Uint8Array(4 * layer.n)
    const alpha = layer.n > 3000 ? 184 : 217
    for (let i = 0; i < layer.n; i++) {
      const [r, g, b] = list[levelOf(map, layer, i, list.length)]
      tones.set([r, g, b, isHidden(layer, i) ? 0 : alpha], 4 * i)
    }
    gl.bindBuffer(gl.ARRAY_BUFFER, graphics.tones)
    gl.bufferData(gl.ARRAY_BUFFER, tones, gl.STATIC_DRAW)
    graphics.stale = false
  }
  attribute("place", graphics.places, 2, gl.FLOAT, false)
  attribute("tone", graphics.tones, 4, gl.UNSIGNED_BYTE, true)
  const { span, middle } = map.points
  const size = spanOnScreen(map)
  gl.uniform2f(gl.getUniformLocation(program, "centre"), middle[0] + map.centre[0] * span, middle[1] + map.centre[1] * span)
  gl.uniform2f(gl.getUniformLocation(program, "reach"), (2 * size) / span / map.width, (2 * size) / span / map.height)
  gl.uniform1f(gl.getUniformLocation(program, "size"), 2 * dot * map.ratio + 1)
  gl.enable(gl.BLEND)
  gl.blendFuncSeparate(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA, gl.ONE, gl.ONE_MINUS_SRC_ALPHA)
  gl.drawArrays(gl.POINTS, 0, layer.n)
}
