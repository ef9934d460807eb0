"""Tools of an MCP server: read a file, list the files, get a text, search. They know no transport."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, NamedTuple, Protocol

import mcp_types
import msgspec
from mcp.server import Server
from msgspec import Meta

from .... import __version__
from ...errors import RequestError, ScanrillError

MAX_ITEMS = 100
INSTRUCTIONS = (
    "scanrill reads scans and PDFs. read_file reads a file and returns its text as Markdown; list_files, "
    "get_text and search work on the files that it has read."
)


class ListArguments(msgspec.Struct, forbid_unknown_fields=True):
    limit: Annotated[int, Meta(ge=1, le=MAX_ITEMS, description="Largest number of files.")] = 20
    name: Annotated[str, Meta(max_length=200, description="Part of the name or of the text.")] = ""


class TextArguments(msgspec.Struct, forbid_unknown_fields=True):
    id: Annotated[str, Meta(description="Id of the file, from list_files, search or read_file.")]
    pages: Annotated[str, Meta(description="Pages, such as 1-3,7. Empty: all.")] = ""


class SearchArguments(msgspec.Struct, forbid_unknown_fields=True):
    query: Annotated[str, Meta(description='Words; "a phrase"; prefix*; -without; name:, before:, after:.')]
    limit: Annotated[int, Meta(ge=1, le=MAX_ITEMS, description="Largest number of hits.")] = 20


class Library(Protocol):
    """The files of one user. Its methods return the text of a tool's result, and raise `ScanrillError`."""

    @property
    def read_arguments(self) -> type[msgspec.Struct]:
        """Arguments of `read_file`: they say how the file comes."""

    async def read_file(self, arguments: Any) -> str: ...

    async def list_files(self, arguments: ListArguments) -> str: ...

    async def get_text(self, arguments: TextArguments) -> str: ...

    async def search(self, arguments: SearchArguments) -> str: ...


class _Tool(NamedTuple):
    description: str
    arguments: type[msgspec.Struct]
    call: Callable[[Any], Awaitable[str]]
    is_read_only: bool = True


def create_server(library: Library) -> Server[Any]:
    """Return a server of the SDK with the tools of one user."""
    tools = _tools(library)

    async def list_tools(_context: object, _parameters: object) -> mcp_types.ListToolsResult:
        return mcp_types.ListToolsResult(tools=[_definition(name, tool) for name, tool in tools.items()])

    async def call_tool(
        _context: object, parameters: mcp_types.CallToolRequestParams
    ) -> mcp_types.CallToolResult:
        try:
            text, is_error = await _call(tools, parameters.name, parameters.arguments or {}), False
        except ScanrillError as error:
            text, is_error = " ".join(error.fields.values()), True
        content = mcp_types.TextContent(type="text", text=text)
        return mcp_types.CallToolResult(content=[content], is_error=is_error)

    return Server(
        "scanrill",
        version=__version__,
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def _tools(library: Library) -> dict[str, _Tool]:
    return {
        "read_file": _Tool(
            "Read a scan, a photo or a PDF. Returns its text as Markdown.",
            library.read_arguments,
            library.read_file,
            is_read_only=False,
        ),
        "list_files": _Tool("List the files, newest first.", ListArguments, library.list_files),
        "get_text": _Tool("Return the text of a file as Markdown.", TextArguments, library.get_text),
        "search": _Tool("Find pages by their words, best first.", SearchArguments, library.search),
    }


async def _call(tools: dict[str, _Tool], name: str, arguments: dict[str, Any]) -> str:
    tool = tools.get(name)
    if tool is None:
        raise RequestError({"name": f"Unknown tool. Use one of {', '.join(tools)}."})
    try:
        converted = msgspec.convert(arguments, tool.arguments)
    except msgspec.ValidationError as error:
        raise RequestError({"arguments": f"Invalid arguments: {error}."}) from None
    return await tool.call(converted)


def _definition(name: str, tool: _Tool) -> mcp_types.Tool:
    _, components = msgspec.json.schema_components([tool.arguments])
    return mcp_types.Tool(
        name=name,
        description=tool.description,
        input_schema=components[tool.arguments.__name__],
        annotations=mcp_types.ToolAnnotations(read_only_hint=tool.is_read_only, destructive_hint=False),
    )
