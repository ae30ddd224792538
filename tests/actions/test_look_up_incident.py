from __future__ import annotations

import pytest

from actions.action_look_up_incident import read_number


@pytest.mark.parametrize("text", ["INC0010001", "inc0010001", "inc 0010001", " INC 001 0001 ", "0010001"])
def test_reads_a_number_as_people_write_it(text):
    assert read_number(text) == "INC0010001"


@pytest.mark.parametrize("text", [None, "", "INC", "INC12", "INC00100011", "0010001^state=1", "INC001000a"])
def test_refuses_what_is_no_number(text):
    assert read_number(text) is None
