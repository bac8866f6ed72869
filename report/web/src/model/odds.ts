// How likely the failure was at some moments, and the moment that decided the run.
import type { Odds } from "./run.ts";

/** A rise by less than this share of the futures decided nothing. */
const CLEAR_RISE = 0.25;

export interface Decisive {
  before: Odds;
  after: Odds;
}

export function rate({ failed, futures }: Odds): number {
  return futures === 0 ? 0 : failed / futures;
}

/** The two moments between which the failure became likelier by most; the last of equal ones. */
export function decisiveOf(odds: readonly Odds[]): Decisive | undefined {
  let best: Decisive | undefined;
  let most = CLEAR_RISE;
  for (let i = 1; i < odds.length; i++) {
    const rise = rate(odds[i]) - rate(odds[i - 1]);
    // Two rises that differ only by rounding are equal.
    if (rise >= most - 1e-9) {
      most = rise;
      best = { before: odds[i - 1], after: odds[i] };
    }
  }
  return best;
}
