// What every scene of the walk uses: a browser, pages of nodes, and how each look of a page is kept and examined.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const { PROGRAM, SCREENSHOTS, TICKET } = process.env;
const { BROWSER, PACKAGES } = process.env;
const load = createRequire(join(PACKAGES, "walk.cjs"));
const { chromium } = load("playwright-core");
const AXE = readFileSync(join(PACKAGES, "axe-core/axe.min.js"), "utf8");

export const SOON = 20_000;
/// For a question with a minute to decide, on a busy machine.
export const ANSWER = 180_000;
export const PANELS = ["home", "data", "questions", "questions/ask", "results", "proof", "consent", "network", "settings"];

export const run = (env, ...args) => execFileSync(PROGRAM, args, { encoding: "utf8", env: { ...process.env, ...env } }).trim();
export const address = (folder) => run({}, "open", "--print", "--dir", folder);

export const GPX = fileURLToPath(new URL("../../vault/tests/files/cerknicko-jezero.gpx", import.meta.url));

export const launch = () => chromium.launch({ executablePath: BROWSER, args: process.getuid() === 0 ? ["--no-sandbox"] : [] });
export const browser = await launch();
export const elsewhere = [];
export const complaints = [];

export async function open(folder, heading = "Gardeners") {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-GB", reducedMotion: "reduce" });
  context.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (protocol !== "blob:" && hostname !== "127.0.0.1") elsewhere.push(request.url());
  });
  const page = await context.newPage();
  page.on("console", (message) => {
    // A request that fails is said by the page itself.
    if (["error", "warning"].includes(message.type()) && !message.text().startsWith("Failed to load resource")) complaints.push(message.text());
  });
  page.on("pageerror", (why) => complaints.push(String(why)));
  const url = address(folder);
  await page.goto(url);
  await page.getByRole("heading", { level: 1, name: heading }).waitFor({ timeout: SOON });
  return { context, page, url };
}

export async function go(page, panel) {
  await page.evaluate((panel) => (location.hash = `#/${panel}`), panel);
  await page.locator(`.nav a[href="#/${panel.split("/")[0]}"][aria-current]`).waitFor({ timeout: SOON });
  await page.locator("h1").waitFor({ timeout: SOON });
}

/// No serious fault by axe-core's rules.
export async function accessible(page, name) {
  // The page's own policy keeps scripts out; the checker's is put in through the debugger.
  const found = await page.evaluate(`${AXE}; axe.run(document, { resultTypes: ["violations"] })`);
  const serious = found.violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
  const told = serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ target, failureSummary }) => `${target} ${failureSummary}`).join("; ")}`);
  assert.deepEqual(told, [], `${name} keeps people out`);
}

export const step = (text) => console.log(`${new Date().toISOString().slice(11, 19)} ${text}`);

/// Every page as it is.
export async function seen(name) {
  const pages = browser.contexts().flatMap((context) => context.pages());
  await Promise.all(pages.map((page, place) => page.screenshot({ path: join(SCREENSHOTS, `${name}-${place}.png`), fullPage: true })));
}

/// Light and dark, wide and narrow.
export async function shots(page, name) {
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [1280, 390]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: width > 900 ? 800 : 844 });
      await page.evaluate(() => scrollTo(0, 0));
      await page.waitForTimeout(250);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(over <= 0, `${name} is ${over} px too wide for ${width}`);
      await page.screenshot({ path: join(SCREENSHOTS, `${name.replace("/", "-")}-${colorScheme}-${width}.png`), fullPage: true });
      if (colorScheme === "dark") await accessible(page, `${name}, dark, ${width} px wide`);
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 1280, height: 800 });
}
