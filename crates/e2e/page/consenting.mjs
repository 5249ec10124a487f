// What people are told before they say yes, and what an answer is said to be worth. Used by walk.mjs.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

const DAY = 86_400;

export function consenting({ go, run, accessible, shots, step, SOON }) {
  const ask = (sql, purpose) => run({}, "question", "ask", sql, "--purpose", purpose, "--deadline", "2d", "--dir", "0");
  const status = (folder) => JSON.parse(run({}, "status", "--json", "--dir", folder));
  const heading = (page) => page.locator("article h2").first();

  /// The crowd that is told is the one that is kept to, and what is read is what the node has parsed.
  async function crowd(asker, owner) {
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
    assert.match(await fact("From each person’s rows").textContent(), /WHERE "quality" = 'good'/);
    assert.equal(await fact("Only of people with").textContent(), '"s" > 2');
    await article.getByText("The average of s, from sleep (each person's s is SUM(hours) of rows with quality is 'good'), of those with s above 2").waitFor();
    await article.getByText("asked here once besides; you or your rules said yes to all of it").waitFor();
    await accessible(owner, "a question with a query in brackets");
    await shots(owner, "question-brackets");
    const line = run({}, "question", "inbox", "--dir", "1");
    assert.ok(line.includes("reads hours, quality of sleep, each person's rows as (SELECT SUM("), "the terminal says the same");
    step("the crowd and what is read are told as they are");
  }

  /// What is shown stays where it is while others come in, and an address that names nothing shows nothing else.
  async function stays(asker, owner) {
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
  async function late(owner) {
    const { now } = status("1");
    const about = { title: "How many people, from sleep", table: "sleep", columns: [], filter: null, groups: [], inner: null };
    const entry = (id, purpose, more) => ({
      id: id.repeat(64), asker: "ab".repeat(32), asker_since: now - 90 * DAY, sql: 'SELECT COUNT(*) FROM "sleep"', about, smallest_crowd: 7, purpose,
      received_at: now - 600, until: now + DAY, state: "waiting", by_rule: false, rule: null, sent_at: null, contributed_at: null, note: "", ...more,
    });
    const entries = [entry("1", "It is open"), entry("2", "It is late", { until: now - 5 }), entry("3", "It has left", { state: "yes", sent_at: now - 60 }), entry("4", "It was missed", { state: "missed", until: now - 300 })];
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
    await look("1", ["Nobody has been told", "a member since", "you or your rules said yes to 1", "A yes will not count: people are called before that"], 4);
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

  /// A condition without a value is not left out silently.
  async function builder(asker) {
    await go(asker, "questions/ask");
    await asker.getByLabel("What is it for?").fill("A test");
    const put = asker.getByRole("button", { name: "Put the question" });
    assert.ok(await put.isEnabled());
    await asker.getByRole("button", { name: "Add a condition" }).click();
    await asker.getByText("The condition on hours has no value: give one, or remove it.").waitFor({ timeout: SOON });
    assert.ok(await put.isDisabled(), "nobody is asked instead of those who are meant");
    await asker.getByLabel("Value", { exact: true }).fill("5");
    await asker.getByText('WHERE "hours" = 5').waitFor({ timeout: SOON });
    assert.ok(await put.isEnabled());
    const value = asker.getByLabel("Value", { exact: true });
    await value.fill("7,5");
    await asker.getByText('WHERE "hours" = 7.5').waitFor({ timeout: SOON });
    for (const none of ["abc", "1,500"]) {
      await value.fill(none);
      await asker.getByText("This is no number.").waitFor({ timeout: SOON });
      assert.equal(await value.getAttribute("aria-invalid"), "true", "the field is marked");
      assert.ok(await put.isDisabled());
    }
    await accessible(asker, "a field without a number");
    await value.fill("7");
    await asker.getByLabel("What do you want to know?").selectOption("HISTOGRAM");
    await asker.getByLabel("In steps of").fill("0");
    await asker.getByText("Steps are a number above 0").waitFor({ timeout: SOON });
    assert.ok(await put.isDisabled());
    await asker.getByLabel("In steps of").fill("0,5");
    await asker.getByText('SELECT HISTOGRAM("hours", 0.5)').waitFor({ timeout: SOON });
    // Of those who have several rows, what is made of them counts.
    await asker.getByText("Whoever has several rows that match counts for nothing").waitFor();
    await asker.getByLabel("Of each person").selectOption("AVG");
    await asker.getByText('FROM (SELECT AVG("hours") AS "hours" FROM "sleep" WHERE "hours" = 7)').waitFor({ timeout: SOON });
    assert.equal(await asker.getByText("Whoever has several rows").count(), 0);
    await asker.getByLabel("What do you want to know?").selectOption("COUNT");
    await asker.getByLabel("Of each person").selectOption("COUNT");
    const several = 'SELECT COUNT(*) FROM (SELECT COUNT(*) AS "number_of_rows" FROM "sleep" WHERE "hours" = 7) WHERE "number_of_rows" >= 1';
    await asker.getByText(several).waitFor({ timeout: SOON });
    // What the node refuses is not said of what is there next.
    await asker.getByRole("button", { name: "Write it myself" }).click();
    await asker.getByLabel("The question, as everybody will see it").fill("SELECT nothing");
    await put.click();
    await asker.locator(".mistake").waitFor({ timeout: SOON });
    await asker.getByRole("button", { name: "Use the fields" }).click();
    await asker.locator(".mistake").waitFor({ state: "detached", timeout: SOON });
    // Whoever looks elsewhere in between finds what was begun.
    await go(asker, "data");
    await go(asker, "questions/ask");
    await asker.getByText(several).waitFor({ timeout: SOON });
    assert.equal(await asker.getByLabel("What is it for?").inputValue(), "A test");
    await asker.getByLabel("Of each person").selectOption("");
    await asker.getByRole("button", { name: "Remove" }).click();
    step("the builder has numbers where it needs some, and keeps what was begun");
  }

  /// Which rule holds for a question, as the page tells beside one's word.
  async function standing(owner) {
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

  /// Spreads by groups, as the node tells them, have bars of the means with what is around them.
  async function spread(asker) {
    const group = (label, people, mean, deviation) => ({
      labels: [label], people, figures: people === null ? null : [
        { name: "sample standard deviation", value: deviation, exactness: "of an exact one, to 6 digits" },
        { name: "mean", value: mean, exactness: "exact, rounded to 6 digits" },
      ],
    });
    const groups = [group("18 to 27", 9, "7.100000", "0.900000"), group("28 to 37", 14, "6.400000", "1.100000"), group("38 to 47", null, null, null)];
    await asker.route("**/v1/questions?*", async (route) => {
      const response = await route.fetch();
      const list = await response.json();
      const question = list.find(({ answer }) => answer);
      question.title = "The spread of hours, from sleep, by age in steps of 10";
      Object.assign(question.answer.details, { count: 23, included: 26, groupings: ['BUCKET("age", 10)'], groups, mean: null, figures: groups[1].figures });
      await route.fulfill({ response, json: list });
    });
    await go(asker, "home");
    await asker.reload();
    await go(asker, "results");
    await asker.getByRole("link", { name: /The spread of hours, from sleep, by age/ }).click({ timeout: SOON });
    await asker.getByText("7.1 ± 0.69").waitFor({ timeout: SOON });
    assert.equal(await asker.locator(".whisker").count(), 2);
    await asker.getByText("1.1", { exact: true }).first().waitFor();
    await asker.getByText("sample standard deviation, over all 23 people").waitFor();
    const drawn = asker.locator("figure svg");
    assert.equal(await drawn.count(), 2, "what was asked has its picture, and the means have theirs");
    assert.match(await drawn.first().textContent(), /Spread of each group.*0\.9.*1\.1/);
    const [saved] = await Promise.all([asker.waitForEvent("download"), asker.getByRole("button", { name: "Picture as PNG" }).click()]);
    const png = readFileSync(await saved.path());
    const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
    const bars = (await drawn.evaluateAll((all) => all.map((svg) => svg.viewBox.baseVal.height))).reduce((sum, high) => sum + high, 0);
    assert.ok(width > 1200 && height > 2 * (bars + 150), "both, under their titles and what they are of");
    await asker.getByText("Of the 26 people who took part, 23 match the question").waitFor();
    await accessible(asker, "an answer with intervals");
    await shots(asker, "answer-spread");
    await asker.unroute("**/v1/questions?*");
    step("means have what is around them");
  }

  /// The page's own module on answers of each kind.
  async function figures(asker) {
    const told = await asker.evaluate(async () => {
      const { exactness, headline, slopes, student } = await import("/page/figures.js");
      const { pictures, scale } = await import("/page/charts.js");
      const { gathers } = await import("/page/sql.js");
      const figure = (name, value, exactness) => ({ name, value, exactness });
      const double = "of an exact one, to 6 digits";
      const details = (more) => ({ count: 13, mean: null, figures: [], groups: [], ...more });
      const declared = "to the declared step: everybody rounded to 0.000001";
      const step = details({ figures: [figure("next weight of intercept", "1.354409069", declared), figure("standard error of intercept", "2.000000000", double), figure("next weight of age", "-0.049983164", declared), figure("standard error of age", "0.040000000", double)] });
      const fit = details({ count: 10, figures: [figure("intercept", "4.5", "exact"), figure("standard error of intercept", "1.8", double), figure("slope of age", "0.083", "exact, rounded to 6 digits"), figure("standard error of slope of age", "0.046", double), figure("R²", "0.3", "exact, rounded to 6 digits")] });
      const both = (one) => [headline(one).join(" | "), exactness(one)];
      return {
        t: [1, 2, 3, 4, 12, 39, 40, 1000].map((degrees) => student(degrees).toFixed(4)),
        step: [...both(step), pictures(step)],
        fit: [slopes(fit).map(({ name, text, low }) => [name, text, low.toFixed(4)]), pictures(fit).map(({ rows }) => rows.map(({ label, point }) => [label, point]))],
        top: pictures(details({ figures: [figure("20 to 39", "5", "exact"), figure("no more of them", null, "in every other part is nobody, or too few people to be told")] })).map(({ rows }) => rows.map(({ label, value }) => [label, value])),
        few: both(details({ count: 2, figures: [figure("sample standard deviation", "1.000000", double), figure("mean", "6.900000", "exact, rounded to 6 digits")] })),
        scales: [[0, 5, 6], [-0.0225, 0.19, 5], [0, 1, 1], [-0.9, 0.95, 1], [-7, 0, 4]].map(([low, high, most]) => scale(low, high, most).map(({ text }) => text).join(" ")),
        count: both(details({})),
        gathered: exactness(details({}), true),
        gathers: ['SELECT COUNT(*) FROM (SELECT COUNT(*) AS "n" FROM "positions") WHERE "n" >= 1', `SELECT COUNT(*) FROM "from (" WHERE "word" = 'it''s from ('`].map(gathers),
        average: both(details({ mean: "6.9000", figures: [figure("mean", "6.9000", "exact, rounded to 4 digits"), figure("total", "89.7", "exact")] })),
        spread: both(details({ figures: [figure("sample standard deviation", "1.000000", double), figure("mean", "6.900000", "exact, rounded to 6 digits")] })),
        correlation: both(details({ figures: [figure("correlation", "0.500000", double), figure("population covariance", "1.000000", "exact, rounded to 6 digits")] })),
        none: headline(details({ figures: [figure("correlation", null, "a column is constant"), figure("population covariance", "0.000000", "exact, rounded to 6 digits")] })).join(" | "),
        parts: headline(details({ figures: [figure("0 to 9", null, "withheld"), figure("10 to 19", "13", "exact")] })).join(" | "),
        median: headline(details({ figures: [figure("median", "6.00 to 6.50", "somewhere in here")] })).join(" | "),
      };
    });
    assert.deepEqual(told.t, ["12.7062", "4.3027", "3.1824", "2.7764", "2.1788", "2.0227", "2.0211", "1.9623"], "Student's distribution, as tables have it");
    assert.deepEqual(told.count, ["13 | people match the question", "Exact: everybody who took part and has just one row that matches is counted."]);
    assert.match(told.gathered, /whose rows, taken together/);
    assert.deepEqual(told.gathers, [true, false], "what stands in quotes is no query");
    assert.equal(told.step[0], "One step | of a logistic regression, over 13 people");
    assert.match(told.step[1], /^Not a result yet: ask again/);
    assert.deepEqual(told.step[2].map(({ rows }) => rows), [[{ label: "age", value: -0.049983164, text: "-0.049983164" }]], "no interval around a step");
    // 2.3060 standard errors, with 8 degrees of freedom.
    assert.deepEqual(told.fit, [[["intercept", "4.5 ± 4.2", "0.3492"], ["slope of age", "0.08 ± 0.11", "-0.0231"]], [[["slope of age", true]]]]);
    assert.deepEqual(told.top, [[["20 to 39", 5]]], "one part is a picture too");
    assert.match(told.few[1], /^The average is 6\.9 ± 9: /, "12.7062 / √2 of them");
    assert.deepEqual(told.scales, ["0 1 2 3 4 5", "0.00 0.05 0.10 0.15", "0.0 0.5 1.0", "-0.5 0.0 0.5", "-6 -4 -2 0"]);
    assert.equal(told.average[0], "6.9 | on average, over 13 people");
    assert.match(told.average[1], /the spread was not asked for/);
    assert.equal(told.spread[0], "1 | sample standard deviation, over 13 people");
    assert.match(told.spread[1], /^The average is 6\.9 ± 0\.6: /);
    assert.equal(told.correlation[0], "0.5 | correlation, over 13 people");
    assert.match(told.correlation[1], /^From -0\.07 to 0\.82 with 95 % chance/);
    assert.equal(told.none, "Not told | correlation: a column is constant");
    assert.equal(told.parts, "13 | people match the question");
    assert.equal(told.median, "6 to 6.5 | median, over 13 people");
    step("headlines say what was asked");
  }

  return { crowd, stays, late, builder, standing, spread, figures };
}
