"""The command ``rpc serve``."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated, Literal

import trio
import typer
from rich.text import Text

from aip_trio.actors import ActorSystem
from aip_trio.cli._errors import GaveUp
from aip_trio.cli._exposure import is_local
from aip_trio.cli._shell import Shell
from aip_trio.errors import InvalidOption

__all__ = ["serve"]

#: Seconds over which the processors' load is first measured.
_SETTLE = 0.1


def serve(
    shell: Shell,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="The address to listen at; other machines reach 0.0.0.0.")
    ] = "127.0.0.1",
    subscriber_port: Annotated[
        int, typer.Option(metavar="PORT", min=0, max=65535, help="The port for events; 0 picks a free one.")
    ] = 5556,
    command_port: Annotated[
        int, typer.Option(metavar="PORT", min=0, max=65535, help="The port for commands; 0 picks a free one.")
    ] = 5557,
    identifier: Annotated[
        str, typer.Option(metavar="NAME", help="The device's name, in every heartbeat.")
    ] = "autotrainer-device",
    heartbeat_interval: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.01, help="Seconds between heartbeats.")
    ] = 5.0,
    reading_interval: Annotated[
        float,
        typer.Option(metavar="SECONDS", min=0.01, help="Seconds between readings, while it acquires."),
    ] = 1.0,
    replay: Annotated[
        int,
        typer.Option(
            metavar="EVENTS", min=0, help="Events kept of each topic, for clients that have missed some."
        ),
    ] = 0,
    pending_after: Annotated[
        float,
        typer.Option(
            metavar="SECONDS", min=0, help="Seconds after which a command that runs is answered with pending."
        ),
    ] = 0.05,
    dialect: Annotated[
        Literal["0.12", "0.9"],
        typer.Option(help="How events are written: as auto-trainer-api does since 0.12, or as 0.9 did."),
    ] = "0.12",
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Let other machines in, all of which may command the device.")
    ] = False,
) -> int:
    """Run a device to try things on, with the events and commands of auto-trainer-api.

    It tells of this machine, acquires its load when told to, and does nothing else to it. Prints a line when
    it is ready. SIGINT and SIGTERM stop it in order.
    """
    if not insecure and not is_local(host):
        raise InvalidOption(
            "host",
            host,
            "lets other machines in, and each may command the device: give --insecure if you want that",
        )
    if subscriber_port == command_port != 0:
        raise InvalidOption("command-port", command_port, "is the port for events, too: give another one")
    from aip_trio.cli.rpc._device import TrialDevice
    from aip_trio.cli.rpc._machine import Sample, configuration, take_sample
    from aip_trio.rpc import ApiOptions, RpcOptions, RpcService, create_api_service

    options = RpcOptions(
        identifier=identifier,
        heartbeat_interval=heartbeat_interval,
        subscriber_port=subscriber_port,
        command_port=command_port,
        host=host,
        replay=replay,
        dialect=dialect,
        pending_after=pending_after,
    )

    def ready(service: RpcService) -> None:
        events, commands = service.urls
        line = f"listening on {events} (events) {commands} (commands)"
        shell.output.result({"events": events, "commands": commands}, lambda: Text(line), [line])

    async def sample(over: float | None = None) -> Sample:
        return await trio.to_thread.run_sync(take_sample, over, abandon_on_cancel=True)

    async def run(system: ActorSystem) -> None:
        told = {
            "identifier": identifier,
            "heartbeat_interval": heartbeat_interval,
            "reading_interval": reading_interval,
            "replay": replay,
            **await trio.to_thread.run_sync(configuration),
        }
        service = create_api_service(ApiOptions(rpc=options))
        assert service is not None  # they are enabled
        device = TrialDevice(service, told, await sample(_SETTLE))
        service.command_request_delegate = device.answer
        async with service:
            device.launched(version("aip-trio"))
            ready(service)
            try:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(device.read, reading_interval, sample)
                    await service.stopped()
                    raise GaveUp("service")
            finally:
                device.terminating("stopped")

    shell.run(run)
    return 0
