// An inbox as a node has it that is asked much.

import assert from "node:assert/strict";
import { join } from "node:path";

import { SCREENSHOTS, SOON, go, step } from "./tools.mjs";

/// With a list as a node that is asked much would give it: members may put 64 at a time each.
export async function many(owner) {
  const entries = Array.from({ length: 200 }, (_, place) => ({
    id: place.toString(16).padStart(64, "0"), asker: "ab".repeat(32), sql: 'SELECT COUNT(*) FROM "sleep"', purpose: `Question ${place}`,
    received_at: 1, until: 4_000_000_000, state: "waiting", by_rule: false, rule: null, note: "",
  }));
  const asked = [];
  const limits = [];
  await owner.route("**/v1/inbox?*", (route) => {
    const wanted = new URL(route.request().url()).searchParams;
    asked.push(wanted.get("after"));
    limits.push(Number(wanted.get("limit")));
    const from = entries.findIndex(({ id }) => id === wanted.get("after")) + 1;
    const part = entries.slice(from, from + 150);
    const link = from + 150 < entries.length ? { Link: `</v1/inbox?limit=${wanted.get("limit")}&after=${part.at(-1).id}>; rel="next"` } : {};
    return route.fulfill({ json: part, headers: link });
  });
  await go(owner, "home");
  limits.length = 0;
  await owner.reload();
  await owner.getByRole("heading", { level: 1, name: "Gardeners" }).waitFor({ timeout: SOON });
  assert.ok(limits.every((limit) => limit <= 40), "Home reads no more than it shows");
  await go(owner, "questions");
  const began = Date.now();
  for (let shown = 40; shown < 200; shown += 40) await owner.getByRole("button", { name: "Show 40 more" }).click({ timeout: SOON });
  await owner.getByText("Question 199").waitFor({ timeout: SOON });
  assert.equal(await owner.locator(".list li").count(), 200);
  assert.deepEqual(new Set(asked), new Set([null, entries[149].id]), "it is read part by part");
  step(`200 questions shown, in ${Date.now() - began} ms`);
  for (const entry of entries.slice(90)) entry.state = "no";
  await chosen(owner, entries);
  await owner.unroute("**/v1/inbox?*");
}

/// What is chosen from a long list, or comes next, is seen from its beginning: nobody says yes without seeing for what.
async function chosen(owner, entries) {
  const article = owner.locator("article");
  const purpose = (place) => article.locator("blockquote", { hasText: new RegExp(`^Question ${place}$`) });
  const isSeen = async (what) => {
    await owner.waitForTimeout(300);
    const [{ y: top }, { y: heading }] = [await article.boundingBox(), await article.locator("h2").boundingBox()];
    const high = owner.viewportSize().height;
    assert.ok(top >= 0 && top < high / 2 && heading > top, `${what} begins at ${top} of ${high} px`);
    assert.equal(await article.locator("h2").evaluate((found) => found.contains(document.elementFromPoint(found.getBoundingClientRect().x + 4, found.getBoundingClientRect().y + 8))), true, `${what} is covered`);
  };
  await owner.route("**/v1/inbox/*", (route) => {
    if (route.request().url().endsWith("/preview")) return route.fulfill({ json: { outcome: "match", values: [], numbers: 1, rows: null } });
    const entry = entries.find(({ id }) => route.request().url().endsWith(id));
    entry.state = "yes";
    return route.fulfill({ json: entry });
  });
  for (const width of [1280, 390]) {
    await owner.setViewportSize({ width, height: width > 900 ? 800 : 844 });
    await go(owner, "home");
    await go(owner, "questions");
    await owner.reload();
    await owner.getByRole("button", { name: /^To those decided/ }).click({ timeout: SOON });
    const decided = owner.locator(".list a", { hasText: /Question 120(?!\d)/ });
    await decided.scrollIntoViewIfNeeded();
    await decided.click();
    await purpose(120).waitFor({ timeout: SOON });
    await isSeen("one that is decided");
    if (width > 900) assert.ok((await decided.boundingBox()).y > 0, "the list stays where it was");
    await owner.screenshot({ path: join(SCREENSHOTS, `questions-long-light-${width}.png`) });
    const [first, next] = entries.filter(({ state }) => state === "waiting").map(({ purpose }) => Number(purpose.slice(9)));
    await go(owner, `questions/${entries[first].id}`);
    await purpose(first).waitFor({ timeout: SOON });
    await owner.getByRole("button", { name: /Yes, this time/ }).click();
    const link = owner.getByRole("link", { name: "The next that waits" });
    await link.scrollIntoViewIfNeeded();
    await link.click();
    await purpose(next).waitFor({ timeout: SOON });
    await isSeen("the next one");
    assert.equal(await owner.evaluate(() => document.activeElement.tagName), "H2");
  }
  await owner.unroute("**/v1/inbox/*");
  await owner.setViewportSize({ width: 1280, height: 800 });
  step("what is chosen from a long list is seen from its beginning");
}
