from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.assistant_lint import Project, find_actions, find_mistakes, find_with_rasa

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.rasa


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A copy that a mistake can be planted in."""
    for folder in ("domain", "flows", "nlu"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copy(ROOT / "config.yml", tmp_path)
    return Project(tmp_path, find_actions())


def plant(project: Project, path: str, old: str, new: str) -> None:
    file = project.root / path
    text = file.read_text()
    assert old in text, f"{path} does not say {old!r} any more: choose another place for the mistake"
    file.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize("config", ["config.yml", "config.llm.yml"])
def test_the_assistant_has_no_mistakes(config):
    assert find_mistakes(Project(ROOT, find_actions(), config)) == []


@pytest.mark.parametrize("config", ["config.yml", "config.llm.yml"])
def test_rasas_validator_agrees(config, monkeypatch):
    monkeypatch.chdir(ROOT)

    assert find_with_rasa(ROOT, config) == []


@pytest.mark.parametrize(
    ("path", "old", "new", "mistake"),
    [
        pytest.param(
            "flows/report_problem.yml",
            "if: not slots.confirm_handoff",
            "if: not slots.confirm_handof",
            "Flow report_problem: a condition names the slot confirm_handof, which there is not.",
            id="guard with a misspelt slot",
        ),
        pytest.param(
            "flows/live_agent_ended.yml",
            "if: slots.live_chat_leave_failed",
            "if: slots.live_chat_leave",
            "Flow live_agent_ended: a condition names the slot live_chat_leave, which there is not.",
            id="condition with a misspelt slot",
        ),
        pytest.param(
            "domain/report_problem.yml",
            "  - action_note_problem",
            "  - action_note_problem\n  - action_note_problems",
            "Domain: no class in actions/ implements action_note_problems.",
            id="action without a class",
        ),
        pytest.param(
            "domain/report_problem.yml",
            "  - action_note_problem\n",
            "",
            "Domain: action_note_problem is implemented but not listed.",
            id="action not listed",
        ),
        pytest.param(
            "domain/report_problem.yml",
            'payload: "/SetSlots(problem_urgency=high)"',
            'payload: "/SetSlots(problem_urgency=hgih)"',
            "Response utter_ask_problem_urgency: hgih is no value of the slot problem_urgency.",
            id="button with a value the slot does not have",
        ),
        pytest.param(
            "domain/check_incident.yml",
            "with the number {incident_number}",
            "with the number {incident_numbr}",
            "Response utter_incident_not_found: nobody passes incident_numbr.",
            id="placeholder",
        ),
        pytest.param(
            "domain/check_incident.yml",
            "{{ incident_title }}",
            "{{ incident_titel }}",
            "Response utter_incident_state: nobody passes incident_titel.",
            id="Jinja placeholder",
        ),
        pytest.param(
            "domain/live_chat.yml",
            "  live_agent_name:\n    type: text\n    mappings:\n      - type: controlled\n",
            "  live_agent_name:\n    type: text\n",
            "Slot live_agent_name has no mappings.",
            id="slot without mappings",
        ),
        pytest.param(
            "config.yml",
            "- name: FlowPolicy",
            "- name: MemoizationPolicy",
            "config.yml: without FlowPolicy no flow runs.",
            id="no FlowPolicy",
        ),
        pytest.param(
            "flows/small_talk.yml",
            "    nlu_trigger:\n      - intent: thank\n",
            "",
            "Flow thank: nothing starts it.",
            id="flow nobody starts",
        ),
        pytest.param(
            "flows/small_talk.yml",
            "- intent: thank\n",
            "- intent: thanks\n",
            "Flow thank: the intent thanks is not in the domain.",
            id="unknown intent",
        ),
        pytest.param(
            "domain/live_chat.yml",
            "utter_live_chat_leaving:",
            "utter_live_chat_left:",
            "Domain: the channel says utter_live_chat_leaving, which there is not.",
            id="channel response",
        ),
        pytest.param(
            "domain/small_talk.yml",
            "responses:\n",
            "responses:\n  utter_forgotten:\n    - text: Hello\n",
            "Response utter_forgotten: nobody says it.",
            id="unused response",
        ),
    ],
)
def test_finds_a_planted_mistake(project, path, old, new, mistake):
    assert find_mistakes(project) == []

    plant(project, path, old, new)

    assert mistake in find_mistakes(Project(project.root, project.actions))


def test_finds_rasas_own_action_in_the_domain(project):
    plant(
        project,
        "domain/report_problem.yml",
        "  - action_note_problem",
        "  - action_note_problem\n  - action_clean_stack",
    )

    mistakes = find_mistakes(Project(project.root, project.actions))

    assert "Domain: action_clean_stack is Rasa's own action and must not be listed." in mistakes


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("flows/small_talk.yml", "action: utter_greet", "action: utter_gret"),
        ("flows/report_problem.yml", "collect: problem_urgency", "collect: problem_urgncy"),
        ("flows/live_agent_ended.yml", "- handoff_active: false", "- handoff_activ: false"),
        ("domain/small_talk.yml", '"/ask_for_person"', '"/SetSlots(persn=true)"'),
    ],
)
def test_rasas_validator_finds_a_planted_mistake(project, path, old, new):
    plant(project, path, old, new)

    assert find_with_rasa(project.root)
