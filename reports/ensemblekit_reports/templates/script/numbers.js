"use strict";
// Numbers as the page writes them: no more digits than the interval supports, a unit near the number.
const data = JSON.parse(document.getElementById("report-data").textContent);
const quantities = Object.fromEntries(data.quantities.map((q, index) => [q.name, { ...q, index }]));

const written = (value, places) => {
  const text = value.toLocaleString("en", { minimumFractionDigits: places, maximumFractionDigits: places });
  return text.replace(/^-(?=[0.,]*$)/, "").replace("-", "\u2212");
};
const twoDigits = value => {
  if (!(value > 0)) return written(value, 0);
  return written(value, Math.max(0, 1 - Math.floor(Math.log10(Number(value.toPrecision(2))))));
};
const placesOf = (low, high, share) => {
  const halfWidth = (high - low) / 2 * (share ? 100 : 1);
  if (low === null || !(halfWidth > 0)) return share ? 1 : 3;
  const exponent = Math.floor(Math.log10(halfWidth));
  return Math.max(0, -exponent + (halfWidth / 10 ** exponent < 3 ? 1 : 0));
};
// From [value, low, high] to texts; costs have steps of units, scores have the digits that their interval supports.
const textOf = (value, q) => {
  const [least, name, size] = q.steps.find(([least]) => Number(value.toPrecision(2)) >= least) || q.steps[q.steps.length - 1];
  return `${twoDigits(Number((value / size).toPrecision(2)))}${name ? " " + name : ""}`;
};
const valueText = ([value, low, high], q) => {
  if (q.steps) return textOf(value, q);
  return written(value * (q.share ? 100 : 1), placesOf(low, high, q.share)) + (q.share ? " %" : "");
};
const rangeText = ([, low, high], q) => {
  if (low === null || q.steps && low === high) return "";
  if (q.steps) {
    const [least, unit] = textOf(low, q).split(" "), most = textOf(high, q);
    return `${most.split(" ")[1] === unit ? least : textOf(low, q)} to ${most}`;
  }
  const factor = q.share ? 100 : 1, places = placesOf(low, high, q.share);
  return `${written(low * factor, places)} to ${written(high * factor, places)}`;
};
const element = (tag, content = "", attributes = {}) => {
  const made = document.createElement(tag);
  made.append(content);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
};
