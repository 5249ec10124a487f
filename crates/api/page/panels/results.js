// Results: how far a question is, and its answer with pictures and files.

import { useEffect, useRef, useState } from "../vendor/hooks.js";
import { Act, Empty, Facts, Icon, Loading, Mistake, Panel, Quoted, Said, Unknown, Who, html, sentence, useShown } from "../parts.js";
import { csv, day, gist, save, short, span, time } from "../format.js";
import { Bars, Taking, pictures, png } from "../charts.js";
import { exactness, headline } from "../figures.js";
import { gathers, rowsMost } from "../sql.js";
import { Grid, gridOf } from "../grid.js";
import { hasMore, now, published, questions, readMore, refresh, status } from "../state.js";
import { call, file } from "../node.js";
import { words } from "../words.js";

const w = words.results;
const COURSE = ["announced", "drawn", "collecting", "answered"];
const SMALL = 12;

/// Own questions and others' published answers, the latest first.
export function all() {
  const mine = (questions.value ?? []).map((question) => ({ ...question, mine: true }));
  const own = new Set(mine.map(({ id }) => id));
  const others = (published.value ?? []).filter(({ id }) => !own.has(id));
  return [...mine, ...others.map((one) => ({ ...one, state: "answered", published: true, mine: false }))];
}

const textOf = (question) => question.answer?.details.question ?? question.sql;

export function Results({ path: [which] }) {
  const list = all();
  const wide = useShown(list, which);
  if (!questions.value || !published.value) return html`<${Panel} title=${w.title} lead=${w.lead}><${Loading} /><//>`;
  const item = (question) => html`<li key=${question.id}><a href=${`#/results/${question.id}`} aria-current=${question.id === wide?.id ? "true" : undefined}>
    <span class="head-line">${gist(question)}</span>
    ${question.purpose && html`<span class="small soft quoted one"><${Said}>${question.purpose}<//></span>`}
    <span class="line small soft"><span>${time(question.asked_at)}</span>${question.state !== "answered" && html`<span class="chip">${w.states[question.state]}</span>`}</span>
  </a></li>`;
  const part = (title, some) => some.length > 0 && html`<div><h2 class="small soft">${title}</h2><ul class="list">${some.map(item)}</ul></div>`;
  return html`<${Panel} title=${w.title} lead=${w.lead} aside=${html`<a class="button" href="#/questions/ask">${words.questions.ask}</a>`}>
    ${list.length === 0
      ? html`<${Empty} icon="results" title=${w.emptyTitle}><p class="soft">${w.empty}</p><a class="button first" href="#/questions/ask">${words.questions.ask}</a><//>`
      : html`<div class=${`split ${which ? "chosen" : ""}`}>
          <div class="stack list">${part(w.mine, list.filter(({ mine }) => mine))}${part(w.others, list.filter(({ mine }) => !mine))}
            ${["questions", "published"].map((name) => hasMore(name) && html`<${Act} key=${name} run=${() => readMore(name)}>${words.older}<//>`)}</div>
          <div class="chosen-part stack"><a class="button plain back" href="#/results"><${Icon} name="back" />${words.back}</a>${wide ? html`<${One} key=${wide.id} question=${wide} />` : html`<${Unknown} which=${which} />`}</div>
        </div>`}
  <//>`;
}

function One({ question: listed }) {
  const { answer, why } = useWhole(listed);
  const question = { ...listed, answer: answer ?? listed.answer };
  return html`<article class="card appear">
    <header class="stack close"><h2>${gist(question)}</h2>${question.purpose && html`<${Quoted}>${question.purpose}<//>`}</header>
    ${why ? html`<${Mistake} why=${why} />` : question.answer && !answer ? html`<${Loading} />` : question.answer ? html`<${Answer} question=${question} />` : html`<${Course} question=${question} />`}
    <details><summary>${w.details}</summary><${Facts} of=${[
      [words.questions.exact, html`<code>${textOf(question)}</code>`],
      [w.purpose, html`<${Said}>${question.purpose || words.questions.noPurpose}<//>`],
      [w.asked, time(question.asked_at)],
      [w.by, question.mine ? words.you : html`<${Who} id=${question.asker} />`],
    ]} /></details>
  </article>`;
}

function Course({ question }) {
  const at = COURSE.indexOf(question.state);
  if (at < 0) {
    // The node notes it as a failure like others.
    const isTakenBack = question.state === "failed" && question.note.endsWith("it was called off");
    return html`<div class="stack close"><p class="middle">${isTakenBack ? w.takenBack : w.states[question.state]}</p>
      ${question.note && !isTakenBack && html`<p>${sentence(question.note)}</p>`}<p class="soft">${w.learnt[question.state] ?? w.learnt.other}</p><p><a class="button" href="#/questions/ask">${w.askAgain}</a></p></div>`;
  }
  const left = question.consent_until - now.value;
  return html`<div class="stack" aria-live="polite">
    <ol class="course">${w.course.map((name, place) => html`<li key=${name} class=${place < at ? "done" : place === at ? "now" : ""} aria-current=${place === at ? "step" : undefined}>${name}</li>`)}</ol>
    <p>${at === 0 && left > 0 ? w.until(span(left)) : question.note || w.states[question.state]}</p>
    ${at === 0 && html`<div><${Act} done=${w.cancelled} run=${async () => { await call("POST", `/v1/questions/${question.id}/cancel`); refresh("questions"); }}>${w.cancel}<//></div>`}
  </div>`;
}

/// All of an answer: lists leave out what some have many of.
function useWhole({ id, mine, answer }) {
  const [read, setRead] = useState(null);
  useEffect(() => {
    if (answer && !answer.complete) call("GET", mine ? `/v1/questions/${id}` : `/v1/questions/${id}/check`).then(({ answer, why }) => setRead(answer ? { answer } : { why }), (why) => setRead({ why }));
  }, [id, mine, answer?.complete]);
  return !answer || answer.complete ? { answer } : (read ?? {});
}

function Answer({ question }) {
  const { details } = question.answer;
  const place = useRef(null);
  const grid = gridOf(details);
  const drawn = grid ? [{ title: grid.title, rows: pictures(details)[0].rows }] : pictures(details);
  const [large, small] = headline(details);
  const most = rowsMost(textOf(question));
  const exact = [exactness(details, gathers(question.sql)), most && words.tooMany(most)].filter(Boolean).join(" ");
  const withheld = drawn[0]?.rows.reduce((sum, { value, many = 1 }) => sum + (value === null ? many : 0), 0) ?? 0;
  const name = `${w.picture}-${short(question.id)}`;
  const pictured = () => ({
    title: gist(question),
    lines: [w.pictureOf(details.count, day(question.asked_at), status.value.community.name), exact].filter(Boolean),
    parts: [...place.current.querySelectorAll("svg")].map((svg, at) => ({ svg, ...drawn[at] })),
  });
  return html`<div class="stack">
    <div><p class="big">${large}</p><p class="soft">${small}</p>${exact && html`<p class="small soft">${exact}</p>`}</div>
    <div class="stack close"><h3>${w.chartPeople}</h3><${Taking} details=${details} />
      ${details.included !== details.count && html`<p class="small soft">${w.ofWhom(details.included, details.count)}</p>`}</div>
    ${drawn.length > 0 && html`<div class="stack" ref=${place}>${drawn.map(({ title, rows, note }) => html`<div key=${title} class="stack close"><h3>${title}</h3>
      ${grid ? html`<${Grid} grid=${grid} title=${w.chart(gist(question))} />` : html`<${Bars} rows=${rows} title=${`${w.chart(gist(question))}: ${title}`} />`}
      ${note && html`<p class="small soft">${note}</p>`}</div>`)}
      ${withheld > 0 && html`<p class="small soft">${w.withheldNote(withheld)}</p>`}</div>`}
    <${Tables} details=${details} drawn=${drawn.length > 0 && !drawn[0].single} />
    <p class="small soft">${details.proved ? w.proved : w.unproved}</p>
    <div class="row">
      <a class="button first" href=${`#/proof/${question.id}`}><${Icon} name="proof" />${w.check}</a>
      <${Act} run=${async () => save(`${name}.proof`, await file(`/v1/questions/${question.id}/proof`))}><${Icon} name="save" />${w.proofFile}<//>
      <${Act} run=${async () => save(`${name}.csv`, csv(grid ? told(table(details), details) : table(details)))}><${Icon} name="save" />${w.csv}<//>
      ${drawn.length > 0 && html`<${Act} run=${() => png(pictured(), `${name}.png`)}><${Icon} name="save" />${w.png}<//>`}
    </div>
    <${Publishing} question=${question} />
  </div>`;
}

function Tables({ details, drawn }) {
  const [head, ...rows] = table(details);
  if (rows.length === 0) return null;
  const title = drawn ? w.asTable : w.asFigures;
  return html`<details open=${!drawn && rows.length <= SMALL}><summary>${title}</summary><div class="scroll" tabindex="0" role="region" aria-label=${title}><table>
    <thead><tr>${head.map((name) => html`<th key=${name} scope="col">${name}</th>`)}</tr></thead>
    <tbody>${rows.map((row, place) => html`<tr key=${place}>${row.map((cell, at) => html`<td key=${at}>${cell ?? w.withheld}</td>`)}</tr>`)}</tbody>
  </table></div></details>`;
}

/// How exact a figure is, for people.
const exactly = (told) => told.replace(/^of an exact one, to (\d+) digits$/, (_, digits) => w.estimated(digits));

/// All figures, as rows of a table with a head.
function table(details) {
  const { groups, groupings, figures } = details;
  if (!groups.length) return [[w.figure, w.value, w.exactness], [w.peopleColumn, details.count, "exact"], ...figures.map((figure) => [figure.name, figure.value, exactly(figure.exactness)])];
  const names = groups.find((group) => group.figures)?.figures.map((figure) => figure.name) ?? [];
  return [
    [...groupings.map((grouping) => grouping.replace(/^BUCKET\((.*), ([\d.]+)\)$/, (_, column, width) => w.steps(column, width)).replaceAll('"', "")), w.peopleColumn, ...names],
    ...groups.map((group) => [...group.labels, group.people, ...names.map((name) => group.figures?.find((figure) => figure.name === name)?.value ?? null)]),
  ];
}

/// Without the cells of a plane of which nothing is told: there are thousands.
const told = ([head, ...rows], { groups }) => [head, ...rows.filter((_, place) => groups[place].people !== null)];

function Publishing({ question }) {
  const [sure, setSure] = useState(false);
  if (question.published) return html`<p class="row"><span class="chip leaf">${w.publishedTitle}</span><span class="soft">${w.published}</span></p>`;
  if (!sure) return html`<p class="row"><span class="soft">${w.onlyYou}</span><button type="button" class="button plain" onClick=${() => setSure(true)}>${w.publish}</button></p>`;
  const run = async () => {
    await call("POST", `/v1/questions/${question.id}/publish`);
    refresh("questions", "published");
  };
  return html`<div class="sunk row end"><p>${w.publishSure}</p><div class="row"><${Act} kind="first" done=${w.publishedTitle} run=${run}>${w.publishYes}<//><button type="button" class="button" onClick=${() => setSure(false)}>${words.cancel}</button></div></div>`;
}
