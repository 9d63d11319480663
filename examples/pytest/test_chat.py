"""The chat room under load."""

from __future__ import annotations


def test_everybody_is_heard(k6_run, chat_url):
    result = k6_run("chat.js", env={"CHAT_URL": chat_url})
    assert result.metrics["chat_delivery"]["max"] < 5000  # milliseconds


def test_a_crowd(k6_run, chat_url):
    k6_run("chat.js", env={"CHAT_URL": chat_url}, options={"vus": 30, "iterations": 60})
