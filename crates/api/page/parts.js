// Pieces that several panels are made of.

import { Component, h } from "./vendor/preact.js";
import { useEffect, useRef, useState } from "./vendor/hooks.js";
import htm from "./vendor/htm.js";
import { plain, short } from "./format.js";
import { Gone, Unreadable } from "./node.js";
import { status, tell } from "./state.js";
import { words } from "./words.js";

export const html = htm.bind(h);

/// A drawing beside words that say the same: the one of this name in index.html.
export const Icon = ({ name }) => html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><use href=${`#icon-${name}`} /></svg>`;

/// A panel with its heading, which is where the keyboard goes when the panel is opened.
export function Panel({ title, lead, children, aside }) {
  const heading = useRef(null);
  useEffect(() => {
    document.title = `${title} · ${words.name}`;
    heading.current?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }, [title]);
  return html`<div class="panel">
    <div class="head">
      <div class="row end"><h1 tabindex="-1" ref=${heading}>${title}</h1>${aside}</div>
      ${lead && html`<p class="lead">${lead}</p>`}
    </div>
    ${children}
  </div>`;
}

export const Card = ({ title, children, kind = "", aside }) => html`<section class=${`card ${kind}`}>
  ${(title || aside) && html`<header>${title && html`<h2>${title}</h2>`}${aside}</header>`}
  ${children}
</section>`;

/// Says why there is nothing, and what to do.
export const Empty = ({ icon, title, children }) => html`<div class="empty">
  <${Icon} name=${icon} />
  <h2 class="middle">${title}</h2>
  ${children}
</div>`;

/// As wide as its place, so that its letters are as large as all others.
export function useWidth(first) {
  const place = useRef(null);
  const [wide, setWide] = useState(first);
  useEffect(() => {
    const watch = new ResizeObserver(([{ contentRect }]) => setWide(Math.max(240, Math.floor(contentRect.width))));
    watch.observe(place.current);
    return () => watch.disconnect();
  }, []);
  return [wide, place];
}

/// Something to type in a terminal.
export function Command({ children }) {
  return html`<div class="command">
    <code>${children}</code>
    <${Act} kind="plain" done=${words.copied} label=${`${words.copy}: ${children}`} run=${() => navigator.clipboard.writeText(children)}>${words.copy}<//>
  </div>`;
}

/// A member: a pattern of its name, and the name's first digits.
export function Who({ id }) {
  if (!id) return html`<span class="who">${words.nobody}</span>`;
  const digits = plain(id);
  const hue = Math.round((parseInt(digits.slice(0, 4), 16) || 0) * 0.0055);
  const cells = [...Array(15).keys()].filter((cell) => parseInt(digits[4 + cell] ?? "0", 16) % 2 === 0);
  const squares = cells.flatMap((cell) => {
    const [x, y] = [cell % 3, Math.floor(cell / 3)];
    return x === 2 ? [[2, y]] : [[x, y], [4 - x, y]];
  });
  return html`<span class="who" title=${digits}>
    <svg viewBox="0 0 5 5" aria-hidden="true"><rect width="5" height="5" fill=${`hsl(${hue} 35% 82%)`} />
      ${squares.map(([x, y]) => html`<rect x=${x} y=${y} width="1.02" height="1.02" fill=${`hsl(${hue} 45% 36%)`} />`)}
    </svg>
    ${digits === status.value?.node ? words.you : short(id)}
  </span>`;
}

/// What another member wrote.
export const Said = ({ children }) => html`<bdi>${plain(children)}</bdi>`;

/// What another member wrote, as a quotation: a few lines of it, and all of it on demand.
export function Quoted({ children }) {
  const [whole, setWhole] = useState(false);
  const [isLong, setLong] = useState(false);
  const place = useRef(null);
  useEffect(() => {
    if (!whole) setLong(place.current.scrollHeight > place.current.clientHeight + 1);
  }, [children, whole]);
  return html`<div class="stack close"><blockquote ref=${place} class=${`quoted ${whole ? "" : "some"}`}><${Said}>${children}<//></blockquote>
    ${isLong && html`<div><button type="button" class="button plain" aria-expanded=${whole} onClick=${() => setWhole(!whole)}>${whole ? words.less : words.whole}</button></div>`}</div>`;
}

export const Facts = ({ of }) => html`<dl class="facts">
  ${of.filter(Boolean).map(([name, value]) => html`<dt key=${name}>${name}</dt><dd>${value}</dd>`)}
</dl>`;

/// Does things one at a time: whether it is busy, and what went wrong the last time, until the next try, or until what it
/// is about is another.
export function useTries(about) {
  const [busy, setBusy] = useState(false);
  const [why, setWhy] = useState(null);
  useEffect(() => setWhy(null), [about]);
  const run = async (act, done) => {
    if (busy) return;
    setBusy(true);
    setWhy(null);
    tell("");
    try {
      await act();
      if (done) tell(done);
    } catch (problem) {
      setWhy(problem);
    } finally {
      setBusy(false);
    }
  };
  return { run, busy, mistake: html`<${Mistake} why=${why} />` };
}

/// What went wrong, beside what was tried.
export const Mistake = ({ why }) => why && html`<p class="mistake" role="alert"><${Icon} name="alert" /><span>${typeof why === "string" ? why : wrong(why)}</span></p>`;

/// A button that waits for what it does, and says what went wrong. It keeps the keyboard while it waits.
export function Act({ run, children, kind = "", done, disabled, label, about }) {
  const tries = useTries(about);
  return html`<button type="button" class=${`button ${kind}`} disabled=${disabled} aria-disabled=${tries.busy} aria-label=${label} onClick=${() => tries.run(run, done)}>${children}</button>${tries.mistake}`;
}

/// What went wrong, and what to do, in words of the page.
export function wrong(why) {
  if (why instanceof Gone) return words.unheard;
  if (why instanceof Unreadable) return words.unreadable;
  const { code, message, advice: todo } = why;
  if (Object.hasOwn(words.faults.codes, code)) return words.faults.codes[code];
  const instead = words.faults.messages.find(([part]) => message?.includes(part))?.[1];
  return [message || words.failed, instead ?? (todo && advice(todo))].filter(Boolean).map(sentence).join(" ");
}

/// What to do, for who looks at the page: the node may name a command that does what a panel does.
export const advice = (todo) => words.faults.advice.find(([command]) => todo.includes(command))?.[1] ?? todo;

/// With a capital and an end.
export function sentence(text) {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…:]$/.test(whole) ? whole : `${whole}.`;
}

/// The one of a list that its address names. Where that names none, the first, which then stays until another is chosen:
/// what comes in meanwhile must not take its place under somebody's hand.
export function useShown(list, which) {
  const kept = useRef(null);
  const shown = which ? list.find(({ id }) => id === which) : (list.find(({ id }) => id === kept.current) ?? list[0]);
  if (shown) kept.current = shown.id;
  return shown;
}

/// Says that the list has nothing of the name in the address.
export const Unknown = ({ which }) => html`<article class="card stack"><h2>${words.unknown.title}</h2><p class="soft">${words.unknown.why(short(which))}</p></article>`;

export const Loading = () => html`<p class="soft" role="status">${words.loading}</p>`;

/// Shows what went wrong with one panel, and leaves the others alone.
export class Guard extends Component {
  state = { why: null };

  static getDerivedStateFromError(why) {
    return { why };
  }

  componentDidCatch(why) {
    console.error(why);
  }

  render() {
    const { why } = this.state;
    return why ? html`<div class="banner" role="alert"><${Icon} name="alert" /><p>${words.failed}: ${String(why.message)}</p></div>` : this.props.children;
  }
}
