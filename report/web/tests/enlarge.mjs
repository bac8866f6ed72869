// Makes a run file with many events of a small one: its events over and over, each time with a
// new cluster. Usage: enlarge.mjs RUN_FILE EVENTS NEW_FILE
import { readFileSync, writeFileSync } from "node:fs";

const [file, wanted, target] = process.argv.slice(2);
const lines = readFileSync(file, "utf8").trim().split("\n").map((line) => JSON.parse(line));
const [header, ...events] = lines;
const end = events.pop();
const out = [];
for (let round = 0; out.length < Number(wanted); round++) {
  const [n, t] = [round * (events.at(-1).n + 1), round * end.t];
  for (const event of events.slice(0, Number(wanted) - out.length)) {
    out.push({ ...event, n: event.n + n, t: event.t + t });
  }
}
const last = { ...end, events: out.length, t: out.at(-1).t, failure: null };
const text = [header, ...out, last].map((line) => JSON.stringify(line)).join("\n");
writeFileSync(target, `${text}\n`);
