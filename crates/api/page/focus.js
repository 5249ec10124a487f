// Where the keyboard is: not at the page's beginning, when what it was on is gone.

const HEADINGS = "h1, h2, h3";

/// What has the keyboard, or had it until it went away, and all that this is in, the nearest first.
let held = [];

const lost = () => document.activeElement === document.body || document.activeElement === null;
const gone = (element) => !element.isConnected || element.disabled || element.offsetParent === null;

function into(element) {
  if (!element.hasAttribute("tabindex") && !element.matches("a[href], button, input, select, textarea, summary")) element.tabIndex = -1;
  element.focus({ preventScroll: true });
}

/// Back to what had the keyboard if it is there, or to the heading of what it was in.
function bring() {
  if (!lost() || held.length === 0) return;
  const [last, ...around] = held;
  if (!gone(last)) return into(last);
  // A button that waits comes back.
  if (last.isConnected && last.disabled) return;
  const place = around.find((one) => one.isConnected && one.querySelector(HEADINGS));
  const heading = place?.querySelector(HEADINGS);
  if (heading) into(heading);
}

/// Looks after the keyboard within this element.
export function keepFocus(root) {
  root.addEventListener("focusin", ({ target }) => {
    held = [];
    for (let at = target; at && at !== root.parentElement; at = at.parentElement) held.push(at);
  });
  // Whoever presses beside everything wants to be nowhere.
  root.addEventListener("pointerdown", ({ target }) => {
    if (!target.closest("a[href], button, input, select, textarea, summary, label, [tabindex]")) held = [];
  });
  new MutationObserver(bring).observe(root, { subtree: true, childList: true, attributes: true, attributeFilter: ["disabled"] });
}

/// What was chosen from a list is where the keyboard goes, and back to the list where it came from.
export function follow([panel, chosen], [panelBefore, chosenBefore]) {
  if (panel !== panelBefore || chosen === chosenBefore) return;
  const shown = document.querySelector(".chosen-part h2");
  const from = [...document.querySelectorAll(".split > .list a")].find((link) => link.hash === `#/${panel}/${chosenBefore}`);
  const to = chosen ? shown : from;
  if (!to || to.offsetParent === null) return;
  into(to);
  bringInto(chosen ? shown.closest(".chosen-part") : from);
}

/// Has the beginning of this seen, if it is above the window or far down in it: what is decided must be.
function bringInto(part) {
  const { top } = part.getBoundingClientRect();
  if (top < parseFloat(getComputedStyle(part).scrollMarginTop) || top > innerHeight / 2) part.scrollIntoView();
}
