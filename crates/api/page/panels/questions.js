// Questions: the inbox, one question with all that decides it, and one's word.

import { useEffect, useRef, useState } from "../vendor/hooks.js";
import { Act, Empty, Facts, Icon, Loading, Panel, Quoted, Said, Unknown, Who, html, sentence, useShown, useTries, wrong } from "../parts.js";
import { day, gist, span, time } from "../format.js";
import { hasMore, inbox, learn, now, readMore, refresh, rules, status } from "../state.js";
import { leftAt, standing, wordOf } from "../standing.js";
import { call } from "../node.js";
import { words } from "../words.js";
import { Asking } from "./asking.js";
import { revokeRule, ruleText } from "./ruling.js";

const w = words.questions;
const AT_ONCE = 40;
/// So many are seen at once, nearly.
const FEW = 8;

export function Questions({ path: [which] }) {
  const entries = inbox.value;
  const asking = which === "ask";
  return html`<${Panel} title=${asking ? words.asking.title : w.title} lead=${asking ? words.asking.lead : w.lead}>
    <nav class="tabs" aria-label=${w.title}>
      <a href="#/questions" aria-current=${asking ? undefined : "page"}>${w.inbox}</a>
      <a href="#/questions/ask" aria-current=${asking ? "page" : undefined}>${w.ask}</a>
    </nav>
    ${asking ? html`<${Asking} />` : entries ? html`<${Inbox} entries=${entries} which=${which} />` : html`<${Loading} />`}
  <//>`;
}

function Inbox({ entries, which }) {
  const [shown, setShown] = useState({ waiting: AT_ONCE, decided: AT_ONCE });
  const below = useRef(null);
  const waiting = entries.filter((entry) => entry.state === "waiting");
  const decided = entries.filter((entry) => entry.state !== "waiting");
  const sorted = [...waiting, ...decided];
  const wide = useShown(sorted, which);
  const isFresh = useFresh(entries, wide);
  useDeadlines(entries);
  // Those that wait are shown however many were decided since.
  const isAll = waiting.length >= status.value.questions.waiting || !hasMore("inbox");
  useEffect(() => {
    if (!isAll) readMore("inbox").catch(() => {});
  }, [isAll, entries.length]);
  if (entries.length === 0) return html`<${Empty} icon="questions" title=${w.emptyTitle}><p class="soft">${w.empty}</p><//>`;
  const item = (entry) => html`<li key=${entry.id}><a href=${`#/questions/${entry.id}`} aria-current=${entry.id === wide?.id ? "true" : undefined}>
    <span class="head-line">${gist(entry)}</span>
    ${entry.purpose.trim() && html`<span class="small soft quoted one"><${Said}>${entry.purpose}<//></span>`}
    <span class="line small soft"><${Who} id=${entry.asker} /><span>${entry.state === "waiting" ? left(entry) : words.ago(span(now.value - entry.received_at))}</span>${isFresh(entry) && html`<span class="chip clay">${words.fresh}</span>`}<${State} entry=${entry} /></span>
  </a></li>`;
  const part = (name, title, some, place) => some.length > 0 && html`<div class="stack close" ref=${place}><h2 class="small soft">${title}</h2><ul class="list">${some.slice(0, shown[name]).map(item)}</ul>
    ${some.length > shown[name] && html`<div><button type="button" class="button" onClick=${() => setShown({ ...shown, [name]: shown[name] + AT_ONCE })}>${w.more(Math.min(AT_ONCE, some.length - shown[name]))}</button></div>`}</div>`;
  const isLong = waiting.length > FEW && decided.length > 0;
  return html`<div class=${`split ${which ? "chosen" : ""}`}>
    <div class="stack list">
      ${waiting.length === 0 && isAll && html`<p class="soft">${w.noneWaiting}</p>`}
      ${isLong && html`<div><button type="button" class="button plain" onClick=${() => below.current.scrollIntoView()}>${w.toDecided(decided.length)}</button></div>`}
      ${part("waiting", w.waitingPart, waiting)}
      ${part("decided", w.decidedPart, decided, below)}
      ${decided.length <= shown.decided && hasMore("inbox") && html`<${Act} run=${() => readMore("inbox")}>${words.older}<//>`}
    </div>
    <div class="chosen-part stack">
      <a class="button plain back" href="#/questions"><${Icon} name="back" />${words.back}</a>${wide ? html`<${One} key=${wide.id} entry=${wide} next=${waiting.find(({ id }) => id !== wide.id)} />` : html`<${Unknown} which=${which} />`}
    </div>
  </div>`;
}

/// Whether an entry came while the list was looked at, and was not opened yet.
function useFresh(entries, shown) {
  const opened = useRef(null);
  opened.current ??= { ids: new Set(entries.map(({ id }) => id)), last: Math.max(0, ...entries.map((entry) => entry.received_at)) };
  if (shown) opened.current.ids.add(shown.id);
  return ({ id, received_at: at }) => at >= opened.current.last && !opened.current.ids.has(id);
}

/// Nobody tells that a deadline is over: as long as one is and its question waits, the node is asked how it stands.
export function useDeadlines(entries) {
  const over = entries.some((entry) => entry.state === "waiting" && entry.until <= now.value);
  const at = over ? now.value : 0;
  useEffect(() => {
    if (at > 0) refresh("inbox", "status");
  }, [at]);
}

const left = (entry) => {
  if (entry.until > now.value) return words.within(span(entry.until - now.value));
  return entry.state === "waiting" ? w.mayCount : words.over;
};

function State({ entry }) {
  const kind = entry.state !== "yes" ? "" : isSpent(entry) ? "clay" : "leaf";
  return entry.state === "waiting" ? null : html`<span class=${`chip ${kind}`}>${stateOf(entry)}</span>`;
}

function One({ entry, next }) {
  const { about } = entry;
  const isSure = entry.until > entry.received_at;
  return html`<article class="card appear">
    <header class="stack close">
      <h2>${gist(entry)}</h2>
      ${entry.purpose.trim() ? html`<p class="small soft">${w.saysAsker}</p><${Quoted}>${entry.purpose}<//>` : html`<p class="soft">${w.noPurpose}</p>`}
    </header>
    <${Facts} of=${[
      [w.from, html`<${Asker} entry=${entry} />`],
      [w.reads, about ? html`<${Reads} about=${about} />` : w.readsUnknown],
      about?.inner && [w.inner, about.inner_told ? html`<${Said}>${about.inner_told}<//>` : html`<code>${about.inner}</code>`],
      about && [w.of, about.filter_told ? html`<${Said}>${about.filter_told}<//>` : about.filter ? html`<code>${about.filter}</code>` : about.inner ? w.whoHasRows : w.everybody],
      about?.rows_max && [w.notCounted, words.tooMany(about.rows_max)],
      about?.groups.length > 0 && [w.groups, about.groups_told?.length ? html`<${Said}>${about.groups_told.join(", ")}<//>` : html`<code>${about.groups.join(", ")}</code>`],
      [w.crowd, words.crowd(entry.smallest_crowd ?? status.value.community.smallest_crowd)],
      [w.noise, w.noiseValue],
      [w.deadline, isSure ? `${time(entry.until)} (${left(entry)})` : w.atOnce],
    ]} />
    <details><summary>${w.exact}</summary><pre class="sunk">${entry.sql}</pre></details>
    <${Preview} entry=${entry} />
    <${Deciding} entry=${entry} next=${next} />
  </article>`;
}

/// Who asks, and what this node knows of them.
function Asker({ entry }) {
  const others = inbox.value.filter(({ id, asker }) => asker === entry.asker && id !== entry.id);
  const yes = others.filter(({ state }) => state === "yes").length;
  const more = hasMore("inbox");
  const known = [
    entry.asker_since && w.asker.since(day(entry.asker_since)),
    others.length > 0 ? w.asker.others(others.length, yes, more) : !more && w.asker.first,
  ];
  return html`<${Who} id=${entry.asker} /><br /><span class="small soft">${known.filter(Boolean).join("; ")}</span>`;
}

const Reads = ({ about: { columns, table } }) => columns.length === 0 ? w.readsNothing(table) : html`<span class="chips">${columns.map((column) => html`<span key=${column} class="chip">${column}</span>`)} <span class="soft">${w.readsOf(table)}</span></span>`;

/// What would be sent, computed here before anything is said.
function Preview({ entry }) {
  const { id, state } = entry;
  const [preview, setPreview] = useState(null);
  useEffect(() => {
    call("GET", `/v1/inbox/${id}/preview`).then(setPreview, (why) => setPreview({ why }));
  }, [id]);
  const p = w.preview;
  let found = html`<p class="soft">${words.loading}</p>`;
  if (preview?.why) found = html`<p>${wrong(preview.why)}</p>`;
  else if (preview) {
    const counted = preview.outcome === "match" && preview.values.length === 0;
    found = html`<p>${counted ? p.matchCount : preview.outcome === "too_many_rows" ? p.too_many_rows(preview.rows, entry.about?.rows_max) : p[preview.outcome]}</p>
      ${preview.values.length > 0 && html`<ul class="chips">${preview.values.map(({ name, value }) => html`<li key=${name} class="chip leaf">${name}: <strong>${value}</strong></li>`)}</ul>`}
      <p class="small soft">${p.numbers(preview.numbers)} ${leftAt(entry) ? p.computed.left(time(leftAt(entry))) : (p.computed[state] ?? p.computed.other)}</p>`;
  }
  return html`<section class="sunk stack close" aria-live="polite"><h3>${leftAt(entry) ? p.titleLeft : p.title}</h3>${found}</section>`;
}

const ICONS = { yes: "yes", always: "always", no: "no", never: "never" };

/// Whether the owner's limit keeps a yes to this from counting as it stands.
const isSpent = (entry) => {
  const { limit, spent } = status.value.budget;
  return limit !== null && spent >= limit.questions && ["waiting", "yes"].includes(entry.state) && !leftAt(entry);
};

const stateOf = (entry) => (entry.state === "yes" && isSpent(entry) ? w.spentState : w.states[entry.state]);

/// What a yes comes to while the limit is spent, if it is.
function Spent({ entry }) {
  const { limit, free_at: free } = status.value.budget;
  if (!isSpent(entry)) return null;
  const inTime = free !== null && free < entry.until;
  return html`<p class="sunk" role="status">${w.spent(limit.questions, free && time(free), inTime)} <a href="#/settings">${w.toLimit}</a></p>`;
}

/// The rule of the owner's that holds for such questions, and a way to take it back.
function Standing({ entry, rule }) {
  if (!rule) return null;
  return html`<div class="sunk row end step-row"><p>${rule.says !== entry.state && ["yes", "no"].includes(entry.state) && `${w.onlyThis} `}<strong>${w.standing(rule.number)}</strong> ${ruleText(rule)}</p>
    <${Act} kind="plain" done=${words.rules.revoked} label=${`${words.rules.revoke}: ${w.standing(rule.number)}`} run=${() => revokeRule(rule)}>${words.rules.revoke}<//></div>`;
}

function Deciding({ entry, next }) {
  const { run, busy, mistake } = useTries();
  const isLate = now.value >= entry.until;
  const open = !leftAt(entry) && (entry.state === "waiting" || (["yes", "no"].includes(entry.state) && !isLate));
  const say = async (answer) => {
    await run(async () => {
      const decided = await call("POST", `/v1/inbox/${entry.id}`, { answer });
      learn("inbox", inbox.value.map((one) => (one.id === decided.id ? decided : one)));
    }, isSpent(entry) && ["yes", "always"].includes(answer) ? w.saidSpent : w.said[answer]);
    refresh("inbox", "status", "rules");
  };
  const rule = rules.value ? standing(entry, rules.value) : null;
  const pressed = wordOf(entry, rule);
  const reason = entry.by_rule ? `, ${w.byRule(entry.rule)}` : "";
  return html`<section class="stack close">
    <h3>${w.decideTitle}${entry.state !== "waiting" && html`: <span class="soft">${stateOf(entry)}${reason}</span>`}</h3>
    ${entry.note && html`<p class="soft">${sentence(entry.note)}</p>`}
    ${open && isLate && html`<p>${w.lateNote}</p>`}
    ${open && html`<div class="words">
      ${Object.entries(w.words).map(([answer, [title, text]]) => html`<button key=${answer} type="button"
        class=${`word ${["no", "never"].includes(answer) ? "no" : ""}`} aria-disabled=${busy}
        aria-pressed=${pressed === answer ? "true" : "false"} onClick=${() => say(answer)}>
        <${Icon} name=${ICONS[answer]} /><strong>${title}</strong><span>${text}</span>
      </button>`)}
    </div>`}
    ${mistake}
    <${Spent} entry=${entry} />
    <${Standing} entry=${entry} rule=${rule} />
    <p class="small soft">${w.undo}</p>
    ${next && entry.state !== "waiting" && html`<p><a class="button" href=${`#/questions/${next.id}`}>${w.next}</a></p>`}
  </section>`;
}
