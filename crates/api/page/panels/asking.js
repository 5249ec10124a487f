// Asking: fields that write the question, which is shown as everybody will see it.

import { useState } from "../vendor/hooks.js";
import { Act, Card, Empty, Loading, html } from "../parts.js";
import { holdings, learn, questions, refresh, status, vocabulary } from "../state.js";
import { PAIRS, STEPPED, numberOf, rowsFitting, rowsOf, widthOf, write } from "../sql.js";
import { call } from "../node.js";
import { words } from "../words.js";

const w = words.asking;
/// Which kind of column a statistic is about; none for those that need no column.
const NEEDS = { COUNT: null, AVG: "number", SUM: "number", STDDEV_SAMP: "number", HISTOGRAM: "any", MEDIAN: "number", TOP: "any", REGR: "number", CORR: "number" };
const MORE_CONDITIONS = 6;
const MOST_GROUPS = 2;
const NOTHING = { what: "COUNT", conditions: [], groups: [] };

/// What was begun, until it is asked: people look elsewhere in between, for the name of a column.
let begun = {};

/// A field of the form, as it was left.
function useBegun(name, first) {
  const [value, setValue] = useState(begun[name] ?? first);
  const set = (next) => {
    begun[name] = next;
    setValue(next);
  };
  return [value, set];
}

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
  const [chosen, setTable] = useBegun("table", tables[0].name);
  const table = tables.some(({ name }) => name === chosen) ? chosen : tables[0].name;
  const columns = tables.find((one) => one.name === table).columns;
  const columnOf = (name) => columns.find((one) => one.name === name);
  const countable = columns.filter((one) => one.kind !== "text");
  const numbers = columns.filter((one) => one.kind === "number");
  const [fields, setFields] = useBegun("fields", NOTHING);
  const [typed, setTyped] = useBegun("typed", null);
  const [purpose, setPurpose] = useBegun("purpose", "");
  const [deadline, setDeadline] = useBegun("deadline", "86400");
  const possible = Object.keys(NEEDS).filter((what) => NEEDS[what] === null || (NEEDS[what] === "number" ? numbers.length >= (PAIRS.includes(what) ? 2 : 1) : countable.length > 0));
  const change = (changed) => setFields({ ...fields, ...changed });
  const choices = NEEDS[fields.what] === "number" ? numbers : countable;
  const column = choices.some((one) => one.name === fields.column) ? fields.column : choices[0]?.name;
  const others = numbers.filter((one) => one.name !== column);
  const other = others.some((one) => one.name === fields.other) ? fields.other : others[0]?.name;
  const pairs = PAIRS.includes(fields.what);
  const isNumber = columnOf(column)?.kind === "number";
  const gathers = Object.keys(w.eachs).filter((each) => each === "" || (fields.what === "COUNT" ? each === "COUNT" : isNumber && !(pairs && each === "COUNT")));
  // Whoever has many rows here thinks of tables in which people have many.
  const usual = (holdings.value?.tables.find(({ name }) => name === table)?.rows ?? 0) > 1 ? (fields.what === "COUNT" ? "COUNT" : "AVG") : "";
  const wanted = fields.each ?? usual;
  const each = gathers.includes(wanted) ? wanted : "";
  const taken = [column, pairs && other].map(columnOf).filter((one) => one?.kind === "number");
  const most = each ? (fields.most ?? String(rowsFitting({ what: fields.what, each }, taken))) : null;
  const stepped = STEPPED.includes(fields.what) && isNumber;
  // What becomes of all of a person's rows has another range than the column.
  const width = stepped ? (fields.width ?? (["SUM", "COUNT"].includes(each) ? "" : steps(columnOf(column)))) : "";
  const groups = each ? [] : fields.groups.map(({ name, width }) => ({ name, width: columnOf(name).kind === "number" ? (width ?? steps(columnOf(name))) : null }));
  const sql = typed ?? write({ ...fields, table, column, other, width, groups, each, most: each && (rowsOf(most) ?? most) }, columnOf);
  const wrong = typed === null && faulty({ conditions: fields.conditions, width: stepped ? width : "", groups, most }, columnOf);
  const empty = typed === null ? fields.conditions.filter(({ value }) => value.trim() === "").map(({ column }) => column) : [];
  const lacks = empty.length > 0 ? w.needValue(empty) : wrong ? w.needNumber : purpose.trim() === "" ? w.needPurpose : "";
  const put = async () => {
    const question = await call("POST", "/v1/questions", { sql, purpose: purpose.trim(), consent_secs: Number(deadline) });
    // At once, so that what is shown next is this question and not the one before.
    if (questions.value) learn("questions", [question, ...questions.value]);
    refresh("questions", "status");
    begun = {};
    location.hash = `#/results/${question.id}`;
  };
  const fresh = (name) => {
    setTable(name);
    setFields(NOTHING);
  };
  return html`<${Card}>
    ${typed === null && html`<div class="stack">
      <div class="fields">
        ${tables.length > 1 && html`<${Choose} label=${w.table} value=${table} set=${fresh} of=${tables.map((one) => [one.name, one.name])} />`}
        <${Choose} label=${w.what} value=${fields.what} set=${(what) => change({ what, most: undefined })} of=${possible.map((what) => [what, w.whats[what]])} />
        ${NEEDS[fields.what] !== null && html`<${Choose} label=${w.column} value=${column} set=${(name) => change({ column: name, width: undefined, most: undefined })} of=${choices.map((one) => [one.name, one.name])} />`}
        ${pairs && html`<${Choose} label=${w.other} value=${other} set=${(name) => change({ other: name })} of=${others.map((one) => [one.name, one.name])} />`}
        ${gathers.length > 1 && html`<${Choose} label=${w.each} value=${each} set=${(each) => change({ each, width: undefined, most: undefined })} of=${gathers.map((each) => [each, w.eachs[each]])} />`}
        ${each !== "" && html`<${Type} label=${w.most} hint=${w.mostHint} value=${most} wrong=${rowsOf(most) === null && w.noMost} set=${(text) => change({ most: text })} />`}
        ${stepped && html`<${Type} label=${w.width} hint=${w.widthHint} value=${width} wrong=${width !== "" && widthOf(width) === null && w.noWidth} set=${(text) => change({ width: text })} />`}
      </div>
      ${each === "" && html`<p class="small soft">${w.oneRow} ${gathers.length > 1 ? w.eachHint : w.eachNot}</p>`}
      <${Conditions} columns=${columns} columnOf=${columnOf} conditions=${fields.conditions} set=${(conditions) => change({ conditions })} />
      ${each === "" && html`<div class="fields">
        <${Groups} groups=${groups} of=${countable} set=${(groups) => change({ groups })} />
      </div>`}
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
    <div class="row"><${Act} kind="first" run=${put} done=${w.sent} disabled=${lacks !== ""} about=${`${sql} ${purpose} ${deadline}`}>${w.send}<//>
      ${lacks && html`<span class="small soft" role="status">${lacks}</span>`}</div>
  <//>`;
}

/// Whether something that should be a number is none.
function faulty({ conditions, width, groups, most }, columnOf) {
  const values = conditions.filter(({ column, value }) => columnOf(column).kind === "number" && value.trim() !== "");
  return values.some(({ value }) => numberOf(value) === null) || [width, ...groups.map(({ width }) => width ?? "")].some((one) => one !== "" && widthOf(one) === null) || groups.some(({ width }) => width === "") || (most !== null && rowsOf(most) === null);
}

/// By what people are grouped: of two numbers, the answer is cells on a plane.
function Groups({ groups, of, set }) {
  const shown = [...groups, { name: "" }].slice(0, Math.min(MOST_GROUPS, of.length));
  return shown.map(({ name, width }, place) => {
    const free = of.filter((one) => groups.every((other, at) => at === place || other.name !== one.name));
    const choose = (chosen) => set(chosen ? groups.toSpliced(place, 1, { name: chosen }) : groups.slice(0, place));
    return html`<${Choose} key=${place} label=${w.groups[place]} value=${name} set=${choose} of=${[["", w.noGroup], ...free.map((one) => [one.name, one.name])]} />
      ${width !== null && width !== undefined && html`<${Type} key=${`${place} width`} label=${w.groupWidths[place]} hint=${w.widthHint} value=${width} wrong=${widthOf(width) === null && w.noWidth} set=${(text) => set(groups.toSpliced(place, 1, { name, width: text }))} />`}`;
  });
}

function Conditions({ columns, columnOf, conditions, set }) {
  const change = (place, changed) => set(conditions.map((one, at) => (at === place ? { ...one, ...changed } : one)));
  const first = columns[0].name;
  return html`<fieldset class="stack close"><legend>${w.conditions}</legend>
    ${conditions.map((one, place) => {
      const { kind, words: all } = columnOf(one.column);
      const wrong = kind === "number" && one.value.trim() !== "" && numberOf(one.value) === null;
      const compares = Object.entries(w.compares).slice(0, kind === "number" ? 6 : 2);
      return html`<div class="condition" key=${place}>
        <select aria-label=${w.conditionColumn} value=${one.column} onChange=${(event) => change(place, { column: event.target.value, compare: "=", value: "" })}>${columns.map(({ name }) => html`<option key=${name} value=${name}>${name}</option>`)}</select>
        <select aria-label=${w.compare} value=${one.compare} onChange=${(event) => change(place, { compare: event.target.value })}>${compares.map(([sign, text]) => html`<option key=${sign} value=${sign}>${text}</option>`)}</select>
        ${kind === "category"
          ? html`<select aria-label=${w.value} value=${one.value} onChange=${(event) => change(place, { value: event.target.value })}><option value=""></option>${all.map((word) => html`<option key=${word} value=${word}>${word}</option>`)}</select>`
          : html`<input aria-label=${w.value} value=${one.value} inputmode=${kind === "number" ? "decimal" : "text"} aria-invalid=${wrong ? "true" : undefined} aria-describedby=${wrong ? `wrong-${place}` : undefined} onInput=${(event) => change(place, { value: event.target.value })} />`}
        <button type="button" class="button plain" aria-label=${w.remove} onClick=${() => set(conditions.filter((_, at) => at !== place))}>✕</button>
        ${wrong && html`<p id=${`wrong-${place}`} class="wrong small">${w.noNumber}</p>`}
      </div>`;
    })}
    ${conditions.length < MORE_CONDITIONS && html`<div><button type="button" class="button" onClick=${() => set([...conditions, { column: first, compare: "=", value: "" }])}>${w.addCondition}</button></div>`}
  </fieldset>`;
}

/// A list to choose from.
export function Choose({ label, value, set, of, disabled = false }) {
  const id = `choose-${label.replace(/\W+/g, "-")}`;
  return html`<div class="field"><label for=${id}>${label}</label>
    <select id=${id} value=${value} disabled=${disabled} onChange=${(event) => set(event.target.value)}>${of.map(([name, text]) => html`<option key=${name} value=${name}>${text}</option>`)}</select></div>`;
}

/// A number to type, and what is wrong with it.
export function Type({ label, hint, value, set, wrong }) {
  const id = `type-${label.replace(/\W+/g, "-")}`;
  return html`<div class="field"><label for=${id}>${label}</label>
    <input id=${id} value=${value} inputmode="decimal" aria-invalid=${wrong ? "true" : undefined} aria-describedby=${(wrong || hint) && `${id}-hint`} onInput=${(event) => set(event.target.value)} />
    ${wrong ? html`<p id=${`${id}-hint`} class="wrong small">${wrong}</p>` : hint && html`<p id=${`${id}-hint`} class="small soft">${hint}</p>`}</div>`;
}
