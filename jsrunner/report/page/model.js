// @ts-check
// A run as its record describes it: docs/reference/files.md has the lines. Nothing here touches the page.
"use strict";

/** More steps than these are merged in pairs, so that a page of a long run stays quick. */
const MOST_STEPS = 1200;

const word = new Uint32Array(1);
const single = new Float32Array(word.buffer);

/** The value in the middle of a bucket: the upper 16 bits of an IEEE 754 single. */
function middle(bucket) {
  const bare = bucket & 0x7fff;
  word[0] = (bucket << 16) | (bare === 0 || bare === 0x7f80 ? 0 : 0x8000);
  return single[0];
}

/** Buckets in the order of their values. */
function order(bucket) {
  return bucket & 0x8000 ? -(bucket & 0x7fff) : bucket;
}

/** Add a packed sketch to the counts of buckets. */
function addPacked(counts, packed) {
  let bucket = 0;
  for (let index = 0; index + 1 < packed.length; index += 2) {
    bucket += packed[index];
    counts.set(bucket, (counts.get(bucket) || 0) + packed[index + 1]);
  }
}

/** Values with counts: the buckets in the order of their values, and how many values each has. */
class Sketch {
  /** @param {Map<number, number>} counts How many values each bucket has. */
  constructor(counts) {
    const buckets = [...counts.keys()].sort((a, b) => order(a) - order(b));
    this.values = Float32Array.from(buckets, middle);
    this.counts = Float64Array.from(buckets, (bucket) => counts.get(bucket));
    this.total = this.counts.reduce((sum, count) => sum + count, 0);
  }

  /** Percentiles, interpolated between neighbours; null of nothing. */
  percentiles(percents) {
    if (!this.total) return percents.map(() => null);
    return percents.map((percent) => {
      const rank = (percent / 100) * (this.total - 1);
      const low = this.at(Math.floor(rank));
      const high = this.at(Math.ceil(rank));
      return low === high ? low : low + (high - low) * (rank - Math.floor(rank));
    });
  }

  at(rank) {
    let passed = 0;
    for (let index = 0; index < this.counts.length; index++) {
      passed += this.counts[index];
      if (passed > rank) return this.values[index];
    }
    return this.values[this.values.length - 1];
  }
}

/** Two packed sketches together. */
function joinSketches(first, second) {
  const counts = new Map();
  addPacked(counts, first);
  addPacked(counts, second);
  const packed = [];
  let last = 0;
  for (const bucket of [...counts.keys()].sort((a, b) => a - b)) {
    packed.push(bucket - last, counts.get(bucket));
    last = bucket;
  }
  return packed;
}

/** What two steps of a series add up to. */
function joinRows(type, first, second) {
  if (type === "counter" || type === "rate") return first.map((figure, index) => figure + second[index]);
  if (type === "gauge") return [second[0], Math.min(first[1], second[1]), Math.max(first[2], second[2])];
  return [
    first[0] + second[0], first[1] + second[1], Math.min(first[2], second[2]), Math.max(first[3], second[3]),
    joinSketches(first[4], second[4]),
  ];
}

class RunModel {
  constructor() {
    this.head = null;
    this.run = null;
    this.series = [];
    /** The figures of each series in the whole run: rows as in the record, trends with the counts of buckets. */
    this.totals = [];
    this.steps = [];
    /** WebSocket sessions that were closed, by close code, and failed handshakes. */
    this.closes = new Map();
    this.failedHandshakes = 0;
    this.length = 1;
    this.logs = [];
    this.messages = [];
    this.verdicts = [];
    this.end = null;
  }

  /** Take one line of a record. */
  take(line) {
    if (!this.head) {
      this.head = line;
    } else if (line.kind === "run") {
      this.run = line;
    } else if (line.kind === "series") {
      this.series[line.number] = line;
      this.totals[line.number] = null;
      for (const step of this.steps) step.sums.clear();
    } else if (line.kind === "step") {
      this.takeStep(line);
    } else if (line.kind === "log") {
      this.logs.push(line);
    } else if (line.kind === "message") {
      this.messages[line.number] = { ...line, count: 0 };
    } else if (line.kind === "threshold") {
      this.verdicts.push(line);
    } else if (line.kind === "end") {
      this.count(line.messages);
      this.end = line;
    }
  }

  /** Sessions that are open are no metric of the run's; here they are a gauge like others. */
  takeSessions(sessions, rows) {
    if (!this.series.open) {
      this.series.open = { number: "open", metric: "WebSocket sessions open", type: "gauge", contains: "default", tags: {} };
    }
    rows.push(["open", sessions.open, sessions.open, sessions.open]);
    this.failedHandshakes += sessions.failed;
    for (const [code, count] of sessions.closes) this.closes.set(code, (this.closes.get(code) || 0) + count);
  }

  takeStep(line) {
    this.count(line.messages);
    if (line.sessions) this.takeSessions(line.sessions, line.rows);
    for (const [number, ...row] of line.rows) this.addTotal(number, row);
    this.add({ at: line.at, seconds: line.seconds || 1, rows: new Map(line.rows.map((row) => [row[0], row.slice(1)])) });
    if (this.steps.length > MOST_STEPS) {
      this.length *= 2;
      const steps = this.steps;
      this.steps = [];
      for (const step of steps) this.add(step);
    }
  }

  addTotal(number, row) {
    const { type } = this.series[number], known = this.totals[number];
    if (type === "trend") {
      const counts = known ? known[4] : new Map();
      addPacked(counts, row[4]);
      this.totals[number] = known ? [known[0] + row[0], known[1] + row[1], Math.min(known[2], row[2]), Math.max(known[3], row[3]), counts] : [...row.slice(0, 4), counts];
    } else {
      this.totals[number] = known ? joinRows(type, known, row) : row;
    }
  }

  /** The figures of some series in the whole run together: a row as `rows` has it; null without any. */
  total(type, numbers) {
    const found = numbers.map((number) => this.totals[number]).filter((row) => row);
    return sumOf(type, found, (counts, each) => { for (const [bucket, count] of each) counts.set(bucket, (counts.get(bucket) || 0) + count); });
  }

  add(step) {
    const at = step.at - (step.at % this.length);
    const last = this.steps[this.steps.length - 1];
    if (!last || last.at !== at) {
      this.steps.push({ at, seconds: Math.max(this.length, step.seconds), rows: step.rows, sums: new Map() });
      return;
    }
    last.sums.clear();
    for (const [number, row] of step.rows) {
      const known = last.rows.get(number);
      last.rows.set(number, known ? joinRows(this.series[number].type, known, row) : row);
    }
  }

  count(counts) {
    for (const [number, count] of counts || []) this.messages[number].count += count;
  }

  /** The metrics by name: their type, what they contain, their series. */
  metrics() {
    const metrics = new Map();
    for (const one of this.series.open ? [this.series.open, ...this.series] : this.series) {
      if (!metrics.has(one.metric)) {
        metrics.set(one.metric, { name: one.metric, type: one.type, contains: one.contains, series: [] });
      }
      metrics.get(one.metric).series.push(one);
    }
    return metrics;
  }

  /** The tags that charts can be split by. */
  tagNames() {
    const names = new Set(this.series.flatMap((one) => Object.keys(one.tags)));
    const chosen = (this.run && this.run.split_tags) || [];
    return chosen.length ? chosen.filter((name) => names.has(name)) : [...names].sort();
  }

  seconds() {
    if (this.end) return this.end.at;
    const last = this.steps[this.steps.length - 1];
    return last ? last.at + last.seconds : 0;
  }

  /** The steps' figures of some series together: rows as in the record, trends with a Sketch; null without any. */
  rows(type, numbers) {
    const key = numbers.join();
    return this.steps.map((step) => {
      // A page that follows a run asks for the same sums every second.
      if (!step.sums.has(key)) step.sums.set(key, sumOf(type, numbers.map((number) => step.rows.get(number)).filter((row) => row), addPacked));
      return step.sums.get(key);
    });
  }
}

/** Rows of some series together; null without any. `add` adds a row's sketch to the counts of buckets. */
function sumOf(type, rows, add) {
  if (!rows.length) return null;
  if (type === "counter") return [rows.reduce((sum, row) => sum + row[0], 0)];
  if (type === "rate") return [0, 1].map((index) => rows.reduce((sum, row) => sum + row[index], 0));
  if (type === "gauge") {
    return [rows[rows.length - 1][0], Math.min(...rows.map((row) => row[1])), Math.max(...rows.map((row) => row[2]))];
  }
  const counts = new Map();
  for (const row of rows) add(counts, row[4]);
  return [
    rows.reduce((sum, row) => sum + row[0], 0), rows.reduce((sum, row) => sum + row[1], 0),
    Math.min(...rows.map((row) => row[2])), Math.max(...rows.map((row) => row[3])), new Sketch(counts),
  ];
}
