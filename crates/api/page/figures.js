// What the figures of an answer say: the one that says most, and how far from it the truth may lie.

import { count, trimmed } from "./format.js";
import { words } from "./words.js";

const w = words.results;
/// Figures that count the people of a part, or are to be asked with again: of several, none says most.
const ONE_OF_MANY = /^(exact|withheld|to the declared step.*)$/;

/// The one number that says most, and what it is.
export function headline({ count: people, mean, figures }) {
  if (mean !== null) return [trimmed(mean), `${w.mean}, ${w.overPeople(people)}`];
  const fit = figures.find((figure) => figure.name === "R²" && figure.value !== null);
  if (fit) return [`${(100 * Number(fit.value)).toFixed(1)} %`, w.fit(people)];
  const [first] = figures;
  if (!first || (figures.length > 1 && ONE_OF_MANY.test(first.exactness))) return [count(people), w.counted(people)];
  return first.value === null ? [w.untold, `${first.name}: ${first.exactness}`] : [trimmed(first.value), `${first.name}, ${w.overPeople(people)}`];
}

/// How many standard errors to each side hold the truth with 95 % chance, by Student's distribution with so many degrees
/// of freedom. Abramowitz and Stegun 26.7.5; 0.5 % too low with 3 of them, and better with more.
export function student(degrees) {
  const z = 1.959964;
  const terms = [z, (z ** 3 + z) / 4, (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96, (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384];
  return terms.reduce((sum, term, power) => sum + term / degrees ** power, 0);
}

const valueOf = (figures, name) => {
  const value = figures?.find((figure) => figure.name === name)?.value ?? null;
  return value === null ? null : Number(value);
};

/// The mean with the interval around it, where the spread is there too.
export function interval(figures, people) {
  const [mean, spread] = [valueOf(figures, "mean"), valueOf(figures, "sample standard deviation")];
  if (mean === null || spread === null || !(people > 3)) return null;
  const half = (student(people - 1) * spread) / Math.sqrt(people);
  const digits = half > 0 ? Math.min(6, Math.max(0, 1 - Math.floor(Math.log10(half)))) : 6;
  const shown = (value) => trimmed(value.toFixed(digits));
  return { value: mean, low: mean - half, high: mean + half, text: `${shown(mean)} ± ${shown(half)}` };
}

/// Between which values a correlation lies with 95 % chance, by Fisher's transformation.
function correlated(value, people) {
  if (value === null || !(people > 3) || Math.abs(value) >= 1) return null;
  const half = 1.959964 / Math.sqrt(people - 3);
  return [-half, half].map((side) => Math.tanh(Math.atanh(value) + side).toFixed(2));
}

/// How exact an answer is: in one line, or nothing where its figures say so themselves.
export function exactness({ count: people, mean, figures, groups }) {
  if (groups.length) {
    const told = groups.filter((group) => group.figures);
    if (told.length === 0 || told.some((group) => interval(group.figures, group.people))) return "";
    if (told.some((group) => valueOf(group.figures, "mean") !== null)) return w.noSpread;
    return told.every((group) => group.figures.length === 0) ? w.exactCount : "";
  }
  if (figures.length === 0) return w.exactCount;
  const around = interval(figures, people);
  if (around) return w.meanIs(around.text);
  if (mean !== null) return w.noSpread;
  if (valueOf(figures, "mean") !== null) return w.tooFew;
  if (figures[0].name === "total") return w.exactTotal;
  const ends = correlated(valueOf(figures, "correlation"), people);
  return ends ? w.correlationIs(ends) : "";
}
