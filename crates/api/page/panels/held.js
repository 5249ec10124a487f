// What one's data look like: days, places, and the rows themselves.

import { useEffect, useState } from "../vendor/hooks.js";
import { Act, Card, html, wrong } from "../parts.js";
import { holdings } from "../state.js";
import { Dots, Heat, Last, Months } from "../pictures.js";
import { call, part } from "../node.js";
import { count } from "../format.js";
import { words } from "../words.js";
import { Choose } from "./asking.js";

const w = words.pictures;
const LAST_DAYS = 90;

/// Read anew whenever what the vault holds has changed.
function useRead(path, holds) {
  const [read, setRead] = useState(null);
  const held = JSON.stringify(holdings.value);
  useEffect(() => {
    let gone = false;
    if (holds) call("GET", path).then((found) => gone || setRead(found), () => gone || setRead(null));
    else setRead(null);
    return () => (gone = true);
  }, [held, path, holds]);
  return read;
}

export function Pictures() {
  const tables = holdings.value?.tables ?? [];
  const calendar = useRead("/v1/data/calendar", tables.some(({ first_at: first }) => first !== null));
  const places = useRead("/v1/data/places", tables.some(({ name }) => name === "positions"));
  return html`${calendar?.tables.length > 0 && html`<${Days} calendar=${calendar} />`}
    ${places?.places.length > 0 && html`<${Card} title=${w.places}><p class="soft">${w.placesLead}</p><${Dots} places=${places.places} all=${places.count} /><//>`}`;
}

function Days({ calendar }) {
  const [chosen, setChosen] = useState("");
  const known = calendar.tables.some(({ name }) => name === chosen) ? chosen : "";
  const rows = new Map();
  for (const { name, days } of calendar.tables) {
    if (known === "" || name === known) for (const { day, rows: number } of days) rows.set(day, (rows.get(day) ?? 0) + number);
  }
  const choice = calendar.tables.length > 1 && html`<div class="narrow"><${Choose} label=${w.which} value=${known} set=${setChosen} of=${[["", w.all], ...calendar.tables.map(({ name }) => [name, name])]} /></div>`;
  return html`<${Card} title=${w.days}>
    <p class="soft">${w.daysLead}</p>
    ${choice}
    <h3>${w.heat}</h3>
    <${Heat} from=${calendar.from_day} to=${calendar.to_day} rows=${rows} />
    <h3>${w.last(LAST_DAYS)}</h3>
    <${Last} to=${calendar.to_day} days=${LAST_DAYS} rows=${rows} />
    <${Months} rows=${rows} />
  <//>`;
}

/// The rows of a table, some at a time.
export function Rows({ table }) {
  const [read, setRead] = useState({ columns: [], rows: [], next: null });
  const [why, setWhy] = useState("");
  const more = async (path) => {
    try {
      const { list, next } = await part(path);
      setRead((before) => ({ columns: list.columns, rows: before.rows.concat(list.rows), next }));
    } catch (problem) {
      setWhy(wrong(problem));
    }
  };
  useEffect(() => {
    more(`/v1/data/tables/${encodeURIComponent(table)}/rows?limit=50`);
  }, [table]);
  const { columns, rows, next } = read;
  return html`<div class="stack close">
    ${why && html`<p>${why}</p>`}
    <div class="scroll tall" tabindex="0" role="region" aria-label=${w.rowsOf(table)}><table>
      <thead><tr>${columns.map((name) => html`<th key=${name} scope="col">${name}</th>`)}</tr></thead>
      <tbody>${rows.map((cells, place) => html`<tr key=${place}>${cells.map((cell, at) => html`<td key=${at}>${cell ?? ""}</td>`)}</tr>`)}</tbody>
    </table></div>
    ${next && html`<div class="row"><${Act} run=${() => more(next)}>${w.moreRows}<//><span class="small soft">${w.shown(count(rows.length))}</span></div>`}
  </div>`;
}
