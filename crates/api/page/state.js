// What the page knows of the node, kept fresh by its events.

import { signal } from "./vendor/signals.js";
import * as node from "./node.js";

/// "connecting", "there", "gone", or "locked": no session, or not any more.
export const link = signal("connecting");
/// Why the page is locked, if the node said.
export const refused = signal(null);
/// Where we are: ["results", "1a2b…"].
export const route = signal(["home"]);
/// Seconds since 1970, by the node's clock as far as known; moves on every ten seconds.
export const now = signal(Math.floor(Date.now() / 1000));
/// What was just done, for all to hear.
export const toast = signal("");

export const status = signal(null);
export const inbox = signal(null);
export const questions = signal(null);
export const published = signal(null);
export const rules = signal(null);
export const vocabulary = signal(null);
export const holdings = signal(null);

const lists = {
  status: [status, "/v1/status"],
  inbox: [inbox, "/v1/inbox"],
  questions: [questions, "/v1/questions"],
  published: [published, "/v1/published"],
  rules: [rules, "/v1/rules"],
  vocabulary: [vocabulary, "/v1/vocabulary"],
  holdings: [holdings, "/v1/data"],
};
const concerns = {
  peers: ["status"],
  question: ["questions", "status"],
  inbox: ["inbox", "status"],
  published: ["published", "questions"],
  community: ["status", "vocabulary"],
  stopping: [],
};
/// Between two looks at what events are about: a burst is looked at once.
const GATHER_MS = 150;
const LOOK_MS = 10_000;

const due = new Set();
let looking = null;

/// Reads these lists again, soon and once.
export function refresh(...names) {
  for (const name of names) due.add(name);
  looking ??= setTimeout(async () => {
    const all = [...due];
    due.clear();
    looking = null;
    await Promise.all(all.map(read));
  }, GATHER_MS);
}

async function read(name) {
  const [list, path] = lists[name];
  try {
    const value = await node.call("GET", path);
    if (JSON.stringify(value) !== JSON.stringify(list.value)) list.value = value;
    if (name === "status") now.value = value.now;
  } catch (why) {
    if (why instanceof node.Refusal && why.status === 401) link.value = "locked";
  }
}

/// Says what was done, to eyes and ears.
export function tell(text) {
  toast.value = text;
  clearTimeout(tell.timer);
  tell.timer = setTimeout(() => (toast.value = ""), 5000);
}

const routed = () => {
  const parts = location.hash.replace(/^#\/?/, "").split("/").filter(Boolean);
  route.value = parts.length ? parts : ["home"];
};

/// Begins: gets in, reads everything, listens.
export async function start() {
  try {
    if (!(await node.enter())) {
      link.value = "locked";
      return;
    }
  } catch (why) {
    refused.value = why instanceof node.Refusal ? why : null;
    link.value = "locked";
    return;
  }
  routed();
  addEventListener("hashchange", routed);
  await Promise.all(Object.keys(lists).map(read));
  setInterval(() => {
    now.value += LOOK_MS / 1000;
    if (link.value === "there" && document.visibilityState === "visible") refresh("status");
  }, LOOK_MS);
  node.listen({
    onEvent: (event) => refresh(...(concerns[event.kind] ?? [])),
    onThere: () => {
      if (link.value !== "there") refresh(...Object.keys(lists));
      link.value = "there";
    },
    onGone: () => (link.value = "gone"),
    onLocked: () => (link.value = "locked"),
  });
}
