"""Options that several commands of ``rpc`` have."""

from typing import Annotated

import typer

__all__ = ["CommandPort", "Host", "SubscriberPort", "Timeout", "Topics", "Wait"]

Host = Annotated[str, typer.Option(metavar="ADDRESS", help="The address of the service.")]
SubscriberPort = Annotated[
    int, typer.Option(metavar="PORT", min=1, max=65535, help="The port of its events.")
]
CommandPort = Annotated[int, typer.Option(metavar="PORT", min=1, max=65535, help="The port of its commands.")]
Timeout = Annotated[float, typer.Option(metavar="SECONDS", min=0, help="Seconds that each answer may take.")]
Wait = Annotated[
    bool, typer.Option("--wait", help="Wait for the end, too, of a command that is answered with pending.")
]
Topics = Annotated[
    list[str] | None,
    typer.Option(
        "--topic",
        metavar="NAME|NUMBER",
        help="Show this topic, such as EVENT; give it again for more. Without it, what there is.",
    ),
]
