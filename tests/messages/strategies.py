"""Any message, as it may come over the wire."""

from typing import Any

from hypothesis import strategies as st

from aip_trio.messages import (
    AppWindowControlInfo,
    BinaryData,
    ClientMessage,
    ClientMessageType,
    ClientType,
    Command,
    ControlInfo,
    FileTransferAbort,
    FileTransferComplete,
    FileTransferResume,
    FileTransferStart,
    MCPToolInfo,
    Rect,
    Result,
    ResultStatus,
    ServerMessage,
    ServerMessageType,
    TaskStatus,
    ToolType,
    WindowInfo,
    WireModel,
)

#: Text that has a form in UTF-8.
texts = st.text(st.characters(codec="utf-8"), max_size=8)

#: What JSON and MessagePack can both say. (MessagePack's integers have 64 bits.)
values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=4,
)

_text = st.none() | texts
_object = st.none() | st.dictionaries(texts, values, max_size=3)
_flag = st.none() | st.booleans()
_handle = st.none() | st.integers(0, 2**63)
_pixels = st.integers(-(2**31), 2**31)

results = st.builds(
    Result,
    status=st.sampled_from(ResultStatus),
    error=_text,
    result=values,
    namespace=_text,
    call_id=_text,
)
commands = st.builds(
    Command,
    tool_name=texts,
    parameters=_object,
    tool_type=st.sampled_from(ToolType),
    call_id=_text,
)
client_messages = st.builds(
    ClientMessage,
    type=st.sampled_from(ClientMessageType),
    status=st.sampled_from(TaskStatus),
    client_type=st.sampled_from(ClientType),
    session_id=_text,
    client_id=_text,
    request=_text,
    action_results=st.none() | st.lists(results, max_size=2),
    timestamp=_text,
    prev_response_id=_text,
    error=_text,
    metadata=_object,
)
server_messages = st.builds(
    ServerMessage,
    type=st.sampled_from(ServerMessageType),
    status=st.sampled_from(TaskStatus),
    user_request=_text,
    actions=st.none() | st.lists(commands, max_size=2),
    messages=st.none() | st.lists(texts, max_size=3),
    error=_text,
    session_id=_text,
    response_id=_text,
    result=values,
)
tools = st.builds(
    MCPToolInfo,
    tool_key=texts,
    tool_name=texts,
    namespace=texts,
    tool_type=texts,
    title=_text,
    input_schema=_object,
    meta=_object,
)
_rectangles = st.none() | st.builds(Rect, x=_pixels, y=_pixels, width=_pixels, height=_pixels)
_controls = st.builds(ControlInfo, name=_text, handle=_handle, rectangle=_rectangles, is_enabled=_flag)
_windows = st.builds(WindowInfo, name=_text, rectangle=_rectangles, process_id=_handle, is_active=_flag)
screens = st.builds(
    AppWindowControlInfo, window_info=_windows, controls=st.none() | st.lists(_controls, max_size=2)
)
_count = st.integers(0, 2**63)
transfers = (
    st.builds(BinaryData, size=_count, filename=_text, checksum=_text, chunk_num=st.none() | _count)
    | st.builds(
        FileTransferStart, filename=texts, size=_count, chunk_size=st.integers(1, 2**63), total_chunks=_count
    )
    | st.builds(FileTransferComplete, filename=texts, total_chunks=_count, checksum=_text)
    | st.builds(FileTransferResume, transfer_id=texts, chunks=_count, checksum=_text)
    | st.builds(FileTransferAbort, filename=texts, reason=texts, transfer_id=_text)
)

#: Any of them; the two that make up a connection's traffic come more often.
messages: st.SearchStrategy[WireModel] = st.one_of(
    client_messages, server_messages, client_messages, server_messages, tools, screens, transfers
)

CLASSES = (
    ClientMessage,
    ServerMessage,
    MCPToolInfo,
    AppWindowControlInfo,
    BinaryData,
    FileTransferStart,
    FileTransferComplete,
    FileTransferResume,
    FileTransferAbort,
)
