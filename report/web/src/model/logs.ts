// The logs of all servers side by side.
import type { Model } from "./model.ts";

export interface Row {
  server: number;
  up: boolean;
  snapshot: number;
  last: number;
  commit: number;
  applied: number;
  termAt: (index: number) => number | undefined;
}

/** The logs of all servers right after an event. */
export function rowsAt(model: Model, event: number): Row[] {
  return model.tracks.map((track, server) => {
    const shown = track.at(event);
    const log = track.logAt(event);
    return {
      server,
      up: shown.up,
      snapshot: log.base,
      last: log.base + log.terms.length,
      commit: shown.commit,
      applied: shown.applied,
      termAt: (index) => log.terms[index - log.base - 1],
    };
  });
}

/** Servers with different terms at one index. A log that is shorter differs from nobody. */
function differs(rows: Row[], index: number): boolean {
  const terms = rows.map((row) => row.termAt(index)).filter((term) => term !== undefined);
  return new Set(terms).size > 1;
}

/** Which columns fit: around the first index where logs differ, else the end of the logs. */
export function columnsOf(rows: Row[], room: number) {
  const last = Math.max(0, ...rows.map((row) => row.last));
  const base = Math.min(last, ...rows.map((row) => row.snapshot));
  const diverging = new Set<number>();
  for (let index = Math.max(base + 1, last - 5000); index <= last; index++) {
    if (differs(rows, index)) diverging.add(index);
  }
  const commit = Math.min(...rows.filter((row) => row.up).map((row) => row.commit), last);
  const focus = diverging.size > 0 ? Math.min(...diverging) - 4 : Math.min(commit, last - room) + 1;
  const first = Math.max(1, base, Math.min(focus, last - room + 1));
  const count = Math.max(0, Math.min(room, last - first + 1));
  const columns = Array.from({ length: count }, (_, at) => first + at);
  return { columns, diverging, before: first - 1, after: last - first - count + 1 };
}
