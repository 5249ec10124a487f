// The ring of nodes on which the helpers of an answer were drawn.

import { useId } from "./vendor/hooks.js";
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

/// Asker and builders where their certificates say; witnesses and helpers near where they sit.
export function Ring({ ring }) {
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
  return html`<svg class="ring" viewBox="0 0 460 460" role="img" aria-labelledby=${id}>
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
  </svg>`;
}

/// The sign of a role, as in the ring.
export const Sign = ({ role }) => html`<svg viewBox="0 0 22 22" class="ring" aria-hidden="true">
  ${role === "setter" ? html`<rect class="setter" x="5" y="5" width="12" height="12" transform="rotate(45 11 11)" />` : html`<circle class=${role} cx="11" cy="11" r="8" />`}
</svg>`;
