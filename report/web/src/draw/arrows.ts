// Calls as arrows between lanes. Where they are dense, equal ones become one with a number.
import {
  ENTRIES,
  HEARTBEAT,
  OTHER,
  SNAPSHOT,
  VOTE,
  type Arrow,
  type Call,
  type Style,
} from "../model/calls.ts";
import { BAND, laneTop, type Frame } from "./frame.ts";

/** Arrows in a block: the latest end of a block tells whether any of it can be seen. */
const BLOCK = 128;
/** With more arrows than this in sight, equal ones within a few pixels are drawn once. */
const DENSE = { still: 900, moving: 350 };
const CELL = { still: 8, moving: 18 };
const MOST_LINES = { still: 3000, moving: 700 };

/** All arrows of the run, ready to find those in sight. */
export class ArrowIndex {
  readonly #ends: number[] = [];

  constructor(readonly arrows: readonly Arrow[]) {
    for (let at = 0; at < arrows.length; at += BLOCK) {
      let end = 0;
      for (const arrow of arrows.slice(at, at + BLOCK)) end = Math.max(end, arrow.begin, arrow.end);
      this.#ends.push(end);
    }
  }

  /** Calls `each` with every arrow that begins before `last` and ends at `first` or later. */
  within(first: number, last: number, each: (arrow: Arrow) => void): void {
    for (let block = 0; block < this.#ends.length; block++) {
      const start = block * BLOCK;
      if (this.arrows[start].begin >= last) return;
      if (this.#ends[block] < first) continue;
      const stop = Math.min(start + BLOCK, this.arrows.length);
      for (let at = start; at < stop; at++) {
        const arrow = this.arrows[at];
        if (arrow.begin >= last) return;
        if (Math.max(arrow.begin, arrow.end) >= first) each(arrow);
      }
    }
  }
}

interface Seen {
  arrow: Arrow;
  count: number;
  cell: number;
}

/** Lines that look the same: a canvas draws them faster together. */
interface Batch {
  lines: number[];
  heads: number[];
}

/** A path of more lines than this costs more than two paths. */
const MOST = 300;

export function drawArrows(frame: Frame, index: ArrowIndex): void {
  const { app, context, left, width, height } = frame;
  const { seen, dense } = collect(frame, index);
  context.save();
  context.beginPath();
  context.rect(left, 0, width - left, height);
  context.clip();
  const batches = new Map<number, Batch>();
  const crosses: number[] = [];
  const answers: Answer[] = [];
  const chosen = app.chosen >= 0 ? app.model.callOf(app.chosen) : undefined;
  for (const { arrow, count } of seen) {
    if (arrow.call !== chosen) add(frame, arrow, count, batches, crosses, dense ? [] : answers);
  }
  // Thin ones first, so that those with news are on top.
  for (const style of [HEARTBEAT, VOTE, OTHER, ENTRIES, SNAPSHOT]) {
    for (const reply of [1, 0]) {
      const batch = batches.get(style * 2 + reply);
      if (batch !== undefined) paint(frame, batch, style, reply === 1, dense, false);
    }
  }
  if (chosen !== undefined) drawChosen(frame, index, chosen, crosses, answers);
  drawCrosses(frame, crosses);
  for (const answer of answers) drawAnswer(frame, answer);
  if (dense && !frame.moving) drawCounts(frame, seen);
  context.restore();
}

function drawChosen(
  frame: Frame,
  index: ArrowIndex,
  chosen: Call,
  crosses: number[],
  answers: Answer[],
): void {
  const batches = new Map<number, Batch>();
  index.within(frame.first, frame.last, (arrow) => {
    if (arrow.call === chosen) add(frame, arrow, 1, batches, crosses, answers);
  });
  for (const [key, batch] of batches) {
    paint(frame, batch, (key >> 1) as Style, (key & 1) === 1, false, true);
  }
}

function isShown({ app }: Frame, arrow: Arrow): boolean {
  if (app.visible[arrow.begin] === 0) return false;
  return arrow.end < 0 || app.visible[arrow.end] === 1 || app.pastOf < 0;
}

function collect(frame: Frame, index: ArrowIndex): { seen: Seen[]; dense: boolean } {
  const { app, x } = frame;
  const pace = frame.moving ? "moving" : "still";
  const all: Arrow[] = [];
  index.within(frame.first, frame.last, (arrow) => {
    if (isShown(frame, arrow)) all.push(arrow);
  });
  if (all.length <= DENSE[pace]) {
    return { seen: all.map((arrow) => ({ arrow, count: 1, cell: 0 })), dense: false };
  }
  const cells = new Map<number, Seen>();
  for (const arrow of all) {
    // That a heartbeat was answered is no news.
    if (arrow.reply && (frame.moving || arrow.style === HEARTBEAT)) continue;
    // Counted from the beginning of the run, so that cells move with the picture.
    const cell = Math.floor((x(app.coords[arrow.begin]) - x(0)) / CELL[pace]);
    const look = (arrow.style * 2 + (arrow.lost ? 1 : 0)) * 2 + (arrow.reply ? 1 : 0);
    const key = ((cell * 66 + arrow.from + 1) * 66 + arrow.to + 1) * 20 + look;
    const known = cells.get(key);
    if (known === undefined) cells.set(key, { arrow, count: 1, cell });
    else known.count++;
  }
  // Where even these are a wall of lines, whole cells are left out.
  const thin = Math.ceil(cells.size / MOST_LINES[pace]);
  return { seen: [...cells.values()].filter(({ cell }) => cell % thin === 0), dense: true };
}

/** Where an arrow begins and ends on the screen. */
export function ends(frame: Frame, arrow: Arrow): [number, number, number, number] | undefined {
  const { app, x, shape } = frame;
  const source = laneTop(frame, arrow.from);
  const target = laneTop(frame, arrow.to);
  if (source < 0 && target < 0) return undefined;
  // A caller that is no server calls from above, and one that goes nowhere ends a bit below.
  const from = source < 0 ? 30 : source + shape.band;
  const to = target < 0 ? from + BAND + 14 : target + shape.band;
  const down = to > from;
  const y1 = down ? from + BAND : from;
  const y2 = down ? to : to + BAND;
  const x1 = x(app.coords[arrow.begin]);
  if (arrow.end >= 0) return [x1, y1, x(app.coords[arrow.end]), y2];
  return [x1, y1, x1 + 9, y1 + (y2 - y1) * 0.42];
}

const WIDTHS = [1.2, 1.4, 0.5, 2.2, 1.2];

function add(
  frame: Frame,
  arrow: Arrow,
  count: number,
  batches: Map<number, Batch>,
  crosses: number[],
  answers: Answer[],
): void {
  const place = ends(frame, arrow);
  if (place === undefined) return;
  const [x1, y1, x2, y2] = place;
  const key = arrow.style * 2 + (arrow.reply ? 1 : 0);
  let batch = batches.get(key);
  if (batch === undefined) batches.set(key, (batch = { lines: [], heads: [] }));
  batch.lines.push(x1, y1, x2, y2);
  if (arrow.style === SNAPSHOT) batch.lines.push(x1 + 3, y1, x2 + 3, y2);
  if (arrow.end >= 0 && arrow.style !== HEARTBEAT) batch.heads.push(x1, y1, x2, y2);
  if (arrow.end < 0 && arrow.lost) crosses.push(x2, y2);
  const event = arrow.reply && arrow.end >= 0 ? arrow.end : arrow.begin;
  frame.hits.push({ x1, y1, x2, y2, event, arrow, count });
  const granted = arrow.reply && arrow.end >= 0 ? arrow.call.granted : undefined;
  if (granted !== undefined && (arrow.style !== HEARTBEAT || !granted)) {
    answers.push({ x: x2, y: y2, granted });
  }
}

function paint(
  { context, palette, moving }: Frame,
  batch: Batch,
  style: Style,
  reply: boolean,
  dense: boolean,
  chosen: boolean,
): void {
  context.strokeStyle = context.fillStyle = chosen ? palette.accent : palette.calls[style];
  context.globalAlpha = chosen ? 1 : reply ? 0.5 : 0.85;
  const thinner = reply && style === ENTRIES ? 1 : 0;
  context.lineWidth = WIDTHS[style] + (chosen ? 1.6 : 0) - thinner - (dense ? 0.2 : 0);
  if (!dense) context.setLineDash(style === VOTE ? [5, 3] : reply ? [1, 2] : []);
  const { lines, heads } = batch;
  for (let start = 0; start < lines.length; start += MOST * 4) {
    context.beginPath();
    for (let at = start; at < Math.min(start + MOST * 4, lines.length); at += 4) {
      context.moveTo(lines[at], lines[at + 1]);
      context.lineTo(lines[at + 2], lines[at + 3]);
    }
    context.stroke();
  }
  context.setLineDash([]);
  if (dense && moving) heads.length = 0;
  context.beginPath();
  for (let at = 0; at < heads.length; at += 4) {
    head(context, heads[at], heads[at + 1], heads[at + 2], heads[at + 3], dense ? 5 : 7);
  }
  context.fill();
  context.globalAlpha = 1;
}

function head(
  context: CanvasRenderingContext2D,
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  size: number,
): void {
  const angle = Math.atan2(y2 - y1, x2 - x1);
  context.moveTo(x2, y2);
  context.lineTo(x2 - size * Math.cos(angle - 0.4), y2 - size * Math.sin(angle - 0.4));
  context.lineTo(x2 - size * Math.cos(angle + 0.4), y2 - size * Math.sin(angle + 0.4));
  context.closePath();
}

function drawCrosses({ context, palette }: Frame, crosses: number[]): void {
  context.strokeStyle = palette.broken;
  context.lineWidth = 1.5;
  context.beginPath();
  for (let at = 0; at < crosses.length; at += 2) {
    const [x, y] = [crosses[at], crosses[at + 1]];
    context.moveTo(x - 3, y - 3);
    context.lineTo(x + 3, y + 3);
    context.moveTo(x - 3, y + 3);
    context.lineTo(x + 3, y - 3);
  }
  context.stroke();
}

/** What a reply says, as far as a yes or no of it tells. */
interface Answer {
  x: number;
  y: number;
  granted: boolean;
}

function drawAnswer({ context, palette }: Frame, { x, y, granted }: Answer): void {
  context.beginPath();
  context.arc(x, y, 3.6, 0, 7);
  context.fillStyle = granted ? palette.commit : palette.paper;
  context.fill();
  context.strokeStyle = granted ? palette.commit : palette.broken;
  context.lineWidth = 1.6;
  context.stroke();
}

/** How many arrows one stands for, where there is room to say it. */
function drawCounts(frame: Frame, seen: Seen[]): void {
  const { context, palette } = frame;
  context.fillStyle = palette.faint;
  context.font = "9px system-ui, sans-serif";
  context.textBaseline = "middle";
  const edges = new Map<number, number>();
  for (const { arrow, count } of seen) {
    const place = count > 3 && arrow.style !== VOTE ? ends(frame, arrow) : undefined;
    if (place === undefined) continue;
    const y = (place[1] + place[3]) / 2;
    const row = Math.round(y / 12);
    if (place[0] < (edges.get(row) ?? -Infinity)) continue;
    edges.set(row, place[0] + 30);
    context.fillText(`×${count}`, place[0] + 2, y);
  }
}
