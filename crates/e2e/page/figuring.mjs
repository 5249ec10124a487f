// What an answer is said to be worth: pictures with what is around them, and headlines of each kind.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { SOON, accessible, go, shots, step } from "./tools.mjs";

/// Spreads by groups, as the node tells them, have bars of the means with what is around them.
export async function spread(asker) {
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
export async function figures(asker) {
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
      long: pictures(details({ figures: Array.from({ length: 9 }, (_, at) => figure(`${at}0 to ${at}9`, at === 6 ? "13" : null, at === 6 ? "exact" : "withheld")) }))[0].rows.map(({ label, value, many }) => [label, value, many ?? 1]),
      few: both(details({ count: 2, figures: [figure("sample standard deviation", "1.000000", double), figure("mean", "6.900000", "exact, rounded to 6 digits")] })),
      scales: [[0, 5, 6], [-0.0225, 0.19, 5], [0, 1, 1], [-0.9, 0.95, 1], [-7, 0, 4]].map(([low, high, most]) => scale(low, high, most).map(({ text }) => text).join(" ")),
      count: both(details({})),
      gathered: exactness(details({}), true),
      gathers: ['SELECT COUNT(*) FROM (SELECT COUNT(*) AS "n" FROM "positions") WHERE "n" >= 1', `SELECT COUNT(*) FROM "from (" WHERE "word" = 'it''s from ('`].map(gathers),
      average: both(details({ mean: "6.9000", figures: [figure("mean", "6.9000", "exact, rounded to 4 digits"), figure("total", "89.7", "exact")] })),
      spread: both(details({ figures: [figure("sample standard deviation", "1.000000", double), figure("mean", "6.900000", "exact, rounded to 6 digits")] })),
      correlation: both(details({ figures: [figure("correlation", "0.500000", double), figure("population covariance", "1.000000", "exact, rounded to 6 digits")] })),
      correlated: pictures(details({ figures: [figure("correlation", "0.500000", double), figure("population covariance", "1.000000", "exact, rounded to 6 digits")] }))[0].rows.map(({ low, high, point }) => [low.toFixed(2), high.toFixed(2), point])[0],
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
  assert.deepEqual(told.long, [["00 to 59", null, 6], ["60 to 69", 13, 1], ["70 to 79", null, 1], ["80 to 89", null, 1]], "many that are not told are one line");
  assert.match(told.few[1], /^The average is 6\.9 ± 9: /, "12.7062 / √2 of them");
  assert.deepEqual(told.scales, ["0 1 2 3 4 5", "0.00 0.05 0.10 0.15", "0.0 0.5 1.0", "-0.5 0.0 0.5", "-6 -4 -2 0"]);
  assert.equal(told.average[0], "6.9 | on average, over 13 people");
  assert.match(told.average[1], /the spread was not asked for/);
  assert.equal(told.spread[0], "1 | sample standard deviation, over 13 people");
  assert.match(told.spread[1], /^The average is 6\.9 ± 0\.6: /);
  assert.equal(told.correlation[0], "0.5 | correlation, over 13 people");
  assert.match(told.correlation[1], /^From -0\.07 to 0\.82 with 95 % chance/);
  assert.deepEqual(told.correlated, ["-0.07", "0.82", true], "the picture has the interval that the line tells");
  assert.equal(told.none, "Not told | correlation: a column is constant");
  assert.equal(told.parts, "13 | people match the question");
  assert.equal(told.median, "6 to 6.5 | median, over 13 people");
  step("headlines say what was asked");
}
