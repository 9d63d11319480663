// @ts-check
// Charts of metrics over time: uPlot draws lines, a canvas the heat map; a table stands behind each.
"use strict";

const PERCENTS = [50, 90, 95, 99];
const DASHES = [[], [8, 4], [2, 3], [10, 3, 2, 3], [4, 4], [12, 4], [1, 4], [6, 2, 2, 2]];
/** The borders of the legend's markers, as the lines are dashed. */
const MARKERS = ["solid", "dashed", "dotted", "double"];
/** Maximum number of tag values with a line of their own. */
const MOST_LINES = 8;
/** Maximum number of rows of the table behind a chart. */
const MOST_ROWS = 60;
const HEAT_ROWS = 24;
/** Seconds between two marks of the time axis. */
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400];

function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** The lines of a metric: [{label, values}], one value a step. */
function linesOf(model, metric, split, statistic) {
  const percents = split ? [Number(statistic.slice(1))] : PERCENTS;
  const lines = [];
  for (const [label, numbers] of groupsOf(metric, split)) {
    const rows = model.rows(metric.type, numbers);
    if (metric.type === "trend") {
      const figures = rows.map((row) => (row ? row[4].percentiles(percents) : percents.map(() => null)));
      percents.forEach((percent, index) => {
        lines.push({ label: split ? label : `p${percent}`, values: figures.map((each) => each[index]) });
      });
    } else {
      const name = split ? label : { counter: "per second", rate: "percent", gauge: "value" }[metric.type];
      lines.push({ label: name, values: rows.map((row, index) => valueOf(metric.type, row, model.steps[index])) });
    }
  }
  return lines;
}

function valueOf(type, row, step) {
  if (!row) return type === "counter" && step.rows.size ? 0 : null;
  if (type === "counter") return row[0] / step.seconds;
  if (type === "rate") return row[1] ? (100 * row[0]) / row[1] : null;
  return row[0];
}

/** The numbers of a metric's series by the value of a tag; the largest first, the rest together. */
function groupsOf(metric, split) {
  if (!split) return [["", metric.series.map((one) => one.number)]];
  const groups = new Map();
  for (const one of metric.series) {
    const value = one.tags[split] === undefined ? `(no ${split})` : one.tags[split] || "(empty)";
    groups.set(value, [...(groups.get(value) || []), one.number]);
  }
  const listed = [...groups];
  if (listed.length <= MOST_LINES) return listed;
  const rest = listed.slice(MOST_LINES - 1).flatMap(([, numbers]) => numbers);
  return [...listed.slice(0, MOST_LINES - 1), [`(${listed.length - MOST_LINES + 1} others)`, rest]];
}

/** Thresholds that can be drawn into a metric's chart: conditions on what its lines show. */
function limitsOf(model, metric) {
  const listed = (model.run && model.run.thresholds) || [];
  return listed.filter((one) => one.metric === metric.name && Number.isFinite(one.value) && {
    trend: one.aggregation !== "count", rate: one.aggregation === "rate", gauge: true,
    counter: one.aggregation === "rate",
  }[metric.type]).map((one) => ({ text: `${one.key === metric.name ? "" : one.key + " "}${one.source}`, value: metric.type === "rate" ? 100 * one.value : one.value }));
}

function drawLimits(limits) {
  return (plot) => {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = color("bad");
    ctx.lineWidth = devicePixelRatio;
    ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.setLineDash([4, 4]);
    ctx.textAlign = "left";
    ctx.textBaseline = "alphabetic";
    for (const limit of limits) {
      const y = plot.valToPos(limit.value, "y", true);
      if (y < bbox.top || y > bbox.top + bbox.height) continue;
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
      ctx.fillText(limit.text, bbox.left + 4, y - 3 * devicePixelRatio);
    }
    ctx.restore();
  };
}

/** A finite range that holds the lines and, if they are not far off, the limits. */
function rangeOf(lines, limits) {
  const values = lines.flatMap((line) => line.values).filter((value) => Number.isFinite(value));
  let low = 0, high = 0;
  for (const value of values) { low = Math.min(low, value); high = Math.max(high, value); }
  for (const limit of limits) if (limit.value > high && limit.value <= 3 * high) high = limit.value;
  return [low, high > low ? high + (high - low) * 0.05 : low + 1];
}

/** A card with a metric's chart, its figures, its heat map and its table. */
class Card {
  constructor(metric) {
    this.metric = metric;
    this.plot = null;
    this.figures = element("p", { class: "figures" });
    this.holder = element("div", { class: "chart", role: "img" });
    this.extra = element("div");
    this.body = element("div");
    this.details = element("details", {}, element("summary", {}, "Table"), this.body);
    this.details.addEventListener("toggle", () => this.fillTable());
    this.node = element("article", { class: "card" }, element("h3", {}, metric.name), this.figures, this.holder, this.extra, this.details);
  }

  update(model, metric, split, statistic, baseline) {
    this.metric = metric;
    this.model = model;
    this.lines = linesOf(model, metric, split, statistic);
    const other = baseline && baseline.metrics().get(metric.name);
    if (other) this.addBaseline(baseline, other, split ? statistic : "p95");
    const limits = limitsOf(model, metric);
    this.figures.textContent = this.summary();
    this.holder.setAttribute("aria-label", `${metric.name} over time. ${this.figures.textContent}. The table below has the figures.`);
    this.draw(limits);
    if (metric.type === "trend") this.drawHeat();
    this.fillTable();
  }

  /** Lay the baseline's figures over the run's: by the time since the beginning of each. */
  addBaseline(baseline, metric, statistic) {
    const [line] = linesOf(baseline, metric, "", "p95").filter((one) => metric.type !== "trend" || one.label === statistic);
    const values = new Map(baseline.steps.map((step, index) => [step.at, line.values[index]]));
    let last = null;
    this.lines.push({ label: `baseline ${line.label}`, values: this.model.steps.map((step) => {
      const value = values.has(step.at) ? values.get(step.at) : step.at <= baseline.seconds() ? last : null;
      last = value;
      return value;
    }) });
  }

  summary() {
    const { metric, model } = this;
    const total = model.total(metric.type, metric.series.map((one) => one.number));
    if (!total) return "";
    if (metric.type === "counter") {
      return `total ${shown(total[0], metric.contains)}, ${shown(total[0] / Math.max(model.seconds(), 1), metric.contains)}/s`;
    }
    if (metric.type === "rate") {
      return `${short(total[1] ? (100 * total[0]) / total[1] : 0)} %, ${total[0]} of ${total[1]}`;
    }
    if (metric.type === "gauge") {
      return `last ${shown(total[0], metric.contains)}, min ${shown(total[1], metric.contains)}, max ${shown(total[2], metric.contains)}`;
    }
    const [count, sum, , most, sketch] = total;
    // The record's end has the exact figures, which the summary has too.
    const exact = model.end && model.end.metrics[metric.name] ? model.end.metrics[metric.name].values : {};
    const names = { 50: "med", 90: "p(90)", 95: "p(95)", 99: "p(99)" };
    const figures = sketch.percentiles(PERCENTS).map((value, index) => {
      const percent = PERCENTS[index], known = exact[names[percent]];
      return `p${percent} ${shown(known === undefined ? value : known, metric.contains)}`;
    });
    return count ? `${figures.join(", ")}, avg ${shown(sum / count, metric.contains)}, max ${shown(most, metric.contains)}, ${count} values` : "";
  }

  draw(limits) {
    const { metric, lines, model } = this;
    const data = [model.steps.map((step) => step.at), ...lines.map((line) => line.values.map((value) => (Number.isFinite(value) ? value : null)))];
    const shape = JSON.stringify([lines.map((line) => line.label), limits, color("front")]);
    const range = rangeOf(lines, limits);
    this.range = range;
    if (this.plot && this.shape === shape) {
      this.resize();
      this.plot.setData(data);
      return;
    }
    if (this.plot) this.plot.destroy();
    this.shape = shape;
    const unit = (value) => (metric.type === "rate" ? `${short(value)} %` : shown(value, metric.contains));
    const axis = { stroke: color("soft"), grid: { stroke: color("line"), width: 1 }, ticks: { stroke: color("line"), width: 1 } };
    this.plot = new uPlot({
      width: this.width(), height: 210, legend: { markers: { width: 3, dash: (_, index) => MARKERS[(index - 1) % MARKERS.length] } },
      scales: { x: { time: false }, y: { range: () => this.range } },
      axes: [{ ...axis, incrs: STEPS, values: (_, ticks) => ticks.map(clock) }, { ...axis, size: 70, values: (_, ticks) => ticks.map(unit) }],
      series: [{ label: "time", value: (_, value) => (value === null ? "–" : clock(value)) }, ...lines.map((line, index) => ({
        label: line.label, stroke: color(`c${index % 8}`), width: 1.5, dash: DASHES[index % DASHES.length], spanGaps: true,
        points: { show: model.steps.length < 4, fill: color(`c${index % 8}`) }, value: (_, value) => (value === null ? "–" : unit(value)),
      }))],
      hooks: { draw: [drawLimits(limits)] },
    }, data, this.holder);
  }

  width() {
    return Math.max(240, this.holder.clientWidth || 480);
  }

  resize() {
    if (this.plot && this.plot.width !== this.width()) this.plot.setSize({ width: this.width(), height: 210 });
  }

  /** Values over time: the darker a cell, the more values; on a logarithmic axis where they are positive. */
  drawHeat() {
    const rows = this.model.rows("trend", this.metric.series.map((one) => one.number));
    let low = Infinity, high = 0;
    for (const row of rows) {
      for (const value of row ? row[4].values : []) {
        if (value > 0 && Number.isFinite(value)) { low = Math.min(low, value); high = Math.max(high, value); }
      }
    }
    if (low > high) return;
    const scale = Math.log(high / low) || 1;
    if (!this.heat) {
      this.heat = element("canvas", { class: "heat", role: "img" });
      this.heatText = element("p", { class: "figures" });
      this.extra.append(this.heat, this.heatText);
    }
    this.heatText.textContent = `Distribution, from ${shown(low, this.metric.contains)} (bottom) to ${shown(high, this.metric.contains)} (top), logarithmic; in each step the strongest color has the most values.`;
    this.heat.setAttribute("aria-label", `${this.metric.name}: ${this.heatText.textContent}`);
    this.heat.width = Math.max(1, rows.length);
    this.heat.height = HEAT_ROWS;
    const context = this.heat.getContext("2d");
    context.fillStyle = color("c0");
    rows.forEach((row, column) => {
      if (!row) return;
      const cells = new Array(HEAT_ROWS).fill(0);
      row[4].values.forEach((value, index) => {
        const place = value > 0 ? Math.min(HEAT_ROWS - 1, Math.floor((Math.log(value / low) / scale) * HEAT_ROWS)) : 0;
        cells[Math.max(0, place)] += row[4].counts[index];
      });
      const most = Math.max(...cells);
      cells.forEach((count, place) => {
        if (!count) return;
        context.globalAlpha = 0.15 + 0.85 * Math.sqrt(count / most);
        context.fillRect(column, HEAT_ROWS - 1 - place, 1, 1);
      });
    });
  }

  fillTable() {
    if (!this.details.open || !this.lines) return;
    const { model, lines, metric } = this, step = Math.max(1, Math.ceil(model.steps.length / MOST_ROWS));
    const rows = model.steps.map((each, index) => [clock(each.at), ...lines.map((line) => shown(line.values[index], metric.contains))]).filter((_, index) => index % step === 0);
    this.body.replaceChildren(table(["time", ...lines.map((line) => `#${line.label}`)], rows, step > 1 ? `Every ${step}th step` : `${metric.name} over time`));
  }
}
