// Search: words, and fields such as `term=3 candidate_id=1`.
import { describe } from "./describe.ts";
import type { Model } from "./model.ts";
import { Fields, type Value } from "./run.ts";

type Test = (value: Value) => boolean;
interface Term {
  field: string;
  test: Test;
}

/** A query: an event must match all of it. */
export interface Query {
  terms: Term[];
  words: string[];
}

export function parse(text: string): Query {
  const query: Query = { terms: [], words: [] };
  for (const part of text.toLowerCase().match(/[^\s"]*"[^"]*"|\S+/g) ?? []) {
    const match = /^([\w.-]+)(!=|<=|>=|=|<|>)(.*)$/.exec(part);
    if (match === null) {
      query.words.push(part.replaceAll('"', ""));
    } else {
      const [, field, sign, wanted] = match;
      query.terms.push({ field, test: testOf(sign, wanted.replaceAll('"', "")) });
    }
  }
  return query;
}

function testOf(sign: string, wanted: string): Test {
  const number = Number(wanted);
  const same: Test = (value) => print(value) === wanted;
  switch (sign) {
    case "=":
      return same;
    case "!=":
      return (value) => !same(value);
    case "<":
      return (value) => isNumber(value) && Number(value) < number;
    case ">":
      return (value) => isNumber(value) && Number(value) > number;
    case "<=":
      return (value) => isNumber(value) && Number(value) <= number;
    default:
      return (value) => isNumber(value) && Number(value) >= number;
  }
}

function isNumber(value: Value): boolean {
  return typeof value === "number" || typeof value === "bigint";
}

function print(value: Value): string {
  if (Array.isArray(value)) return `[${value.map(print).join(",")}]`;
  return value instanceof Fields ? "{}" : String(value).toLowerCase();
}

/** Is there such a field somewhere in the value? */
function has(value: Value, { field, test }: Term): boolean {
  if (Array.isArray(value)) return value.some((item) => has(item, { field, test }));
  if (!(value instanceof Fields)) return false;
  return value.names.some(
    (name, at) =>
      (name.toLowerCase() === field && test(value.values[at])) ||
      has(value.values[at], { field, test }),
  );
}

/** Does the event have such a field? Those of its call count for each step of the call. */
function matches(model: Model, event: number, term: Term): boolean {
  const { run } = model;
  if (term.field === "kind") return term.test(run.kind(event));
  if (term.field === "n") return term.test(run.n[event]);
  if (term.field === "server" && model.who[event] >= 0 && term.test(model.who[event])) return true;
  const call = model.callOf(event);
  const from = call === undefined || call.sent === event ? [event] : [event, call.sent];
  return from.some((source) =>
    run.fieldNames(source).some((name) => {
      const value = run.field(source, name) ?? null;
      return (name.toLowerCase() === term.field && term.test(value)) || has(value, term);
    }),
  );
}

/** The events that match, in order. */
export function search(model: Model, text: string): number[] {
  const query = parse(text);
  const found: number[] = [];
  if (query.terms.length + query.words.length === 0) return found;
  for (let event = 0; event < model.run.count; event++) {
    if (!query.terms.every((term) => matches(model, event, term))) continue;
    if (query.words.length > 0) {
      const line = `${model.run.kind(event)} ${describe(model, event)}`.toLowerCase();
      if (!query.words.every((word) => line.includes(word))) continue;
    }
    found.push(event);
  }
  return found;
}
