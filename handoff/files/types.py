"""What a file is, by its content; what its sender says it is only has to agree."""

from __future__ import annotations

import codecs
import mimetypes
import warnings
from dataclasses import dataclass
from typing import BinaryIO

import filetype
from PIL import Image, UnidentifiedImageError

from handoff.errors import FileRefused
from handoff.files.file import UNKNOWN
from handoff.files.names import read_extension

TEXT = "text/plain"
HEAD = 8192  # bytes, as far as `filetype` looks
CHUNK = 64 * 1024
PICTURES = {"image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF", "image/webp": "WEBP"}
# Controls that texts have: tab, line feed, form feed, carriage return, escape (of coloured logs).
CONTROLS = frozenset(range(32)) - {9, 10, 12, 13, 27}
# Other names for the same thing, as browsers and operating systems say them.
SYNONYMS = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
    "application/x-pdf": "application/pdf",
    "video/mpg": "video/mpeg",
    "video/x-mpeg": "video/mpeg",
    "video/x-m4v": "video/mp4",
    "application/x-zip-compressed": "application/zip",
}
# Texts by another name: they are taken as plain text. What a browser would run is not among them.
TEXTS = frozenset(
    {"application/json", "application/x-ndjson", "application/yaml", "application/toml", "application/sql"}
)
NOT_TEXTS = frozenset({"text/html", "text/javascript", "text/css", "text/xml"})


@dataclass(frozen=True)
class Looked:
    """What was found; sizes in pixels, of a picture only."""

    content_type: str
    width: int | None = None
    height: int | None = None


def inspect(file: BinaryIO, pixels: int) -> Looked:
    """Look at a file without decoding or unpacking it; it is read from its beginning.

    Raises:
        FileRefused: it is a picture that is broken, or of more than so many ``pixels``.
    """
    file.seek(0)
    kind = filetype.guess_mime(file.read(HEAD))
    if kind in PICTURES:
        return _inspect_picture(file, kind, pixels)
    return Looked(kind or (TEXT if _is_text(file) else UNKNOWN))


def _inspect_picture(file: BinaryIO, kind: str, pixels: int) -> Looked:
    """Pillow reads the headers only; a picture's size is known before any of it is unpacked."""
    file.seek(0)
    try:
        with warnings.catch_warnings():
            # It warns of large pictures; whether one is too large is said by our limit.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(file, formats=[PICTURES[kind]]) as picture:
                width, height = picture.size
    except Image.DecompressionBombError:
        raise FileRefused("utter_file_refused_picture_size") from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError):
        raise FileRefused("utter_file_refused_broken") from None
    if width * height > pixels:
        raise FileRefused("utter_file_refused_picture_size")
    return Looked(kind, width, height)


def _is_text(file: BinaryIO) -> bool:
    """UTF-8 throughout, or UTF-16 with its mark, and no controls that no text has."""
    file.seek(0)
    start = file.read(2)
    file.seek(0)
    encoding = "utf-16" if start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8"
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while chunk := file.read(CHUNK):
            if any(ord(c) in CONTROLS for c in decoder.decode(chunk)):
                return False
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def agrees(found: str, declared: str, name: str) -> bool:
    """Whether what is said of a file, by its type and by its name, fits what it is."""
    said = declared.partition(";")[0].strip().lower()
    by_name = mimetypes.guess_type(f"x{read_extension(name)}", strict=False)[0]
    return all(_is_same(found, kind) for kind in (said, by_name) if kind and kind != UNKNOWN)


def _is_same(found: str, said: str) -> bool:
    said = SYNONYMS.get(said, said)
    is_texts_name = said in TEXTS or (said.startswith("text/") and said not in NOT_TEXTS)
    return said == found or (found == TEXT and is_texts_name)


def guess_extension(content_type: str) -> str:
    """With its dot; empty for what nobody knows."""
    return mimetypes.guess_extension(content_type) or ""
