"""The delivery contract names the tests and mutants that show it; each has to exist."""

from __future__ import annotations

import ast
import re

import pytest

from chaos.checker import KINDS
from chaos.mutants import MUTANTS
from chaos.stage import ROOT

CONTRACT = (ROOT / "docs" / "delivery-contract.md").read_text()
ROWS = re.findall(r"^\| `(tests/\S+\.py)`(?:, `(tests/\S+\.py)`)* \| (.*) \|$", CONTRACT, re.MULTILINE)


def functions(path):
    tree = ast.parse((ROOT / path).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize(
    ("path", "other", "named"), ROWS, ids=[f"{n}-{row[0]}" for n, row in enumerate(ROWS)]
)
def test_every_test_that_the_contract_names_exists(path, other, named):
    wanted = set(re.findall(r"`(test_\w+)`", named))
    assert wanted <= functions(path)
    assert not other or (ROOT / other).exists()


def test_each_promise_names_tests_and_a_count_of_the_chaos_proof():
    promises = re.split(r"^### ", CONTRACT, flags=re.MULTILINE)[1:]
    assert len(promises) == 8
    for promise in promises[:7]:
        row = re.search(r"\| `make chaos` \| (.*) \|", promise)
        counts = {count.strip().replace(" ", "_") for count in row[1].split(",")}
        assert counts <= KINDS.keys()
        assert "tests/" in promise


def test_every_mutant_belongs_to_a_promise():
    named = {
        name for row in re.findall(r"\| mutants? \| (.*) \|", CONTRACT) for name in re.findall("`(.*?)`", row)
    }
    assert named == set(MUTANTS)
