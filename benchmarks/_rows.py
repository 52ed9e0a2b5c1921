"""All rows, in the order of the table."""

from benchmarks import ask, codec, crash, growth, load, oneway, roundtrip, spawn, tell, zeromq

__all__ = ["ROWS"]

ROWS = (
    tell.ROW,
    ask.ROW,
    spawn.ROW,
    crash.ROW,
    codec.ROW,
    roundtrip.ROW,
    oneway.ROW,
    load.ROW,
    zeromq.ROW,
    growth.ROW,
)
