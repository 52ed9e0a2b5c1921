"""What a device sees on its screen. Distances are pixels."""

import attrs

from aip_trio.messages._model import WireModel

__all__ = ["AppWindowControlInfo", "ControlInfo", "Rect", "WindowInfo"]


@attrs.frozen(kw_only=True)
class Rect(WireModel):
    """A rectangle by its upper left corner."""

    x: int
    y: int
    width: int
    height: int


@attrs.frozen(kw_only=True)
class ControlInfo(WireModel):
    """A control, such as a button."""

    annotation_id: str | None = None
    name: str | None = None
    title: str | None = None
    handle: int | None = None
    class_name: str | None = None
    rectangle: Rect | None = None
    control_type: str | None = None
    automation_id: str | None = None
    is_enabled: bool | None = None
    is_visible: bool | None = None
    source: str | None = None
    text_content: str | None = None


@attrs.frozen(kw_only=True)
class WindowInfo(ControlInfo):
    """A window, which is a control of a process."""

    process_id: int | None = None
    process_name: str | None = None
    is_minimized: bool | None = None
    is_maximized: bool | None = None
    is_active: bool | None = None


@attrs.frozen(kw_only=True)
class AppWindowControlInfo(WireModel):
    """A window and the controls in it."""

    window_info: WindowInfo
    controls: list[ControlInfo] | None = None
