"""Mistakes in flows and domain: what Rasa's ``Validator`` finds, and what it does not look for.

Each rule yields one sentence per mistake. ``Project`` reads the files as they are, so that a copy with a
planted mistake can be checked as well.
"""

from __future__ import annotations

import importlib
import importlib.resources
import pkgutil
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jinja2.meta
import yaml

CHANNEL_FLOWS = frozenset({"live_agent_ended"})
CHANNEL_RESPONSES = frozenset(
    {
        "utter_file_kept",
        "utter_file_not_fetched",
        "utter_file_not_shown",
        "utter_file_unknown",
        "utter_file_refused_type",
        "utter_file_refused_mismatch",
        "utter_file_refused_size",
        "utter_file_refused_empty",
        "utter_file_refused_picture_size",
        "utter_file_refused_broken",
        "utter_file_refused_budget",
        "utter_file_refused_busy",
        "utter_file_refused_slow",
        "utter_file_refused_store",
        "utter_file_refused_desk",
        "utter_file_refused_picture_wanted",
        "utter_file_refused_question_size",
        "utter_file_refused_question_count",
        "utter_live_agent_joined",
        "utter_live_agent_says",
        "utter_live_agent_joined_unnamed",
        "utter_live_chat_waiting",
        "utter_live_chat_position",
        "utter_live_chat_waiting_no_time",
        "utter_live_agent_silent",
        "utter_desk_question_first",
        "utter_live_chat_in_queue",
        "utter_live_chat_in_queue_no_time",
        "utter_live_chat_transferred",
        "utter_live_chat_leaving",
        "utter_no_live_chat_open",
        "utter_session_refused",
        "utter_message_rejected_empty",
        "utter_message_rejected_too_fast",
        "utter_message_rejected_too_long",
        "utter_message_not_delivered",
        "utter_message_possibly_delivered",
        "utter_rasa_unavailable",
        "utter_desk_asks_choice",
        "utter_desk_asks_date",
        "utter_desk_asks_text",
        "utter_desk_asks_file",
        "utter_desk_yes",
        "utter_desk_no",
        "utter_desk_next_part",
        "utter_desk_table_read",
        "utter_exit_delayed",
    }
)
# What a response may name besides slots: what the channel passes, and what Rasa passes to its own.
PASSED_VALUES = frozenset(
    {"count", "limit", "name", "types", "minutes", "position", "seconds", "text", "context", "value"}
)

SLOT_NAME = re.compile(r"\bslots\.(\w+)")
FORMAT_NAME = re.compile(r"{([^\n{}]+?)}")
SET_SLOTS = re.compile(r"([^(),=\s]+)=([^(),]+)")


@dataclass(frozen=True)
class Project:
    """The assistant's files under one folder, and the names of the actions that are implemented."""

    root: Path
    actions: frozenset[str]
    config: str = "config.yml"

    @cached_property
    def flows(self) -> dict[str, dict[str, Any]]:
        return self._merge("flows", "flows")

    @cached_property
    def slots(self) -> dict[str, dict[str, Any]]:
        return self._merge("domain", "slots")

    @cached_property
    def responses(self) -> dict[str, list[dict[str, Any]]]:
        return self._merge("domain", "responses")

    @cached_property
    def intents(self) -> set[str]:
        return set(self._join("domain", "intents"))

    @cached_property
    def domain_actions(self) -> set[str]:
        return set(self._join("domain", "actions"))

    @cached_property
    def settings(self) -> dict[str, Any]:
        return _read(self.root / self.config)

    def _files(self, folder: str) -> Iterator[dict[str, Any]]:
        yield from (_read(path) for path in sorted((self.root / folder).glob("*.yml")))

    def _merge(self, folder: str, key: str) -> dict[str, Any]:
        return {name: value for file in self._files(folder) for name, value in (file.get(key) or {}).items()}

    def _join(self, folder: str, key: str) -> list[str]:
        return [name for file in self._files(folder) for name in file.get(key) or []]


def _read(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text()) or {}


def find_actions(package: str = "actions") -> frozenset[str]:
    """The names of the actions that the package implements."""
    from rasa_sdk import Action
    from rasa_sdk.utils import all_subclasses

    folder = importlib.import_module(package)
    for module in pkgutil.iter_modules(folder.__path__, f"{package}."):
        importlib.import_module(module.name)
    ours = [action for action in all_subclasses(Action) if action.__module__.startswith(f"{package}.")]
    return frozenset(action().name() for action in ours if not getattr(action, "__abstractmethods__", None))


def find_mistakes(project: Project) -> list[str]:
    """All that our own rules object to."""
    return [mistake for rule in RULES for mistake in rule(project)]


def check_conditions(project: Project) -> Iterator[str]:
    """The validator reads the conditions of steps, but not the guards of flows."""
    for flow, condition in _conditions(project):
        for name in SLOT_NAME.findall(condition):
            if name not in project.slots:
                yield f"Flow {flow}: a condition names the slot {name}, which there is not."


def check_actions(project: Project) -> Iterator[str]:
    for name in sorted(project.domain_actions - project.actions):
        yield f"Domain: no class in actions/ implements {name}."
    for name in sorted(project.actions - project.domain_actions):
        yield f"Domain: {name} is implemented but not listed."


def check_rasas_own_actions(project: Project) -> Iterator[str]:
    """Listed in the domain, Rasa's own action is asked of our actions, and not found there."""
    from rasa.shared.core.constants import DEFAULT_ACTION_NAMES

    for name in sorted(project.domain_actions & set(DEFAULT_ACTION_NAMES)):
        yield f"Domain: {name} is Rasa's own action and must not be listed."


def check_buttons(project: Project) -> Iterator[str]:
    for response, button in _buttons(project):
        for name, value in SET_SLOTS.findall(button["payload"]):
            values = project.slots.get(name, {}).get("values")
            if values is not None and value not in map(str, values):
                yield f"Response {response}: {value} is no value of the slot {name}."


def check_placeholders(project: Project) -> Iterator[str]:
    for name, variation in _variations(project):
        for placeholder in sorted(_placeholders(variation) - project.slots.keys() - PASSED_VALUES):
            yield f"Response {name}: nobody passes {placeholder}."


def check_mappings(project: Project) -> Iterator[str]:
    """Without mappings, a slot is silently an LLM's to fill."""
    for name, slot in project.slots.items():
        if not slot.get("mappings"):
            yield f"Slot {name} has no mappings."


def check_policy(project: Project) -> Iterator[str]:
    policies = [policy["name"] for policy in project.settings.get("policies") or []]
    if "FlowPolicy" not in policies:
        yield f"{project.config}: without FlowPolicy no flow runs."


def check_starts(project: Project) -> Iterator[str]:
    """A flow is started by an intent, by another flow, or by the channel."""
    linked = {step[key] for _, step in _steps(project) for key in ("link", "call") if key in step}
    for name, flow in project.flows.items():
        known = name.startswith("pattern_") or name in CHANNEL_FLOWS | linked
        if not known and not flow.get("nlu_trigger"):
            yield f"Flow {name}: nothing starts it."


def check_triggers(project: Project) -> Iterator[str]:
    """The validator only warns about this one."""
    for name, flow in project.flows.items():
        for trigger in flow.get("nlu_trigger") or []:
            intent = trigger["intent"] if isinstance(trigger["intent"], str) else trigger["intent"]["name"]
            if intent not in project.intents:
                yield f"Flow {name}: the intent {intent} is not in the domain."


def check_channel_responses(project: Project) -> Iterator[str]:
    for name in sorted(CHANNEL_RESPONSES - project.responses.keys()):
        yield f"Domain: the channel says {name}, which there is not."


def check_unused_responses(project: Project) -> Iterator[str]:
    said = {step["action"] for _, step in _steps(project) if "action" in step}
    asked = {f"utter_ask_{step['collect']}" for _, step in _steps(project) if "collect" in step}
    said |= {rejection["utter"] for _, step in _steps(project) for rejection in step.get("rejections") or []}
    for name in sorted(project.responses.keys() - said - asked - CHANNEL_RESPONSES - _rasas_own_responses()):
        yield f"Response {name}: nobody says it."


RULES: tuple[Callable[[Project], Iterator[str]], ...] = (
    check_conditions,
    check_actions,
    check_rasas_own_actions,
    check_buttons,
    check_placeholders,
    check_mappings,
    check_policy,
    check_starts,
    check_triggers,
    check_channel_responses,
    check_unused_responses,
)


def _rasas_own_responses() -> set[str]:
    patterns = importlib.resources.files("rasa.dialogue_understanding.patterns")
    defaults = yaml.safe_load(patterns.joinpath("default_flows_for_patterns.yml").read_text())
    return {*defaults["responses"], "utter_restart"}  # action_restart says the latter, if there is one


def _steps(project: Project) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, flow in project.flows.items():
        yield from ((name, step) for step in _nested(flow.get("steps") or []))


def _nested(steps: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for step in steps:
        yield step
        for branch in _branches(step):
            inner = branch.get("then", branch.get("else"))
            yield from _nested(inner if isinstance(inner, list) else [])


def _branches(step: dict[str, Any]) -> list[dict[str, Any]]:
    following = step.get("next")
    return following if isinstance(following, list) else []


def _conditions(project: Project) -> Iterator[tuple[str, str]]:
    for name, flow in project.flows.items():
        yield name, str(flow.get("if", ""))
    for name, step in _steps(project):
        yield from ((name, str(branch["if"])) for branch in _branches(step) if "if" in branch)


def _variations(project: Project) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, variations in project.responses.items():
        yield from ((name, variation) for variation in variations)


def _buttons(project: Project) -> Iterator[tuple[str, dict[str, str]]]:
    for name, variation in _variations(project):
        yield from ((name, button) for button in variation.get("buttons") or [])


def _placeholders(variation: dict[str, Any]) -> set[str]:
    text = variation.get("text", "")
    if (variation.get("metadata") or {}).get("template") == "jinja":
        return set(jinja2.meta.find_undeclared_variables(jinja2.Environment(autoescape=True).parse(text)))
    return set(FORMAT_NAME.findall(text))


def find_with_rasa(root: Path, config: str = "config.yml") -> list[str]:
    """The names of the checks of Rasa's own validator that fail; the log has its sentences."""
    from rasa.shared.importers.importer import TrainingDataImporter
    from rasa.validator import Validator

    paths = [str(root / folder) for folder in ("flows", "nlu")]
    importer = TrainingDataImporter.load_from_config(str(root / config), str(root / "domain"), paths)
    validator = Validator.from_importer(importer)
    return [name for name in VALIDATIONS if not getattr(validator, name)()]


VALIDATIONS = (
    "verify_domain_validity",
    "verify_actions_in_stories_rules",
    "verify_slot_mappings",
    "verify_nlu",
    "verify_flows",
    "verify_translations",
    "validate_button_payloads",
    "validate_CALM_slot_mappings",
    "verify_slot_persistence_configuration",
    "verify_slot_validation",
    "validate_conditional_response_variation_predicates",
)
