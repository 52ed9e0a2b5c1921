"""Sphinx's configuration. The diagrams of state machines are drawn from their tables at build time."""

import importlib
from importlib.metadata import version as installed_version
from pathlib import Path

from sphinx.application import Sphinx

project = "aip_trio"
copyright = "Contributors to the aip_trio project"
version = release = installed_version("aip-trio")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinxcontrib.mermaid"]
exclude_patterns = ["_build"]
default_role = "py:obj"  # `Actor` in a docstring is a link
html_theme = "furo"
html_title = f"aip_trio {release}"

myst_enable_extensions = ["colon_fence", "deflist"]
myst_fence_as_directive = ["mermaid"]
myst_heading_anchors = 3

autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "bysource"

# The public machines, by dotted name, in the order of the page; each is a section of reference/machines.md.
MACHINES: tuple[str, ...] = (
    "aip_trio.actors.CHILD_MACHINE",
    "aip_trio.transport.TRANSPORT_MACHINE",
    "aip_trio.protocol.REGISTRATION_MACHINE",
    "aip_trio.protocol.TASK_SESSION_MACHINE",
    "aip_trio.protocol.COMMAND_MACHINE",
    "aip_trio.protocol.DEVICE_INFO_MACHINE",
    "aip_trio.protocol.LINK_MACHINE",
    "aip_trio.protocol.FILE_SEND_MACHINE",
    "aip_trio.protocol.FILE_RECEIVE_MACHINE",
    "aip_trio.resilience.HEARTBEAT_MACHINE",
    "aip_trio.endpoints.SERVER_LIFECYCLE",
    "aip_trio.endpoints.CLIENT_LIFECYCLE",
    "aip_trio.endpoints.CONSTELLATION_LIFECYCLE",
    "aip_trio.rpc.PRESENCE_MACHINE",
    "aip_trio.rpc.RPC_SERVICE_MACHINE",
    "aip_trio.rpc.bridge.RPC_BRIDGE_MACHINE",
    "aip_trio.cli.rpc.ACQUISITION_MACHINE",
)


def machines_page(names: tuple[str, ...]) -> str:
    """The page with one diagram for each machine named."""
    page = ["# State machines", "", "Drawn from the tables that the code runs on.", ""]
    if not names:
        page += ["No machine is public yet.", ""]
    for name in names:
        module, _, attribute = name.rpartition(".")
        machine = getattr(importlib.import_module(module), attribute)
        diagram = ["```mermaid", machine.mermaid().strip(), "```"]
        page += [f"## {machine.name}", "", f"`{name}`", "", *diagram, ""]
    return "\n".join(page)


def write_machines_page(app: Sphinx) -> None:
    """Write the generated page before Sphinx looks for sources; untouched where nothing changed."""
    target = Path(app.srcdir) / "reference" / "machines.md"
    page = machines_page(MACHINES)
    if not target.is_file() or target.read_text(encoding="utf-8") != page:
        target.write_text(page, encoding="utf-8")


def setup(app: Sphinx) -> None:
    app.connect("builder-inited", write_machines_page)
