"""The page's requests and answers. It listens on 127.0.0.1 alone and answers to no other host's name.

A page of another site can make a browser send requests here: a Host header of another name (DNS
rebinding), another Origin, or a body that is not JSON is refused, and no answer allows another origin.
"""

import logging
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from rnass.errors import ConfigError
from rnass.files import reason
from rnass.serve.jobs import JobQueue, JobRequest, RefusedError

__all__ = ["HOST", "listening", "make_app", "serve"]

HOST = "127.0.0.1"
"""The only address that is listened on: that of this computer, from this computer."""

_GRACE = 3  # seconds for the requests that are under way at the end
_HOSTS = [HOST, "localhost"]
_ASSETS = {"page.js": "text/javascript", "page.css": "text/css"}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "form-action 'none'; frame-ancestors 'none'"
)


def make_app(queue: JobQueue) -> Starlette:
    """The application that answers for *queue*, which it starts and stops."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        queue.start()
        yield
        await run_in_threadpool(queue.stop)

    app = Starlette(
        lifespan=lifespan,
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=_HOSTS, www_redirect=False),
            Middleware(BaseHTTPMiddleware, dispatch=_guarded),
        ],
        routes=[
            Route("/", _page),
            Route("/assets/{name}", _asset),
            Route("/limits", _limits),
            Route("/jobs", _submit, methods=["POST"]),
            Route("/jobs/{id}", _status, methods=["GET"]),
            Route("/jobs/{id}", _remove, methods=["DELETE"]),
            Route("/jobs/{id}/report.html", _report),
            Route("/jobs/{id}/results.zip", _archive),
        ],
    )
    app.state.queue = queue
    return app


def listening(port: int) -> socket.socket:
    """A socket that listens at *port* of this computer, for `serve`.

    Raises:
        ConfigError: the port is in use, or not to be had.
    """
    found = socket.socket()
    try:
        if sys.platform != "win32":  # where it would share the port
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((HOST, port))
        found.listen()
    except OSError as error:
        found.close()
        raise ConfigError(f"--port {port}: {reason(error)}; expected a free port") from error
    return found


def serve(queue: JobQueue, listener: socket.socket) -> None:
    """Answer until Ctrl-C or SIGTERM; the address is written to standard error.

    Requests that are under way have a few seconds then; the job that runs is interrupted at once.
    """
    import uvicorn

    class Server(uvicorn.Server):
        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            queue.interrupt()
            log = logging.getLogger("uvicorn.error")  # a request that is cut off at the end is no error
            log.setLevel(logging.CRITICAL)
            await super().shutdown(sockets)

    where = f"http://{HOST}:{listener.getsockname()[1]}/"
    sys.stderr.write(
        f"rnass: {where} answers this computer only; jobs are in {queue.folder}; Ctrl-C ends\n"
    )
    config = uvicorn.Config(
        make_app(queue), log_level="warning", access_log=False, timeout_graceful_shutdown=_GRACE
    )
    Server(config).run(sockets=[listener])


async def _guarded(request: Request, answer: RequestResponseEndpoint) -> Response:
    """Refuse requests that a page of another site has sent; tell browsers to be strict."""
    origin = request.headers.get("origin")
    if origin is not None and origin != f"{request.url.scheme}://{request.headers.get('host')}":
        return _problems(403, "a request of another site; expected one of this page")
    response = await answer(request)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response


def _problems(status: int, *messages: str) -> JSONResponse:
    return JSONResponse({"problems": [[message, None] for message in messages]}, status)


async def _page(_: Request) -> Response:
    text = _read("page.html")
    return Response(text, media_type="text/html", headers={"Content-Security-Policy": _POLICY})


async def _asset(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _ASSETS:
        return _problems(404, "no such page")
    return Response(_read(name), media_type=_ASSETS[name])


def _read(name: str) -> str:
    return (files("rnass.serve") / "assets" / name).read_text(encoding="utf-8")


async def _limits(request: Request) -> Response:
    """The limits of a job, and the id of the folder, by which a browser knows its jobs."""
    queue: JobQueue = request.app.state.queue
    limits = queue.limits
    return JSONResponse(
        {
            "records": limits.records,
            "bases": limits.bases,
            "upload": limits.upload,
            "folder": queue.id,
        }
    )


async def _submit(request: Request) -> Response:
    """Queue what was sent: 201 and its id, or what is wrong with it."""
    queue: JobQueue = request.app.state.queue
    kind = request.headers.get("content-type", "").partition(";")[0]
    if kind.strip().lower() != "application/json":
        return _problems(415, "not JSON; expected a request of this page")
    body = await _body(request, queue.limits.upload)
    if body is None:
        return _problems(413, f"too large; expected at most {queue.limits.upload:,} bytes")
    try:
        asked = JobRequest.model_validate_json(body)
    except ValidationError as error:
        return _problems(
            422, *(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        )
    try:
        return JSONResponse({"id": await run_in_threadpool(queue.submit, asked)}, 201)
    except RefusedError as refused:
        return JSONResponse({"problems": refused.problems, "others": refused.others}, 422)


async def _body(request: Request, most: int) -> bytes | None:
    """The body of a request; None if it is longer than *most* bytes."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            return None
    return body


async def _status(request: Request) -> Response:
    found: dict[str, Any] | None = await run_in_threadpool(
        request.app.state.queue.status, request.path_params["id"]
    )
    return _problems(404, "no such job") if found is None else JSONResponse(found)


async def _remove(request: Request) -> Response:
    there = await run_in_threadpool(request.app.state.queue.remove, request.path_params["id"])
    return Response(status_code=204) if there else _problems(404, "no such job")


async def _report(request: Request) -> Response:
    path: Path | None = request.app.state.queue.file(request.path_params["id"], "report")
    return (
        _problems(404, "no such report") if path is None else FileResponse(path, media_type="text/html")
    )


async def _archive(request: Request) -> Response:
    name = request.path_params["id"]
    path: Path | None = request.app.state.queue.file(name, "zip")
    if path is None:
        return _problems(404, "no such results")
    return FileResponse(path, media_type="application/zip", filename=f"rnass-{name[:8]}.zip")
