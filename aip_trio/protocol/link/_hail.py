"""A client's hello, and the answer to it."""

from __future__ import annotations

from aip_trio.errors import DecodeError, LinkFault, LinkRefused
from aip_trio.protocol.link._frames import Bye, Gone, Hello, Welcome
from aip_trio.protocol.link._wire import Wire
from aip_trio.transport import Transport

__all__ = ["hail"]


async def hail(physical: Transport, wire: Wire, hello: Hello) -> Welcome:
    """Ask for a session on a new connection. A checkpoint; raises LinkRefused, TransportError.

    A LinkRefused that has a cause is no answer, and another try may get one.
    """
    await physical.send(wire.frame(hello))
    data = await physical.receive()
    try:
        answer = wire.read(data)
        if isinstance(answer, (Gone, Bye)):
            raise LinkRefused(hello.session, answer.reason or "no reason given")
        if not isinstance(answer, Welcome):
            raise LinkFault("t", f"is {type(answer).__name__} where a Welcome is due")
        if hello.session and answer.session != hello.session:
            raise LinkFault("session", "is another one than was asked for")
    except (DecodeError, LinkFault) as error:
        raise LinkRefused(hello.session, f"the server's answer is none: {error}") from error
    return answer
