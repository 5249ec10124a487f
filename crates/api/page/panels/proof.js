// Proof: an answer's file checked in front of the person, and how its helpers were drawn.

import { useState } from "../vendor/hooks.js";
import { Act, Card, Empty, Icon, Loading, Panel, Unknown, Who, html, useShown } from "../parts.js";
import { bytes, chance, gist } from "../format.js";
import { headline } from "../figures.js";
import { Ring, Sign } from "../ring.js";
import { questions, status } from "../state.js";
import { call } from "../node.js";
import { words } from "../words.js";
import { all } from "./results.js";

const w = words.proof;

export function Proof({ path: [which] }) {
  const answered = all().filter((question) => question.answer);
  const chosen = useShown(answered, which);
  if (!questions.value) return html`<${Panel} title=${w.title} lead=${w.lead}><${Loading} /><//>`;
  if (answered.length === 0) {
    return html`<${Panel} title=${w.title} lead=${w.lead}><${Empty} icon="proof" title=${w.emptyTitle}><p class="soft">${w.empty}</p><a class="button first" href="#/questions/ask">${words.questions.ask}</a><//><//>`;
  }
  return html`<${Panel} title=${w.title} lead=${w.lead}>
    <div class="field"><label for="which">${w.which}</label>
      <select id="which" value=${chosen?.id ?? ""} onChange=${(event) => (location.hash = `#/proof/${event.target.value}`)}>
        ${!chosen && html`<option value="">${words.unknown.title}</option>`}
        ${answered.map((question) => html`<option key=${question.id} value=${question.id}>${gist(question)}: ${headline(question.answer.details).join(" ")}</option>`)}
      </select></div>
    ${chosen ? html`<${Checking} key=${chosen.id} question=${chosen} />` : html`<${Unknown} which=${which} />`}
  <//>`;
}

function Checking({ question }) {
  const [checked, setChecked] = useState(null);
  const run = async () => setChecked(await call("GET", `/v1/questions/${question.id}/check`));
  return html`<${Card}>
      <div class="verdict" aria-live="polite">
        <span class=${`mark ${checked ? (checked.holds ? "done" : "wrong") : ""}`} aria-hidden="true"><${Icon} name=${checked && !checked.holds ? "no" : checked ? "yes" : "proof"} /></span>
        <div class="stack close">
          <p class="middle">${checked ? (checked.holds ? w.holds : w.fails) : headline(question.answer.details).join(" ")}</p>
          <p class="soft">${checked ? (checked.holds ? w.measured(checked.signatures, (checked.took_us / 1000).toFixed(1), bytes(checked.bytes)) : checked.why) : w.notYet}</p>
        </div>
      </div>
      <div><${Act} kind="first" run=${run}><${Icon} name="proof" />${checked ? w.again : w.run}<//></div>
      ${checked?.holds && html`<h3>${w.checks}</h3><ol class="steps appear">
        ${w.checkList(checked.ring?.builders.length ?? 0).map(([what, text]) => html`<li key=${what} class="step"><span class="mark done" aria-hidden="true"><${Icon} name="yes" /></span><p><strong>${what}</strong> ${text}</p></li>`)}
      </ol>`}
    <//>
    ${checked?.ring && html`<${Drawn} ring=${checked.ring} />`}
    ${checked?.ring && html`<${Signers} ring=${checked.ring} />`}
    <${Saw} />
    <${Bounds} details=${question.answer.details} />`;
}

function Drawn({ ring }) {
  const signed = ring.helpers.filter((helper) => helper.signed).length;
  const text = (role) => {
    if (role === "witness") return w.roles.witness(ring.witnesses);
    if (role === "builder") return w.roles.builder(ring.builders.length);
    if (role === "helper") return w.roles.helper(signed, ring.helpers.length);
    return w.roles[role];
  };
  return html`<${Card} title=${w.ring}>
    <div class="cards">
      <${Ring} ring=${ring} nodes=${status.value.community.nodes} />
      <div class="stack">
        <dl class="key">${["asker", "witness", "setter", "builder", "helper"].map((role) => {
          const [name, told] = text(role);
          return html`<dt key=${role}><${Sign} role=${role} /></dt><dd><strong>${name}</strong>: ${told}.</dd>`;
        })}
        <dt><${Sign} role="helper silent" /></dt><dd>${w.roles.silent}.</dd></dl>
        <p class="small soft">${w.place}</p>
      </div>
    </div>
  <//>`;
}

function Signers({ ring }) {
  const lanes = [...new Set(ring.helpers.map((helper) => helper.lane))];
  return html`<${Card} title=${w.signers}>
    <div class="cards tight">
      <div class="stack close"><h3>${w.builders}</h3><ul class="stack close">${ring.builders.map(({ node }) => html`<li key=${node}><${Who} id=${node} /></li>`)}</ul></div>
      ${lanes.map((lane) => html`<div key=${lane} class="stack close"><h3>${w.lane(lane + 1)}</h3><ul class="stack close">
        ${ring.helpers.filter((helper) => helper.lane === lane).map(({ node, signed }) => html`<li key=${node} class="row"><${Who} id=${node} /><span class=${`chip ${signed ? "leaf" : ""}`}>${signed ? w.signed : w.notNeeded}</span></li>`)}
      </ul></div>`)}
    </div>
  <//>`;
}

const Saw = () => html`<${Card} title=${w.saw}><div class="scroll" tabindex="0" role="region" aria-label=${w.saw}><table class="told">
  <thead><tr><th scope="col">${w.role}</th><th scope="col">${w.sees}</th><th scope="col">${w.never}</th></tr></thead>
  <tbody>${w.sawRoles.map(([role, sees, never]) => html`<tr key=${role}><th scope="row">${role}</th><td data-name=${w.sees}>${sees}</td><td data-name=${w.never}>${never}</td></tr>`)}</tbody>
</table></div><//>`;

function Bounds({ details }) {
  return html`<${Card} title=${w.bounds}>
    <div class="scroll"><table><tbody>${Object.entries(w.boundNames).map(([name, text]) => html`<tr key=${name}><td>${text}</td><td class="number">${chance(details[name])}</td></tr>`)}</tbody></table></div>
    <p class="small soft">${w.boundsNote(status.value.community.colluders)}</p>
  <//>`;
}
