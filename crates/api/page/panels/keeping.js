// What keeps one's data safe: the node's name, the vault's key and its words, backups.

import { useState } from "../vendor/hooks.js";
import { Act, Card, Command, Icon, html } from "../parts.js";
import { beginning, learn } from "../state.js";
import { save } from "../format.js";
import { call, file } from "../node.js";
import { words } from "../words.js";
import { Naming, Words } from "./first.js";

const w = words.keeping;
const SHORTEST = 8;

export const Name = () => html`<${Card} title=${w.name}><p class="soft">${words.first.name.why}</p><${Naming} key=${beginning.value.name} /><//>`;

export function Key() {
  const { key_kept_by: by, key_kept_where: where, words_kept: kept } = beginning.value;
  return html`<${Card} title=${w.key}>
    <p><strong>${w.keeps[by][0]}</strong> ${w.keeps[by][1]}</p>
    ${by === "file" && html`<p class="small soft"><code>${where}</code></p>`}
    <h3>${w.words}</h3>
    <p class="soft">${kept ? words.first.words.done : words.first.words.why}</p>
    <${Words} key=${`${by} ${kept}`} confirm=${!kept} />
    ${by !== "keyring" && html`<details><summary>${by === "passphrase" ? w.change : w.choose}</summary><${Changing} by=${by} /></details>`}
  <//>`;
}

/// Another key for the vault, kept by a passphrase or a file.
function Changing({ by }) {
  const [old, setOld] = useState("");
  const [first, setFirst] = useState("");
  const [second, setSecond] = useState("");
  const asks = by === "passphrase";
  const rotate = async (chosen) => {
    learn("beginning", await call("POST", "/v1/key/rotate", { ...(asks && { passphrase: old }), ...(chosen && { new_passphrase: first }) }));
    for (const set of [setOld, setFirst, setSecond]) set("");
  };
  const short = first.length > 0 && first.length < SHORTEST;
  const differ = second.length > 0 && first !== second;
  return html`<div class="stack">
    <p class="soft">${w.changeLead}</p>
    <div class="fields">
      ${asks && html`<${Secret} name="old" label=${w.old} value=${old} set=${setOld} kind="current-password" />`}
      <${Secret} name="new" label=${w.new} value=${first} set=${setFirst} hint=${short ? w.short : w.hint} />
      <${Secret} name="again" label=${w.again} value=${second} set=${setSecond} hint=${differ ? w.differ : ""} />
    </div>
    <div class="row">
      <${Act} kind="first" done=${w.changed} disabled=${first.length < SHORTEST || first !== second || (asks && !old)} run=${() => rotate(true)}>${w.set}<//>
      ${asks && html`<${Act} done=${w.changed} disabled=${!old} run=${() => rotate(false)}>${w.toFile}<//>`}
    </div>
  </div>`;
}

const Secret = ({ name, label, value, set, hint, kind = "new-password" }) => html`<div class="field"><label for=${`secret-${name}`}>${label}</label>
  <input id=${`secret-${name}`} type="password" autocomplete=${kind} value=${value} aria-describedby=${hint ? `secret-${name}-hint` : undefined} onInput=${(event) => set(event.target.value)} />
  ${hint && html`<p id=${`secret-${name}-hint`} class="small soft">${hint}</p>`}</div>`;

export function Backup() {
  const [passphrase, setPassphrase] = useState("");
  const make = async () => {
    const made = await file("/v1/backups", "POST", passphrase ? { passphrase } : {});
    save(made.called ?? "commonhold.backup", made);
    setPassphrase("");
  };
  const short = passphrase.length > 0 && passphrase.length < SHORTEST;
  return html`<${Card} title=${w.backup}>
    <p class="soft">${w.backupLead}</p>
    <details><summary>${w.backupMore}</summary><${Secret} name="backup" label=${w.backupPassphrase} value=${passphrase} set=${setPassphrase} hint=${short ? w.short : ""} /></details>
    <div><${Act} kind="first" done=${w.backupDone} disabled=${short} run=${make}><${Icon} name="save" />${w.backupNow}<//></div>
    <h3>${w.restore}</h3>
    <p class="soft">${w.restoreHow}</p>
    <${Command}>${w.verifyCommand}<//>
    <${Command}>${w.restoreCommand}<//>
  <//>`;
}
