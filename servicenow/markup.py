"""HTML from the desk, rebuilt from what may be shown, and as plain text.

Nothing of the original is passed on: the output is written anew from a short list of tags without
attributes, addresses that were checked, and escaped text. So where this reader and a browser read
broken HTML differently, the browser still meets nothing but these tags. Reading takes time in
proportion to the length, whatever is in it; Python's own ``html.parser`` does not.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping

from servicenow.values import Addresses

LIMIT = 50_000  # characters of HTML that are read; a turn is a few KiB
DEPTH = 50  # tags in tags
INLINE = frozenset({"b", "strong", "i", "em", "u", "s", "code"})
HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
TABLE = frozenset({"table", "thead", "tbody", "tr", "th", "td"})
LISTS = frozenset({"ul", "ol", "li"})
KEPT = INLINE | HEADINGS | TABLE | LISTS | {"p", "pre", "blockquote"}
EMPTY = frozenset({"br", "hr"})
SILENT = frozenset({"script", "style", "head", "title", "template", "noscript", "iframe", "object", "svg"})
BLOCKS = HEADINGS | EMPTY | {"p", "div", "section", "article", "pre", "blockquote", "ul", "ol", "table", "tr"}
CELLS = frozenset({"td", "th"})


# What cannot be a tag is a text; an attribute with < or > in it makes its tag one, which is ugly but safe.
TOKEN = re.compile(
    r"""<(?P<end>/?)(?P<tag>[a-zA-Z][a-zA-Z0-9]*+)(?P<rest>(?:[^<>"']|"[^"<>]*+"|'[^'<>]*+')*+)>"""
    r"""|(?P<remark><!--|<!|<\?)|(?P<text>[^<]++|<)"""
)
ATTRIBUTE = re.compile(r"""([a-zA-Z-]++)\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"'>]++))""")


class Markup:
    """HTML read once: ``html`` is safe to draw, ``text`` says the same in plain words."""

    def __init__(self, source: str, addresses: Addresses) -> None:
        self._addresses = addresses
        self._open: list[str] = []
        self._silent: str | None = None
        self._href: str | None = None
        self._html: list[str] = []
        self._text: list[str] = []
        self._read(source[:LIMIT])
        while self._open:
            self._shut()

    @property
    def html(self) -> str:
        return "".join(self._html).strip()

    @property
    def text(self) -> str:
        joined = re.sub(r"[^\S\n]+", " ", "".join(self._text))
        return re.sub(r" ?\n[ \n]*", "\n", joined).strip()

    def _read(self, source: str) -> None:
        place = 0
        while found := TOKEN.match(source, place):
            place = found.end()
            if remark := found["remark"]:
                place = _skip(source, place, "-->" if remark == "<!--" else ">")
            elif found["tag"]:
                take: Callable[[str, str], None] = self._take_end if found["end"] else self._take_start
                take(found["tag"].lower(), found["rest"])
            elif self._silent is None:
                self._say(html.unescape(found["text"]))

    def _take_start(self, tag: str, rest: str) -> None:
        if self._silent or len(self._open) >= DEPTH:
            return
        if tag in SILENT:
            self._silent = None if rest.endswith("/") else tag
            return
        self._break(tag)
        if tag == "a":
            self._link(_read_attributes(rest).get("href"))
        elif tag == "img":
            self._picture(_read_attributes(rest))
        elif tag in EMPTY:
            self._html.append(f"<{tag}>")
        elif tag in KEPT:
            self._html.append(f"<{tag}>")
            self._open.append(tag)

    def _take_end(self, tag: str, _: str) -> None:
        if self._silent:
            self._silent = None if tag == self._silent else self._silent
            return
        if tag in self._open:
            while self._open[-1] != tag:
                self._shut()
            self._shut()
        if tag in BLOCKS:
            self._text.append("\n")

    def _say(self, words: str) -> None:
        self._html.append(html.escape(words))
        self._text.append(words)

    def _link(self, href: str | None) -> None:
        address = self._addresses.read(href)
        if address is None or "a" in self._open:
            return
        self._html.append(f'<a href="{html.escape(address)}">')
        self._open.append("a")
        self._href = address

    def _picture(self, attributes: Mapping[str, str]) -> None:
        """A picture is a link here: what an instance embeds may need its session, and tells it who looks."""
        address = self._addresses.read(attributes.get("src"))
        words = attributes.get("alt", "").strip() or address
        if words and "a" in self._open:
            self._say(words)
        elif address and words:
            self._link(address)
            self._say(words)
            self._shut()

    def _shut(self) -> None:
        tag = self._open.pop()
        self._html.append(f"</{tag}>")
        if tag == "a":
            self._text.append(f" ({self._href})")

    def _break(self, tag: str) -> None:
        if tag in BLOCKS:
            self._text.append("\n")
        elif tag == "li":
            self._text.append("\n- ")
        elif tag in CELLS:
            self._text.append(" ")


def _skip(source: str, place: int, end: str) -> int:
    """The place after a remark; one that does not end takes the rest with it, as in a browser."""
    found = source.find(end, place)
    return len(source) if found < 0 else found + len(end)


def _read_attributes(rest: str) -> dict[str, str]:
    return {
        found[1].lower(): html.unescape(found[2] or found[3] or found[4] or "")
        for found in ATTRIBUTE.finditer(rest)
    }
