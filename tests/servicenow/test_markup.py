"""HTML in, nothing but known tags, checked addresses and text out, soon, whatever it is."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicenow.markup import DEPTH, EMPTY, KEPT, LIMIT, Markup
from servicenow.values import Addresses

ADDRESSES = Addresses("https://dev1.service-now.com")

SHAPES = {
    "text": ("a < b & c", "a &lt; b &amp; c", "a < b & c"),
    "entities": ("&lt;b&gt; &eacute;", "&lt;b&gt; é", "<b> é"),
    "a list": ("<ul><li>a</li><li>b</li></ul>", "<ul><li>a</li><li>b</li></ul>", "- a\n- b"),
    "a table": (
        "<TABLE><tr><th>A</th><td>1</td></tr></TABLE>",
        "<table><tbody><tr><th>A</th><td>1</td></tr></tbody></table>",
        "A 1",
    ),
    "lines": ("a<br/>b<div>c</div>d", "a<br>b<div>c</div>d", "a\nb\nc\nd"),
    "attributes": ("<p class=\"x\" onclick='y' style=z>a</p>", "<p>a</p>", "a"),
    "a script": ("a<script>b < c</script>d", "ad", "ad"),
    "a script that does not end": ("a<script>b", "a", "a"),
    "a page": ("<!DOCTYPE html><html><head><title>x</title></head><body>a</body>", "a", "a"),
    "a remark": ("a<!-- <b>x</b> -->b", "ab", "ab"),
    "a remark that does not end": ("a<!-- b", "a", "a"),
    "tags that do not end": ("<p><b>a", "<p><b>a</b></p>", "a"),
    "tags that end in disorder": ("<b><i>a</b>c</i>", "<b><i>a</i></b><i>c</i>", "ac"),
    "tags that never began": ("a</p></b>c", "a<p></p>c", "a\nc"),
    "tags in tags": ("<<b>script>", "&lt;<b>script&gt;</b>", "<script>"),
    "a link": (
        "<a href='/kb?id=1&amp;x=2'>KB</a>",
        '<a href="https://dev1.service-now.com/kb?id=1&amp;x=2">KB</a>',
        "KB (https://dev1.service-now.com/kb?id=1&x=2)",
    ),
    "a link with controls": ("<a href='java\tscript:alert(1)'>x</a>", "x", "x"),
    "a link in a link": (
        "<a href=https://a/>b<a href=https://c/>d</a></a>",
        '<a href="https://a/">b</a><a href="https://c/">d</a>',
        "b (https://a/)d (https://c/)",
    ),
    "a link in a table in a link": (
        "<a href=https://a/><table><td>b<a href=https://c/>d</a></table></a>",
        '<a href="https://a/"><table><tbody><tr><td>bd</td></tr></tbody></table></a>',
        "bd\n(https://a/)",
    ),
    "a picture": (
        "<img src=/a.png alt='A cat'>",
        '<a href="https://dev1.service-now.com/a.png">A cat</a>',
        "A cat (https://dev1.service-now.com/a.png)",
    ),
    "a picture in a link": (
        "<a href=https://a/><img src=/a.png alt=Cat></a>",
        '<a href="https://a/">Cat</a>',
        "Cat (https://a/)",
    ),
    "a picture of nowhere": ("<img src=x:y>", "", ""),
    "foreign elements": ("<svg><text>x</text></svg><math><mi>y</mi></math>a", "a", "a"),
    "a form": ("<form action=x><input name=y>a</form>", "a", "a"),
}


@pytest.mark.parametrize(("source", "drawn", "said"), SHAPES.values(), ids=SHAPES)
def test_html_is_rebuilt_and_said(source, drawn, said):
    markup = Markup(source, ADDRESSES)
    assert (markup.html, markup.text) == (drawn, said)


ALLOWED = re.compile(
    rf"</?(?:{'|'.join(sorted(KEPT | EMPTY | {'a'}))})>|<a href=\"https?://[^\"<>]*\">|[^<>]+", re.IGNORECASE
)
PIECES = st.sampled_from(
    [
        "<",
        ">",
        "/",
        "<p",
        "<a href=",
        "'",
        '"',
        "javascript:x",
        "https://a/",
        "<script>",
        "</script>",
        "<!--",
        "-->",
        "<img src=x onerror=y>",
        "<svg>",
        "&lt;",
        "&#60;",
        "b",
        " ",
        "=",
        "\0",
        "<style>",
        "<li>",
        "</a>",
        "<b>",
    ]
)


@given(st.lists(PIECES | st.text(max_size=4), max_size=30).map("".join))
def test_nothing_else_ever_comes_out(source):
    drawn = Markup(source, ADDRESSES).html
    assert ALLOWED.sub("", drawn) == ""
    assert drawn.count("<a ") == drawn.count("</a>")


def test_of_a_long_text_the_beginning_is_read():
    assert Markup("a" * LIMIT + "b", ADDRESSES).text == "a" * LIMIT


def test_what_is_too_deep_is_only_said():
    markup = Markup("<div>" * 500 + "a<b>c</b>", ADDRESSES)
    assert markup.html == "<div>" * DEPTH + "ac" + "</div>" * DEPTH
    assert markup.text == "ac"


UNCLOSED = "<p>" + "".join(f"<b {number}>" for number in range(LIMIT // 16)) + "<p>x" * LIMIT
LINK = f"<p><a href='https://a/{'^' * 7000}'>" + "<p>x" * LIMIT


@pytest.mark.parametrize("source", [UNCLOSED, LINK], ids=["tags", "a link"])
def test_of_what_grows_without_measure_the_words_are_kept(source):
    markup = Markup(source, ADDRESSES)
    assert set(markup.html) == set(markup.text) == {"x"}


@pytest.mark.parametrize(
    "source",
    [
        *(
            piece * LIMIT
            for piece in (
                "<",
                "<a ",
                "<a '",
                "<!--",
                "<p>",
                "<script>",
                "</",
                "<b>",
                "&",
                "<a x='",
                "<?",
                "<li>",
            )
        ),
        UNCLOSED,
        LINK,
    ],
    ids=lambda source: source[:6],
)
def test_reading_does_not_take_long(source):
    began = time.process_time()
    Markup(source, ADDRESSES)
    assert time.process_time() - began < 5.0
