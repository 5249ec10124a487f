// Before there is a community: a passphrase, a backup, and a backup that is restored where there was nothing.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";

const SECRET = "six random words or so";

import { ANSWER, GPX, SOON, accessible, go, open, run, shots, step } from "./tools.mjs";

const words = (folder, env = {}) => JSON.parse(run(env, "key", "show", "--words", "--json", "--dir", folder)).words.join(" ");

async function restore(page, file, opener, secret) {
  await go(page, "home");
  const summary = page.getByText("Restore a backup", { exact: true });
  if (!(await page.locator("#backup").isVisible())) await summary.click();
  await page.locator("#backup").setInputFiles(file);
  await page.getByLabel(opener === "words" ? "the 24 recovery words" : "its own passphrase", { exact: true }).check();
  await page.locator("#opener").fill(secret);
  await page.getByRole("button", { name: "Be this node again" }).click();
}

async function bringIn(page) {
  await go(page, "data");
  await page.locator("#file").setInputFiles(GPX);
  await page.getByText("296 positions").waitFor({ timeout: SOON });
  await page.getByRole("button", { name: "Bring it in" }).click();
  await page.getByText("It has brought, as new:").waitFor({ timeout: SOON });
}

/// A vault without a node is kept by a passphrase, backed up, and is the same elsewhere.
export async function early() {
  const { context, page } = await open("early", "Welcome");
  const env = { COMMONHOLD_KEY_PASSPHRASE: SECRET };
  try {
    await bringIn(page);
    await go(page, "settings");
    await page.getByText("Have a passphrase keep it").click();
    await page.getByLabel("A new passphrase").fill(SECRET);
    await page.getByLabel("The same again").fill(SECRET);
    await page.getByRole("button", { name: "Change the key" }).click();
    await page.getByText("A passphrase keeps it.").waitFor({ timeout: ANSWER });
    assert.throws(() => run({ COMMONHOLD_KEY_PASSPHRASE: "another one" }, "key", "show", "--words", "--dir", "early"));
    await page.getByText("With a passphrase of its own as well").click();
    await page.getByLabel("Passphrase of this backup").fill("only for this file");
    const [backup] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Back up now" }).click()]);
    assert.match(backup.suggestedFilename(), /^commonhold-\d{4}-\d\d-\d\d\.backup$/);
    await backup.saveAs("early.backup");
    await accessible(page, "settings without a community");
    await shots(page, "first-settings-kept");
  } finally {
    run({}, "down", "--dir", "early");
  }
  await context.close();
  writeFileSync("early.words", words("early", env));
  run({}, "backup", "verify", "early.backup", "--words-file", "early.words", "--dir", "nowhere");
  run(env, "up", "--detach", "--dir", "early");
  run({}, "down", "--dir", "early");
  step("a vault without a node has a passphrase and a backup");
}

export async function again() {
  const { context, page } = await open("again", "Welcome");
  try {
    await restore(page, "early.words", "words", words("again"));
    await page.getByRole("alert").getByText("This is no backup of this program. Choose the file that was kept as a backup.").waitFor({ timeout: SOON });
    // One that was not copied whole.
    writeFileSync("short.backup", readFileSync("early.backup").subarray(0, -100));
    const statuses = [];
    page.on("response", (response) => response.url().endsWith("/v1/beginning/restore") && statuses.push(response.status()));
    await restore(page, "short.backup", "passphrase", "only for this file");
    await page.getByRole("alert").getByText(/^The backup ends at byte \d+, before its end: it was not copied whole\. Use another one\.$/).waitFor({ timeout: SOON });
    await restore(page, "early.backup", "passphrase", "not this one");
    await page.getByRole("alert").getByText(/^Wrong passphrase of this backup\./).waitFor({ timeout: SOON });
    assert.deepEqual(statuses, [422, 422], "the file is wrong, and not the node");
    await accessible(page, "a backup that does not open");
    await shots(page, "first-restore");
    await restore(page, "early.backup", "passphrase", "only for this file");
    await page.getByText("Your data are here again").waitFor({ timeout: SOON });
    await go(page, "data");
    await page.getByText("296 rows").first().waitFor({ timeout: SOON });
    // Now there is something to lose.
    await restore(page, "early.backup", "words", "no words");
    await page.getByRole("alert").waitFor({ timeout: SOON });
    assert.match(await page.getByRole("alert").textContent(), /word/);
  } finally {
    run({}, "down", "--dir", "again");
  }
  await context.close();
  step("a vault's backup is the same vault elsewhere");
}

/// Of a node that is stopped for good.
export async function member(kept, node) {
  const { context, page } = await open("moved", "Welcome");
  try {
    await bringIn(page);
    await restore(page, "kept.backup", "words", kept);
    await page.getByRole("alert").getByText("this vault holds data already").waitFor({ timeout: SOON });
    await go(page, "data");
    await page.getByRole("button", { name: "Undo 1" }).click();
    await page.locator("td", { hasText: /^undone$/ }).waitFor({ timeout: SOON });
    await restore(page, "kept.backup", "words", kept);
    await page.getByRole("heading", { level: 1, name: "Gardeners" }).waitFor({ timeout: ANSWER });
    await page.getByText("Ada’s laptop · Gardeners").waitFor({ timeout: SOON });
    await page.getByText(/^\d+ other members are known\.$/).waitFor({ timeout: ANSWER });
    const status = JSON.parse(run({}, "status", "--json", "--dir", "moved"));
    assert.equal(status.node, node, "the same node");
    await go(page, "data");
    await page.getByText("296 rows").first().waitFor({ timeout: SOON });
    assert.equal(words("moved"), kept, "the words of the backup");
  } finally {
    run({}, "down", "--dir", "moved");
  }
  await context.close();
  step("a backup is the same node again, on the page alone");
}
