"""Commands to a service, one at a time, and events to one subscriber; two processes on the loopback."""

from __future__ import annotations

from functools import partial

from benchmarks._harness import OURS, Figure, Row, Subject, Target
from benchmarks._plain_client import ask, listen
from benchmarks._typed_client import ask_typed, listen_typed

__all__ = ["ROW"]

#: So many events are published for each command of the row's work.
EVENTS = 30
#: The part of the work for a service that looks for commands 20 times a second.
POLLED = 0.01

PLAIN = "aip_trio, plain delegate"
CLIENT = "aip_trio, RpcClient"
BARE = "pyzmq, REQ/REP"
PEER = "auto-trainer-api"

SENT = "aip_trio, events"
RAW = "aip_trio, events as bytes"
HEARD = "aip_trio, events to RpcClient"
PUB = "pyzmq, PUB/SUB"
FRAMES = "pyzmq, PUB/SUB frame by frame"
PEER_EVENTS = "auto-trainer-api, events"

NEEDS = ("autotrainer", "humps")
RATE = "round trips/s"
FLOW = "events/s"

ROW = Row(
    name="zeromq",
    title="commands and events over ZeroMQ, two processes",
    work=10_000,
    rounds=5,
    subjects=(
        Subject(OURS, partial(ask, kind="ours")),
        Subject(PLAIN, partial(ask, kind="ours, plain")),
        Subject(CLIENT, partial(ask_typed, kind="ours")),
        Subject(BARE, partial(ask, kind="bare")),
        Subject(PEER, partial(ask, kind="auto-trainer-api"), needs=NEEDS, share=POLLED),
        Subject(SENT, partial(listen, kind="ours"), share=EVENTS),
        Subject(RAW, partial(listen, kind="ours, raw"), share=EVENTS),
        Subject(HEARD, partial(listen_typed, kind="ours"), share=EVENTS),
        Subject(PUB, partial(listen, kind="bare"), share=EVENTS),
        Subject(FRAMES, partial(listen, kind="bare, frame by frame"), share=EVENTS),
        Subject(PEER_EVENTS, partial(listen, kind="auto-trainer-api"), needs=NEEDS, share=EVENTS / 5),
    ),
    figures=(
        Figure("commands", "rate", RATE, peer=BARE, target=Target(0.9, ratio=True)),
        Figure("commands", "rate", RATE, peer=PEER),
        Figure("commands: median", "p50", "µs", peer=BARE),
        Figure("commands: 99 %", "p99", "µs", peer=BARE),
        Figure("commands: 99 %", "p99", "µs", peer=PEER),
        Figure("commands: both processors", "cpu", "µs", peer=BARE),
        Figure("commands, plain delegate", "rate", RATE, PLAIN, BARE),
        Figure("commands, plain delegate: 99 %", "p99", "µs", PLAIN, BARE),
        Figure("commands of RpcClient", "rate", RATE, CLIENT, BARE),
        Figure("commands of RpcClient: 99 %", "p99", "µs", CLIENT, BARE),
        Figure("events", "rate", FLOW, SENT, PUB, Target(0.7, ratio=True)),
        Figure("events", "rate", FLOW, SENT, FRAMES),
        Figure("events", "rate", FLOW, SENT, PEER_EVENTS),
        Figure("events: both processors", "cpu", "µs", SENT, PUB),
        Figure("events as bytes", "rate", FLOW, RAW, PUB),
        Figure("events to RpcClient", "rate", FLOW, HEARD, PUB),
    ),
)
