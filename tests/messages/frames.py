"""The frames captured from AIP's published programs."""

import json
from pathlib import Path
from typing import Any

import aip_trio.messages
from aip_trio.messages import WireModel

__all__ = ["FRAMES", "INVALID", "VALID", "Frame"]

FRAMES = Path(__file__).parents[1] / "wire" / "aip.json"


class Frame:
    """One of them: its name, the class that it is to be read as, and its text."""

    def __init__(self, entry: dict[str, Any]) -> None:
        self.name: str = entry["name"]
        self.model: type[WireModel] = getattr(aip_trio.messages, entry["model"])
        self.json: str = entry["json"]

    def __repr__(self) -> str:
        return self.name


_captured = json.loads(FRAMES.read_text(encoding="utf-8"))

VALID = [Frame(entry) for entry in _captured["valid"]]
INVALID = [Frame(entry) for entry in _captured["invalid"]]
