"""Texts of jsrunner's functions: those of native functions, as in k6, also for the VU whose init compiles the modules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from running import Process

SCRIPT = """
import http from 'k6/http';
import ws from 'k6/ws';
import { WebSocket } from 'k6/websockets';
import * as k6 from 'k6';
import { Trend } from 'k6/metrics';
import exec from 'k6/execution';
import crypto from 'k6/crypto';
import encoding from 'k6/encoding';
import { SharedArray } from 'k6/data';
import { parseHTML } from 'k6/html';
const trend = new Trend('waits');
const own = (value) => value + 1;
export const options = { scenarios: { all: { executor: 'per-vu-iterations', vus: VUS, iterations: 1 } } };

const texts = [];
const walked = new Set();
const walk = (path, value, depth) => {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null || walked.has(value)) return;
  walked.add(value);
  if (typeof value === 'function') texts.push([path, String(value)]);
  if (depth === 4) return;
  for (const key of Reflect.ownKeys(value)) {
    const { value: inner, get, set } = Reflect.getOwnPropertyDescriptor(value, key);
    for (const one of [inner, get, set]) walk(`${path}.${String(key)}`, one, depth + 1);
  }
  walk(`${path}.__proto__`, Reflect.getPrototypeOf(value), depth + 1);
};

export default function () {
  const roots = { http, ws, WebSocket, k6, trend, exec, crypto, encoding, SharedArray, globalThis };
  roots.html = parseHTML('<a>b</a>');
  roots.jar = http.cookieJar();
  roots.hash = crypto.createHash('sha256');
  for (const name of Object.keys(roots)) walk(name, roots[name], 0);
  for (const [path, text] of texts) if (!text.includes('[native code]')) console.log(path + ' is ' + text);
  console.log('functions: ' + (texts.length > 400));
  console.log(String(own));
}
"""


@pytest.mark.parametrize("vus", [1, 8])
def test_no_text_of_a_function_is_shown(start: Callable[..., Process], vus: int) -> None:
    process = start(SCRIPT.replace("VUS", str(vus))).end()
    assert process.code == 0, process.stderr
    assert (
        sorted(process.messages("info")) == ["(value) => value + 1"] * vus + ["functions: true"] * vus
    )
