"""Reads the page for Prometheus as Prometheus does."""

from __future__ import annotations

import aiohttp
from prometheus_client.parser import text_string_to_metric_families


class Page:
    """One look at a page: samples by name and labels."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.families = list(text_string_to_metric_families(text))
        self._samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in self.families
            for sample in family.samples
        }

    def read(self, name: str, **labels: str) -> float | None:
        return self._samples.get((name, frozenset(labels.items())))

    @property
    def names(self) -> set[str]:
        """Of all samples, as queries name them."""
        return {name for name, _ in self._samples}


async def scrape(url: str) -> Page:
    """``url`` is the assistant's."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{url}/webhooks/operations/metrics") as answer,
    ):
        assert answer.status == 200, await answer.text()
        assert answer.content_type == "text/plain"
        return Page(await answer.text())
