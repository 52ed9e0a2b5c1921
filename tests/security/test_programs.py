"""The programs with certificates, and what they say to those who have none."""

import ssl
from pathlib import Path

import pytest

from aip_trio.cli import main
from aip_trio.cli.fleet._tls import client_tls, server_tls
from aip_trio.errors import InvalidOption
from tests.cli.programs import first_line, running
from tests.security.certificates import Authority

URL = "wss://127.0.0.1:1/ws"


def test_server_device_and_orchestrator_know_each_other_by_certificates(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours, foreign = Authority(), Authority()
    server_file, ca = ours.files(tmp_path, "127.0.0.1")
    mine, _ = ours.files(tmp_path, "dev-1")
    strange, _ = foreign.files(tmp_path / "foreign", "dev-2")
    with running(
        "server", "--port", "0", "--tls-cert", str(server_file), "--tls-client-ca", str(ca)
    ) as server:
        url = first_line(server).split()[-1]
        trusted = ["--url", url, "--tls-ca", str(ca)]
        with running("device", *trusted, "--tls-cert", str(mine), "--id", "dev-1") as device:
            assert "registered" in first_line(device)
            ask = ["info", "--device", "dev-1"]
            assert main([*ask, *trusted, "--tls-cert", str(mine)]) == 0
            assert main(["task", *ask[1:], *trusted, "--tls-cert", str(mine), "--command", "live_load"]) == 0
            capsys.readouterr()
            assert main([*ask, *trusted, "--tls-cert", str(strange)]) == 2
            assert "wants a certificate" in capsys.readouterr().err


def test_certificates_stand_in_for_a_token_where_other_machines_are_let_in(tmp_path: Path) -> None:
    server_file, ca = Authority().files(tmp_path, "127.0.0.1")
    options = ["server", "--host", "0.0.0.0", "--port", "0", "--tls-cert", str(server_file)]
    assert main(options) == 2
    with running(*options, "--tls-client-ca", str(ca)) as server:
        assert "wss://0.0.0.0:" in first_line(server)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["server", "--tls-client-ca", "ca.pem"], "tls-client-ca"),
        (["server", "--tls-key", "key.pem"], "tls-key"),
        (["server", "--tls-cert", "absent.pem"], "tls-cert"),
        (["server", "--tls-cert", "cert.pem", "--tls-client-ca", "absent.pem"], "tls-client-ca"),
        (["server", "--tls-cert", "cert.pem", "--tls-client-ca", "nonsense.pem"], "tls-client-ca"),
        (["info", "--url", URL, "--device", "d", "--tls-ca", "absent.pem"], "tls-ca"),
        (["info", "--url", URL, "--device", "d", "--tls-ca", "nonsense.pem"], "tls-ca"),
        (["info", "--url", URL, "--device", "d", "--tls-cert", "absent.pem"], "tls-cert"),
        (["info", "--url", URL, "--device", "d", "--tls-key", "cert.pem"], "tls-key"),
        (["info", "--url", "ws://127.0.0.1:1/ws", "--device", "d", "--tls-ca", "ca.pem"], "url"),
        (["device", "--url", "ws://127.0.0.1:1/ws", "--id", "d", "--tls-cert", "cert.pem"], "url"),
        (
            ["task", "--url", URL, "--device", "d", "--command", "x", "--tls-ca", "absent.pem"],
            "tls-ca",
        ),
    ],
    ids=str,
)
def test_what_cannot_be_used_is_named(
    options: list[str],
    named: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    certificate, ca = Authority().files(tmp_path, "cert")
    ca.rename(tmp_path / "ca.pem")
    assert certificate.name == "cert.pem"
    (tmp_path / "nonsense.pem").write_text("nonsense")
    assert main(options) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"aip-trio: error: {named}=")
    assert told.count("\n") == 1


def test_what_contexts_demand(tmp_path: Path) -> None:
    certificate, ca = Authority().files(tmp_path, "cert")
    plain, mutual = server_tls(certificate, None), server_tls(certificate, None, ca)
    assert plain is not None
    assert mutual is not None
    assert (plain.verify_mode, mutual.verify_mode) == (ssl.CERT_NONE, ssl.CERT_REQUIRED)
    for context in (plain, mutual):
        assert context.options & ssl.OP_NO_RENEGOTIATION
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    client = client_tls(URL, ca, certificate, None)
    assert client is not None
    assert client.verify_mode is ssl.CERT_REQUIRED
    assert client.check_hostname
    assert len(client.get_ca_certs()) == 1  # and none of the system's
    assert server_tls(None, None) is None
    assert client_tls("ws://127.0.0.1/ws", None, None, None) is None
    with pytest.raises(InvalidOption):
        client_tls(URL, None, None, certificate)
