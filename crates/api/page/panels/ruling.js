// What a rule says, in words.

import { gist, plain, short } from "../format.js";
import { call } from "../node.js";
import { inbox, learn, questions, refresh } from "../state.js";
import { words } from "../words.js";

const r = words.rules;

/// A question as people know it, where one with this text is known.
function known(sql) {
  const same = [...(inbox.value ?? []), ...(questions.value ?? [])].find((one) => one.sql === sql);
  return same ? `“${gist(same)}”` : plain(sql);
}

/// What a rule is about.
export function ruleAbout({ says, asker, table, columns, question }) {
  const parts = [
    asker && r.about.asker(short(asker)),
    table && r.about.table(table),
    columns && (says === "yes" ? r.about.yesColumns : r.about.noColumns)(columns),
    question && r.about.question(known(question)),
  ];
  return `${r.to} ${parts.filter(Boolean).join(", ")}`;
}

/// Takes a rule back.
export async function revokeRule({ number }) {
  learn("rules", await call("DELETE", `/v1/rules/${number}`));
  refresh("status", "inbox");
}

/// All of it, in a line.
export const ruleText = (rule) => `${r.says[rule.says]} ${ruleAbout(rule)}.`;
