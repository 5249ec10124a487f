// Asking: fields that write the question, which is shown as everybody will see it.

import { useState } from "../vendor/hooks.js";
import { Act, Card, Empty, Loading, html } from "../parts.js";
import { questions, refresh, status, vocabulary } from "../state.js";
import { write } from "../sql.js";
import { call } from "../node.js";
import { words } from "../words.js";

const w = words.asking;
/// Which kind of column a statistic is about; none for those that need no column.
const NEEDS = { COUNT: null, AVG: "number", SUM: "number", STDDEV_SAMP: "number", HISTOGRAM: "any", MEDIAN: "number", TOP: "any", REGR: "number", CORR: "number" };
const STEPPED = ["HISTOGRAM", "MEDIAN", "TOP"];
const PAIRS = ["REGR", "CORR"];
const MORE_CONDITIONS = 6;
const MOST_GROUPS = 2;

export function Asking() {
  const tables = vocabulary.value;
  if (!status.value.may_ask) return html`<${Empty} icon="lock" title=${w.mayNot}><p class="soft">${w.mayNotWhy}</p><//>`;
  if (!tables) return html`<${Loading} />`;
  if (tables.length === 0) return html`<${Empty} icon="questions" title=${words.asking.title}><p>${w.none}</p><//>`;
  return html`<${Builder} tables=${tables} />`;
}

/// A width that makes about eight steps.
function steps({ min, max }) {
  const rough = (Number(max) - Number(min)) / 8;
  const power = 10 ** Math.floor(Math.log10(rough || 1));
  return String([1, 2, 5, 10].map((times) => times * power).find((width) => width >= rough) ?? 1);
}

function Builder({ tables }) {
  const [table, setTable] = useState(tables[0].name);
  const columns = tables.find((one) => one.name === table).columns;
  const columnOf = (name) => columns.find((one) => one.name === name);
  const countable = columns.filter((one) => one.kind !== "text");
  const numbers = columns.filter((one) => one.kind === "number");
  const [fields, setFields] = useState({ what: "COUNT", conditions: [], groups: [] });
  const [typed, setTyped] = useState(null);
  const [purpose, setPurpose] = useState("");
  const [deadline, setDeadline] = useState("86400");
  const possible = Object.keys(NEEDS).filter((what) => NEEDS[what] === null || (NEEDS[what] === "number" ? numbers.length >= (PAIRS.includes(what) ? 2 : 1) : countable.length > 0));
  const change = (changed) => setFields({ ...fields, ...changed });
  const choices = NEEDS[fields.what] === "number" ? numbers : countable;
  const column = choices.some((one) => one.name === fields.column) ? fields.column : choices[0]?.name;
  const others = numbers.filter((one) => one.name !== column);
  const other = others.some((one) => one.name === fields.other) ? fields.other : others[0]?.name;
  const stepped = STEPPED.includes(fields.what) && columnOf(column)?.kind === "number";
  const width = stepped ? fields.width || steps(columnOf(column)) : "";
  const groups = fields.groups.map(({ name, width }) => ({ name, width: columnOf(name).kind === "number" ? width || steps(columnOf(name)) : "" }));
  const sql = typed ?? write({ ...fields, table, column, other, width, groups }, columnOf);
  const empty = typed === null ? fields.conditions.filter(({ value }) => value.trim() === "").map(({ column }) => column) : [];
  const lacks = empty.length > 0 ? w.needValue(empty) : purpose.trim() === "" ? w.needPurpose : "";
  const put = async () => {
    const question = await call("POST", "/v1/questions", { sql, purpose: purpose.trim(), consent_secs: Number(deadline) });
    // At once, so that what is shown next is this question and not the one before.
    if (questions.value) questions.value = [question, ...questions.value];
    refresh("questions", "status");
    location.hash = `#/results/${question.id}`;
  };
  const fresh = (name) => {
    setTable(name);
    setFields({ what: "COUNT", conditions: [], groups: [] });
  };
  return html`<${Card}>
    ${typed === null && html`<div class="stack">
      <div class="fields">
        ${tables.length > 1 && html`<${Choose} label=${w.table} value=${table} set=${fresh} of=${tables.map((one) => [one.name, one.name])} />`}
        <${Choose} label=${w.what} value=${fields.what} set=${(what) => change({ what })} of=${possible.map((what) => [what, w.whats[what]])} />
        ${NEEDS[fields.what] !== null && html`<${Choose} label=${w.column} value=${column} set=${(name) => change({ column: name, width: "" })} of=${choices.map((one) => [one.name, one.name])} />`}
        ${PAIRS.includes(fields.what) && html`<${Choose} label=${w.other} value=${other} set=${(name) => change({ other: name })} of=${others.map((one) => [one.name, one.name])} />`}
        ${stepped && html`<${Type} label=${w.width} hint=${w.widthHint} value=${width} set=${(text) => change({ width: text })} />`}
      </div>
      <${Conditions} columns=${columns} columnOf=${columnOf} conditions=${fields.conditions} set=${(conditions) => change({ conditions })} />
      <div class="fields">
        <${Groups} groups=${groups} of=${countable} set=${(groups) => change({ groups })} />
      </div>
    </div>`}
    <div class="field">
      <div class="row end"><label for="sql">${w.sql}</label>
        <button type="button" class="button plain" onClick=${() => setTyped(typed === null ? sql : null)}>${typed === null ? w.byHand : w.byFields}</button></div>
      ${typed === null ? html`<pre id="sql" class="sunk">${sql}</pre>` : html`<textarea id="sql" class="mono" rows="4" value=${typed} spellcheck="false" onInput=${(event) => setTyped(event.target.value)}></textarea>`}
    </div>
    <div class="fields">
      <div class="field double"><label for="purpose">${w.purpose}</label>
        <input id="purpose" value=${purpose} maxlength="500" aria-describedby="purpose-hint" onInput=${(event) => setPurpose(event.target.value)} />
        <p id="purpose-hint" class="small soft">${w.purposeHint}</p></div>
      <${Choose} label=${w.deadline} value=${deadline} set=${setDeadline} of=${Object.entries(w.deadlines)} />
    </div>
    <div class="row"><${Act} kind="first" run=${put} done=${w.sent} disabled=${lacks !== ""}>${w.send}<//>
      ${lacks && html`<span class="small soft" role="status">${lacks}</span>`}</div>
  <//>`;
}

/// By what people are grouped: of two numbers, the answer is cells on a plane.
function Groups({ groups, of, set }) {
  const shown = [...groups, { name: "" }].slice(0, Math.min(MOST_GROUPS, of.length));
  return shown.map(({ name, width }, place) => {
    const free = of.filter((one) => groups.every((other, at) => at === place || other.name !== one.name));
    const choose = (chosen) => set(chosen ? groups.toSpliced(place, 1, { name: chosen }) : groups.slice(0, place));
    return html`<${Choose} key=${place} label=${w.groups[place]} value=${name} set=${choose} of=${[["", w.noGroup], ...free.map((one) => [one.name, one.name])]} />
      ${width && html`<${Type} key=${`${place} width`} label=${w.groupWidths[place]} hint=${w.widthHint} value=${width} set=${(text) => set(groups.toSpliced(place, 1, { name, width: text }))} />`}`;
  });
}

function Conditions({ columns, columnOf, conditions, set }) {
  const change = (place, changed) => set(conditions.map((one, at) => (at === place ? { ...one, ...changed } : one)));
  const first = columns[0].name;
  return html`<fieldset class="stack close"><legend>${w.conditions}</legend>
    ${conditions.map((one, place) => {
      const { kind, words: all } = columnOf(one.column);
      const compares = Object.entries(w.compares).slice(0, kind === "number" ? 6 : 2);
      return html`<div class="condition" key=${place}>
        <select aria-label=${w.conditionColumn} value=${one.column} onChange=${(event) => change(place, { column: event.target.value, compare: "=", value: "" })}>${columns.map(({ name }) => html`<option key=${name} value=${name}>${name}</option>`)}</select>
        <select aria-label=${w.compare} value=${one.compare} onChange=${(event) => change(place, { compare: event.target.value })}>${compares.map(([sign, text]) => html`<option key=${sign} value=${sign}>${text}</option>`)}</select>
        ${kind === "category"
          ? html`<select aria-label=${w.value} value=${one.value} onChange=${(event) => change(place, { value: event.target.value })}><option value=""></option>${all.map((word) => html`<option key=${word} value=${word}>${word}</option>`)}</select>`
          : html`<input aria-label=${w.value} value=${one.value} inputmode=${kind === "number" ? "decimal" : "text"} onInput=${(event) => change(place, { value: event.target.value })} />`}
        <button type="button" class="button plain" aria-label=${w.remove} onClick=${() => set(conditions.filter((_, at) => at !== place))}>✕</button>
      </div>`;
    })}
    ${conditions.length < MORE_CONDITIONS && html`<div><button type="button" class="button" onClick=${() => set([...conditions, { column: first, compare: "=", value: "" }])}>${w.addCondition}</button></div>`}
  </fieldset>`;
}

/// A list to choose from.
export function Choose({ label, value, set, of }) {
  const id = `choose-${label.replace(/\W+/g, "-")}`;
  return html`<div class="field"><label for=${id}>${label}</label>
    <select id=${id} value=${value} onChange=${(event) => set(event.target.value)}>${of.map(([name, text]) => html`<option key=${name} value=${name}>${text}</option>`)}</select></div>`;
}

/// A number to type.
export function Type({ label, hint, value, set }) {
  const id = `type-${label.replace(/\W+/g, "-")}`;
  return html`<div class="field"><label for=${id}>${label}</label>
    <input id=${id} value=${value} inputmode="decimal" aria-describedby=${hint && `${id}-hint`} onInput=${(event) => set(event.target.value)} />
    ${hint && html`<p id=${`${id}-hint`} class="small soft">${hint}</p>`}</div>`;
}
