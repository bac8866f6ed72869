// Why an event happened: what its server did before, and the message that it came with.
import { VOTE } from "./calls.ts";
import type { Value } from "./run.ts";
import type { Model } from "./model.ts";
import { describe, milliseconds } from "./describe.ts";

/** A server that does nothing for this long, and then acts, was woken by a timer of its own. */
const TIMER = 2000;

export class Causes {
  /** The event before at the same server; -1 if there is none. A question is no cause. */
  readonly previous: Int32Array;
  /** The event at the other end of the message that arrived here; -1 if none did. */
  readonly message: Int32Array;

  constructor(readonly model: Model) {
    const { run, who } = model;
    this.previous = new Int32Array(run.count).fill(-1);
    this.message = new Int32Array(run.count).fill(-1);
    const last = new Int32Array(model.servers).fill(-1);
    for (let event = 0; event < run.count; event++) {
      const kind = run.kind(event);
      if (kind === "cluster") last.fill(-1);
      const server = who[event];
      if (server < 0) continue;
      this.previous[event] = last[server];
      this.message[event] = this.#messageTo(event, kind);
      if (kind !== "said_state" && kind !== "said_leader") last[server] = event;
    }
  }

  #messageTo(event: number, kind: string): number {
    const call = this.model.callOf(event);
    if (call === undefined) return -1;
    if (kind === "dispatched" || kind === "misused") return call.sent;
    if (kind === "handled") {
      return call.dispatched.get(this.model.run.number(event, "copy")) ?? call.sent;
    }
    if (kind === "caught") {
      const handled = Math.max(-1, ...[...call.handled.values()].filter((at) => at < event));
      return this.model.run.field(event, "reply") === true ? handled : call.sent;
    }
    if (kind !== "ended") return -1;
    const before = [...call.handled.values()].filter((handled) => handled < event);
    return call.how === "answered" && before.length > 0 ? Math.max(...before) : call.sent;
  }

  /** The one event that best explains this one, and in what words; none at the beginning. */
  why(event: number): { cause: number; because: string } | undefined {
    const { run } = this.model;
    const message = this.message[event];
    const kind = run.kind(event);
    if (message >= 0) {
      const because = kind === "handled" ? "because it had the request" : "because of the message";
      return { cause: message, because };
    }
    const previous = this.previous[event];
    if (previous < 0) return undefined;
    const idle = run.t[event] - run.t[previous];
    if (kind === "state" || kind === "sent" || kind === "saved") {
      if (idle >= TIMER) {
        const because = `by its own timer: nothing reached it for ${milliseconds(idle)}`;
        return { cause: previous, because };
      }
      return { cause: previous, because: "right after this" };
    }
    return { cause: previous, because: "after this" };
  }

  /** The chain of causes, from the event back. */
  chain(event: number, most: number): { event: number; because: string; text: string }[] {
    const chain = [{ event, because: "", text: describe(this.model, event) }];
    let at = event;
    while (chain.length < most) {
      const next = this.why(at);
      if (next === undefined) break;
      at = next.cause;
      chain.push({ event: at, because: next.because, text: describe(this.model, at) });
    }
    return chain;
  }

  /** The answers to a new leader's calls for votes, if the event made one. */
  votesFor(event: number): { event: number; from: number; reply: Value }[] {
    const { model } = this;
    const { run } = model;
    if (run.kind(event) !== "state" || run.text(event, "role") !== "leader") return [];
    const server = model.who[event];
    const votes: { event: number; from: number; reply: Value }[] = [];
    for (let at = event - 1; at >= 0; at--) {
      if (model.who[at] !== server) continue;
      if (run.kind(at) === "started" || run.text(at, "role") === "candidate") break;
      const call = model.callOf(at);
      if (call?.style !== VOTE || call.from !== server || call.ended !== at) continue;
      if (call.how !== "answered") continue;
      const handled = this.message[at];
      votes.push({ event: at, from: call.to, reply: run.field(handled, "reply") ?? "answered" });
    }
    return votes.reverse();
  }

  /** All events that could have led to this one: 1 for each. */
  past(event: number): Uint8Array {
    const past = new Uint8Array(this.model.run.count);
    past[event] = 1;
    // A cause comes before its effect, so one walk back finds all.
    for (let at = event; at >= 0; at--) {
      if (past[at] === 0) continue;
      if (this.previous[at] >= 0) past[this.previous[at]] = 1;
      if (this.message[at] >= 0) past[this.message[at]] = 1;
    }
    return past;
  }
}
