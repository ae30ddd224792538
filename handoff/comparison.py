"""Two records of one chat, the ledger's and the desk's, compared in both directions.

Knows no desk: lines in, differences out. A desk renders texts in its own way, so what is compared
are letters, without markup, escapes and white space; a text that the desk has masked matches what it masks.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from enum import StrEnum

from handoff.verdict import Direction, Flaw

TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
UNSTORABLE = re.compile("[\ud800-\udfff\0]")  # half an emoji, which some keep as a question mark
MASKED = re.compile(r"[*•#█]{3,}|[xX]{3,}")
ALIKE = 0.6  # of two texts in the same place, from which on they are the same message, changed
PREFIXES = 2  # before a line that was said before: who, and "Summary"
WHOLE = 200  # letters of a line from which on it may have been cut off


class Need(StrEnum):
    """Whether a message has to be on the other side: it must, it may, or it should not be."""

    MUST = "must"
    MAY = "may"
    MUST_NOT = "must_not"


@dataclass(frozen=True, kw_only=True)
class Side:
    """One message on one side. Any of ``texts`` is right; none means that there are no words to compare.

    ``key`` is the desk's id where both sides know it. ``is_secret``: the other side may have any words.
    """

    id: str | None
    texts: tuple[str, ...] = ()
    key: str | None = None
    need: Need = Need.MUST
    is_secret: bool = False
    is_doubtful: bool = False


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One message that is not the same on both sides.

    ``is_doubtful``: the answer to a post was lost and it was repeated, so that the doubt was known.
    """

    flaw: Flaw
    direction: Direction
    message_id: str | None = None
    desk_id: str | None = None
    is_doubtful: bool = False
    text: str = field(default="", repr=False)


def fold(text: str) -> str:
    """The letters of a text, whatever markup, escapes and white space it is written with."""
    plain = TAG.sub("", html.unescape(UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)))
    return "".join(unicodedata.normalize("NFC", plain).split())


def compare(
    direction: Direction,
    written: Sequence[Side],
    arrived: Sequence[Side],
    *,
    background: Collection[str] = (),
) -> list[Difference]:
    """What differs between where the messages were written and where they arrived, each in order.

    ``background`` are texts (folded) that may stand before the first message, as a history does.
    """
    pairing = _Pairing(written, arrived)
    pairing.pair()
    first = min(pairing.pairs.values(), default=len(arrived))
    differences = [_differ(direction, Flaw.CHANGED, written[w], arrived[a]) for w, a in pairing.changed]
    for index, source in enumerate(written):
        if index not in pairing.pairs and source.need is Need.MUST:
            differences.append(_differ(direction, Flaw.MISSING, source, None))
    for index, copy in enumerate(arrived):
        if index in pairing.taken or copy.need is not Need.MUST:
            continue
        if index < first and _is_background(copy, background):
            continue
        twin = pairing.find_twin(copy)
        flaw = Flaw.DOUBLED if twin and twin.need is not Need.MUST_NOT else Flaw.UNKNOWN
        differences.append(_differ(direction, flaw, twin, copy))
    return differences


class _Pairing:
    """Pairs messages of two sides, surest evidence first."""

    def __init__(self, written: Sequence[Side], arrived: Sequence[Side]) -> None:
        self._written = written
        self._arrived = arrived
        self._folded = [tuple(map(fold, side.texts)) for side in written]
        self._letters = [fold(side.texts[0]) if side.texts else "" for side in arrived]
        self.pairs: dict[int, int] = {}
        self.taken: set[int] = set()
        self.changed: list[tuple[int, int]] = []

    def pair(self) -> None:
        self._pair_ids()
        for need in (Need.MUST, Need.MAY):
            self._pair_words(need)
        self._pair_gaps(self._is_masked)
        self._pair_gaps(self._is_alike, changed=True)

    def find_twin(self, copy: Side) -> Side | None:
        """A message with the same words that has a copy already, or that should have none."""
        letters = fold(copy.texts[0]) if copy.texts else ""
        twins = [
            side
            for index, side in enumerate(self._written)
            if letters in self._folded[index] and (index in self.pairs or side.need is Need.MUST_NOT)
        ]
        return min(twins, key=lambda side: side.need is Need.MUST_NOT, default=None)

    def _take(self, source: int, copy: int) -> None:
        self.pairs[source] = copy
        self.taken.add(copy)

    def _pair_ids(self) -> None:
        places = {side.key: index for index, side in enumerate(self._arrived) if side.key}
        for source, side in enumerate(self._written):
            copy = places.get(side.key) if side.key else None
            if copy is not None:
                self._take(source, copy)
                if not self._says_the_same(source, copy):
                    self.changed.append((source, copy))

    def _says_the_same(self, source: int, copy: int) -> bool:
        """Where one of them has no words, as with a picture, there is nothing to compare."""
        if not any(self._folded[source]) or not self._letters[copy]:
            return True
        others = map(fold, self._arrived[copy].texts)
        return any(letters in self._folded[source] for letters in others) or self._is_masked(source, copy)

    def _pair_words(self, need: Need) -> None:
        for source, side in enumerate(self._written):
            if source in self.pairs or side.need is not need:
                continue
            for copy in range(len(self._arrived)):
                if copy not in self.taken and self._shares_words(source, copy):
                    self._take(source, copy)
                    break

    def _shares_words(self, source: int, copy: int) -> bool:
        others = (fold(text) for text in self._arrived[copy].texts)
        return any(letters and letters in self._folded[source] for letters in others)

    def _pair_gaps(self, fits: Callable[[int, int], bool], *, changed: bool = False) -> None:
        """Pair what is left on both sides between the same two neighbours."""
        for source, side in enumerate(self._written):
            if source in self.pairs or side.need is not Need.MUST:
                continue
            for copy in self._find_gap(source):
                if fits(source, copy):
                    self._take(source, copy)
                    if changed:
                        self.changed.append((source, copy))
                    break

    def _find_gap(self, source: int) -> list[int]:
        before = [copy for index, copy in self.pairs.items() if index < source]
        after = [copy for index, copy in self.pairs.items() if index > source]
        start, end = max(before, default=-1) + 1, min(after, default=len(self._arrived))
        return [
            copy
            for copy in range(start, end)
            if copy not in self.taken and self._arrived[copy].need is Need.MUST
        ]

    def _is_masked(self, source: int, copy: int) -> bool:
        if self._written[source].is_secret or self._arrived[copy].is_secret:
            return True
        copied = _read_mask(self._letters[copy])
        if copied and any(letters and copied.fullmatch(letters) for letters in self._folded[source]):
            return True
        written = [_read_mask(letters) for letters in self._folded[source]]
        return any(mask and mask.fullmatch(self._letters[copy]) for mask in written)

    def _is_alike(self, source: int, copy: int) -> bool:
        letters = self._letters[copy]
        return bool(letters) and any(
            SequenceMatcher(None, one, letters, autojunk=False).ratio() >= ALIKE
            for one in self._folded[source]
        )


def _read_mask(letters: str) -> re.Pattern[str] | None:
    """A pattern for what a masked text may have been, None where nothing in it is masked."""
    parts = MASKED.split(letters)
    return re.compile(".+".join(map(re.escape, parts)), re.DOTALL) if len(parts) > 1 else None


def _is_background(side: Side, background: Collection[str]) -> bool:
    """Whether each line of a text was said before, perhaps cut off here, or with a name before it."""
    lines = [line for text in side.texts[:1] for line in text.splitlines() if fold(line)]
    return bool(background) and all(_was_said(line, background) for line in lines)


def _was_said(line: str, background: Collection[str]) -> bool:
    parts = line.split(":")
    rests = [fold(":".join(parts[index:])).rstrip("…") for index in range(min(len(parts), PREFIXES + 1))]
    if not all(rests):
        return True  # a heading
    return any(
        form == said or (len(form) >= WHOLE and said.startswith(form))
        for form in rests
        for said in background
    )


def _differ(direction: Direction, flaw: Flaw, written: Side | None, arrived: Side | None) -> Difference:
    ours, theirs = (written, arrived) if direction is Direction.TO_DESK else (arrived, written)
    texts = (written or arrived or Side(id=None)).texts
    return Difference(
        flaw=flaw,
        direction=direction,
        message_id=ours.id if ours else None,
        desk_id=theirs.id if theirs else None,
        is_doubtful=bool(ours and ours.is_doubtful),
        text=texts[0] if texts else "",
    )
