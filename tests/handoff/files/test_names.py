import pytest

from handoff.files.names import LIMIT, clean_name, read_extension


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("shot.png", "shot.png"),
        ("Übersicht 2026.pdf", "Übersicht 2026.pdf"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("C:\\fakepath\\shot.png", "shot.png"),
        ("/", "file.png"),
        ("..", "file.png"),
        (".htaccess", "htaccess"),
        ("a\u202egnp.exe", "agnp.exe"),
        ("a\u200b\u2066b\u0000\u0007.txt", "ab.txt"),
        ("line\nbreak\t.txt", "line break .txt"),
        ('q"uo<te>s|?*:.txt', "q_uo_te_s____.txt"),
        ("con", "_con"),
        ("LPT1.txt", "_LPT1.txt"),
        ("name. . ", "name"),
        ("***", "file.png"),
        ("", "file.png"),
        ("[x](https:evil)", "_x_(https_evil)"),
        ("{{ name }}", "__ name __"),
        ("\ud83d half.txt", "half.txt"),
    ],
)
def test_a_name_is_made_harmless(given, expected):
    assert clean_name(given, ".png") == expected


def test_a_long_name_keeps_its_extension():
    name = clean_name("x" * 500 + ".pdf")
    assert len(name) == LIMIT
    assert name.endswith("x.pdf")


def test_an_endless_extension_is_none():
    assert len(clean_name("x." + "y" * 500)) == LIMIT


def test_an_extension_has_small_letters():
    assert read_extension("Invoice.PDF") == ".pdf"
    assert read_extension("README") == read_extension(".profile") == ""
