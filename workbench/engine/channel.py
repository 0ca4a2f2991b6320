"""JSON lines over two pipes: how a coordinator and its workers talk.

Never standard output (components print there) and never pickle (a line is data, whoever wrote it).
"""

from __future__ import annotations

import json
import os
import select
import threading
from typing import Any

CHUNK_BYTES = 1 << 16
Message = dict[str, Any]


class Channel:
    """One end of a conversation.

    Args:
        read: Descriptor that messages come from; the channel owns it.
        write: Descriptor that messages go to; the channel owns it.
    """

    def __init__(self, read: int, write: int) -> None:
        self._read = read
        self._write = write
        self._buffer = bytearray()
        self._sending = threading.Lock()

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._read

    def send(self, message: Message) -> None:
        """Send one message. Raises `BrokenPipeError` when nobody is there to read it."""
        line = memoryview(json.dumps(message, ensure_ascii=True, separators=(",", ":")).encode() + b"\n")
        with self._sending:
            while line:
                line = line[os.write(self._write, line) :]

    def receive(self, timeout_seconds: float | None = None) -> Message | None:
        """Return the next message, or None when none came in time. Raises `EOFError` when the other end is gone."""
        while (end := self._buffer.find(b"\n")) < 0:
            if timeout_seconds is not None and not select.select([self._read], [], [], timeout_seconds)[0]:
                return None
            chunk = os.read(self._read, CHUNK_BYTES)
            if not chunk:
                raise EOFError
            self._buffer += chunk
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        message: Message = json.loads(line)
        return message

    @property
    def has_buffered(self) -> bool:
        """Whether a whole message was read already, so that waiting on `fileno` would miss it."""
        return b"\n" in self._buffer

    def close(self) -> None:
        """Close both descriptors."""
        os.close(self._read)
        os.close(self._write)
