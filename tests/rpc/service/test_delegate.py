"""What is async, and what runs in a thread."""

from functools import partial

import pytest

from aip_trio.rpc import ApiCommandRequest, ApiCommandRequestResponse, CommandRequestDelegate
from aip_trio.rpc.service._delegate import Delegate
from tests.rpc.service.support import SUCCESS, succeed


def plain(request: ApiCommandRequest) -> ApiCommandRequestResponse:
    return SUCCESS


class Plain:
    def __call__(self, request: ApiCommandRequest) -> ApiCommandRequestResponse:
        return SUCCESS

    def method(self, request: ApiCommandRequest) -> ApiCommandRequestResponse:
        return SUCCESS


class OnTrio:
    async def __call__(self, request: ApiCommandRequest) -> ApiCommandRequestResponse:
        return SUCCESS

    async def method(self, request: ApiCommandRequest) -> ApiCommandRequestResponse:
        return SUCCESS


@pytest.mark.parametrize("delegate", [plain, Plain(), Plain().method, partial(plain)])
def test_a_plain_one(delegate: CommandRequestDelegate) -> None:
    assert not Delegate.of(delegate).is_async


@pytest.mark.parametrize("delegate", [succeed, OnTrio(), OnTrio().method, partial(succeed)])
def test_an_async_one(delegate: CommandRequestDelegate) -> None:
    assert Delegate.of(delegate).is_async
