"""The contract between the coordinator and its workers.

A worker is a process that runs VUs. The coordinator starts workers and merges their samples. The two
sides share only this package:

- `protocol`: the messages, one class each, with their senders and their order.
- `stream`: the bytes of a message, and `VERSION`, which both sides must share.
- `plan`: the test and each worker's share of it; the content of the message `Prepare`.
- `board`: the counts that all processes on one machine share in memory.
"""
