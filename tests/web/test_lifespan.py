"""An application's own start and end, and what becomes of the server where they fail."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
import trio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from trio.testing import wait_all_tasks_blocked

from aip_trio.errors import AppFailed
from aip_trio.web import serve_app
from tests.web.raw import get


async def show_state(request: Request) -> Response:
    return JSONResponse(request.state.shared)


@pytest.mark.trio
async def test_it_starts_before_the_first_request_and_ends_after_the_last() -> None:
    seen: list[str] = []

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[dict[str, object]]:
        seen.append("started")
        yield {"shared": [1, 2]}
        await trio.sleep(0.01)
        seen.append("ended")

    app = Starlette(routes=[Route("/", show_state)], lifespan=lifespan)
    async with trio.open_nursery() as nursery:
        server = await serve_app(app, nursery=nursery)
        assert seen == ["started"]
        assert await get(server.url) == (200, b"[1,2]")
        await server.close()
        assert seen == ["started", "ended"]


@pytest.mark.trio
async def test_a_start_that_fails_is_an_error_that_says_why() -> None:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        raise ZeroDivisionError("no disk")
        yield

    async with trio.open_nursery() as nursery:
        with pytest.raises(AppFailed, match=r"startup: ZeroDivisionError: no disk"):
            await serve_app(Starlette(lifespan=lifespan), nursery=nursery)
        await wait_all_tasks_blocked()
        assert not nursery.child_tasks


@pytest.mark.trio
async def test_a_lifespan_that_crashes_while_it_is_served_is_the_servers_crash() -> None:
    crash = trio.Event()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        async with trio.open_nursery() as nursery:

            async def fail() -> None:
                await crash.wait()
                raise ZeroDivisionError("planted")

            nursery.start_soon(fail)
            yield
            nursery.cancel_scope.cancel()

    with pytest.RaisesGroup(pytest.RaisesGroup(AppFailed)):
        async with trio.open_nursery() as nursery:
            await serve_app(Starlette(lifespan=lifespan), nursery=nursery)
            crash.set()


@pytest.mark.trio
async def test_one_that_returns_is_a_crash_too() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await trio.sleep(0.01)

    with pytest.RaisesGroup(pytest.RaisesGroup(pytest.RaisesExc(AppFailed, match="returned"))):
        async with trio.open_nursery() as nursery:
            await serve_app(app, nursery=nursery)
            await trio.sleep_forever()


@pytest.mark.trio
@pytest.mark.parametrize("raises", [True, False])
async def test_an_application_without_one_is_served_all_the_same(raises: bool) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            if raises:
                raise AssertionError("no lifespan here")
            return
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async with trio.open_nursery() as nursery:
        server = await serve_app(app, nursery=nursery)
        assert (await get(server.url))[0] == 204
        await server.close()


@pytest.mark.trio
@pytest.mark.parametrize("how", ["raises", "says so", "asks again"])
async def test_a_shutdown_that_fails_is_logged(how: str, caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if how == "raises":
            raise ZeroDivisionError("planted")
        if how == "says so":
            await send({"type": "lifespan.shutdown.failed", "message": "planted"})
        else:
            await send({"type": "lifespan.shutdown.complete"})
            return

    async with trio.open_nursery() as nursery:
        server = await serve_app(app, nursery=nursery)
        await server.close()
    assert ("planted" in caplog.text) is (how != "asks again")


@pytest.mark.trio
async def test_a_shutdown_that_never_ends_is_the_callers_to_bound() -> None:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        yield
        await trio.sleep_forever()

    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            server = await serve_app(Starlette(lifespan=lifespan), nursery=nursery)
            with trio.move_on_after(0.05) as patience:
                await server.close()
            assert patience.cancelled_caught
            await server.closed()
