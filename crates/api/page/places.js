// Places as dots, drawn from this node's numbers alone: there is no map below them, since whoever gives out maps would learn
// where one was.

import { useEffect, useRef, useState } from "./vendor/hooks.js";
import { html, useWidth } from "./parts.js";
import { count } from "./format.js";
import { words } from "./words.js";

const w = words.pictures;
const HIGH = 340;
const EDGE = 16;
const NEARER = 2;
const NEAREST = 4096;
/// How much of the window an arrow key goes.
const STEP = 0.2;
const ARROWS = { ArrowUp: [0, 1], ArrowDown: [0, -1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

/// North is above. A degree east is drawn as much shorter as it is in the middle.
export function Dots({ places, all }) {
  const [wide, place] = useWidth(640);
  const canvas = useRef(null);
  const north = places.map(([at]) => at);
  const east = places.map(([, at]) => at);
  const [south, top] = ends(north);
  const [west, right] = ends(east);
  const whole = { zoom: 1, north: (south + top) / 2, east: (west + right) / 2 };
  const [seen, setSeen] = useState(whole);
  useEffect(() => setSeen(whole), [places]);
  const narrow = Math.cos((whole.north * Math.PI) / 180);
  const scale = seen.zoom * Math.min((wide - 2 * EDGE) / Math.max((right - west) * narrow, 1e-4), (HIGH - 2 * EDGE) / Math.max(top - south, 1e-4));
  const isSeen = ({ zoom, north, east }) => {
    const nearer = (scale / seen.zoom) * zoom;
    return places.some(([at, on]) => Math.abs(on - east) * narrow * nearer < wide / 2 && Math.abs(at - north) * nearer < HIGH / 2);
  };
  const nearest = ({ north, east }) => {
    const far = ([at, on]) => ((on - east) * narrow) ** 2 + (at - north) ** 2;
    const [at, on] = places.reduce((best, one) => (far(one) < far(best) ? one : best));
    return { north: at, east: on };
  };
  // What is under the hand stays there; where nothing is, the nearest place is seen.
  const zoom = (times, [x, y] = [0, 0]) => {
    const nearer = Math.min(NEAREST, Math.max(1, seen.zoom * times));
    if (nearer === 1) return setSeen(whole);
    const kept = 1 / scale - seen.zoom / nearer / scale;
    const next = { zoom: nearer, north: seen.north - y * kept, east: seen.east + (x / narrow) * kept };
    setSeen(isSeen(next) ? next : { zoom: nearer, ...nearest(next) });
  };
  const move = (x, y) => seen.zoom > 1 && setSeen({ ...seen, north: seen.north + y / scale, east: seen.east + x / narrow / scale });
  const press = (event) => {
    const arrow = ARROWS[event.key];
    if (arrow) move(arrow[0] * STEP * wide, arrow[1] * STEP * HIGH);
    else if (["+", "="].includes(event.key)) zoom(NEARER);
    else if (event.key === "-") zoom(1 / NEARER);
    else if (event.key === "0") setSeen(whole);
    else return;
    event.preventDefault();
  };
  const wheel = (event) => {
    // Whoever scrolls the page passes over it.
    if (!event.ctrlKey && document.activeElement !== event.currentTarget) return;
    event.preventDefault();
    const box = event.currentTarget.getBoundingClientRect();
    zoom(event.deltaY < 0 ? 1.25 : 0.8, [event.clientX - box.x - wide / 2, event.clientY - box.y - HIGH / 2]);
  };
  const drag = (event) => event.buttons === 1 && move(-event.movementX, event.movementY);
  useEffect(() => {
    const paint = () => {
      const dense = devicePixelRatio || 1;
      Object.assign(canvas.current, { width: wide * dense, height: HIGH * dense });
      const pen = canvas.current.getContext("2d");
      pen.scale(dense, dense);
      pen.fillStyle = getComputedStyle(canvas.current).color;
      pen.globalAlpha = Math.max(0.3, Math.min(0.9, 12 / Math.sqrt(places.length + 1)));
      for (const [at, on] of places) {
        const x = wide / 2 + (on - seen.east) * narrow * scale;
        const y = HIGH / 2 - (at - seen.north) * scale;
        pen.beginPath();
        pen.arc(x, y, 2.5, 0, 2 * Math.PI);
        pen.fill();
      }
    };
    paint();
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", paint);
    return () => dark.removeEventListener("change", paint);
  }, [wide, places, seen]);
  const alt = w.placesAlt(count(all), degrees(south, "ns"), degrees(top, "ns"), degrees(west, "ew"), degrees(right, "ew"));
  const [metres, long] = ruler(scale);
  return html`<figure ref=${place} class="stack close">
    <div class="dots" tabindex="0" role="group" aria-label=${w.placesKeys} onKeyDown=${press} onWheel=${wheel} onPointerMove=${drag}>
      <canvas ref=${canvas} class="dots" style=${{ height: `${HIGH}px` }} role="img" aria-label=${alt}></canvas></div>
    <div class="row end small soft"><span>${alt}</span><span class="ruler" style=${{ width: `${long}px` }}>${metres >= 1000 ? `${metres / 1000} km` : `${metres} m`}</span></div>
    <div class="row"><button type="button" class="button" aria-label=${w.nearer} aria-disabled=${seen.zoom >= NEAREST} onClick=${() => zoom(NEARER)}>+</button>
      <button type="button" class="button" aria-label=${w.farther} aria-disabled=${seen.zoom === 1} onClick=${() => zoom(1 / NEARER)}>−</button>
      <button type="button" class="button" aria-disabled=${seen.zoom === 1} onClick=${() => setSeen(whole)}>${w.allPlaces}</button>
      <span class="small soft">${w.placesHow}</span></div>
  </figure>`;
}

const ends = (numbers) => numbers.reduce(([low, high], one) => [Math.min(low, one), Math.max(high, one)], [Infinity, -Infinity]);
const degrees = (at, [plus, minus]) => `${Math.abs(at).toFixed(3)}° ${w.sides[at < 0 ? minus : plus]}`;
/// Of a degree to the north.
const METRES = 111_195;

/// A round length that takes about a hundred pixels.
function ruler(scale) {
  const rough = (100 / scale) * METRES;
  const power = 10 ** Math.floor(Math.log10(rough));
  const metres = [5, 2, 1].map((times) => times * power).find((length) => length <= rough) ?? power;
  return [metres, (metres / METRES) * scale];
}
