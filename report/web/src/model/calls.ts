// The calls of a run, and the arrows that show them.
import { Fields, type Run, type Value } from "./run.ts";

/** How a call is drawn. It is guessed from a student's name of the method. */
export const STYLES = ["other", "vote", "heartbeat", "entries", "snapshot"] as const;
export type Style = 0 | 1 | 2 | 3 | 4;
export const [OTHER, VOTE, HEARTBEAT, ENTRIES, SNAPSHOT]: Style[] = [0, 1, 2, 3, 4];

export interface Call {
  number: number;
  from: number;
  to: number;
  style: Style;
  sent: number;
  /** Places of events: one for each time that it reached a handler, by the copy's number. */
  dispatched: Map<number, number>;
  handled: Map<number, number>;
  caught: number[];
  ended: number;
  how: string;
  /** The first yes or no in its reply: whether a vote was granted, entries were taken. */
  granted: boolean | undefined;
}

/** The part of a call from one server to another. */
export interface Arrow {
  /** Places of the events where it begins and ends; it has no end if it was lost. */
  begin: number;
  end: number;
  from: number;
  to: number;
  style: Style;
  reply: boolean;
  /** Why it did not arrive; empty if it did, or was still on its way when the run ended. */
  lost: string;
  call: Call;
}

/** Why a request or a reply did not arrive, for a reader. */
export const CAUSES: { [how: string]: string } = {
  answered: "it was answered",
  disabled: "the caller is disconnected",
  deleted: "the caller is gone",
  no_server: "the server is down",
  cut: "the link is cut",
  request_lost: "the network lost the request",
  reply_lost: "the network lost the reply",
  server_gone: "a server went away during the call",
  handler_panicked: "the handler panicked",
  refused: "the call was refused",
  closed: "the test was over",
};

/** Causes that a call ends with after its handler has returned. */
const LOSES_REPLY = new Set(["reply_lost", "server_gone", "cut", "disabled", "deleted", "closed"]);

export class Calls {
  readonly all: Call[] = [];
  /** By where they begin. */
  readonly arrows: Arrow[] = [];
  /** The call of each event that belongs to one; -1 for others. */
  readonly ofEvent: Int32Array;

  constructor(run: Run, server: (event: number, field: string) => number) {
    this.ofEvent = new Int32Array(run.count).fill(-1);
    let byNumber = new Map<number, number>();
    for (let event = 0; event < run.count; event++) {
      const kind = run.kind(event);
      // A new cluster counts its calls anew.
      if (kind === "cluster") byNumber = new Map();
      const number = run.number(event, "call");
      if (number < 0) continue;
      if (kind === "sent") {
        byNumber.set(number, this.all.length);
        this.all.push({
          number,
          from: server(event, "from"),
          to: server(event, "to"),
          style: OTHER,
          sent: event,
          dispatched: new Map(),
          handled: new Map(),
          caught: [],
          ended: -1,
          how: "",
          granted: undefined,
        });
      }
      const place = byNumber.get(number) ?? -1;
      this.ofEvent[event] = place;
      if (place >= 0) note(this.all[place], run, event, kind);
    }
    this.#guessStyles(run);
    for (const call of this.all) this.#draw(call);
    this.arrows.sort((a, b) => a.begin - b.begin);
  }

  #guessStyles(run: Run): void {
    const least = new Map<string, number>();
    for (const { sent } of this.all) {
      const method = run.text(sent, "method");
      least.set(method, Math.min(least.get(method) ?? Infinity, run.number(sent, "bytes")));
    }
    for (const call of this.all) {
      const method = run.text(call.sent, "method");
      const bytes = run.number(call.sent, "bytes");
      call.style = styleOf(method, run.field(call.sent, "args"), bytes - (least.get(method) ?? 0));
    }
  }

  #draw(call: Call): void {
    const { from, to, style } = call;
    const arrow = (begin: number, end: number, reply: boolean, lost: string) =>
      this.arrows.push({
        begin,
        end,
        from: reply ? to : from,
        to: reply ? from : to,
        style,
        reply,
        lost,
        call,
      });
    if (call.dispatched.size === 0) arrow(call.sent, -1, false, call.how);
    for (const dispatched of call.dispatched.values()) arrow(call.sent, dispatched, false, "");
    if (call.how === "answered") {
      const before = [...call.handled.values()].filter((handled) => handled < call.ended);
      if (before.length > 0) arrow(Math.max(...before), call.ended, true, "");
    } else if (call.handled.size > 0 && LOSES_REPLY.has(call.how)) {
      arrow(Math.min(...call.handled.values()), -1, true, call.how);
    }
  }
}

function note(call: Call, run: Run, event: number, kind: string): void {
  if (kind === "dispatched") call.dispatched.set(run.number(event, "copy"), event);
  if (kind === "handled") {
    call.handled.set(run.number(event, "copy"), event);
    const reply = run.field(event, "reply");
    const values = reply instanceof Fields ? reply.values : [];
    call.granted ??= values.find((value) => typeof value === "boolean");
  }
  if (kind === "caught") call.caught.push(event);
  if (kind === "ended") {
    call.ended = event;
    call.how = run.text(event, "how");
  }
}

/** `more` is how many bytes the call has above the smallest one of its method. */
export function styleOf(method: string, args: Value | undefined, more: number): Style {
  if (/snap/i.test(method)) return SNAPSHOT;
  if (/vote|elect/i.test(method)) return VOTE;
  if (/heartbeat|ping/i.test(method)) return HEARTBEAT;
  if (!/append|entr|replic|log/i.test(method)) return OTHER;
  if (args instanceof Fields) {
    const lists = args.values.filter((value) => Array.isArray(value));
    if (lists.length > 0) return lists.some((list) => list.length > 0) ? ENTRIES : HEARTBEAT;
  }
  // Numbers of up to eight bytes may differ between two empty messages.
  return more > 8 ? ENTRIES : HEARTBEAT;
}
