// What came of the run: the verdict, the evidence, the command that runs it again.
import { useState } from "preact/hooks";
import type { App } from "../app.ts";
import { describe, milliseconds } from "../model/describe.ts";
import type { Decisive } from "../model/odds.ts";
import type { Failure } from "../model/run.ts";

export function Header({ app }: { app: App }) {
  const { embedded } = app.model.run;
  const { header, end } = embedded;
  const { failure } = end;
  return (
    <header class={failure === null ? "passed" : "failed"}>
      <div class="title">
        <span class="verdict">{failure === null ? "PASS" : "FAIL"}</span>
        <h1>{header.test}</h1>
        <span class="quiet">
          seed {embedded.seed} · {header.servers} servers · {milliseconds(end.t)} of{" "}
          {header.clock === "real" ? "real" : "virtual"} time · {app.model.run.count} events
        </span>
      </div>
      <p class="purpose">{header.purpose}</p>
      {failure === null ? (
        <p>The run passed: no check of the test failed, and no rule was broken.</p>
      ) : (
        <FailureOf app={app} failure={failure} />
      )}
      {end.findings.length > 0 && (
        <details>
          <summary>{end.findings.length} findings, which are no failure</summary>
          <ul>
            {end.findings.map((finding) => (
              <li class="lines">{finding}</li>
            ))}
          </ul>
        </details>
      )}
      {!app.model.inspected && (
        <p class="quiet">
          The servers of this run do not show their state: roles, terms and logs are missing.
        </p>
      )}
      <Replay command={end.replay} />
    </header>
  );
}

function FailureOf({ app, failure }: { app: App; failure: Failure }) {
  const { rule } = failure;
  return (
    <div class="failure">
      <div>
        <p class="rule">
          <b>{failure.class}</b>
          {rule !== null && ` · rule ${rule.id}: ${rule.title} (${rule.section})`}
        </p>
        <p class="sentence">{failure.sentence}</p>
        {failure.look !== null && (
          <p>
            <b>Where to look:</b> {failure.look}
          </p>
        )}
        {app.progress >= 0 && <Progress app={app} />}
        {app.decisive !== undefined && <DecisiveOf app={app} decisive={app.decisive} />}
        {failure.notes.length > 0 && <pre class="notes">{failure.notes.join("\n")}</pre>}
      </div>
      {failure.evidence.length > 0 && (
        <table class="evidence">
          <caption>The evidence, in order</caption>
          <tbody>
            {failure.evidence.map((fact, line) => (
              <tr class={app.chosen === app.evidence[line] ? "here" : ""}>
                <td>
                  <button
                    type="button"
                    class="number"
                    onClick={() => app.choose(app.evidence[line])}
                    title="go there"
                  >
                    {line + 1}
                  </button>
                </td>
                <td class="time">{milliseconds(fact.t)}</td>
                <td>{fact.server === null ? "" : `server ${fact.server}`}</td>
                <td>{fact.what}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}

function Replay({ command }: { command: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    setCopied(await toClipboard(command));
    setTimeout(() => setCopied(false), 2000);
  };
  return (
    <p class="replay">
      <span class="quiet">Run it again:</span> <code>{command}</code>{" "}
      <button type="button" onClick={copy}>
        {copied ? "copied" : "copy"}
      </button>
    </p>
  );
}

async function toClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // A page from disk may not have the clipboard: select the text in the old way.
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

function DecisiveOf({ app, decisive }: { app: App; decisive: Decisive }) {
  const { before, after } = decisive;
  return (
    <p>
      <b>Decisive moment:</b>{" "}
      <button type="button" onClick={() => app.choose(app.eventOf(after.t))} title="go there">
        {milliseconds(after.t)}
      </button>
      . Of futures that begin after it {after.failed} of {after.futures} fail like this, of those
      that begin before it {before.failed} of {before.futures}.
    </p>
  );
}

function Progress({ app }: { app: App }) {
  const { model, progress } = app;
  return (
    <p>
      <b>Last progress:</b>{" "}
      <button type="button" onClick={() => app.choose(progress)} title="go there">
        {milliseconds(model.run.t[progress])}
      </button>{" "}
      {describe(model, progress)}
    </p>
  );
}
