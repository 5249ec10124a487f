// Writes a question in SQL. The node judges it.

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
  const tests = conditions.map(({ column, compare, value }) => {
    const number = columnOf(column)?.kind === "number";
    return `${quoted(column)} ${compare} ${number ? value : text(value)}`;
  });
  const where = tests.length ? ` WHERE ${tests.join(" AND ")}` : "";
  const by = groups.map(({ name, width }) => (columnOf(name)?.kind === "number" ? `BUCKET(${quoted(name)}, ${width || 1})` : quoted(name)));
  return `SELECT ${asked} FROM ${quoted(table)}${where}${by.length ? ` GROUP BY ${by.join(", ")}` : ""}`;
}
