// A value of a student's program as a small tree: objects as rows, lists of objects as tables.
import { useState } from "preact/hooks";
import { inline, short } from "../model/describe.ts";
import { Fields, type Value } from "../model/run.ts";

const FEW = 12;

export function Tree({ value }: { value: Value }) {
  if (value instanceof Fields) {
    return (
      <table class="tree">
        <tbody>
          {value.names.map((name, at) => (
            <tr>
              <th>{short(name)}</th>
              <td>
                <Tree value={value.values[at]} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    );
  }
  if (Array.isArray(value)) return <List items={value} />;
  return <span class="scalar">{typeof value === "string" ? value : String(value)}</span>;
}

function List({ items }: { items: Value[] }) {
  const [all, setAll] = useState(false);
  if (items.length === 0) return <span class="quiet">empty</span>;
  if (items.length <= 8 && items.every((item) => typeof item !== "object" || item === null)) {
    return <span class="scalar">{items.map((item) => inline(item, 40)).join(", ")}</span>;
  }
  const shown = all ? items : items.slice(0, FEW);
  const first = items[0];
  const names = first instanceof Fields ? first.names : [];
  return (
    <table class="list">
      {names.length > 0 && (
        <thead>
          <tr>
            <th>#</th>
            {names.map((name) => (
              <th>{short(name)}</th>
            ))}
          </tr>
        </thead>
      )}
      <tbody>
        {shown.map((item, at) => (
          <tr>
            <td class="quiet">{at + 1}</td>
            {item instanceof Fields && names.length > 0 ? (
              names.map((name) => <td>{inline(item.get(name) ?? null, 40)}</td>)
            ) : (
              <td>{inline(item)}</td>
            )}
          </tr>
        ))}
        {!all && items.length > FEW && (
          <tr>
            <td colSpan={names.length + 1}>
              <button type="button" onClick={() => setAll(true)}>
                {items.length - FEW} more
              </button>
            </td>
          </tr>
        )}
      </tbody>
    </table>
  );
}
