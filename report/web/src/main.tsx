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

/** Begins where the address says, or at the failure. */
function begin(app: App): void {
  if (readHash(app)) return;
  if (app.evidence.length === 0) return;
  app.choose(Math.max(...app.evidence));
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
  begin(app);
  app.listen((what) => {
    if (what === "all") writeHash(app);
  });
  addEventListener("hashchange", () => readHash(app));
  // For measurements and tests: the page itself does not need it.
  Object.assign(globalThis, { picture, app });
}

start();
