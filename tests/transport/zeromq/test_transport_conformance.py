"""The transport over ZeroMQ passes the suite that every transport does."""

from contextlib import AbstractAsyncContextManager

from tests.transport.conformance import Ends, TransportConformance
from tests.transport.zeromq.ends import zeromq_ends


class OverZeroMQ(TransportConformance):
    url = "tcp://127.0.0.1:1"
    cushion = 0.05
    scheme = "tcp"
    under_test = "client"

    def ends(self) -> AbstractAsyncContextManager[Ends]:
        return zeromq_ends(self.scheme, self.under_test)


class TestClientOverTcp(OverZeroMQ):
    pass


class TestServerOverTcp(OverZeroMQ):
    connects = False
    under_test = "server"


class TestClientOverIpc(OverZeroMQ):
    scheme = "ipc"


class TestServerOverIpc(TestServerOverTcp):
    scheme = "ipc"


class TestClientInProcess(OverZeroMQ):
    scheme = "inproc"


class TestServerInProcess(TestServerOverTcp):
    scheme = "inproc"
