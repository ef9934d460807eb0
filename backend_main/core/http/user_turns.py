"""Turns of users for REST views: each request runs on a database thread when it is its user's turn.

Django would run each synchronous view on a new thread, so one user could occupy any number of threads.
"""

from __future__ import annotations

import asyncio
import functools
import weakref
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import suppress
from typing import Any

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.template.response import SimpleTemplateResponse

from ..auth import authentication
from ..auth.authentication import Identity
from ..db import executor
from ..errors import ScanrillError
from ..fair_sharing import FairSemaphore
from ..live.send_queue import SEND_TIMEOUT_SECONDS
from ..runtime import runtime_of
from . import etags
from .problems import error_response

View = Callable[..., HttpResponseBase]
PIECE_BYTES = 64 * 1024


def in_turn(view: View) -> Callable[..., Any]:
    """Run a view of REST framework for the user of the request's token, when it is the user's turn."""

    @functools.wraps(view)
    async def view_in_turn(request: ASGIRequest, **arguments: Any) -> HttpResponseBase:
        try:
            user = (await _authenticate(request)).user
            return await executor.run_for_user(user.pk, _call, view, request, arguments)
        except ScanrillError as error:
            return error_response(error)

    return view_in_turn


def list_in_turn(view: View, is_short: Callable[[ASGIRequest], bool] | None = None) -> Callable[..., Any]:
    """Run a view that lists or searches. A long list also waits until the client has read earlier ones.

    Args:
        view: The view.
        is_short: Returns whether the request is for a short list; None: it never is.
    """
    view_of_short_list = in_turn(view)

    @functools.wraps(view)
    async def view_in_turn(request: ASGIRequest, **arguments: Any) -> HttpResponseBase:
        if is_short is not None and is_short(request):
            response: HttpResponseBase = await view_of_short_list(request, **arguments)
            return response
        try:
            user = (await _authenticate(request)).user
            unread_lists = runtime_of(request.scope).unread_lists
            await unread_lists.acquire(user.pk)
        except ScanrillError as error:
            return error_response(error)
        release = release_once(unread_lists, user.pk)
        try:
            response = await executor.run_long_query(user.pk, _call, view, request, arguments)
            assert isinstance(response, HttpResponse)
        except ScanrillError as error:
            release()
            return error_response(error)
        except BaseException:
            release()
            raise
        if len(response.content) <= PIECE_BYTES:
            release()
            return response
        return _stream(response.content, response, release)

    return view_in_turn


async def _authenticate(request: ASGIRequest) -> Identity:
    identity = await executor.run_in_db_thread(authentication.authenticate_request, request.scope)
    request.identity = identity  # type: ignore[attr-defined] # `RequestAuthentication` reads it
    return identity


def _call(view: View, request: ASGIRequest, arguments: dict[str, Any]) -> HttpResponseBase:
    response = view(request, **arguments)
    if isinstance(response, SimpleTemplateResponse):
        response.render()  # here, since Django would use another thread
    return etags.conditional(request, response) if isinstance(response, HttpResponse) else response


def _stream(content: bytes, response: HttpResponseBase, release: Callable[[], None]) -> HttpResponseBase:
    """Return the response with its content in pieces; release a place when the client has them.

    A client that takes no piece for `SEND_TIMEOUT_SECONDS` is disconnected, as on a WebSocket.
    """
    loop = asyncio.get_running_loop()

    async def pieces() -> AsyncIterator[bytes]:
        task = asyncio.current_task()
        assert task is not None
        try:
            for at in range(0, len(content), PIECE_BYTES):
                timeout = loop.call_later(SEND_TIMEOUT_SECONDS, task.cancel)
                try:
                    yield content[at : at + PIECE_BYTES]
                finally:
                    timeout.cancel()
        finally:
            release()

    headers = {**response.headers, "Content-Length": str(len(content))}
    streamed = StreamingHttpResponse(pieces(), status=response.status_code, headers=headers)
    release_with(streamed, release)
    return streamed


def release_with(response: HttpResponseBase, release: Callable[[], None]) -> None:
    """Release a place when a response is collected: a request cancelled before its start never streams it."""
    loop = asyncio.get_running_loop()

    def release_in_loop() -> None:
        with suppress(RuntimeError):  # the loop is closed, and its places are gone
            loop.call_soon_threadsafe(release)

    weakref.finalize(response, release_in_loop).atexit = False


def release_once(places: FairSemaphore, user: Hashable) -> Callable[[], None]:
    """Return a function that returns a place of a user, however often it is called."""
    is_released = False

    def release() -> None:
        nonlocal is_released
        if not is_released:
            is_released = True
            places.release(user, 0.0)

    return release
