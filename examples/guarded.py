"""A server that knows its devices by their certificates, and has limits of its own.

The certificates are made here, by trustme; a fleet has an authority of its own.

Prints::

    bench-1 is in; devices: 1
    bench-2: client_id 'bench-2' is not in the client's certificate, which names bench-1
    refused: {'certificate': 1}

Logs::

    a connection was refused: the server refused to register 'bench-2': client_id 'bench-2' is not in…
"""

import ssl

import trio
import trustme

from aip_trio import open_system
from aip_trio.endpoints import DeviceClientEndpoint, DeviceServerEndpoint, Limits
from aip_trio.endpoints.tools import ToolClient, ToolRegistry
from aip_trio.errors import RegistrationRefused

AUTHORITY = trustme.CA()


def of_server() -> ssl.SSLContext:
    """Shows the server's certificate, and demands one of each client."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    show(context, AUTHORITY.issue_cert("127.0.0.1"))
    trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def of_client(name: str) -> ssl.SSLContext:
    """Trusts the authority, and shows a certificate of this name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trust(context)
    show(context, AUTHORITY.issue_cert(name))
    return context


def trust(context: ssl.SSLContext) -> None:
    context.load_verify_locations(cadata=AUTHORITY.cert_pem.bytes().decode())


def show(context: ssl.SSLContext, certificate: trustme.LeafCert) -> None:
    with certificate.private_key_and_cert_chain_pem.tempfile() as file:
        context.load_cert_chain(file)


def make_server() -> DeviceServerEndpoint:
    return DeviceServerEndpoint(
        port=0,
        ssl_context=of_server(),
        certificate_names_client=True,
        limits=Limits(clients=500, sessions_per_device=8, message_size=4 * 1024 * 1024),
    )


async def main() -> None:
    async with open_system(), make_server() as server:
        for name in ("bench-1", "bench-2"):
            device = DeviceClientEndpoint(
                server.url, ToolClient(name, ToolRegistry()), max_retries=0, ssl_context=of_client("bench-1")
            )
            try:
                async with device:
                    print(name, "is in; devices:", server.statistics().devices)
            except RegistrationRefused as refused:
                print(f"{name}: {refused.reason}")
        print("refused:", dict(server.statistics().refused))


if __name__ == "__main__":
    trio.run(main)
