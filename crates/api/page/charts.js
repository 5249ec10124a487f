// Pictures of an answer, as SVG: bars, ranges and slopes. Each has a table beside it that says the same.

import { useEffect, useId, useRef, useState } from "./vendor/hooks.js";
import { html } from "./parts.js";
import { count, save, trimmed } from "./format.js";
import { headline, interval } from "./figures.js";
import { words } from "./words.js";

const ROW = 34;
const WIDE = 640;

/// One bar or range for each row: { label, value, low, high, text }. A row without a value is not told.
export function Bars({ rows, title }) {
  const id = useId();
  const place = useRef(null);
  const [width, setWidth] = useState(WIDE);
  useEffect(() => {
    // As wide as its place, so that its letters are as large as all others.
    const watch = new ResizeObserver(([{ contentRect }]) => setWidth(Math.max(240, Math.floor(contentRect.width))));
    watch.observe(place.current);
    return () => watch.disconnect();
  }, []);
  const longest = Math.max(...rows.map((row) => clipped(row.label).length));
  const label = Math.min(width * 0.4, 18 + longest * 8);
  const room = width - label - 92;
  const told = rows.filter((row) => row.value !== null);
  const ends = told.flatMap((row) => [row.value, row.low ?? row.value, row.high ?? row.value]);
  const [low, high] = [Math.min(0, ...ends), Math.max(0, ...ends)];
  const x = (value) => label + ((value - low) / (high - low || 1)) * room;
  const height = rows.length * ROW + 8;
  return html`<figure ref=${place}>
    <svg class="chart" viewBox=${`0 0 ${width} ${height}`} role="img" aria-labelledby=${id}>
      <title id=${id}>${title}</title>
      <line class="axis" x1=${x(0)} x2=${x(0)} y1="0" y2=${height - 4} />
      ${rows.map((row, number) => {
        const y = number * ROW + 6;
        const middle = y + ROW / 2 - 5;
        const [from, to] = [x(row.base ?? 0), x(row.value ?? 0)].sort((a, b) => a - b);
        return html`<g key=${row.label}>
          <text x=${label - 12} y=${middle + 4} text-anchor="end">${clipped(row.label)}</text>
          ${row.value === null
            ? html`<rect class="gone" x=${label + 1} y=${y + 3} width=${room + 64} height=${ROW - 16} rx="4" /><text class="quiet" x=${label + 12} y=${middle + 4}>${words.results.withheld}</text>`
            : html`<rect class="fill" x=${from} y=${y} width=${Math.max(2, to - from)} height=${ROW - 10} rx="4" />
                ${row.low !== undefined && html`<path class="whisker" fill="none" d=${`M${x(row.low)} ${middle}H${x(row.high)}M${x(row.low)} ${middle - 5}v10M${x(row.high)} ${middle - 5}v10`} />`}
                <text x=${Math.max(x(row.high ?? row.value), to, x(0)) + 10} y=${middle + 4}>${row.text}</text>`}
        </g>`;
      })}
    </svg>
  </figure>`;
}

const clipped = (label) => (label.length > 24 ? `${label.slice(0, 23)}…` : label);

/// Who took part, as one bar.
export function Taking({ details }) {
  const { included, declined, away, refused } = details;
  const parts = [
    ["yes", included, words.results.included(included)],
    ["no", declined, words.results.declined(declined)],
    ["away", away, words.results.away(away)],
  ];
  const asked = included + declined + away + refused;
  return html`<div class="stack close">
    <div class="bar" aria-hidden="true">${parts.map(([kind, number]) => number > 0 && html`<i key=${kind} class=${kind} style=${{ width: `${(100 * number) / (asked || 1)}%` }}></i>`)}</div>
    <ul class="legend"><li>${words.results.wereAsked(asked)}:</li>${parts.map(([kind, , text]) => html`<li key=${kind}><i class=${kind} aria-hidden="true"></i>${text}</li>`)}
      ${refused > 0 && html`<li>${words.results.dropped(refused)}</li>`}</ul>
  </div>`;
}

const RANGE = /^(-?[\d.]+)\s*(?:to|…|-|–)\s*(-?[\d.]+)$/;

/// What an answer says, as rows of one kind: a number for each group or part, or slopes with their errors.
export function rowsOf(details) {
  const { figures, groups, mean, count: people } = details;
  if (groups.some((group) => interval(group.figures, group.people))) {
    const rows = groups.map((group) => ({ label: group.labels.join(", "), value: null, ...(interval(group.figures, group.people) ?? meanOf(group)) }));
    return { title: words.results.byGroup(words.results.meanColumn), rows, interval: true };
  }
  if (groups.length) {
    const first = groups.find((group) => group.figures)?.figures?.[0];
    const rows = groups.map((group) => {
      const figure = group.figures?.find((one) => one.name === first?.name && one.value !== null);
      const shown = figure?.value ?? (group.people === null ? null : String(group.people));
      return row(group.labels.join(", "), shown);
    });
    return { title: first ? words.results.byGroup(first.name) : words.results.peopleByGroup, rows };
  }
  const errors = new Map(figures.filter((f) => f.name.startsWith("standard error of ")).map((f) => [f.name.slice(18), Number(f.value)]));
  // Of a logistic regression, the weight that its step leads to.
  const errorOf = ({ name }) => errors.get(name.replace(/^next weight of /, ""));
  if (errors.size) {
    const all = figures.filter((figure) => errorOf(figure) !== undefined && figure.value !== null);
    // The intercept is of another size than the slopes, and in the table.
    const slopes = all.length > 1 ? all.filter((figure) => !figure.name.endsWith("intercept")) : all;
    const rows = slopes.map((figure) => {
      const error = 1.96 * errorOf(figure);
      const value = Number(figure.value);
      return { label: figure.name, value, low: value - error, high: value + error, text: trimmed(figure.value) };
    });
    return { title: words.results.slopes, rows, interval: true };
  }
  const parts = figures.filter((figure) => figure.exactness === "withheld" || (figure.exactness === "exact" && !["total", "mean", "count"].includes(figure.name)));
  if (parts.length > 1) return { title: words.results.peopleByGroup, rows: parts.map((part) => row(part.name, part.value)) };
  const around = interval(figures, people);
  if (around) return { title: words.results.single, rows: [{ label: words.results.meanColumn, ...around }], interval: true, single: true };
  const [first] = figures;
  const [shown] = headline(details);
  if (mean !== null) return { title: words.results.single, rows: [row(words.results.meanColumn, mean)], single: true };
  if (first && (first.value === null || trimmed(first.value) !== shown)) return null;
  return { title: words.results.single, rows: [first ? row(first.name, first.value) : row(words.results.counted(people), String(people))], single: true };
}

/// Of a group in which too few people are for an interval.
function meanOf({ figures }) {
  const mean = figures?.find((figure) => figure.name === "mean")?.value ?? null;
  return mean === null ? {} : { value: Number(mean), text: trimmed(mean) };
}

function row(label, shown) {
  if (shown === null) return { label, value: null };
  const range = RANGE.exec(shown);
  if (range) return { label, value: Number(range[2]), base: Number(range[1]), text: shown };
  const value = Number(shown);
  return Number.isNaN(value) ? { label, value: 0, text: shown } : { label, value, text: /^-?\d+$/.test(shown) ? count(shown) : trimmed(shown) };
}

/// The picture as a file: a copy with its colours written into it, on a background of the page's.
export async function png(svg, name) {
  const copy = svg.cloneNode(true);
  const from = [svg, ...svg.querySelectorAll("*")];
  [copy, ...copy.querySelectorAll("*")].forEach((element, place) => {
    const style = getComputedStyle(from[place]);
    for (const property of ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "font-size", "font-family", "font-weight"]) {
      element.setAttribute(property, style.getPropertyValue(property));
    }
  });
  const { width, height } = svg.viewBox.baseVal;
  copy.setAttribute("width", width * 2);
  copy.setAttribute("height", height * 2);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const address = URL.createObjectURL(new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: width * 2 + 64, height: height * 2 + 64 });
    const paint = canvas.getContext("2d");
    paint.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--card");
    paint.fillRect(0, 0, canvas.width, canvas.height);
    paint.drawImage(image, 32, 32, width * 2, height * 2);
    save(name, await new Promise((done) => canvas.toBlob(done, "image/png")));
  } finally {
    URL.revokeObjectURL(address);
  }
}
