"""When a model is trained anew, and when not."""

import shutil

import pytest

from local.training import ROOT, find_model, train_assistant


@pytest.fixture
def project(tmp_path):
    for name in ("config.yml", "endpoints.yml"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("domain", "flows", "nlu"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


def test_the_same_files_have_the_same_model(project):
    assert find_model(root=project).name == find_model().name


@pytest.mark.parametrize("changed", ["config.yml", "endpoints.yml", "nlu/shared.yml", "flows/patterns.yml"])
def test_a_changed_file_asks_for_another_model(project, changed):
    before = find_model(root=project)
    with (project / changed).open("a") as file:
        file.write("\n# changed\n")
    assert find_model(root=project) != before


def test_a_model_that_is_there_is_not_trained_again(project, tmp_path):
    model = find_model(root=project, models=tmp_path)
    model.write_bytes(b"a model")
    assert train_assistant(root=project, models=tmp_path) == model
    assert model.read_bytes() == b"a model"
