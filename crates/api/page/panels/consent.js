// Consent log: every word that was given, and the rules that hold.

import { useState } from "../vendor/hooks.js";
import { Act, Card, Empty, Loading, Panel, Said, Who, html, useTries } from "../parts.js";
import { gist, time } from "../format.js";
import { hasMore, inbox, learn, now, readMore, refresh, rules, tell, vocabulary } from "../state.js";
import { call } from "../node.js";
import { words } from "../words.js";
import { leftAt } from "../standing.js";
import { Choose } from "./asking.js";
import { Chain } from "./chain.js";
import { revokeRule, ruleAbout } from "./ruling.js";

const w = words.consent;
const r = words.rules;
const AT_ONCE = 50;
/// A question whose deadline is longer ago is over.
const DAY = 86_400;

export function Consent() {
  const answered = (inbox.value ?? []).filter((entry) => entry.state !== "waiting");
  return html`<${Panel} title=${w.title} lead=${w.lead}>
    <${Rules} />
    ${!inbox.value ? html`<${Loading} />` : answered.length === 0 ? html`<${Empty} icon="consent" title=${w.emptyTitle}><p class="soft">${w.empty}</p><//>` : html`<${Log} entries=${answered} />`}
    <${Chain} />
  <//>`;
}

const by = (entry) => (!["yes", "no"].includes(entry.state) ? "" : !entry.by_rule ? w.byYou : entry.rule === null ? w.byDefault : words.questions.byRule(entry.rule));

function Log({ entries }) {
  const [shown, setShown] = useState(AT_ONCE);
  return html`<${Card} title=${w.log}>
    <p class="soft">${w.undone}</p>
    <div class="scroll" tabindex="0" role="region" aria-label=${w.log}><table class="told">
      <thead><tr><th scope="col">${w.when}</th><th scope="col">${w.question}</th><th scope="col">${w.asker}</th><th scope="col">${w.word}</th></tr></thead>
      <tbody>${entries.slice(0, shown).map((entry) => html`<tr key=${entry.id}>
        <td class="moment">${time(entry.received_at)}</td>
        <td><a href=${`#/questions/${entry.id}`}>${gist(entry)}</a>${entry.purpose.trim() && html`<span class="small quoted one"><${Said}>${entry.purpose}<//></span>`}</td>
        <td><${Who} id=${entry.asker} /></td>
        <td><span class=${`chip ${entry.state === "yes" ? "leaf" : ""}`}>${words.questions.states[entry.state]}</span><br /><span class="small soft">${by(entry)}</span>
          ${entry.state === "yes" && (leftAt(entry) ? html`<br /><span class="small soft">${w.late(time(leftAt(entry)))}</span>` : entry.until > now.value - DAY && html`<br /><${Act} kind="plain" label=${`${w.revoke}: ${gist(entry)}`} run=${() => revoke(entry.id)}>${w.revoke}<//>`)}</td>
      </tr>`)}</tbody>
    </table></div>
    ${entries.length <= shown && hasMore("inbox") && html`<div><${Act} run=${() => readMore("inbox")}>${words.older}<//></div>`}
    ${entries.length > shown && html`<div><button type="button" class="button" onClick=${() => setShown(shown + AT_ONCE)}>${words.questions.more(Math.min(AT_ONCE, entries.length - shown))}</button></div>`}
  <//>`;
}

async function revoke(question) {
  const { too_late: late } = await call("POST", "/v1/consent/revoke", { question });
  refresh("status", "inbox");
  tell(late.length ? w.tooLate : w.revoked);
}

/// The rules, and what holds for all others.
export function Rules() {
  const tries = useTries();
  if (!rules.value) return html`<${Loading} />`;
  const set = async (says) => {
    learn("rules", await call("PUT", "/v1/rules/default", { says }));
    refresh("status", "inbox");
  };
  return html`<${Card} title=${r.title}>
    <p class="soft">${rules.value.rules.length ? r.lead : r.none}</p>
    ${rules.value.rules.length > 0 && html`<ul class="steps">${rules.value.rules.map((rule) => html`<li key=${rule.number} class="row end step-row">
      <p><span class=${`chip ${rule.says === "yes" ? "leaf" : rule.says === "no" ? "clay" : ""}`}>${r.says[rule.says]}</span> <span class="soft">${r.number(rule.number)}:</span> ${ruleAbout(rule)}</p>
      <${Act} kind="plain" done=${r.revoked} label=${`${r.revoke} ${rule.number}`} run=${() => revokeRule(rule)}>${r.revoke}<//>
    </li>`)}</ul>`}
    <fieldset class="stack close"><legend>${r.all}</legend>
      <div class="cards tight">${Object.entries(r.defaults).map(([says, [title, text]]) => html`<label key=${says} class="choice">
        <input type="radio" name="default" checked=${rules.value.default === says} onChange=${() => tries.run(() => set(says), r.changed)} />
        <span><strong>${title}</strong><br /><span class="small soft">${text}</span></span>
      </label>`)}</div>
      ${tries.mistake}
    </fieldset>
    <${Adding} />
  <//>`;
}

function Adding() {
  const [says, setSays] = useState("no");
  const [table, setTable] = useState("");
  const [asker, setAsker] = useState("");
  const add = async () => {
    await call("POST", "/v1/rules", { says, table: table || null, asker: asker.trim() || null });
    refresh("rules", "status", "inbox");
    setTable("");
    setAsker("");
  };
  const tables = (vocabulary.value ?? []).map(({ name }) => [name, name]);
  return html`<details><summary>${r.add}</summary><div class="stack">
    <div class="fields">
      <${Choose} label=${r.addSays} value=${says} set=${setSays} of=${Object.entries(r.says)} />
      <${Choose} label=${r.addTable} value=${table} set=${setTable} of=${[["", r.anyTable], ...tables]} />
      <div class="field"><label for="rule-asker">${r.addAsker}</label><input id="rule-asker" class="mono" value=${asker} placeholder=${r.anyAsker} spellcheck="false" onInput=${(event) => setAsker(event.target.value)} /></div>
    </div>
    <div><${Act} kind="first" done=${r.added} disabled=${!table && !asker.trim()} run=${add}>${r.add}<//></div>
  </div></details>`;
}
