// What one's data look like: days, places, and the rows themselves.

import { useEffect, useState } from "../vendor/hooks.js";
import { Act, Card, Loading, Mistake, html } from "../parts.js";
import { holdings, now } from "../state.js";
import { Heat, Last, Months } from "../pictures.js";
import { Dots } from "../places.js";
import { call, part } from "../node.js";
import { calendarDay, count, exactTime } from "../format.js";
import { words } from "../words.js";
import { Choose } from "./asking.js";

const w = words.pictures;
const LAST_DAYS = 90;

/// Read anew whenever what the vault holds has changed: what was found, or why nothing was.
function useRead(path, holds) {
  const [read, setRead] = useState({});
  const held = JSON.stringify(holdings.value);
  useEffect(() => {
    let gone = false;
    if (holds) call("GET", path).then((found) => gone || setRead({ path, found }), (why) => gone || setRead({ path, why }));
    else setRead({});
    return () => (gone = true);
  }, [held, path, holds]);
  return read.path === path ? read : {};
}

const DAY = 86_400;
const yearOf = (secs) => new Date(secs * 1000).getUTCFullYear();
const firstOf = (year) => Date.UTC(year, 0, 1) / 1000 / DAY;

export function Pictures() {
  const tables = holdings.value?.tables ?? [];
  const dated = tables.filter(({ first_at: first, computed, of_community: theirs }) => first !== null && !computed && !theirs);
  const { found: places } = useRead("/v1/data/places", tables.some(({ name }) => name === "positions"));
  return html`${dated.length > 0 && html`<${Days} tables=${dated} />`}
    ${places?.places.length > 0 && html`<${Card} title=${w.places}><p class="soft">${w.placesLead}</p><${Dots} places=${places.places} all=${places.count} /><//>`}`;
}

/// The year up to now and its last days, or a year of the calendar.
function Days({ tables }) {
  const [chosen, setChosen] = useState("");
  const [year, setYear] = useState("");
  const known = tables.some(({ name }) => name === chosen) ? chosen : "";
  const latest = useRead("/v1/data/calendar", true);
  const whole = useRead(`/v1/data/calendar?from=${firstOf(Number(year))}&to=${firstOf(Number(year) + 1) - 1}`, year !== "");
  const { found: shown, why } = year === "" ? latest : whole;
  const first = yearOf(Math.min(...tables.map(({ first_at: at }) => at)));
  const last = yearOf(Math.max(...tables.map(({ last_at: at }) => at)));
  const years = [...Array(last - first + 1).keys()].map((back) => [String(last - back), String(last - back)]);
  return html`<${Card} title=${w.days}>
    <p class="soft">${w.daysLead}</p>
    <div class="fields">
      ${tables.length > 1 && html`<${Choose} label=${w.which} value=${known} set=${setChosen} of=${[["", w.all], ...tables.map(({ name }) => [name, name])]} />`}
      <${Choose} label=${w.year} value=${year} set=${setYear} of=${[["", w.latest], ...years]} />
    </div>
    ${why ? html`<${Mistake} why=${why} />` : !shown ? html`<${Loading} />` : html`<${Heat} from=${shown.from_day} to=${shown.to_day} year=${year} rows=${rowsOf(shown, known)} />
    <${Months} rows=${rowsOf(shown, known)} />`}
    ${shown && year === "" && html`<${Last} to=${shown.to_day} today=${Math.floor(now.value / DAY)} days=${LAST_DAYS} rows=${rowsOf(shown, known)} />`}
  <//>`;
}

/// How many rows of this table, or of all together, fall on each day.
function rowsOf({ tables }, chosen) {
  const rows = new Map();
  for (const { name, days } of tables) {
    if (chosen === "" || name === chosen) for (const { day, rows: number } of days) rows.set(day, (rows.get(day) ?? 0) + number);
  }
  return rows;
}

/// A cell as people read it: moments and days are numbers in the vault.
function readable(cell, column) {
  if (cell === null || cell === "" || Number.isNaN(Number(cell))) return cell ?? "";
  if (column.endsWith("_utc_s")) return html`<time title=${cell}>${exactTime(Number(cell))}</time>`;
  if (column === "day" || column.endsWith("_day")) return html`<time title=${cell}>${calendarDay(Number(cell))}</time>`;
  return cell;
}

/// The rows of a table, some at a time.
export function Rows({ table }) {
  const [read, setRead] = useState({ columns: [], rows: [], next: null });
  const [why, setWhy] = useState(null);
  const more = async (path) => {
    const { list, next } = await part(path);
    setRead((before) => ({ columns: list.columns, rows: before.rows.concat(list.rows), next }));
  };
  useEffect(() => {
    more(`/v1/data/tables/${encodeURIComponent(table)}/rows?limit=50`).catch(setWhy);
  }, [table]);
  const { columns, rows, next } = read;
  return html`<div class="stack close">
    ${why && html`<${Mistake} why=${why} />`}
    <div class="scroll tall" tabindex="0" role="region" aria-label=${w.rowsOf(table)}><table>
      <thead><tr>${columns.map((name) => html`<th key=${name} scope="col">${name}</th>`)}</tr></thead>
      <tbody>${rows.map((cells, place) => html`<tr key=${place}>${cells.map((cell, at) => html`<td key=${at}>${readable(cell, columns[at])}</td>`)}</tr>`)}</tbody>
    </table></div>
    ${next && html`<div class="row"><${Act} run=${() => more(next)}>${w.moreRows}<//><span class="small soft">${w.shown(count(rows.length))}</span></div>`}
  </div>`;
}
