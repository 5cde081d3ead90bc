// Types of all payloads between Python and the browser, and of the components' instances. Used by
// `tsc` only (tests/javascript).

// The bridge

/** What Streamlit passes to a component at each redraw. */
export interface Component<Data> {
  parentElement: ParentNode
  data: Data | null | undefined
  setStateValue: (name: string, value: unknown) => void
  setTriggerValue: (name: string, value: unknown) => void
}

/** The parts of a component. */
export interface Parts<Instance, Data> {
  /** Finds the component's root. */
  selector: string
  /** Makes the instance, once per root. */
  build: (root: HTMLElement) => Instance
  /** Registers listeners, observers and timers, which all end with the signal. */
  listen: (instance: Instance, signal: AbortSignal) => void
  /** Adopts new data. Whatever it sends after the end is dropped. */
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

/** Response to a request that failed. */
export interface Refusal {
  why: string
}

// The clock of a tour

export interface TourFacts {
  step: number
  seconds: number
  /** Times in seconds, and positions of the slider from 0 to 1. */
  sweep: [number, number][]
  /** Whether another step comes after it. */
  advances: boolean
}

export interface Tour {
  root: HTMLElement
  left: HTMLElement
  facts: TourFacts
  /** Seconds of the step that have passed. */
  elapsed: number
  /** Milliseconds spent waiting for the page. */
  waited: number
  /** When the last tick was. */
  last: number
  state: "waiting" | "running" | "paused" | "still" | "over"
  slider: HTMLInputElement | null
  ticking: Timer
  send: (name: string, value: unknown) => void
}

// The glossary

export interface TermsFacts {
  terms: {
    definition: string
    /** How it is written in sentences. */
    forms: string[]
    /** How it is written as a label by itself. */
    labels: string[]
  }[]
}

export interface Terms {
  root: HTMLElement
  facts: TermsFacts
  forms: Map<string, number>
  labels: Map<string, number>
  pattern: RegExp
  /** Where terms are marked, and which. */
  known: { range: Range; index: number }[]
  at: { x: number; y: number }
  later: Timer
}

// Samples, as `Strip.panel` writes them

interface Samples {
  frames: number
  tiles: number
  /** Per tile; -1 if it was not drawn. */
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

/** Buffers in which pixels are coloured before they are scaled. */
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
  font: string
}

// Picks

/** How a strip's samples are kept as picks. */
export type Keep = { model: string, hash: string } & (
  | { kind: "drawn", seed: number, component: number | null }
  | { kind: "codes", latent: number, z: string, bytes?: Uint8Array }
)

/** A pick before it is stored: a draw, a code (float32 in base64), or a point of the map. */
export interface Item {
  model: string
  hash: string
  /** Identifies the sample. */
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

/** Response of /api/picks. */
export interface Stored {
  count: number
  saved: Saved[]
  refused: { key: string, why: string }[]
}

/** A pick that was kept; its fault is empty if it is valid. */
export interface Saved {
  key: string
  origin: string
  number: number
  stored: string
  fault: string
}

/** Response of /api/picks/<project>. */
export interface KeptPicks {
  count: number
  origins: [string, string][]
}

/** Response of /api/picks/mark and /api/picks/undo. */
export interface Counted {
  count: number
  undone?: string | null
}

/** A component whose sample the K key can keep. */
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
  version: number
  home: number | null
  label: string
  low: string
  high: string
  decimals: number
  captions: string[] | null
  /** Lines below each tile. */
  feet: string[][] | null
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
  novelty: string | null
  /** Whether each tile has a sign of its novelty; without, it is fetched when the wall is in view. */
  signs: boolean
  map: { points: string, positions: string, words: string } | null
  properties: string | null
  under: number | null
  keep: Keep | null
  /** The frame whose samples were sent, -1 for none; null if all were. */
  sent: number | null
  /** URL of the other frames. */
  later: string | null
  // Added by the browser.
  canvas: HTMLCanvasElement
  /** Height of the lines below a tile, in CSS pixels. */
  foot: number
  tally: HTMLElement
  shares: HTMLElement
  /** Of its map, if it has one. */
  chart?: HTMLCanvasElement
  view?: SampleView
  /** Width and height of its map in CSS pixels. */
  room?: [number, number]
  mapping?: boolean
  ground?: { made: string, picture: OffscreenCanvas }
  /** Whether its novelty was asked for. */
  asked?: boolean
  ghost?: FilmstripPanel
  columns: number
  gap: number
  tile?: [number, number]
  ratio: number
  judged?: Novelty
  measured?: Measured
  pending?: number
  arrived?: Arrived
  /** Whether a frame could not be fetched; no more are requested until the next redraw. */
  failed?: boolean
}

/** Frames that have arrived one by one, each at its place in the body. */
export interface Arrived {
  body: Uint8Array
  frames: Set<number>
}

/** Response of /api/novelty: per cent, by frame and tile. */
export interface Novelty {
  novelty: number[][]
  /** Absent where the prior has no density. */
  typicality: number[][] | null
  heldOut: number
  training: number
  /** Whether these are all training samples. */
  whole: boolean
  /** The only frame that it is about; null for all. */
  only: number | null
}

export interface Property {
  key: string
  label: string
  unit: string
  digits: number
  main: boolean
  /** Names of classes, of which a value is the number; empty for a quantity. */
  classes: string[]
}

/** Header of the response of /api/properties. */
export interface PropertiesHeader {
  properties: Property[]
  constraints: number
  curves: boolean
}

/** Response of /api/properties: a column of values per property, and a state per sample. */
export interface Measured extends PropertiesHeader {
  values: Float32Array
  /** 0 invalid geometry, 1 violates a constraint, 2 meets all. */
  state: Uint8Array
  size: number
  only: number | null
}

/** What a small map shows: codes of data, and the samples' positions by frame and tile. */
export interface SampleView {
  data: Places
  xy: Float32Array
  low: number[]
  high: number[]
}

/** A wall of tiles, and the width that it has in CSS pixels. */
export interface Wall {
  tiles: number
  width: number
  /** Usual minimum width of a tile. */
  least: number
  /** Most tiles in a row; always so many if fixed. */
  columns: number | null
  fixed: boolean
  /** Width over height of a tile. */
  shape: number
  /** Device pixels per CSS pixel. */
  ratio: number
  /** Largest height that it may take to fill its last row. */
  tallest: number
  /** Width of an image in its own pixels; null for curves. */
  pixels: number | null
}

/** Tiles in a row, the width of each, and the gap between two, in CSS pixels. */
export interface Tiling {
  columns: number
  tile: number
  gap: number
}

export interface Filmstrip {
  root: HTMLElement
  signal: AbortSignal
  send: (name: "frame" | "tile", value: number | null) => void
  facts: FilmstripFacts
  theme: Theme
  version: number | null
  frame: number
  sentFrame: number
  tile: number | null
  hover: { panel: number, tile: number } | null
  painted: number
  keys: Set<string>
  gathering: boolean
  visible: boolean
  /** Whether the pointer is on a map. */
  onMap: boolean
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
  later: Timer
  judging: Timer
}

// Map

export type LayerName = "data" | "prior" | "prototypes" | "holes"

/** A layer as Python describes it. */
export interface LayerFacts {
  name: LayerName
  label: string
  mark: "dot" | "diamond" | "star" | "hole"
  colour: string
  shown: boolean
}

/** Positions of a layer's points, x and y interleaved. */
export interface Places {
  xy: Float32Array
  n: number
}

export interface MapLayer extends LayerFacts, Places {
  /** One byte per point: class or level of the ramp, 254 unknown, 255 hidden. */
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
  /** URL of what is decoded at a place; null if nothing is. */
  here: string | null
  column: Column | null
  ramp: string[]
  pick: string
  path: string
  version: number
  contours: ("prior" | "aggregated")[]
  /** The colour in which they are hatched; empty if they are not shown. */
  holes: string
  marks: [number, number, string][]
  /** x and y of the start, then of the head. */
  arrows: [number, number, number, number][]
  /** A picture below the points, between the bounds of its box: left, right, bottom, top. */
  shade: { picture: string, box: [number, number, number, number], label: string, colours: string[], classes: string[], low: string, high: string } | null
  axes: boolean
  smooth: boolean
  inked: boolean
  summary: string
  height: number
}

/** What the map shows, with the positions of its points. */
export interface MapFacts extends MapHeader {
  layers: MapLayer[]
}

/** Response of /api/points, parsed. */
export interface Points {
  address: string
  layers: Partial<Record<LayerName, Places>>
  span: number
  middle: [number, number]
}

/** Response of /api/regions. Lines are interleaved x and y. */
export interface Regions {
  prior: number[][][]
  aggregated: number[][][]
  outlines: number[][]
  holes: number[][]
  /** Whether the map is the latent space itself. */
  exact: boolean
  words: string
}

/** Response of /api/card. */
export interface CardResponse {
  title: string
  rows: [string, string][]
  pictures: [string, string][]
}

/** A point, by the index of its layer and its own. */
export interface Found {
  layer: number
  index: number
}

export type Point = [number, number]

export type Mode = "move" | "box" | "lasso" | "path"

/** WebGL state of the dots. */
export interface Graphics {
  gl: WebGLRenderingContext
  program: WebGLProgram
  places: WebGLBuffer | null
  tones: WebGLBuffer | null
  stale: boolean
}

/** What is decoded under the pointer. */
export interface Preview {
  box: HTMLElement
  canvas: HTMLCanvasElement
  words: HTMLElement
  /** The place that is wanted next, and when the pointer came there. */
  wanted: { place: string, since: number } | null
  /** Ends the request that is under way. */
  end: AbortController | null
  /** Where the pointer is. */
  at?: Point
  place: string
  painted: number
}

/** Header of the response of /api/here: of a strip of one tile, unless there is no code. */
export type Here = Partial<Panel> & { words: string }

export interface PointMap {
  root: HTMLElement
  preview: Preview
  signal: AbortSignal
  send: (name: "pick" | "path", value: string) => void
  theme: Theme
  canvas: HTMLCanvasElement
  under: HTMLCanvasElement
  /** The picture below the points; hidden until it has arrived. */
  shade: HTMLImageElement
  box: HTMLElement
  card: HTMLElement
  said: HTMLElement
  wait: HTMLElement
  graphics: Graphics | null
  /** Null until the points have arrived. */
  facts: MapFacts | null
  points: Points | null
  regions: Regions | null
  reading: number
  version: number | null
  /** In units of the data's extent, so that it survives a change of model. */
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

/** A map whose points have arrived. */
export type ReadyMap = PointMap & { facts: MapFacts, points: Points }

// Canvas

export interface Stroke {
  points: [number, number][]
  width: number
  colour: string
}

export interface CanvasFacts {
  strokes: Stroke[]
  version: number
  shape: number
  widths: number[]
  /** Values and names of the colours; empty for ink. */
  palette: [string, string][]
}

export interface Pad {
  root: HTMLElement
  canvas: HTMLCanvasElement
  send: (name: "strokes", value: Stroke[]) => void
  theme: Theme
  version: number | null
  shape: number
  widths: number[]
  palette: [string, string][]
  width: number
  colour: string
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
  /** Offsets of the sliders that are not at zero. */
  at: Record<string, number>
  version: number
  address: string
  latent: number
  scored: boolean
  // Added by the browser.
  centre: Float32Array
}

export interface TraversalRow {
  key: string
  label: string
  note: string
  // Added by the browser.
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
  version: string | null
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

// Outline

export interface OutlineHandle {
  kind: "upper" | "lower" | "thickness" | "camber" | "height"
  /** From the leading edge aft, or along x. */
  station: number
}

export interface OutlineFacts {
  panel: CurvePanel
  /** The code of the design, as in a link, and in float32 in base64. */
  code: string
  exact: string
  version: number
  name: string
  section: boolean
  /** Whether there is log p(z). */
  scored: boolean
  address: string
  model: string
  hash: string
  unit: string
  lacks: string[]
  properties: { key: string, label: string, unit: string, digits: number, better: "more" | "less" | "" }[]
  values: Record<string, number>
}

/** A design as it is drawn. */
export interface OutlineShape {
  z: string
  exact: string
  panel: CurvePanel
  values: Record<string, number>
  /** What holds it back. */
  short: string[]
  gap: number
  /** Why it is invalid, or not sound. */
  lacks: string[]
}

/** Response of /api/grab. */
export type GrabAnswer = CurvePanel & Omit<OutlineShape, "panel">

/** A handle in a hand. */
export interface Grip {
  handle: OutlineHandle
  /** The design that was grabbed. */
  from: OutlineShape
  value: number
  y: number
  target: number
  moved: boolean
  released?: boolean
}

export interface Outline {
  root: HTMLElement
  signal: AbortSignal
  send: (name: "code", value: string) => void
  facts: OutlineFacts
  theme: Theme
  version: string | null
  canvas: HTMLCanvasElement
  text: HTMLElement
  list: HTMLElement
  undo: HTMLButtonElement
  reset: HTMLButtonElement
  origin: OutlineShape
  now: OutlineShape
  past: OutlineShape[]
  grip: Grip | null
  near: OutlineHandle | null
  /** The handle that keys move. */
  chosen: OutlineHandle | null
  wanted: { grip: Grip, target: number, settle: boolean } | null
  busy: boolean
  painted: number
  sent: string
  size?: [number, number]
  ratio: number
  keeper: Keeper
  digestion: Timer
  settling: Timer
}

// A run while it trains

export interface LiveRunFacts {
  address: string
  /** Of the run that it was branched from; empty if there is none. */
  beside: string
  /** The step that is looked at; negative for the latest. */
  at: number
  version: number
  /** Colours of classes. */
  colours: string[]
}

export interface RunPoint {
  step: number
  split: "train" | "valid"
  reconstruction: number
  kl: number
}

/** What the server tells of a run once a second. */
export interface RunNews {
  state: string
  active: boolean
  /** Bytes of the curves that were known before, and are now. */
  from: number
  known: number
  points: RunPoint[]
  steps: number[]
  turns: { step: number, words: string }[]
}

export interface RunMeta {
  batches: number
  epochs: number
  panel: Panel
  labels?: number[]
}

export interface RunFrame {
  step: number
  epoch: number
  seconds: number
  beta: number
  activity: number[]
  window?: [number, number, number, number]
  panels: Record<string, Panel | { body: Uint8Array }>
}

export interface LiveRun {
  root: HTMLElement
  signal: AbortSignal
  send: (name: "at" | "ended", value: number | string) => void
  facts: LiveRunFacts
  theme: Theme
  slider: HTMLInputElement
  live: HTMLButtonElement
  said: HTMLElement
  points: RunPoint[]
  /** The curves of the other run, and whether they are whole. */
  others: RunPoint[]
  compared: boolean
  known: number
  frames: Map<number, RunFrame>
  steps: number[]
  news: RunNews | null
  meta: RunMeta | null
  /** The step that is looked at; null for the latest. */
  at: number | null
  shown?: number
  painted?: RunFrame
  busy: boolean
  waiting: number | null
  poll: Timer
  redraw: () => void
}

// Shortlist

export interface CardFacts {
  key: string
  number: number
  name: string
  panel: number
  at: number
  stars: number
  verdict: "" | "keep" | "reject"
  tags: string[]
  words: string[]
  fault: string
  reasons: string[]
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
  /** How often the server kept a pick by itself, and the last. */
  turn: number
  kept: Saved | null
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
    /** A pick was added to the outbox. */
    "latent-explorer-outbox": Event
    /** A sample is to be removed from the picks, by its origin. */
    "latent-explorer-unkeep": CustomEvent<string>
    /** Stored picks are to be removed, by their keys. */
    "latent-explorer-undo": CustomEvent<string[]>
    /** The set of picks has changed. */
    "latent-explorer-kept": Event
    /** Numbers of the picks outside the ranges on the parallel coordinates. */
    "latent-explorer-ranges": CustomEvent<number[]>
  }
}
