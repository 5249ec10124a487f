// Reads the canonical text of a question, and writes one. The node judges it; this is only for showing.

import { words } from "./words.js";

const NAME = /"((?:[^"]|"")*)"/g;

/// The text in parts outside quotes and brackets: what is asked, of which table, for whom, by what.
export function read(sql) {
  const cuts = [];
  let depth = 0;
  let quote = "";
  for (let at = 0; at < sql.length; at += 1) {
    const sign = sql[at];
    if (quote) {
      if (sign === quote) quote = "";
    } else if (sign === "'" || sign === '"') quote = sign;
    else if (sign === "(") depth += 1;
    else if (sign === ")") depth -= 1;
    else if (depth === 0) {
      const found = /^ (FROM|WHERE|GROUP BY) /i.exec(sql.slice(at, at + 10));
      if (found) cuts.push([at, found[1].toLowerCase(), at + found[0].length]);
    }
  }
  const parts = { asked: sql.slice(0, cuts[0]?.[0]).replace(/^SELECT /i, "") };
  cuts.forEach(([, name, from], place) => {
    parts[name] = sql.slice(from, cuts[place + 1]?.[0]);
  });
  const names = [...sql.matchAll(NAME)].map((found) => found[1].replaceAll('""', '"'));
  const inner = (parts.from ?? "").startsWith("(");
  const table = inner ? (/ FROM "((?:[^"]|"")*)"/.exec(parts.from)?.[1] ?? "") : (parts.from ?? "").replaceAll('"', "");
  const columns = [...new Set(names)].filter((name) => name !== table);
  const bare = (text) => text?.replace(NAME, (_, name) => name.replaceAll('""', '"'));
  return {
    asked: bare(parts.asked),
    said: inner ? null : said(bare(parts.asked)),
    table,
    columns,
    where: bare(parts.where),
    groups: bare(parts["group by"]),
  };
}

/// A statistic in words, where there are any for it.
function said(asked) {
  const found = /^(\w+)\((.*)\)$/.exec(asked);
  if (!found) return null;
  const [, name, inside] = found;
  const [first, ...rest] = inside.split(",").map((part) => part.trim());
  if (name.toUpperCase() === "COUNT" && first === "*") return words.statistics.people;
  return words.statistics[name.toUpperCase()]?.(first, rest) ?? null;
}

/// What a question asks, in one line.
export function gist(sql) {
  const parts = read(sql);
  const about = parts.said ?? parts.asked;
  const groups = parts.groups?.replace(/BUCKET\(([^,]+), ([^)]+)\)/g, (_, name, width) => words.bucket(name, width));
  return words.gist(about, parts.table, parts.where && plainly(parts.where), groups);
}

/// A condition with words for its signs, outside quotes.
function plainly(condition) {
  const parts = condition.split(/('(?:[^']|'')*')/);
  const told = parts.map((part, place) => (place % 2 ? part : part.replace(/<>|>=|<=|[=<>]|\b(?:AND|OR|NOT)\b/g, (sign) => words.signs[sign])));
  return told.join("");
}

const quoted = (name) => `"${name.replaceAll('"', '""')}"`;
const text = (value) => `'${value.replaceAll("'", "''")}'`;

/// Writes the question that the builder's fields describe.
export function write({ what, table, column, other, width, conditions, groups }, columnOf) {
  const arguments_ = {
    COUNT: () => "*",
    HISTOGRAM: () => (width ? `${quoted(column)}, ${width}` : quoted(column)),
    MEDIAN: () => (width ? `${quoted(column)}, ${width}` : quoted(column)),
    TOP: () => `${columnOf(column)?.kind === "category" ? quoted(column) : `BUCKET(${quoted(column)}, ${width || 1})`}, 10`,
    REGR: () => `${quoted(column)}, ${quoted(other)}`,
    CORR: () => `${quoted(column)}, ${quoted(other)}`,
  };
  const asked = `${what}(${(arguments_[what] ?? (() => quoted(column)))()})`;
  const tests = conditions
    .filter((condition) => condition.column && condition.value !== "")
    .map(({ column, compare, value }) => {
      const number = columnOf(column)?.kind === "number";
      return `${quoted(column)} ${compare} ${number ? value : text(value)}`;
    });
  const where = tests.length ? ` WHERE ${tests.join(" AND ")}` : "";
  const by = groups.map(({ name, width }) => (columnOf(name)?.kind === "number" ? `BUCKET(${quoted(name)}, ${width || 1})` : quoted(name)));
  return `SELECT ${asked} FROM ${quoted(table)}${where}${by.length ? ` GROUP BY ${by.join(", ")}` : ""}`;
}
