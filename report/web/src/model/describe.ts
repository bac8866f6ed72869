// Events, times and values in words.
import { CAUSES } from "./calls.ts";
import { Fields, type Value } from "./run.ts";
import type { Model } from "./model.ts";

/** Microseconds as milliseconds with the digits that matter. */
export function milliseconds(t: number): string {
  const digits = (t / 1000).toFixed(3);
  const [whole, part] = digits.split(".");
  return `${whole.replace(/\B(?=(\d{3})+$)/g, " ")}.${part} ms`;
}

export function short(text: string, most = 60): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

/** A value on one line. */
export function inline(value: Value, most = 80): string {
  if (typeof value === "string") return short(JSON.stringify(value), most);
  if (Array.isArray(value)) {
    if (value.length > 6) return `${value.length} items`;
    return short(`[${value.map((item) => inline(item, most)).join(", ")}]`, most);
  }
  if (value instanceof Fields) {
    const parts = value.names.map((name, at) => `${name}: ${inline(value.values[at], most)}`);
    return short(`{${parts.join(", ")}}`, most);
  }
  return String(value);
}

function server(number: number): string {
  return number < 0 ? "nobody" : `server ${number}`;
}

/** What a method is called, without the name of its service. */
export function methodOf(model: Model, event: number): string {
  const call = model.callOf(event);
  const method = call === undefined ? "" : model.run.text(call.sent, "method");
  return short(method.split(".").at(-1) || "a call", 40);
}

function callEvent(model: Model, event: number, kind: string): string {
  const { run } = model;
  const call = model.callOf(event);
  const method = methodOf(model, event);
  if (call === undefined) return `${kind} of call ${run.number(event, "call")}`;
  const copy = run.number(event, "copy") > 0 ? " (a copy)" : "";
  switch (kind) {
    case "sent":
      return `${server(call.from)} calls ${method} of ${server(call.to)}`;
    case "dispatched":
      return `${method} of ${server(call.from)} reaches ${server(call.to)}${copy}`;
    case "handled":
      return `${server(call.to)} has handled ${method} of ${server(call.from)}${copy}`;
    case "caught":
      return `the test catches the ${run.field(event, "reply") === true ? "reply" : "request"}` +
        ` ${method} from ${server(call.from)} to ${server(call.to)}`;
    case "ended":
      if (call.how === "answered") {
        return `${server(call.from)} has ${server(call.to)}'s reply to ${method}`;
      }
      return `${method} from ${server(call.from)} to ${server(call.to)} is lost: ` +
        (CAUSES[call.how] ?? call.how);
    default:
      return `${method} from ${server(call.from)}: ${kind} ${run.text(event, "text")}`;
  }
}

function stateEvent(model: Model, event: number): string {
  const { run } = model;
  const parts: string[] = [];
  const role = run.text(event, "role");
  const term = run.number(event, "term");
  if (role) parts.push(`is ${role}`);
  if (term >= 0) parts.push(`term ${term}`);
  const vote = run.field(event, "voted_for");
  if (vote === null) parts.push("has not voted in this term");
  if (typeof vote === "number") parts.push(`votes for server ${vote}`);
  const log = run.field(event, "log");
  if (log instanceof Fields) {
    const terms = log.get("terms");
    const count = Array.isArray(terms) ? terms.length : 0;
    const from = inline(log.get("from") ?? 0);
    parts.push(count === 0 ? `log ends before ${from}` : `log from ${from}: ${count} new`);
  }
  for (const name of ["commit", "applied"] as const) {
    const value = run.number(event, name);
    if (value >= 0) parts.push(`${name} ${value}`);
  }
  const snapshot = run.field(event, "snapshot");
  if (Array.isArray(snapshot)) parts.push(`snapshot up to ${inline(snapshot[0] ?? 0)}`);
  return `${server(model.who[event])}: ${parts.join(", ")}`;
}

/** An event in one line. */
export function describe(model: Model, event: number): string {
  const { run } = model;
  const kind = run.kind(event);
  const who = server(model.who[event]);
  const number = (name: string) => run.number(event, name);
  const text = (name: string) => short(run.text(event, name), 80);
  if (model.calls.ofEvent[event] >= 0 || number("call") >= 0) return callEvent(model, event, kind);
  switch (kind) {
    case "cluster":
      return `the test makes a cluster of ${number("servers")} servers`;
    case "started":
      return `${who} ${number("incarnation") > 1 ? "restarts" : "starts"}` +
        ` (incarnation ${number("incarnation")})`;
    case "crashed":
      return `${who} crashes`;
    case "fault":
      return `${who}: ${text("verb").replaceAll("_", " ")}`;
    case "link":
      return `link from server ${number("from")} to server ${number("to")}: ${text("verb")}`;
    case "saved": {
      const snapshot = number("snapshot_bytes");
      const more = snapshot > 0 ? ` and a snapshot of ${snapshot} bytes` : "";
      return `${who} saves ${number("bytes")} bytes${more}`;
    }
    case "state":
      return stateEvent(model, event);
    case "offered":
      return `the test offers ${text("command")} to ${who}`;
    case "accepted":
      return `${who} takes ${text("command")} as index ${number("index")}` +
        ` of term ${number("term")}`;
    case "refused":
      return `${who} takes no command: it does not lead`;
    case "said_state":
      return `${who} says that its term is ${number("term")}`;
    case "said_leader":
      return `${who} says that it leads term ${number("term")}`;
    case "applied":
      return `${who} applies index ${number("index")}: ${text("command")}`;
    case "applied_snapshot":
      return `${who} hands a snapshot up to index ${number("index")} to its service`;
    case "waiting":
      return `the test waits for ${text("phrase")}`;
    case "output":
      return `${model.who[event] < 0 ? text("thread") : who} prints: ${text("text")}`;
    default:
      return kind;
  }
}
