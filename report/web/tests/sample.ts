// Runs for the tests, as the page embeds them.
import { Model } from "../src/model/model.ts";
import { type Embedded, Run, type Failure } from "../src/model/run.ts";

type Line = { n?: number; t?: number; kind: string } & { [field: string]: unknown };

/** What Rust would embed for these events, with one column of values for each field. */
export function embed(lines: Line[], failure: Failure | null = null): Embedded {
  const values: Embedded["values"] = [];
  const shapes: string[][] = [];
  const id = (value: unknown): number => {
    if (Array.isArray(value)) values.push([0, ...value.map(id)]);
    else if (typeof value === "object" && value !== null) {
      const ids = Object.values(value).map(id);
      shapes.push(Object.keys(value));
      values.push([shapes.length, ...ids]);
    } else values.push(value as string);
    return values.length;
  };
  const kinds = [...new Set(lines.map((line) => line.kind))];
  const steps = (numbers: number[]) => numbers.map((it, at) => it - (at > 0 ? numbers[at - 1] : 0));
  const tables = kinds.map((kind) => {
    const rows = lines.filter((line) => line.kind === kind);
    const names = new Set(rows.flatMap((row) => Object.keys(row)));
    for (const known of ["n", "t", "kind"]) names.delete(known);
    const column = (name: string) => ({
      values: rows.map((row) => (name in row ? id(row[name]) : 0)),
    });
    return Object.fromEntries([...names].map((name) => [name, column(name)]));
  });
  return {
    header: { test: "a test", purpose: "", servers: 3, clock: "fiber", rules_checked: true },
    seed: "1",
    end: { t: 1_000_000, failure, findings: [], replay: "again" },
    n: steps(lines.map((line, at) => line.n ?? at + 1)),
    t: steps(lines.map((line, at) => line.t ?? (at + 1) * 1000)),
    kinds,
    order: lines.map((line) => kinds.indexOf(line.kind)),
    tables,
    shapes,
    values,
  };
}

export function modelOf(lines: Line[], failure: Failure | null = null): Model {
  return new Model(new Run(embed(lines, failure)));
}

const fresh = { role: "follower", term: 0, voted_for: null, commit: 0, applied: 0 };

/** Server 0 asks server 1 for its vote, leads, and takes a command. */
export const ELECTION: Line[] = [
  { kind: "cluster", servers: 3 },
  { kind: "started", server: 0, incarnation: 1 },
  { kind: "state", server: 0, ...fresh },
  { kind: "started", server: 1, incarnation: 1 },
  { kind: "state", server: 1, ...fresh },
  { kind: "state", t: 300_000, server: 0, role: "candidate", term: 1, voted_for: 0 },
  { kind: "sent", t: 300_010, call: 1, from: 0, to: 1, method: "Raft.Vote", bytes: 4,
    args: { term: 1, candidate: 0 } },
  { kind: "sent", t: 300_011, call: 2, from: 0, to: 2, method: "Raft.Vote", bytes: 4 },
  { kind: "dispatched", t: 300_500, call: 1, copy: 0 },
  { kind: "state", t: 300_501, server: 1, term: 1, voted_for: 0 },
  { kind: "handled", t: 300_502, call: 1, copy: 0, bytes: 2, reply: { granted: true } },
  { kind: "ended", t: 300_900, call: 1, how: "answered" },
  { kind: "state", t: 300_901, server: 0, role: "leader" },
  { kind: "ended", t: 400_000, call: 2, how: "request_lost" },
  { kind: "accepted", t: 400_100, server: 0, index: 1, term: 1, command: "x" },
  { kind: "state", t: 400_101, server: 0, log: { from: 1, terms: [1] } },
];
