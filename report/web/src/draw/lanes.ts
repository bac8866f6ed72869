// The lanes: role and term of each server, its broken links, and its log as step lines.
import type { Link } from "../model/links.ts";
import type { Shown } from "../model/servers.ts";
import { lastAtOrBefore } from "../model/run.ts";
import { inkOn, termColour } from "./colours.ts";
import { BAND, gallop, laneTop, type Frame } from "./frame.ts";

/** A server that was shown for less than this many pixels is drawn together with the next. */
const THIN = 0.75;

export function drawLane(frame: Frame, server: number): void {
  const top = laneTop(frame, server);
  const { context, left, width, shape } = frame;
  context.save();
  context.beginPath();
  context.rect(left, top, width - left, shape.height);
  context.clip();
  drawBand(frame, server, top + shape.band);
  drawLinks(frame, server, top + shape.links);
  drawSteps(frame, server, top + shape.steps);
  context.restore();
}

/** Calls `each` with every stretch of a track that can be seen. */
function stretches(
  frame: Frame,
  server: number,
  each: (shown: Shown, from: number, to: number, fresh: boolean) => void,
): void {
  const { app, x, width, left } = frame;
  const track = app.model.tracks[server];
  const { events, shown } = track;
  let place = Math.max(0, lastAtOrBefore(events, frame.first));
  const end = x(app.extent);
  for (; place < events.length; place++) {
    let from = x(app.coords[events[place]]);
    if (from > width) break;
    let to = place + 1 < events.length ? x(app.coords[events[place + 1]]) : end;
    // Skip what is thinner than a pixel, but for the last of it.
    if (to - from < THIN) {
      const edge = from + THIN;
      place = gallop(events, place, (event) => x(app.coords[event]) < edge) - 1;
      to = place + 1 < events.length ? x(app.coords[events[place + 1]]) : end;
    }
    if (to < left) continue;
    from = Math.max(from, left - 2);
    each(shown[place], from, Math.min(to, width + 2), events[place] >= frame.first);
  }
}

function drawBand(frame: Frame, server: number, top: number): void {
  const { context, fills, palette, left } = frame;
  let before: Shown | undefined;
  let label = -Infinity;
  stretches(frame, server, (shown, from, to) => {
    const size = Math.max(to - from, THIN);
    if (shown.up) {
      context.fillStyle = palette.paper;
      context.fillRect(from, top, size, BAND);
      context.fillStyle = fills.role(shown.role, shown.term);
      context.fillRect(from, top, size, BAND);
      if (shown.paused) {
        context.fillStyle = palette.paper;
        context.globalAlpha = 0.55;
        context.fillRect(from, top, size, BAND);
        context.globalAlpha = 1;
        context.fillStyle = fills.dots;
        context.fillRect(from, top, size, BAND);
      }
    } else if (shown.incarnation > 0) {
      context.fillStyle = palette.dead;
      context.globalAlpha = 0.6;
      context.fillRect(from, top + BAND / 2 - 3, size, 6);
      context.globalAlpha = 1;
    }
    if (!shown.connected) {
      context.fillStyle = fills.brokenHatch;
      context.fillRect(from, top + BAND - 5, size, 5);
      context.fillStyle = palette.broken;
      context.fillRect(from, top + BAND, size, 2);
    }
    const changed = before === undefined || before.term !== shown.term ||
      before.role !== shown.role || before.up !== shown.up;
    const start = Math.max(from, left);
    if (changed && shown.up && start >= label && to - start > (frame.moving ? 24 : 9)) {
      label = start + writeTerm(frame, shown, start, to, top);
    }
    if (changed && shown.up && to - from > 4) edge(frame, from, top);
    before = shown;
  });
}

function edge({ context, palette }: Frame, x: number, top: number): void {
  context.fillStyle = palette.ink;
  context.globalAlpha = 0.45;
  context.fillRect(Math.round(x), top, 1, BAND);
  context.globalAlpha = 1;
}

/** Returns how much room the text took. */
function writeTerm(frame: Frame, shown: Shown, from: number, to: number, top: number): number {
  const { context, palette } = frame;
  const room = to - from;
  const words = { leader: "leader", candidate: "cand.", follower: "", unknown: "" }[shown.role];
  const full = words && room > 64 ? `${shown.term} ${words}` : String(shown.term);
  context.font = `${shown.role === "leader" ? "700" : "600"} 12px system-ui, sans-serif`;
  const size = context.measureText(full).width;
  if (size + 4 > room) return 0;
  frame.labels.push({
    text: full,
    x: from + 4,
    y: top + BAND / 2 + 1,
    colour: shown.role === "leader" ? inkOn(shown.term, palette.theme) : palette.ink,
    back: shown.role === "leader" ? termColour(shown.term, palette.theme) : palette.paper,
    bold: shown.role === "leader",
  });
  return size + 8;
}

/** The terms, over the arrows that cross them. */
export function drawLabels({ context, labels, left }: Frame): void {
  context.textBaseline = "middle";
  for (const label of labels) {
    if (label.x < left) continue;
    context.font = `${label.bold ? "700" : "600"} 12px system-ui, sans-serif`;
    context.fillStyle = label.back;
    context.globalAlpha = 0.75;
    context.fillRect(label.x - 2, label.y - 8, context.measureText(label.text).width + 4, 15);
    context.globalAlpha = 1;
    context.fillStyle = label.colour;
    context.fillText(label.text, label.x, label.y);
  }
}

/** A thin line for each other server while a link to it or from it is broken. */
function drawLinks(frame: Frame, server: number, top: number): void {
  const { app, context, palette } = frame;
  const paths = [new Path2D(), new Path2D(), new Path2D()];
  const others = frame.lanes.filter((other) => other !== server);
  others.forEach((other, row) => {
    for (const [from, to] of [[server, other], [other, server]]) {
      const link = app.model.links.between(from, to);
      const y = top + row * 3 + (from === server ? 0 : 1);
      if (link !== undefined) addLink(frame, link, y, paths);
    }
  });
  context.globalAlpha = 0.7;
  context.fillStyle = palette.applied;
  context.fill(paths[1]);
  context.fillStyle = palette.broken;
  context.fill(paths[2]);
  context.globalAlpha = 1;
}

function addLink(frame: Frame, link: Link, y: number, paths: Path2D[]): void {
  const { app, x } = frame;
  let drawn = -Infinity;
  let place = Math.max(0, lastAtOrBefore(link.events, frame.first));
  for (; place < link.events.length; place++) {
    const event = link.events[place];
    const begin = x(app.coords[event]);
    if (begin > frame.width) break;
    const damage = link.damages[place];
    const next = link.events[place + 1];
    const end = next === undefined ? x(app.extent) : x(app.coords[next]);
    if (end < drawn + 0.5) {
      if (next === undefined) break;
      // All of this is in a pixel that is drawn already.
      place = gallop(link.events, place, (at) => x(app.coords[at]) < drawn + 0.5) - 2;
      continue;
    }
    if (damage === 0) continue;
    paths[damage].rect(Math.max(begin, drawn), y, Math.max(end - Math.max(begin, drawn), 0.5), 1);
    drawn = end;
    const tip = damage === 2 ? " (the link is cut)" : " (the link delays or disturbs messages)";
    frame.hits.push({ x1: begin, y1: y, x2: end, y2: y, event, tip });
  }
}

/** The length of the log, the commit index and what is applied, to one scale. */
function drawSteps(frame: Frame, server: number, top: number): void {
  const { context, palette, shape } = frame;
  let most = 1;
  for (const lane of frame.lanes) most = Math.max(most, tallest(frame, lane));
  const y = (index: number) => top + shape.stepsHeight - (index / most) * (shape.stepsHeight - 2);
  const lines = [
    { of: (shown: Shown) => shown.last, colour: palette.log, dash: [], width: 1.2, fill: true },
    { of: (shown: Shown) => shown.commit, colour: palette.commit, dash: [], width: 1.8 },
    { of: (shown: Shown) => shown.applied, colour: palette.applied, dash: [3, 3], width: 1.6 },
  ];
  context.strokeStyle = palette.grid;
  context.lineWidth = 1;
  context.strokeRect(frame.left - 1, top + shape.stepsHeight + 0.5, frame.width, 0);
  for (const line of lines) {
    context.beginPath();
    let open = false;
    stretches(frame, server, (shown, from, to) => {
      if (!shown.up) {
        open = false;
        return;
      }
      const at = y(line.of(shown));
      if (open) context.lineTo(from, at);
      else context.moveTo(from, at);
      context.lineTo(to, at);
      open = true;
    });
    context.strokeStyle = line.colour;
    context.lineWidth = line.width;
    context.setLineDash(line.dash);
    context.stroke();
    context.setLineDash([]);
  }
}

const HEIGHTS = new WeakMap<object, number>();

/** The highest index that a server ever showed. */
function tallest(frame: Frame, server: number): number {
  const track = frame.app.model.tracks[server];
  const known = HEIGHTS.get(track);
  if (known !== undefined) return known;
  let most = 1;
  for (const shown of track.shown) most = Math.max(most, shown.last, shown.commit);
  HEIGHTS.set(track, most);
  return most;
}
