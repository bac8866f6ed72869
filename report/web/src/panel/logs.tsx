// All logs at one moment: a row a server, a cell an entry, its colour the term.
import type { App } from "../app.ts";
import { inkOn, termColour } from "../draw/colours.ts";
import { type Row, rowsAt, columnsOf } from "../model/logs.ts";

export function Logs({ app }: { app: App }) {
  const rows = rowsAt(app.model, app.now);
  const room = 14;
  const { columns, diverging, before, after } = columnsOf(rows, room);
  return (
    <section>
      <h2>Logs at this moment</h2>
      {columns.length === 0 ? (
        <p class="quiet">All logs are empty.</p>
      ) : (
        <div class="scroll">
          <table class="logs">
            <thead>
              <tr>
                <th>{before > 0 ? `${before} before` : ""}</th>
                {columns.map((index) => (
                  <th class={diverging.has(index) ? "diverging" : ""}>{index}</th>
                ))}
                <th>{after > 0 ? `${after} more` : ""}</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr class={row.up ? "" : "down"}>
                  <th>S{row.server}</th>
                  {columns.map((index) => (
                    <Cell app={app} row={row} index={index} diverging={diverging.has(index)} />
                  ))}
                  <td class="quiet end">
                    {row.up ? `c${row.commit} a${row.applied}` : "down"}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <p class="quiet">
        A cell is an entry with its term. <span class="mark-commit">Underlined</span>: committed
        there. Full dot: applied. Red outline: servers differ at this index.
      </p>
    </section>
  );
}

interface CellOf {
  app: App;
  row: Row;
  index: number;
  diverging: boolean;
}

function Cell({ app, row, index, diverging }: CellOf) {
  const term = row.termAt(index);
  if (index <= row.snapshot) {
    return (
      <td class="cell snapshot" title={`index ${index}: in the snapshot`}>
        ▤
      </td>
    );
  }
  if (term === undefined) return <td class={diverging ? "cell none" : "cell"} />;
  const command = app.model.commands.get(`${index} ${term}`) ?? "";
  const classes = ["cell", "entry"];
  if (index <= row.commit) classes.push("committed");
  if (diverging) classes.push("diverging");
  const style = { background: termColour(term, app.theme), color: inkOn(term, app.theme) };
  return (
    <td class={classes.join(" ")} style={style} title={`index ${index}, term ${term} ${command}`}>
      {term}
      {index <= row.applied && <i />}
    </td>
  );
}
