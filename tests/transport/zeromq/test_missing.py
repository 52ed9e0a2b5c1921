from __future__ import annotations

import subprocess
import sys

BLOCKED = """
import sys
sys.modules["zmq"] = None
import aip_trio, aip_trio.transport, aip_trio.endpoints, aip_trio.cli
from aip_trio.errors import ZeroMQMissing
try:
    import aip_trio.transport.zeromq
except ImportError as error:
    assert isinstance(error, ZeroMQMissing)
    print(error)
"""


def run(text: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_without_pyzmq_the_error_names_the_extra() -> None:
    assert "pip install 'aip-trio[zmq]'" in run(BLOCKED)


def test_nothing_else_imports_pyzmq() -> None:
    assert (
        run("import aip_trio, aip_trio.transport, aip_trio.endpoints, sys; print('zmq' in sys.modules)")
        == "False\n"
    )
