// Home: how the node is, what waits, the first steps, the latest answers.

import { Card, Facts, Panel, Said, advice, html, sentence } from "../parts.js";
import { count, gist } from "../format.js";
import { inbox, questions, status } from "../state.js";
import { headline } from "../figures.js";
import { words } from "../words.js";
import { Steps } from "./first.js";
import { useDeadlines } from "./questions.js";

export function Home() {
  const { community, problems, questions: counts, reach } = status.value;
  const w = words.home;
  // Whoever tries a community out has all of it on one computer: nothing is wrong as long as nobody calls in vain.
  const isRemark = ({ what_to_do: todo }) => reach.reached !== "no" && todo.includes("listen and announce");
  return html`<${Panel} title=${w.title(community.name)} lead=${w.lead(community.nodes)}>
    <${Problems} title=${w.problems} kind="attention" of=${problems.filter((one) => !isRemark(one))} />
    <div class="cards">
      <${Waiting} count=${counts.waiting} />
      <${Card} title=${w.heroTitle} kind="hero"><p>${w.hero}</p><//>
    </div>
    <${Steps} />
    <div class="cards">
      <${Latest} />
      <${Community} community=${community} />
    </div>
    <${Problems} title=${w.remarks} of=${problems.filter(isRemark)} />
  <//>`;
}

const Problems = ({ title, kind, of }) => of.length > 0 && html`<${Card} title=${title} kind=${kind}><ul class="stack">
  ${of.map(({ what, what_to_do: todo }) => html`<li key=${what} class="stack close"><p><strong>${sentence(what)}</strong></p><p>${sentence(advice(todo))}</p></li>`)}
</ul><//>`;

function Waiting({ count: waiting }) {
  const w = words.home;
  useDeadlines(inbox.value ?? []);
  if (waiting === 0) return html`<${Card} title=${w.nothingTitle}><p class="soft">${w.nothing}</p><p><a class="button" href="#/questions/ask">${w.ask}</a></p><//>`;
  const entries = (inbox.value ?? []).filter((entry) => entry.state === "waiting").slice(0, 3);
  return html`<${Card} title=${w.waitingTitle}>
    <p class="big">${count(waiting)}</p>
    <ul class="stack close">${entries.map((entry) => html`<li key=${entry.id}><a href=${`#/questions/${entry.id}`}>${gist(entry)}</a>${entry.purpose.trim() && html`<span class="small quoted one"><${Said}>${entry.purpose}<//></span>`}</li>`)}</ul>
    <p><a class="button first" href="#/questions">${w.decide}</a></p>
  <//>`;
}

function Latest() {
  const w = words.home;
  const answered = (questions.value ?? []).filter((question) => question.answer).slice(0, 3);
  return html`<${Card} title=${w.latest}>
    ${answered.length === 0 && html`<p class="soft">${w.none}</p><p><a class="button" href="#/questions/ask">${w.ask}</a></p>`}
    <ul class="stack">${answered.map((question) => html`<li key=${question.id} class="stack close">
      <a href=${`#/results/${question.id}`}>${gist(question)}</a>
      <p><strong class="middle">${headline(question.answer.details)[0]}</strong> <span class="soft">${headline(question.answer.details)[1]}</span></p>
    </li>`)}</ul>
  <//>`;
}

function Community({ community }) {
  const w = words.home;
  const { reach } = status.value;
  return html`<${Card} title=${w.community}><${Facts} of=${[
    [w.facts.nodes, count(community.nodes)],
    [w.facts.min, words.crowd(community.smallest_crowd)],
    [w.facts.colluders, count(community.colluders)],
    [w.facts.epoch, community.epoch],
    [w.reach.title, html`<a href="#/network">${w.reach[reach.reached]}</a>`],
  ]} /><//>`;
}
