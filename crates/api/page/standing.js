// Which rule of the owner's a question falls under. The node decides; this tells what it would say the next time.

const has = (all, some) => some.every((one) => all.includes(one));

/// Whether a rule is about this question.
function isAbout(rule, { asker, sql, about }) {
  if (rule.asker && rule.asker !== asker) return false;
  if (rule.question && rule.question !== sql) return false;
  if (rule.table && rule.table !== about?.table) return false;
  if (!rule.columns) return true;
  const reads = about?.columns ?? [];
  return rule.says === "yes" ? has(rule.columns, reads) : reads.some((column) => rule.columns.includes(column));
}

/// When the contribution left, from when on it cannot be taken back.
export const leftAt = (entry) => entry.sent_at ?? entry.contributed_at;

/// The rule that holds for questions such as this one: the first on the list that is about it.
export const standing = (entry, { rules }) => rules.find((rule) => isAbout(rule, entry)) ?? null;

/// Which of the four words the owner's last one amounts to: those that are for good are rules.
export function wordOf(entry, rule) {
  if (!["yes", "no"].includes(entry.state)) return null;
  const isForAsker = rule !== null && rule.asker === entry.asker && !rule.table && !rule.columns;
  if (isForAsker && rule.says === "yes" && rule.question && entry.state === "yes") return "always";
  if (isForAsker && rule.says === "no" && !rule.question && entry.state === "no") return "never";
  return entry.by_rule ? null : entry.state;
}
