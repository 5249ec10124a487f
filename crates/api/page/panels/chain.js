// All that happened to one's consent: a log to which entries are only ever added.

import { useEffect, useState } from "../vendor/hooks.js";
import { Act, Card, Icon, html, wrong } from "../parts.js";
import { count, csv, gist, plain, save, short, time } from "../format.js";
import { inbox, questions, rules, status } from "../state.js";
import { call, part } from "../node.js";
import { words } from "../words.js";

const w = words.chain;
const AT_ONCE = 30;

/// The latest entries first, older ones on demand; read anew when something was decided.
export function Chain() {
  const [read, setRead] = useState(null);
  const [why, setWhy] = useState("");
  const changed = JSON.stringify([rules.value, status.value.questions, status.value.budget, (inbox.value ?? []).map(({ id, state, sent_at: at }) => [id, state, at])]);
  useEffect(() => {
    call("GET", `/v1/consent?limit=${AT_ONCE}`).then((log) => setRead({ ...log, entries: log.entries.reverse() }), (problem) => setWhy(wrong(problem)));
  }, [changed]);
  if (!read) return why && html`<${Card} title=${w.title}><p>${why}</p><//>`;
  if (read.count === 0) return null;
  const oldest = read.entries.at(-1)?.number ?? 1;
  const older = async () => {
    const from = Math.max(1, oldest - AT_ONCE);
    const { entries } = await call("GET", `/v1/consent?from=${from}&limit=${oldest - from}`);
    setRead({ ...read, entries: read.entries.concat(entries.reverse()) });
  };
  return html`<${Card} title=${w.title} aside=${html`<${Act} run=${exported}><${Icon} name="save" />${words.consent.csv}<//>`}>
    <p class="soft">${w.lead}</p>
    <div class="scroll" tabindex="0" role="region" aria-label=${w.title}><table class="told">
      <thead><tr><th scope="col">${w.number}</th><th scope="col">${words.consent.when}</th><th scope="col">${w.what}</th></tr></thead>
      <tbody>${read.entries.map(({ number, entry }) => html`<tr key=${number}>
        <td>${number}</td>
        <td class="moment">${time(entry.at)}</td>
        <td><span class=${`chip ${MARKS[entry.step] ?? ""}`}>${w.steps[entry.step]}</span> ${worded(entry.text)}
          ${entry.question && html`<br /><a class="small" href=${`#/questions/${entry.question}`}>${w.question(short(entry.question))}</a>`}</td>
      </tr>`)}</tbody>
    </table></div>
    ${oldest > 1 && html`<div class="row"><${Act} run=${older}>${words.older}<//><span class="small soft">${w.shown(count(read.entries.length), count(read.count))}</span></div>`}
    <p class="small soft">${w.digest} <code>${read.digest}</code></p>
  <//>`;
}

/// With questions that are known in plain words.
function worded(text) {
  const known = [...(inbox.value ?? []), ...(questions.value ?? [])].filter(({ sql }) => text.includes(sql)).sort((a, b) => b.sql.length - a.sql.length)[0];
  return known ? plain(text).replace(plain(known.sql), () => `“${gist(known)}”`) : plain(text);
}

const MARKS = { sent: "leaf", taken: "leaf", revoked: "clay", rule_taken_back: "clay", over_budget: "clay" };

/// All of it, however long.
async function exported() {
  const rows = [["number", "time", "step", "question", "asker", "sql", "purpose", "rule", "text", "digest"]];
  for (let next = "/v1/consent?from=1"; next; ) {
    const { list, next: after } = await part(next);
    for (const { number, digest, entry } of list.entries) {
      rows.push([number, new Date(entry.at * 1000).toISOString(), entry.step, entry.question, entry.asker, entry.sql, entry.purpose, entry.rule, entry.text, digest]);
    }
    next = after;
  }
  save("consent-log.csv", csv(rows));
}
