// Painting that all components share: samples in the theme's colours, and a digest of a canvas.

/** @typedef {import("./types").Panel} Panel */
/** @typedef {import("./types").Theme} Theme */

/**
 * Split what `explorer.strips.pack` joined: a JSON header and raw bytes.
 *
 * @param {Uint8Array} bytes
 * @returns {[any, Uint8Array]}
 */
export function unpack(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = view.getUint32(0, true)
  return [JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length))), bytes.slice(4 + length)]
}

/**
 * Read the colours of Streamlit's theme at a component's root.
 *
 * @param {HTMLElement} root
 * @returns {Theme}
 */
export function inks(root) {
  const style = getComputedStyle(root)
  /** @param {string} name @param {string} other */
  const read = (name, other) => style.getPropertyValue(name).trim() || other
  const pen = penOf(document.createElement("canvas"))
  pen.fillStyle = "#ffffff"
  pen.fillStyle = read("--st-background-color", "#ffffff")
  pen.fillRect(0, 0, 1, 1)
  const ground = pen.getImageData(0, 0, 1, 1).data
  const dark = ground[0] + ground[1] + ground[2] < 380
  const paper = dark ? [8, 11, 15] : [255, 255, 255]
  const ink = dark ? [240, 244, 248] : [17, 24, 34]
  const table = new Uint32Array(256)
  for (let v = 0; v < 256; v++) {
    const mix = paper.map((p, c) => Math.round(p + ((ink[c] - p) * v) / 255))
    table[v] = (255 << 24) | (mix[2] << 16) | (mix[1] << 8) | mix[0]
  }
  return {
    dark, table, paper: `rgb(${paper})`, ink: `rgb(${ink})`,
    fill: dark ? "rgb(38, 58, 80)" : "rgb(219, 229, 240)",
    accent: read("--st-primary-color", "#0b6bb8"), edge: read("--st-border-color", "#cccccc"),
    ground: read("--st-background-color", "#fff"), text: read("--st-text-color", "#111"), font: read("--st-font", "sans-serif"),
  }
}

/** @param {import("./types").CurvePanel} panel */
function curveShape(panel) {
  const span = Math.max(...panel.x) - Math.min(...panel.x)
  return Math.max(1, Math.min(4, span / (panel.high - panel.low)))
}

/**
 * The aspect ratio (width / height) of a sample.
 *
 * @param {Panel} panel
 */
export function shapeOf(panel) {
  return panel.kind === "pixels" ? panel.width / panel.height : curveShape(panel)
}

/**
 * Paint one sample into a rectangle.
 *
 * @param {Theme} theme
 * @param {Panel} panel
 * @param {CanvasRenderingContext2D} pen
 * @param {number} at Its index among frames x tiles.
 * @param {number} x
 * @param {number} y
 * @param {number} width
 * @param {number} height
 * @param {boolean} smooth
 */
export function paintSample(theme, panel, pen, at, x, y, width, height, smooth) {
  if (panel.kind === "pixels") {
    const size = panel.width * panel.height
    const native = (panel.native ??= new OffscreenCanvas(panel.width, panel.height))
    const picture = (panel.picture ??= new ImageData(panel.width, panel.height))
    inkPixels(theme, panel, new Uint32Array(picture.data.buffer), at * size * panel.channels, size)
    penOf(native).putImageData(picture, 0, 0)
    pen.imageSmoothingEnabled = smooth
    pen.drawImage(native, x, y, width, height)
  } else {
    pen.fillStyle = theme.paper
    pen.fillRect(x, y, width, height)
    paintCurve(theme, panel, pen, at, x, y, width, height)
  }
}

/**
 * Convert levels to pixels: ink takes the theme's colours, light stays as it is.
 *
 * @param {Theme} theme
 * @param {import("./types").PixelPanel} panel
 * @param {Uint32Array} out
 * @param {number} from
 * @param {number} size
 */
export function inkPixels(theme, panel, out, from, size) {
  if (panel.inked ?? panel.channels === 1) for (let i = 0; i < size; i++) out[i] = theme.table[panel.body[from + i]]
  else if (panel.channels === 1) for (let i = 0; i < size; i++) out[i] = (255 << 24) | (panel.body[from + i] * 0x10101)
  else for (let i = 0, j = from; i < size; i++, j += 3) {
    out[i] = (255 << 24) | (panel.body[j + 2] << 16) | (panel.body[j + 1] << 8) | panel.body[j]
  }
}

/**
 * @param {Theme} theme
 * @param {import("./types").CurvePanel} panel
 * @param {CanvasRenderingContext2D} pen
 * @param {number} at Its index among frames x tiles.
 * @param {number} across
 * @param {number} down
 * @param {number} width
 * @param {number} height
 * @param {string} [line] Its colour if it is drawn as a line over another curve.
 */
export function paintCurve(theme, panel, pen, at, across, down, width, height, line) {
  const { x, body } = panel
  const left = Math.min(...x)
  const span = Math.max(...x) - left
  const pad = 5
  const bottom = (panel.least - panel.low) / (panel.high - panel.low)
  const step = (panel.most - panel.least) / (panel.high - panel.low) / 65535
  const from = at * x.length
  pen.save()
  pen.beginPath()
  pen.rect(across, down, width, height)
  pen.clip()
  pen.beginPath()
  for (let i = 0; i < x.length; i++) {
    pen.lineTo(
      across + pad + ((x[i] - left) / span) * (width - 2 * pad),
      down + pad + (1 - (bottom + body[from + i] * step)) * (height - 2 * pad),
    )
  }
  pen.lineJoin = "round"
  pen.lineWidth = 1.5
  if (panel.closed) {
    pen.closePath()
    if (!line) { pen.fillStyle = theme.fill; pen.fill() }
  }
  pen.strokeStyle = line ?? theme.ink
  pen.stroke()
  pen.restore()
}

/**
 * @param {{kind: string}} panel
 * @param {Uint8Array} bytes
 * @returns {any} Levels of pixels, or heights of curves.
 */
export function bodyOf(panel, bytes) {
  return panel.kind === "pixels" ? bytes : new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2)
}

const CRC = new Uint32Array(256).map((_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1
  return n
})

/**
 * CRC-32 of a canvas's pixels; null if it has no size.
 *
 * @param {HTMLCanvasElement} canvas
 */
export function crcOf(canvas) {
  if (!canvas.width || !canvas.height) return null
  const { data } = penOf(canvas).getImageData(0, 0, canvas.width, canvas.height)
  let crc = -1
  for (let i = 0; i < data.length; i++) crc = CRC[(crc ^ data[i]) & 255] ^ (crc >>> 8)
  return ((crc ^ -1) >>> 0).toString(16).padStart(8, "0")
}

/**
 * Return the 2D context of a canvas.
 *
 * @overload
 * @param {HTMLCanvasElement} canvas
 * @returns {CanvasRenderingContext2D}
 */
/**
 * @overload
 * @param {OffscreenCanvas} canvas
 * @returns {OffscreenCanvasRenderingContext2D}
 */
/** @param {HTMLCanvasElement | OffscreenCanvas} canvas */
export function penOf(canvas) {
  const pen = canvas.getContext("2d", { willReadFrequently: true })
  if (!pen) throw new Error("The browser does not support canvas drawing.")
  return pen
}
