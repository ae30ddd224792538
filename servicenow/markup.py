"""HTML from the desk: cleaned, and as plain text.

``nh3`` parses it as a browser does and keeps a short list of tags. What remains is well-formed, so
it can be read simply: it is drawn as it is, but for pictures, and said in plain words.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from functools import cache
from html.parser import HTMLParser

import nh3

from servicenow.values import Addresses

# Elements that are never closed are opened again in each paragraph, by the rules of HTML. So what is
# made of a text, and the time that it takes, can grow with the square of its length.
LIMIT = 16_000  # characters of HTML that are read; a turn is a few KiB
CLEAN_LIMIT = 10 * LIMIT
DEPTH = 50  # tags in tags; the widget draws a few more

HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
TABLE = {"table", "thead", "tbody", "tr", "th", "td"}
BLOCKS = HEADINGS | {"p", "div", "section", "article", "pre", "blockquote", "ul", "ol", "table", "tr"}
# The tags of the widget's ``markup.js``, where what is in the silent ones is left out, too.
KEPT = BLOCKS | TABLE | {"li", "b", "strong", "i", "em", "u", "s", "code"}
EMPTY = {"br", "hr"}
SILENT = {"script", "style", "title", "template", "noscript", "iframe", "object", "svg", "math"}
ATTRIBUTES = {"a": {"href"}, "img": {"src", "alt"}}
BREAKS = {**dict.fromkeys(BLOCKS | EMPTY, "\n"), "li": "\n- ", "td": " ", "th": " "}


class Markup:
    """HTML read once: ``html`` is safe to draw, ``text`` says the same in plain words."""

    def __init__(self, source: str, addresses: Addresses) -> None:
        reader = _Reader()
        reader.feed(_clean(source[:LIMIT], addresses))
        reader.close()
        self.html = "".join(reader.html).strip()
        self.text = _tidy("".join(reader.text))


def _clean(source: str, addresses: Addresses) -> str:
    read = cache(addresses.read)  # an open link is opened again, too

    def check(_: str, attribute: str, value: str) -> str | None:
        return value if attribute == "alt" else read(value)

    cleaned = nh3.clean(
        source,
        tags=KEPT | EMPTY | ATTRIBUTES.keys(),
        clean_content_tags=SILENT,
        attributes=ATTRIBUTES,
        attribute_filter=check,
        url_schemes={"http", "https"},
        link_rel=None,
    )
    # What grows like that is no honest text; its words are kept.
    return cleaned if len(cleaned) <= CLEAN_LIMIT else nh3.clean(source, tags=set())


class _Reader(HTMLParser):
    """Reads cleaned HTML. ``_open`` has what ends each open tag, in HTML and in words."""

    def __init__(self) -> None:
        super().__init__()
        self.html: list[str] = []
        self.text: list[str] = []
        self._open: list[tuple[str, str]] = []
        self._in_link = False

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.text.append(BREAKS.get(tag, ""))
        if tag == "img":
            self._picture(values.get("src"), values.get("alt"))
        elif tag in EMPTY:
            self.html.append(f"<{tag}>")
        elif tag == "a":
            self._link(values.get("href"))
        else:
            is_drawn = len(self._open) < DEPTH
            self.html.append(f"<{tag}>" if is_drawn else "")
            self._open.append((f"</{tag}>" if is_drawn else "", "\n" if tag in BLOCKS else ""))

    def handle_endtag(self, tag: str) -> None:
        drawn, said = self._open.pop()
        self.html.append(drawn)
        self.text.append(said)
        self._in_link = self._in_link and drawn != "</a>"

    def handle_data(self, data: str) -> None:
        self.html.append(html.escape(data, quote=False))
        self.text.append(data)

    def _link(self, href: str | None) -> None:
        """Without an address, or in another link, it is only its words."""
        if not href or self._in_link:
            self._open.append(("", ""))
            return
        self._in_link = True
        self.html.append(f'<a href="{html.escape(href)}">')
        self._open.append(("</a>", f" ({href})"))

    def _picture(self, src: str | None, alt: str | None) -> None:
        """A picture is a link here: what an instance embeds may need its session, and tells it who looks."""
        words = (alt or "").strip() or src
        if src and words:
            self._link(src)
            self.handle_data(words)
            self.handle_endtag("a")


def _tidy(words: str) -> str:
    joined = re.sub(r"[^\S\n]+", " ", words)
    return re.sub(r" ?\n[ \n]*", "\n", joined).strip()
