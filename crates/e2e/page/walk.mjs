// Walks through the page of two nodes as their owners would, and looks for what must not be: requests to elsewhere,
// complaints of the browser, faults that keep people out. Run by tests/page.rs, in the folder of the nodes. Each scene has its
// own file; this is their order.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";

import { askAndAnswer, plane, refuseAndRevoke } from "./asking.mjs";
import { newcomer } from "./beginning.mjs";
import * as bringing from "./bringing.mjs";
import { builder } from "./building.mjs";
import * as consenting from "./consenting.mjs";
import { everyPanel, everyPanelEmpty, firstRun, keyboard } from "./entering.mjs";
import { figures, spread } from "./figuring.mjs";
import * as finding from "./finding.mjs";
import { bringIn, profile } from "./holding.mjs";
import { many } from "./inbox.mjs";
import { motion, pace } from "./moving.mjs";
import { paints } from "./paint.mjs";
import * as restoring from "./restoring.mjs";
import { stopped } from "./stopping.mjs";
import { SCREENSHOTS, address, browser, complaints, elsewhere, launch, open, seen, step } from "./tools.mjs";

try {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await paints(launch, () => address("0"), step);
  await firstRun();
  const [asker, owner] = [await open("0"), await open("1")];
  await everyPanelEmpty(owner.page);
  await bringIn(owner.page);
  await profile(owner.page);
  await bringing.faults(owner.page);
  await bringing.several(owner.page);
  await bringing.ahead(owner.page);
  await askAndAnswer(asker.page, owner.page);
  await spread(asker.page);
  await figures(asker.page);
  await builder(asker.page);
  await consenting.standing(owner.page);
  await plane(asker.page);
  await consenting.crowd(asker.page, owner.page);
  await consenting.tooMany(owner.page);
  await consenting.stays(asker.page, owner.page);
  await consenting.late(owner.page);
  await refuseAndRevoke(owner.page);
  await everyPanel(asker.page);
  await keyboard(asker.page);
  await finding.strange(owner.page);
  await finding.held(owner.page);
  await finding.anew(owner.page, "1");
  await many(owner.page);
  await pace();
  await motion(asker.page);
  const { kept, node } = await newcomer();
  await restoring.early();
  await restoring.again();
  await restoring.member(kept, node);
  await stopped(asker.page);
  assert.deepEqual(elsewhere, [], "nobody but the node is asked for anything");
  assert.deepEqual(complaints, [], "the browser has nothing to complain of");
} catch (why) {
  await seen("failed");
  throw why;
} finally {
  await browser.close();
}
