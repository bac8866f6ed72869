// Small marks in the lanes: commands, saves, crashes, restarts, faults, output; the row of the
// test; and what cuts through all lanes.
import { type Group } from "../model/model.ts";
import type { App } from "../app.ts";
import { BAND, TOP, laneTop, sparse, type Frame } from "./frame.ts";

const GAP = 4;

/** Kinds of events that have a mark, and how each is drawn at a point. */
type Brush = (frame: Frame, x: number, y: number, event: number) => void;

const BRUSHES: { [kind: string]: Brush } = {
  saved: (frame, x, y) => {
    frame.context.fillStyle = frame.palette.faint;
    frame.context.fillRect(x - 1.5, y + 9, 3, 4);
  },
  offered: (frame, x, y) => triangle(frame, x, y, frame.palette.faint, false),
  accepted: (frame, x, y) => triangle(frame, x, y, frame.palette.commit, true),
  refused: (frame, x, y) => {
    frame.context.fillStyle = frame.palette.faint;
    frame.context.fillRect(x - 2, y + 5, 4, 1.5);
  },
  applied: (frame, x, y) => dot(frame, x, y + 11, 2.2, frame.palette.applied),
  applied_snapshot: (frame, x, y) => {
    frame.context.fillStyle = frame.palette.applied;
    frame.context.fillRect(x - 4, y + 7, 8, 6);
  },
  started: (frame, x, y, event) => {
    const incarnation = frame.app.model.run.number(event, "incarnation");
    flag(frame, x, y, frame.palette.commit, incarnation > 1 ? `↻${incarnation}` : "▸");
  },
  crashed: (frame, x, y) => flag(frame, x, y, frame.palette.broken, "✕"),
  output: (frame, x, y) => flag(frame, x, y, frame.palette.accent, "»"),
  fault: (frame, x, y, event) => {
    const verb = frame.app.model.run.text(event, "verb");
    const signs: { [verb: string]: string } = {
      disconnect: "⊘", connect: "⊙", pause: "‖", resume: "▷", deafen: "⊖", hear: "⊕",
      rush_clock: "◷", crash_at_save: "✸", crash_before_save: "✸",
    };
    if (signs[verb]) flag(frame, x, y, frame.palette.broken, signs[verb]);
  },
};

function triangle({ context }: Frame, x: number, y: number, colour: string, full: boolean): void {
  context.beginPath();
  context.moveTo(x - 3.5, y + 2);
  context.lineTo(x + 3.5, y + 2);
  context.lineTo(x, y + 8);
  context.closePath();
  context.fillStyle = context.strokeStyle = colour;
  context.lineWidth = 1;
  if (full) context.fill();
  else context.stroke();
}

function dot({ context }: Frame, x: number, y: number, size: number, colour: string): void {
  context.fillStyle = colour;
  context.beginPath();
  context.arc(x, y, size, 0, 7);
  context.fill();
}

function flag({ context }: Frame, x: number, y: number, colour: string, sign: string): void {
  context.fillStyle = colour;
  context.font = "700 11px system-ui, sans-serif";
  context.textBaseline = "middle";
  context.textAlign = "center";
  context.fillText(sign, x, y + 7);
  context.textAlign = "left";
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
    for (const event of sparse(frame, index.of(app, server, kind), GAP)) {
      const x = frame.x(app.coords[event]);
      brush(frame, x, top, event);
      frame.hits.push({ x1: x, y1: top + 3, x2: x, y2: top + 13, event });
    }
  }
  context.restore();
}

/** What the test was waiting for. */
export function drawTest(frame: Frame): void {
  const { app, context, palette, left, width, x } = frame;
  const { waiting, run } = app.model;
  context.save();
  context.beginPath();
  context.rect(left, 0, width - left, TOP);
  context.clip();
  context.font = "11px system-ui, sans-serif";
  context.textBaseline = "middle";
  if (app.groups.has("test" satisfies Group)) {
    let edge = -Infinity;
    for (const event of sparse(frame, waiting, 3)) {
      const at = x(app.coords[event]);
      const next = waiting.find((other) => other > event);
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
    context.fillRect(x(app.coords[event]), TOP - 8, 1.5, 6);
  }
  app.evidence.forEach((event, line) => ring(frame, event, String(line + 1)));
  if (app.evidence.length > 0) {
    const at = x(app.coords[Math.max(...app.evidence)]);
    context.fillStyle = palette.broken;
    context.fillRect(at - 1, TOP - 8, 2, height - TOP + 8);
  }
  const at = x(app.moment);
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
  context.restore();
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
  context.arc(at - 12, y - 13, 8, 0, 7);
  context.fill();
  context.fillStyle = palette.theme === "light" ? "#ffffff" : "#14171c";
  context.font = "700 11px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(text, at - 12, y - 12.5);
  context.textAlign = "left";
  frame.hits.push({ x1: at, y1: y - 12, x2: at, y2: y + 12, event, tip: `evidence ${text}` });
}
