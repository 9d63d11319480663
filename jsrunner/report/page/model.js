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

/** Values with counts that add up over steps and series. */
class Sketch {
  constructor() {
    /** @type {Map<number, number>} */
    this.counts = new Map();
    this.total = 0;
  }

  addPacked(packed) {
    let bucket = 0;
    for (let index = 0; index + 1 < packed.length; index += 2) {
      bucket += packed[index];
      this.counts.set(bucket, (this.counts.get(bucket) || 0) + packed[index + 1]);
      this.total += packed[index + 1];
    }
  }

  pack() {
    const packed = [];
    let last = 0;
    for (const bucket of [...this.counts.keys()].sort((a, b) => a - b)) {
      packed.push(bucket - last, this.counts.get(bucket));
      last = bucket;
    }
    return packed;
  }

  /** Percentiles, interpolated between neighbours; null of nothing. */
  percentiles(percents) {
    if (!this.total) return percents.map(() => null);
    const buckets = [...this.counts.keys()].sort((a, b) => order(a) - order(b));
    return percents.map((percent) => {
      const rank = (percent / 100) * (this.total - 1);
      const low = this.at(buckets, Math.floor(rank));
      const high = this.at(buckets, Math.ceil(rank));
      return low === high ? low : low + (high - low) * (rank - Math.floor(rank));
    });
  }

  at(buckets, rank) {
    let passed = 0;
    for (const bucket of buckets) {
      passed += this.counts.get(bucket);
      if (passed > rank) return middle(bucket);
    }
    return middle(buckets[buckets.length - 1]);
  }
}

/** What two steps of a series add up to. */
function joinRows(type, first, second) {
  if (type === "counter" || type === "rate") return first.map((figure, index) => figure + second[index]);
  if (type === "gauge") return [second[0], Math.min(first[1], second[1]), Math.max(first[2], second[2])];
  const sketch = new Sketch();
  sketch.addPacked(first[4]);
  sketch.addPacked(second[4]);
  return [
    first[0] + second[0], first[1] + second[1], Math.min(first[2], second[2]), Math.max(first[3], second[3]),
    sketch.pack(),
  ];
}

class RunModel {
  constructor() {
    this.head = null;
    this.run = null;
    this.series = [];
    this.steps = [];
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

  takeStep(line) {
    this.count(line.messages);
    this.add({ at: line.at, seconds: line.seconds || 1, rows: new Map(line.rows.map((row) => [row[0], row.slice(1)])) });
    if (this.steps.length > MOST_STEPS) {
      this.length *= 2;
      const steps = this.steps;
      this.steps = [];
      for (const step of steps) this.add(step);
    }
  }

  add(step) {
    const at = step.at - (step.at % this.length);
    const last = this.steps[this.steps.length - 1];
    if (!last || last.at !== at) {
      this.steps.push({ at, seconds: Math.max(this.length, step.seconds), rows: step.rows });
      return;
    }
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
    for (const one of this.series) {
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
    return this.steps.map((step) => {
      const found = numbers.map((number) => step.rows.get(number)).filter((row) => row);
      if (!found.length) return null;
      if (type === "counter") return [found.reduce((sum, row) => sum + row[0], 0)];
      if (type === "rate") return [0, 1].map((index) => found.reduce((sum, row) => sum + row[index], 0));
      if (type === "gauge") {
        return [found[found.length - 1][0], Math.min(...found.map((row) => row[1])), Math.max(...found.map((row) => row[2]))];
      }
      const sketch = new Sketch();
      for (const row of found) sketch.addPacked(row[4]);
      return [
        found.reduce((sum, row) => sum + row[0], 0), found.reduce((sum, row) => sum + row[1], 0),
        Math.min(...found.map((row) => row[2])), Math.max(...found.map((row) => row[3])), sketch,
      ];
    });
  }
}
