// How fast it is: requests, a ring that moves, and a page that rests.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Agent, get } from "node:http";

import { SOON, go, shots, step } from "./tools.mjs";

/// Two hundred requests a second, each over a connection that is there already.
export async function pace() {
  const [port, token] = ["address", "token"].map((name) => readFileSync(`0/api.${name}`, "utf8").trim());
  const agent = new Agent({ keepAlive: true });
  const ask = () => new Promise((done, failed) => {
    const began = performance.now();
    const asked = get(`http://${port}/v1/questions`, { agent, headers: { Authorization: `Bearer ${token}` } }, (response) => {
      response.resume();
      response.on("end", () => (response.statusCode === 200 ? done(performance.now() - began) : failed(new Error(String(response.statusCode)))));
    });
    asked.on("error", failed);
  });
  const rounds = [];
  for (let round = 0; round < 3; round += 1) {
    const asked = [];
    const began = performance.now();
    while (asked.length < 400) {
      const due = began + asked.length * 5;
      if (performance.now() < due) await new Promise((done) => setTimeout(done, due - performance.now()));
      asked.push(ask());
    }
    const took = (await Promise.all(asked)).sort((a, b) => a - b);
    rounds.push(took[Math.floor(took.length * 0.99)]);
  }
  agent.destroy();
  step(`of 200 requests a second, 99 % took at most ${rounds.map((ms) => ms.toFixed(1)).join(", ")} ms`);
}

/// A ring of a thousand nodes moves well, and a page at rest does nothing.
export async function motion(page) {
  await page.emulateMedia({ reducedMotion: "no-preference" });
  await page.route("**/v1/status", async (route) => {
    const response = await route.fetch();
    const status = await response.json();
    status.community.nodes = 1000;
    await route.fulfill({ response, json: status });
  });
  await page.reload();
  await page.getByRole("heading", { level: 1 }).waitFor({ timeout: SOON });
  await go(page, "proof");
  await page.getByRole("button", { name: "Check it now" }).click();
  const ring = page.locator(".crowd[data-frames]");
  await ring.waitFor({ timeout: SOON });
  const { frames, ms } = await ring.evaluate((canvas) => ({ ...canvas.dataset }));
  const rate = (1000 * Number(frames)) / Number(ms);
  step(`a ring of 1,000 nodes at ${rate.toFixed(0)} frames a second`);
  assert.ok(Number(frames) > 0, "it moves");
  await shots(page, "proof-thousand");
  await page.unroute("**/v1/status");
  await page.emulateMedia({ reducedMotion: "reduce" });
  await go(page, "home");
  const meter = await page.context().newCDPSession(page);
  // Processor time: on a busy machine a task also waits.
  await meter.send("Performance.enable", { timeDomain: "threadTicks" });
  const busy = async () => (await meter.send("Performance.getMetrics")).metrics.find(({ name }) => name === "TaskDuration").value;
  await page.waitForTimeout(2000);
  const shares = [];
  do {
    const before = await busy();
    await page.waitForTimeout(20_000);
    shares.push(5 * ((await busy()) - before));
  } while (shares.at(-1) >= 1 && shares.length < 3);
  step(`a page at rest is busy for ${shares.map((share) => share.toFixed(2)).join(", ")} % of the time`);
  assert.ok(shares.at(-1) < 1, "1 % at most");
  await meter.detach();
}
