// Shared by all components: unpacking, the theme's colours, pictures, curves, and the digest.
function unpack(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = view.getUint32(0, true)
  return [JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length))), bytes.slice(4 + length)]
}

function inks(root) {
  const style = getComputedStyle(root)
  const read = (name, other) => style.getPropertyValue(name).trim() || other
  const pen = document.createElement("canvas").getContext("2d")
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
    ground: read("--st-background-color", "#fff"), text: read("--st-text-color", "#111"),
  }
}

function curveShape(panel) {
  const span = Math.max(...panel.x) - Math.min(...panel.x)
  return Math.max(1, Math.min(4, span / (panel.high - panel.low)))
}

function shapeOf(panel) {
  return panel.kind === "pixels" ? panel.width / panel.height : curveShape(panel)
}

// One sample into a rectangle; `at` is its number among frames x tiles.
function paintSample(theme, panel, pen, at, x, y, width, height, smooth) {
  if (panel.kind === "pixels") {
    const size = panel.width * panel.height
    panel.native ??= new OffscreenCanvas(panel.width, panel.height)
    panel.picture ??= new ImageData(panel.width, panel.height)
    inkPixels(theme, panel, new Uint32Array(panel.picture.data.buffer), at * size * panel.channels, size)
    panel.native.getContext("2d").putImageData(panel.picture, 0, 0)
    pen.imageSmoothingEnabled = smooth
    pen.drawImage(panel.native, x, y, width, height)
  } else {
    pen.fillStyle = theme.paper
    pen.fillRect(x, y, width, height)
    paintCurve(theme, panel, pen, at, x, y, width, height)
  }
}

function inkPixels(theme, panel, out, from, size) {
  if (panel.inked ?? panel.channels === 1) for (let i = 0; i < size; i++) out[i] = theme.table[panel.body[from + i]]
  else if (panel.channels === 1) for (let i = 0; i < size; i++) out[i] = (255 << 24) | (panel.body[from + i] * 0x10101)
  else for (let i = 0, j = from; i < size; i++, j += 3) {
    out[i] = (255 << 24) | (panel.body[j + 2] << 16) | (panel.body[j + 1] << 8) | panel.body[j]
  }
}

function paintCurve(theme, panel, pen, at, across, down, width, height, line) {
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

function bodyOf(panel, bytes) {
  return panel.kind === "pixels" ? bytes : new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2)
}

const CRC = new Uint32Array(256).map((_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1
  return n
})

function crcOf(canvas) {
  if (!canvas.width || !canvas.height) return null
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height)
  let crc = -1
  for (let i = 0; i < data.length; i++) crc = CRC[(crc ^ data[i]) & 255] ^ (crc >>> 8)
  return ((crc ^ -1) >>> 0).toString(16).padStart(8, "0")
}
