// The run as the page embeds it: columns of numbers, and a table of values that they refer to.

/** An object of the run. Its names are a student's, so it is no object of JavaScript. */
export class Fields {
  constructor(
    readonly names: readonly string[],
    readonly values: readonly Value[],
  ) {}

  get(name: string): Value | undefined {
    const place = this.names.indexOf(name);
    return place < 0 ? undefined : this.values[place];
  }
}

export type Value = null | boolean | number | bigint | string | Value[] | Fields;

type Node = null | boolean | number | string | number[] | { digits: string };
type Column = { steps: number[] } | { values: number[] };

/** What a failed run says of its failure. */
export interface Failure {
  class: string;
  rule: { id: string; title: string; section: string } | null;
  sentence: string;
  look: string | null;
  notes: string[];
  evidence: { n: number; t: number; server: number | null; what: string }[];
}

/** In how many futures of a moment the run failed in the same way. */
export interface Odds {
  /** Microseconds. */
  t: number;
  failed: number;
  futures: number;
}

/** What Rust wrote: see columns.rs. */
export interface Embedded {
  header: { test: string; purpose: string; servers: number; clock: string; rules_checked: boolean };
  seed: string;
  end: { t: number; failure: Failure | null; findings: string[]; replay: string; odds?: Odds[] };
  n: number[];
  t: number[];
  kinds: string[];
  order: number[];
  tables: { [field: string]: Column }[];
  shapes: string[][];
  values: Node[];
}

function sums(steps: number[]): Float64Array {
  const all = new Float64Array(steps.length);
  let sum = 0;
  for (let i = 0; i < steps.length; i++) all[i] = sum += steps[i];
  return all;
}

/** A run: each event by its place, with its fields by name. */
export class Run {
  readonly count: number;
  readonly n: Float64Array;
  /** Microseconds since the run began. */
  readonly t: Float64Array;
  readonly #rows: Int32Array;
  readonly #tables: Map<string, Float64Array | number[]>[];
  readonly #resolved: (Value | undefined)[] = [];

  constructor(readonly embedded: Embedded) {
    this.count = embedded.order.length;
    this.n = sums(embedded.n);
    this.t = sums(embedded.t);
    this.#tables = embedded.tables.map((table) => {
      const columns = new Map<string, Float64Array | number[]>();
      for (const [name, column] of Object.entries(table)) {
        columns.set(name, "steps" in column ? sums(column.steps) : column.values);
      }
      return columns;
    });
    this.#rows = new Int32Array(this.count);
    const next = new Int32Array(embedded.kinds.length);
    for (let i = 0; i < this.count; i++) this.#rows[i] = next[embedded.order[i]]++;
  }

  kind(event: number): string {
    return this.embedded.kinds[this.embedded.order[event]];
  }

  fieldNames(event: number): string[] {
    return [...this.#tables[this.embedded.order[event]].keys()].filter(
      (name) => this.field(event, name) !== undefined,
    );
  }

  field(event: number, name: string): Value | undefined {
    const column = this.#tables[this.embedded.order[event]].get(name);
    if (column === undefined) return undefined;
    const cell = column[this.#rows[event]];
    if (column instanceof Float64Array) return cell;
    return cell === 0 ? undefined : this.#value(cell);
  }

  /** A field that is a number; -1 if it is missing or something else. */
  number(event: number, name: string): number {
    return countOf(this.field(event, name));
  }

  text(event: number, name: string): string {
    const value = this.field(event, name);
    return typeof value === "string" ? value : "";
  }

  #value(id: number): Value {
    const known = this.#resolved[id];
    if (known !== undefined) return known;
    const value = this.#resolve(this.embedded.values[id - 1]);
    this.#resolved[id] = value;
    return value;
  }

  #resolve(node: Node): Value {
    if (Array.isArray(node)) {
      const parts = node.slice(1).map((id) => this.#value(id));
      return node[0] === 0 ? parts : new Fields(this.embedded.shapes[node[0] - 1], parts);
    }
    return node !== null && typeof node === "object" ? BigInt(node.digits) : node;
  }

  /** The last event at or before a number of the history: some numbers are left out. */
  eventOfNumber(n: number): number {
    return Math.max(0, lastAtOrBefore(this.n, n));
  }
}

/** Above this, adding one to a number may not change it: a loop over indices would not end. */
const MOST = 2 ** 52;

/** A value as a number to count with; -1 if it is none. */
export function countOf(value: Value | undefined): number {
  if (typeof value !== "number" && typeof value !== "bigint") return -1;
  return Math.min(Number(value), MOST);
}

/** The last place whose number is at most `limit`; -1 if there is none. */
export function lastAtOrBefore(sorted: ArrayLike<number>, limit: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] <= limit) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The first place whose number is at least `limit`. */
export function firstAtOrAfter(sorted: ArrayLike<number>, limit: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
