// Writes a question in SQL. The node judges it.

const quoted = (name) => `"${name.replaceAll('"', '""')}"`;
const text = (value) => `'${value.replaceAll("'", "''")}'`;

/// A number as people type it, as SQL has it: with a comma before its decimals if they like; or nothing, if it is none.
/// A comma before three digits could part thousands, so that it could be two numbers.
export function numberOf(typed) {
  const found = /^([-−]?)(\d+)(?:([.,])(\d+))?$/.exec(typed.trim());
  if (!found) return null;
  const [, minus, whole, sign, decimals] = found;
  if (sign === "," && decimals.length === 3) return null;
  return `${minus && "-"}${whole}${decimals ? `.${decimals}` : ""}`;
}

/// As a width must be.
export function widthOf(typed) {
  const width = numberOf(typed);
  return Number(width) > 0 ? width : null;
}

/// Without what stands in quotes.
const bare = (sql) => sql.replace(/'(?:[^']|'')*'|"(?:[^"]|"")*"/g, " ");

/// Whether a question takes all of a person's rows together, in a query in brackets. What stands in quotes is a value or a name.
export const gathers = (sql) => /\bFROM\s*\(/i.test(bare(sql));

/// Most rows of each person that a question with its canonical text takes together, or nothing where it takes one.
export const rowsMost = (sql) => Number(/\bHAVING COUNT\(\*\) <= (\d+)\)/.exec(bare(sql))?.[1]) || null;

/// Statistics that are found from how many people are in each step, and those that multiply numbers of one person.
export const STEPPED = ["HISTOGRAM", "MEDIAN", "TOP"];
export const PAIRS = ["REGR", "CORR"];
const SQUARES = ["STDDEV_SAMP", ...PAIRS];
/// What comes of all of a person's rows is the larger the more there are.
const GROWS = ["SUM", "COUNT"];

const ROWS_MAX = 1_000_000;
/// With more, steps of what grows would be too wide to tell people apart.
const ROWS_STEPPED = 10_000;
const ROWS_FEW = 1000;
const NUMBER_MAX = 2 ** 63;

/// As many rows of each person as the builder's question may take together: as few people as can be are left out. Numbers of
/// one person must fit into 64 bits, and as long as that leaves a thousand rows, so must what the proof multiplies.
export function rowsFitting({ what, each }, columns) {
  const most = GROWS.includes(each) && STEPPED.includes(what) ? ROWS_STEPPED : ROWS_MAX;
  if (!["SUM", "AVG"].includes(each)) return most;
  const far = (rows) => Math.max(...columns.map(({ min, max, decimals }) => rows * Math.max(Math.abs(min), Math.abs(max), max - min) * 10 ** decimals));
  // As the node does: a mean is rounded over twice the sum.
  const fits = (rows) => (each === "AVG" ? 2 * far(rows) + rows : far(rows)) < NUMBER_MAX;
  const proves = (rows) => each === "AVG" || far(rows) ** (SQUARES.includes(what) ? 2 : 1) < NUMBER_MAX;
  const all = [1_000_000, 100_000, 10_000, 1000, 100, 10, 1].filter((rows) => rows <= most && fits(rows));
  return all.find((rows) => rows >= ROWS_FEW && proves(rows)) ?? all[0] ?? 1;
}

/// As many rows as somebody typed, or nothing, if it is no such number.
export function rowsOf(typed) {
  const rows = Number(numberOf(typed));
  return Number.isInteger(rows) && rows >= 1 && rows <= ROWS_MAX ? rows : null;
}

/// What a person's row is called in a query over all rows of each.
const ROWS = "number_of_rows";

/// Writes the question that the builder's fields describe. What is no number stays as it was typed.
export function write({ what, table, column, other, width, conditions, groups, each, most }, columnOf) {
  const named = each === "COUNT" ? ROWS : column;
  const step = width && (numberOf(width) ?? width);
  const bucket = (name, step) => `BUCKET(${quoted(name)}${step ? `, ${step}` : ""})`;
  const arguments_ = {
    COUNT: () => "*",
    HISTOGRAM: () => (step ? `${quoted(named)}, ${step}` : quoted(named)),
    MEDIAN: () => (step ? `${quoted(named)}, ${step}` : quoted(named)),
    TOP: () => `${columnOf(column)?.kind === "category" ? quoted(column) : bucket(named, step)}, 10`,
    REGR: () => `${quoted(column)}, ${quoted(other)}`,
    CORR: () => `${quoted(column)}, ${quoted(other)}`,
  };
  const asked = `${what}(${(arguments_[what] ?? (() => quoted(named)))()})`;
  const tests = conditions.map(({ column, compare, value }) => {
    const number = columnOf(column)?.kind === "number";
    return `${quoted(column)} ${compare} ${number ? (numberOf(value) ?? value) : text(value)}`;
  });
  const from = quoted(table) + (tests.length ? ` WHERE ${tests.join(" AND ")}` : "");
  if (each) {
    const of = PAIRS.includes(what) ? [column, other] : [column];
    const ones = each === "COUNT" ? [`COUNT(*) AS ${quoted(ROWS)}`] : of.map((name) => `${each}(${quoted(name)}) AS ${quoted(name)}`);
    return `SELECT ${asked} FROM (SELECT ${ones.join(", ")} FROM ${from} HAVING COUNT(*) <= ${most})${what === "COUNT" ? ` WHERE ${quoted(named)} >= 1` : ""}`;
  }
  const by = groups.map(({ name, width }) => (columnOf(name)?.kind === "number" ? bucket(name, numberOf(width) ?? width) : quoted(name)));
  return `SELECT ${asked} FROM ${from}${by.length ? ` GROUP BY ${by.join(", ")}` : ""}`;
}
