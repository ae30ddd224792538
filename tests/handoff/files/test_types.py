import io
import struct
import zlib

import pytest

from handoff.errors import FileRefused
from handoff.files.types import agrees, inspect
from tests.support.file_client import draw_picture

PIXELS = 1_000_000
OLE = bytes.fromhex("D0CF11E0A1B11AE1") + bytes(504) + bytes.fromhex("ECA5C100") + bytes(2000)


def look(data, pixels=PIXELS):
    return inspect(io.BytesIO(data), pixels)


def write_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def write_png(width, height, *chunks):
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [
        write_chunk(b"IHDR", header),
        *chunks,
        write_chunk(b"IDAT", zlib.compress(b"")),
        write_chunk(b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (draw_picture(), "image/png"),
        (draw_picture(form="JPEG"), "image/jpeg"),
        (draw_picture(form="GIF"), "image/gif"),
        (draw_picture(form="WEBP"), "image/webp"),
        (b"%PDF-1.7\n", "application/pdf"),
        (OLE, "application/msword"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(300), "video/mp4"),
        (b"\0\0\x01\xba" + bytes(300), "video/mpeg"),
        (b"PK\x03\x04" + bytes(300), "application/zip"),
        (b"plain words\r\n\twith a tab and \x1b[31mcolour\x1b[0m", "text/plain"),
        ("Grüße 👋".encode(), "text/plain"),
        ("Grüße".encode("utf-16"), "text/plain"),
        (b"<html><script>alert(1)</script>", "text/plain"),
        (b"words with a \0 in them", "application/octet-stream"),
        ("Grüße".encode("latin-1"), "application/octet-stream"),
        (b"MZ\x90\0" + bytes(300), "application/x-msdownload"),
        (b"\x7fELF" + bytes(300), "application/x-executable"),
    ],
)
def test_a_file_is_what_its_content_says(data, expected):
    assert look(data).content_type == expected


def test_a_picture_has_a_size():
    looked = look(draw_picture(120, 80))
    assert (looked.width, looked.height) == (120, 80)


@pytest.mark.parametrize(("width", "height"), [(1001, 1000), (60_000, 60_000), (2**31 - 1, 1)])
def test_a_picture_that_would_unpack_into_too_much_is_refused_unopened(width, height):
    with pytest.raises(FileRefused) as refused:
        look(write_png(width, height))
    assert refused.value.response == "utter_file_refused_picture_size"


def test_a_text_in_a_picture_that_would_unpack_into_too_much_is_refused():
    bomb = write_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(50_000_000)))
    with pytest.raises(FileRefused) as refused:
        look(write_png(10, 10, bomb))
    assert refused.value.response == "utter_file_refused_broken"


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff" + bytes(40), draw_picture()[:20]])
def test_a_broken_picture_is_refused(data):
    with pytest.raises(FileRefused) as refused:
        look(data)
    assert refused.value.response == "utter_file_refused_broken"


@pytest.mark.parametrize(
    ("found", "declared", "name", "expected"),
    [
        ("image/png", "image/png", "a.png", True),
        ("image/png", "IMAGE/PNG; charset=binary", "a.PNG", True),
        ("image/jpeg", "image/jpg", "a.jpeg", True),
        ("image/png", "", "no extension", True),
        ("image/png", "application/octet-stream", "a.unheard-of", True),
        ("image/png", "image/jpeg", "a.png", False),
        ("image/png", "image/png", "a.jpg", False),
        ("application/pdf", "application/pdf", "a.exe", False),
        ("text/plain", "text/csv", "a.csv", True),
        ("text/plain", "application/json", "a.json", True),
        ("text/plain", "", "a.log", True),
        ("text/plain", "text/html", "a.txt", False),
        ("text/plain", "", "a.html", False),
        ("text/plain", "image/svg+xml", "a.svg", False),
        ("text/plain", "", "a.js", False),
        ("application/zip", "application/x-zip-compressed", "a.zip", True),
    ],
)
def test_what_is_said_of_a_file_has_to_agree(found, declared, name, expected):
    assert agrees(found, declared, name) is expected
