// k6/html: documents and selectors that are deep, long or nonsense.
import { parseHTML } from 'k6/html';

const attempt = (name, call) => {
  try {
    console.log(`${name}: ${call()}`);
  } catch (e) {
    console.log(`${name}: ${e}`);
  }
};

export default function () {
  const page = parseHTML(`${'<div>'.repeat(100)}<p class="a">x</p>`);
  const selectors = {
    'hundred times not': `${':not('.repeat(100)}p${')'.repeat(100)}`, 'some times has': `${'div:has('.repeat(5)}p${')'.repeat(5)}`,
    children: `${'div>'.repeat(100)}p`, 'too many children': `${'div>'.repeat(400)}p`, classes: '.a'.repeat(500), many: `${'p,'.repeat(500)}p`, attributes: `p${'[class=a]'.repeat(200)}`,
    brackets: '('.repeat(2000), quoted: `p[a="${'x'.repeat(10000)}"]`, long: 'a'.repeat(10000), slashes: `${'\\'.repeat(999)}a`,
    'large step': `:nth-child(${'9'.repeat(400)}n+1)`, 'large number': ':nth-child(99999999999999999999)', 'int64': ':nth-child(9223372036854775807n+1)', 'negative step': 'p:nth-child(-9999999999n+1)', 'zeros': 'p:nth-child(0000000000000000000001)',
    zero: 'p\0', half: 'p\ud800', unknown: 'p:nope', empty: '', blank: '   ', comma: ',', 'only a combinator': '>', 'open end': 'p >', 'not nothing': 'p:not()', 'no bracket': 'p:not(p', number: '1',
  };
  for (const [name, selector] of Object.entries(selectors)) {
    attempt(`find ${name}`, () => page.find(selector).size());
    attempt(`is ${name}`, () => page.find('p').is(selector));
  }
  const documents = {
    'deep enough': `${'<div>'.repeat(510)}x`, 'too deep': `${'<div>'.repeat(511)}x`, 'too deep and closed': `${'<b>'.repeat(600)}${'</b>'.repeat(600)}`, tables: `${'<table><tr><td>'.repeat(200)}x`,
    paragraphs: '<p>x'.repeat(600), 'closed again': '<div><i>x</i></div>'.repeat(1000), lists: `${'<ul><li>'.repeat(300)}x`, templates: `${'<template>'.repeat(100)}x`,
  };
  for (const [name, source] of Object.entries(documents)) attempt(name, () => parseHTML(source).find('*').size());
  for (const index of [0, -1, 5, NaN, Infinity, -Infinity, 1e30, '0', 'x', null, undefined, {}, true]) {
    attempt(`eq ${index}`, () => page.find('p').eq(index).size());
    attempt(`get ${index}`, () => typeof page.find('p').get(index));
    if (index !== 5 && index !== 1e30) attempt(`slice ${index}`, () => page.find('p').slice(index).size());
  }
}
