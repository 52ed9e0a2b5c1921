import os
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from aip_trio.errors import UnsafeFilename
from aip_trio.protocol.transfer._names import LONGEST_NAME, safe_name
from tests.actors.model._settings import examples


@pytest.mark.parametrize(
    ("announced", "name"),
    [
        ("shot.png", "shot.png"),
        ("Grüße aus 東京.txt", "Grüße aus 東京.txt"),
        ("../../etc/passwd", "passwd"),
        ("/etc/passwd", "passwd"),
        ("C:\\Windows\\system.ini", "system.ini"),
        ("..\\..\\boot.ini", "boot.ini"),
        (".bashrc", "bashrc"),
        ("...hidden", "hidden"),
        (".part.part", "part.part"),
        ("a\0b.txt", "ab.txt"),
        ("a\nb\x7f.txt", "ab.txt"),
        ("gpj\u202eexe.txt", "gpjexe.txt"),
        ("\ud800x", "x"),
        ("name. . ", "name"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("com1 .txt", "_com1 .txt"),
        ("console.txt", "console.txt"),
        ("12:30.log", "12:30.log"),
    ],
)
def test_what_becomes_of_a_name(announced: str, name: str) -> None:
    assert safe_name(announced, windows=False) == name


def test_on_windows_a_colon_names_no_stream() -> None:
    assert safe_name("a.txt:evil?.exe", windows=True) == "a.txt_evil_.exe"


@pytest.mark.parametrize(
    "announced", ["", ".", "..", "...", "/", "a/", "../", "a\\", " ", "\0", ". . .", "\u200b"]
)
def test_what_has_no_name_in_it_is_refused(announced: str) -> None:
    with pytest.raises(UnsafeFilename):
        safe_name(announced)


def test_a_long_name_keeps_its_suffix() -> None:
    name = safe_name("é" * 300 + ".png")
    assert name.endswith("é.png")
    assert len(name.encode()) <= LONGEST_NAME
    assert len(safe_name("a." + "b" * 300).encode()) <= LONGEST_NAME


_tricky = st.text(
    st.characters()
    | st.sampled_from("./\\:. \0~*?<>|\"' \u202e\u2044\uff0f\uff0e")
    | st.sampled_from("conNULaux1"),
    max_size=300,
)


@examples(500)
@given(_tricky)
def test_no_name_leads_out_of_its_folder(announced: str) -> None:
    folder = Path("/some/folder")
    for windows in (False, True):
        try:
            name = safe_name(announced, windows=windows)
        except UnsafeFilename:
            continue
        assert os.path.normpath(folder / name) == str(folder / name)
        assert (folder / name).parent == folder
        assert not name.startswith(".")
        assert len(name.encode()) <= LONGEST_NAME + 1  # a device's underscore
        assert safe_name(name, windows=windows) == name  # and that is the end of it
