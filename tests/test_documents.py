"""What the documents point to exists, and they name nothing of a machine."""

import re
from functools import cache
from pathlib import Path

import pytest

from chaos.stage import ROOT
from tests.support.repository import list_tracked

FILES = sorted(ROOT / name for name in list_tracked("*.md"))
LINK = re.compile(r"(?<!\\)\[(?:[^\]\[]|\[[^\]]*\])*\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]+`", re.S)
# A path in backticks: a folder of ours and what follows; `*`, `<` and `…` stand for something.
PATH = re.compile(r"`((?:[\w.-]+/)+[\w.-]*)(?:::\w+)?`")
ROOMS = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")} | {".ci"}
MODULE = re.compile(r"`(\w+\.py)`")
MADE = ("models/", "var/", "widget/dist/", "widget/node_modules/", "results/")  # by commands, kept by nobody
MACHINES = re.compile(r"(?<![\w.])/(?:home|root|work|Users|opt/(?!venv))\b[\w/.-]*")
REGISTRIES = re.compile(
    r"\b(?:registry\.npmjs\.org|pypi\.org|files\.pythonhosted\.org|deb\.debian\.org|docker\.io|crates\.io)\b"
)


def names(file: Path) -> str:
    return str(file.relative_to(ROOT))


@cache
def tracked() -> list[Path]:
    return [ROOT / name for name in list_tracked()]


def slug(heading: str) -> str:
    """As GitHub makes an anchor of a heading."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading.strip()).replace("`", "")
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")


@cache
def anchors(file: Path) -> set[str]:
    text = re.sub(r"```.*?```", "", file.read_text(), flags=re.S)
    found: list[str] = []
    for heading in re.findall(r"^#{1,6} (.+)$", text, re.M):
        name = slug(heading)
        found.append(name if name not in found else f"{name}-{found.count(name)}")
    return {*found, *re.findall(r'<a (?:id|name)="([^"]+)"', text)}


def find_dead_links(file: Path, text: str) -> list[str]:
    dead = []
    for target in LINK.findall(CODE.sub("", text)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (file.parent / path).resolve() if path else file
        if not there.exists() or (anchor and (there.suffix != ".md" or anchor not in anchors(there))):
            dead.append(target)
    return dead


def find_dead_paths(text: str) -> list[str]:
    text = re.sub(r"```.*?```", "", text, flags=re.S)
    ours = {
        path for path in PATH.findall(text) if path.partition("/")[0] in ROOMS and not path.startswith(MADE)
    }
    modules = {path.name for path in tracked()}
    bare = {name for name in MODULE.findall(text) if name not in modules}
    return sorted({path for path in ours if not (ROOT / path).exists()} | bare)


@pytest.mark.parametrize("file", FILES, ids=names)
def test_each_link_leads_somewhere(file):
    assert find_dead_links(file, file.read_text()) == []


@pytest.mark.parametrize("file", FILES, ids=names)
def test_each_path_that_is_named_exists(file):
    assert find_dead_paths(file.read_text()) == []


def test_a_dead_link_a_dead_anchor_and_a_dead_path_are_found():
    readme = ROOT / "README.md"
    text = "[a](docs/nowhere.md) [b](docs/chaos.md#nowhere) [c](docs/chaos.md#mutants) "
    text += "![d](docs/screenshots/none.png)"
    assert find_dead_links(readme, text) == [
        "docs/nowhere.md",
        "docs/chaos.md#nowhere",
        "docs/screenshots/none.png",
    ]
    assert find_dead_paths("`handoff/ledger.py` `handoff/lodger.py` `tests/none/` `models/x.tar.gz`") == [
        "handoff/lodger.py",
        "tests/none/",
    ]


def test_each_document_and_picture_is_reached_from_somewhere():
    linked = set()
    for file in FILES:
        for target in LINK.findall(file.read_text()):
            linked.add((file.parent / target.partition("#")[0]).resolve())
    docs = [
        path for path in tracked() if path.is_relative_to(ROOT / "docs") and path.suffix in (".md", ".png")
    ]
    assert [names(path) for path in docs if path not in linked] == []


@pytest.mark.parametrize("file", FILES, ids=names)
def test_no_document_names_a_path_of_a_machine(file):
    assert MACHINES.findall(file.read_text()) == []


def test_no_file_names_the_host_of_a_package_registry():
    named = {}
    for path in tracked():
        if path.is_file() and (found := REGISTRIES.findall(path.read_bytes().decode(errors="replace"))):
            named[names(path)] = found
    assert named == {}


def test_a_machines_path_and_a_registrys_host_would_be_found():
    assert MACHINES.findall("see /home/somebody/x, not https://example.com/home") == ["/home/somebody/x"]
    host = ".".join(["files", "pythonhosted", "org"])
    assert REGISTRIES.findall(f"from https://{host}/packages") == [host]
