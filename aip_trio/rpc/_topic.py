"""What a published message is about."""

from __future__ import annotations

from aip_trio.rpc._open_enum import OpenEnum

__all__ = ["ApiTopic"]


class ApiTopic(OpenEnum):
    """The first frame of every published message, by which subscribers choose. Any 4-byte integer is one."""

    ANY = 0
    #: the service is there; every few seconds
    HEARTBEAT = 1001
    #: an emergency stop or its end; the same event follows on EVENT
    EMERGENCY = 2001
    #: what has happened
    EVENT = 4001
    #: a property of an object has another value
    PROPERTY_CHANGE = 5001
    #: how a command ended that was answered with "pending"
    COMMAND_RESULT = 6001
