// Somebody who has nothing yet: a name, words, data, a community, a backup and a passphrase.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";

import { ANSWER, GPX, SOON, TICKET, accessible, go, open, run, shots, step } from "./tools.mjs";

const FRESH = "fresh";
const words = () => JSON.parse(run({}, "key", "show", "--words", "--json", "--dir", FRESH)).words;

/// Somebody who has nothing yet: a name, the words, data, a community; then a backup, and a passphrase.
export async function newcomer() {
  const { context, page, url } = await open(FRESH, "Welcome");
  let [kept, node] = ["", ""];
  try {
    await accessible(page, "the first steps");
    await shots(page, "first");
    await page.getByLabel("Name of this node").fill("Ada’s laptop");
    await page.getByRole("button", { name: "Keep the name" }).click();
    await page.getByText("This node is called “Ada’s laptop”").waitFor({ timeout: SOON });
    await page.getByRole("button", { name: "Show the words" }).click();
    await page.locator(".recovery li").first().waitFor({ timeout: SOON });
    const shown = await page.locator(".recovery li").allTextContents();
    assert.deepEqual(shown, words(), "24 words, the same as the command shows");
    await accessible(page, "the recovery words");
    await page.getByRole("button", { name: "I have written them down" }).click();
    await page.getByText("You have said that they are on paper").waitFor({ timeout: SOON });
    await go(page, "questions");
    await page.getByText("You belong to no community yet").waitFor({ timeout: SOON });
    await accessible(page, "questions without a community");
    await shots(page, "first-questions");
    await go(page, "settings");
    await page.getByText("this node belongs to no community yet").waitFor({ timeout: SOON });
    await shots(page, "first-settings");
    await go(page, "data");
    await page.locator("#file").setInputFiles(GPX);
    await page.getByText("296 positions").waitFor({ timeout: SOON });
    await page.getByRole("button", { name: "Bring it in" }).click();
    await page.getByText("It has brought, as new:").waitFor({ timeout: SOON });
    await go(page, "home");
    await page.getByText("3 of 4 done").waitFor({ timeout: SOON });
    await page.getByLabel("Ticket").fill(`${TICKET.slice(0, -9)}${"A".repeat(9)}`);
    await page.getByRole("button", { name: "Ask to join" }).click();
    await page.getByRole("alert").waitFor({ timeout: SOON });
    await accessible(page, "a ticket that is not good");
    await page.getByLabel("Ticket").fill(TICKET);
    await page.getByRole("button", { name: "Ask to join" }).click();
    await page.getByRole("heading", { level: 1, name: "Gardeners" }).waitFor({ timeout: ANSWER });
    await page.getByText("You are a member", { exact: true }).waitFor({ timeout: SOON });
    await page.getByText(/^\d+ other members are known\.$/).waitFor({ timeout: ANSWER });
    await page.getByText("Ada’s laptop · Gardeners").waitFor({ timeout: SOON });
    step("somebody new has a name, words, data and a community");
    await go(page, "data");
    await page.getByText("296 rows").first().waitFor({ timeout: SOON });
    kept = await keep(page);
    ({ node } = JSON.parse(run({}, "status", "--json", "--dir", FRESH)));
    const opened = url.split("/#")[0];
    assert.ok(page.url().startsWith(opened), "all of it under one address");
  } finally {
    run({}, "down", "--dir", FRESH);
  }
  await context.close();
  return { kept, node };
}

/// A backup that is whole, another key under a passphrase, and that alone opens the vault from then on.
async function keep(page) {
  await go(page, "settings");
  const kept = words();
  const [backup] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Back up now" }).click()]);
  assert.match(backup.suggestedFilename(), /^commonhold-[0-9a-f]{8}-.*\.backup$/);
  writeFileSync("kept.words", kept.join(" "));
  await backup.saveAs("kept.backup");
  run({}, "backup", "verify", "kept.backup", "--words-file", "kept.words", "--dir", "nowhere");
  await page.getByText("Have a passphrase keep it").click();
  await page.getByLabel("A new passphrase").fill("six random words or so");
  await page.getByLabel("The same again").fill("six random words or s");
  await page.getByText("This is not the same.").waitFor();
  assert.ok(await page.getByRole("button", { name: "Change the key" }).isDisabled());
  await page.getByLabel("The same again").fill("six random words or so");
  await page.getByRole("button", { name: "Change the key" }).click();
  await page.getByText("A passphrase keeps it.").waitFor({ timeout: ANSWER });
  await accessible(page, "a key under a passphrase");
  await shots(page, "settings-passphrase");
  await page.getByLabel("Passphrase of your vault").fill("another one");
  await page.getByRole("button", { name: "Show the words" }).click();
  await page.getByText(/wrong passphrase/i).waitFor({ timeout: SOON });
  await page.getByLabel("Passphrase of your vault").fill("six random words or so");
  await page.getByRole("button", { name: "Show the words" }).click();
  await page.locator(".recovery li").first().waitFor({ timeout: SOON });
  const fresh = await page.locator(".recovery li").allTextContents();
  assert.equal(fresh.length, 24);
  assert.notDeepEqual(fresh, kept, "the words are new");
  const secret = { COMMONHOLD_KEY_PASSPHRASE: "six random words or so" };
  assert.deepEqual(JSON.parse(run(secret, "key", "show", "--words", "--json", "--dir", FRESH)).words, fresh);
  assert.throws(() => run({ COMMONHOLD_KEY_PASSPHRASE: "another one" }, "key", "show", "--words", "--dir", FRESH));
  step("a backup is whole, and a passphrase keeps the key");
  return kept.join(" ");
}
