"""A server that sends prepared transactions as fast as a client takes them.

`python -m benches.compare.stream_server FOLDER` prints its port and serves until its standard input
ends. The first line of that names the files: the answer to a subscription, and transactions. A call
of `say("go")` gets all transactions once, `say("end")` is answered, all others are ignored. Threads
that block take less of the processors than an event loop would.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import sys
import threading
from pathlib import Path

from .frames import APPLIED_IDS, UPDATE_SET, read, websocket_frame
from .rows import string
from .wire import SUBSCRIBE, client_frame, upgrade_answer, with_ids


class Client:
    """One connection, in a thread."""

    def __init__(self, connection: socket.socket, rows: bytes, transactions: list[bytes]) -> None:
        self._socket = connection
        self._rows = rows
        self._transactions = transactions
        self._stream = b""

    def serve(self) -> None:
        with self._socket:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            request = b""
            while b"\r\n\r\n" not in request:
                request += self._socket.recv(65536)
            self._socket.sendall(upgrade_answer(request))
            received = b""
            while data := self._socket.recv(1 << 18):
                received += data
                at = 0
                while (frame := client_frame(received, at)) is not None:
                    at += frame.size
                    if frame.opcode == 8:
                        self._socket.sendall(b"\x88\x02\x03\xe8")
                        return
                    if frame.opcode == 9:
                        self._socket.sendall(bytes([0x8A, len(frame.payload)]) + frame.payload)
                    elif frame.opcode == 2:
                        self._message(frame.payload)
                received = received[at:]

    def _message(self, payload: bytes) -> None:
        if payload[0] == SUBSCRIBE:
            ids = payload[1:9]
            frames = (
                websocket_frame(with_ids(body, UPDATE_SET, ids[4:])) for body in self._transactions
            )
            self._stream = b"".join(frames)
            self._socket.sendall(websocket_frame(with_ids(self._rows, APPLIED_IDS, ids)))
        elif payload.endswith(_said("go")):
            self._socket.sendall(self._stream)
        elif payload.endswith(_said("end")):
            at = len(payload) - len(_said("end"))
            request = payload[at - 5 : at - 1]
            result = struct.pack("<B4sqB", 6, request, 0, 1)
            self._socket.sendall(websocket_frame(result))


def _said(text: str) -> bytes:
    """The end of a call, after its request id and its flags."""
    return string("say") + struct.pack("<I", 4 + len(text)) + string(text)


def main() -> None:
    folder, files = Path(sys.argv[1]), json.loads(sys.stdin.readline())
    rows = read(folder / files[0])[0]
    transactions = [body for name in files[1:] for body in read(folder / name)]
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)

    def accept() -> None:
        while True:
            client = Client(listener.accept()[0], rows, transactions)
            threading.Thread(target=client.serve, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
