import assert from "node:assert/strict";
import { test } from "node:test";
import { decisiveOf } from "../../src/model/odds.ts";

const odds = (...failed: number[]) =>
  failed.map((count, place) => ({ t: place * 1000, failed: count, futures: 10 }));

test("the last of the steepest rises decided the run", () => {
  assert.equal(decisiveOf(odds(1, 2, 8, 5, 10))?.after.t, 2000);
  assert.equal(decisiveOf(odds(1, 7, 4, 10))?.after.t, 3000);
});

test("a run without a clear rise has no decisive moment", () => {
  assert.equal(decisiveOf(odds(8, 9, 10)), undefined);
  assert.equal(decisiveOf([]), undefined);
});
