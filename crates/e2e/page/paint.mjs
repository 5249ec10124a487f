// How soon Home is seen, in browsers that have just started and after that; and that what is seen first is what stays.

import assert from "node:assert/strict";
import { join } from "node:path";

const COLD = 5;
const WARM = 4;

const middle = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const told = (numbers) => numbers.map(Math.round).join(", ");

/// When something was painted first, and when Home was there with what the node says.
async function seen(page) {
  await page.getByRole("heading", { level: 1, name: "Gardeners" }).waitFor();
  return page.evaluate(() => [performance.getEntriesByName("first-contentful-paint")[0].startTime, performance.now()]);
}

/// The frame and the heading are painted before any code is there. Each browser that has just started is another one.
export async function paints(launch, address, step) {
  const [cold, warm, whole] = [[], [], []];
  for (let run = 0; run < COLD; run += 1) {
    const browser = await launch();
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    await page.goto(address());
    const [first, home] = await seen(page);
    cold.push(first);
    whole.push(home);
    for (let again = 0; run === 0 && again < WARM; again += 1) {
      await page.reload();
      warm.push((await seen(page))[0]);
    }
    await browser.close();
  }
  step(`first paint in a browser that has just started: ${told(cold)} ms, median ${Math.round(middle(cold))}; after that ${told(warm)} ms, median ${Math.round(middle(warm))}`);
  step(`all of Home, in a browser that has just started: ${told(whole)} ms, median ${Math.round(middle(whole))}`);
  // Told, not asserted: how long something takes says more of what else the machine does. BENCHMARKS.md has the goals.
}

/// What stands in the file itself, where no code runs, is the frame that the code makes.
export async function shell(browser, page, screenshots) {
  const bare = await browser.newContext({ viewport: { width: 1280, height: 800 }, javaScriptEnabled: false });
  const still = await bare.newPage();
  await still.goto(new URL("/", page.url()).href);
  const parts = [".skip", ".nav", ".promise", ".brand strong"];
  for (const part of parts) {
    const [before, after] = await Promise.all([still, page].map((one) => one.locator(part).evaluate((found) => found.outerHTML.replace(/\s*\n\s*/g, ""))));
    assert.equal(after, before, `${part} is made as it stands in index.html`);
    const [from, to] = await Promise.all([still, page].map((one) => one.locator(part).boundingBox()));
    assert.deepEqual(to, from, `${part} stays where it was`);
  }
  for (const colorScheme of ["light", "dark"]) {
    await still.emulateMedia({ colorScheme });
    for (const width of [1280, 390]) {
      await still.setViewportSize({ width, height: 800 });
      await still.screenshot({ path: join(screenshots, `before-code-${colorScheme}-${width}.png`) });
    }
  }
  await bare.close();
}
