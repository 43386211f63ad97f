"""TCP and TLS by anyio's streams, for trio. anyio sets TCP_NODELAY itself."""

from __future__ import annotations

import ssl
from contextlib import suppress

import anyio
from anyio.abc import ByteStream
from anyio.streams.tls import TLSStream

from .event_loop import Event
from .proxies import Proxy
from .transport import Driver, Endpoint

_READ_SIZE = 65536


class StreamTransport:
    """An anyio stream, with one task that receives and one that sends."""

    def __init__(
        self,
        endpoint: Endpoint,
        driver: Driver,
        tls: ssl.SSLContext | None,
        proxy: Proxy | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._driver = driver
        self._tls = tls
        self._proxy = proxy
        self._tasks = anyio.create_task_group()
        # Cancelling the tasks is left to abort(): a cancelled user still gets an orderly end.
        self._scope = anyio.CancelScope(shield=True)
        self._something_to_do = Event()
        self._is_closing = False
        self._is_running = False
        self._ended = Event()

    async def __aenter__(self) -> None:
        await self._tasks.__aenter__()

    async def __aexit__(self, *exc_info: object) -> None:
        # The tasks have ended by now. Without the exception, so that the group has nothing to wrap.
        await self._tasks.__aexit__(None, None, None)

    async def connect(self) -> None:
        host, port = self._endpoint.host, self._endpoint.port
        try:
            stream: ByteStream
            if self._proxy is not None:
                stream = await self._connect_over(await self._proxy.tunnel_stream(host, port))
            elif self._tls is None:
                stream = await anyio.connect_tcp(host, port)
            else:
                stream = await anyio.connect_tcp(
                    host, port, ssl_context=self._tls, tls_standard_compatible=False
                )
        except (anyio.BrokenResourceError, anyio.EndOfStream) as error:
            raise ConnectionAbortedError("the server ended the TLS handshake") from error
        self._is_running = True
        self._tasks.start_soon(self._run, stream)

    async def _connect_over(self, tunnel: ByteStream) -> ByteStream:
        if self._tls is None:
            return tunnel
        try:
            return await TLSStream.wrap(
                tunnel,
                hostname=self._endpoint.host,
                ssl_context=self._tls,
                standard_compatible=False,
            )
        except BaseException:
            await anyio.aclose_forcefully(tunnel)
            raise

    def flush(self) -> None:
        self._something_to_do.set()

    flush_soon = flush

    def close(self) -> None:
        self._is_closing = True
        self._something_to_do.set()
        if not self._is_running:
            self._ended.set()

    def abort(self) -> None:
        self._scope.cancel()
        if not self._is_running:
            self._ended.set()

    async def wait_ended(self) -> None:
        await self._ended.wait()

    async def _run(self, stream: ByteStream) -> None:
        error: Exception | None = None
        try:
            with self._scope:
                async with anyio.create_task_group() as both:
                    both.start_soon(self._send, stream)
                    error = await self._receive(stream)
                    both.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True), suppress(OSError):
                await anyio.aclose_forcefully(stream)
            self._ended.set()
        # Not after Ctrl-C in one of these tasks: that ends the program, and no connection was lost.
        self._driver.on_end(error)

    async def _receive(self, stream: ByteStream) -> Exception | None:
        try:
            while True:
                self._driver.on_data(await stream.receive(_READ_SIZE))
        except (anyio.EndOfStream, anyio.ClosedResourceError):
            return None
        except (anyio.BrokenResourceError, OSError) as error:
            return error

    async def _send(self, stream: ByteStream) -> None:
        while True:
            await self._something_to_do.wait()
            self._something_to_do = Event()
            try:
                if data := self._driver.next_data():
                    await stream.send(data)
            except (anyio.ClosedResourceError, anyio.BrokenResourceError, OSError):
                # The receiving task learns of it too, and of its reason.
                return
            if self._is_closing:
                self._scope.cancel()
