// Which links are broken when: cut, or delayed and disturbed by the test.
import { type Run, lastAtOrBefore } from "./run.ts";

/** 0: whole. 1: it delays or disturbs messages. 2: cut. */
export type Damage = 0 | 1 | 2;

/** A directed link through the run. */
export class Link {
  readonly events: number[] = [];
  readonly damages: Damage[] = [];
  #cut = false;
  #rough = false;

  constructor(
    readonly from: number,
    readonly to: number,
  ) {}

  at(event: number): Damage {
    const place = lastAtOrBefore(this.events, event);
    return place < 0 ? 0 : this.damages[place];
  }

  read(event: number, verb: string): void {
    if (verb === "cut") this.#cut = true;
    if (verb === "heal") this.#cut = false;
    if (verb === "hold" || verb === "disturb") this.#rough = true;
    if (verb === "release" || verb === "pass" || verb === "calm") this.#rough = false;
    const damage = this.#cut ? 2 : this.#rough ? 1 : 0;
    if (damage === (this.damages.at(-1) ?? 0)) return;
    if (this.events.at(-1) === event) this.events.pop(), this.damages.pop();
    this.events.push(event);
    this.damages.push(damage);
  }
}

export class Links {
  readonly #links = new Map<string, Link>();

  read(run: Run, event: number, from: number, to: number): void {
    if (from < 0 || to < 0) return;
    const key = `${from} ${to}`;
    const link = this.#links.get(key) ?? new Link(from, to);
    this.#links.set(key, link);
    link.read(event, run.text(event, "verb"));
  }

  /** A new cluster has whole links. */
  reset(event: number): void {
    for (const link of this.#links.values()) {
      link.read(event, "heal");
      link.read(event, "calm");
    }
  }

  between(from: number, to: number): Link | undefined {
    return this.#links.get(`${from} ${to}`);
  }

  /** Links that were broken at some time, from or to a server. */
  broken(server: number): Link[] {
    const all = [...this.#links.values()].filter((link) => link.events.length > 0);
    return all.filter((link) => link.from === server || link.to === server);
  }

  get anyBroken(): boolean {
    return [...this.#links.values()].some((link) => link.events.length > 0);
  }
}
