// What the keys do, and what the signs mean.
import type { App } from "../app.ts";
import { useApp } from "./hooks.ts";
import { showHelp } from "./tools.tsx";

const KEYS: [string, string][] = [
  ["n or →", "the next event (of those found, if you searched)"],
  ["p or ←", "the event before"],
  ["Home, End", "the first event, the last one"],
  ["e", "the next line of the evidence"],
  ["+ and −", "zoom in, zoom out; the mouse wheel does it, too"],
  ["f", "fit the whole run"],
  ["a", "switch the axis: by time, by event"],
  ["w", "only what led to this event, or everything again"],
  ["/", "search; Enter goes to the next one that was found"],
  ["space", "play, stop"],
  ["Esc", "close this, choose nothing"],
];

const SIGNS: [string, string][] = [
  ["pale, hatched, solid band", "a follower, a candidate, a leader; the hue is the term"],
  ["thin grey bar", "the server is down"],
  ["dotted band", "the server is paused"],
  ["red hatch under a band", "the server is disconnected"],
  ["red lines under a band", "links from it and to it are cut, a line for each other server"],
  ["dashed arrow", "a vote"],
  ["hair-thin, thick, double arrow", "a heartbeat, entries, a snapshot"],
  ["dotted arrow", "a reply"],
  ["red cross", "the request or reply was lost; its cause is in the tooltip"],
  ["▽ ▼ ●", "a command is offered, is taken, is applied"],
  ["▬ on a lane", "a snapshot is handed to the service; a small bar: the server saved"],
  ["✕ ↻2", "a crash; a restart, with the number of the incarnation"],
  ["grey, green, orange line", "length of the log, commit index, what is applied"],
  ["red ring with a number", "a line of the evidence; the red line is the violation"],
];

export function Help({ app }: { app: App }) {
  useApp(app);
  if (!app.help) return null;
  return (
    <div class="veil" onClick={() => showHelp(app, false)}>
      <div
        class="help"
        role="dialog"
        aria-label="help"
        onClick={(event) => event.stopPropagation()}
      >
        <button type="button" class="close" onClick={() => showHelp(app, false)}>
          close
        </button>
        <h2>Keys</h2>
        <Pairs pairs={KEYS} />
        <h2>Signs</h2>
        <Pairs pairs={SIGNS} />
        <h2>Search</h2>
        <p>
          Words look in the line of each event. <code>term=3 candidate_id=1</code> looks in the
          fields of messages, replies and states; <code>!= &lt; &gt; &lt;= &gt;=</code> work, too.
          So do <code>kind=saved</code> and <code>server=2</code>.
        </p>
      </div>
    </div>
  );
}

function Pairs({ pairs }: { pairs: [string, string][] }) {
  return (
    <table>
      <tbody>
        {pairs.map(([left, right]) => (
          <tr>
            <th>{left}</th>
            <td>{right}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
