// The panel: the chosen event, its server before and after, why it happened, and all logs.
import type { App } from "../app.ts";
import { CAUSES } from "../model/calls.ts";
import { describe, inline, milliseconds } from "../model/describe.ts";
import type { Shown } from "../model/servers.ts";
import { Logs } from "./logs.tsx";
import { useApp } from "./hooks.ts";
import { Tree } from "./value.tsx";

export function Side({ app }: { app: App }) {
  useApp(app);
  return (
    <>
      {app.chosen < 0 ? <Hint /> : <Chosen app={app} event={app.chosen} />}
      <Logs app={app} />
      {app.chosen >= 0 && <Why app={app} event={app.chosen} />}
    </>
  );
}

function Hint() {
  return (
    <p class="quiet hint">
      Click an arrow, a mark or a lane to see what happened there. <kbd>n</kbd> and{" "}
      <kbd>p</kbd> step from event to event, <kbd>?</kbd> lists all keys.
    </p>
  );
}

const HIDDEN = new Set(["args", "reply", "call", "server"]);

function Chosen({ app, event }: { app: App; event: number }) {
  const { model } = app;
  const { run } = model;
  const call = model.callOf(event);
  const fields = run.fieldNames(event).filter((name) => !HIDDEN.has(name));
  const line = app.evidence.indexOf(event);
  return (
    <section class="chosen">
      <h2 class="lines">{describe(model, event)}</h2>
      <p class="quiet">
        {milliseconds(run.t[event])} · event {run.n[event]} · {run.kind(event)}
        {line >= 0 && <b class="is-evidence"> · evidence {line + 1}</b>}
      </p>
      {fields.length > 0 && (
        <table class="tree">
          <tbody>
            {fields.map((name) => (
              <tr>
                <th>{name}</th>
                <td>
                  <Tree value={run.field(event, name) ?? null} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {call !== undefined && <CallOf app={app} event={event} />}
      {model.who[event] >= 0 && <BeforeAfter app={app} event={event} />}
    </section>
  );
}

/** The whole call of an event: its steps, its arguments, its replies. */
function CallOf({ app, event }: { app: App; event: number }) {
  const { run } = app.model;
  const call = app.model.callOf(event);
  if (call === undefined) return null;
  const steps = [call.sent, ...call.caught, ...call.dispatched.values(), ...call.handled.values()];
  if (call.ended >= 0) steps.push(call.ended);
  steps.sort((a, b) => a - b);
  const args = run.field(call.sent, "args");
  const handled = call.handled.has(0) ? call.handled.get(0) : [...call.handled.values()][0];
  const reply = handled === undefined ? undefined : run.field(handled, "reply");
  return (
    <>
      <h3>
        Call {call.number}: {call.ended < 0 ? "not over when the run ended" : CAUSES[call.how]}
      </h3>
      <p class="steps">
        {steps.map((step) => (
          <button
            type="button"
            class={step === event ? "here" : ""}
            onClick={() => app.choose(step)}
            title={describe(app.model, step)}
          >
            {run.kind(step)} {milliseconds(run.t[step])}
          </button>
        ))}
      </p>
      <div class="pair">
        <div>
          <h4>arguments</h4>
          {args === undefined ? <span class="quiet">not recorded</span> : <Tree value={args} />}
        </div>
        <div>
          <h4>reply</h4>
          {reply === undefined ? <span class="quiet">none</span> : <Tree value={reply} />}
        </div>
      </div>
    </>
  );
}

const ROWS: [string, (shown: Shown) => string][] = [
  ["role", (shown) => (shown.up ? shown.role : "down")],
  ["term", (shown) => String(shown.term)],
  ["vote", (shown) => (shown.vote == null ? "none" : `server ${shown.vote}`)],
  ["last index", (shown) => String(shown.last)],
  ["commit", (shown) => String(shown.commit)],
  ["applied", (shown) => String(shown.applied)],
  ["snapshot", (shown) => (shown.snapshot === 0 ? "none" : `up to ${shown.snapshot}`)],
  ["connected", (shown) => (shown.connected ? "yes" : "no")],
  ["incarnation", (shown) => String(shown.incarnation)],
];

function BeforeAfter({ app, event }: { app: App; event: number }) {
  const server = app.model.who[event];
  const track = app.model.tracks[server];
  if (track === undefined) return null;
  const before = track.before(event);
  const after = track.at(event);
  const changes = before !== after;
  return (
    <>
      <h3>{changes ? `Server ${server} before and after` : `Server ${server} at this moment`}</h3>
      <table class="states">
        <tbody>
          {ROWS.map(([name, of]) => {
            const [old, now] = [of(before), of(after)];
            return (
              <tr class={old === now ? "" : "changed"}>
                <th>{name}</th>
                <td>{old}</td>
                {changes && <td>{now}</td>}
              </tr>
            );
          })}
        </tbody>
      </table>
    </>
  );
}

function Why({ app, event }: { app: App; event: number }) {
  const chain = app.causes.chain(event, 14);
  const { run } = app.model;
  return (
    <section class="why">
      <h2>Why?</h2>
      <ol>
        {chain.map((link, at) => (
          <li>
            {link.because !== "" && <span class="because">{link.because}</span>}
            <button type="button" class="link" onClick={() => app.choose(link.event)}>
              <span class="time">{milliseconds(run.t[link.event])}</span> {link.text}
            </button>
            {at === 0 && <Votes app={app} event={event} />}
          </li>
        ))}
      </ol>
      <button
        type="button"
        class="past"
        onClick={() => app.setPast(app.pastOf === event ? -1 : event)}
      >
        {app.pastOf === event ? "show everything again" : "only what led to this"}
      </button>
    </section>
  );
}

/** A leader is made by several votes, not by the last one alone. */
function Votes({ app, event }: { app: App; event: number }) {
  const votes = app.causes.votesFor(event);
  if (votes.length === 0) return null;
  return (
    <span class="because">
      votes:{" "}
      {votes.map((vote) => (
        <button type="button" onClick={() => app.choose(vote.event)}>
          server {vote.from}: {inline(vote.reply)}
        </button>
      ))}
    </span>
  );
}
