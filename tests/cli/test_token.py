import logging
import os
from pathlib import Path

import pytest

from aip_trio.cli._token import read_token
from aip_trio.errors import InvalidOption

SECRET = "s3cr3t-token"


def write(path: Path, content: str | bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(mode)
    return path


def test_without_a_file_there_is_no_token() -> None:
    assert read_token(None) is None


def test_white_space_around_a_token_is_not_part_of_it(tmp_path: Path) -> None:
    assert read_token(write(tmp_path / "token", f"\n  {SECRET}\r\n\n")) == SECRET


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "is empty: write the token into it"),
        (" \n", "is empty: write the token into it"),
        ("two words", "holds what no token can have"),
        (b"tok\xc3\xa4n", "holds what no token can have"),
        ("a\0b", "holds what no token can have"),
        ("x" * 5000, "has more than 4096 bytes"),
    ],
)
def test_what_is_no_token_is_refused_without_showing_it(
    content: str | bytes, told: str, tmp_path: Path
) -> None:
    path = write(tmp_path / "token", content)
    with pytest.raises(InvalidOption) as raised:
        read_token(path)
    assert str(raised.value).startswith(f"token-file={str(path)!r} {told}")
    assert "two" not in str(raised.value)
    assert "xxx" not in str(raised.value)


@pytest.mark.parametrize("name", ["missing", "", "a\0b"])
def test_a_file_that_cannot_be_read_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidOption, match=r"token-file=.*cannot be read"):
        read_token(tmp_path / name)


def test_a_file_that_everybody_may_read_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(tmp_path / "token", SECRET, 0o644)
    with caplog.at_level(logging.WARNING):
        assert read_token(path) == SECRET
    assert str(path) in caplog.text
    assert "chmod 600" in caplog.text
    assert SECRET not in caplog.text


def test_a_private_file_is_not_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert read_token(write(tmp_path / "token", SECRET, 0o640)) == SECRET
    assert caplog.text == ""


def test_a_token_may_come_through_a_pipe(caplog: pytest.LogCaptureFixture) -> None:
    reader, writer = os.pipe()
    os.write(writer, SECRET.encode())
    os.close(writer)
    try:
        assert read_token(Path(f"/dev/fd/{reader}")) == SECRET
    finally:
        os.close(reader)
    assert caplog.text == ""
