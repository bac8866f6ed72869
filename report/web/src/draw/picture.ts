// The picture: a canvas with the lanes, an axis above them, and the zoom.
import { axisTop } from "d3-axis";
import { scaleLinear } from "d3-scale";
import { select } from "d3-selection";
import { zoom, zoomIdentity, type ZoomTransform } from "d3-zoom";
import type { App } from "../app.ts";
import { describe, milliseconds } from "../model/describe.ts";
import { firstAtOrAfter } from "../model/run.ts";
import { CAUSES, type Arrow } from "../model/calls.ts";
import { ArrowIndex, drawArrows } from "./arrows.ts";
import { Fills, PALETTES } from "./colours.ts";
import { laneTop, shapeOf, type Frame, type Hit } from "./frame.ts";
import { drawLabels, drawLane } from "./lanes.ts";
import { drawOdds } from "./odds.ts";
import { MarkIndex, drawLines, drawMarks, drawTest } from "./marks.ts";

export class Picture {
  readonly #canvas: HTMLCanvasElement;
  readonly #axis: SVGSVGElement;
  readonly #tip: HTMLElement;
  readonly #arrows: ArrowIndex;
  readonly #marks = new MarkIndex();
  readonly #zoom = zoom<HTMLCanvasElement, unknown>();
  #transform: ZoomTransform = zoomIdentity;
  #fills: Fills | undefined;
  #asked = false;
  #hits: Hit[] = [];
  #axisOf = "";
  #shown = -1;
  #printing = false;
  #moving = false;
  #rest: ReturnType<typeof setTimeout> | undefined;
  /** How long each of the last frames took to draw, in milliseconds: for measurements. */
  readonly frames: number[] = [];

  constructor(
    readonly app: App,
    readonly root: HTMLElement,
  ) {
    this.#canvas = root.querySelector("canvas") as HTMLCanvasElement;
    this.#axis = root.querySelector("svg") as SVGSVGElement;
    this.#tip = root.querySelector(".tip") as HTMLElement;
    this.#arrows = new ArrowIndex(app.model.calls.arrows);
    this.#zoom.on("zoom", (event: { transform: ZoomTransform }) => {
      this.#transform = event.transform;
      this.#moving = true;
      clearTimeout(this.#rest);
      this.#rest = setTimeout(() => {
        this.#moving = false;
        this.ask();
      }, 140);
      this.ask();
    });
    select(this.#canvas).call(this.#zoom).on("dblclick.zoom", null);
    this.#canvas.addEventListener("mousemove", (event) => this.#hover(event));
    this.#canvas.addEventListener("mouseleave", () => (this.#tip.hidden = true));
    this.#canvas.addEventListener("click", (event) => this.#click(event));
    new ResizeObserver(() => this.resize()).observe(root);
    app.listen(() => this.#follow());
    matchMedia("print").addEventListener("change", (event) => this.print(event.matches));
    addEventListener("beforeprint", () => this.print(true));
    addEventListener("afterprint", () => this.print(false));
    this.resize();
  }

  get left(): number {
    return this.#width < 600 ? 34 : 84;
  }

  /** Paper has one width and no moment: the whole run is drawn. */
  print(on: boolean): void {
    if (this.#printing === on) return;
    this.#printing = on;
    this.#size();
    this.#draw();
  }

  get #width(): number {
    // On paper all lanes have to fit on one sheet.
    return this.#printing ? Math.max(1000, this.#height * 1.5) : this.root.clientWidth;
  }

  get #lanes(): number[] {
    return [...this.app.servers].sort((a, b) => a - b);
  }

  get #shape() {
    const { links } = this.app.model;
    const lanes = this.#lanes.length;
    const strips = links.anyBroken ? Math.max(0, lanes - 1) : 0;
    return shapeOf(lanes, strips, this.app.odds.length > 0);
  }

  get #height(): number {
    return this.#shape.top + this.#lanes.length * this.#shape.height + 6;
  }

  #size(): void {
    const ratio = Math.min(devicePixelRatio || 1, 2);
    const width = this.#width;
    this.#canvas.width = Math.round(width * ratio);
    this.#canvas.height = Math.round(this.#height * ratio);
    this.#canvas.style.height = this.#printing ? "auto" : `${this.#height}px`;
    this.#axis.setAttribute("viewBox", `0 0 ${width} 24`);
    this.#fills = undefined;
    this.#axisOf = "";
  }

  resize(): void {
    this.#size();
    const room: [[number, number], [number, number]] = [[0, 0], [this.#room, 100]];
    this.#zoom.extent(room).translateExtent(room).scaleExtent([1, this.app.extent * 2000]);
    this.#zoom.transform(select(this.#canvas), this.#transform);
    this.#draw();
  }

  get #room(): number {
    return Math.max(50, this.#width - this.left);
  }

  #scale() {
    const base = scaleLinear([0, this.app.extent * 1.01], [0, this.#room]);
    return this.#printing ? base : this.#transform.rescaleX(base);
  }

  /** Draws with the next frame. */
  ask(): void {
    if (this.#asked) return;
    this.#asked = true;
    requestAnimationFrame(() => this.#draw());
  }

  /** Keeps the moment in sight after it moved. */
  #follow(): void {
    if (this.#shown !== this.app.servers.size) {
      this.#shown = this.app.servers.size;
      this.resize();
    }
    const at = this.#scale()(this.app.moment);
    if (at < 0 || at > this.#room) this.#centre(this.app.moment);
    this.ask();
  }

  #centre(coord: number): void {
    const base = scaleLinear([0, this.app.extent * 1.01], [0, this.#room]);
    this.#zoom.translateTo(select(this.#canvas), base(coord), 0);
  }

  /** Shows a part of the axis. */
  show(from: number, to: number): void {
    const base = scaleLinear([0, this.app.extent * 1.01], [0, this.#room]);
    const scale = this.#room / Math.max(base(to) - base(from), 1e-9);
    const next = zoomIdentity.scale(scale).translate(-base(from), 0);
    this.#zoom.transform(select(this.#canvas), next);
  }

  fit(): void {
    this.#zoom.transform(select(this.#canvas), zoomIdentity);
  }

  zoomBy(factor: number): void {
    const at = Math.min(Math.max(this.#scale()(this.app.moment), 0), this.#room);
    this.#zoom.scaleBy(select(this.#canvas), factor, [at, 0]);
  }

  /** The middle of the first arrow on the screen that is meant: for tests. */
  pointOf(meant: (arrow: Arrow) => boolean): { x: number; y: number } | undefined {
    for (const { arrow, x1, y1, x2, y2 } of this.#hits) {
      if (arrow !== undefined && meant(arrow)) return { x: (x1 + x2) / 2, y: (y1 + y2) / 2 };
    }
    return undefined;
  }

  /** The part of the axis in sight. */
  get sight(): [number, number] {
    const [from, to] = this.#scale().domain();
    return [from, to];
  }

  #frame(context: CanvasRenderingContext2D): Frame {
    const { app } = this;
    const theme = this.#printing ? "light" : app.theme;
    if (this.#fills?.theme !== theme) this.#fills = new Fills(context, theme);
    const scale = this.#scale();
    const [from, to] = scale.domain();
    const { left } = this;
    // The scale itself does more than this, and is asked thousands of times a frame.
    const pixels = this.#room / (to - from);
    return {
      app,
      context,
      fills: this.#fills,
      palette: PALETTES[theme],
      shape: this.#shape,
      width: this.#width,
      height: this.#height,
      left,
      lanes: this.#lanes,
      x: (coord) => left + (coord - from) * pixels,
      first: firstAtOrAfter(app.coords, from),
      last: firstAtOrAfter(app.coords, to + 1e-9),
      moving: this.#moving && !this.#printing,
      printing: this.#printing,
      hits: [],
      labels: [],
    };
  }

  #draw(): void {
    this.#asked = false;
    const context = this.#canvas.getContext("2d");
    if (context === null) return;
    const begin = performance.now();
    const ratio = this.#canvas.width / this.#width;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const frame = this.#frame(context);
    context.fillStyle = frame.palette.paper;
    context.fillRect(0, 0, frame.width, frame.height);
    this.#drawAxis(frame);
    for (const server of frame.lanes) drawLane(frame, server);
    drawArrows(frame, this.#arrows);
    drawLabels(frame);
    for (const server of frame.lanes) drawMarks(frame, server, this.#marks);
    drawTest(frame);
    drawOdds(frame);
    drawLines(frame);
    drawNames(frame);
    this.#hits = frame.hits;
    this.frames.push(performance.now() - begin);
    if (this.frames.length > 600) this.frames.shift();
  }

  #drawAxis(frame: Frame): void {
    const scale = this.#scale();
    const [from, to] = scale.domain();
    const key = `${from} ${to} ${this.#width} ${this.app.axis}`;
    const count = Math.max(2, Math.floor(this.#room / 110));
    frame.context.fillStyle = frame.palette.grid;
    for (const tick of scale.ticks(count)) {
      frame.context.fillRect(Math.round(frame.x(tick)), 24, 1, frame.height);
    }
    if (key === this.#axisOf) return;
    this.#axisOf = key;
    const format = scale.tickFormat(count);
    const axis = axisTop(scale).ticks(count).tickSizeOuter(0).tickFormat((value) => {
      return this.app.axis === "time"
        ? `${format(value).replaceAll(",", " ")} ms`
        : this.#timeOf(Number(value));
    });
    const group = select(this.#axis).select<SVGGElement>("g");
    group.attr("transform", `translate(${this.left},22)`).call(axis);
  }

  /** By event, a tick has the time of its event. */
  #timeOf(coord: number): string {
    const { run } = this.app.model;
    const event = this.app.eventAt(coord);
    return event < 0 ? "" : `${(run.t[event] / 1000).toFixed(1)} ms`;
  }

  #nearest(event: MouseEvent): Hit | undefined {
    const box = this.#canvas.getBoundingClientRect();
    const x = event.clientX - box.left;
    const y = event.clientY - box.top;
    let best: Hit | undefined;
    let least = 6;
    for (const hit of this.#hits) {
      const away = distance(hit, x, y);
      if (away <= least) [best, least] = [hit, away];
    }
    return best ?? this.#stateAt(x, y);
  }

  /** In a lane, away from all marks: the last change of the server there. */
  #stateAt(x: number, y: number): Hit | undefined {
    const coord = this.#scale().invert(x - this.left);
    const { top, height } = this.#shape;
    const lane = Math.floor((y - top) / height);
    const server = this.#lanes[lane];
    if (server === undefined || y < top || x < this.left) return undefined;
    const { app } = this;
    const shown = app.model.tracks[server].at(firstAtOrAfter(app.coords, coord + 1e-9) - 1);
    return shown.event < 0 ? undefined : { x1: x, y1: y, x2: x, y2: y, event: shown.event };
  }

  #hover(event: MouseEvent): void {
    const hit = this.#nearest(event);
    this.#tip.hidden = hit === undefined;
    if (hit === undefined) return;
    const { model } = this.app;
    const time = milliseconds(model.run.t[hit.event]);
    this.#tip.textContent = `${time}  ${describe(model, hit.event)} ${more(hit)}`;
    const box = this.root.getBoundingClientRect();
    const x = Math.min(event.clientX - box.left + 14, box.width - 260);
    this.#tip.style.transform = `translate(${Math.max(0, x)}px, ${event.clientY - box.top + 16}px)`;
  }

  #click(event: MouseEvent): void {
    const hit = this.#nearest(event);
    if (hit !== undefined) this.app.choose(hit.event);
    else this.app.moveTo(this.#scale().invert(event.offsetX - this.left));
  }
}

/** What a tooltip says beyond the event. */
function more({ arrow, count, tip }: Hit): string {
  const lost = arrow?.lost ? `lost: ${CAUSES[arrow.lost] ?? arrow.lost}` : "";
  const many = (count ?? 1) > 1 ? ` (${count} like it here: zoom in)` : "";
  return `${lost}${many}${tip ?? ""}`;
}

function distance(hit: Hit, x: number, y: number): number {
  const dx = hit.x2 - hit.x1;
  const dy = hit.y2 - hit.y1;
  const length = dx * dx + dy * dy;
  const along = length === 0 ? 0 : ((x - hit.x1) * dx + (y - hit.y1) * dy) / length;
  const at = Math.min(1, Math.max(0, along));
  return Math.hypot(x - hit.x1 - at * dx, y - hit.y1 - at * dy);
}

/** The names of the lanes, over what is left of them. */
function drawNames(frame: Frame): void {
  const { app, context, palette, left, height } = frame;
  context.fillStyle = palette.paper;
  context.fillRect(0, 0, left, height);
  context.textBaseline = "middle";
  const wide = left > 60;
  context.font = "11px system-ui, sans-serif";
  context.fillStyle = palette.faint;
  context.fillText("test", 6, 35);
  if (app.odds.length > 0) context.fillText(wide ? "odds to fail" : "odds", 6, frame.shape.odds + 14);
  for (const server of frame.lanes) {
    const top = laneTop(frame, server);
    context.fillStyle = palette.ink;
    context.font = "600 13px system-ui, sans-serif";
    context.fillText(wide ? `server ${server}` : `S${server}`, 6, top + frame.shape.band + 13);
    if (!wide) continue;
    const shown = app.model.tracks[server].at(app.now);
    const words = [
      [`log ${shown.last}`, palette.log],
      [`commit ${shown.commit}`, palette.commit],
      [`applied ${shown.applied}`, palette.applied],
    ];
    context.font = "10px system-ui, sans-serif";
    words.forEach(([text, colour], row) => {
      context.fillStyle = colour;
      context.fillText(text, 6, top + frame.shape.steps - 1 + row * 11);
    });
  }
}
