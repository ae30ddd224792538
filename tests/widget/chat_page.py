"""What a person would look for on a page with the chat."""

from __future__ import annotations

from playwright.async_api import Locator, Page, expect


class Chat:
    """A page with the chat."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.launcher = page.locator("support-chat .launcher")
        self.panel = page.get_by_role("dialog")
        self.log = page.get_by_role("log")
        self.input = page.locator("#text-input")
        self.status = page.locator("support-chat .status")
        self.partner = page.locator("support-chat .partner")
        self.end = page.get_by_role("button", name="End chat")
        self.replies = page.locator("button.reply")
        self.notes = page.locator(".note")
        self.alerts = self.log.get_by_role("alert")
        self.send_again = page.get_by_role("button", name="Send again")
        self.bubbles = page.locator(".text-message")
        self.mine = page.locator(".deep-chat-outer-container-role-user .text-message")
        self.system = page.locator(".deep-chat-outer-container-role-system .text-message")
        self.typing = page.locator(".loading-message-dots")

    def bubble(self, text: str) -> Locator:
        return self.bubbles.filter(has_text=text)

    def reply(self, title: str) -> Locator:
        return self.page.get_by_role("button", name=title, exact=True)

    def spoken_by(self, text: str) -> Locator:
        """The name that is drawn with a message, if one is."""
        container = self.page.locator(".outer-message-container").filter(has=self.bubble(text))
        return container.locator(".name")

    def note(self, text: str) -> Locator:
        """What is drawn below a message about its delivery."""
        bubble = f'.outer-message-container:has(.text-message p:text-is("{text}"))'
        return self.page.locator(f"{bubble} + .outer-message-container .note")

    async def write(self, text: str) -> None:
        await self.input.click()
        await self.page.keyboard.type(text)
        await self.page.keyboard.press("Enter")

    async def texts(self) -> list[str]:
        return [text.strip() for text in await self.bubbles.all_inner_texts()]

    async def shows(self, *texts: str) -> None:
        """Exactly these, in this order."""
        await expect(self.bubbles).to_have_text(list(texts))
