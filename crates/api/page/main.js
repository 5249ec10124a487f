// The page: its frame, and which panel is in it.

import { render } from "./vendor/preact.js";
import "./vendor/signals.js";
import { useEffect, useRef } from "./vendor/hooks.js";
import { follow, keepFocus } from "./focus.js";
import { Command, Guard, Icon, Loading, Panel, html } from "./parts.js";
import { beginning, link, opened, refused, route, start, status, toast } from "./state.js";
import { plain } from "./format.js";
import { words } from "./words.js";
import { Consent } from "./panels/consent.js";
import { Data } from "./panels/data.js";
import { Before, NoCommunity } from "./panels/first.js";
import { Home } from "./panels/home.js";
import { Network } from "./panels/network.js";
import { Proof } from "./panels/proof.js";
import { Questions } from "./panels/questions.js";
import { Results } from "./panels/results.js";
import { Settings } from "./panels/settings.js";

const PANELS = { home: Home, data: Data, questions: Questions, results: Results, proof: Proof, consent: Consent, network: Network, settings: Settings };

function Side({ here }) {
  const waiting = status.value?.questions.waiting ?? 0;
  useEffect(() => {
    const strip = document.querySelector(".nav");
    const chosen = strip?.querySelector("[aria-current]");
    if (chosen) strip.scrollLeft = chosen.offsetLeft - strip.clientWidth / 2 + chosen.clientWidth / 2;
  }, [here]);
  return html`<header class="side">
    <a class="brand" href="#/home">
      <img src="/page/icon.svg" alt="" />
      <div><strong>${words.name}</strong><span>${[beginning.value?.name, status.value?.community.name].filter(Boolean).map(plain).join(" · ")}</span></div>
    </a>
    <nav class="nav" aria-label=${words.navigation}>
      <ul>
        ${Object.keys(PANELS).map((name) => html`<li key=${name}>
          <a href=${`#/${name}`} aria-current=${name === here ? "page" : undefined}>
            <${Icon} name=${name} />${words.panels[name]}
            ${name === "questions" && waiting > 0 && html`<span class="count" aria-label=${words.waiting(waiting)}>${waiting}</span>`}
          </a>
        </li>`)}
      </ul>
    </nav>
    <p class="promise"><${Icon} name="lock" />${words.promise}</p>
  </header>`;
}

const Locked = () => html`<main class="main" id="content"><div class="alone">
  <p class="brand"><img src="/page/icon.svg" alt="" /><strong>${words.name}</strong></p>
  <${Panel} title=${words.locked.title} lead=${refused.value?.message ?? words.locked.lead}>
    <section class="card">
      <p>${words.locked.how}</p>
      <${Command}>${words.open}<//>
      <p class="soft small">${words.locked.safe}</p>
    </section>
  <//>
</div></main>`;

/// What works without a community.
const ALONE = { home: Before, data: Data, settings: Settings };

function Here({ here }) {
  const path = route.value.slice(1);
  if (beginning.value?.member === false) return ALONE[here] ? html`<${ALONE[here]} path=${path} />` : html`<${NoCommunity} name=${here} />`;
  if (!status.value || !beginning.value) return html`<div class="panel"><div class="head"><h1>${words.panels[here]}</h1></div><${Loading} /></div>`;
  return html`<${PANELS[here]} path=${path} />`;
}

function Page() {
  const before = useRef(route.value);
  useEffect(() => {
    follow(route.value, before.current);
    before.current = route.value;
  }, [route.value]);
  const known = Object.hasOwn(PANELS, route.value[0]);
  const here = known ? route.value[0] : "home";
  useEffect(() => opened(here), [here]);
  if (link.value === "locked") return html`<${Locked} />`;
  return html`<a class="skip" href="#content" onClick=${skip}>${words.skip}</a>
    <div class="frame">
      <${Side} here=${here} />
      <main class="main" id="content" tabindex="-1">
        ${link.value === "gone" && html`<div class="banner" role="alert"><${Icon} name="alert" /><div class="stack close"><p>${words.gone}</p><${Command}>${words.open}<//></div></div>`}
        ${!known && html`<p class="strange" role="status">${words.strange(plain(route.value[0]))}</p>`}
        <${Guard} key=${here}><${Here} here=${here} /><//>
      </main>
    </div>
    <div class="toast" role="status" aria-live="polite">${toast.value}</div>`;
}

/// The address says the panel, so that the link to the content must not change it.
function skip(event) {
  event.preventDefault();
  document.getElementById("content").focus();
}

const root = document.getElementById("page");
render(html`<${Page} />`, root);
keepFocus(root);
start();
