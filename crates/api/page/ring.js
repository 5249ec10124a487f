// The ring of nodes on which the helpers of an answer were drawn.

import { useEffect, useId, useRef } from "./vendor/hooks.js";
import { html } from "./parts.js";
import { words } from "./words.js";

const R = 170;
const C = 230;
/// Dots that would lie on each other are moved apart, by this much of the ring.
const APART = 0.021;

const at = (place, radius = R) => {
  const angle = place * 2 * Math.PI - Math.PI / 2;
  return [C + radius * Math.cos(angle), C + radius * Math.sin(angle)];
};

function arc(middle, half) {
  const [x1, y1] = at(middle - half);
  const [x2, y2] = at(middle + half);
  return `M${x1} ${y1}A${R} ${R} 0 ${half > 0.25 ? 1 : 0} 1 ${x2} ${y2}`;
}

/// Dots of the community's other nodes: more would lie on each other.
const NODES_MAX = 1000;
/// Of the golden ratio: its multiples are evenly spread.
const GOLDEN = 0.618;
/// From the asker to the point, and from there to the helpers.
const TRAVEL_MS = 1400;
const SPREAD_MS = 900;

/// All nodes of the community, evenly spread, since where they sit is not in the proof; and light that goes from the asker to
/// the drawn point, and from there to the helpers.
function Crowd({ ring, nodes, spread }) {
  const canvas = useRef(null);
  useEffect(() => {
    const dense = Math.min(2, devicePixelRatio || 1);
    const side = 2 * C * dense;
    Object.assign(canvas.current, { width: side, height: side });
    const pen = canvas.current.getContext("2d");
    const style = getComputedStyle(canvas.current);
    const all = Math.min(nodes, NODES_MAX);
    // In a band, where those of one circle would touch.
    const band = all > 120 ? 66 : 0;
    const dots = [...Array(all).keys()].map((dot) => ({ place: dot / all, xy: at(dot / all, R - 14 - ((dot * GOLDEN) % 1) * band) }));
    const size = all > 300 ? 1.8 : 2.6;
    const far = (place, other) => Math.abs(((place - other + 1.5) % 1) - 0.5);
    const paint = (ms) => {
      const [quiet, lit] = ["--line-strong", "--leaf"].map((name) => style.getPropertyValue(name));
      pen.setTransform(dense, 0, 0, dense, 0, 0);
      pen.clearRect(0, 0, 2 * C, 2 * C);
      const reach = Math.max(0, Math.min(1, (ms - TRAVEL_MS) / SPREAD_MS)) * spread;
      for (const { place, xy: [x, y] } of dots) {
        const near = far(place, ring.point);
        const on = reach > 0 && near <= reach;
        const wave = ms >= 0 && ms < TRAVEL_MS + SPREAD_MS ? Math.max(0, 1 - far(place, ring.asker.at) * 2 - Math.abs(ms / TRAVEL_MS - far(place, ring.asker.at) * 2) * 4) : 0;
        pen.globalAlpha = on ? 0.95 : 0.35 + 0.5 * wave;
        pen.fillStyle = on ? lit : quiet;
        pen.beginPath();
        pen.arc(x, y, size + wave, 0, 2 * Math.PI);
        pen.fill();
      }
      pen.globalAlpha = 1;
      if (ms > 0 && ms < TRAVEL_MS) {
        const [t, [ax, ay], [px, py]] = [ms / TRAVEL_MS, at(ring.asker.at), at(ring.point)];
        const along = (a, b) => (1 - t) ** 2 * a + 2 * t * (1 - t) * C + t ** 2 * b;
        pen.fillStyle = lit;
        pen.beginPath();
        pen.arc(along(ax, px), along(ay, py), 6, 0, 2 * Math.PI);
        pen.fill();
      }
    };
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const repaint = () => paint(Infinity);
    dark.addEventListener("change", repaint);
    let [began, frames, asked] = [null, 0, 0];
    const frame = (now) => {
      began ??= now;
      frames += 1;
      paint(now - began);
      if (now - began < TRAVEL_MS + SPREAD_MS) asked = requestAnimationFrame(frame);
      else Object.assign(canvas.current.dataset, { frames, ms: Math.round(now - began) });
    };
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) repaint();
    else asked = requestAnimationFrame(frame);
    return () => {
      cancelAnimationFrame(asked);
      dark.removeEventListener("change", repaint);
    };
  }, [ring, nodes]);
  return html`<canvas ref=${canvas} class="crowd" aria-hidden="true"></canvas>`;
}

/// Asker and builders where their certificates say; witnesses and helpers near where they sit.
export function Ring({ ring, nodes }) {
  const id = useId();
  const { asker, point, builders, helpers, witnesses, setter } = ring;
  const taken = [asker.at];
  const free = (place) => taken.every((other) => Math.abs(((place - other + 1.5) % 1) - 0.5) > APART);
  const placed = (wanted) => {
    for (let step = 0; step < 48; step += 1) {
      const place = (wanted + Math.ceil(step / 2) * (step % 2 ? APART : -APART) + 1) % 1;
      if (free(place)) {
        taken.push(place);
        return place;
      }
    }
    return wanted;
  };
  const setterAt = placed(point);
  const builderAt = builders.map((builder) => placed(builder.at));
  const witnessAt = Array.from({ length: witnesses }, () => placed(asker.at + APART));
  // Who is a helper as well sits where it does.
  const known = new Map([[setter, setterAt], ...builders.map(({ node }, place) => [node, builderAt[place]])]);
  const helperAt = helpers.map(({ node }) => known.get(node) ?? placed(point));
  const spread = Math.max(0.03, ...helperAt.map((place) => Math.abs(((place - point + 1.5) % 1) - 0.5)));
  const [ax, ay] = at(asker.at);
  const [px, py] = at(setterAt);
  const [number, noun] = words.proof.inside(helpers.length);
  return html`<div class="ring-place"><${Crowd} ring=${ring} nodes=${nodes} spread=${spread} /><svg class="ring" viewBox="0 0 460 460" role="img" aria-labelledby=${id}>
    <title id=${id}>${words.proof.ringAlt(helpers.length)}</title>
    <circle class="track" cx=${C} cy=${C} r=${R} />
    ${[...Array(72).keys()].map((tick) => {
      const [x1, y1] = at(tick / 72, R - 3);
      const [x2, y2] = at(tick / 72, R + 3);
      return html`<line key=${tick} class="track" x1=${x1} y1=${y1} x2=${x2} y2=${y2} />`;
    })}
    <path class="near" d=${arc(point, Math.min(0.49, spread + 0.01))} />
    <path class="throw" d=${`M${ax} ${ay}Q${C} ${C} ${px} ${py}`} />
    ${helpers.map(({ node, signed }, place) => {
      if (known.has(node)) return null;
      const [x, y] = at(helperAt[place]);
      return html`<circle key=${node} class=${`helper ${signed ? "" : "silent"}`} cx=${x} cy=${y} r="8"><title>${node.slice(0, 8)}</title></circle>`;
    })}
    ${witnessAt.map((place, number) => {
      const [x, y] = at(place);
      return html`<circle key=${number} class="witness" cx=${x} cy=${y} r="7" />`;
    })}
    ${builders.map(({ node }, place) => {
      const [x, y] = at(builderAt[place]);
      return html`<circle key=${node} class="builder" cx=${x} cy=${y} r="7"><title>${node.slice(0, 8)}</title></circle>`;
    })}
    <rect class="setter" x=${px - 7} y=${py - 7} width="14" height="14" transform=${`rotate(45 ${px} ${py})`}><title>${setter.slice(0, 8)}</title></rect>
    ${helpers.filter(({ node }) => known.has(node)).map(({ node, signed }) => {
      const [x, y] = at(known.get(node));
      return html`<circle key=${node} class=${`helper ${signed ? "" : "silent"}`} cx=${x} cy=${y} r="4" />`;
    })}
    <circle class="asker" cx=${ax} cy=${ay} r="10" />
    ${[["T", asker.at], ["TL", witnessAt[0]], ["S", setterAt], ["SL", builderAt[0]]].map(([name, place]) => {
      if (place === undefined) return null;
      const [x, y] = at(place, R + 26);
      return html`<text key=${name} x=${x} y=${y + 4} text-anchor="middle">${name}</text>`;
    })}
    <text class="inner" x=${C} y=${C - 2} text-anchor="middle">${number}</text>
    <text class="quiet" x=${C} y=${C + 20} text-anchor="middle">${noun}</text>
  </svg></div>`;
}

/// The sign of a role, as in the ring.
export const Sign = ({ role }) => html`<svg viewBox="0 0 22 22" class="ring" aria-hidden="true">
  ${role === "setter" ? html`<rect class="setter" x="5" y="5" width="12" height="12" transform="rotate(45 11 11)" />` : html`<circle class=${role} cx="11" cy="11" r="8" />`}
</svg>`;
