// My data: what the profile says of its owner, which no file need bring.

import { useEffect, useState } from "../vendor/hooks.js";
import { Act, Card, Mistake, html } from "../parts.js";
import { holdings, refresh } from "../state.js";
import { count } from "../format.js";
import { numberOf } from "../sql.js";
import { call } from "../node.js";
import { words } from "../words.js";

const w = words.profile;

export function Profile() {
  const [fields, setFields] = useState(null);
  const [typed, setTyped] = useState({});
  const [why, setWhy] = useState(null);
  const held = holdings.value?.tables.find(({ name }) => name === "profile");
  useEffect(() => {
    call("GET", "/v1/data/profile").then(setFields, setWhy);
  }, [JSON.stringify(held)]);
  if (!fields) return why && html`<${Card} title=${w.title}><${Mistake} why=${why} /><//>`;
  const shown = ({ column, value }) => typed[column.name] ?? value ?? "";
  const wrong = (field) => field.column.kind === "number" && shown(field).trim() !== "" && fault(numberOf(shown(field)), field.column);
  const changed = fields.filter((field) => shown(field) !== (field.value ?? ""));
  const put = async () => {
    const says = Object.fromEntries(changed.map((field) => [field.column.name, field.column.kind === "number" ? (numberOf(shown(field)) ?? "") : shown(field)]));
    setFields(await call("PUT", "/v1/data/profile", { says }));
    setTyped({});
    refresh("holdings");
  };
  const set = (name) => (event) => setTyped({ ...typed, [name]: event.target.value });
  return html`<${Card} title=${w.title}><p class="soft">${w.lead}</p>
    <details><summary>${w.told(fields.filter(({ value }) => value !== null).length, fields.length)}</summary><div class="stack">
      <div class="fields">${fields.map((field) => html`<${Field} key=${field.column.name} field=${field} value=${shown(field)} wrong=${wrong(field)} set=${set(field.column.name)} />`)}</div>
      <div><${Act} kind="first" done=${w.kept} disabled=${changed.length === 0 || fields.some(wrong)} about=${JSON.stringify(typed)} run=${put}>${w.keep}<//></div>
    </div></details>
  <//>`;
}

/// What is wrong with a number, if something is: the node would round what is finer than it keeps.
function fault(number, { decimals, min, max }) {
  if (number === null) return words.asking.noNumber;
  if ((number.split(".")[1]?.length ?? 0) > decimals) return decimals === 0 ? w.whole : w.finer(decimals);
  return Number(number) < Number(min) || Number(number) > Number(max) ? w.outside(shownEnd(min), shownEnd(max)) : "";
}

/// Large numbers with their thousands apart; years have none.
const shownEnd = (number) => (Number(number) >= 100_000 ? count(number) : number);

function Field({ field: { column, about }, value, wrong, set }) {
  const id = `profile-${column.name}`;
  return html`<div class="field"><label for=${id}>${w.labels[column.name] ?? about}</label>
    ${column.kind === "category"
      ? html`<select id=${id} value=${value} onChange=${set}><option value=""></option>${column.words.map((word) => html`<option key=${word} value=${word}>${word}</option>`)}</select>`
      : html`<input id=${id} value=${value} autocomplete="off" inputmode=${column.kind === "number" ? "decimal" : "text"} aria-invalid=${wrong ? "true" : undefined} aria-describedby=${column.kind === "number" ? `${id}-hint` : undefined} onInput=${set} />`}
    ${column.kind === "number" && html`<p id=${`${id}-hint`} class=${wrong ? "wrong small" : "small soft"}>${wrong || words.data.range(shownEnd(column.min), shownEnd(column.max))}</p>`}</div>`;
}
