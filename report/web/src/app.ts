// What the reader sees now: the view, the chosen event, the filters. The panel and the picture
// listen to it.
import { Causes } from "./model/causes.ts";
import { GROUPS, type Group, type Model } from "./model/model.ts";
import { standstillOf } from "./model/progress.ts";
import { search } from "./model/search.ts";
import { decisiveOf, type Decisive } from "./model/odds.ts";
import { firstAtOrAfter, lastAtOrBefore, type Odds } from "./model/run.ts";

export type Axis = "time" | "event";
export type Theme = "light" | "dark";

export class App {
  readonly causes: Causes;
  readonly evidence: number[];
  /** How likely the failure was at some moments; empty if nobody asked. */
  readonly odds: readonly Odds[];
  readonly decisive: Decisive | undefined;
  /** The last progress of a run that failed because it stood still; -1 for another one. */
  readonly progress: number;
  axis: Axis = "time";
  /** The chosen event; -1 if none is. */
  chosen = -1;
  /** The moment that the ring and the logs show, as a place on the axis. */
  moment = 0;
  groups = new Set<Group>(GROUPS.filter((group) => group.on).map((group) => group.id));
  servers: Set<number>;
  query = "";
  found: number[] = [];
  /** Only what led to this event is shown; -1 if everything is. */
  pastOf = -1;
  theme: Theme = "light";
  help = false;
  playing = false;
  speed = 1;
  /** 1 for each event that is shown. */
  visible: Uint8Array;
  /** Events that are shown, in order. */
  order: Int32Array = new Int32Array(0);
  /** Where each event is on the axis. It never falls from one event to the next. */
  coords: Float64Array;
  #listeners = new Set<(what: "view" | "all") => void>();

  constructor(readonly model: Model) {
    this.causes = new Causes(model);
    this.evidence = model.evidence();
    this.odds = model.run.embedded.end.odds ?? [];
    this.decisive = decisiveOf(this.odds);
    this.progress = standstillOf(model);
    this.servers = new Set(Array.from({ length: model.servers }, (_, server) => server));
    this.visible = new Uint8Array(model.run.count);
    this.coords = new Float64Array(model.run.count);
    this.filter();
    this.moment = 0;
  }

  listen(listener: (what: "view" | "all") => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** `view`: only the moment moved. */
  changed(what: "view" | "all" = "all"): void {
    for (const listener of this.#listeners) listener(what);
  }

  /** Applies the filters: what is shown, and where it is on the axis. */
  filter(): void {
    const { run, group, who } = this.model;
    const on = GROUPS.map((entry) => this.groups.has(entry.id));
    const past = this.pastOf < 0 ? undefined : this.causes.past(this.pastOf);
    const all = this.servers.size === this.model.servers;
    const order: number[] = [];
    for (let event = 0; event < run.count; event++) {
      let shown = on[group[event]] && (past === undefined || past[event] === 1);
      if (shown && !all) shown = this.#atShownServer(event, who[event]);
      this.visible[event] = shown ? 1 : 0;
      if (shown) order.push(event);
    }
    this.order = Int32Array.from(order);
    this.#place();
  }

  #atShownServer(event: number, who: number): boolean {
    if (who < 0) return true;
    const call = this.model.callOf(event);
    if (call === undefined) return this.servers.has(who);
    return this.servers.has(call.from) && this.servers.has(call.to);
  }

  #place(): void {
    const { run } = this.model;
    const event = Math.max(0, this.eventAt(this.moment));
    let rank = 0;
    for (let at = 0; at < run.count; at++) {
      if (this.axis === "time") this.coords[at] = run.t[at] / 1000;
      else this.coords[at] = this.visible[at] === 1 ? ++rank : rank;
    }
    this.moment = this.coords[this.chosen >= 0 ? this.chosen : event] ?? 0;
  }

  setAxis(axis: Axis): void {
    this.axis = axis;
    this.#place();
    this.changed();
  }

  /** The last evidence, or what happened last before the test took the servers down. */
  get failureEvent(): number {
    if (this.evidence.length > 0) return Math.max(...this.evidence);
    const { run } = this.model;
    const downs = new Set(["crashed", "fault", "link", "said_state", "said_leader"]);
    let event = run.count - 1;
    while (event > 0 && downs.has(run.kind(event))) event--;
    if (event < 0) return event;
    // A panic prints many lines: the first of them says what it was.
    const prints = (at: number) => run.kind(at) === "output";
    while (event > 0 && prints(event) && prints(event - 1)) event--;
    while (prints(event) && run.text(event, "text") === "" && prints(event + 1)) event++;
    return event;
  }

  /** Where the failure shows: at its last evidence, or at the end; -1 if the run passed. */
  get failureAt(): number {
    if (this.model.failure === null) return -1;
    return this.coords[this.failureEvent] ?? -1;
  }

  /** The last event at or before a time in microseconds; -1 if there is none. */
  eventOf(t: number): number {
    return lastAtOrBefore(this.model.run.t, t);
  }

  /** Where a time in microseconds is on the axis. */
  coordOf(t: number): number {
    return this.axis === "time" ? t / 1000 : (this.coords[this.eventOf(t)] ?? 0);
  }

  /** Where the axis ends. */
  get extent(): number {
    const last = this.coords.at(-1) ?? 0;
    return this.axis === "time"
      ? Math.max(this.model.run.embedded.end.t / 1000, last, 1e-3)
      : Math.max(last + 1, 2);
  }

  /** The last event at or before a place on the axis; -1 before the first one. */
  eventAt(coord: number): number {
    if (this.chosen >= 0 && this.coords[this.chosen] === coord) return this.chosen;
    return firstAtOrAfter(this.coords, coord + 1e-9) - 1;
  }

  /** The event whose moment is shown. */
  get now(): number {
    return Math.max(0, this.eventAt(this.moment));
  }

  choose(event: number): void {
    if (event < 0 || event >= this.model.run.count) return;
    this.chosen = event;
    this.moment = this.coords[event];
    this.changed();
  }

  /** Moves the moment by hand: no event is chosen then. */
  moveTo(coord: number): void {
    this.chosen = -1;
    this.moment = Math.min(Math.max(coord, 0), this.extent);
    this.changed("view");
  }

  /** Goes to the next event of a sorted list, or to the one before. */
  step(list: ArrayLike<number>, by: 1 | -1): void {
    if (list.length === 0) return;
    const at = this.chosen >= 0 ? this.chosen : this.now;
    const place = by > 0 ? firstAtOrAfter(list, at + 1) : firstAtOrAfter(list, at) - 1;
    if (place >= 0 && place < list.length) this.choose(list[place]);
  }

  /** Goes to the next event that was found, from the last one to the first. */
  nextFound(by: 1 | -1): void {
    const { found } = this;
    if (found.length === 0) return;
    const at = this.chosen >= 0 ? this.chosen : this.now;
    const place = by > 0 ? firstAtOrAfter(found, at + 1) : firstAtOrAfter(found, at) - 1;
    this.choose(found[(place + found.length) % found.length]);
  }

  nextEvidence(): void {
    const sorted = [...new Set(this.evidence)].sort((a, b) => a - b);
    const next = sorted.find((event) => event > this.chosen) ?? sorted[0];
    if (next !== undefined) this.choose(next);
  }

  find(query: string): void {
    this.query = query;
    this.found = search(this.model, query);
    this.changed();
  }

  /** What `n` and `p` walk through: what was found, or everything that is shown. */
  get steps(): ArrayLike<number> {
    return this.found.length > 0 ? this.found : this.order;
  }

  toggleGroup(group: Group): void {
    if (!this.groups.delete(group)) this.groups.add(group);
    this.filter();
    this.changed();
  }

  toggleServer(server: number): void {
    if (!this.servers.delete(server)) this.servers.add(server);
    this.filter();
    this.changed();
  }

  setPast(event: number): void {
    this.pastOf = event;
    this.filter();
    this.changed();
  }
}
