"""The deliberate mistakes fit the sources as they are."""

from __future__ import annotations

import ast
from dataclasses import replace

import pytest

from chaos.checker import KINDS
from chaos.mutants import MUTANTS, StaleMutant, edit, plant
from chaos.stage import ROOT


@pytest.mark.parametrize("name", MUTANTS)
def test_each_changes_one_line(name):
    mutant = MUTANTS[name]
    before, after = (ROOT / mutant.file).read_text().splitlines(), edit(mutant).splitlines()
    assert len([pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]]) == 1
    ast.parse(edit(mutant))
    assert set(mutant.caught_as) <= KINDS.keys()


LABELS = sorted({label for mutant in MUTANTS.values() for label in (*mutant.favourites, *mutant.freezing)})
OF_COMMITS = [label for label in LABELS if label.endswith("-commit")]


@pytest.mark.parametrize("label", OF_COMMITS)
def test_the_labels_of_commits_name_functions_that_commit(label):
    """Else nobody would die there, and the mistake be caught by luck."""
    owner, _, method = label.partition(":")[0].partition(".")
    assert f"{owner}.{method}" in find_committing()


def find_committing():
    """Each method that opens a transaction of a ledger."""
    found = set()
    for room in ("handoff", "channels"):
        for source in (ROOT / room).rglob("*.py"):
            for owner in ast.walk(ast.parse(source.read_text())):
                if isinstance(owner, ast.ClassDef):
                    found |= {
                        f"{owner.name}.{method.name}"
                        for method in owner.body
                        if isinstance(method, ast.AsyncFunctionDef)
                        and any(call in ast.unparse(method) for call in ("ledger.entry()", "ledger.run("))
                    }
    return found


def test_one_that_fits_no_more_is_an_error():
    stale = replace(MUTANTS["newest-first"], old="a line that is not there")
    with pytest.raises(StaleMutant, match="message_rows"):
        edit(stale)


def test_it_is_planted_in_a_copy_and_the_sources_stay_as_they_are(tmp_path):
    mutant = MUTANTS["newest-first"]
    before = (ROOT / mutant.file).read_text()
    folder = plant(mutant, tmp_path / "sources")
    assert (folder / mutant.file).read_text() == edit(mutant) != before
    assert (ROOT / mutant.file).read_text() == before
    assert (folder / "channels").is_symlink()


def test_a_mistake_between_processes_needs_a_cluster():
    """SQLite has one process, and no leases."""
    leases = {name for name, mutant in MUTANTS.items() if mutant.file == "handoff/leases.py"}
    assert leases
    assert leases <= {name for name, mutant in MUTANTS.items() if mutant.needs_cluster}
