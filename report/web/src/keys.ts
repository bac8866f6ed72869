// What the keys do.
import type { App } from "./app.ts";
import type { Picture } from "./draw/picture.ts";
import { showHelp } from "./panel/tools.tsx";

export function listenToKeys(app: App, picture: Picture): void {
  const actions: { [key: string]: () => void } = {
    n: () => app.step(app.steps, 1),
    ArrowRight: () => app.step(app.steps, 1),
    p: () => app.step(app.steps, -1),
    ArrowLeft: () => app.step(app.steps, -1),
    Home: () => app.choose(app.order[0] ?? -1),
    End: () => app.choose(app.order.at(-1) ?? -1),
    e: () => app.nextEvidence(),
    "+": () => picture.zoomBy(2),
    "=": () => picture.zoomBy(2),
    "-": () => picture.zoomBy(0.5),
    f: () => picture.fit(),
    a: () => {
      app.setAxis(app.axis === "time" ? "event" : "time");
      picture.fit();
    },
    w: () => app.setPast(app.pastOf >= 0 ? -1 : app.chosen),
    "/": () => document.getElementById("search")?.focus(),
    "?": () => showHelp(app, !app.help),
    " ": () => {
      app.playing = !app.playing;
      app.changed();
    },
    Escape: () => {
      app.help = false;
      app.chosen = -1;
      app.changed();
    },
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { target } = event;
    const typing = target instanceof HTMLInputElement && target.type === "search";
    // These have keys of their own.
    const moving = target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
    if (typing || (moving && event.key.startsWith("Arrow"))) return;
    const onButton = target instanceof HTMLElement && target.closest("button, summary") !== null;
    if (event.key === " " && (onButton || moving)) return;
    const action = Object.hasOwn(actions, event.key) ? actions[event.key] : undefined;
    if (action === undefined) return;
    event.preventDefault();
    action();
  });
}
