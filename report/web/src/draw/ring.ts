// The cluster as a ring: each server with role, term and log, and the messages between them.
import type { App } from "../app.ts";
import type { Arrow } from "../model/calls.ts";
import { ArrowIndex } from "./arrows.ts";
import { Fills, PALETTES, inkOn, termColour, type Palette } from "./colours.ts";

const HEIGHT = 290;

export class Ring {
  #asked = false;
  #fills: Fills | undefined;
  readonly #arrows: ArrowIndex;

  constructor(
    readonly app: App,
    readonly canvas: HTMLCanvasElement,
  ) {
    this.#arrows = new ArrowIndex(app.model.calls.arrows);
    app.listen(() => this.ask());
    canvas.addEventListener("click", (event) => this.#click(event));
    new ResizeObserver(() => this.ask()).observe(canvas.parentElement as HTMLElement);
    matchMedia("print").addEventListener("change", () => this.ask());
    this.ask();
  }

  ask(): void {
    if (this.#asked) return;
    this.#asked = true;
    requestAnimationFrame(() => this.#draw());
  }

  get #width(): number {
    return this.canvas.parentElement?.clientWidth ?? 300;
  }

  #at(server: number): [number, number] {
    const { servers } = this.app.model;
    const angle = (server / servers) * 2 * Math.PI - Math.PI / 2;
    const radius = Math.min(this.#width / 2 - 60, 100);
    return [this.#width / 2 + radius * Math.cos(angle), HEIGHT / 2 - 8 + radius * Math.sin(angle)];
  }

  get #size(): number {
    return this.app.model.servers > 7 ? 15 : 22;
  }

  #draw(): void {
    this.#asked = false;
    const { app, canvas } = this;
    const context = canvas.getContext("2d");
    if (context === null || app.model.servers === 0) return;
    const ratio = Math.min(devicePixelRatio || 1, 2);
    const width = this.#width;
    if (canvas.width !== Math.round(width * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = HEIGHT * ratio;
      canvas.style.height = `${HEIGHT}px`;
      this.#fills = undefined;
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (this.#fills?.theme !== app.theme) this.#fills = new Fills(context, app.theme);
    const palette = PALETTES[app.theme];
    context.clearRect(0, 0, width, HEIGHT);
    this.#drawLinks(context, palette);
    this.#drawMessages(context, palette);
    for (let server = 0; server < app.model.servers; server++) {
      this.#drawServer(context, palette, this.#fills, server);
    }
  }

  #drawLinks(context: CanvasRenderingContext2D, palette: Palette): void {
    const { app } = this;
    const { links, tracks, servers } = app.model;
    const now = app.now;
    for (let from = 0; from < servers; from++) {
      for (let to = 0; to < servers; to++) {
        if (from === to) continue;
        const [a, b] = [tracks[from].at(now), tracks[to].at(now)];
        if (!a.up || !b.up) continue;
        const damage = links.between(from, to)?.at(now) ?? 0;
        const cut = damage === 2 || !a.connected || !b.connected;
        const [x1, y1, x2, y2] = this.#between(from, to, 3);
        context.strokeStyle = cut ? palette.broken : damage === 1 ? palette.applied : palette.grid;
        context.setLineDash(cut ? [3, 4] : []);
        context.lineWidth = cut ? 1.2 : 1.5;
        context.globalAlpha = cut ? 0.55 : 1;
        stroke(context, x1, y1, x2, y2);
        context.globalAlpha = 1;
        context.setLineDash([]);
      }
    }
  }

  /** The line from one server to another, beside the one that leads back. */
  #between(from: number, to: number, aside: number): [number, number, number, number] {
    const [x1, y1] = this.#at(from);
    const [x2, y2] = this.#at(to);
    const length = Math.hypot(x2 - x1, y2 - y1) || 1;
    const [ux, uy] = [(x2 - x1) / length, (y2 - y1) / length];
    const [sx, sy] = [-uy * aside, ux * aside];
    const gap = this.#size + 3;
    return [x1 + ux * gap + sx, y1 + uy * gap + sy, x2 - ux * gap + sx, y2 - uy * gap + sy];
  }

  #drawMessages(context: CanvasRenderingContext2D, palette: Palette): void {
    const { app } = this;
    const now = app.now;
    const chosen = app.chosen >= 0 ? app.model.callOf(app.chosen) : undefined;
    this.#arrows.within(now, now + 1, (arrow) => {
      if (arrow.from < 0 || arrow.to < 0 || app.visible[arrow.begin] === 0) return;
      const { begin, end } = arrow;
      if (end < 0 && (arrow.call !== chosen || begin !== app.chosen)) return;
      this.#drawMessage(context, palette, arrow, arrow.call === chosen);
    });
  }

  #drawMessage(
    context: CanvasRenderingContext2D,
    palette: Palette,
    arrow: Arrow,
    chosen: boolean,
  ): void {
    const { app } = this;
    const [x1, y1, x2, y2] = this.#between(arrow.from, arrow.to, 3);
    const begin = app.coords[arrow.begin];
    const end = arrow.end < 0 ? begin : app.coords[arrow.end];
    const part = arrow.end < 0 ? 0.5 : end > begin ? (app.moment - begin) / (end - begin) : 1;
    const [x, y] = [x1 + (x2 - x1) * part, y1 + (y2 - y1) * part];
    const colour = chosen ? palette.accent : palette.calls[arrow.style];
    context.strokeStyle = context.fillStyle = colour;
    if (chosen) {
      context.lineWidth = 2;
      stroke(context, x1, y1, x2, y2);
    }
    if (arrow.lost) {
      context.strokeStyle = palette.broken;
      context.lineWidth = 2;
      stroke(context, x - 4, y - 4, x + 4, y + 4);
      stroke(context, x - 4, y + 4, x + 4, y - 4);
      return;
    }
    context.beginPath();
    context.arc(x, y, arrow.style === 2 ? 3 : 5, 0, 7);
    if (arrow.reply) {
      context.lineWidth = 1.6;
      context.stroke();
    } else context.fill();
  }

  #drawServer(
    context: CanvasRenderingContext2D,
    palette: Palette,
    fills: Fills,
    server: number,
  ): void {
    const { app } = this;
    const shown = app.model.tracks[server].at(app.now);
    const [x, y] = this.#at(server);
    const size = this.#size;
    context.beginPath();
    context.arc(x, y, size, 0, 7);
    context.fillStyle = palette.paper;
    context.fill();
    context.fillStyle = shown.up ? fills.role(shown.role, shown.term) : palette.dead;
    context.fill();
    context.strokeStyle = shown.connected ? palette.ink : palette.broken;
    context.lineWidth = shown.role === "leader" ? 3 : 1.2;
    if (!shown.connected) context.setLineDash([3, 3]);
    context.stroke();
    context.setLineDash([]);
    const solid = shown.up && shown.role === "leader";
    context.fillStyle = solid ? inkOn(shown.term, app.theme) : palette.ink;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.font = "700 14px system-ui, sans-serif";
    context.fillText(shown.up ? `S${server}` : "✕", x, y - 5);
    context.font = "10px system-ui, sans-serif";
    context.fillText(shown.up ? `t${shown.term}` : `S${server}`, x, y + 9);
    context.textAlign = "left";
    this.#drawLog(context, palette, server, x, y + size + 5);
  }

  /** The end of a log as cells below its server. */
  #drawLog(
    context: CanvasRenderingContext2D,
    palette: Palette,
    server: number,
    x: number,
    y: number,
  ): void {
    const { app } = this;
    const shown = app.model.tracks[server].at(app.now);
    const log = app.model.tracks[server].logAt(app.now);
    const terms = log.terms.slice(-8);
    const cell = 9;
    const left = x - (terms.length * cell) / 2;
    terms.forEach((term, at) => {
      const index = log.base + log.terms.length - terms.length + at + 1;
      context.globalAlpha = index <= shown.commit ? 1 : 0.4;
      context.fillStyle = termColour(term, app.theme);
      context.fillRect(left + at * cell, y, cell - 1, 8);
      context.globalAlpha = 1;
      context.fillStyle = palette.commit;
      if (index <= shown.commit) context.fillRect(left + at * cell, y + 9, cell - 1, 2);
    });
  }

  #click(event: MouseEvent): void {
    const { app } = this;
    for (let server = 0; server < app.model.servers; server++) {
      const [x, y] = this.#at(server);
      if (Math.hypot(event.offsetX - x, event.offsetY - y) > this.#size) continue;
      const { event: last } = app.model.tracks[server].at(app.now);
      if (last >= 0) app.choose(last);
    }
  }
}

function stroke(
  context: CanvasRenderingContext2D,
  x1: number,
  y1: number,
  x2: number,
  y2: number,
): void {
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}
