// @ts-check
// The page: reads the record in the document, or follows a run by server-sent events.
"use strict";

const SESSIONS_OPEN = "WebSocket sessions open";
/** Meanings of close codes: RFC 6455, 7.4.1, and the registry of IANA. 0 stands for all codes that were not counted apart. */
const CLOSE_CODES = {
  0: "further codes", 1000: "normal closure", 1001: "going away", 1002: "protocol error", 1003: "unsupported data", 1005: "close frame without a code",
  1006: "no close frame", 1007: "invalid data", 1008: "policy violation", 1009: "message too big", 1010: "extension missing",
  1011: "internal error", 1012: "service restart", 1013: "try again later", 1014: "bad gateway",
};
/** Protocols with the metric that tells how much a run used each, and figures for the tiles. */
const PROTOCOLS = [
  { title: "WebSocket", prefix: "ws_", main: "ws_msgs_received", also: "ws_sessions", order: [SESSIONS_OPEN, "ws_connecting", "ws_msgs_sent", "ws_msgs_received", "ws_sessions", "ws_session_duration", "ws_ping"] },
  { title: "HTTP", prefix: "http_", main: "http_reqs", also: "", order: ["http_req_duration", "http_reqs", "http_req_failed"] },
  { title: "gRPC", prefix: "grpc_", main: "grpc_req_duration", also: "grpc_streams", order: ["grpc_req_duration"] },
];
const BUILTIN = ["iterations", "dropped_iterations", "vus", "vus_max", "checks", "iteration_duration", "group_duration", "data_sent", "data_received"];
/** Milliseconds between two drawings of a run that goes on. */
const REDRAW = 1000;
/** Milliseconds after which updates of cards give way to what the reader does. */
const LONGEST_TASK = 50;

const model = new RunModel();
let baseline = null;
const cards = new Map();
/** The updates of cards that are still to come. */
let pending = { updates: [], timer: 0 };
const part = (id) => document.querySelector(`#${id} > div`);
const byId = (id) => document.getElementById(id);

function totalOf(metric) {
  if (!metric) return 0;
  const total = model.total(metric.type, metric.series.map((one) => one.number));
  return total ? total[metric.type === "rate" ? 1 : 0] : 0;
}

function belongs(metric, protocol) {
  return metric.name.startsWith(protocol.prefix) || (metric.name === SESSIONS_OPEN && protocol.prefix === "ws_");
}

/** Sections with metrics: the protocol that was used most first, then the script's own metrics. */
function sections(metrics) {
  const used = PROTOCOLS.map((protocol) => {
    const listed = [...metrics.values()].filter((metric) => belongs(metric, protocol));
    const place = (metric) => (protocol.order.includes(metric.name) ? protocol.order.indexOf(metric.name) : 99);
    listed.sort((a, b) => place(a) - place(b));
    return { title: protocol.title, metrics: listed, weight: totalOf(metrics.get(protocol.main)) + totalOf(metrics.get(protocol.also)) };
  }).filter((section) => section.metrics.length);
  used.sort((a, b) => b.weight - a.weight);
  const named = (metric) => BUILTIN.includes(metric.name), protocol = (metric) => PROTOCOLS.some((one) => belongs(metric, one));
  const custom = [...metrics.values()].filter((metric) => !named(metric) && !protocol(metric));
  const execution = BUILTIN.map((name) => metrics.get(name)).filter((metric) => metric);
  return [...used, { title: "Custom metrics", metrics: custom }, { title: "Execution", metrics: execution }].filter((section) => section.metrics.length);
}

function fillHead() {
  const { run, end, head } = model;
  byId("version").textContent = head ? `${head.jsrunner} (k6 ${head.k6})` : "";
  byId("script").textContent = run ? run.script.name : "Waiting for the run";
  if (run) document.title = `${run.script.name} – jsrunner`;
  const verdict = byId("verdict"), live = document.body.dataset.source === "live";
  const failed = latestVerdicts().filter((one) => one.failed).length;
  if (end) {
    verdict.textContent = end.code === 0 ? "✓ Passed" : `✗ Failed (exit code ${end.code})`;
    verdict.className = `verdict ${end.code === 0 ? "good" : "bad"}`;
  } else {
    verdict.textContent = live ? `Running${failed ? `, ✗ thresholds that do not hold now: ${failed}` : ""}` : "The run was killed: this is what it had recorded";
    verdict.className = `verdict ${failed || !live ? "warn" : ""}`;
  }
  byId("reason").textContent = end ? end.reason : "";
  const lasted = end ? "took" : live ? "runs for" : "recorded for";
  if (run) byId("facts").textContent = `Began ${new Date(run.started * 1000).toLocaleString()}, ${lasted} ${clock(model.seconds())}`;
  if (end) byId("steering").hidden = true;
}

function latestVerdicts() {
  const latest = new Map();
  for (const one of model.verdicts) latest.set(`${one.key} ${one.source}`, one);
  return [...latest.values()];
}

/** The value that a threshold is about, as it is by now; null without samples. */
function valueNow(threshold) {
  const { metric, aggregation, tags } = threshold;
  const series = model.series.filter((one) => one.metric === metric && Object.entries(tags || {}).every(([name, value]) => one.tags[name] === value));
  const total = series.length ? model.total(series[0].type, series.map((one) => one.number)) : null;
  if (!total) return null;
  const [first, second] = total, { type } = series[0];
  if (type === "counter") return aggregation === "rate" ? first / Math.max(model.seconds(), 1) : first;
  if (type === "gauge") return first;
  if (type === "rate") return second ? first / second : null;
  const percent = aggregation === "med" ? 50 : Number((/^p\((.*)\)$/.exec(aggregation) || [])[1]);
  if (!Number.isNaN(percent)) return total[4].percentiles([percent])[0];
  return { avg: second / first, min: total[2], max: total[3], count: first }[aggregation];
}

function fillThresholds() {
  const listed = (model.run && model.run.thresholds) || [];
  byId("thresholds").hidden = !listed.length;
  const metrics = model.metrics();
  part("thresholds").replaceChildren(table(["verdict", "metric", "threshold", "#value", "history"], listed.map((one) => {
    const key = `${one.key} ${one.source}`;
    const history = model.verdicts.filter((each) => `${each.key} ${each.source}` === key);
    const final = model.end && model.end.thresholds.find((each) => `${each.key} ${each.source}` === key);
    const failed = final ? final.failed : history.length ? history[history.length - 1].failed : null;
    const mark = failed === null ? element("span", {}, "– no data") : element("strong", { class: failed ? "bad" : "good" }, failed ? "✗ crossed" : "✓ holds");
    const metric = metrics.get(one.metric);
    const contains = one.aggregation === "count" || one.aggregation === "rate" ? "" : metric && metric.contains;
    const told = history.filter((each, index) => each.failed || index).map((each) => `${each.failed ? "crossed" : "held again"} at ${clock(each.at)}`);
    return [mark, one.key, one.source, shown(final ? final.value : valueNow(one), contains), told.slice(0, 6).join(", ") || "–"];
  }), "Thresholds"));
}

function fillChecks() {
  const checks = model.end ? model.end.checks : [];
  byId("checks").hidden = !checks.length;
  part("checks").replaceChildren(table(["verdict", "check", "group", "#passed", "#failed", "#rate"], checks.map((one) => {
    const all = one.passes + one.fails;
    return [element("strong", { class: one.fails ? "bad" : "good" }, one.fails ? "✗ failed" : "✓ passed"), one.name, one.group.replace(/^::/, ""), one.passes, one.fails, `${short(all ? (100 * one.passes) / all : 0)} %`];
  }), "Checks"));
}

function fillSplit() {
  const select = byId("split"), names = model.tagNames();
  const known = [...select.options].slice(1).map((option) => option.value);
  if (select.options.length && names.join("\n") === known.join("\n")) return;
  const chosen = select.value;
  const choice = (value, text) => { const made = element("option", {}, text); made.value = value; return made; };
  select.replaceChildren(choice("", "(all together)"), ...names.map((name) => choice(name, name)));
  select.value = names.includes(chosen) ? chosen : "";
}

function fillCharts() {
  const holder = byId("charts"), metrics = model.metrics(), updates = [];
  for (const section of sections(metrics)) {
    const id = `section-${section.title.replace(/\W+/g, "-")}`;
    let made = byId(id);
    if (!made) {
      made = element("section", { id, "aria-labelledby": `${id}-title` }, element("h2", { id: `${id}-title` }, section.title), element("div", { class: "cards" }));
    }
    if (!made.isConnected) holder.append(made);
    // All cards have their place before the first chart takes its width.
    for (const metric of section.metrics.filter((each) => !cards.has(each.name))) {
      const card = new Card(metric);
      cards.set(metric.name, card);
      made.querySelector(".cards").append(card.node);
    }
    for (const metric of section.metrics) {
      updates.push(() => cards.get(metric.name).update(model, metric, byId("split").value, byId("statistic").value, baseline));
    }
  }
  runUpdates(updates);
}

/** Carry out updates of cards; those that take long are followed by others only after what the reader does. */
function runUpdates(updates) {
  clearTimeout(pending.timer);
  pending = { updates, timer: 0 };
  const end = performance.now() + LONGEST_TASK;
  while (updates.length && (performance.now() < end || matchMedia("print").matches)) updates.shift()();
  if (updates.length) pending.timer = setTimeout(() => runUpdates(updates));
}

/** How WebSocket sessions ended, in the section of the protocol. */
function fillCloses() {
  const section = byId("section-WebSocket");
  if (!section || !(model.closes.size || model.failedHandshakes)) return;
  let holder = byId("closes");
  if (!holder) {
    holder = element("div", { id: "closes" });
    section.append(element("h3", {}, "How sessions ended"), holder);
  }
  const meaning = (code) => CLOSE_CODES[code] || (code >= 4000 ? "of the application" : code >= 3000 ? "of a library" : "unknown");
  const rows = [...model.closes].sort((a, b) => b[1] - a[1]).map(([code, count]) => [code || "–", meaning(code), count]);
  if (model.failedHandshakes) rows.push(["–", "handshake failed: the session was never open", model.failedHandshakes]);
  holder.replaceChildren(table(["close code", "meaning", "#sessions"], rows, "Sessions by close code"));
}

function fillErrors() {
  const listed = model.messages.filter((one) => one && one.count).sort((a, b) => b.count - a.count);
  const coded = errorSeries();
  byId("errors").hidden = !listed.length && !coded.length;
  const nodes = [];
  if (listed.length) nodes.push(table(["level", "#count", "first at", "first example"], listed.map((one) => [one.level, one.count, clock(one.at), [one.text, one.fields.error, one.fields.hint].filter((text) => text).join(" – ")]), "Messages by kind"));
  if (coded.length) nodes.push(table(["metric", "error", "code", "#count"], coded, "Failed requests and handshakes by their tags"));
  part("errors").replaceChildren(...nodes);
}

/** Samples with the tags error or error_code. */
function errorSeries() {
  const counts = new Map();
  for (const one of model.series) {
    if (!(one.tags.error || one.tags.error_code) || !["http_reqs", "ws_sessions", "grpc_req_duration"].includes(one.metric)) continue;
    const key = JSON.stringify([one.metric, one.tags.error || "", one.tags.error_code || ""]);
    const total = model.totals[one.number];
    counts.set(key, (counts.get(key) || 0) + (total ? total[0] : 0));
  }
  return [...counts].map(([key, count]) => [...JSON.parse(key), count]);
}

function fillLog() {
  const tail = model.logs.slice(-200);
  byId("log").hidden = !tail.length;
  const lines = tail.map((one) => `${clock(one.at)} ${one.level.padEnd(7)} ${one.text}${Object.entries(one.fields).filter(([key]) => key !== "source").map(([key, value]) => ` ${key}=${value}`).join("")}`);
  part("log").replaceChildren(element("pre", { tabindex: "0", "aria-label": "The last records of the log" }, lines.join("\n")));
}

function fillTest() {
  if (!model.run || part("test").childElementCount) return;
  const { run } = model;
  part("test").append(
    table(["property", "value"], [["script", run.script.name], ["SHA-256", run.script.sha256], ...Object.entries(run.machine).map(([key, value]) => [key, String(value)])], "Script and machine"),
    element("details", {}, element("summary", {}, "Options"), element("pre", { tabindex: "0" }, JSON.stringify(run.options, null, 2))),
  );
}

function redraw() {
  for (const fill of [fillHead, fillThresholds, fillChecks, fillSplit, fillCharts, fillCloses, fillErrors, fillLog, fillTest]) fill();
}

/** Follow a run that goes on. */
function follow() {
  let isDue = true;
  const draw = () => { if (isDue && !pending.updates.length) { isDue = false; redraw(); } };
  const query = location.search;
  const source = new EventSource(`events${query}`);
  source.addEventListener("line", (event) => {
    model.take(JSON.parse(event.data));
    isDue = true;
    if (model.end) { source.close(); redraw(); }
  });
  const steer = async (action) => {
    const response = await fetch(`${action}${query}`, { method: "POST" });
    byId("steered").textContent = response.ok ? `The test was told to ${action}.` : `Not done: ${await response.text()}`;
  };
  byId("steering").hidden = false;
  byId("stop").addEventListener("click", () => steer("stop"));
  byId("resume").addEventListener("click", () => { byId("resume").hidden = true; steer("resume"); });
  source.addEventListener("paused", () => { byId("resume").hidden = false; });
  setInterval(draw, REDRAW);
}

function takeAll(id, into) {
  const holder = byId(id);
  if (!holder) return false;
  for (const line of JSON.parse(holder.textContent)) into.take(line);
  return true;
}

for (const id of ["split", "statistic"]) byId(id).addEventListener("change", redraw);
// Charts are drawn anew in the colors of the other theme, and of paper.
for (const media of ["(prefers-color-scheme: dark)", "print"]) matchMedia(media).addEventListener("change", redraw);
addEventListener("resize", () => { for (const card of cards.values()) card.resize(); });
const other = new RunModel();
if (takeAll("baseline", other)) baseline = other;
if (takeAll("record", model)) {
  redraw();
} else {
  document.body.dataset.source = "live";
  redraw();
  follow();
}
