// The builder of questions: what its fields write, and what it does not let through.

import assert from "node:assert/strict";

import { SOON, accessible, go, shots, step } from "./tools.mjs";

/// A condition without a value is not left out silently.
export async function builder(asker) {
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
  await asker.getByText('FROM (SELECT AVG("hours") AS "hours" FROM "sleep" WHERE "hours" = 7 HAVING COUNT(*) <= 1000000)').waitFor({ timeout: SOON });
  assert.equal(await asker.getByText("Whoever has several rows").count(), 0);
  await asker.getByLabel("What do you want to know?").selectOption("COUNT");
  await asker.getByLabel("Of each person").selectOption("COUNT");
  const several = 'SELECT COUNT(*) FROM (SELECT COUNT(*) AS "number_of_rows" FROM "sleep" WHERE "hours" = 7 HAVING COUNT(*) <= 1000000) WHERE "number_of_rows" >= 1';
  await asker.getByText(several).waitFor({ timeout: SOON });
  // How many rows a person may have is seen, and for the asker to say.
  const most = asker.getByLabel("At most so many rows of each");
  for (const none of ["", "0", "2,5", "1000001"]) {
    await most.fill(none);
    await asker.getByText("A whole number from 1 to 1000000.").waitFor({ timeout: SOON });
    assert.ok(await put.isDisabled());
  }
  await most.fill("50");
  await asker.getByText("HAVING COUNT(*) <= 50)").waitFor({ timeout: SOON });
  await accessible(asker, "a question over all rows of each");
  await shots(asker, "questions-ask-each");
  await most.fill("1000000");
  // What cannot be asked of people with many rows says what can.
  await asker.getByLabel("What do you want to know?").selectOption("TOP");
  await asker.getByLabel("Of which column").selectOption("quality");
  await asker.getByText("their words cannot be counted so", { exact: false }).waitFor({ timeout: SOON });
  assert.equal(await asker.getByLabel("Of each person").count(), 0);
  await asker.getByLabel("What do you want to know?").selectOption("COUNT");
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
  await written(asker);
  step("the builder has numbers where it needs some, and keeps what was begun");
}

/// What the fields write of two columns, and how many rows of each person fit.
async function written(asker) {
  const told = await asker.evaluate(async () => {
    const { rowsFitting, rowsMost, write } = await import("/page/sql.js");
    const kinds = { a: "number", b: "number", word: "category" };
    const of = (fields) => write({ table: "t", column: "a", other: "b", conditions: [], groups: [], each: "", most: 7, ...fields }, (name) => ({ kind: kinds[name] }));
    const column = (max, decimals = 0) => ({ min: "0", max: String(max), decimals });
    return {
      pair: of({ what: "CORR", each: "AVG" }),
      top: of({ what: "TOP", each: "COUNT", width: "" }),
      words: of({ what: "TOP", column: "word" }),
      fits: [["AVG", "SUM", 180, 7], ["STDDEV_SAMP", "SUM", 24], ["STDDEV_SAMP", "SUM", 180, 7], ["AVG", "SUM", 1e15], ["AVG", "AVG", 1e15], ["AVG", "MAX", 1e15], ["MEDIAN", "COUNT", 1], ["COUNT", "COUNT", 1]].map(([what, each, max, decimals]) => rowsFitting({ what, each }, [column(max, decimals)])),
      most: ['SELECT AVG("n") FROM (SELECT COUNT(*) AS "n" FROM "t" HAVING COUNT(*) <= 250) WHERE "n" > 1', `SELECT COUNT(*) FROM "t" WHERE "x" = 'HAVING COUNT(*) <= 250)'`].map(rowsMost),
    };
  });
  assert.equal(told.pair, 'SELECT CORR("a", "b") FROM (SELECT AVG("a") AS "a", AVG("b") AS "b" FROM "t" HAVING COUNT(*) <= 7)');
  assert.equal(told.top, 'SELECT TOP(BUCKET("number_of_rows"), 10) FROM (SELECT COUNT(*) AS "number_of_rows" FROM "t" HAVING COUNT(*) <= 7)');
  assert.equal(told.words, 'SELECT TOP("word", 10) FROM "t"');
  assert.deepEqual(told.fits, [1_000_000, 1_000_000, 1_000_000, 1000, 1000, 1_000_000, 10_000, 1_000_000]);
  assert.deepEqual(told.most, [250, null]);
}
