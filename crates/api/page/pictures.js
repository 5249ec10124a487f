// Pictures of one's own data: a calendar and the last days.

import { useEffect, useId, useRef } from "./vendor/hooks.js";
import { html, useWidth } from "./parts.js";
import { calendarDay, count } from "./format.js";
import { words } from "./words.js";

const w = words.pictures;
const DAY_MS = 86_400_000;
const LEVELS = 4;
const CELL = 15;
const LEFT = 34;
const TOP = 22;

const date = (day) => new Date(day * DAY_MS);
const month = new Intl.DateTimeFormat(undefined, { month: "short", timeZone: "UTC" });
const monthOfYear = new Intl.DateTimeFormat(undefined, { month: "long", year: "numeric", timeZone: "UTC" });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: "short", timeZone: "UTC" });
/// Monday is 0; day 0 was a Thursday.
const placeInWeek = (day) => (((day + 3) % 7) + 7) % 7;

/// From which numbers of rows on each darker colour holds: as many days in each.
function steps(rows) {
  const sorted = [...rows].sort((a, b) => a - b);
  return [...Array(LEVELS - 1).keys()].map((level) => sorted[Math.floor(((level + 1) * sorted.length) / LEVELS)] ?? Infinity);
}

/// A square for each day, a column for each week.
export function Heat({ from, to, year, rows }) {
  const id = useId();
  const place = useRef(null);
  // Where not all of it has room, the latest days are seen first.
  useEffect(() => {
    const figure = place.current;
    const watch = new ResizeObserver(() => (figure.scrollLeft = figure.scrollWidth));
    watch.observe(figure);
    return () => watch.disconnect();
  }, [to]);
  const first = from - placeInWeek(from);
  const weeks = Math.floor((to - first) / 7) + 1;
  const bounds = steps(rows.values());
  const level = (number) => 1 + bounds.filter((bound) => number >= bound).length;
  const days = [...Array(to - from + 1).keys()].map((place) => from + place);
  const starts = days.filter((day) => date(day).getUTCDate() === 1);
  const title = w.heatAlt(rows.size, calendarDay(from), calendarDay(to));
  const heading = year ? w.heatOf(year) : w.heat(calendarDay(from), calendarDay(to));
  return html`<h3>${heading}</h3>
    <figure ref=${place} class="scroll" tabindex="0" role="region" aria-label=${heading}>
    <svg class="chart heat" viewBox=${`0 0 ${LEFT + weeks * CELL} ${TOP + 7 * CELL}`} style=${{ minWidth: `${(LEFT + weeks * CELL) * 0.72}px` }} role="img" aria-labelledby=${id}>
      <title id=${id}>${title}</title>
      ${starts.map((day) => html`<text key=${day} class="quiet" x=${LEFT + Math.floor((day - first) / 7) * CELL} y="13">${month.format(date(day))}</text>`)}
      ${[0, 2, 4].map((place) => html`<text key=${place} class="quiet" x="0" y=${TOP + place * CELL + 11}>${weekday.format(date(first + place))}</text>`)}
      ${days.map((day) => {
        const number = rows.get(day) ?? 0;
        const x = LEFT + Math.floor((day - first) / 7) * CELL;
        return html`<rect key=${day} class=${`day level-${number ? level(number) : 0}`} x=${x} y=${TOP + placeInWeek(day) * CELL} width=${CELL - 3} height=${CELL - 3} rx="3"><title>${calendarDay(day)}: ${w.rows(number)}</title></rect>`;
      })}
    </svg>
    </figure>
    <p class="row small soft heat-key" aria-hidden="true">${w.less}<span class="row tight">${[...Array(LEVELS + 1).keys()].map((one) => html`<svg key=${one} viewBox="0 0 12 12"><rect class=${`day level-${one}`} width="12" height="12" rx="3" /></svg>`)}</span>${w.more}</p>`;
}

/// The months of a calendar as a table: the same for those who see no colours.
export function Months({ rows }) {
  const months = new Map();
  for (const [day, number] of [...rows].sort(([a], [b]) => b - a)) {
    const name = monthOfYear.format(date(day));
    const known = months.get(name) ?? { days: 0, rows: 0 };
    months.set(name, { days: known.days + 1, rows: known.rows + number });
  }
  return html`<details><summary>${w.asTable}</summary><div class="scroll"><table>
    <thead><tr><th scope="col">${w.month}</th><th scope="col" class="number">${w.daysHead}</th><th scope="col" class="number">${w.rowsHead}</th></tr></thead>
    <tbody>${[...months].map(([name, one]) => html`<tr key=${name}><th scope="row">${name}</th><td class="number">${one.days}</td><td class="number">${count(one.rows)}</td></tr>`)}</tbody>
  </table></div></details>`;
}

const HIGH = 120;

/// A bar for each of the last days.
export function Last({ to, today, days, rows }) {
  const id = useId();
  const [wide, place] = useWidth(640);
  const from = to - days + 1;
  const most = Math.max(1, ...[...Array(days).keys()].map((day) => rows.get(from + day) ?? 0));
  const step = (wide - 8) / days;
  const marks = [0, Math.floor(days / 2), days - 1];
  return html`<h3>${to === today ? w.last(days) : w.lastUntil(days, calendarDay(to))}</h3>
  <figure ref=${place}>
    <svg class="chart" viewBox=${`0 0 ${wide} ${HIGH + 40}`} role="img" aria-labelledby=${id}>
      <title id=${id}>${w.lastAlt(days, calendarDay(from), calendarDay(to), count(most))}</title>
      <text class="quiet" x="0" y="12">${w.rows(most)}</text>
      <line class="axis" x1="0" x2=${wide} y1="18" y2="18" /><line class="axis" x1="0" x2=${wide} y1=${HIGH + 18} y2=${HIGH + 18} />
      ${[...Array(days).keys()].map((place) => {
        const number = rows.get(from + place) ?? 0;
        const high = (number / most) * HIGH;
        return number > 0 && html`<rect key=${place} class="fill" x=${4 + place * step + step * 0.12} y=${18 + HIGH - Math.max(2, high)} width=${step * 0.76} height=${Math.max(2, high)} rx=${Math.min(3, step * 0.3)}><title>${calendarDay(from + place)}: ${w.rows(number)}</title></rect>`;
      })}
      ${marks.map((place, at) => html`<text key=${place} class="quiet" x=${at === 0 ? 0 : at === 1 ? wide / 2 : wide} y=${HIGH + 36} text-anchor=${["start", "middle", "end"][at]}>${calendarDay(from + place)}</text>`)}
    </svg>
  </figure>`;
}
