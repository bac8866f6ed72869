// The tools above the lanes, and the slider below them.
import { useRef } from "preact/hooks";
import type { App } from "../app.ts";
import type { Picture } from "../draw/picture.ts";
import { GROUPS } from "../model/model.ts";
import { milliseconds } from "../model/describe.ts";
import { useApp } from "./hooks.ts";

interface Parts {
  app: App;
  picture: () => Picture;
}

export function Tools({ app, picture }: Parts) {
  useApp(app);
  return (
    <div class="tools">
      <span class="group" role="group" aria-label="axis">
        {(["time", "event"] as const).map((axis) => (
          <button
            type="button"
            class={app.axis === axis ? "on" : ""}
            onClick={() => {
              app.setAxis(axis);
              picture().fit();
            }}
          >
            by {axis}
          </button>
        ))}
      </span>
      <span class="group">
        <button type="button" title="fit (f)" onClick={() => picture().fit()}>
          fit
        </button>
        <button type="button" title="zoom out (-)" onClick={() => picture().zoomBy(0.5)}>
          −
        </button>
        <button type="button" title="zoom in (+)" onClick={() => picture().zoomBy(2)}>
          +
        </button>
      </span>
      <Search app={app} />
      <Filters app={app} />
      <button type="button" title="light or dark" onClick={() => toggleTheme(app)}>
        {app.theme === "light" ? "☾ dark" : "☀ light"}
      </button>
      <button type="button" title="keys and signs (?)" onClick={() => showHelp(app, true)}>
        ?
      </button>
      {app.pastOf >= 0 && (
        <button type="button" class="on" onClick={() => app.setPast(-1)}>
          only what led to event {app.model.run.n[app.pastOf]} ✕
        </button>
      )}
    </div>
  );
}

export function showHelp(app: App, on: boolean): void {
  app.help = on;
  app.changed();
}

export function toggleTheme(app: App): void {
  app.theme = app.theme === "light" ? "dark" : "light";
  document.documentElement.dataset["theme"] = app.theme;
  app.changed();
}

function Search({ app }: { app: App }) {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  return (
    <span class="group">
      <input
        id="search"
        type="search"
        placeholder="term=3 vote_granted=true"
        aria-label="search by words and fields"
        onInput={(event) => {
          const query = event.currentTarget.value;
          clearTimeout(timer.current);
          timer.current = setTimeout(() => app.find(query), 200);
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter") app.nextFound(event.shiftKey ? -1 : 1);
          if (event.key === "Escape") event.currentTarget.blur();
        }}
      />
      {app.query !== "" && <output class="found">{app.found.length} found</output>}
    </span>
  );
}

function Filters({ app }: { app: App }) {
  const present = new Set(app.model.group);
  return (
    <details class="filters">
      <summary>show</summary>
      <div class="choices">
        {GROUPS.map((group, place) =>
          present.has(place) ? (
            <label>
              <input
                type="checkbox"
                checked={app.groups.has(group.id)}
                onChange={() => app.toggleGroup(group.id)}
              />
              {group.name}
            </label>
          ) : null,
        )}
        <hr />
        {app.model.tracks.map((_, server) => (
          <label>
            <input
              type="checkbox"
              checked={app.servers.has(server)}
              onChange={() => app.toggleServer(server)}
            />
            server {server}
          </label>
        ))}
      </div>
    </details>
  );
}

const FINE = 10_000;
const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 4];

export function Slider({ app }: { app: App }) {
  useApp(app);
  const { run } = app.model;
  const play = () => {
    app.playing = !app.playing;
    app.changed();
  };
  return (
    <div class="slider">
      <button type="button" title="play (space)" onClick={play}>
        {app.playing ? "❚❚" : "▶"}
      </button>
      <select
        aria-label="speed"
        value={app.speed}
        onChange={(event) => (app.speed = Number(event.currentTarget.value))}
      >
        {SPEEDS.map((speed) => (
          <option value={speed} selected={speed === app.speed}>
            {speed}×
          </option>
        ))}
      </select>
      <input
        type="range"
        aria-label="moment"
        min={0}
        max={FINE}
        value={(app.moment / app.extent) * FINE}
        onInput={(event) => {
          app.moveTo((Number(event.currentTarget.value) / FINE) * app.extent);
        }}
      />
      <output class="time">{milliseconds(run.count > 0 ? run.t[app.now] : 0)}</output>
    </div>
  );
}
