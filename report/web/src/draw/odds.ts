// The curve above the lanes: how likely the failure was at each moment that was tried.
import { rate } from "../model/odds.ts";
import { ODDS, type Frame } from "./frame.ts";

export function drawOdds(frame: Frame): void {
  const { app, context, palette, shape, left, width } = frame;
  const { odds, decisive } = app;
  if (odds.length === 0) return;
  const top = shape.odds + 3;
  const height = ODDS - 10;
  const bottom = top + height;
  const x = (t: number) => frame.x(app.coordOf(t));
  const y = (place: number) => bottom - rate(odds[place]) * height;
  context.save();
  context.beginPath();
  context.rect(left, shape.odds, width - left, ODDS);
  context.clip();
  context.fillStyle = palette.grid;
  context.fillRect(left, bottom, width - left, 1);
  // Nothing is known between two moments: a straight line joins them.
  context.beginPath();
  odds.forEach((at, place) => context.lineTo(x(at.t), y(place)));
  context.strokeStyle = palette.broken;
  context.lineWidth = 1.5;
  context.stroke();
  context.lineTo(x(odds[odds.length - 1].t), bottom);
  context.lineTo(x(odds[0].t), bottom);
  context.globalAlpha = 0.12;
  context.fillStyle = palette.broken;
  context.fill();
  context.globalAlpha = 1;
  odds.forEach((at, place) => {
    context.beginPath();
    context.arc(x(at.t), y(place), 2, 0, 2 * Math.PI);
    context.fill();
    const tip = `: ${at.failed} of ${at.futures} futures from here fail in the same way`;
    const event = app.eventOf(at.t);
    if (event >= 0) frame.hits.push({ x1: x(at.t), y1: y(place), x2: x(at.t), y2: y(place), event, tip });
  });
  context.restore();
  if (decisive === undefined) return;
  const at = x(decisive.after.t);
  if (at < left || at > width) return;
  context.fillStyle = palette.broken;
  context.globalAlpha = 0.5;
  context.fillRect(at - 0.5, top, 1, frame.height - top);
  context.globalAlpha = 1;
}
