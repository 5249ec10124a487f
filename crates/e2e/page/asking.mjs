// A question from its asker to its answer: decided on another's page, drawn, proved, refused.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { ANSWER, SOON, accessible, go, run, shots, step } from "./tools.mjs";

export async function askAndAnswer(asker, owner) {
  await go(asker, "questions/ask");
  await asker.getByLabel("What do you want to know?").selectOption("AVG");
  await asker.getByText('SELECT AVG("hours") FROM "sleep"').waitFor({ timeout: SOON });
  const put = asker.getByRole("button", { name: "Put the question" });
  assert.ok(await put.isDisabled(), "nobody is asked without a purpose");
  await asker.getByLabel("What is it for?").fill("When the shop should open");
  await asker.getByLabel("Time to decide").selectOption("60");
  await put.click();
  await asker.getByText("Announced").waitFor({ timeout: SOON });
  await asker.locator("article h2", { hasText: /^The average of hours, from sleep$/ }).waitFor({ timeout: SOON });
  step("asked");

  await go(owner, "questions");
  await owner.getByRole("link", { name: /When the shop should open/ }).click({ timeout: SOON });
  await owner.getByText("hours: 6.5").waitFor({ timeout: SOON });
  await accessible(owner, "a question");
  await shots(owner, "question");
  await owner.getByRole("button", { name: /Yes, this time/ }).click();
  await owner.getByRole("heading", { name: /you take part/ }).waitFor({ timeout: SOON });
  step("answered on the other's page");

  await asker.getByText("on average, over 6 people").waitFor({ timeout: ANSWER });
  await asker.getByText("6 people took part").waitFor();
  await asker.getByText("the spread was not asked for").waitFor();
  const [drawn] = await Promise.all([asker.waitForEvent("download"), asker.getByRole("button", { name: "Picture as PNG" }).click()]);
  assert.match(drawn.suggestedFilename(), /\.png$/, "a single figure has its picture");
  await accessible(asker, "an answer");
  await shots(asker, "answer");
  await asker.getByRole("link", { name: "Check the proof" }).click();
  await asker.getByRole("button", { name: "Check it now" }).click();
  await asker.getByText("The proof holds.").waitFor({ timeout: SOON });
  await accessible(asker, "a proof");
  await shots(asker, "proof-checked");
  step("the proof holds");
}

/// An answer by groups of two numbers is cells on a plane: one as a larger community would have, in which few are withheld.
export async function plane(asker) {
  await go(asker, "questions/ask");
  await asker.getByLabel("In groups by").selectOption("hours");
  await asker.getByLabel("And by").selectOption("quality");
  await asker.getByLabel("Groups in steps of").fill("3");
  await asker.getByText('GROUP BY BUCKET("hours", 3), "quality"').waitFor({ timeout: SOON });
  const groups = [];
  for (let north = 42; north < 52; north += 2) {
    for (let east = -4; east < 16; east += 4) {
      const people = (north * 7 + (east + 4) * 5) % 43;
      const told = people > 8 && east > -4;
      groups.push({ labels: [`${north}.00 to ${north + 1}.99`, `${east}.00 to ${east + 3}.99`], people: told ? people : null, figures: told ? [] : null });
    }
  }
  await asker.route("**/v1/questions?*", async (route) => {
    const response = await route.fetch();
    const list = await response.json();
    const question = list.find(({ answer }) => answer);
    question.title = "How many people, from stays";
    const { details } = question.answer;
    Object.assign(details, { question: 'SELECT COUNT(*) FROM "stays" GROUP BY BUCKET("lat", 2), BUCKET("lon", 4)', groupings: ['BUCKET("lat", 2)', 'BUCKET("lon", 4)'], groups, mean: null });
    await route.fulfill({ response, json: list });
  });
  await go(asker, "home");
  await asker.reload();
  await go(asker, "results");
  await asker.getByRole("link", { name: /How many people, from stays/ }).click();
  const answer = asker.locator(".chart.grid");
  await answer.waitFor({ timeout: SOON });
  const cells = await answer.locator(".cell title").allTextContents();
  const told = groups.filter(({ people }) => people !== null).map(({ labels, people }) => `${labels.join(", ")}: ${people}`);
  assert.deepEqual(cells.sort(), told.sort());
  // What lies north is above, and what lies east to the right.
  const place = (label) => answer.locator(".cell", { hasText: label }).boundingBox();
  const [south, north, east] = [await place("42.00 to 43.99, 4.00"), await place("48.00 to 49.99, 4.00"), await place("42.00 to 43.99, 8.00")];
  assert.ok(north.y < south.y && north.x === south.x && east.x > south.x && east.y === south.y);
  await accessible(asker, "an answer on a plane");
  await shots(asker, "answer-plane");
  const [drawn] = await Promise.all([asker.waitForEvent("download"), asker.getByRole("button", { name: /picture/i }).click()]);
  assert.match(drawn.suggestedFilename(), /\.png$/);
  await asker.unroute("**/v1/questions?*");
  step(`an answer has ${cells.length} cells on a plane`);
}

export async function refuseAndRevoke(owner) {
  run({}, "question", "ask", "SELECT COUNT(*) FROM sleep", "--purpose", "Idle curiosity", "--deadline", "2d", "--dir", "0");
  await go(owner, "questions");
  await owner.getByRole("link", { name: /Idle curiosity/ }).click({ timeout: SOON });
  await owner.getByText("you would be counted as one person").waitFor({ timeout: SOON });
  // Always makes a rule, which a no to this one question does not take back.
  const pressed = (name) => owner.locator('.word[aria-pressed="true"]', { hasText: name });
  await owner.getByRole("button", { name: /^Always/ }).click();
  await owner.getByRole("heading", { name: /you take part/ }).waitFor({ timeout: SOON });
  await pressed("Always").waitFor({ timeout: SOON });
  await owner.getByText("Your rule 1 goes on:").waitFor({ timeout: SOON });
  await accessible(owner, "a question with a rule");
  await shots(owner, "question-always");
  await owner.getByRole("button", { name: /^No/ }).click();
  await pressed("My data stay out of this one.").waitFor({ timeout: SOON });
  await owner.getByText("This word is about this one question alone.").waitFor({ timeout: SOON });
  await owner.getByRole("button", { name: /^Revoke/ }).click();
  await owner.getByText("Your rule 1 goes on:").waitFor({ state: "detached", timeout: SOON });
  await owner.getByRole("button", { name: /Never this asker/ }).click();
  await owner.getByRole("heading", { name: /you stay out/ }).waitFor({ timeout: SOON });
  await pressed("Never this asker").waitFor({ timeout: SOON });
  await owner.getByText("Your rule 2 goes on:").waitFor({ timeout: SOON });
  await go(owner, "consent");
  await owner.getByRole("cell", { name: /Idle curiosity/ }).waitFor({ timeout: SOON });
  const revoke = owner.getByRole("button", { name: /Revoke/ });
  await revoke.click({ timeout: SOON });
  await owner.getByText("The rule holds no longer").waitFor({ timeout: SOON });
  await revoke.waitFor({ state: "detached", timeout: SOON });
  await owner.locator(".chip", { hasText: /^rule taken back$/ }).nth(1).waitFor({ timeout: SOON });
  const [log] = await Promise.all([owner.waitForEvent("download"), owner.getByRole("button", { name: "Log as CSV" }).click()]);
  const lines = readFileSync(await log.path(), "utf8").trim().split("\r\n");
  const known = JSON.parse(run({}, "consent", "list", "--last", "1000", "--json", "--dir", "1"));
  assert.equal(lines.length - 1, known.entries.length, "the whole log, as the command tells it");
  step("refused, and the rule revoked");
}
