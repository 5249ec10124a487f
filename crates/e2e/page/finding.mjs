// Addresses that name nothing or open the page anew, and the keyboard, which is never lost.

import assert from "node:assert/strict";

import { SOON, address, go, step } from "./tools.mjs";

const focused = (page) => page.evaluate(() => document.activeElement.tagName + (document.activeElement.getAttribute("aria-label") ?? document.activeElement.innerText));

/// Names that every object has are no panels.
export async function strange(page) {
  for (const name of ["__proto__", "constructor", "toString", "nothing"]) {
    await page.evaluate((name) => (location.hash = `#/${name}`), name);
    await page.getByText(`This page has nothing called “${name}”. This is Home.`).waitFor({ timeout: SOON });
    await page.getByRole("heading", { level: 1, name: "Gardeners" }).waitFor({ timeout: SOON });
  }
  await go(page, "home");
  assert.equal(await page.locator(".strange").count(), 0);
}

/// A link that is pasted into the tab of a locked page opens it: there, nothing but the end of the address changes.
export async function anew(page, folder) {
  await go(page, "settings");
  await page.getByRole("button", { name: "Lock this page" }).click();
  await page.getByRole("heading", { name: "This page is locked" }).waitFor({ timeout: SOON });
  const link = address(folder);
  await page.evaluate((hash) => (location.hash = hash), new URL(link).hash);
  await page.getByRole("heading", { level: 1, name: "Gardeners" }).waitFor({ timeout: SOON });
  assert.ok(!page.url().includes("code="), "the code is not left in the address");
  step("a locked page is opened in the same tab");
}

/// Each thing done leaves the keyboard at it, or at the heading of what it was in.
export async function held(page) {
  await go(page, "data");
  const remove = page.getByRole("button", { name: "Delete sleep" });
  await remove.focus();
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Delete for good" }).waitFor({ timeout: SOON });
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Delete for good" }).waitFor({ state: "detached", timeout: SOON });
  assert.equal(await focused(page), "BUTTONDelete sleep");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Cancel" }).focus();
  await page.keyboard.press("Enter");
  assert.equal(await focused(page), "BUTTONDelete sleep");
  await go(page, "questions");
  const item = page.locator(".split > .list a").last();
  await item.focus();
  await page.keyboard.press("Enter");
  await page.waitForTimeout(300);
  assert.match(await focused(page), /^H2/, "what was chosen has the keyboard");
  await go(page, "consent");
  await page.getByText("Add a rule").first().click();
  await page.getByLabel("to questions about").selectOption("sleep");
  const add = page.getByRole("button", { name: "Add a rule" });
  await add.focus();
  await page.keyboard.press("Enter");
  const revoke = page.getByRole("button", { name: /^Revoke \d+$/ });
  await revoke.first().waitFor({ timeout: SOON });
  await revoke.first().focus();
  await page.keyboard.press("Enter");
  await revoke.first().waitFor({ state: "detached", timeout: SOON });
  await page.waitForTimeout(300);
  assert.match(await focused(page), /^H[123]/, "what went away leaves the keyboard near");
  step("the keyboard is never lost");
}
