"""The core: the hot path of a run in C, one shared library that is loaded by ctypes.

`build.py` compiles it.
"""
