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

/// Whether a question takes all of a person's rows together, in a query in brackets. What stands in quotes is a value or a name.
export const gathers = (sql) => /\bFROM\s*\(/i.test(sql.replace(/'(?:[^']|'')*'|"(?:[^"]|"")*"/g, " "));

/// What a person's row is called in a query over all rows of each.
const ROWS = "number_of_rows";

/// Writes the question that the builder's fields describe. What is no number stays as it was typed.
export function write({ what, table, column, other, width, conditions, groups, each }, columnOf) {
  const named = each === "COUNT" ? ROWS : column;
  const step = width && (numberOf(width) ?? width);
  const bucket = (name, step) => `BUCKET(${quoted(name)}, ${step || 1})`;
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
    const one = each === "COUNT" ? "COUNT(*)" : `${each}(${quoted(column)})`;
    return `SELECT ${asked} FROM (SELECT ${one} AS ${quoted(named)} FROM ${from})${what === "COUNT" ? ` WHERE ${quoted(named)} >= 1` : ""}`;
  }
  const by = groups.map(({ name, width }) => (columnOf(name)?.kind === "number" ? bucket(name, numberOf(width) ?? width) : quoted(name)));
  return `SELECT ${asked} FROM ${from}${by.length ? ` GROUP BY ${by.join(", ")}` : ""}`;
}
