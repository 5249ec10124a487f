// What the figures of an answer say: the one that says most, and how far from it the truth may lie.

import { count, trimmed } from "./format.js";
import { words } from "./words.js";

const w = words.results;
/// Figures that count the people of a part: of several, none says most.
const ONE_OF_MANY = /^(exact|withheld)$/;
const NEXT_WEIGHT = /^next weight of /;
const SPREAD = "sample standard deviation";

/// Whether it is a step of a logistic regression: its weights are to be asked with again, and worth nothing before.
export const isStep = ({ figures }) => figures.some(({ name }) => NEXT_WEIGHT.test(name));

/// The one number that says most, and what it is.
export function headline({ count: people, mean, figures, groups }) {
  if (isStep({ figures })) return [w.step, w.stepOf(people)];
  const over = groups.length ? w.overAll(people) : w.overPeople(people);
  if (mean !== null) return [trimmed(mean), `${w.mean}, ${over}`];
  const fit = figures.find((figure) => figure.name === "R²" && figure.value !== null);
  if (fit) return [`${(100 * Number(fit.value)).toFixed(1)} %`, w.fit(people)];
  const [first] = figures;
  if (!first || (figures.length > 1 && ONE_OF_MANY.test(first.exactness))) return [count(people), w.counted(people)];
  return first.value === null ? [w.untold, `${first.name}: ${first.exactness}`] : [trimmed(first.value), `${first.name}, ${over}`];
}

const Z = 1.959964;
/// From here on the series is right to seven digits.
const MANY_DEGREES = 40;

/// How many standard errors to each side hold the truth with 95 % chance, by Student's distribution with so many degrees
/// of freedom.
export function student(degrees) {
  if (degrees >= MANY_DEGREES) {
    // Abramowitz and Stegun 26.7.5.
    const terms = [Z, (Z ** 3 + Z) / 4, (5 * Z ** 5 + 16 * Z ** 3 + 3 * Z) / 96, (3 * Z ** 7 + 19 * Z ** 5 + 17 * Z ** 3 - 15 * Z) / 384];
    return terms.reduce((sum, term, power) => sum + term / degrees ** power, 0);
  }
  let [low, high] = [Z, 13];
  for (let step = 0; step < 40; step += 1) {
    const middle = (low + high) / 2;
    if (within(middle, degrees) < 0.95) low = middle;
    else high = middle;
  }
  return high;
}

/// The chance that a value of Student's distribution is at most so far from 0. Abramowitz and Stegun 26.7.3 and 26.7.4.
function within(far, degrees) {
  const angle = Math.atan(far / Math.sqrt(degrees));
  const odd = degrees % 2;
  let [sum, term] = [0, odd ? Math.cos(angle) : 1];
  for (let power = odd; power <= degrees - 2; power += 2) {
    sum += term;
    term *= ((power + 1) / (power + 2)) * Math.cos(angle) ** 2;
  }
  return odd ? (2 / Math.PI) * (angle + Math.sin(angle) * sum) : Math.sin(angle) * sum;
}

const valueOf = (figures, name) => {
  const value = figures?.find((figure) => figure.name === name)?.value ?? null;
  return value === null ? null : Number(value);
};

/// The mean with the interval around it, where the spread is there too.
export function interval(figures, people) {
  const [mean, spread] = [valueOf(figures, "mean"), valueOf(figures, SPREAD)];
  return mean === null || spread === null || people < 2 ? null : around(mean, spread / Math.sqrt(people), people - 1);
}

/// A value with the interval that follows from its standard error.
function around(value, error, degrees) {
  const half = student(degrees) * error;
  // Two digits of what is not known, and as many of the value.
  const digits = half > 0 ? Math.min(9, Math.max(0, 1 - Math.floor(Math.log10(half)))) : 6;
  const shown = (number) => trimmed(number.toFixed(digits));
  return { value, low: value - half, high: value + half, text: `${shown(value)} ± ${shown(half)}` };
}

/// The coefficients of a regression with the intervals around them.
export function slopes({ figures, count: people }) {
  const errors = new Map(figures.filter(({ name }) => name.startsWith("standard error of ")).map(({ name, value }) => [name.slice(18), value]));
  const told = figures.filter(({ name, value }) => value !== null && (errors.get(name) ?? null) !== null);
  return told.map(({ name, value }) => ({ name, ...around(Number(value), Number(errors.get(name)), people - errors.size) }));
}

/// The weights to which a step of a logistic regression leads.
export const weights = ({ figures }) => figures.filter(({ name, value }) => NEXT_WEIGHT.test(name) && value !== null).map(({ name, value }) => ({ name: name.replace(NEXT_WEIGHT, ""), value }));

/// The spread of each group, where that is what was asked.
export const spreads = ({ groups }) => groups.map(({ labels, figures }) => ({ labels, value: figures?.find(({ name }) => name === SPREAD)?.value ?? null }));

/// Between which values a correlation lies with 95 % chance, by Fisher's transformation.
export function correlated({ figures, count: people }) {
  const value = valueOf(figures, "correlation");
  if (value === null || !(people > 3) || Math.abs(value) >= 1) return null;
  const half = Z / Math.sqrt(people - 3);
  const [low, high] = [-half, half].map((side) => Math.tanh(Math.atanh(value) + side));
  return { value, low, high };
}

/// How exact an answer is: in one line, or nothing where its figures say so themselves. `gathered` when the question takes all
/// of a person's rows together.
export function exactness({ count: people, mean, figures, groups }, gathered = false) {
  const exactCount = gathered ? w.exactCountOfRows : w.exactCount;
  if (groups.length) {
    const told = groups.filter((group) => group.figures);
    if (told.length === 0 || told.some((group) => isStep(group) || interval(group.figures, group.people))) return "";
    if (told.some((group) => valueOf(group.figures, "mean") !== null)) return w.noSpread;
    return told.every((group) => group.figures.length === 0) ? exactCount : "";
  }
  if (figures.length === 0) return exactCount;
  if (isStep({ figures })) return w.stepWorth;
  const around = interval(figures, people);
  if (around) return w.meanIs(around.text);
  if (mean !== null) return w.noSpread;
  if (valueOf(figures, "mean") !== null) return w.tooFew;
  if (figures[0].name === "total") return w.exactTotal;
  const ends = correlated({ figures, count: people });
  return ends ? w.correlationIs([ends.low, ends.high].map((end) => end.toFixed(2))) : "";
}
