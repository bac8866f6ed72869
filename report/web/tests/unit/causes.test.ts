import assert from "node:assert/strict";
import { test } from "node:test";
import { App } from "../../src/app.ts";
import { Causes } from "../../src/model/causes.ts";
import { parse, search } from "../../src/model/search.ts";
import { ELECTION, modelOf } from "../sample.ts";

test("why walks back along servers and messages", () => {
  const causes = new Causes(modelOf(ELECTION));
  const chain = causes.chain(12, 20).map((link) => link.event);
  assert.deepEqual(chain, [12, 11, 10, 8, 6, 5, 2, 1]);
});

test("a server that acts after a long silence was woken by its timer", () => {
  const causes = new Causes(modelOf(ELECTION));
  assert.match(causes.why(5)?.because ?? "", /its own timer/);
  assert.equal(causes.why(1), undefined);
});

test("a new leader has its votes", () => {
  const causes = new Causes(modelOf(ELECTION));
  assert.deepEqual(causes.votesFor(12).map((vote) => [vote.event, vote.from]), [[11, 1]]);
  assert.deepEqual(causes.votesFor(5), []);
});

test("the past has what came before at a server and what its messages came from", () => {
  const causes = new Causes(modelOf(ELECTION));
  const past = causes.past(9);
  const events = [...past.keys()].filter((event) => past[event] === 1);
  assert.deepEqual(events, [1, 2, 3, 4, 5, 6, 8, 9]);
});

test("search knows words, fields and comparisons", () => {
  const model = modelOf(ELECTION);
  assert.deepEqual(search(model, "term=1 candidate=0"), [6, 8, 10, 11]);
  assert.deepEqual(search(model, "granted=true"), [10]);
  assert.deepEqual(search(model, "kind=state role=leader"), [12]);
  assert.deepEqual(search(model, "lost request"), [13]);
  assert.deepEqual(search(model, "kind=state term>0"), [5, 9]);
  assert.deepEqual(search(model, "  "), []);
});

test("a value with blanks is quoted", () => {
  assert.deepEqual(parse('"a b" c').words, ["a b", "c"]);
});

test("by event, gaps are even and hidden events have no room", () => {
  const app = new App(modelOf(ELECTION));
  app.setAxis("event");
  assert.deepEqual([...app.coords.slice(0, 4)], [1, 2, 3, 4]);
  app.toggleGroup("votes");
  assert.equal(app.coords[8], app.coords[5]);
  app.toggleServer(1);
  assert.deepEqual([...app.order], [0, 1, 2, 5, 12, 14, 15]);
});

test("a step goes to the next shown event and stops at the ends", () => {
  const app = new App(modelOf(ELECTION));
  app.choose(4);
  app.step(app.order, 1);
  assert.equal(app.chosen, 5);
  app.choose(15);
  app.step(app.order, 1);
  assert.equal(app.chosen, 15);
  app.find("granted=true");
  app.step(app.steps, -1);
  assert.equal(app.chosen, 10);
});
