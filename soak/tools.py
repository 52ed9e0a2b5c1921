"""The tool of the soak's devices: ``aip-trio device --tools soak.tools:journal``."""

import os

import trio

__all__ = ["JOURNAL", "journal"]

#: The environment's word for the file that a device writes.
JOURNAL = "SOAK_JOURNAL"


async def journal(stream: str, task: int, attempt: int, number: int, seconds: float) -> int:
    """Write that this command begins, work for so many seconds, and write that it is done.

    One write to a file that is opened for appending: what stands there has been done, once for each line.

    :param number: the command's place in its task; returned
    """
    path = os.environ[JOURNAL]
    _append(path, f"begin {stream} {task} {attempt} {number}\n")
    await trio.sleep(seconds)
    _append(path, f"done {stream} {task} {attempt} {number}\n")
    return number


def _append(path: str, line: str) -> None:
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)
