"""The library: start runs from a Python program, steer them, look at their results.

The program's own process is never forked and runs nothing of a run: `process.py` starts a fresh
interpreter with `child.py`, which is the coordinator, and both talk by the messages of `messages.py`.
"""
