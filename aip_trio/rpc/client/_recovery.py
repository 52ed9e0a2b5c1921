"""Filling a hole with what the service has kept; without I/O or clock."""

from __future__ import annotations

from typing import cast

from aip_trio.errors import DecodeError
from aip_trio.rpc._command import ApiCommandRequestResult
from aip_trio.rpc._topic import ApiTopic
from aip_trio.rpc._wire import Reply
from aip_trio.rpc.client._published import Gap, Published, published_data
from aip_trio.rpc.client._sequences import Hole

__all__ = ["Recovery"]


class Recovery:
    """Asks for the messages of a hole, as many times as it takes, and says which are lost for good.

    What comes out of `answer` and `give_up` together is every number of the hole, in order: each as its
    message, or within a Gap. What the service sends and is no message is counted, and nothing else.
    """

    def __init__(self, hole: Hole) -> None:
        self._hole = hole
        self._next = hole.first
        self._recovered = 0
        #: messages that the service sent, and that are none
        self.malformed = 0

    @property
    def over(self) -> bool:
        """Whether nothing more is to be asked."""
        return self._next > self._hole.last

    @property
    def recovered(self) -> int:
        """Messages that the service still had."""
        return self._recovered

    @property
    def request(self) -> dict[str, object]:
        """The data of the command to send next."""
        hole = self._hole
        return {"stream": hole.stream, "topic": hole.topic, "first": self._next, "last": hole.last}

    def answer(self, reply: Reply) -> list[Published | Gap]:
        """The service has answered."""
        found = self._found(reply)
        if not found:
            return self.give_up()
        delivered: list[Published | Gap] = []
        for number, message in found:
            if number > self._next:
                delivered.append(self._gap(number - 1))
            self._next = number + 1
            if message is None:
                self.malformed += 1
            else:
                delivered.append(message)
        return delivered

    def give_up(self) -> list[Published | Gap]:
        """The rest is lost: the service has not kept it, or does not answer."""
        gap = self._gap(self._hole.last)
        self._next = self._hole.last + 1
        return [gap]

    def _gap(self, last: int) -> Gap:
        return Gap(ApiTopic(self._hole.topic), self._next, last, self._recovered)

    def _found(self, reply: Reply) -> list[tuple[int, Published | None]]:
        """What an answer brings that was asked for, in order; None: what is no message."""
        answer = reply.data
        if reply.result != ApiCommandRequestResult.SUCCESS or type(answer) is not dict:
            return []
        data = cast("dict[str, object]", answer)
        events = data.get("events")
        if data.get("stream") != self._hole.stream or type(events) is not list:
            return []
        found: list[tuple[int, Published | None]] = []
        due = self._next
        for event in cast("list[object]", events):
            number = self._number(event)
            if due <= number <= self._hole.last:
                found.append((number, self._message(event)))
                due = number + 1
        self._recovered += len(found)
        return found

    def _number(self, event: object) -> int:
        if type(event) is not dict:
            return 0
        number = cast("dict[str, object]", event).get("sequence")
        return number if type(number) is int else 0

    def _message(self, event: object) -> Published | None:
        try:
            return published_data(ApiTopic(self._hole.topic), event)
        except DecodeError:
            return None
