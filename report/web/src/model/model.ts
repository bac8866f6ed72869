// Everything that the page knows of a run, made once when it opens.
import { Calls, HEARTBEAT, SNAPSHOT, VOTE, type Call } from "./calls.ts";
import { Links } from "./links.ts";
import { Track } from "./servers.ts";
import { type Failure, type Run } from "./run.ts";

/** More lanes than this are no picture. A number above it is a mistake of the file. */
const MOST_SERVERS = 64;

/** What a reader can show and hide, and where it begins. */
export const GROUPS = [
  { id: "votes", name: "votes", on: true },
  { id: "entries", name: "entries", on: true },
  { id: "heartbeats", name: "heartbeats", on: true },
  { id: "snapshots", name: "snapshots", on: true },
  { id: "others", name: "other calls", on: true },
  { id: "states", name: "states", on: true },
  { id: "saves", name: "saves", on: true },
  { id: "commands", name: "commands", on: true },
  { id: "faults", name: "faults", on: true },
  { id: "output", name: "output", on: true },
  { id: "test", name: "test", on: true },
  { id: "questions", name: "questions", on: false },
] as const;
export type Group = (typeof GROUPS)[number]["id"];

const GROUP_OF: { [kind: string]: Group } = {
  state: "states",
  saved: "saves",
  offered: "commands",
  accepted: "commands",
  refused: "commands",
  applied: "commands",
  applied_snapshot: "commands",
  started: "faults",
  crashed: "faults",
  fault: "faults",
  link: "faults",
  output: "output",
  said_state: "questions",
  said_leader: "questions",
};

export class Model {
  readonly servers: number;
  readonly tracks: Track[];
  readonly calls: Calls;
  readonly links = new Links();
  /** The server that each event happened at; -1 if at none. */
  readonly who: Int16Array;
  /** Each event's place in GROUPS. */
  readonly group: Uint8Array;
  readonly waiting: number[] = [];
  readonly clusters: number[] = [];
  /** Commands by index and term, as they were taken. */
  readonly commands = new Map<string, string>();
  readonly inspected: boolean;

  constructor(readonly run: Run) {
    this.servers = this.#countServers();
    this.calls = new Calls(run, (event, field) => this.server(event, field));
    this.tracks = Array.from({ length: this.servers }, () => new Track());
    this.who = new Int16Array(run.count).fill(-1);
    this.group = new Uint8Array(run.count);
    let inspected = false;
    for (let event = 0; event < run.count; event++) {
      const kind = run.kind(event);
      this.who[event] = this.#whereOf(event, kind);
      this.group[event] = GROUPS.findIndex((group) => group.id === this.#groupOf(event, kind));
      inspected ||= kind === "state";
      this.#read(event, kind);
    }
    this.inspected = inspected;
  }

  get failure(): Failure | null {
    return this.run.embedded.end.failure;
  }

  /** A field that is a server of this run; -1 if it is none. */
  server(event: number, field: string): number {
    const server = this.run.number(event, field);
    return Number.isInteger(server) && server < MOST_SERVERS ? server : -1;
  }

  callOf(event: number): Call | undefined {
    return this.calls.all[this.calls.ofEvent[event]];
  }

  /** The event of each line of evidence: the file may not have the very one. */
  evidence(): number[] {
    return (this.failure?.evidence ?? []).map((fact) => this.eventOf(fact.n, fact.server));
  }

  eventOf(n: number, server: number | null): number {
    const event = this.run.eventOfNumber(n);
    if (server === null || this.run.n[event] === n) return event;
    // A look at a server is in the file only if it showed a change: go to the server's last one.
    const track = this.tracks[server];
    const shown = track?.at(event).event ?? -1;
    return shown >= 0 ? Math.max(shown, this.#lastOf(server, event)) : event;
  }

  #lastOf(server: number, event: number): number {
    let at = event;
    while (at > 0 && this.who[at] !== server) at--;
    return at;
  }

  #countServers(): number {
    let servers = this.run.embedded.header.servers;
    for (let event = 0; event < this.run.count; event++) {
      servers = Math.max(servers, this.run.number(event, "servers"));
      for (const field of ["server", "from", "to"]) {
        servers = Math.max(servers, this.server(event, field) + 1);
      }
    }
    return Math.min(servers, MOST_SERVERS);
  }

  #whereOf(event: number, kind: string): number {
    const call = this.callOf(event);
    if (call === undefined) return kind === "link" ? -1 : this.server(event, "server");
    if (kind === "dispatched" || kind === "handled") return call.to;
    if (kind === "caught" && this.run.field(event, "reply") === true) return call.to;
    return call.from;
  }

  #groupOf(event: number, kind: string): Group {
    const call = this.callOf(event);
    if (call === undefined) return GROUP_OF[kind] ?? "test";
    if (call.style === VOTE) return "votes";
    if (call.style === HEARTBEAT) return "heartbeats";
    if (call.style === SNAPSHOT) return "snapshots";
    return call.style === 0 ? "others" : "entries";
  }

  #read(event: number, kind: string): void {
    const { run } = this;
    if (kind === "cluster") {
      this.clusters.push(event);
      for (const track of this.tracks) track.reset(event);
      this.links.reset(event);
    } else if (kind === "link") {
      this.links.read(run, event, this.server(event, "from"), this.server(event, "to"));
    } else if (kind === "waiting") {
      this.waiting.push(event);
    } else if (kind === "accepted") {
      const key = `${run.number(event, "index")} ${run.number(event, "term")}`;
      this.commands.set(key, run.text(event, "command"));
    }
    if (this.who[event] >= 0) this.tracks[this.who[event]].read(run, event, kind);
  }
}
