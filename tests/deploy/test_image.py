"""What the image copies exists, is let through, and is all that the assistant imports."""

import ast
import re
from pathlib import PurePath

import pytest
import yaml

from local.deployment import DEPLOY, ROOT
from tests.support.repository import list_tracked

LINES = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
COPIED = [
    source.rstrip("/")
    for line in LINES
    if line.startswith("COPY ") and "--from" not in line
    for source in line.split()[1:-1]
]
IGNORED = [
    line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")
]
CODE = ("actions", "channels", "handoff", "servicenow")
# Of the top-level folders, those that a running assistant does not need; a new folder belongs to one side.
LEFT_OUT = {".ci", "benchmarks", "chaos", "deploy", "docs", "e2e_tests", "simulator", "tests"}
# Only to build the chat page, whose result is copied.
BUILD_ONLY = {"local", "widget"}


@pytest.mark.parametrize("source", COPIED)
def test_what_is_copied_exists_and_is_let_through(source):
    assert (ROOT / source).exists()
    assert f"!{source}" in IGNORED


def test_nothing_else_is_let_through():
    """The first line leaves everything out; in particular `.env`, ledgers, models and logs."""
    assert IGNORED[0] == "*"
    let_in = {line.removeprefix("!") for line in IGNORED if line.startswith("!")}
    assert let_in == set(COPIED)


def test_each_room_is_in_the_image_or_left_out_on_purpose():
    rooms = {PurePath(path).parts[0] for path in list_tracked() if len(PurePath(path).parts) > 1}
    assert rooms - LEFT_OUT == set(COPIED) & rooms | {"data"}
    assert rooms >= BUILD_ONLY


def test_the_data_folder_is_links_to_rooms_that_are_copied():
    for link in (ROOT / "data").iterdir():
        assert link.is_symlink()
        assert str(link.resolve().relative_to(ROOT)) in COPIED


def test_the_code_in_it_imports_nothing_that_is_left_out():
    absent = LEFT_OUT | BUILD_ONLY
    imported = {
        (file, name) for file in list_tracked(*CODE) if file.endswith(".py") for name in imports(file)
    }
    assert ("channels/bridge.py", "handoff") in imported  # the look itself works
    assert [pair for pair in imported if pair[1] in absent] == []


def test_the_last_stage_runs_as_nobody_in_particular():
    stages = "\n".join(LINES).split("\nFROM ")
    run = next(stage for stage in stages if " AS run\n" in stage)
    assert re.findall(r"^USER (.+)$", run, re.M) == ["10001:10001"]
    assert not any(re.search(r"^USER ", stage, re.M) for stage in stages[3:])


def test_only_what_is_locked_with_hashes_is_installed():
    installed = [line for line in LINES if "pip install" in line]
    assert len(installed) == 2
    assert all("--require-hashes" in line and "-dev.lock" not in line for line in installed)


def test_the_licence_is_in_no_variable_of_the_image():
    assert not any("RASA_LICENSE" in line for line in LINES if line.startswith(("ENV", "ARG")))
    naming = [line for line in LINES if "RASA_LICENSE" in line]
    assert len(naming) == 1
    assert "--mount=type=secret" in naming[0]


def test_the_configuration_for_an_action_server_differs_in_nothing_else():
    ours = yaml.safe_load((ROOT / "endpoints.cluster.yml").read_text())
    other = yaml.safe_load((DEPLOY / "endpoints.action-server.yml").read_text())
    assert ours.pop("action_endpoint") == {"actions_module": "actions"}
    assert other.pop("action_endpoint") == {"url": "${ACTION_SERVER_URL}"}
    assert ours == other


def imports(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    return {name.partition(".")[0] for name in names}
