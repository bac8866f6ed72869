// What all parts of the picture need to draw one frame.
import type { App } from "../app.ts";
import { firstAtOrAfter } from "../model/run.ts";
import type { Arrow } from "../model/calls.ts";
import type { Fills, Palette } from "./colours.ts";

/** The axis and the steps of the test. */
const TOP = 52;
/** The curve of the odds, below them. */
export const ODDS = 34;
export const BAND = 24;

/** Where things are in a lane, from its top. */
export interface Shape {
  /** Where the curve of the odds begins, and where the lanes do. */
  odds: number;
  top: number;
  band: number;
  links: number;
  steps: number;
  stepsHeight: number;
  height: number;
}

/** Few lanes may be higher than many. */
export function shapeOf(lanes: number, links: number, hasOdds: boolean): Shape {
  const strip = links === 0 ? 0 : links * 3 + 3;
  const steps = 16 + BAND + 3 + strip;
  const stepsHeight = lanes <= 3 ? 48 : 26;
  const height = steps + stepsHeight + 20;
  const top = TOP + (hasOdds ? ODDS : 0);
  return { odds: TOP, top, band: 16, links: 16 + BAND + 3, steps, stepsHeight, height };
}

export interface Frame {
  app: App;
  context: CanvasRenderingContext2D;
  fills: Fills;
  palette: Palette;
  shape: Shape;
  width: number;
  height: number;
  /** Where the lanes begin: names are left of it. */
  left: number;
  /** Servers in the order of their lanes. */
  lanes: number[];
  /** The pixel of a place on the axis. */
  x: (coord: number) => number;
  /** The first event that can be seen, and the one after the last. */
  first: number;
  last: number;
  /** The reader moves it just now: fewer lines, so that it keeps up. */
  moving: boolean;
  /** Paper shows the run, and no moment of it. */
  printing: boolean;
  hits: Hit[];
  labels: Label[];
}

/** A text in a lane, drawn when all lines are there. */
export interface Label {
  text: string;
  x: number;
  y: number;
  colour: string;
  back: string;
  bold: boolean;
}

/** Something on the screen that can be clicked: a line from one point to another. */
export interface Hit {
  x1: number;
  y1: number;
  x2: number;
  y2: number;
  event: number;
  tip?: string;
  arrow?: Arrow;
  /** How many arrows it stands for. */
  count?: number;
}

export function laneTop(frame: Frame, server: number): number {
  const lane = frame.lanes.indexOf(server);
  return lane < 0 ? -1 : frame.shape.top + lane * frame.shape.height;
}

/** The events of a sorted list that can be seen, at most one a few pixels. */
export function* sparse(frame: Frame, list: ArrayLike<number>, gap: number): Generator<number> {
  const { app, x, last } = frame;
  let place = firstAtOrAfter(list, frame.first);
  let edge = -Infinity;
  while (place < list.length && list[place] < last) {
    const at = x(app.coords[list[place]]);
    if (at >= edge) {
      yield list[place];
      edge = at + gap;
      place++;
    } else {
      place = gallop(list, place, (event) => x(app.coords[event]) < edge);
    }
  }
}

/** The first place at which `skip` no longer holds, found in steps that grow. */
export function gallop(
  list: ArrayLike<number>,
  from: number,
  skip: (event: number) => boolean,
): number {
  let step = 1;
  let low = from;
  while (low + step < list.length && skip(list[low + step])) {
    low += step;
    step *= 2;
  }
  let high = Math.min(low + step, list.length);
  while (low + 1 < high) {
    const middle = (low + high) >>> 1;
    if (skip(list[middle])) low = middle;
    else high = middle;
  }
  return high;
}
