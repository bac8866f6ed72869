import assert from "node:assert/strict";
import { test } from "node:test";
import { ENTRIES, HEARTBEAT, OTHER, SNAPSHOT, VOTE, styleOf } from "../../src/model/calls.ts";
import { columnsOf, rowsAt } from "../../src/model/logs.ts";
import { describe } from "../../src/model/describe.ts";
import { Fields } from "../../src/model/run.ts";
import { ELECTION, modelOf } from "../sample.ts";

test("a call is two arrows, and a lost one ends nowhere with its cause", () => {
  const { calls } = modelOf(ELECTION);
  const arrows = calls.arrows.map(({ begin, end, reply, lost }) => ({ begin, end, reply, lost }));
  assert.deepEqual(arrows, [
    { begin: 6, end: 8, reply: false, lost: "" },
    { begin: 7, end: -1, reply: false, lost: "request_lost" },
    { begin: 10, end: 11, reply: true, lost: "" },
  ]);
});

test("the style of a call is guessed from its method and its lists", () => {
  const entries = (count: number) => new Fields(["e"], [Array.from({ length: count }, () => 1)]);
  assert.equal(styleOf("My.AskForVote", undefined, 0), VOTE);
  assert.equal(styleOf("Raft.InstallSnapshot", undefined, 0), SNAPSHOT);
  assert.equal(styleOf("Raft.AppendEntries", entries(0), 90), HEARTBEAT);
  assert.equal(styleOf("Raft.AppendEntries", entries(2), 0), ENTRIES);
  assert.equal(styleOf("Raft.AppendEntries", undefined, 40), ENTRIES);
  assert.equal(styleOf("Kv.Get", undefined, 0), OTHER);
});

test("a server is known at every moment, before and after an event", () => {
  const [track] = modelOf(ELECTION).tracks;
  assert.equal(track.before(5).role, "follower");
  assert.equal(track.at(5).role, "candidate");
  assert.equal(track.at(11).role, "candidate");
  assert.equal(track.at(12).role, "leader");
  assert.equal(track.at(12).vote, 0);
  assert.deepEqual(track.logAt(14).terms, []);
  assert.deepEqual(track.logAt(15).terms, [1]);
});

test("logs follow truncations, snapshots and restarts", () => {
  const state = (fields: object) => ({ kind: "state", server: 0, ...fields });
  const { tracks } = modelOf([
    { kind: "started", server: 0, incarnation: 1 },
    state({ log: { from: 1, terms: [1, 1, 1, 2] } }),
    state({ log: { from: 3, terms: [3] } }),
    state({ snapshot: [2, 1] }),
    state({ snapshot: [9, 3], log: { from: 10, terms: [] } }),
    { kind: "crashed", server: 0 },
    { kind: "started", server: 0, incarnation: 2 },
    state({ snapshot: [9, 3], log: { from: 10, terms: [4] } }),
  ]);
  const logs = [1, 2, 3, 4, 6, 7].map((event) => tracks[0].logAt(event));
  assert.deepEqual(logs, [
    { base: 0, terms: [1, 1, 1, 2] },
    { base: 0, terms: [1, 1, 3] },
    { base: 2, terms: [3] },
    { base: 9, terms: [] },
    { base: 9, terms: [] },
    { base: 9, terms: [4] },
  ]);
  assert.equal(tracks[0].at(5).up, false);
  assert.equal(tracks[0].at(7).incarnation, 2);
});

test("a restarted server is what it was until it shows what it saved", () => {
  const state = (fields: object) => ({ kind: "state", server: 0, ...fields });
  const [track] = modelOf([
    { kind: "started", server: 0, incarnation: 1 },
    state({ role: "leader", term: 3, log: { from: 1, terms: [2, 3] } }),
    { kind: "crashed", server: 0 },
    { kind: "started", server: 0, incarnation: 2 },
    state({ role: "follower", term: 3, voted_for: null, commit: 0, applied: 0 }),
  ]).tracks;
  assert.deepEqual([track.at(3).role, track.at(3).term], ["unknown", 3]);
  assert.deepEqual([2, 3, 4].map((event) => track.logAt(event).terms), [[2, 3], [2, 3], []]);
});

test("a log at an index beyond all memory takes no memory", () => {
  const log = { from: 2 ** 64, terms: [1, 1] };
  const model = modelOf([
    { kind: "started", server: 0, incarnation: 1 },
    { kind: "state", server: 0, log, commit: 2 ** 64 },
  ]);
  assert.equal(model.tracks[0].logAt(1).terms.length, 2);
  assert.deepEqual(columnsOf(rowsAt(model, 1), 14).columns.length > 0, true);
});

test("many changes of a log are replayed from a copy", () => {
  const lines: { kind: string; [field: string]: unknown }[] = [
    { kind: "started", server: 0, incarnation: 1 },
  ];
  for (let index = 1; index <= 300; index++) {
    lines.push({ kind: "state", server: 0, log: { from: index, terms: [index] } });
  }
  const [track] = modelOf(lines).tracks;
  for (const at of [1, 63, 64, 65, 200, 300]) {
    assert.deepEqual(track.logAt(at).terms.at(-1), at);
    assert.equal(track.logAt(at).terms.length, at);
  }
});

test("the columns of the logs begin where they differ", () => {
  const state = (server: number, terms: number[]) => ({
    kind: "state",
    server,
    log: { from: 1, terms },
  });
  const ones = Array.from({ length: 40 }, () => 1);
  const model = modelOf([state(0, [...ones, 2, 2]), state(1, [...ones, 3]), state(2, ones)]);
  const { columns, diverging } = columnsOf(rowsAt(model, 2), 14);
  assert.deepEqual([...diverging], [41]);
  assert.ok(columns.includes(41));
});

test("a link is broken from its cut to its heal, and whole in a new cluster", () => {
  const link = (verb: string) => ({ kind: "link", verb, from: 0, to: 1 });
  const model = modelOf([
    { kind: "cluster", servers: 3 },
    link("heal"),
    link("cut"),
    link("heal"),
    link("cut"),
    { kind: "cluster", servers: 3 },
  ]);
  const damages = [1, 2, 3, 4, 5].map((event) => model.links.between(0, 1)?.at(event));
  assert.deepEqual(damages, [0, 2, 0, 2, 0]);
});

test("evidence that is not in the file leads to the last event before it", () => {
  const model = modelOf([...ELECTION, { kind: "output", n: 90, text: "x", thread: "y" }]);
  assert.equal(model.eventOf(50, 1), 10);
  assert.equal(model.eventOf(12, 0), 11);
  assert.equal(model.eventOf(90, null), 16);
});

test("a server number that cannot be is no lane", () => {
  const model = modelOf([{ kind: "crashed", server: 1e9 }]);
  assert.equal(model.servers, 3);
  assert.equal(model.who[0], -1);
});

test("an event is one sentence", () => {
  const model = modelOf(ELECTION);
  assert.equal(describe(model, 6), "server 0 calls Vote of server 1");
  assert.equal(describe(model, 9), "server 1: term 1, votes for server 0");
  assert.match(describe(model, 13), /is lost: the network lost the request/);
});
