// Numbers, times and names as people read them.

import { words } from "./words.js";

const SPEAKS = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/// Another member's words, without signs that turn the writing around.
export const plain = (text) => String(text ?? "").replace(SPEAKS, "\ufffd");

/// The first digits of a name.
export const short = (id) => plain(id).slice(0, 8);

/// What a question asks, in a line: as the node has parsed it, or its text where an earlier version of the node had it.
export const gist = (one) => plain(one.about?.title || one.title || one.answer?.details.title || one.sql);

const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
export const time = (secs) => moment.format(secs * 1000);

const second = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
export const exactTime = (secs) => second.format(secs * 1000);

const date = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
export const day = (secs) => date.format(secs * 1000);

const dateUtc = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });
/// A day by universal time, counted from 1970: the vault's days are these, wherever one is.
export const calendarDay = (number) => dateUtc.format(number * 86_400_000);

/// How long, in the two largest units.
export function span(secs) {
  const { day, hour, minute, second } = words.units;
  const parts = [
    [Math.floor(secs / 86_400), day],
    [Math.floor(secs / 3600) % 24, hour],
    [Math.floor(secs / 60) % 60, minute],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return second(Math.max(0, Math.floor(secs)));
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => unit(count))
    .join(" ");
}

export function bytes(count) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  let rest = count;
  while (rest >= 1024 && unit < units.length - 1) {
    rest /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? rest : rest.toFixed(1)} ${units[unit]}`;
}

export const count = (number) => Number(number).toLocaleString();

/// Decimals that the node wrote, without zeros at their ends.
export const trimmed = (number) =>
  number.replace(/\.\d+/g, (digits) => digits.replace(/\.?0+$/, ""));

/// A chance: 1 in how many.
export function chance(value) {
  if (value === 0) return words.chance.never;
  if (value >= 0.5) return words.chance.percent(Math.round(value * 100));
  if (value >= 1e-4) return words.chance.oneIn(count(Math.round(1 / value)));
  return words.chance.power(Math.floor(-Math.log10(value)));
}

/// A number, or from one to another: these begin with a minus and are no formulas.
const NUMBERS = /^-?[\d.]+( to -?[\d.]+)?$/;

/// A table as a file that spreadsheets read. A cell that would be a formula is text.
export function csv(rows) {
  const cell = (value) => {
    const text = String(value ?? "");
    const safe = /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) && !NUMBERS.test(text) ? `'${text}` : text;
    return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return rows.map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
}

/// Hands a file to the person.
export function save(name, content, type = "text/csv") {
  const blob = content instanceof Blob ? content : new Blob([content], { type });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
