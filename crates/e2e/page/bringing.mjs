// Files that are not what they should be, or are many, and dates that lie ahead.

import assert from "node:assert/strict";

const event = (name, at) => `BEGIN:VEVENT\r\nUID:${name}\r\nDTSTART:${at}T100000Z\r\nDTEND:${at}T110000Z\r\nEND:VEVENT\r\n`;
const dayOf = (date) => date.toISOString().slice(0, 10).replaceAll("-", "");

import { SOON, accessible, go, shots, step } from "./tools.mjs";

const file = (name, text) => ({ name, mimeType: "text/plain", buffer: Buffer.from(text) });

async function offer(page, ...files) {
  await go(page, "data");
  await page.locator("#file").setInputFiles(files);
}

/// What is wrong with a table is said before it replaces anything.
export async function faults(page) {
  await offer(page, file("sleep.csv", "hours,quality\n6.5,bad\n6.5,bad\n,good\n99,so so\n"));
  await page.getByText("4 rows", { exact: true }).waitFor({ timeout: SOON });
  await page.getByText("2 cells cannot be used and count as missing.").waitFor();
  await page.getByText("1 row is the same as one before it in the file", { exact: false }).waitFor();
  await page.getByText("of these 4 they will count nothing", { exact: false }).waitFor();
  await accessible(page, "a preview with faults");
  await page.getByText("Where, and what is wrong").click();
  await page.getByText("line 5, column \"hours\": lies outside the range that its table allows").waitFor();
  await shots(page, "data-faults");
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByText("1 row", { exact: false }).first().waitFor();
}

/// Each of several is looked at by itself; a folder is none.
export async function several(page) {
  await offer(page, file("sleep.csv", "hours,quality\n5.5,bad\n"), file("what.bin", "\u007fELF\u0000"), file("sleep.csv", "hours,quality\n6.5,bad\n"));
  await page.getByText("File 1 of 3:").waitFor({ timeout: SOON });
  await page.getByRole("button", { name: "Bring it in" }).click();
  await page.getByText("The table sleep holds what this file says now.").waitFor({ timeout: SOON });
  await page.getByRole("button", { name: "Next file" }).click();
  const mistake = page.getByRole("alert");
  await mistake.getByText("What kind of file this is cannot be told from what is in it.", { exact: false }).waitFor({ timeout: SOON });
  assert.doesNotMatch(await mistake.innerText(), /--|commonhold |\.toml/, "nobody is sent to a terminal");
  await shots(page, "data-mistake");
  await page.waitForTimeout(6000);
  assert.ok(await mistake.isVisible(), "it stays until the next try");
  await page.getByRole("button", { name: "Leave it out" }).click();
  await page.getByText("File 3 of 3:").waitFor({ timeout: SOON });
  await page.getByRole("button", { name: "Bring it in" }).click();
  await page.getByText("The table sleep holds what this file says now.").waitFor({ timeout: SOON });
  const dropped = await page.evaluateHandle(() => {
    const entry = { webkitGetAsEntry: () => ({ isDirectory: true }) };
    return { files: [new File([], "photos")], items: [entry] };
  });
  await page.locator(".drop").evaluate((place, dataTransfer) => {
    const drop = new Event("drop", { bubbles: true, cancelable: true });
    Object.defineProperty(drop, "dataTransfer", { value: dataTransfer });
    place.dispatchEvent(drop);
  }, dropped);
  await page.getByRole("alert").getByText("That is a folder.", { exact: false }).waitFor({ timeout: SOON });
  step("files come one after the other, and what is none is said");
}

/// A calendar that goes on for years hides nothing of what was.
export async function ahead(page) {
  const today = new Date();
  const recent = new Date(today - 3 * 86_400_000);
  const text = `BEGIN:VCALENDAR\r\nVERSION:2.0\r\n${event("was", dayOf(recent))}${event("will", `${today.getUTCFullYear() + 4}0101`)}END:VCALENDAR\r\n`;
  await offer(page, file("calendar.ics", text));
  await page.getByRole("button", { name: "Bring it in" }).click({ timeout: SOON });
  const said = recent.toLocaleDateString("en-GB", { dateStyle: "medium", timeZone: "UTC" });
  await page.getByRole("heading", { name: new RegExp(`^A year, day by day: .* to ${said}$`) }).waitFor({ timeout: SOON });
  await page.getByRole("heading", { name: `The 90 days up to ${said}, the last day with data so far` }).waitFor();
  await shots(page, "data-ahead");
  const far = String(today.getUTCFullYear() + 4);
  await page.getByLabel("Which year").selectOption(far);
  await page.getByRole("heading", { name: `${far}, day by day` }).waitFor({ timeout: SOON });
  assert.equal(await page.locator(".heat title").filter({ hasText: /: 1 row$/ }).count(), 1);
  // However narrow, the latest days are what is seen first.
  await page.getByLabel("Which year").selectOption("");
  await page.setViewportSize({ width: 390, height: 844 });
  await page.waitForTimeout(250);
  const seen = await page.locator("figure.scroll").first().evaluate((figure) => figure.scrollLeft + figure.clientWidth >= figure.scrollWidth - 2);
  assert.ok(seen, "the newest days are cut off");
  await page.setViewportSize({ width: 1280, height: 800 });
  step("what lies ahead hides nothing");
}
