"""All rows, in the order of the table."""

from benchmarks import ask, crash, growth, spawn, tell

__all__ = ["ROWS"]

ROWS = (tell.ROW, ask.ROW, spawn.ROW, crash.ROW, growth.ROW)
