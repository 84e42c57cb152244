"""The bytes of a log file on their way in and out: plain or gzip, hashed, capped, replaced in one step."""

from __future__ import annotations

import gzip
import hashlib
import io
import uuid
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from gndp.core.errors import Invalid

MAX_BYTES = 4 * 1024**3
"""How large a log may be once decompressed, unless the caller says otherwise."""

_CHUNK = 1 << 16
_GZIP_MAGIC = b"\x1f\x8b"


class Content(io.RawIOBase):
    """The decompressed bytes of a file, to be read once from start to end.

    A gzip stream is known by its first bytes, whatever the file's name. Where it is cut short or damaged,
    reading ends as if the file did, and ``broken`` says why. Raises Invalid for a file that cannot be
    opened, and as soon as more than ``max_bytes`` came out.
    """

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES) -> None:
        self.broken: str | None = None
        self._path = path
        self._max_bytes = max_bytes
        self._count = 0
        self._digest = hashlib.sha256()
        self._pending = memoryview(b"")
        self._file = open_file(path)
        magic = self._file.read(2)
        self._file.seek(0)
        self._chunks = self._inflate() if magic == _GZIP_MAGIC else iter(lambda: self._file.read(_CHUNK), b"")

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of what was read so far."""
        return self._digest.hexdigest()

    def readable(self) -> bool:
        """Always: this is what it is for."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill ``buffer`` from the start and say how many bytes that were; 0 at the end."""
        if not self._pending:
            self._pending = memoryview(self._next_chunk())
        size = min(len(buffer), len(self._pending))
        buffer[:size] = self._pending[:size]
        self._pending = self._pending[size:]
        return size

    def chunks(self) -> Iterator[bytes]:
        """All the content, piece by piece."""
        while chunk := self._next_chunk():
            yield chunk

    def close(self) -> None:
        """Close the file too."""
        self._file.close()
        super().close()

    def _next_chunk(self) -> bytes:
        try:
            chunk = next(self._chunks, b"")
        except OSError as error:
            raise Invalid(f"cannot read {self._path}: {error.strerror or error}") from None
        self._count += len(chunk)
        if self._count > self._max_bytes:
            raise Invalid(f"{self._path} holds more than {self._max_bytes:,} bytes once decompressed")
        self._digest.update(chunk)
        return chunk

    def _inflate(self) -> Iterator[bytes]:
        """The members of a gzip stream, never more than a chunk at a time, up to where it breaks."""
        compressed = self._file.read(_CHUNK)
        while compressed.startswith(_GZIP_MAGIC):
            member = zlib.decompressobj(wbits=31)
            while not member.eof:
                before = member.copy()
                try:
                    chunk = member.decompress(compressed, 16 * _CHUNK)
                except zlib.error:
                    yield from _salvaged(before, compressed)
                    self.broken = "the gzip data are damaged here; nothing after it could be read"
                    return
                compressed = member.unconsumed_tail or (b"" if member.eof else self._file.read(_CHUNK))
                if chunk:
                    yield chunk
                elif not compressed and not member.eof:
                    self.broken = "the gzip data end here, before their time; the file is cut short"
                    return
            compressed = member.unused_data or self._file.read(_CHUNK)
            if len(compressed) < 2:
                compressed += self._file.read(_CHUNK)
        if compressed.strip(b"\x00"):
            self.broken = "something that is no gzip data follows here; it was not read"


def _salvaged(member: zlib._Decompress, compressed: bytes) -> Iterator[bytes]:
    """What comes out before the damage, which zlib keeps to itself when it is given all at once."""
    try:
        for position in range(len(compressed)):
            if chunk := member.decompress(compressed[position : position + 1]):
                yield chunk
    except zlib.error:
        return


def open_file(path: Path) -> io.BufferedReader:
    """Open a file for reading; raises Invalid with one clear line when that cannot be done."""
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise Invalid(f"there is no file {path}") from None
    except (OSError, ValueError) as error:
        raise Invalid(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write that takes the place of ``path`` at the end, in one step, and not at all on failure.

    What is written is compressed where the name ends in ``.gz``, without a time stamp, so that the same
    log gives the same bytes. Raises Invalid when the folder does not allow it.
    """
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        with beside.open("xb") as file:
            if path.suffix.lower() == ".gz":
                with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as compressed:
                    yield compressed  # type: ignore[misc]
            else:
                yield file
        beside.replace(path)
    except OSError as error:
        raise Invalid(f"cannot write {path}: {error.strerror or error}") from None
    finally:
        beside.unlink(missing_ok=True)
