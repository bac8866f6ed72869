import assert from "node:assert/strict";
import { test } from "node:test";
import { standstillOf } from "../../src/model/progress.ts";
import { ELECTION, modelOf } from "../sample.ts";

const failure = (kind: string) => ({
  class: kind,
  rule: null,
  sentence: "",
  look: null,
  notes: [],
  evidence: [],
});

test("a run that stood still names its last progress", () => {
  const applied = { kind: "applied", server: 0, index: 1, term: 1, command: "x" };
  const asked = { kind: "said_state", server: 1, term: 1, leads: false };
  const model = modelOf([...ELECTION, applied, asked], failure("liveness"));
  assert.equal(standstillOf(model), ELECTION.length);
});

test("an election is progress, and a later answer is none", () => {
  const model = modelOf(ELECTION.slice(0, 13), failure("timeout"));
  assert.equal(standstillOf(model), 12);
  const asked = { kind: "said_state", server: 1, term: 1, leads: false };
  assert.equal(standstillOf(modelOf([...ELECTION.slice(0, 13), asked], failure("spin"))), 12);
});

test("a broken rule of safety is no standstill", () => {
  assert.equal(standstillOf(modelOf(ELECTION, failure("safety"))), -1);
  assert.equal(standstillOf(modelOf(ELECTION)), -1);
});
