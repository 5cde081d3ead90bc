// Codes in a link: half precision, little endian, URL-safe base64.

/**
 * Encode a code. Rounds half to even, as NumPy does; overflow saturates.
 *
 * @param {Iterable<number>} z
 */
export function float16Text(z) {
  const halves = Uint16Array.from(z, float16)
  const bytes = new Uint8Array(2 * halves.length)
  const view = new DataView(bytes.buffer)
  halves.forEach((half, k) => view.setUint16(2 * k, half, true))
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")
}

const MOST = 0x7bff

/**
 * Return the bits of a number in half precision.
 *
 * @param {number} value
 */
export function float16(value) {
  const view = new DataView(new ArrayBuffer(4))
  view.setFloat32(0, value)
  const bits = view.getUint32(0)
  const sign = (bits >>> 16) & 0x8000
  const exponent = ((bits >>> 23) & 255) - 112
  const fraction = bits & 0x7fffff
  if (exponent >= 31) return sign | MOST
  if (exponent < -10) return sign
  // Subnormal numbers store the leading one, and lose more bits.
  const [whole, dropped] = exponent > 0 ? [(exponent << 23) | fraction, 13] : [fraction | 0x800000, 14 - exponent]
  const half = 1 << (dropped - 1)
  const rest = whole & (2 * half - 1)
  const kept = whole >>> dropped
  return sign | Math.min(MOST, kept + (rest > half || (rest === half && kept & 1) ? 1 : 0))
}
