// Calls as arrows between lanes. Where they are dense, equal ones become one with a number.
import { CAUSES, ENTRIES, HEARTBEAT, SNAPSHOT, VOTE, type Arrow } from "../model/calls.ts";
import { BAND, laneTop, type Frame } from "./frame.ts";

/** Arrows in a block: the latest end of a block tells whether any of it can be seen. */
const BLOCK = 128;
/** With more arrows than this in sight, equal ones within a few pixels are drawn once. */
const DENSE = 1200;
const CELL = 7;

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
}

export function drawArrows(frame: Frame, index: ArrowIndex): void {
  const { app, context, left, width, height } = frame;
  const seen = collect(frame, index);
  context.save();
  context.beginPath();
  context.rect(left, 0, width - left, height);
  context.clip();
  const chosen = app.chosen >= 0 ? app.model.callOf(app.chosen) : undefined;
  // Thin ones first, so that those with news are on top.
  const rank = [1, 2, 0, 3, 4];
  seen.sort((a, b) => rank[a.arrow.style] - rank[b.arrow.style]);
  for (const { arrow, count } of seen) {
    if (arrow.call !== chosen) drawArrow(frame, arrow, count, false);
  }
  if (chosen !== undefined) {
    index.within(frame.first, frame.last, (arrow) => {
      if (arrow.call === chosen) drawArrow(frame, arrow, 1, true);
    });
  }
  context.restore();
}

function isShown({ app }: Frame, arrow: Arrow): boolean {
  if (app.visible[arrow.begin] === 0) return false;
  return arrow.end < 0 || app.visible[arrow.end] === 1 || app.pastOf < 0;
}

function collect(frame: Frame, index: ArrowIndex): Seen[] {
  const { app, x } = frame;
  const all: Arrow[] = [];
  index.within(frame.first, frame.last, (arrow) => {
    if (isShown(frame, arrow)) all.push(arrow);
  });
  if (all.length <= DENSE) return all.map((arrow) => ({ arrow, count: 1 }));
  const cells = new Map<number, Seen>();
  for (const arrow of all) {
    const cell = Math.max(0, Math.floor(x(app.coords[arrow.begin]) / CELL));
    const look = (arrow.style * 2 + (arrow.lost ? 1 : 0)) * 2 + (arrow.reply ? 1 : 0);
    const key = ((cell * 66 + arrow.from + 1) * 66 + arrow.to + 1) * 20 + look;
    const known = cells.get(key);
    if (known === undefined) cells.set(key, { arrow, count: 1 });
    else known.count++;
  }
  return [...cells.values()];
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

function drawArrow(frame: Frame, arrow: Arrow, count: number, chosen: boolean): void {
  const { context, palette } = frame;
  const place = ends(frame, arrow);
  if (place === undefined) return;
  const [x1, y1, x2, y2] = place;
  const { style } = arrow;
  context.strokeStyle = chosen ? palette.accent : palette.calls[style];
  context.fillStyle = context.strokeStyle;
  context.globalAlpha = chosen ? 1 : arrow.reply ? 0.5 : style === HEARTBEAT ? 0.8 : 0.9;
  const thinner = arrow.reply && style === ENTRIES ? 1 : 0;
  context.lineWidth = WIDTHS[style] + (chosen ? 1.6 : 0) - thinner;
  context.setLineDash(style === VOTE ? [5, 3] : arrow.reply ? [1, 2] : []);
  line(frame, x1, y1, x2, y2);
  if (style === SNAPSHOT) line(frame, x1 + 3, y1, x2 + 3, y2);
  context.setLineDash([]);
  if (arrow.end >= 0) {
    if (style !== HEARTBEAT || chosen) head(frame, x1, y1, x2, y2);
  } else if (arrow.lost) {
    cross(frame, x2, y2);
  }
  context.globalAlpha = 1;
  if (count > 3) {
    context.fillStyle = palette.faint;
    context.font = "9px system-ui, sans-serif";
    context.fillText(`×${count}`, x2 + 2, (y1 + y2) / 2);
  }
  const tip = arrow.lost ? `lost: ${CAUSES[arrow.lost] ?? arrow.lost}` : "";
  const more = count > 1 ? ` (${count} like it here: zoom in)` : "";
  const event = arrow.reply && arrow.end >= 0 ? arrow.end : arrow.begin;
  frame.hits.push({ x1, y1, x2, y2, event, arrow, tip: tip + more });
}

function line({ context }: Frame, x1: number, y1: number, x2: number, y2: number): void {
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}

function head({ context }: Frame, x1: number, y1: number, x2: number, y2: number): void {
  const angle = Math.atan2(y2 - y1, x2 - x1);
  context.beginPath();
  context.moveTo(x2, y2);
  context.lineTo(x2 - 7 * Math.cos(angle - 0.4), y2 - 7 * Math.sin(angle - 0.4));
  context.lineTo(x2 - 7 * Math.cos(angle + 0.4), y2 - 7 * Math.sin(angle + 0.4));
  context.fill();
}

function cross(frame: Frame, x: number, y: number): void {
  const { context, palette } = frame;
  context.strokeStyle = palette.broken;
  context.globalAlpha = 1;
  context.lineWidth = 1.5;
  line(frame, x - 3, y - 3, x + 3, y + 3);
  line(frame, x - 3, y + 3, x + 3, y - 3);
}
