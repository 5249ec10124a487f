// My data: files in, with a look at what they would bring; what there is; undo, export, delete; what the community asks about.

import { useRef, useState } from "../vendor/hooks.js";
import { Act, Card, Command, Icon, Loading, Mistake, Panel, html } from "../parts.js";
import { bytes, calendarDay, plain, save, time } from "../format.js";
import { beginning, hasMore, holdings, imports, readMore, refresh, vocabulary } from "../state.js";
import { call, file as fetched, upload } from "../node.js";
import { words } from "../words.js";
import { Choose } from "./asking.js";
import { Pictures, Rows } from "./held.js";
import { Profile } from "./profile.js";

const w = words.data;

export function Data() {
  return html`<${Panel} title=${w.title} lead=${w.lead}>
    <${Bringing} />
    ${holdings.value ? html`<${Held} tables=${holdings.value.tables} /><${Profile} /><${Pictures} /><${Imports} />` : html`<${Loading} />`}
    ${beginning.value.member && html`<${Vocabulary} />`}
  <//>`;
}

/// Longest file that the node takes in one piece.
const FILE_MAX = 64 * 1024 * 1024;

/// Folders that were dropped have no bytes.
const isFolder = (item) => item.webkitGetAsEntry?.()?.isDirectory ?? false;

/// Files are brought one after the other. Each is read once to say what it would bring, and again to bring it.
function Bringing() {
  const [files, setFiles] = useState([]);
  const [at, setAt] = useState(0);
  const [table, setTable] = useState("");
  const [person, setPerson] = useState("");
  const [report, setReport] = useState(null);
  const [why, setWhy] = useState(null);
  const [over, setOver] = useState(false);
  const [doing, setDoing] = useState(null);
  const input = useRef(null);
  const file = files[at];
  const more = files.length - at - 1;
  const tables = (vocabulary.value ?? []).map(({ name }) => [name, w.forTable(name)]);
  const read = async (from, { into = table, whose = person, preview = true } = {}) => {
    setWhy(null);
    setReport(null);
    if (from.size > FILE_MAX) return setWhy({ long: true, message: w.tooLong(plain(from.name), bytes(from.size), bytes(FILE_MAX)) });
    setDoing([0, from.size]);
    try {
      const options = new URLSearchParams({ name: from.name, preview, ...(into && { table: into }), ...(whose.trim() && { person: whose.trim() }) });
      setReport({ ...(await upload(`/v1/data/imports?${options}`, from, (sent, all) => setDoing([sent, all]))), preview });
      if (!preview) refresh("holdings", "imports", "beginning");
    } catch (problem) {
      setWhy(problem);
    } finally {
      setDoing(null);
    }
  };
  const take = (chosen, folders = 0) => {
    if (folders > 0) {
      setFiles([]);
      setReport(null);
      return setWhy({ message: w.folder });
    }
    if (chosen.length === 0) return;
    setFiles(chosen);
    setAt(0);
    setPerson("");
    read(chosen[0], { whose: "" });
  };
  const drop = (event) => {
    event.preventDefault();
    setOver(false);
    if (doing) return;
    const { items, files } = event.dataTransfer;
    take([...files], [...items].filter(isFolder).length);
  };
  const next = () => {
    setPerson("");
    if (more > 0) {
      setAt(at + 1);
      return read(files[at + 1], { whose: "" });
    }
    setFiles([]);
    setAt(0);
    setReport(null);
    setWhy(null);
    input.current.value = "";
  };
  return html`<section class=${`empty drop ${over ? "over" : ""}`} onDragOver=${(event) => { event.preventDefault(); setOver(true); }} onDragLeave=${() => setOver(false)} onDrop=${drop}>
    <${Icon} name="data" />
    <h2 class="middle">${w.bring}</h2>
    <p class="soft">${w.bringWhy}</p>
    <div class="fields wide">
      <div class="field"><label for="file">${w.file}</label><input id="file" ref=${input} type="file" multiple disabled=${doing !== null} onChange=${(event) => take([...event.target.files])} /></div>
      ${tables.length > 0 && html`<${Choose} label=${w.kind} value=${table} set=${(name) => { setTable(name); if (file) read(file, { into: name }); }} of=${[["", w.findOut], ...tables]} disabled=${doing !== null} />`}
    </div>
    <div aria-live="polite" class="stack wide">
      ${files.length > 1 && html`<p><strong>${w.place(at + 1, files.length)}</strong> ${plain(file.name)}</p>`}
      ${doing && html`<${Progress} sent=${doing[0]} all=${doing[1]} />`}
      ${why && html`<${Mistake} why=${why} />`}
      ${why?.long && html`<${Command}>commonhold down && commonhold data import FILE && commonhold up --detach<//>`}
      ${report && html`<${Report} report=${report} name=${file.name} />`}
    </div>
    ${why?.code === "which_person" && html`<form class="row bottom wide" onSubmit=${(event) => { event.preventDefault(); read(file); }}>
      <div class="field grow"><label for="person">${w.person}</label><input id="person" value=${person} placeholder="Patient/123" autocomplete="off" onInput=${(event) => setPerson(event.target.value)} /></div>
      <button class="button first" disabled=${person.trim() === ""}>${w.readAgain}</button></form>`}
    ${file && !doing && html`<div class="row">
      ${report?.preview && html`<button type="button" class="button first" onClick=${() => read(file, { preview: false })}>${w.bringIt}</button>`}
      <button type="button" class="button" onClick=${next}>${more > 0 ? (report && !report.preview ? w.next : w.skip) : report?.preview ? words.cancel : w.another}</button>
    </div>`}
  </section>`;
}

/// Sent first, and then read by the node, which says nothing until it is done.
function Progress({ sent, all }) {
  const there = sent >= all;
  return html`<div class="stack close"><p class="soft">${there ? w.reading : w.sending(bytes(sent), bytes(all))}</p>
    <progress class="wide" aria-label=${w.sendingLabel} max=${all} value=${there ? undefined : sent}></progress></div>`;
}

function Report({ report, name }) {
  const { numbers, preview, format, replaces, kept, duplicate, repeated, skipped, unusable_cells: unusable, faults } = report;
  const isUndone = imports.value?.some(({ number, undone_at: at }) => at !== null && numbers.includes(number));
  const instead = kept.filter(({ name }) => replaces.includes(name));
  const added = kept.filter(({ name, count }) => count > 0 && !replaces.includes(name));
  return html`<div class="sunk stack close appear">
    <p><strong>${plain(name)}</strong> · ${format} ${isUndone && html`<span class="chip">${w.undone}</span>`}</p>
    ${instead.map(({ name, count }) => html`<p key=${name}>${preview ? w.wouldReplace(name) : w.replaced(name)} ${w.instead} <span class="chip leaf">${w.rowsOnly(count)}</span></p>
      ${count > 1 && html`<p class="mistake"><${Icon} name="alert" /><span>${w.severalRows(count)}</span></p>`}`)}
    ${instead.some(({ count }) => count > 1) && html`<p class="soft">${w.severalRowsHow}</p>`}
    ${added.length > 0 && html`<p>${preview ? w.wouldBring : w.brought}</p><ul class="chips">${added.map((one) => html`<li key=${one.name} class="chip leaf">${w.rows(one.count, one.name)}</li>`)}</ul>`}
    ${instead.length + added.length === 0 && html`<p>${w.nothingNew}</p>`}
    ${duplicate > 0 && html`<p class="soft">${w.duplicate(duplicate)}</p>`}
    ${repeated > 0 && html`<p class="soft">${w.repeated(repeated)}</p>`}
    ${skipped.map((one) => html`<p key=${one.name} class="soft">${w.skipped(one.count, one.name)}</p>`)}
    ${unusable > 0 && html`<p class="soft">${w.unusable(unusable)}</p>`}
    ${faults.length > 0 && html`<details><summary>${w.where}</summary><ul class="small soft">${faults.map((fault, place) => html`<li key=${place}>${fault.replace("change that with profile set", w.changeProfile)}</li>`)}</ul></details>`}
  </div>`;
}

/// The days of tables are by universal time, as in the calendar.
const dayOf = (secs) => calendarDay(Math.floor(secs / 86_400));

function Held({ tables }) {
  const [deleting, setDeleting] = useState("");
  const [looking, setLooking] = useState("");
  // The keyboard goes back to where it came from.
  const close = (row) => {
    setDeleting("");
    row.querySelector(".delete").focus();
  };
  const range = ({ first_at: first, last_at: last }) => (first === null ? w.noDays : dayOf(first) === dayOf(last) ? dayOf(first) : w.range(dayOf(first), dayOf(last)));
  // What was taken back has left tables without rows.
  const filled = tables.filter(({ rows }) => rows > 0);
  return html`<${Card} title=${w.held}>
    ${filled.length === 0 && html`<p class="soft">${w.heldNone}</p>`}
    <ul class="steps">${filled.map((table) => html`<li key=${table.name} class="stack close held" onKeyDown=${(event) => { if (event.key === "Escape" && deleting === table.name) close(event.currentTarget); }}>
      <div class="row end">
        <div><strong>${table.name}</strong> ${table.of_community && html`<span class="chip">${w.ofCommunity}</span>`}${table.computed && html`<span class="chip">${w.computed}</span>`}<br />
          <span class="soft">${w.rowsOnly(table.rows)} · ${range(table)}</span></div>
        <div class="row">
          <button type="button" class="button plain" aria-expanded=${looking === table.name} aria-label=${`${w.look} ${table.name}`} onClick=${() => setLooking(looking === table.name ? "" : table.name)}>${w.look}</button>
          <${Act} kind="plain" label=${`${w.export} ${table.name}`} run=${async () => save(`${table.name}.csv`, await fetched(`/v1/data/tables/${encodeURIComponent(table.name)}`))}>${w.export}<//>
          ${!table.computed && html`<button type="button" class="button plain delete" aria-expanded=${deleting === table.name} aria-label=${`${w.remove} ${table.name}`} onClick=${() => setDeleting(table.name)}>${w.remove}</button>`}
        </div>
      </div>
      ${looking === table.name && html`<${Rows} key=${`${table.name} ${table.rows}`} table=${table.name} />`}
      ${deleting === table.name && html`<div class="sunk row end"><p>${w.removeSure(table.rows, table.name)}</p><div class="row">
        <${Act} kind="danger" done=${w.removed} run=${async () => { await call("DELETE", `/v1/data/tables/${encodeURIComponent(table.name)}`); setDeleting(""); refresh("holdings"); }}>${w.removeYes}<//>
        <button type="button" class="button" onClick=${(event) => close(event.currentTarget.closest("li"))}>${words.cancel}</button></div></div>`}
    </li>`)}</ul>
  <//>`;
}

function Imports() {
  if (!imports.value?.length) return null;
  return html`<${Card} title=${w.imports}><p class="soft">${w.importsLead}</p>
    <div class="scroll" tabindex="0" role="region" aria-label=${w.imports}><table class="told">
      <thead><tr><th scope="col">${w.file}</th><th scope="col">${w.when}</th><th scope="col">${w.rowsHead}</th><th scope="col"><span class="unseen">${w.undo}</span></th></tr></thead>
      <tbody>${imports.value.map((one) => html`<tr key=${one.number}>
        <td><strong>${plain(one.file)}</strong><br /><span class="small soft">${one.format}, ${bytes(one.bytes)}</span></td>
        <td>${time(one.at)}</td>
        <td>${w.counts(one.kept, one.duplicate, one.skipped)}</td>
        <td>${one.undone_at === null ? one.kept > 0 && html`<${Act} kind="plain" done=${w.undoneSaid} label=${`${w.undo} ${one.number}`} run=${async () => { await call("DELETE", `/v1/data/imports/${one.number}`); refresh("holdings", "imports"); }}>${w.undo}<//>` : html`<span class="chip">${w.undone}</span>`}</td>
      </tr>`)}</tbody>
    </table></div>
    ${hasMore("imports") && html`<div><${Act} run=${() => readMore("imports")}>${words.older}<//></div>`}
  <//>`;
}

function Vocabulary() {
  const tables = vocabulary.value;
  return html`<${Card} title=${w.tables}><p class="soft">${w.tablesLead}</p>
    ${!tables && html`<${Loading} />`}
    ${tables?.length === 0 && html`<p>${w.none}</p>`}
    ${tables?.map((table) => html`<details key=${table.name}><summary>${table.name} (${w.columns(table.columns.length)})</summary>
      <div class="scroll"><table>
        <thead><tr><th scope="col">${w.column}</th><th scope="col">${w.values}</th></tr></thead>
        <tbody>${table.columns.map((column) => html`<tr key=${column.name}><td><code>${column.name}</code></td><td class="soft">${valuesOf(column)}</td></tr>`)}</tbody>
      </table></div>
    </details>`)}
  <//>`;
}

function valuesOf({ kind, min, max, decimals, words: all }) {
  if (kind === "number") return w.number(min, max, decimals);
  return kind === "category" ? w.category(all) : w.text;
}
