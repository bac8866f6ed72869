// The moment in the page's address, so that a link to the file leads there.
import type { App } from "./app.ts";

/** Goes where the address says; false if it says nothing. */
export function readHash(app: App): boolean {
  const hash = new URLSearchParams(location.hash.slice(1));
  const axis = hash.get("axis");
  if ((axis === "event" || axis === "time") && axis !== app.axis) app.setAxis(axis);
  const n = Number(hash.get("n") ?? Number.NaN);
  if (!Number.isFinite(n)) return false;
  app.choose(app.model.run.eventOfNumber(n));
  return true;
}

export function writeHash(app: App): void {
  const hash = new URLSearchParams();
  if (app.chosen >= 0) hash.set("n", String(app.model.run.n[app.chosen]));
  if (app.axis !== "time") hash.set("axis", app.axis);
  const text = `#${hash.toString()}`;
  if (text !== location.hash && !(text === "#" && location.hash === "")) {
    history.replaceState(null, "", text);
  }
}
