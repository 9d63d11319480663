"""The contract between the coordinator and its workers.

A worker is a process that plays VUs; the coordinator starts workers and adds up what they measure. This
package is all that both sides know of each other:

- `protocol`: the messages, one class each, and who sends which of them when.
- `stream`: the bytes of a message, and `VERSION`, which both sides must share.
- `plan`: the test and each worker's share of it; the content of the message `Prepare`.
- `board`: the counts that all processes on one machine share in memory.
"""
