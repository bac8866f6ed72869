// Small marks in the lanes: commands, saves, crashes, restarts, faults, output; the row of the
// test; and what cuts through all lanes.
import { type Group } from "../model/model.ts";
import type { App } from "../app.ts";
import { firstAtOrAfter } from "../model/run.ts";
import type { Palette } from "./colours.ts";
import { BAND, laneTop, sparse, type Frame } from "./frame.ts";

/** Marks of one kind: at most one in this many pixels. Shapes are filled together. */
interface Brush {
  gap: number;
  colour: (palette: Palette) => string;
  shape?: (context: CanvasRenderingContext2D, x: number, y: number) => void;
  hollow?: boolean;
  sign?: (app: App, event: number) => string;
}

/** With more events than this in sight, fewer marks are drawn while the picture moves. */
const MANY = 2000;

const SIGNS: { [verb: string]: string } = {
  disconnect: "⊘",
  connect: "⊙",
  pause: "‖",
  resume: "▷",
  deafen: "⊖",
  hear: "⊕",
  rush_clock: "◷",
  crash_at_save: "✸",
  crash_before_save: "✸",
};

const BRUSHES: { [kind: string]: Brush } = {
  saved: {
    gap: 4,
    colour: (palette) => palette.faint,
    shape: (context, x, y) => context.rect(x - 1.5, y + 9, 3, 4),
  },
  refused: {
    gap: 4,
    colour: (palette) => palette.faint,
    shape: (context, x, y) => context.rect(x - 2, y + 5, 4, 1.5),
  },
  offered: { gap: 6, colour: (palette) => palette.faint, shape: triangle, hollow: true },
  accepted: { gap: 5, colour: (palette) => palette.commit, shape: triangle },
  applied: {
    gap: 4,
    colour: (palette) => palette.applied,
    shape: (context, x, y) => context.roundRect(x - 2, y + 9, 4, 4, 2),
  },
  applied_snapshot: {
    gap: 6,
    colour: (palette) => palette.applied,
    shape: (context, x, y) => context.rect(x - 4, y + 7, 8, 6),
  },
  fault: {
    gap: 9,
    colour: (palette) => palette.broken,
    sign: (app, event) => {
      const verb = app.model.run.text(event, "verb");
      return Object.hasOwn(SIGNS, verb) ? SIGNS[verb] : "";
    },
  },
  output: { gap: 8, colour: (palette) => palette.accent, sign: () => "»" },
  crashed: { gap: 9, colour: (palette) => palette.broken, sign: () => "✕" },
  started: {
    gap: 12,
    colour: (palette) => palette.commit,
    sign: (app, event) => {
      const incarnation = app.model.run.number(event, "incarnation");
      return incarnation > 1 ? `↻${incarnation}` : "▸";
    },
  },
};

function triangle(context: CanvasRenderingContext2D, x: number, y: number): void {
  context.moveTo(x - 3.5, y + 2);
  context.lineTo(x + 3.5, y + 2);
  context.lineTo(x, y + 8);
  context.closePath();
}

/** The shown events of each server that have a mark, by kind. Made anew when filters change. */
export class MarkIndex {
  readonly #lists = new Map<string, number[]>();
  #of: Uint8Array | undefined;
  #filtered: Int32Array | undefined;

  of(app: App, server: number, kind: string): number[] {
    if (this.#of !== app.visible || this.#filtered !== app.order) this.#make(app);
    return this.#lists.get(`${server} ${kind}`) ?? [];
  }

  #make(app: App): void {
    this.#of = app.visible;
    this.#filtered = app.order;
    this.#lists.clear();
    for (const event of app.order) {
      const kind = app.model.run.kind(event);
      if (BRUSHES[kind] === undefined) continue;
      const key = `${app.model.who[event]} ${kind}`;
      const list = this.#lists.get(key);
      if (list === undefined) this.#lists.set(key, [event]);
      else list.push(event);
    }
  }
}

export function drawMarks(frame: Frame, server: number, index: MarkIndex): void {
  const top = laneTop(frame, server);
  const { app, context, left, width } = frame;
  context.save();
  context.beginPath();
  context.rect(left, top, width - left, frame.shape.height);
  context.clip();
  for (const [kind, brush] of Object.entries(BRUSHES)) {
    drawKind(frame, index.of(app, server, kind), brush, top);
  }
  context.restore();
}

function drawKind(frame: Frame, list: number[], brush: Brush, top: number): void {
  const { app, context } = frame;
  context.fillStyle = context.strokeStyle = brush.colour(frame.palette);
  context.lineWidth = 1;
  context.font = "700 11px system-ui, sans-serif";
  context.textBaseline = "middle";
  context.textAlign = "center";
  context.beginPath();
  const crowded = frame.moving && frame.last - frame.first > MANY;
  const gap = brush.gap * (crowded ? 4 : 1);
  for (const event of sparse(frame, list, gap)) {
    const x = frame.x(app.coords[event]);
    brush.shape?.(context, x, top);
    if (brush.sign !== undefined) context.fillText(brush.sign(app, event), x, top + 7);
    frame.hits.push({ x1: x, y1: top + 3, x2: x, y2: top + 13, event });
  }
  if (brush.hollow) context.stroke();
  else context.fill();
  context.textAlign = "left";
}

/** What the test was waiting for. */
export function drawTest(frame: Frame): void {
  const { app, context, palette, left, width, x } = frame;
  const { waiting, run } = app.model;
  context.save();
  context.beginPath();
  context.rect(left, 0, width - left, frame.shape.odds);
  context.clip();
  context.font = "11px system-ui, sans-serif";
  context.textBaseline = "middle";
  if (app.groups.has("test" satisfies Group)) {
    let edge = -Infinity;
    for (const event of sparse(frame, waiting, 3)) {
      const at = x(app.coords[event]);
      const next = waiting[firstAtOrAfter(waiting, event + 1)];
      const end = next === undefined ? x(app.extent) : x(app.coords[next]);
      context.fillStyle = palette.accent;
      context.fillRect(at, 28, 1, 14);
      frame.hits.push({ x1: at, y1: 28, x2: Math.max(at, Math.min(end, width)), y2: 42, event });
      const room = Math.min(end, width) - Math.max(at, left) - 6;
      if (room < 30 || at < edge) continue;
      edge = at + 30;
      const text = fit(context, `waits for ${run.text(event, "phrase")}`, room);
      context.fillStyle = palette.faint;
      context.fillText(text, Math.max(at, left) + 4, 35);
    }
  }
  context.restore();
}

function fit(context: CanvasRenderingContext2D, text: string, room: number): string {
  if (text.length > 200) text = text.slice(0, 200);
  if (context.measureText(text).width <= room) return text;
  while (text.length > 1 && context.measureText(`${text}…`).width > room) {
    text = text.slice(0, Math.floor(text.length * 0.85));
  }
  return text.length > 3 ? `${text}…` : "";
}

/** The violation, the evidence, what was found, and the moment. */
export function drawLines(frame: Frame): void {
  const { app, context, palette, height, left, width, x } = frame;
  context.save();
  context.beginPath();
  context.rect(left, 0, width - left, height);
  context.clip();
  context.fillStyle = palette.accent;
  for (const event of sparse(frame, app.found, 2)) {
    context.fillRect(x(app.coords[event]), frame.shape.odds - 8, 1.5, 6);
  }
  app.evidence.forEach((event, line) => ring(frame, event, String(line + 1)));
  if (app.failureAt >= 0) {
    const at = x(app.failureAt);
    context.fillStyle = palette.broken;
    context.fillRect(at - 1, frame.shape.odds - 8, 2, height - frame.shape.odds + 8);
  }
  if (!frame.printing) drawMoment(frame);
  context.restore();
}

function drawMoment(frame: Frame): void {
  const { app, context, palette, height } = frame;
  const at = frame.x(app.moment);
  context.fillStyle = palette.accent;
  context.globalAlpha = 0.9;
  context.fillRect(at - 0.75, 22, 1.5, height - 22);
  context.globalAlpha = 1;
  if (app.chosen >= 0) {
    const top = laneTop(frame, app.model.who[app.chosen]);
    context.strokeStyle = palette.accent;
    context.lineWidth = 2.5;
    if (top >= 0) context.strokeRect(at - 4, top + frame.shape.band - 2, 8, BAND + 4);
  }
}

function ring(frame: Frame, event: number, text: string): void {
  const { app, context, palette, x } = frame;
  const top = laneTop(frame, app.model.who[event]);
  if (top < 0) return;
  const at = x(app.coords[event]);
  const y = top + frame.shape.band + BAND / 2;
  context.strokeStyle = palette.broken;
  context.lineWidth = 2.5;
  context.beginPath();
  context.arc(at, y, 15, 0, 7);
  context.stroke();
  context.fillStyle = palette.broken;
  context.beginPath();
  context.arc(at - 12, y + 13, 8, 0, 7);
  context.fill();
  context.fillStyle = palette.theme === "light" ? "#ffffff" : "#14171c";
  context.font = "700 11px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(text, at - 12, y + 13.5);
  context.textAlign = "left";
  frame.hits.push({ x1: at, y1: y - 12, x2: at, y2: y + 12, event, tip: `evidence ${text}` });
}
