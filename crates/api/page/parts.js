// Pieces that several panels are made of.

import { Component, h } from "./vendor/preact.js";
import { useEffect, useRef, useState } from "./vendor/hooks.js";
import htm from "./vendor/htm.js";
import { plain, short } from "./format.js";
import { status, tell } from "./state.js";
import { words } from "./words.js";

export const html = htm.bind(h);

const LINES = {
  home: "M4 11 12 4l8 7v8a1 1 0 0 1-1 1h-4v-6H9v6H5a1 1 0 0 1-1-1z",
  data: "M5 6c0-3 14-3 14 0v12c0 3-14 3-14 0zM5 6c0 3 14 3 14 0M5 12c0 3 14 3 14 0",
  questions: "M5 5h14a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1h-7l-5 4v-4H5a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1zM9 9h6M9 12h4",
  results: "M5 20V11M10 20V5M15 20v-7M20 20V9M3 20h19",
  proof: "M12 3l8 3v6c0 5-4 8-8 9-4-1-8-4-8-9V6zM8.5 12l2.5 2.5 4.5-5",
  consent: "M7 3h10a1 1 0 0 1 1 1v16a1 1 0 0 1-1 1H7a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1zM9 8h6M9 12h6M9 16h3",
  network: "M12 8a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM5.5 20a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM18.5 20a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM11 8l-4 7M13 8l4 7M8 17.5h8",
  settings: "M4 7h9M17 7h3M15 9.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM4 17h3M11 17h9M9 19.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  yes: "M5 12.5l4.5 4.5L19 7.5",
  no: "M6.5 6.5l11 11M17.5 6.5l-11 11",
  always: "M5 12a7 7 0 0 1 12-5l2 2M19 5v4h-4M19 12a7 7 0 0 1-12 5l-2-2M5 19v-4h4",
  never: "M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16zM6.5 6.5l11 11",
  alert: "M12 4l9 16H3zM12 10v4M12 17v.01",
  save: "M12 4v11M7.5 11l4.5 4.5 4.5-4.5M5 20h14",
  back: "M14 6l-6 6 6 6",
};

/// A drawing beside words that say the same.
export const Icon = ({ name }) => html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d=${LINES[name]} /></svg>`;

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

/// Something to type in a terminal.
export function Command({ children }) {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(children);
      tell(words.copied);
    } catch {
      tell(words.failed);
    }
  };
  return html`<div class="command">
    <code>${children}</code>
    <button class="button plain" type="button" onClick=${copy} aria-label=${`${words.copy}: ${children}`}>${words.copy}</button>
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

export const Facts = ({ of }) => html`<dl class="facts">
  ${of.filter(Boolean).map(([name, value]) => html`<dt key=${name}>${name}</dt><dd>${value}</dd>`)}
</dl>`;

/// A button that waits for what it does, and says what went wrong.
export function Act({ run, children, kind = "", done, disabled, label }) {
  const [busy, setBusy] = useState(false);
  const act = async () => {
    setBusy(true);
    try {
      await run();
      if (done) tell(done);
    } catch (why) {
      tell(wrong(why));
    } finally {
      setBusy(false);
    }
  };
  return html`<button type="button" class=${`button ${kind}`} disabled=${busy || disabled} aria-label=${label} onClick=${act}>${children}</button>`;
}

/// What went wrong, in words.
export const wrong = (why) => [why.message || words.failed, why.advice].filter(Boolean).join("; ");

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
