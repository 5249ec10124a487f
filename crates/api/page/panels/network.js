// Network: who is known, whether others reach the node, what it does for others' questions, bytes by what they were for.

import { useState } from "../vendor/hooks.js";
import { Act, Card, Facts, Panel, Who, html } from "../parts.js";
import { bytes, count, short, span, time } from "../format.js";
import { hasMore, helping, readMore, status } from "../state.js";
import { words } from "../words.js";

const w = words.network;
const SHOWN = 20;

export function Network() {
  const { traffic, peers_known: known, peers_remembered: remembered, reach, listens, announces, relays, now, started_at: since } = status.value;
  const [yes, told] = w.reachWords[reach.reached];
  const odd = Object.entries(w.oddNames).filter(([name]) => traffic[name] > 0);
  return html`<${Panel} title=${w.title} lead=${w.lead}>
    <div class="numbers">
      ${[[w.known, known], [w.connected, traffic.connections], [w.remembered, remembered]].map(([name, number]) => html`<section key=${name} class="card"><p class="big">${count(number)}</p><p class="soft">${name}</p></section>`)}
    </div>
    <${Card} title=${w.reach}>
      <p><span class=${`chip ${reach.reached === "yes" ? "leaf" : reach.reached === "no" ? "clay" : ""}`}><span class="dot" aria-hidden="true"></span>${yes}</span> ${told}</p>
      <${Facts} of=${[
        reach.asked > 0 && [w.tried, w.asked(reach.asked, reach.yes, reach.no)],
        [w.listens, html`<code>${listens}</code>`],
        [w.announces, html`<code>${announces.join(", ")}</code>`],
        [w.relays, relays.length ? html`<code>${relays.join(", ")}</code>` : w.noRelays],
      ]} />
    <//>
    <${Card} title=${w.helping}><p class="soft">${w.helpingLead}</p><${Helping} /><//>
    <${Card} title=${w.traffic} aside=${html`<span class="soft small">${w.since(span(now - since))}</span>`}><${Traffic} flows=${traffic.by_purpose} /><//>
    ${odd.length > 0 && html`<${Card} title=${w.odd}><${Facts} of=${odd.map(([name, text]) => [text, count(traffic[name])])} /><//>`}
  <//>`;
}

/// A long list is shown a piece at a time.
function Helping() {
  const [shown, setShown] = useState(SHOWN);
  const all = helping.value ?? [];
  if (all.length === 0) return html`<p>${w.noHelping}</p>`;
  const more = () => (shown < all.length ? setShown(shown + SHOWN) : readMore("helping").then(() => setShown(shown + SHOWN)));
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${w.helping}><table class="told">
      <thead><tr>${w.helpingHead.map((name) => html`<th key=${name} scope="col">${name}</th>`)}</tr></thead>
      <tbody>${all.slice(0, shown).map((one) => html`<tr key=${`${one.id} ${one.role}`}>
        <td>${time(one.at)}</td><td data-name=${w.helpingHead[1]}><code>${short(one.id)}</code></td><td data-name=${w.helpingHead[2]}><${Who} id=${one.asker} /></td><td>${w.helps(one)}</td>
      </tr>`)}</tbody>
    </table></div>
    ${(shown < all.length || hasMore("helping")) && html`<div><${Act} run=${more}>${words.older}<//></div>`}`;
}

function Traffic({ flows }) {
  const used = flows.filter((flow) => flow.messages_in + flow.messages_out > 0).sort((a, b) => total(b) - total(a));
  if (used.length === 0) return html`<p class="soft">${w.emptyTraffic}</p>`;
  const most = Math.max(...used.map(total));
  return html`<ul class="legend"><li><i class="yes" aria-hidden="true"></i>${w.received}</li><li><i class="away" aria-hidden="true"></i>${w.sent}</li></ul>
    <ul class="stack">${used.map((flow) => html`<li key=${flow.purpose} class="meter">
      <span>${flow.purpose}</span>
      <div class="bar" aria-hidden="true"><i class="yes" style=${{ width: `${(100 * flow.bytes_in) / most}%` }}></i><i class="away" style=${{ width: `${(100 * flow.bytes_out) / most}%` }}></i></div>
      <span class="small soft">${bytes(flow.bytes_in)} / ${bytes(flow.bytes_out)}</span>
    </li>`)}</ul>`;
}

const total = (flow) => flow.bytes_in + flow.bytes_out;
