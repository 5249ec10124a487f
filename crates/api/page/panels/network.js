// Network: who is known, whether others reach the node, and bytes by what they were for.

import { Card, Facts, Panel, html } from "../parts.js";
import { bytes, count, span } from "../format.js";
import { status } from "../state.js";
import { words } from "../words.js";

const w = words.network;

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
    <${Card} title=${w.traffic} aside=${html`<span class="soft small">${w.since(span(now - since))}</span>`}><${Traffic} flows=${traffic.by_purpose} /><//>
    ${odd.length > 0 && html`<${Card} title=${w.odd}><${Facts} of=${odd.map(([name, text]) => [text, count(traffic[name])])} /><//>`}
  <//>`;
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
