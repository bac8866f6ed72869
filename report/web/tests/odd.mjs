// Makes odd run files: one with odds, one without events, one without states, one with hostile
// numbers and texts. Usage: odd.mjs RUN_FILE FOLDER
import { readFileSync, writeFileSync } from "node:fs";

const [file, folder] = process.argv.slice(2);
const lines = readFileSync(file, "utf8").trim().split("\n").map((line) => JSON.parse(line));
const [header, ...events] = lines;
const end = events.pop();

function write(name, head, list, failure, odds = undefined) {
  const last = { ...end, events: list.length, failure, odds };
  const text = [head, ...list, last].map((line) => JSON.stringify(line)).join("\n");
  // Numbers that a script cannot read exactly are written as texts above.
  writeFileSync(`${folder}/${name}.run`, `${text.replaceAll(/"huge"/g, "18446744073709551615")}\n`);
}

// As a search for the decisive moment adds them.
write("odds", header, events, end.failure, [
  { t: 0, failed: 1, futures: 10 },
  { t: 900_000, failed: 4, futures: 50 },
  { t: 1_000_000, failed: 48, futures: 50 },
  { t: end.t, failed: 50, futures: 50 },
]);
write("empty", { ...header, servers: 0 }, [], null);
write("blind", header, events.filter((event) => event.kind !== "state"), {
  ...end.failure,
  rule: null,
  look: null,
  evidence: [{ n: "huge", t: "huge", server: 63, what: "</script><b>x" }],
});
const evil = "</script><img src=x onerror=alert(1)>\u2028\u202e".repeat(50);
const state = { role: "leader", term: "huge", commit: "huge", applied: "huge" };
write("hostile", { ...header, test: evil, purpose: evil }, [
  { n: 1, t: 1, kind: "started", server: 0, incarnation: 1 },
  { n: 2, t: 2, kind: "state", server: 0, ...state, log: { from: "huge", terms: ["huge", 1] } },
  { n: 3, t: 3, kind: "state", server: 4_000_000_000, ...state, snapshot: ["huge", "huge"] },
  { n: 4, t: 4, kind: "sent", call: "huge", from: 0, to: 77, method: evil, bytes: 1,
    args: { __proto__x: evil, constructor: { toString: [evil, 1.5, -3, null, "huge"] } } },
  { n: 5, t: 5, kind: "handled", call: 9, copy: 3, bytes: null },
  { n: 6, t: 6, kind: "ended", call: "huge", how: "closed" },
  { n: 7, t: 7, kind: "fault", server: 0, verb: "constructor" },
  { n: 8, t: 8, kind: "link", verb: evil, from: 0, to: 0 },
  { n: 9, t: 9, kind: "waiting", phrase: evil },
  { n: 10, t: 10, kind: "output", server: null, thread: evil, text: evil },
  { n: "huge", t: "huge", kind: "crashed", server: 0 },
], { ...end.failure, sentence: evil, notes: [evil], evidence: [] }, [
  { t: 5, failed: 0, futures: 0 },
  { t: "huge", failed: 4_000_000_000, futures: 1 },
]);
