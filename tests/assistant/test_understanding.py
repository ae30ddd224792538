from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.assistant.sentences import ASKS_FOR_PERSON, ASKS_FOR_SOMETHING_ELSE

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.rasa


def normalise(sentence: str) -> str:
    plain = re.sub(r"\[(.+?)\]\(\w+\)", r"\1", sentence)
    return "".join(letter for letter in plain.lower() if letter.isalnum() or letter == " ").strip()


def training_sentences() -> set[str]:
    lines = [line for path in (ROOT / "nlu").glob("*.yml") for line in path.read_text().splitlines()]
    return {normalise(line.strip().removeprefix("- ")) for line in lines}


def test_held_out_sentences_are_held_out():
    assert not training_sentences() & {normalise(s) for s in (*ASKS_FOR_PERSON, *ASKS_FOR_SOMETHING_ELSE)}


def test_there_are_enough_held_out_ways_to_ask_for_a_person():
    assert len({normalise(sentence) for sentence in ASKS_FOR_PERSON}) >= 40


@pytest.mark.parametrize("sentence", ASKS_FOR_PERSON)
async def test_understands_who_asks_for_a_person(converse, sentence):
    assert (await converse().say(sentence)).responses == ("utter_ask_confirm_handoff",)


@pytest.mark.parametrize("sentence", ASKS_FOR_SOMETHING_ELSE)
async def test_hears_no_call_for_a_person_in_other_things(converse, sentence):
    chat = converse()

    answer = await chat.say(sentence)

    assert answer.responses
    assert "talk_to_live_agent" not in await chat.open_flows()


@pytest.mark.filterwarnings("ignore:Failed to parse arguments:UserWarning")
@pytest.mark.parametrize("sentence", ["yes", "5", "high", "/nonsense", "🙂"])
async def test_is_never_silent(converse, sentence):
    assert (await converse().say(sentence)).texts
