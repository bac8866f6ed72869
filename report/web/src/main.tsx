// The page: reads the run that is embedded in it, and shows it.
import "./style.css";
import { render } from "preact";
import { App, type Theme } from "./app.ts";
import { Picture } from "./draw/picture.ts";
import { readHash, writeHash } from "./hash.ts";
import { listenToKeys } from "./keys.ts";
import { Model } from "./model/model.ts";
import { type Embedded, Run } from "./model/run.ts";
import { Header } from "./panel/header.tsx";
import { Help } from "./panel/help.tsx";
import { useApp } from "./panel/hooks.ts";
import { Side } from "./panel/side.tsx";
import { Slider, Tools } from "./panel/tools.tsx";
import { startPlaying } from "./play.ts";
import { Ring } from "./draw/ring.ts";

function Top({ app }: { app: App }) {
  useApp(app);
  return <Header app={app} />;
}

function Page({ app, picture }: { app: App; picture: () => Picture }) {
  return (
    <>
      <Top app={app} />
      <main>
        <div class="stage">
          <Tools app={app} picture={picture} />
          <div id="picture">
            <svg class="axis" height="24" aria-hidden="true">
              <g />
            </svg>
            <canvas tabIndex={0} aria-label="lanes of the servers over time" />
            <div class="tip" hidden />
          </div>
          <Slider app={app} />
        </div>
        <aside>
          <canvas id="ring" aria-label="the cluster at this moment" />
          <Side app={app} />
        </aside>
      </main>
      <Help app={app} />
    </>
  );
}

/** Evidence that is close together is shown with at least this many events around it. */
const AROUND = 160;

/** Begins where the address says, or at the failure, or with the first leader. */
function begin(app: App, picture: Picture): void {
  const { model } = app;
  if (readHash(app)) return;
  if (model.failure === null) {
    const leads = app.order.find((event) => model.run.text(event, "role") === "leader");
    if (leads !== undefined) app.moveTo(app.coords[leads]);
    return;
  }
  // Much can happen in an instant: by event, each has room.
  app.setAxis("event");
  const events = app.evidence.length > 0 ? app.evidence : [app.failureEvent];
  const places = events.map((event) => app.coords[event]);
  const [from, to] = [Math.min(...places), Math.max(...places)];
  const more = Math.max((to - from) * 0.25, (AROUND - (to - from)) / 2);
  picture.show(Math.max(0, from - more), Math.min(app.extent, to + more));
  app.choose(app.failureEvent);
}

function start(): void {
  const text = document.getElementById("run")?.textContent ?? "null";
  const embedded = JSON.parse(text) as Embedded;
  const app = new App(new Model(new Run(embedded)));
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const setTheme = (theme: Theme) => {
    app.theme = theme;
    document.documentElement.dataset["theme"] = theme;
    app.changed();
  };
  setTheme(dark.matches ? "dark" : "light");
  dark.addEventListener("change", () => setTheme(dark.matches ? "dark" : "light"));
  let picture: Picture | undefined;
  const root = document.getElementById("page") as HTMLElement;
  render(<Page app={app} picture={() => picture as Picture} />, root);
  picture = new Picture(app, document.getElementById("picture") as HTMLElement);
  new Ring(app, document.getElementById("ring") as HTMLCanvasElement);
  listenToKeys(app, picture);
  startPlaying(app, picture);
  begin(app, picture);
  app.listen((what) => {
    if (what === "all") writeHash(app);
  });
  addEventListener("hashchange", () => readHash(app));
  // For measurements and tests: the page itself does not need it.
  Object.assign(globalThis, { picture, app });
}

start();
