// Opening the page: how much it takes, its link that works once, the keyboard, and every panel in every width.

import assert from "node:assert/strict";
import { join } from "node:path";

import { shell } from "./paint.mjs";
import { PANELS, SCREENSHOTS, SOON, accessible, browser, go, open, shots, step } from "./tools.mjs";

export async function firstRun() {
  const { context, page, url } = await open("0");
  const sizes = await page.evaluate(() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")].map((entry) => entry.transferSize));
  const transferred = sizes.reduce((sum, size) => sum + size, 0);
  step(`Home takes ${Math.round(transferred / 1000)} kB`);
  assert.ok(transferred < 250_000, "250 kB at most");
  assert.ok(!page.url().includes("code="), "the code is not left in the address");
  await page.getByText("6 other members are known").waitFor({ timeout: SOON });
  await shell(browser, page, SCREENSHOTS);
  // A reload stays in; the same link a second time closes what it had opened.
  await page.reload();
  await page.getByRole("heading", { level: 1, name: "Gardeners" }).waitFor({ timeout: SOON });
  const thief = await browser.newContext();
  const other = await thief.newPage();
  await other.goto(url);
  await other.getByText("this link was used before").waitFor({ timeout: SOON });
  await page.reload();
  await page.getByRole("heading", { name: "This page is locked" }).waitFor({ timeout: SOON });
  await thief.close();
  await context.close();
}

/// By the keyboard alone: past the panels to the content, and on to a panel.
export async function keyboard(page) {
  await page.reload();
  await page.locator("h1").waitFor({ timeout: SOON });
  await go(page, "home");
  await page.locator(".nav a").nth(1).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "My data" }).waitFor({ timeout: SOON });
  assert.equal(await page.evaluate(() => document.activeElement.tagName), "H1", "the keyboard is where the panel begins");
  await page.locator(".skip").focus();
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "content");
}

export async function everyPanel(page) {
  for (const panel of PANELS) {
    await go(page, panel);
    await accessible(page, panel);
    await shots(page, panel);
    await page.setViewportSize({ width: 360, height: 640 });
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(over <= 0, `${panel} is ${over} px too wide for 360`);
    await page.setViewportSize({ width: 1280, height: 800 });
  }
  step("every panel is for everybody");
}

/// Before anything was asked: each says why it is empty, and what to do.
export async function everyPanelEmpty(page) {
  for (const [panel, said] of [["questions", "Nobody has asked anything yet"], ["results", "No answers yet"], ["proof", "There is nothing to check yet"], ["consent", "Nothing was answered yet"]]) {
    await go(page, panel);
    await page.getByText(said).waitFor({ timeout: SOON });
    await accessible(page, `${panel}, empty`);
    await page.screenshot({ path: join(SCREENSHOTS, `${panel}-empty-light-1280.png`), fullPage: true });
  }
}
