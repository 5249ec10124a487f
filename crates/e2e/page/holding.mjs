// One's own data: a file is brought in and taken back, and what no file tells is typed in.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { GPX, SOON, accessible, go, run, shots, step } from "./tools.mjs";

/// A file is looked at, brought in, not brought in twice, and taken back; another is dragged here.
export async function bringIn(page) {
  await go(page, "data");
  const bring = page.getByRole("button", { name: "Bring it in" });
  await page.locator("#file").setInputFiles(GPX);
  await page.getByText("296 positions").waitFor({ timeout: SOON });
  await accessible(page, "a preview");
  await shots(page, "data-preview");
  await bring.click();
  await page.getByText("It has brought, as new:").waitFor({ timeout: SOON });
  await page.getByText("296 new, 0 there before, 7 left out").waitFor({ timeout: SOON });
  await page.getByRole("button", { name: "Another file" }).click();
  await page.locator("#file").setInputFiles(GPX);
  await page.getByText("There is nothing new in it.").waitFor({ timeout: SOON });
  await page.getByText("296 rows are there already.").waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("heading", { name: "When it is from" }).waitFor({ timeout: SOON });
  const shown = await page.locator(".heat title").allTextContents();
  assert.ok(shown.some((text) => text.includes("296 rows")) || shown.filter((text) => /[1-9]\d* rows?$/.test(text)).length > 1, "the calendar has its days");
  await page.getByRole("img", { name: /^296 positions, from / }).waitFor({ timeout: SOON });
  const painted = await page.evaluate(() => {
    const canvas = document.querySelector("canvas.dots");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, at) => at % 4 === 3 && value > 0).length;
  });
  assert.ok(painted > 296, "places are dots");
  const ruler = page.locator(".ruler");
  const far = await ruler.textContent();
  await page.locator("div.dots").focus();
  await page.keyboard.press("+");
  await page.waitForFunction((far) => document.querySelector(".ruler").textContent !== far, far, { timeout: SOON });
  await page.getByRole("button", { name: "Nearer" }).click();
  await shots(page, "data-nearer");
  await page.getByRole("button", { name: "All of it" }).click();
  await page.waitForFunction((far) => document.querySelector(".ruler").textContent === far, far, { timeout: SOON });
  await page.getByRole("button", { name: "Look positions" }).click();
  await page.getByRole("columnheader", { name: "latitude_deg" }).waitFor({ timeout: SOON });
  assert.match(await page.locator("td time").first().textContent(), / 20\d\d, /, "moments are dates");
  await page.getByRole("button", { name: "Show more rows" }).click();
  await page.getByText("100 shown").waitFor({ timeout: SOON });
  await accessible(page, "data with pictures");
  await shots(page, "data-pictures");
  await page.getByRole("row", { name: /cerknicko-jezero/ }).getByRole("button", { name: /^Undo/ }).click();
  await page.locator("td", { hasText: /^undone$/ }).waitFor({ timeout: SOON });

  const dragged = await page.evaluateHandle(() => {
    const all = new DataTransfer();
    all.items.add(new File(["hours,quality\n8.5,bad\n"], "sleep.csv"));
    return all;
  });
  await page.locator(".drop").dispatchEvent("drop", { dataTransfer: dragged });
  await page.getByText("It would replace all that the table sleep holds.").waitFor({ timeout: SOON });
  await bring.click();
  await page.getByText("The table sleep holds what this file says now.").waitFor({ timeout: SOON });
  const [saved] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Export sleep" }).click()]);
  assert.equal(readFileSync(await saved.path(), "utf8").replaceAll("\r", ""), "hours,quality\n8.5,bad\n");
  step("files come in, and out again");
}

/// What no file tells is typed in, corrected, and taken out again.
export async function profile(page) {
  await page.getByText("It says 0 of 10 things").click({ timeout: SOON });
  const keep = page.getByRole("button", { name: "Keep it so" });
  assert.ok(await keep.isDisabled(), "there is nothing to keep");
  await page.getByLabel("Town").fill("Ljubljana");
  await page.getByLabel("Weight in kilograms").fill("heavy");
  await page.getByText("This is no number.").waitFor({ timeout: SOON });
  assert.ok(await keep.isDisabled());
  await page.getByLabel("Weight in kilograms").fill("70,5");
  await page.getByLabel("Height in centimetres").fill("172,5");
  await page.getByText("A whole number, please").waitFor({ timeout: SOON });
  assert.ok(await keep.isDisabled(), "nothing is rounded without a word");
  await page.getByLabel("Height in centimetres").fill("");
  await page.getByLabel("Year of birth").fill("1500");
  await page.getByText("From 1850 to 2200, please").waitFor({ timeout: SOON });
  assert.ok(await keep.isDisabled());
  await page.getByLabel("Year of birth").fill("1981");
  await keep.click();
  await page.getByText("It says 3 of 10 things").waitFor({ timeout: SOON });
  const said = JSON.parse(run({}, "data", "list", "--json", "--dir", "1"));
  assert.ok(JSON.stringify(said).includes("profile"), "the command knows of it");
  await accessible(page, "a profile");
  await shots(page, "data-profile");
  for (const label of ["Town", "Weight in kilograms", "Year of birth"]) await page.getByLabel(label).fill("");
  await keep.click();
  await page.getByText("It says 0 of 10 things").waitFor({ timeout: SOON });
  step("the profile is kept, and corrected");
}
