"""A token is shown to the server, and to nobody else: no log, no error, no repr, no tree of actors."""

import logging
from pathlib import Path
from traceback import format_exception

import pytest

from aip_trio.endpoints import ConstellationEndpoint, DeviceClientEndpoint
from aip_trio.endpoints._profile import AgentProfile
from aip_trio.endpoints.server._listener import Door, _same
from aip_trio.errors import AipError, HandshakeRefused
from aip_trio.transport import Handshake
from tests.cli.programs import first_line, running, story_until
from tests.endpoints.support import Worker, quick, serving
from tests.security.attacker import attacker, head

RIGHT, WRONG = "r1ght-token-of-the-server", "wr0ng-token-of-a-client"


def door(token: str | None) -> Door:
    return Door(
        host="127.0.0.1",
        port=0,
        path="/ws",
        token=token,
        local=False,
        ssl_context=None,
        ping_interval=20,
        ping_timeout=45,
        drain=0,
    )


@pytest.mark.parametrize(
    ("given", "welcome"),
    [
        (f"Bearer {RIGHT}", True),
        (f"bearer {RIGHT}", False),
        (f"Bearer  {RIGHT}", False),
        (f"Bearer {RIGHT} ", False),
        (f"Bearer {RIGHT}, Bearer {RIGHT}", False),
        (f"Bearer {RIGHT.upper()}", False),
        (f"Bearer {RIGHT[:-1]}", False),
        (f"Bearer {RIGHT}x", False),
        (f"Basic {RIGHT}", False),
        ("Bearer ", False),
        ("Bearer", False),
        (RIGHT, False),
        ("", False),
        ("Bearer " + "x" * 10_000, False),
        ("Bearer \xff\xfe\x00", False),
    ],
)
def test_the_right_token_is_exactly_the_right_one(given: str, welcome: bool) -> None:
    refusal = door(RIGHT).admit(Handshake("/ws", "", (("authorization", given),), (), "127.0.0.1:1"))
    assert (refusal is None) is welcome
    if refusal is not None:
        assert (refusal.status, refusal.rule) == (401, "token")
        assert RIGHT not in refusal.body


def test_what_is_compared_is_of_one_length_whatever_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """`hmac.compare_digest` takes its time by the length of what it is given, and stops where they differ."""
    lengths: set[int] = set()

    def compare(one: bytes, other: bytes) -> bool:
        lengths.update((len(one), len(other)))
        return one == other

    monkeypatch.setattr("hmac.compare_digest", compare)
    assert not any(_same("x" * length, RIGHT) for length in (0, 1, 10, 100, 10_000))
    assert _same(RIGHT, RIGHT)
    assert lengths == {32}


@pytest.mark.trio
async def test_no_record_at_any_level_holds_a_token(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    said: list[object] = []
    async with serving(token=RIGHT) as server:
        device = DeviceClientEndpoint(server.url, Worker(), token=RIGHT)
        await device.start()
        orch = ConstellationEndpoint("orch", token=RIGHT, reconnection_strategy=quick(0))
        await orch.start()
        await orch.connect_to_device(AgentProfile(device_id="dev-1", server_url=server.url))
        late = DeviceClientEndpoint(server.url, Worker("dev-2"), token=WRONG, reconnection_strategy=quick(1))
        with pytest.raises(HandshakeRefused) as raised:
            await late.start()
        async with attacker(server.port) as it:
            await it.write(head(f"Authorization: Bearer {WRONG}", f"X-{WRONG}: a"))
            assert await it.status() == 401
        said += [raised.value, repr(raised.value), server.system.tree(), server.statistics()]
        said += map(repr, (server, device, orch, late, server._door, server._hub, device._dial, late._dial))
        await orch.stop()
        await device.stop()
    said += format_exception(raised.value)
    text = "\n".join(map(str, said)) + caplog.text + repr([vars(record) for record in caplog.records])
    assert "dev-1" in text  # it is a look at what there is
    for token in (RIGHT, WRONG):
        assert token not in text


@pytest.mark.trio
async def test_a_token_that_no_header_can_carry_is_refused_and_not_shown() -> None:
    async with serving() as server:
        for token in ("two words\n", "sn\u00f6w\u2603", "x\x00y"):
            device = DeviceClientEndpoint(server.url, Worker(), token=token, reconnection_strategy=quick(0))
            with pytest.raises(AipError) as raised:
                await device.start()
            assert token not in str(raised.value)


def test_the_programs_tell_no_token_at_level_debug(tmp_path: Path) -> None:
    files: dict[str, Path] = {}
    for name, token in (("right", RIGHT), ("wrong", WRONG)):
        files[name] = tmp_path / name
        files[name].write_text(token)
        files[name].chmod(0o600)
    debug = ("--log-level", "debug", "--debug")
    with running("server", "--port", "0", "--token-file", str(files["right"]), *debug) as server:
        url = first_line(server).split()[-1]
        right, wrong = ("--token-file", str(files["right"])), ("--token-file", str(files["wrong"]))
        with (
            running("device", "--url", url, "--id", "dev-1", *right, *debug) as device,
            running("device", "--url", url, "--id", "dev-2", *wrong, *debug) as stranger,
        ):
            first_line(device)
            outputs = [*story_until(stranger, "asked again")]
            with running("info", "--url", url, "--device", "dev-1", *right, *debug) as info:
                outputs += info.communicate(timeout=20)
                assert info.returncode == 0
            for process in (stranger, device, server):
                process.terminate()
                assert process.stdout is not None
                assert process.stderr is not None
                outputs += [*process.stdout, *process.stderr]
    text = "".join(outputs)
    assert "401" in text
    assert "dev-1" in text
    for token in (RIGHT, WRONG):
        assert token not in text
