// Pictures of an answer, as SVG: bars, ranges and slopes. Each has a table beside it that says the same.

import { useId } from "./vendor/hooks.js";
import { html, useWidth } from "./parts.js";
import { count, plain, save, trimmed } from "./format.js";
import { correlated, headline, interval, isStep, slopes, spreads, weights } from "./figures.js";
import { words } from "./words.js";

const w = words.results;
const ROW = 34;
const SCALE = 26;
const WIDE = 640;
/// How wide a letter is at most, nearly.
const LETTER = 7.5;

/// One bar, range or point for each row, over a scale: { label, value, low, high, text, point }. A row without a value is
/// not told, or so many.
export function Bars({ rows, title }) {
  const id = useId();
  const [width, place] = useWidth(WIDE);
  const longest = Math.max(...rows.map((row) => clipped(row.label).length));
  const label = Math.min(width * 0.4, 18 + longest * 8);
  const room = width - label - Math.max(72, ...rows.map(({ text }) => 20 + (text?.length ?? 0) * LETTER));
  const told = rows.filter((row) => row.value !== null);
  const ends = told.flatMap((row) => [row.value, row.low ?? row.value, row.high ?? row.value]);
  const [low, most] = [Math.min(0, ...ends), Math.max(0, ...ends)];
  const high = most > low ? most : 1;
  const marks = scale(low, high, room / 70);
  const x = (value) => label + ((value - low) / (high - low)) * room;
  const height = rows.length * ROW + 4;
  return html`<figure ref=${place}>
    <svg class="chart" viewBox=${`0 0 ${width} ${height + SCALE}`} role="img" aria-labelledby=${id}>
      <title id=${id}>${title}</title>
      ${told.length > 0 && marks.map(({ at, text }) => html`<line key=${at} class=${at === 0 ? "axis zero" : "axis"} x1=${x(at)} x2=${x(at)} y1="0" y2=${height + 2} />
        <text key=${`${at} text`} class="quiet" x=${x(at)} y=${height + 18} text-anchor="middle">${text}</text>`)}
      ${rows.map((row, number) => {
        const y = number * ROW + 6;
        const middle = y + ROW / 2 - 5;
        const [from, to] = [x(row.base ?? 0), x(row.value ?? 0)].sort((a, b) => a - b);
        return html`<g key=${number}>
          <text x=${label - 12} y=${middle + 4} text-anchor="end">${clipped(row.label)}</text>
          ${row.value === null
            ? html`<rect class="gone" x=${label + 1} y=${y + 3} width=${room + 64} height=${ROW - 16} rx="4" /><text class="quiet" x=${label + 12} y=${middle + 4}>${row.text ?? w.withheld}</text>`
            : html`${row.point ? html`<circle class="fill" cx=${x(row.value)} cy=${middle} r="6" />` : html`<rect class="fill" x=${from} y=${y} width=${Math.max(2, to - from)} height=${ROW - 10} rx="4" />`}
                ${row.low !== undefined && html`<path class="whisker" fill="none" d=${`M${x(row.low)} ${middle}H${x(row.high)}M${x(row.low)} ${middle - 5}v10M${x(row.high)} ${middle - 5}v10`} />`}
                <text x=${Math.max(x(row.high ?? row.value), to, x(0)) + 10} y=${middle + 4}>${row.text}</text>`}
        </g>`;
      })}
    </svg>
  </figure>`;
}

/// Round numbers between the ends, of which 0 is one or between them, about as many as there is room for.
export function scale(low, high, most) {
  const rough = (high - low) / Math.max(2, Math.min(6, most));
  const power = 10 ** Math.floor(Math.log10(rough));
  let step = [1, 2, 5, 10].map((times) => times * power).find((step) => step >= rough * 0.999);
  if (step > Math.max(-low, high)) step /= 2;
  const digits = String(Number(step.toPrecision(3))).split(".")[1]?.length ?? 0;
  const [first, last] = [Math.ceil(low / step - 1e-9), Math.floor(high / step + 1e-9)];
  const shown = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return Array.from({ length: last - first + 1 }, (_, place) => ({ at: (first + place) * step, text: ((first + place) * step || 0).toLocaleString(undefined, shown) }));
}

const clipped = (label) => (label.length > 24 ? `${label.slice(0, 23)}…` : label);

/// Who took part, as one bar.
export function Taking({ details }) {
  const { included, declined, away, refused } = details;
  const parts = [
    ["yes", included, w.included(included)],
    ["no", declined, w.declined(declined)],
    ["away", away, w.away(away)],
  ];
  const asked = included + declined + away + refused;
  return html`<div class="stack close">
    <div class="bar" aria-hidden="true">${parts.map(([kind, number]) => number > 0 && html`<i key=${kind} class=${kind} style=${{ width: `${(100 * number) / (asked || 1)}%` }}></i>`)}</div>
    <ul class="legend"><li>${w.wereAsked(asked)}:</li>${parts.map(([kind, , text]) => html`<li key=${kind}><i class=${kind} aria-hidden="true"></i>${text}</li>`)}
      ${refused > 0 && html`<li>${w.dropped(refused)}</li>`}</ul>
  </div>`;
}

/// So many that are not told, one after the other, are drawn as one.
const RUN_MIN = 4;
const RANGE = /^(-?[\d.]+)\s*(?:to|…|-|–)\s*(-?[\d.]+)$/;
/// Of several, the intercept is of another size than the slopes, and in the table.
const ofOneSize = (all) => (all.length > 1 ? all.filter(({ name }) => !name.endsWith("intercept")) : all);

/// What an answer says, as pictures with rows of one kind: a number for each group or part, or slopes with intervals.
export function pictures(details) {
  return details.groups.length ? ofGroups(details) : ofAll(details);
}

function ofGroups(details) {
  const { groups } = details;
  const label = ({ labels }) => labels.join(", ");
  const first = groups.find(({ figures }) => figures)?.figures?.[0];
  if (groups.some((group) => interval(group.figures, group.people))) {
    const means = groups.map((group) => ({ label: label(group), value: null, ...(interval(group.figures, group.people) ?? meanOf(group)) }));
    return [
      { title: w.spreadByGroup, rows: shortened(spreads(details).map((group) => row(label(group), group.value))) },
      { title: w.byGroup(w.meanColumn), rows: shortened(means), note: w.interval },
    ];
  }
  const rows = groups.map((group) => {
    const figure = group.figures?.find((one) => one.name === first?.name && one.value !== null);
    return row(label(group), figure?.value ?? (first || group.people === null ? null : String(group.people)));
  });
  return [{ title: first ? w.byGroup(first.name) : w.peopleByGroup, rows: shortened(rows) }];
}

function ofAll(details) {
  const { figures, mean, count: people } = details;
  if (isStep(details)) return [{ title: w.weights, rows: ofOneSize(weights(details)).map(({ name, value }) => row(name, value)) }];
  const fitted = ofOneSize(slopes(details));
  if (fitted.length) return [{ title: w.slopes, rows: fitted.map(({ name, ...of }) => ({ label: name, point: true, ...of })), note: w.slopesNote }];
  const parts = figures.filter(({ exactness, name }) => exactness === "withheld" || (exactness === "exact" && !["total", "mean", "count"].includes(name)));
  if (parts.length) return [{ title: w.peopleByGroup, rows: shortened(parts.map((part) => row(part.name, part.value))) }];
  const around = interval(figures, people);
  if (around) return [{ title: w.single, rows: [{ label: w.meanColumn, ...around }], note: w.interval, single: true }];
  if (mean !== null) return [{ title: w.single, rows: [row(w.meanColumn, mean)], single: true }];
  const [first] = figures;
  const together = correlated(details);
  if (together) return [{ title: w.single, rows: [{ label: w.correlation, point: true, text: trimmed(first.value), ...together }], single: true }];
  const [shown] = headline(details);
  if (first && (first.value === null || trimmed(first.value) !== shown)) return [];
  return [{ title: w.single, rows: [first ? row(first.name, first.value) : row(w.peopleColumn, String(people))], single: true }];
}

/// Where nothing is told of many in a row, one line says so.
function shortened(rows) {
  const runs = rows.reduce((runs, row) => {
    const last = runs.at(-1);
    if (row.value === null && last?.[0].value === null) last.push(row);
    else runs.push([row]);
    return runs;
  }, []);
  return runs.flatMap((run) => {
    if (run.length < RUN_MIN) return run;
    const [from, to] = [run[0], run.at(-1)].map(({ label }) => RANGE.exec(label));
    return [{ label: from && to ? w.fromTo(from[1], to[2]) : w.groupsTogether(run.length), value: null, text: w.withheldEach, many: run.length }];
  });
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

/// Pixels of a file for each of the page.
const SHARP = 2;
const MARGIN = 24;
const LINE = 22;

/// Pictures as one file that tells what they are: under a title and what was asked of whom and when, each with its own.
export async function png({ title, lines, parts }, name) {
  const style = getComputedStyle(document.documentElement);
  const colour = (of) => style.getPropertyValue(`--${of}`);
  const images = await Promise.all(parts.map(({ svg }) => painted(svg)));
  const width = Math.max(WIDE, ...images.map((image) => image.width));
  const canvas = document.createElement("canvas");
  const paint = canvas.getContext("2d");
  const font = (size, weight, of) => (paint.font = `${weight} ${size}px ${style.getPropertyValue(of) || "sans-serif"}`);
  const writings = [];
  let y = MARGIN;
  const write = (text, size, weight, of, ink) => {
    for (const line of wrapped(text, width, () => font(size, weight, of), paint)) {
      y += size * 1.35;
      writings.push({ line, y: y - size * 0.35, set: () => font(size, weight, of), ink });
    }
  };
  write(title, 22, 600, "--serif", "ink");
  for (const line of lines) write(line, 14, 400, "--sans", "soft");
  const places = parts.map(({ title, note }, at) => {
    y += LINE;
    write(title, 15, 600, "--sans", "ink");
    y += 8;
    const top = y;
    y += images[at].height;
    if (note) write(note, 13, 400, "--sans", "soft");
    return top;
  });
  Object.assign(canvas, { width: (width + 2 * MARGIN) * SHARP, height: (y + MARGIN) * SHARP });
  paint.scale(SHARP, SHARP);
  paint.fillStyle = colour("card");
  paint.fillRect(0, 0, width + 2 * MARGIN, y + MARGIN);
  for (const { line, y, set, ink } of writings) {
    set();
    paint.fillStyle = colour(ink);
    paint.fillText(line, MARGIN, y);
  }
  images.forEach((image, at) => paint.drawImage(image, MARGIN, places[at], image.width, image.height));
  save(name, await new Promise((done) => canvas.toBlob(done, "image/png")));
}

/// A text in lines that are not wider than this.
function wrapped(text, width, set, paint) {
  set();
  const lines = [""];
  for (const word of plain(text).split(" ")) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (lines.at(-1) && paint.measureText(longer).width > width) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines;
}

/// A picture of the page with its colours written into it, as an image of the same size.
async function painted(svg) {
  const copy = svg.cloneNode(true);
  const from = [svg, ...svg.querySelectorAll("*")];
  [copy, ...copy.querySelectorAll("*")].forEach((element, place) => {
    const style = getComputedStyle(from[place]);
    for (const property of ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "font-size", "font-family", "font-weight"]) {
      element.setAttribute(property, style.getPropertyValue(property));
    }
  });
  const { width, height } = svg.viewBox.baseVal;
  Object.entries({ width: width * SHARP, height: height * SHARP, xmlns: "http://www.w3.org/2000/svg" }).forEach(([name, value]) => copy.setAttribute(name, value));
  const address = URL.createObjectURL(new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" }));
  try {
    const image = new Image(width, height);
    image.src = address;
    await image.decode();
    return image;
  } finally {
    URL.revokeObjectURL(address);
  }
}
