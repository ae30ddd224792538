import pytest
from playwright.async_api import expect

from tests.simulator.test_desk_page import browse

pytestmark = pytest.mark.browser


async def test_a_person_at_the_desk_sends_an_example_and_sees_what_was_chosen(client, route, simulator):
    chat = await route(agent="Dana")
    async with browse() as page:
        await page.goto(client.url)
        await page.get_by_role("button", name="u1").click()
        examples = page.get_by_label("Send an example")
        await examples.select_option("Picker")
        log = page.get_by_role("log")
        await expect(log).to_contain_text("[Picker] Which device is it?")
        await client.send(message={"text": "hw-2", "typed": False})
        await expect(log).to_contain_text("chosen")
        await examples.select_option("Stream")
        await expect(log).to_contain_text("Spam is unwanted mail. Do not answer it.")
    assert chat.transcript[-1].text == "Spam is unwanted mail. Do not answer it."
