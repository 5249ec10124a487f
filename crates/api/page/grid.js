// A picture of an answer by groups of two numbers, such as latitude and longitude: cells on a plane, without a map under it.

import { useId } from "./vendor/hooks.js";
import { html, useWidth } from "./parts.js";
import { count, trimmed } from "./format.js";
import { words } from "./words.js";

const w = words.results;
const HIGH = 420;
const LEFT = 76;
const BELOW = 44;
const BUCKET = /^BUCKET\("?(.+?)"?, ([\d.]+)\)$/;
const RANGE = /^(-?[\d.]+) to (-?[\d.]+)$/;
const NORTH = /lat/i;
const EAST = /lon|lng/i;

/// The cells of an answer by just two groupings into buckets, with those around whom something is told; else nothing.
export function gridOf({ groupings, groups }) {
  const axes = groupings.map((grouping) => BUCKET.exec(grouping));
  if (axes.length !== 2 || !axes.every(Boolean)) return null;
  const [first, second] = axes.map(([, name, width]) => ({ name, width: Number(width) }));
  // What lies north goes up, on a map as elsewhere the second one.
  const turned = NORTH.test(first.name) && EAST.test(second.name);
  const [x, y] = turned ? [second, first] : [first, second];
  const figure = groups.find((group) => group.figures)?.figures[0];
  const cells = groups.map(({ labels, people, figures }) => {
    // The buckets at the ends are cut off where the column's range ends: the middle says which one it is.
    const places = labels.map((label, axis) => {
      const found = RANGE.exec(label);
      const [low, high] = found ? [Number(found[1]), Number(found[2])] : [Number(label), Number(label)];
      return Math.floor((low + high) / 2 / (axis === 0 ? first : second).width);
    });
    const shown = figures?.find((one) => one.name === figure?.name)?.value ?? (people === null ? null : String(people));
    const [across, up] = turned ? [places[1], places[0]] : places;
    return { across, up, shown, value: shown === null ? null : Number(shown), label: labels.join(", ") };
  });
  const told = cells.filter(({ value }) => value !== null && !Number.isNaN(value) && value !== 0);
  if (told.length === 0) return null;
  const span = (of) => [Math.min(...told.map(of)) - 1, Math.max(...told.map(of)) + 1];
  const [columns, rows] = [span((cell) => cell.across), span((cell) => cell.up)];
  const near = cells.filter(({ across, up }) => across >= columns[0] && across <= columns[1] && up >= rows[0] && up <= rows[1]);
  const middle = ((rows[0] + rows[1] + 1) / 2) * y.width;
  const isMap = NORTH.test(y.name) && EAST.test(x.name);
  // A degree to the east is drawn as much shorter as it is there.
  const shape = isMap ? (x.width * Math.cos((middle * Math.PI) / 180)) / y.width : 1;
  return { x, y, cells: near, columns, rows, shape, title: figure ? w.byGroup(figure.name) : w.peopleByGroup };
}

/// As many shades as can be told apart.
const SHADES = 5;

export function Grid({ grid, title }) {
  const id = useId();
  const [wide, place] = useWidth(640);
  const { x, y, cells, columns, rows, shape } = grid;
  const [across, up] = [columns[1] - columns[0] + 1, rows[1] - rows[0] + 1];
  const tall = Math.min(HIGH / up, (wide - LEFT - 8) / across / shape, 72);
  const broad = tall * shape;
  const [width, height] = [across * broad, up * tall];
  const values = cells.map(({ value }) => value).filter((value) => value !== null);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const shade = (value) => (high === low ? SHADES : 1 + Math.floor(((value - low) / (high - low)) * (SHADES - 0.01)));
  const spot = (cell) => ({ x: LEFT + (cell.across - columns[0]) * broad, y: 6 + (rows[1] - cell.up) * tall });
  const roomy = broad > 46 && tall > 22;
  const text = (cell) => (/^\d+$/.test(cell.shown) ? count(cell.shown) : trimmed(cell.shown));
  const end = (number) => trimmed(String(Number(number.toFixed(6))));
  return html`<figure ref=${place} class="stack close">
    <svg class="chart grid" viewBox=${`0 0 ${wide} ${height + BELOW}`} role="img" aria-labelledby=${id}>
      <title id=${id}>${title}</title>
      <rect class="plane" x=${LEFT} y="6" width=${width} height=${height} rx="6" />
      ${cells.map((cell) => {
        const at = spot(cell);
        if (cell.value === null) return html`<rect key=${cell.label} class="gone" x=${at.x + 1} y=${at.y + 1} width=${broad - 2} height=${tall - 2}><title>${cell.label}: ${w.withheld}</title></rect>`;
        return html`<g key=${cell.label}><rect class=${`cell shade-${shade(cell.value)}`} x=${at.x + 1} y=${at.y + 1} width=${broad - 2} height=${tall - 2} rx="3"><title>${cell.label}: ${text(cell)}</title></rect>
          ${roomy && html`<text class=${shade(cell.value) > 3 ? "on" : ""} x=${at.x + broad / 2} y=${at.y + tall / 2 + 5} text-anchor="middle">${text(cell)}</text>`}</g>`;
      })}
      <text class="quiet" x=${LEFT - 8} y="18" text-anchor="end">${end((rows[1] + 1) * y.width)}</text>
      <text class="quiet" x=${LEFT - 8} y=${height + 6} text-anchor="end">${end(rows[0] * y.width)}</text>
      <text class="quiet" x=${LEFT} y=${height + 24}>${end(columns[0] * x.width)}</text>
      <text class="quiet" x=${LEFT + width} y=${height + 24} text-anchor="end">${end((columns[1] + 1) * x.width)}</text>
      <text x=${LEFT} y=${height + 42}>${w.axes(x.name, y.name)}</text>
    </svg>
    <p class="small soft">${low === high ? w.oneShade(trimmed(String(low))) : w.shades(trimmed(String(low)), trimmed(String(high)))}</p>
  </figure>`;
}
