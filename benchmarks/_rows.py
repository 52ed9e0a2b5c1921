"""All rows, in the order of the table."""

from benchmarks import ask, codec, crash, growth, roundtrip, spawn, tell

__all__ = ["ROWS"]

ROWS = (tell.ROW, ask.ROW, spawn.ROW, crash.ROW, codec.ROW, roundtrip.ROW, growth.ROW)
