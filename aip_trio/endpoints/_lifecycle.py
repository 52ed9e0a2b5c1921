"""The lives of the three endpoints, as tables."""

from __future__ import annotations

from enum import Enum

from aip_trio.machine import Machine

__all__ = [
    "CLIENT_LIFECYCLE",
    "CONSTELLATION_LIFECYCLE",
    "SERVER_LIFECYCLE",
    "ClientEvent",
    "ClientState",
    "ConstellationEvent",
    "ConstellationState",
    "ServerEvent",
    "ServerState",
]


class ServerState(Enum):
    """Where a server stands (seed 000, "Server Lifecycle")."""

    INITIALIZED = "initialized"
    STARTING = "starting"
    LISTENING = "listening"  #: ready; nobody is connected
    HANDLING = "handling"  #: somebody is
    STOPPING = "stopping"
    STOPPED = "stopped"


class ServerEvent(Enum):
    """What happens to a server."""

    START = "start"
    STARTED = "started"
    CONNECTED = "connected"  #: one more client
    ALL_GONE = "all gone"  #: the last client
    STOP = "stop"
    STOPPED = "stopped"


SERVER_LIFECYCLE = Machine(
    "server lifecycle",
    initial=ServerState.INITIALIZED,
    terminal=frozenset({ServerState.STOPPED}),
    table={
        ServerState.INITIALIZED: {ServerEvent.START: ServerState.STARTING},
        ServerState.STARTING: {
            ServerEvent.STARTED: ServerState.LISTENING,
            ServerEvent.STOPPED: ServerState.STOPPED,
        },
        ServerState.LISTENING: {
            ServerEvent.CONNECTED: ServerState.HANDLING,
            ServerEvent.STOP: ServerState.STOPPING,
            ServerEvent.STOPPED: ServerState.STOPPED,
        },
        ServerState.HANDLING: {
            ServerEvent.CONNECTED: ServerState.HANDLING,
            ServerEvent.ALL_GONE: ServerState.LISTENING,
            ServerEvent.STOP: ServerState.STOPPING,
            ServerEvent.STOPPED: ServerState.STOPPED,
        },
        ServerState.STOPPING: {ServerEvent.STOPPED: ServerState.STOPPED},
    },
)


class ClientState(Enum):
    """Where a device stands (seed 000, "Client Lifecycle")."""

    INITIALIZED = "initialized"
    CONNECTING = "connecting"  #: for the first time
    CONNECTED = "connected"  #: registered: messages and heartbeats flow
    RECONNECTING = "reconnecting"  #: the connection was lost
    STOPPING = "stopping"
    STOPPED = "stopped"


class ClientEvent(Enum):
    """What happens to a device."""

    START = "start"
    REGISTERED = "registered"
    LOST = "lost"
    STOP = "stop"
    STOPPED = "stopped"


CLIENT_LIFECYCLE = Machine(
    "client lifecycle",
    initial=ClientState.INITIALIZED,
    terminal=frozenset({ClientState.STOPPED}),
    table={
        ClientState.INITIALIZED: {ClientEvent.START: ClientState.CONNECTING},
        ClientState.CONNECTING: {
            ClientEvent.REGISTERED: ClientState.CONNECTED,
            ClientEvent.STOP: ClientState.STOPPING,
            ClientEvent.STOPPED: ClientState.STOPPED,
        },
        ClientState.CONNECTED: {
            ClientEvent.LOST: ClientState.RECONNECTING,
            ClientEvent.STOP: ClientState.STOPPING,
            ClientEvent.STOPPED: ClientState.STOPPED,
        },
        ClientState.RECONNECTING: {
            ClientEvent.REGISTERED: ClientState.CONNECTED,
            ClientEvent.STOP: ClientState.STOPPING,
            ClientEvent.STOPPED: ClientState.STOPPED,
        },
        ClientState.STOPPING: {ClientEvent.STOPPED: ClientState.STOPPED},
    },
)


class ConstellationState(Enum):
    """Where an orchestrator stands (seed 000, "Constellation Lifecycle")."""

    INITIALIZED = "initialized"
    READY = "ready"  #: no device is connected
    ACTIVE = "active"  #: at least one is
    STOPPING = "stopping"
    STOPPED = "stopped"


class ConstellationEvent(Enum):
    """What happens to an orchestrator."""

    START = "start"
    DEVICE_CONNECTED = "device connected"
    ALL_GONE = "all gone"  #: the last device
    STOP = "stop"
    STOPPED = "stopped"


CONSTELLATION_LIFECYCLE = Machine(
    "constellation lifecycle",
    initial=ConstellationState.INITIALIZED,
    terminal=frozenset({ConstellationState.STOPPED}),
    table={
        ConstellationState.INITIALIZED: {ConstellationEvent.START: ConstellationState.READY},
        ConstellationState.READY: {
            ConstellationEvent.DEVICE_CONNECTED: ConstellationState.ACTIVE,
            ConstellationEvent.STOP: ConstellationState.STOPPING,
            ConstellationEvent.STOPPED: ConstellationState.STOPPED,
        },
        ConstellationState.ACTIVE: {
            ConstellationEvent.DEVICE_CONNECTED: ConstellationState.ACTIVE,
            ConstellationEvent.ALL_GONE: ConstellationState.READY,
            ConstellationEvent.STOP: ConstellationState.STOPPING,
            ConstellationEvent.STOPPED: ConstellationState.STOPPED,
        },
        ConstellationState.STOPPING: {ConstellationEvent.STOPPED: ConstellationState.STOPPED},
    },
)
