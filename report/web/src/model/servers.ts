// What each server shows of itself, at every moment of the run.
import { Fields, type Run, countOf, lastAtOrBefore } from "./run.ts";

export type Role = "follower" | "candidate" | "leader" | "unknown";

/** A server from one event to the next one that changes it. */
export interface Shown {
  /** The place of the event that made it so. */
  event: number;
  role: Role;
  term: number;
  /** None: null. Not known: undefined. */
  vote: number | null | undefined;
  last: number;
  commit: number;
  applied: number;
  snapshot: number;
  snapshotTerm: number;
  up: boolean;
  connected: boolean;
  paused: boolean;
  incarnation: number;
  /** How many changes of its log came before. */
  logChanges: number;
}

/** A log: the terms of the entries after `base`. */
export interface Log {
  base: number;
  terms: number[];
}

const CHECKPOINT = 64;

/** The logs of one server, as changes with a full copy now and then. */
class Logs {
  #changes: { drop: number; from: number; terms: number[]; anew: boolean }[] = [];
  #checkpoints: Log[] = [{ base: 0, terms: [] }];
  #now: Log = { base: 0, terms: [] };

  get last(): number {
    return this.#now.base + this.#now.terms.length;
  }

  get count(): number {
    return this.#changes.length;
  }

  push(change: { drop: number; from: number; terms: number[]; anew: boolean }): void {
    this.#changes.push(change);
    apply(this.#now, change);
    if (this.#changes.length % CHECKPOINT === 0) {
      this.#checkpoints.push({ base: this.#now.base, terms: [...this.#now.terms] });
    }
  }

  after(changes: number): Log {
    const checkpoint = Math.floor(changes / CHECKPOINT);
    const { base, terms } = this.#checkpoints[checkpoint];
    const log = { base, terms: [...terms] };
    for (const change of this.#changes.slice(checkpoint * CHECKPOINT, changes)) apply(log, change);
    return log;
  }
}

function apply(
  log: Log,
  change: { drop: number; from: number; terms: number[]; anew: boolean },
): void {
  if (change.anew) {
    log.base = 0;
    log.terms = [];
  }
  if (change.drop > log.base) {
    log.terms.splice(0, change.drop - log.base);
    log.base = change.drop;
  }
  if (change.from < 0) return;
  const keep = change.from - log.base - 1;
  if (keep < 0 || keep > log.terms.length) {
    // The file says nothing of the entries before: the log begins here.
    log.base = change.from - 1;
    log.terms = [...change.terms];
  } else {
    log.terms.length = keep;
    for (const term of change.terms) log.terms.push(term);
  }
}

const NEVER: Shown = {
  event: -1,
  role: "unknown",
  term: 0,
  vote: undefined,
  last: 0,
  commit: 0,
  applied: 0,
  snapshot: 0,
  snapshotTerm: 0,
  up: false,
  connected: true,
  paused: false,
  incarnation: 0,
  logChanges: 0,
};

/** One server through the run. */
export class Track {
  readonly events: number[] = [];
  readonly shown: Shown[] = [];
  #logs = new Logs();
  #now: Shown = NEVER;
  /** It has not shown itself since it started. */
  #fresh = false;

  /** The server right after an event. */
  at(event: number): Shown {
    const place = lastAtOrBefore(this.events, event);
    return place < 0 ? NEVER : this.shown[place];
  }

  /** The server right before an event. */
  before(event: number): Shown {
    return this.at(event - 1);
  }

  logAt(event: number): Log {
    return this.#logs.after(this.at(event).logChanges);
  }

  #change(event: number, change: Partial<Shown>): void {
    const logs = this.#logs;
    this.#now = { ...this.#now, ...change, event, last: logs.last, logChanges: logs.count };
    if (this.events.at(-1) === event) this.events.pop(), this.shown.pop();
    this.events.push(event);
    this.shown.push(this.#now);
  }

  /** The cluster is new: nothing of this server is left. */
  reset(event: number): void {
    if (this.#now === NEVER) return;
    this.#logs.push({ drop: 0, from: -1, terms: [], anew: true });
    this.#change(event, NEVER);
  }

  read(run: Run, event: number, kind: string): void {
    if (kind === "started") {
      // What it saved is not known before it shows itself: until then it is what it was.
      this.#fresh = true;
      const incarnation = run.number(event, "incarnation");
      this.#change(event, { up: true, paused: false, role: "unknown", incarnation });
    } else if (kind === "crashed") {
      this.#change(event, { up: false, paused: false });
    } else if (kind === "fault") {
      const verb = run.text(event, "verb");
      if (verb === "connect" || verb === "disconnect") {
        this.#change(event, { connected: verb === "connect" });
      }
      if (verb === "pause" || verb === "resume") this.#change(event, { paused: verb === "pause" });
    } else if (kind === "state") {
      this.#state(run, event);
    }
  }

  #state(run: Run, event: number): void {
    const change: Partial<Shown> = {};
    if (this.#fresh) {
      // The first time it shows everything; a log or a snapshot that is missing is empty.
      this.#logs.push({ drop: 0, from: -1, terms: [], anew: true });
      Object.assign(change, { snapshot: 0, snapshotTerm: 0 });
      this.#fresh = false;
    }
    const role = run.text(event, "role");
    if (role === "follower" || role === "candidate" || role === "leader") change.role = role;
    for (const name of ["term", "commit", "applied"] as const) {
      const value = run.number(event, name);
      if (value >= 0) change[name] = value;
    }
    const vote = run.field(event, "voted_for");
    if (vote === null || typeof vote === "number") change.vote = vote;
    const snapshot = run.field(event, "snapshot");
    if (Array.isArray(snapshot)) {
      change.snapshot = Math.max(0, countOf(snapshot[0]));
      change.snapshotTerm = countOf(snapshot[1]);
    }
    const log = run.field(event, "log");
    const drop = change.snapshot ?? 0;
    if (log instanceof Fields) {
      const terms = log.get("terms");
      const from = Math.max(1, countOf(log.get("from")));
      const list = Array.isArray(terms) ? terms.map(countOf) : [];
      this.#logs.push({ drop, from, terms: list, anew: false });
    } else if (drop > 0) {
      this.#logs.push({ drop, from: -1, terms: [], anew: false });
    }
    this.#change(event, change);
  }
}
