"""What the commands of the fleet refuse before they begin: one line, and status 2."""

import socket
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from aip_trio.cli import main

NOBODY = "ws://127.0.0.1:1/ws"
DEVICE = ["device", "--id", "lab"]
TASK = ["task", "--device", "lab", "--command", "live_load"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["server", "--host", "0.0.0.0"], "host='0.0.0.0' lets other machines in"),
        (["server", "--url", "tcp://0.0.0.0:1"], "url='tcp://0.0.0.0:1' lets other machines in"),
        (["server", "--url", "tcp://*:1"], "url='tcp://*:1' lets other machines in"),
        (["server", "--host", "::"], "host='::' lets other machines in"),
        (["server", "--host", ""], "host='' lets other machines in"),
        (["server", "--host", "example.org"], "host='example.org' lets other machines in"),
        (["server", "--token-file", "/no/where"], "token-file='/no/where' cannot be read"),
        (["server", "--tls-cert", "/no/where"], "tls-cert='/no/where' cannot be used"),
        (["server", "--tls-cert", __file__], "tls-cert='"),
        (["server", "--tls-key", "key"], "tls-key='key' is of no use by itself: give --tls-cert too"),
        (["device", "--url", NOBODY, "--id", ""], "id='' cannot be a device's name"),
        (["device", "--url", NOBODY, "--id", "a/b"], "id='a/b' cannot be a device's name"),
        ([*DEVICE, "--url", "nonsense"], "url='nonsense'"),
        ([*DEVICE, "--url", "http://127.0.0.1/"], "url='http://127.0.0.1/'"),
        ([*DEVICE, "--url", NOBODY, "--root", "/no/where"], "root='/no/where'"),
        ([*DEVICE, "--url", NOBODY, "--allow", "no-such-program"], "allow='no-such-program'"),
        ([*DEVICE, "--url", NOBODY, "--token-file", "/no/where"], "token-file='/no/where'"),
        ([*TASK, "--url", "nonsense"], "url='nonsense'"),
        ([*TASK, "--url", "ws://user:secret@127.0.0.1/"], "url='(not shown)'"),
        ([*TASK, "--url", NOBODY], f"cannot connect to {NOBODY}: "),
        ([*TASK, "--url", NOBODY, "--command", "{}"], "command='{}' is no command"),
        (["task", "--url", NOBODY, "--device", "lab"], "command='' is missing, and so are --metadata and"),
        ([*TASK, "--url", NOBODY, "--metadata", "/no/where"], "metadata='/no/where' cannot be read"),
        (
            ["task", "--url", NOBODY, "--device", "a/b", "--command", "x"],
            "device='a/b' cannot be a device's name",
        ),
        (["info", "--url", NOBODY, "--device", "\x1b"], "device="),
        (["info", "--url", "ws://", "--device", "lab"], "url='ws://'"),
        (["server", "--task", "nonsense"], "task='nonsense' is no name of a thing in a module: write"),
        (
            [*DEVICE, "--url", NOBODY, "--tools", "json:nothing"],
            "tools='json:nothing' is not there: json has",
        ),
        (["tools", "--tools", "json:dumps"], "tools='json:dumps' makes no tools, but raises TypeError: "),
        (["tools", "--root", "/no/where"], "root='/no/where'"),
        (["tools", "--allow", "./a"], "allow='./a' is a relative path"),
    ],
)
def test_it_is_one_line_and_status_2(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith(f"aip-trio: error: {told}")


def test_a_port_in_use_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["server", "--port", str(port)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"aip-trio: error: cannot listen on 127.0.0.1:{port}, which is in use: ")
    assert err.count("\n") == 1


def test_a_key_with_a_password_asks_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    certificate = trustme.CA().issue_cert("localhost")
    chain = tmp_path / "chain.pem"
    chain.write_bytes(certificate.cert_chain_pems[0].bytes())
    key = tmp_path / "key.pem"
    key.write_bytes(_locked(certificate.private_key_pem.bytes()))
    assert main(["server", "--port", "0", "--tls-cert", str(chain), "--tls-key", str(key)]) == 2
    assert "give one without" in capsys.readouterr().err


def _locked(key: bytes) -> bytes:
    return serialization.load_pem_private_key(key, None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
