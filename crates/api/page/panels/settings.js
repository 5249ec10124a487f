// Settings: the name, what keeps the key, backups, the limit, the health check, what this node is, and locking the page.

import { useEffect, useState } from "../vendor/hooks.js";
import { Act, Card, Facts, Icon, Loading, Panel, advice, html, sentence, wrong } from "../parts.js";
import { bytes, span, time } from "../format.js";
import { beginning, refresh, status } from "../state.js";
import { call, lock } from "../node.js";
import { words } from "../words.js";
import { Choose, Type } from "./asking.js";
import { Backup, Key, Name } from "./keeping.js";

const w = words.settings;

/// As long as there is no community, there is less to set.
export function Settings() {
  const member = beginning.value.member;
  return html`<${Panel} title=${w.title} lead=${w.lead}>
    <div class="cards top"><div class="stack"><${Name} /><${Key} /></div><div class="stack"><${Backup} />${member && html`<${Limit} />`}</div></div>
    <${Doctor} />
    ${member && html`<${About} />`}
    <${Card} title=${w.lock}><p class="soft">${w.lockLead}</p><div><${Act} run=${async () => { await lock(); location.reload(); }}><${Icon} name="lock" />${w.lock}<//></div><//>
  <//>`;
}

function About() {
  const { node, folder, version, now, started_at: since, disk_free_bytes: free } = status.value;
  return html`<${Card} title=${w.about}>
      <${Facts} of=${[
        [w.node, html`<code>${node}</code>`],
        [w.folder, html`<code>${folder}</code>`],
        [w.version, version],
        [w.started, span(now - since)],
        [w.disk, free === null ? w.unknown : bytes(free)],
      ]} />
    <//>`;
}

/// Most questions that a limit may allow.
const LIMIT_MAX = 10_000;

function Limit() {
  const { budget } = status.value;
  const [questions, setQuestions] = useState(String(budget.limit?.questions ?? 5));
  const [period, setPeriod] = useState(String(budget.limit?.period_secs ?? 86_400));
  const isLimit = /^[1-9]\d{0,4}$/.test(questions) && Number(questions) <= LIMIT_MAX;
  const own = period in w.periods ? [] : [[period, span(Number(period))]];
  const put = async (limit) => {
    await call("PUT", "/v1/budget", limit ? { limit } : {});
    refresh("status");
  };
  return html`<${Card} title=${w.budget}>
    <p class="soft">${w.budgetLead}</p>
    <p><strong>${budget.limit ? w.budgetIs(budget.limit.questions, w.periods[budget.limit.period_secs] ?? span(budget.limit.period_secs), budget.spent) : w.budgetOff}</strong> ${budget.free_at ? w.budgetFree(time(budget.free_at)) : ""}</p>
    <div class="fields">
      <${Type} label=${w.count} hint=${w.countHint} value=${questions} wrong=${!isLimit && w.countHint} set=${setQuestions} />
      <${Choose} label=${w.period} value=${period} set=${setPeriod} of=${[...own, ...Object.entries(w.periods)]} />
    </div>
    <div class="row"><${Act} kind="first" done=${w.saved} disabled=${!isLimit} run=${() => put({ questions: Number(questions), period_secs: Number(period) })}>${w.set}<//>
      ${budget.limit && html`<${Act} done=${w.saved} run=${() => put(null)}>${w.off}<//>`}</div>
  <//>`;
}

function Doctor() {
  const [checks, setChecks] = useState(null);
  const [failed, setFailed] = useState("");
  const look = async () => {
    try {
      setChecks((await call("GET", "/v1/doctor")).checks);
      setFailed("");
    } catch (why) {
      setFailed(wrong(why));
    }
  };
  useEffect(() => {
    look();
  }, []);
  const marks = { ok: ["done", "yes"], warn: ["", "alert"], fail: ["wrong", "no"] };
  return html`<${Card} title=${w.doctor} aside=${html`<${Act} run=${look}>${w.look}<//>`}>
    <p class="soft">${w.doctorLead}</p>
    ${failed && html`<p>${failed}</p>`}
    ${checks ? html`<ul class="steps">${checks.map((check) => html`<li key=${check.name} class="step">
      <span class=${`mark ${marks[check.verdict][0]}`} role="img" aria-label=${w.verdicts[check.verdict]}><${Icon} name=${marks[check.verdict][1]} /></span>
      <div><p><strong>${check.name}</strong> <span class="soft">${sentence(check.found)}</span></p>${check.what_to_do && html`<p>${sentence(advice(check.what_to_do))}</p>`}</div>
    </li>`)}</ul>` : !failed && html`<${Loading} />`}
  <//>`;
}
