// What people are told before they say yes.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";

import { SOON, accessible, go, run, shots, step } from "./tools.mjs";

const DAY = 86_400;
const ask = (sql, purpose) => run({}, "question", "ask", sql, "--purpose", purpose, "--deadline", "2d", "--dir", "0");
const status = (folder) => JSON.parse(run({}, "status", "--json", "--dir", folder));
const heading = (page) => page.locator("article h2").first();

/// The crowd that is told is the one that is kept to, and what is read is what the node has parsed.
export async function crowd(asker, owner) {
  const { smallest_crowd: smallest, min_crowd: min } = status("1").community;
  assert.ok(smallest > min, "colluders are allowed for");
  const told = `nothing is told of fewer than ${smallest} people who match`;
  await go(owner, "home");
  await owner.getByText(told).waitFor({ timeout: SOON });
  ask("SELECT AVG(s) FROM (SELECT SUM(hours) AS s FROM sleep WHERE quality = 'good') WHERE s > 2", "A query in brackets");
  await go(owner, "questions");
  await owner.getByRole("link", { name: /A query in brackets/ }).click({ timeout: SOON });
  const article = owner.locator("article");
  await article.getByText(told).waitFor({ timeout: SOON });
  const fact = (name) => article.locator("dt", { hasText: name }).locator("xpath=following-sibling::dd[1]");
  assert.deepEqual(await fact("Reads").locator(".chip").allTextContents(), ["hours", "quality"]);
  const rows = "each person's s is the total of hours, of at most 1,000 rows with quality is 'good'";
  assert.equal(await fact("From each person’s rows").textContent(), rows);
  assert.equal(await fact("Only of people with").textContent(), "s above 2");
  assert.equal(await fact("Left out").textContent(), "Whoever has more than 1,000 rows is not counted.");
  await article.getByText(`The average of s, from sleep (${rows}), of those with s above 2`).waitFor();
  await article.getByText("asked here once besides; you or your rules said yes to all of it").waitFor();
  await accessible(owner, "a question with a query in brackets");
  await shots(owner, "question-brackets");
  const line = run({}, "question", "inbox", "--dir", "1");
  assert.ok(line.includes("reads hours, quality of sleep, each person's rows as (SELECT SUM("), "the terminal says the same");
  step("the crowd and what is read are told as they are");
}

/// Whoever has more rows than a question counts is told so, and not that nothing matches.
export async function tooMany(owner) {
  const bring = async (text) => {
    writeFileSync("rows.csv", text);
    run({}, "data", "import", "rows.csv", "--table", "sleep", "--dir", "1");
  };
  await bring("hours,quality\n6.5,bad\n7.5,bad\n");
  ask("SELECT AVG(h) FROM (SELECT MAX(hours) AS h FROM sleep HAVING COUNT(*) <= 1)", "Of those with one row");
  await go(owner, "questions");
  await owner.getByRole("link", { name: /Of those with one row/ }).click({ timeout: SOON });
  await owner.getByText("You have 2 rows that match; the question counts only people with at most 1.", { exact: false }).waitFor({ timeout: SOON });
  await accessible(owner, "a question that counts fewer rows");
  await shots(owner, "question-too-many");
  await bring("hours,quality\n6.5,bad\n");
  step("too many rows are said to be too many");
}

/// What is shown stays where it is while others come in, and an address that names nothing shows nothing else.
export async function stays(asker, owner) {
  await go(owner, "questions");
  await heading(owner).waitFor({ timeout: SOON });
  const before = await heading(owner).textContent();
  ask("SELECT COUNT(*) FROM sleep", "Came meanwhile");
  const fresh = owner.getByRole("link", { name: /Came meanwhile/ });
  await fresh.waitFor({ timeout: SOON });
  await fresh.locator(".chip", { hasText: /^new$/ }).waitFor();
  assert.equal(await heading(owner).textContent(), before, "nothing takes its place");
  await fresh.click();
  await owner.locator("article blockquote", { hasText: "Came meanwhile" }).waitFor({ timeout: SOON });
  assert.equal(await heading(owner).textContent(), "How many people, from sleep", "what the node has understood comes first");
  for (const [page, panel] of [[owner, "questions"], [asker, "results"], [asker, "proof"]]) {
    await go(page, `${panel}/ffff`);
    await page.getByRole("heading", { name: "There is none of this name here" }).waitFor({ timeout: SOON });
    assert.equal(await page.locator("article").count(), 1);
  }
  await accessible(asker, "an address that names nothing");
  step("what is shown stays until another is chosen");
}

/// After the deadline, and after a contribution has left, nothing is said or offered that does not hold.
export async function late(owner) {
  const { now } = status("1");
  const about = { title: "How many people, from sleep", table: "sleep", columns: [], filter: null, groups: [], inner: null };
  const entry = (id, purpose, more) => ({
    id: id.repeat(64), asker: "ab".repeat(32), asker_since: now - 90 * DAY, sql: 'SELECT COUNT(*) FROM "sleep"', about, smallest_crowd: 7, purpose,
    received_at: now - 600, until: now + DAY, state: "waiting", by_rule: false, rule: null, sent_at: null, contributed_at: null, note: "", ...more,
  });
  const entries = [entry("1", "It is open"), entry("2", "It is late", { until: now - 5 }), entry("3", "It has left", { state: "yes", sent_at: now - 60 }), entry("4", "It was missed", { state: "missed", until: now - 300 }), entry("5", "It is agreed to", { state: "yes" })];
  let looks = 0;
  await owner.route("**/v1/inbox?*", (route) => {
    looks += 1;
    return route.fulfill({ json: entries });
  });
  await owner.route("**/v1/inbox/*/preview", (route) => route.fulfill({ json: { outcome: "match", values: [], numbers: 1 } }));
  await owner.route("**/v1/status", async (route) => {
    const response = await route.fetch();
    const status = await response.json();
    status.budget = { limit: { questions: 1, period_secs: DAY }, spent: 1, free_at: now + 2 * DAY };
    await route.fulfill({ response, json: status });
  });
  await go(owner, "home");
  await owner.reload();
  await owner.getByRole("heading", { level: 1 }).waitFor({ timeout: SOON });
  const buttons = owner.locator(".words button");
  const look = async (id, texts, offered) => {
    await go(owner, `questions/${id.repeat(64)}`);
    const article = owner.locator("article");
    for (const text of texts) await article.getByText(text).waitFor({ timeout: SOON });
    assert.equal(await buttons.count(), offered, `${id} has as many words to say`);
    assert.equal(await article.getByText("Nobody has been told").count(), texts.includes("Nobody has been told") ? 1 : 0);
  };
  await look("1", ["Nobody has been told", "a member since", "you or your rules said yes to 2", "A yes will not count: people are called before that"], 4);
  await look("5", ["you said yes, but your limit is spent"], 4);
  const before = looks;
  await look("2", ["Nobody has been told", "The time to decide is over.", "it may still count"], 4);
  await shots(owner, "question-late");
  await look("3", ["Your contribution left"], 0);
  await shots(owner, "question-left");
  await look("4", ["Nothing of yours has left for this question"], 0);
  for (let tries = 0; looks === before && tries < 40; tries += 1) await owner.waitForTimeout(500);
  assert.ok(looks > before, "the node is asked how a question stands whose time is over");
  await owner.unroute("**/v1/status");
  await owner.unroute("**/v1/inbox?*");
  await owner.unroute("**/v1/inbox/*/preview");
  await go(owner, "home");
  await owner.reload();
  await owner.getByRole("heading", { level: 1 }).waitFor({ timeout: SOON });
  step("a question that is over says so");
}

/// Which rule holds for a question, as the page tells beside one's word.
export async function standing(owner) {
  const told = await owner.evaluate(async () => {
    const { standing, wordOf } = await import("/page/standing.js");
    const about = { table: "sleep", columns: ["hours", "quality"] };
    const entry = (state, more) => ({ asker: "aa", sql: "Q", about, state, by_rule: false, ...more });
    const rule = (number, says, more) => ({ number, says, asker: null, table: null, columns: null, question: null, ...more });
    const of = (...rules) => standing(entry("yes"), { rules })?.number ?? null;
    const always = rule(1, "yes", { asker: "aa", question: "Q" });
    const never = rule(2, "no", { asker: "aa" });
    return {
      rules: [
        of(rule(3, "no", { asker: "bb" }), rule(4, "no", { question: "R" }), rule(5, "no", { table: "steps" }), always),
        of(rule(6, "yes", { columns: ["hours"] }), rule(7, "yes", { columns: ["quality", "age", "hours"] })),
        of(rule(8, "no", { columns: ["age"] }), rule(9, "ask", { columns: ["age", "hours"] })),
        of(),
      ],
      words: [
        wordOf(entry("waiting"), null), wordOf(entry("yes"), null), wordOf(entry("yes"), always), wordOf(entry("no"), always), wordOf(entry("no"), never),
        wordOf(entry("yes"), never), wordOf(entry("yes", { by_rule: true }), rule(5, "yes", { table: "sleep" })), wordOf(entry("missed"), always),
      ],
    };
  });
  assert.deepEqual(told.rules, [1, 7, 9, null]);
  assert.deepEqual(told.words, [null, "yes", "always", "no", "never", "yes", null, null]);
  step("a word for good is told from one for this time");
}
