// What travels between Python and the browser, and what the modules hold. Checked by `tsc`, see
// tests/javascript; the browser never loads it.

// The bridge

/** What Streamlit passes to a component at each redraw. */
export interface Component<Data> {
  parentElement: ParentNode
  data: Data | null | undefined
  setStateValue: (name: string, value: unknown) => void
  setTriggerValue: (name: string, value: unknown) => void
}

/** What a component is made of. */
export interface Parts<Instance, Data> {
  /** Finds the component's root in what Streamlit mounted. */
  selector: string
  /** Makes the instance, once for each root. */
  build: (root: HTMLElement) => Instance
  /** Registers listeners, observers and timers; all of them end with the signal. */
  listen: (instance: Instance, signal: AbortSignal) => void
  /** Takes over new data. What it sends after the end goes nowhere. */
  update: (instance: Instance, data: Data, component: Component<Data>) => void
}

/** An instance from its first redraw to its end. */
export interface Life {
  owner: object
  instance: unknown
  end: AbortController | null
  calls: number
}

export interface Timer {
  set: (milliseconds?: number) => void
  stop: () => void
  readonly running: boolean
}

/** An answer that something could not be done. */
export interface Refusal {
  why: string
}

// Samples, as `Strip.panel` writes them

interface Samples {
  frames: number
  tiles: number
  /** Of each tile; -1 where it was not drawn. */
  component: number[]
  /** log p(z) by frame and tile, in nats. */
  density: number[][]
  /** Bytes of the body that belong to it. */
  bytes: number
}

export interface PixelPanel extends Samples, PixelCache {
  kind: "pixels"
  width: number
  height: number
  channels: number
  inked?: boolean
  body: Uint8Array
}

export interface CurvePanel extends Samples, PixelCache {
  kind: "curve"
  x: number[]
  low: number
  high: number
  least: number
  most: number
  closed: boolean
  body: Uint16Array
}

/** Where pixels are inked before they are scaled. */
interface PixelCache {
  native?: OffscreenCanvas | null
  picture?: ImageData
}

export type Panel = PixelPanel | CurvePanel

export interface Theme {
  dark: boolean
  /** The colour of each of 256 levels of ink, as a pixel. */
  table: Uint32Array
  paper: string
  ink: string
  fill: string
  accent: string
  edge: string
  ground: string
  text: string
}

// Picks

/** How a strip's samples are picked, as `picking.keepable` writes it. */
export type Keep = { model: string, hash: string } & (
  | { kind: "drawn", seed: number, component: number | null }
  | { kind: "codes", latent: number, z: string, bytes?: Uint8Array }
)

/** A pick before it is stored: drawn, a code (float32 in base64), or a point of the map. */
export interface Item {
  model: string
  hash: string
  /** Where it comes from: the same sample has the same. */
  origin: string
  drawn?: { seed: number, component: number | null, tile: number, scale: number }
  z?: string
  place?: string
}

/** A pick that waits in this browser. */
export interface Waiting extends Item {
  key: string
  project: number | null
  page: string
  view: string
}

/** The answer of /api/picks. */
export interface Stored {
  count: number
  saved: { key: string, origin: string, number: number, stored: string }[]
  refused: { key: string, why: string }[]
}

/** The answer of /api/picks/<project>. */
export interface KeptPicks {
  count: number
  origins: [string, string][]
}

/** The answer of /api/picks/mark and /api/picks/undo. */
export interface Counted {
  count: number
  undone?: string | null
}

/** What K keeps: the sample of a component that pointer or keyboard reached last. */
export interface Keeper {
  root: HTMLElement
  keep: () => void
}

// Filmstrip

export interface FilmstripFacts {
  panels: FilmstripPanel[]
  values: number[]
  at: number
  tile: number | null
  turn: number
  home: number | null
  label: string
  low: string
  high: string
  decimals: number
  captions: string[] | null
  tileWidth: number
  columns: number | null
  fixed: boolean
  selectable: boolean
  name: string
  numbered: boolean
  keepAll: boolean
}

export type FilmstripPanel = Panel & {
  title: string
  mixture: boolean
  scored: boolean
  standingFrom: string | null
  worthFrom: string | null
  under: number | null
  keep: Keep | null
  // What the browser adds.
  canvas: HTMLCanvasElement
  tally: HTMLElement
  ghost?: FilmstripPanel
  columns: number
  tile?: [number, number]
  ratio: number
  standing?: Standing
  worth?: Worth
  waiting?: boolean
  measuring?: boolean
}

/** The answer of /api/standing: per cent, by frame and tile. */
export interface Standing {
  novelty: number[][]
  typicality: number[][]
  heldOut: number
  training: number
}

export interface Property {
  key: string
  label: string
  unit: string
  digits: number
  main: boolean
}

/** The header of the answer of /api/worth. */
export interface WorthFacts {
  properties: Property[]
  constraints: number
  curves: boolean
}

/** The answer of /api/worth: a column of values for each property, and a state for each sample. */
export interface Worth extends WorthFacts {
  values: Float32Array
  /** 0 unsound, 1 breaks a constraint, 2 meets all. */
  state: Uint8Array
  size: number
}

export interface Filmstrip {
  root: HTMLElement
  signal: AbortSignal
  send: (name: "frame" | "tile", value: number | null) => void
  facts: FilmstripFacts
  theme: Theme
  turn: number | null
  frame: number
  sentFrame: number
  tile: number | null
  hover: { panel: number, tile: number } | null
  painted: number
  keys: Set<string>
  keeper: Keeper
  control: HTMLElement
  input: HTMLInputElement
  output: HTMLOutputElement
  label: HTMLElement
  low: HTMLElement
  high: HTMLElement
  home: HTMLElement
  panels: HTMLElement
  said: HTMLElement
  all: HTMLButtonElement
  paintSoon: () => void
  digestion: Timer
}

// Map

export type LayerName = "data" | "prior" | "prototypes" | "holes"

/** A layer as Python names it. */
export interface LayerFacts {
  name: LayerName
  label: string
  mark: "dot" | "diamond" | "star" | "hole"
  colour: string
  shown: boolean
}

/** The places of a layer: x and y of each point in turn. */
export interface Places {
  xy: Float32Array
  n: number
}

export interface MapLayer extends LayerFacts, Places {
  /** A byte for each point: its class or level of the ramp, 254 unknown, 255 hidden. */
  colours?: Uint8Array
}

export interface Column {
  label: string
  classes?: string[]
  low?: string
  high?: string
}

export interface MapHeader {
  layers: LayerFacts[]
  points: string
  regions: string | null
  card: string
  column: Column | null
  ramp: string[]
  pick: string
  path: string
  turn: number
  contours: ("prior" | "aggregated")[]
  holes: boolean
  marks: [number, number, string][]
  axes: boolean
  smooth: boolean
  inked: boolean
  summary: string
  height: number
}

/** What the map shows, with the places of its points. */
export interface MapFacts extends MapHeader {
  layers: MapLayer[]
}

/** The answer of /api/points, taken apart. */
export interface Points {
  address: string
  layers: Partial<Record<LayerName, Places>>
  span: number
  middle: [number, number]
}

/** The answer of /api/regions. Lines are x and y in turn. */
export interface Regions {
  prior: number[][][]
  aggregated: number[][][]
  outlines: number[][]
  holes: number[][]
  /** Whether the map is the latent space itself. */
  exact: boolean
  words: string
}

/** The answer of /api/card. */
export interface CardAnswer {
  title: string
  rows: [string, string][]
  pictures: [string, string][]
}

/** A point of a layer, by their numbers. */
export interface Found {
  layer: number
  index: number
}

export type Point = [number, number]

export type Mode = "move" | "box" | "lasso" | "path"

/** What draws the dots where the browser has WebGL. */
export interface Graphics {
  gl: WebGLRenderingContext
  program: WebGLProgram
  places: WebGLBuffer | null
  tones: WebGLBuffer | null
  stale: boolean
}

export interface PointMap {
  root: HTMLElement
  signal: AbortSignal
  send: (name: "pick" | "path", value: string) => void
  theme: Theme
  canvas: HTMLCanvasElement
  under: HTMLCanvasElement
  box: HTMLElement
  card: HTMLElement
  said: HTMLElement
  wait: HTMLElement
  graphics: Graphics | null
  /** Null until the points have come. */
  facts: MapFacts | null
  points: Points | null
  regions: Regions | null
  reading: number
  turn: number | null
  /** In units of the data's span, so that it survives another model's coordinates. */
  centre: Point
  zoom: number
  width: number
  height: number
  ratio: number
  pick: string
  path: string
  chosen: Found[] | null
  hovered: Found | null
  buckets: Map<number, Found[]> | null
  mode: Mode
  pointers: Map<number, Point>
  grip: { from: Point, centre: Point, kind: Mode, moved: boolean, finger: boolean } | null
  trail: Point[] | null
  painted: number
  keeper: Keeper
  paintSoon: () => void
  dwell: Timer
  digestion: Timer
}

/** A map whose points have come: what can be pointed at and painted. */
export type ReadyMap = PointMap & { facts: MapFacts, points: Points }

// Canvas

export type Stroke = [number, number][]

export interface CanvasFacts {
  strokes: Stroke[]
  turn: number
  shape: number
  width: number
}

export interface Pad {
  root: HTMLElement
  canvas: HTMLCanvasElement
  send: (name: "strokes", value: Stroke[]) => void
  theme: Theme
  turn: number | null
  shape: number
  width: number
  strokes: Stroke[]
  stroke: Stroke | null
  painted: number
  digestion: Timer
}

// Traversal

export interface TraversalFacts {
  strip: Panel
  live: Panel
  heat: { kind: "pixels", width: number, height: number, bytes: number, body: Uint8Array } | null
  values: number[]
  rows: TraversalRow[]
  /** Offsets of the dials that are not at zero. */
  at: Record<string, number>
  turn: number
  address: string
  latent: number
  scored: boolean
  // What the browser adds.
  centre: Float32Array
}

export interface TraversalRow {
  key: string
  label: string
  note: string
  // What the browser adds.
  direction: Float32Array
  number: number
  element: HTMLElement
  canvas: HTMLCanvasElement
  frames: number[]
  tile?: [number, number]
}

export interface Board {
  root: HTMLElement
  signal: AbortSignal
  send: (name: "at", value: string) => void
  facts: TraversalFacts
  theme: Theme
  turn: string | null
  values: Map<string, number>
  sent: string
  live: Panel
  painted: number
  wanted: Float32Array | null
  busy: boolean
  ratio: number
  size?: [number, number]
  keeper: Keeper
  list: HTMLElement
  picture: HTMLCanvasElement
  fact: HTMLElement
  digestion: Timer
}

// Shortlist

export interface CardFacts {
  key: string
  number: number
  panel: number
  at: number
  stars: number
  verdict: "" | "keep" | "reject"
  tags: string[]
  words: string[]
  fault: string
  dim: boolean
}

export interface ShortlistFacts {
  panels: Panel[]
  cards: CardFacts[]
  project: number
  at: number | null
  chosen: number[]
  most: number
}

export interface Shortlist {
  root: HTMLElement
  signal: AbortSignal
  /** `held` in one message: two that overtake each other would each carry the other's old address. */
  send: (name: "held", value: { at: number | null, chosen: number[], turn: number }) => void
  facts: ShortlistFacts
  theme: Theme
  elements: Map<HTMLElement, CardFacts>
  cards: HTMLElement
  said: HTMLElement
  at: number | null
  chosen: number[]
  outside: number[]
  turn: number
  painted: number
  queue: Promise<void>
  pause: Timer
}

// Outbox

export interface OutboxFacts {
  project: number | null
  name: string
  count: number
  news: string
  listens: boolean
}

export interface Outbox {
  root: HTMLElement
  signal: AbortSignal
  send: (name: "open" | "changed", value: true | number) => void
  facts: OutboxFacts
  count: number
  failures: number
  said: string
  known: string
  words: HTMLElement
  news: HTMLElement
  retry: Timer
}

// Parallel coordinates

export interface ParallelFacts {
  axes: { label: string, values: number[] }[]
  numbers: number[]
  address: string
  at: number | null
}

export interface Chart {
  root: HTMLElement
  signal: AbortSignal
  facts: ParallelFacts
  plot: PlotlyElement
  said: HTMLElement
  drawn: boolean
}

export interface Dimension {
  label: string
  values: number[]
  constraintrange?: number[] | number[][]
}

interface PlotlyElement extends HTMLElement {
  data?: { dimensions: Dimension[] }[]
  on?: (event: string, listener: () => void) => void
  removeAllListeners?: (event: string) => void
}

interface Plotly {
  react: (plot: HTMLElement, traces: object[], layout: object, options: object) => Promise<unknown>
  Plots: { resize: (plot: HTMLElement) => void }
}

// The window

declare global {
  interface Window {
    Plotly?: Plotly
    latentExplorerLives?: WeakMap<Element, Life>
  }
  interface WindowEventMap {
    /** Something was put into the outbox. */
    "latent-explorer-outbox": Event
    /** A sample is taken out of the picks, by its origin. */
    "latent-explorer-unkeep": CustomEvent<string>
    /** Picks just stored are taken back, by their keys. */
    "latent-explorer-undo": CustomEvent<string[]>
    /** What is kept has changed. */
    "latent-explorer-kept": Event
    /** Picks outside the ranges drawn on the parallel coordinates, by their numbers. */
    "latent-explorer-ranges": CustomEvent<number[]>
  }
}
