// Home: how the node is, what waits, the first steps, the latest answers.

import { Card, Facts, Icon, Panel, Said, html } from "../parts.js";
import { count, span } from "../format.js";
import { holdings, inbox, questions, status } from "../state.js";
import { gist } from "../sql.js";
import { words } from "../words.js";
import { headline } from "./results.js";

export function Home() {
  const { community, problems, questions: counts, now, started_at: since } = status.value;
  const w = words.home;
  return html`<${Panel} title=${w.title(community.name)} lead=${w.lead(community.nodes)}>
    ${problems.length > 0 && html`<${Card} title=${w.problems} kind="attention"><ul class="stack">
      ${problems.map(({ what, what_to_do: todo }) => html`<li key=${what} class="stack close"><p><strong>${what}</strong></p><p>${todo}</p></li>`)}
    </ul><//>`}
    <div class="cards">
      <${Waiting} count=${counts.waiting} />
      <${Card} title=${w.heroTitle} kind="hero"><p>${w.hero}</p><//>
    </div>
    <${FirstSteps} span=${span(now - since)} />
    <div class="cards">
      <${Latest} />
      <${Community} community=${community} />
    </div>
  <//>`;
}

function Waiting({ count: waiting }) {
  const w = words.home;
  if (waiting === 0) return html`<${Card} title=${w.nothingTitle}><p class="soft">${w.nothing}</p><p><a class="button" href="#/questions/ask">${w.ask}</a></p><//>`;
  const entries = (inbox.value ?? []).filter((entry) => entry.state === "waiting").slice(0, 3);
  return html`<${Card} title=${w.waitingTitle}>
    <p class="big">${count(waiting)}</p>
    <ul class="stack close">${entries.map((entry) => html`<li key=${entry.id}><a href=${`#/questions/${entry.id}`}><${Said}>${entry.purpose || gist(entry.sql)}<//></a></li>`)}</ul>
    <p><a class="button first" href="#/questions">${w.decide}</a></p>
  <//>`;
}

function FirstSteps({ span: up }) {
  const w = words.home;
  const { community, peers_known: known, rule, rules: own, budget } = status.value;
  const decided = (inbox.value ?? []).some((entry) => ["yes", "no"].includes(entry.state) && !entry.by_rule);
  const tables = (holdings.value?.tables ?? []).filter(({ computed }) => !computed).length;
  const steps = [
    [true, ...w.steps.joined.map((text) => (typeof text === "function" ? text(community.name, up) : text))],
    [known > 0, w.steps.met[0], w.steps.met[1](known)],
    [tables > 0, w.steps.data[0], w.steps.data[1](tables), html`<a class="button" href="#/data">${w.go.data}</a>`],
    [rule !== "ask" || own > 0 || decided, ...w.steps.word, html`<a class="button" href="#/consent">${w.go.word}</a>`],
    [budget.limit !== null, ...w.steps.budget, html`<a class="button" href="#/settings">${w.go.budget}</a>`],
  ];
  if (steps.every(([done]) => done !== false)) return null;
  return html`<${Card} title=${w.first}><ol class="steps">
    ${steps.map(([done, title, text, action], place) => html`<li key=${title} class="step">
      <span class=${`mark ${done ? "done" : ""}`} aria-hidden="true">${done ? html`<${Icon} name="yes" />` : place + 1}</span>
      <div class="stack close"><h3>${title}</h3><p class="soft">${text}</p>${!done && action && html`<div>${action}</div>`}</div>
    </li>`)}
  </ol><//>`;
}

function Latest() {
  const w = words.home;
  const answered = (questions.value ?? []).filter((question) => question.answer).slice(0, 3);
  return html`<${Card} title=${w.latest}>
    ${answered.length === 0 && html`<p class="soft">${w.none}</p><p><a class="button" href="#/questions/ask">${w.ask}</a></p>`}
    <ul class="stack">${answered.map((question) => html`<li key=${question.id} class="stack close">
      <a href=${`#/results/${question.id}`}>${gist(question.answer.details.question)}</a>
      <p><strong class="middle">${headline(question.answer.details)[0]}</strong> <span class="soft">${headline(question.answer.details)[1]}</span></p>
    </li>`)}</ul>
  <//>`;
}

function Community({ community }) {
  const w = words.home;
  const { reach } = status.value;
  return html`<${Card} title=${w.community}><${Facts} of=${[
    [w.facts.nodes, count(community.nodes)],
    [w.facts.min, w.facts.minValue(community.min_crowd)],
    [w.facts.colluders, count(community.colluders)],
    [w.facts.epoch, community.epoch],
    [w.reach.title, html`<a href="#/network">${w.reach[reach.reached]}</a>`],
  ]} /><//>`;
}
