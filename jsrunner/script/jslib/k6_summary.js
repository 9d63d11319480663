// k6-summary: textSummary(data, { indent, enableColors }) for handleSummary, see
// https://grafana.com/docs/k6/latest/results-output/end-of-test/custom-summary/
// jsrunner's own equivalent, for runs that cannot reach jslib.k6.io.
// @ts-check

const CODES = { bold: 1, faint: 2, green: 32, red: 31, cyan: 36, faintCyan: '2;36', faintWhite: '2;37' };
const UNITS = { s: [0.001, 's'], ms: [1, 'ms'], us: [1000, 'µs'] };

/** Return a number with at most `digits` decimals: truncated, without trailing zeros. */
const trim = (value, digits) => {
  const scale = 10 ** digits;
  return String(Math.trunc(Number((value * scale).toFixed(6))) / scale);
};

const humanizeDuration = (milliseconds, timeUnit) => {
  if (timeUnit && UNITS[timeUnit]) {
    const [factor, name] = UNITS[timeUnit];
    return String((milliseconds * factor).toFixed(2)) + name;
  }
  if (milliseconds === 0) return '0s';
  const size = Math.abs(milliseconds);
  if (size < 0.001) return String(Math.trunc(milliseconds * 1e6)) + 'ns';
  if (size < 1) return trim(milliseconds * 1000, 2) + 'µs';
  if (size < 1000) return trim(milliseconds, 2) + 'ms';
  if (size < 60_000) return trim(milliseconds / 1000, 2) + 's';
  const seconds = Math.trunc(size / 1000);
  const hours = Math.floor(seconds / 3600);
  const rest = String(Math.floor((seconds % 3600) / 60)) + 'm' + seconds % 60 + 's';
  return '' + (milliseconds < 0 ? '-' : '') + (hours ? String(hours) + 'h' : '') + rest;
};

const humanizeBytes = (bytes) => {
  const names = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'];
  if (bytes < 10) return String(bytes) + ' B';
  const power = Math.min(Math.floor(Math.log10(bytes) / 3 + 1e-9), names.length - 1);
  const value = Math.floor((bytes / 1000 ** power) * 10 + 0.5) / 10;
  return (value.toFixed(value < 10 ? 1 : 0)) + ' ' + String(names[power]);
};

const humanizeNumber = (value) => String(Number(value.toFixed(6)));
const humanizePercent = (rate) => (String((Math.trunc(Number((rate * 10_000).toFixed(6))) / 100).toFixed(2)) + '%');

/** Return a value as the summary writes it, in the unit of its metric. */
export const humanizeValue = (value, metric, timeUnit) => {
  if (metric.type === 'rate') return humanizePercent(value);
  if (metric.contains === 'data') return humanizeBytes(value);
  if (metric.contains === 'time') return humanizeDuration(value, timeUnit);
  return humanizeNumber(value);
};

/** Return the value of a metric that is no trend, and the figures behind it. */
const plainValues = (metric, timeUnit) => {
  const { type, values } = metric;
  const write = (value) => humanizeValue(value, metric, timeUnit);
  if (type === 'counter') return [write(values.count), write(values.rate) + '/s'];
  if (type === 'gauge') return [write(values.value), 'min=' + write(values.min), 'max=' + write(values.max)];
  return [write(values.rate), '✓ ' + values.passes, '✗ ' + values.fails];
};

const widest = (texts) => texts.reduce((width, text) => Math.max(width, [...text].length), 0);
const pad = (text, width) => text + ' '.repeat(Math.max(0, width - [...text].length));

/** Return the shown name of a metric. A sub-metric `name{tag:value}` is shown below its metric as `{ tag:value }`. */
const shownName = (name) => {
  const brace = name.indexOf('{');
  return brace > 0 ? '{ ' + String(name.slice(brace + 1, -1)) + ' }' : name;
};
const isPart = (name) => name.indexOf('{') > 0;

const checkLines = (check, indent, paint) => {
  if (!check.fails) return [paint(indent + '✓ ' + String(check.name), 'green')];
  const percent = Math.floor((100 * check.passes) / (check.passes + check.fails));
  return [
    paint(indent + '✗ ' + String(check.name), 'red'),
    paint(indent + ' ↳  ' + percent + '% — ✓ ' + check.passes + ' / ✗ ' + check.fails, 'red'),
  ];
};

const groupLines = (group, indent, paint) => {
  const lines = [];
  let inner = indent;
  if (group.name !== '') {
    lines.push(indent + '█ ' + String(group.name), '');
    inner += '  ';
  }
  lines.push(...group.checks.flatMap((check) => checkLines(check, inner, paint)));
  if (group.checks.length) lines.push('');
  return [...lines, ...group.groups.flatMap((child) => groupLines(child, inner, paint))];
};

const metricLines = (data, { indent, trendStats, timeUnit, paint }) => {
  const names = Object.keys(data.metrics).sort((one, other) => {
    const [first, second] = [one, other].map((name) => name.split('{')[0]);
    if (first !== second) return first < second ? -1 : 1;
    return one < other ? -1 : 1;
  });
  const rows = names.map((name) => {
    const metric = data.metrics[name];
    const write = (stat) => (stat === 'count'
      ? String(metric.values[stat]) : humanizeValue(metric.values[stat], metric, timeUnit));
    return {
      name,
      metric,
      head: (isPart(name) ? '  ' : '') + shownName(name),
      trend: metric.type === 'trend'
        ? trendStats.map((stat) => (metric.values[stat] === undefined ? '' : write(stat))) : null,
      plain: metric.type === 'trend' ? null : plainValues(metric, timeUnit),
    };
  });
  const nameWidth = widest(rows.map(({ head }) => head)) + 3;
  const trends = rows.flatMap(({ trend }) => (trend ? [trend] : []));
  const plains = rows.flatMap(({ plain }) => (plain ? [plain] : []));
  const trendWidths = trendStats.map((_, column) => widest(trends.map((trend) => trend[column])));
  const plainWidths = [0, 1, 2].map((column) => widest(plains.map((plain) => plain[column] ?? '')));
  return rows.map(({ metric, head, trend, plain }) => {
    let sign = ' ';
    const verdicts = Object.values(metric.thresholds ?? {});
    if (verdicts.length) sign = verdicts.every(({ ok }) => ok) ? paint('✓', 'green') : paint('✗', 'red');
    const dots = paint(String('.'.repeat(nameWidth - [...head].length)) + ':', 'faint');
    const values = trend
      ? trend.map((text, column) => (String(trendStats[column]) + '=' + paint(pad(text, trendWidths[column]), 'cyan')))
      : [
        paint(pad(plain[0], plainWidths[0]), 'cyan'),
        ...plain.slice(1).map((text, index) => paint(
          plain.length > 2 ? pad(text, plainWidths[index + 1]) : text,
          'faintCyan',
        )),
      ];
    return '' + indent + sign + ' ' + head + dots + ' ' + String(values.join(' '));
  });
};

/**
 * Return the text of the end-of-test summary of handleSummary's data: checks by groups, then the metrics.
 * Options: `indent`, `enableColors`, `summaryTrendStats`, `summaryTimeUnit`.
 */
export const textSummary = (data, options = {}) => {
  const given = data.options ?? {};
  const colors = options.enableColors ?? !given.noColor;
  const paint = colors ? (text, style) => ('\u001b[' + String(CODES[style]) + 'm' + text + '\u001b[0m') : (text) => text;
  const indent = options.indent ?? '';
  return [
    ...groupLines(data.root_group, indent + '    ', paint),
    ...metricLines(data, {
      indent: indent + '  ',
      paint,
      timeUnit: options.summaryTimeUnit ?? given.summaryTimeUnit,
      trendStats: options.summaryTrendStats ?? given.summaryTrendStats
        ?? ['avg', 'min', 'med', 'max', 'p(90)', 'p(95)'],
    }),
  ].join('\n');
};

const escaped = (text) => text.replace(/[<>&"']/g, (character) => ('&#' + String(character.codePointAt(0)) + ';'));

/** Return checks and thresholds as XML of JUnit. */
export const jUnit = (data, options = {}) => {
  const name = options.name ?? 'k6 thresholds';
  const cases = [];
  let failures = 0;
  for (const [metric, { thresholds = {} }] of Object.entries(data.metrics)) {
    for (const [source, { ok }] of Object.entries(thresholds)) {
      const title = escaped(metric + ' - ' + source);
      if (!ok) failures += 1;
      cases.push(ok ? '<testcase name="' + title + '" />'
        : '<testcase name="' + title + '"><failure message="failed" /></testcase>');
    }
  }
  return '<?xml version="1.0"?>\n<testsuites tests="' + cases.length + '" failures="' + failures + '">\n'
    + '<testsuite name="' + escaped(name) + '" tests="' + cases.length + '" failures="' + failures + '">' + String(cases.join('\n')) + '\n'
    + '</testsuite >\n</testsuites >';
};
