// A node that stops or hangs while its page is open, or locked.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { SOON, accessible, address, go, open, run, shots, step } from "./tools.mjs";

export async function stopped(page) {
  const gone = page.getByRole("alert").filter({ hasText: "Your node does not answer" });
  const port = readFileSync("0/api.address", "utf8").trim();
  // A page that was locked shows nothing, whatever becomes of the node.
  const { page: locked } = await open("0");
  await go(locked, "settings");
  await locked.getByRole("button", { name: "Lock this page" }).click();
  const isLocked = locked.getByRole("heading", { name: "This page is locked" });
  await isLocked.waitFor({ timeout: SOON });
  const began = Date.now();
  run({}, "down", "--dir", "0");
  await gone.waitFor({ timeout: SOON });
  step(`said that the node is gone, ${Date.now() - began} ms after it was told to stop`);
  await shots(page, "gone");
  assert.ok(await isLocked.isVisible());
  assert.equal(await locked.getByText("Gardeners").count(), 0);
  await locked.close();
  const up = run({ COMMONHOLD_API: port }, "up", "--detach", "--dir", "0");
  // What was open ended with the node; a new link goes on.
  await page.getByRole("heading", { name: "This page is locked" }).waitFor({ timeout: SOON });
  await accessible(page, "a locked page");
  await shots(page, "locked");
  await page.goto(address("0"));
  await page.getByRole("heading", { level: 1, name: "Gardeners" }).waitFor({ timeout: SOON });
  // One that hangs is noticed by its silence, and is back by itself.
  const pid = Number(/process (\d+)/.exec(up)[1]);
  process.kill(pid, "SIGSTOP");
  try {
    await gone.waitFor({ timeout: SOON });
  } finally {
    process.kill(pid, "SIGCONT");
  }
  await gone.waitFor({ state: "detached", timeout: SOON });
  step("a node that hangs is noticed, and is back");
}
