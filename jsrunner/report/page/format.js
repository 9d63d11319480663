// @ts-check
// Figures and elements as text. Whatever a run names is set as text, never as HTML.
"use strict";

/** An element with attributes and children; strings become text. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.map((child) => (child instanceof Node ? child : String(child))));
  return made;
}

/** A number with three significant digits or more. */
function short(value) {
  if (value === null || value === undefined) return "–";
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 1e15 || (size > 0 && size < 1e-3)) return value.toPrecision(3);
  for (const [unit, factor] of [["T", 1e12], ["G", 1e9], ["M", 1e6]]) {
    if (size >= factor) return `${Number((value / factor).toPrecision(3))} ${unit}`;
  }
  return String(Number(size >= 100 ? value.toFixed(size >= 1000 ? 0 : 1) : value.toPrecision(3)));
}

/** A value of a metric with its unit. */
function shown(value, contains) {
  if (value === null || value === undefined || !Number.isFinite(value)) return short(value);
  if (contains === "time") {
    const size = Math.abs(value);
    if (size >= 60000) return `${short(value / 60000)} min`;
    if (size >= 1000) return `${short(value / 1000)} s`;
    return size < 1 && size > 0 ? `${short(value * 1000)} µs` : `${short(value)} ms`;
  }
  if (contains === "data") {
    const units = ["B", "kB", "MB", "GB", "TB"];
    let rest = value, unit = 0;
    while (Math.abs(rest) >= 1000 && unit < units.length - 1) { rest /= 1000; unit += 1; }
    return `${short(rest)} ${units[unit]}`;
  }
  return short(value);
}

/** Seconds as 1:02:03. */
function clock(seconds) {
  const whole = Math.floor(seconds), two = (figure) => String(figure).padStart(2, "0");
  const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** A table with a name; cells of a column whose head starts with # are numbers. */
function table(heads, rows, name) {
  const numbers = heads.map((head) => head.startsWith("#"));
  const cell = (kind, index, content) => element(kind, numbers[index] ? { class: "number" } : {}, content);
  const head = element("tr", {}, ...heads.map((text, index) => {
    const made = cell("th", index, text.replace("#", ""));
    made.setAttribute("scope", "col");
    return made;
  }));
  const body = rows.map((row) => element("tr", {}, ...row.map((content, index) => cell("td", index, content))));
  const made = element("table", {}, element("thead", {}, head), element("tbody", {}, ...body));
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": name }, made);
}
