"""The captured frames here are the project's: a clone has no shared folder, so it has a copy of them."""

import json
from pathlib import Path

import pytest

COPIES = Path(__file__).parent
SHARED = Path(__file__).parents[3] / "shared" / "wire"


@pytest.mark.skipif(not SHARED.is_dir(), reason="there is no shared folder beside this clone")
def test_the_copies_are_those_of_the_shared_folder() -> None:
    shared = {file.name: json.loads(file.read_text(encoding="utf-8")) for file in SHARED.glob("*.json")}
    copies = {file.name: json.loads(file.read_text(encoding="utf-8")) for file in COPIES.glob("*.json")}
    assert copies == shared
    assert "aip.json" in copies
