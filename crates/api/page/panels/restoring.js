// Being the same node again: a backup is brought, and opened with its words or its passphrase.

import { useRef, useState } from "../vendor/hooks.js";
import { Card, html, useTries } from "../parts.js";
import { readAll, tell } from "../state.js";
import { call, send } from "../node.js";
import { words } from "../words.js";

const w = words.restoring;

export function Restoring() {
  const [file, setFile] = useState(null);
  const [by, setBy] = useState("words");
  const [secret, setSecret] = useState("");
  const brought = useRef(null);
  const { run, busy, mistake } = useTries();
  const restored = async (opener) => {
    try {
      return await call("POST", "/v1/beginning/restore", opener);
    } catch (why) {
      // It is there no more.
      if (why.code === "late") brought.current = null;
      throw why;
    }
  };
  const restore = (event) => {
    event.preventDefault();
    run(async () => {
      // A word that was mistyped costs no second upload.
      if (brought.current !== file) await send("/v1/beginning/backup", file, "PUT");
      brought.current = file;
      const { community, config } = await restored({ [by]: secret });
      setSecret("");
      tell([w.done(community), config].filter(Boolean).join(" "));
      await readAll();
    });
  };
  return html`<${Card} title=${w.title}>
    <p class="soft">${w.lead}</p>
    <details><summary>${w.begin}</summary><form class="stack" onSubmit=${restore}>
      <div class="field"><label for="backup">${w.file}</label><input id="backup" type="file" onChange=${(event) => setFile(event.target.files[0] ?? null)} /></div>
      <fieldset class="row"><legend>${w.opens}</legend>
        ${Object.entries(w.by).map(([name, text]) => html`<label key=${name} class="choice"><input type="radio" name="opens" checked=${by === name} onChange=${() => { setBy(name); setSecret(""); }} />${text}</label>`)}
      </fieldset>
      <div class="field"><label for="opener">${w.openers[by]}</label>${by === "words"
        ? html`<textarea id="opener" class="mono" rows="4" spellcheck="false" autocomplete="off" autocapitalize="none" value=${secret} onInput=${(event) => setSecret(event.target.value)}></textarea>`
        : html`<input id="opener" type="password" autocomplete="off" value=${secret} onInput=${(event) => setSecret(event.target.value)} />`}</div>
      <div class="row"><button class="button first" disabled=${busy || !file || secret.trim() === ""}>${w.restore}</button>
        ${busy && html`<span class="soft" role="status">${w.restoring}</span>`}</div>
      ${mistake}
      <p class="small soft">${w.once}</p>
    </form></details>
  <//>`;
}
