// The first steps: a name, the recovery words, data, a community. Each says whether it is done; none is forced, but that
// questions need a community.

import { useState } from "../vendor/hooks.js";
import { Act, Card, Empty, Icon, Panel, html, useTries } from "../parts.js";
import { beginning, holdings, inbox, learn, readAll, status, tell } from "../state.js";
import { call } from "../node.js";
import { span } from "../format.js";
import { words } from "../words.js";
import { Restoring } from "./restoring.js";

const w = words.first;

/// Home, as long as the node belongs to no community.
export function Before() {
  return html`<${Panel} title=${w.title} lead=${w.lead}>
    <${Steps} />
    <div class="cards top">
      <${Card} title=${words.home.heroTitle} kind="hero"><p>${words.home.hero}</p><//>
      <${Restoring} />
    </div>
  <//>`;
}

/// Any panel that needs a community, before there is one.
export const NoCommunity = ({ name }) => html`<${Panel} title=${words.panels[name]} lead=${words[name].lead}>
  <${Empty} icon=${name} title=${w.none}><p class="soft">${w.noneWhy}</p><a class="button first" href="#/home">${w.goJoin}</a><//>
<//>`;

/// All of them, with what is to be done open.
export function Steps() {
  const { member, name, words_kept: kept } = beginning.value;
  const tables = (holdings.value?.tables ?? []).filter(({ computed }) => !computed).length;
  const steps = [
    [name !== "", w.name.title, name ? w.name.done(name) : w.name.why, html`<${Naming} />`],
    [kept, w.words.title, kept ? w.words.done : w.words.why, html`<${Words} confirm />`],
    [tables > 0, words.home.steps.data[0], words.home.steps.data[1](tables), html`<a class="button" href="#/data">${words.home.go.data}</a>`],
    member ? joined() : [false, w.join.title, w.join.why, html`<${Joining} />`],
    ...(member && status.value ? asMember() : []),
  ];
  if (steps.every(([done]) => done)) return null;
  return html`<${Card} title=${words.home.first} aside=${html`<span class="soft">${w.count(steps.filter(([done]) => done).length, steps.length)}</span>`}><ol class="steps">
    ${steps.map(([done, title, text, action], place) => html`<li key=${title} class="step">
      <span class=${`mark ${done ? "done" : ""}`} role="img" aria-label=${done ? w.done : w.open}>${done ? html`<${Icon} name="yes" />` : place + 1}</span>
      <div class="stack close"><h3>${title}</h3><p class="soft">${text}</p>${!done && action && html`<div>${action}</div>`}</div>
    </li>`)}
  </ol><//>`;
}

function joined() {
  const now = status.value;
  const [title, text] = words.home.steps.joined;
  return [true, title, now ? text(now.community.name, span(now.now - now.started_at)) : ""];
}

function asMember() {
  const { peers_known: known, rule, rules: own, budget } = status.value;
  const decided = (inbox.value ?? []).some((entry) => ["yes", "no"].includes(entry.state) && !entry.by_rule);
  const { met, word, budget: limit } = words.home.steps;
  return [
    [known > 0, met[0], met[1](known)],
    [rule !== "ask" || own > 0 || decided, ...word, html`<a class="button" href="#/consent">${words.home.go.word}</a>`],
    [budget.limit !== null, ...limit, html`<a class="button" href="#/settings">${words.home.go.budget}</a>`],
  ];
}

const begin = async (changed) => learn("beginning", await call("PUT", "/v1/beginning", changed));

/// What this node is called.
export function Naming() {
  const [name, setName] = useState(beginning.value.name);
  const { run, mistake } = useTries();
  const put = (event) => {
    event.preventDefault();
    run(() => begin({ name }), w.name.said);
  };
  return html`<form class="row bottom" onSubmit=${put}>
    <div class="field grow"><label for="name">${w.name.label}</label>
      <input id="name" value=${name} maxlength="60" autocomplete="off" placeholder=${w.name.example} onInput=${(event) => setName(event.target.value)} /></div>
    <button class="button first" disabled=${name.trim() === beginning.value.name}>${w.name.set}</button>
    ${mistake}
  </form>`;
}

/// The recovery words, on demand.
export function Words({ confirm }) {
  const [shown, setShown] = useState(null);
  const [passphrase, setPassphrase] = useState("");
  const asks = beginning.value.key_kept_by === "passphrase";
  const show = async () => {
    setShown((await call("POST", "/v1/key/words", asks ? { passphrase } : {})).words);
    setPassphrase("");
  };
  if (!shown) {
    return html`<div class="stack close">
      ${asks && html`<div class="field"><label for="words-passphrase">${w.words.passphrase}</label><input id="words-passphrase" type="password" autocomplete="current-password" value=${passphrase} onInput=${(event) => setPassphrase(event.target.value)} /></div>`}
      <div><${Act} run=${show} disabled=${asks && passphrase === ""}>${w.words.show}<//></div></div>`;
  }
  return html`<div class="stack close">
    <ol class="recovery" aria-label=${w.words.title}>${shown.map((word, place) => html`<li key=${place}>${word}</li>`)}</ol>
    <p class="small soft">${w.words.how}</p>
    <div class="row">
      ${confirm && html`<${Act} kind="first" done=${w.words.said} run=${() => begin({ words_kept: true })}>${w.words.kept}<//>`}
      <button type="button" class="button" onClick=${() => setShown(null)}>${w.words.hide}</button>
    </div>
  </div>`;
}

/// What was typed of a ticket: people look elsewhere in between.
let begun = "";

function Joining() {
  const [ticket, setTicket] = useState(begun);
  const type = (text) => {
    begun = text;
    setTicket(text);
  };
  const { run, busy, mistake } = useTries();
  const join = (event) => {
    event.preventDefault();
    run(async () => {
      const { community } = await call("POST", "/v1/beginning/join", { ticket });
      begun = "";
      tell(w.join.said(community));
      await readAll();
    });
  };
  return html`<form class="stack close" onSubmit=${join}>
    <div class="field"><label for="ticket">${w.join.label}</label>
      <textarea id="ticket" class="mono" rows="3" spellcheck="false" autocomplete="off" value=${ticket} onInput=${(event) => type(event.target.value)}></textarea></div>
    <div class="row"><button class="button first" disabled=${busy || ticket.trim() === ""}>${w.join.ask}</button>
      ${busy && html`<span class="soft" role="status">${w.join.asking}</span>`}</div>
    ${mistake}
    <p class="small soft">${w.join.none}</p>
  </form>`;
}
