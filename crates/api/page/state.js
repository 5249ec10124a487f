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
export const imports = signal(null);
export const helping = signal(null);
/// How far the owner is with the first steps; whether there is a community at all.
export const beginning = signal(null);

const things = {
  status: [status, "/v1/status"],
  rules: [rules, "/v1/rules"],
  vocabulary: [vocabulary, "/v1/vocabulary"],
  holdings: [holdings, "/v1/data"],
};
/// Those that can grow are read part after part, as far as somebody looks: few at first, for Home shows the latest alone.
/// Each with whether there is more.
const FEW = 40;
const PART = 200;
const lists = {
  inbox: [inbox, "/v1/inbox", signal(false)],
  questions: [questions, "/v1/questions", signal(false)],
  published: [published, "/v1/published", signal(false)],
  imports: [imports, "/v1/data/imports", signal(false)],
  helping: [helping, "/v1/helping", signal(false)],
};
const wanted = Object.fromEntries(Object.keys(lists).map((name) => [name, FEW]));

/// Whether a list has more than what was read.
export const hasMore = (name) => lists[name][2].value;

/// Which lists a panel shows.
const shown = { questions: ["inbox"], consent: ["inbox"], results: ["questions", "published"], proof: ["questions", "published"], data: ["imports"], network: ["helping"] };
/// What a panel shows that no event is about: a terminal, or another tab, may have changed it.
const unheard = { questions: ["rules"], consent: ["rules"], data: ["holdings", "imports"] };

/// Reads what a panel shows as far as it is seen at once, if that was not done.
export function opened(panel) {
  if (link.value === "there") refresh(...(unheard[panel] ?? []));
  for (const name of shown[panel] ?? []) {
    if (wanted[name] >= PART) continue;
    wanted[name] = PART;
    if (hasMore(name)) read(name);
  }
}

/// Reads more of a list, or says why not.
export async function readMore(name) {
  wanted[name] += PART;
  try {
    await look(name);
  } catch (why) {
    wanted[name] -= PART;
    throw why;
  }
}
const concerns = {
  peers: ["status"],
  question: ["questions", "status"],
  inbox: ["inbox", "status", "rules"],
  published: ["published", "questions"],
  community: ["status", "vocabulary", "beginning"],
  helping: ["helping"],
  stopping: [],
};
/// Between two looks at what events are about: a burst is looked at once.
const GATHER_MS = 150;
const LOOK_MS = 10_000;
const ENTER_AGAIN_MS = 2_000;

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

/// The same, of what can be read again when the node cannot say it now.
async function read(name) {
  try {
    await look(name);
  } catch (why) {
    if (!(why instanceof node.Refusal)) return;
    if (why.code === "token") link.value = "locked";
    else if (why.code !== "not_member") setTimeout(() => link.value === "there" && refresh(name), LOOK_MS);
  }
}

/// How often each was looked at, or written to: whoever looked before that has seen less.
const turns = {};

async function look(name) {
  const turn = (turns[name] = (turns[name] ?? 0) + 1);
  const isLast = () => turns[name] === turn;
  if (name === "beginning") return lookAtBeginning(isLast);
  if (name in lists) return lookAtList(name, isLast);
  const [thing, path] = things[name];
  const found = await node.call("GET", path);
  if (!isLast()) return;
  keep(thing, found);
  if (name === "status") now.value = found.now;
}

function keep(where, value) {
  if (JSON.stringify(value) !== JSON.stringify(where.value)) where.value = value;
}

/// What the node said of one of these when it was changed.
export function learn(name, value) {
  turns[name] = (turns[name] ?? 0) + 1;
  (name === "beginning" ? beginning : (things[name] ?? lists[name])[0]).value = value;
}

async function lookAtList(name, isLast) {
  const [list, path, more] = lists[name];
  let [found, next] = [[], `${path}?limit=${Math.min(wanted[name], PART)}`];
  while (next && found.length < wanted[name]) {
    const part = await node.part(next);
    found = found.concat(part.list);
    next = part.next;
  }
  if (!isLast()) return;
  keep(list, found);
  more.value = next !== null;
}

const everything = () => Promise.all([...Object.keys(things), ...Object.keys(lists)].map(read));

/// Whoever has just joined has everything to read.
async function lookAtBeginning(isLast) {
  const before = beginning.value?.member;
  const value = await node.call("GET", "/v1/beginning");
  if (value.member && before === false) await everything();
  if (isLast()) keep(beginning, value);
}

/// Reads everything anew. Before there is a community, there is little.
export async function readAll() {
  const before = beginning.value?.member;
  await read("beginning");
  const member = beginning.value?.member ?? true;
  if (member && before === false) return;
  await (member ? everything() : Promise.all(["holdings", "imports"].map(read)));
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

/// Begins: gets in, reads everything, listens. A fresh link in the address gets in at any time.
export async function start() {
  addEventListener("hashchange", () => (node.invited() ? begin() : routed()));
  setInterval(() => {
    now.value += LOOK_MS / 1000;
    if (link.value === "there" && document.visibilityState === "visible") refresh(beginning.value?.member === false ? "beginning" : "status");
  }, LOOK_MS);
  await begin();
}

let listening = false;

async function begin() {
  try {
    if (!(await node.enter())) {
      link.value = "locked";
      return;
    }
  } catch (why) {
    if (why instanceof node.Gone) {
      link.value = "gone";
      setTimeout(begin, ENTER_AGAIN_MS);
      return;
    }
    refused.value = why;
    link.value = "locked";
    return;
  }
  routed();
  if (listening) {
    await readAll();
    if (link.value === "locked") link.value = "there";
    return;
  }
  listening = true;
  if (link.value === "locked") link.value = "connecting";
  let heard = null;
  node.listen({
    onEvent: ({ kind, number }) => {
      // Whoever falls behind misses some.
      if (heard !== null && number !== heard + 1) readAll();
      else refresh(...(concerns[kind] ?? []));
      heard = number;
    },
    // Not before: what happens between reading and listening is told to nobody.
    onThere: () => {
      heard = null;
      readAll();
      link.value = "there";
    },
    // What was locked is shown to nobody, whatever becomes of the node.
    onGone: () => {
      if (link.value !== "locked") link.value = "gone";
    },
    onLocked: () => {
      listening = false;
      link.value = "locked";
    },
  });
}
