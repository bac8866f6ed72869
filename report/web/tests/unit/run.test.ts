import assert from "node:assert/strict";
import { test } from "node:test";
import { Fields, Run, firstAtOrAfter, lastAtOrBefore } from "../../src/model/run.ts";
import { embed } from "../sample.ts";

test("fields come back as they went in", () => {
  const run = new Run(embed([
    { kind: "a", x: 3, list: [1, [null, true]], text: "</script>" },
    { kind: "b", x: "y" },
    { kind: "a", x: 5 },
  ]));
  assert.equal(run.number(2, "x"), 5);
  assert.equal(run.text(1, "x"), "y");
  assert.deepEqual(run.field(0, "list"), [1, [null, true]]);
  assert.equal(run.text(0, "text"), "</script>");
  assert.equal(run.field(2, "list"), undefined);
  assert.deepEqual(run.fieldNames(2), ["x"]);
});

test("null and a missing field differ", () => {
  const run = new Run(embed([{ kind: "a", vote: null }, { kind: "a" }]));
  assert.equal(run.field(0, "vote"), null);
  assert.equal(run.field(1, "vote"), undefined);
});

test("a number that a script would round keeps its digits", () => {
  const run = new Run({
    ...embed([{ kind: "a", x: 0 }]),
    tables: [{ x: { values: [1] } }],
    values: [{ digits: "18446744073709551615" }],
  });
  assert.equal(run.field(0, "x"), 18446744073709551615n);
});

test("an object's names are a student's and mean nothing to the page", () => {
  const names = ["__proto__", "constructor", "get"];
  const run = new Run({
    ...embed([{ kind: "a" }]),
    tables: [{ args: { values: [4] } }],
    values: [1, 2, 3, [1, 1, 2, 3]],
    shapes: [names],
  });
  const args = run.field(0, "args");
  assert.ok(args instanceof Fields);
  assert.deepEqual(names.map((name) => args.get(name)), [1, 2, 3]);
  assert.equal(args.get("toString"), undefined);
});

test("differences add up", () => {
  const run = new Run({
    ...embed([{ kind: "a" }, { kind: "a" }, { kind: "a" }]),
    tables: [{ x: { steps: [7, -2, 1] } }],
  });
  assert.deepEqual([0, 1, 2].map((event) => run.number(event, "x")), [7, 5, 6]);
});

test("a place in a sorted list is found", () => {
  const list = [1, 3, 3, 7];
  assert.deepEqual([0, 1, 3, 9].map((it) => lastAtOrBefore(list, it)), [-1, 0, 2, 3]);
  assert.deepEqual([0, 1, 2, 3, 8].map((it) => firstAtOrAfter(list, it)), [0, 0, 1, 1, 4]);
});
