"""What a query asks of a clip: which things do what, and in which order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from ponder.rerank.sayings import heard


@dataclass(frozen=True, slots=True)
class Asked:
    """One event.

    Attributes:
        thing: Who or what, in the query's words.
        motion: What it does, a verdict of `ponder.models.lite.motion`; "" when nothing is said or understood.
    """

    thing: str
    motion: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A query about clips, taken apart.

    Attributes:
        events: In the order of time, where there is one.
        ordered: Whether the order is part of the question; False for what happens meanwhile.
        aside: Things that are there besides and do nothing.
        seeks: "event" is the event itself; "after" and "before" ask for what is next to it; "every" for each
            moment that shows the thing.
    """

    events: tuple[Asked, ...]
    ordered: bool = False
    aside: tuple[str, ...] = ()
    seeks: Literal["event", "after", "before", "every"] = "event"

    @property
    def tells(self) -> bool:
        """Whether anything is asked that only a clip can show: a motion, an order, a moment."""
        return bool(self.events) and (
            self.seeks != "event" or self.ordered or any(event.motion for event in self.events)
        )


@lru_cache(maxsize=256)
def understand(text: str) -> Question:
    """Take a query apart by rules of English: connectives of time, verbs and phrases of motion.

    What no rule fits is one event without a motion, in all its words.

    Example:
        >>> understand("Before a dog vanishes, a red bus drives off to the left").events
        (Asked(thing='a red bus', motion='right to left'), Asked(thing='a dog', motion='disappears'))
        >>> understand("What is shown right after a daffodil?")
        Question(events=(Asked(thing='a daffodil', motion=''),), ordered=False, aside=(), seeks='after')
    """
    text = " ".join(text.split()).strip(" .?!")
    if beside := _NEIGHBOUR.match(text):
        seeks: Literal["after", "before"] = "after" if beside["after"] else "before"
        return Question((_event(beside["thing"], ""),), seeks=seeks)
    if every := _EVERY.match(text):
        thing = _ON_SCREEN.sub("", text[every.end() :])
        return Question((_event(thing, ""),), seeks="every")
    told = _Told()
    told.tell(_FRAME.sub("", text, count=1) or text)
    events: list[Asked] = []
    for clause in told.clauses:
        events.append(_event(clause, events[-1].thing if events else ""))
    asides = [_event(clause, "").thing for clause in told.aside]
    # "A cat, then it vanishes": the pronoun may also come first, "before it vanishes, a cat hops".
    named = next((event.thing for event in events if event.thing), "")
    events = [event if event.thing else replace(event, thing=named) for event in events]
    return Question(tuple(events), told.ordered and len(events) > 1, tuple(asides))


_MEDIUM = (
    r"(?:(?:short|brief|little|long|real)\W+)?"
    r"(?:video(?:\W+clip)?|clip|film|footage|recording|animation|movie|scene|sequence|shot|gif)s?"
)
_WE_SEE = (
    r"(?:(?:we|you|one|i)(?:\W+can)?\W+(?:see|watch)s?|there(?:\W+is|\W+are|'s)|it\W+shows|can\W+be\W+seen)"
    r"(?:\W+how)?"
)
_WISH = r"(?:(?:please\W+)?(?:find|show|give|get|list|fetch|search\W+for|look(?:ing)?\W+for)(?:\W+me)?\W+)?"
_FRAME = re.compile(
    rf"^{_WISH}(?:(?:in\W+)?(?:(?:an?|the|this|that|some)\W+)?{_MEDIUM}(?=\W)"
    rf"(?:\W+(?:that|which))?(?:\W+(?:shows?|showing|of|with|where|in\W+which|on\W+which|featuring|features|"
    rf"depicting|depicts|containing|contains|about))?\W+)?(?:{_WE_SEE}\W+)?",
    re.IGNORECASE,
)
_MOMENT = (
    r"(?:moment|part|scene|segment|bit|section|stretch|shot|point|instant|instance|passage|time|place)s?"
)
_EVERY = re.compile(
    rf"^{_WISH}(?:(?:whenever|wherever)\W+|(?:when|where)\W+(?:is|are|does|do|can)\W+(?:we\W+see\W+)?|"
    rf"(?:(?:every|each|any|all|both|the|those|only)\W+(?:of\W+)?(?:the\W+)?(?:single\W+)?)?{_MOMENT}"
    rf"(?:\W+(?:in|of|from)\W+(?:the|this)\W+{_MEDIUM})?"
    rf"\W+(?:in\W+which|on\W+which|during\W+which|where|when|with|of|that|which|showing|featuring|containing)"
    rf"(?:\W+(?:shows?|ha(?:ve|s)|contains?|features?|includes?|depicts?|{_WE_SEE}))?\W+)",
    re.IGNORECASE,
)
_ON_SCREEN = re.compile(
    r"(?:\W+(?:is|are|can\W+be|appears?|comes?|occurs?))?(?:\W+(?:on\W+(?:the\W+)?screen|shown|seen|visible|"
    r"present|to\W+be\W+seen|in\W+(?:the\W+)?(?:view|picture|frame|shot|image|video|clip)))\W*$",
    re.IGNORECASE,
)
_SOON = r"(?:(?<!the )right|just|immediately|directly|shortly|soon|straight|next|only|exactly)"
_NEIGHBOUR = re.compile(
    rf"^{_WISH}(?:(?:and|so)\W+)?(?:(?:what|who)(?:\W+else)?|(?:what|which)\W+(?!is\b|are\b|{_SOON})\w+|which|"
    rf"(?:the|an?)?\W*(?:thing|object|event|one|{_MOMENT}))"
    rf"(?:\W+(?:that|which|is|are|was|gets?|comes?|can|be|do|does|we|you|one|see|happens?|occurs?|appears?|takes|"
    rf"place|shown?|seen|visible|displayed|there|on|the|screen|up|in|video|clip|{_SOON}))*"
    rf"\W+(?:(?P<after>after|following|follows|succeeds|succeeding)|before|prior\W+to|precedes|preceding)"
    rf"\W+(?P<thing>.+)$",
    re.IGNORECASE,
)

_FIRST = re.compile(
    r"^(?:first(?:ly|\W+of\W+all)?|at\W+first|initially|to\W+(?:begin|start)\W+with|in\W+the\W+beginning)\b\W+",
    re.IGNORECASE,
)
_LEADING = re.compile(
    rf"^(?:{_SOON}\W+)?(?:(?P<before>before|prior\W+to)|(?P<after>after|following|once|as\W+soon\W+as|when)|"
    rf"(?P<while>while|whilst|as)|(?P<with>with))\W+(?P<first>[^,]+),\W*(?:then\W+)?(?P<second>.+)$",
    re.IGNORECASE,
)
_THEN = re.compile(
    rf"[,;.]?\W*\b(?:and\W+)?(?:(?:{_SOON}\W+)?after\W+(?:that|this|which)|then|whereupon|afterwards?|thereafter|subsequently|"
    rf"(?:which\W+is\W+|is\W+|are\W+)?(?:{_SOON}\W+|\w+ly\W+)?(?:followed|succeeded|replaced)"
    rf"(?:\W+{_SOON})?\W+by)\b,?\W+"
    rf"|(?:[,;.]\W*(?:and\W+|but\W+)?|\band\W+)(?:next(?!\W+to)|(?:a\W+(?:bit|little|moment|while)\W+)?later(?:\W+on)?|finally|lastly|eventually|"
    rf"in\W+the\W+end|at\W+last|second(?:ly)?|third(?:ly)?)\b,?\W+",
    re.IGNORECASE,
)
_BEFORE_THAT = re.compile(
    r"[,;.]\W*(?:and\W+|but\W+)?(?:before|prior\W+to)\W+(?:that|this|which)\b\W+", re.IGNORECASE
)
_AFTER = re.compile(
    rf"(?:,\W*)?\b(?:{_SOON}\W+)?(?:after|as\W+soon\W+as|once|(?:which\W+is\W+|is\W+)?preceded\W+by)\W+",
    re.IGNORECASE,
)
_BEFORE = re.compile(rf"(?:,\W*)?\b(?:{_SOON}\W+)?(?:before|prior\W+to)\W+", re.IGNORECASE)
_MEANWHILE = re.compile(
    r"(?:,\W*)?\b(?:while|whilst|meanwhile|at\W+the\W+same\W+time|as(?=\W+(?:an?|the)\b))\W+", re.IGNORECASE
)
_BESIDE = re.compile(
    r"\b(?:beside|next\W+to|near|in\W+front\W+of|behind|past|alongside|around|by|with)\W+(?=(?:an?|the|some)\b)",
    re.IGNORECASE,
)
_JOINED = re.compile(r"\W*[;.]\W+(?:and\W+)?|,?\W+and\W+(?=(?:an?|the|some|another)\b)", re.IGNORECASE)


class _Told:
    """A sentence taken apart: clauses in the order of time."""

    def __init__(self) -> None:
        self.clauses: list[str] = []
        self.aside: list[str] = []
        self.ordered = False

    def tell(self, text: str) -> None:
        """Add what a sentence or a part of one tells."""
        text = _FIRST.sub("", text).strip(" ,;.")
        if leading := _LEADING.match(text):
            first, second = leading["first"], leading["second"]
            if leading["before"]:
                self._in_order(second, first)
            elif leading["after"]:
                self._in_order(first, second)
            else:
                self._meanwhile(second, first, bystander=bool(leading["with"]))
        elif split := _BEFORE_THAT.search(text):
            self._in_order(text[split.end() :], text[: split.start()])
        elif (split := _THEN.search(text)) and split.start():
            self._in_order(text[: split.start()], text[split.end() :])
        elif (split := _AFTER.search(text)) and split.start():
            self._in_order(text[split.end() :], text[: split.start()])
        elif (split := _BEFORE.search(text)) and split.start():
            self._in_order(text[: split.start()], text[split.end() :])
        elif (split := _MEANWHILE.search(text)) and split.start():
            self._meanwhile(text[: split.start()], text[split.end() :])
        elif (split := _BESIDE.search(text)) and split.start() and _still(text[split.end() :]):
            self._meanwhile(text[: split.start()], text[split.end() :], bystander=True)
        elif (
            (split := _JOINED.search(text)) and _moves(text[: split.start()]) and _moves(text[split.end() :])
        ):
            self.tell(text[: split.start()])
            self.tell(text[split.end() :])
        elif text:
            self.clauses.append(text)

    def _in_order(self, first: str, second: str) -> None:
        self.ordered = True
        self.tell(first)
        self.tell(second)

    def _meanwhile(self, main: str, other: str, *, bystander: bool = False) -> None:
        if bystander or _still(other):
            self.tell(main)
            self.aside.append(other)
        elif _still(main):
            self.tell(other)
            self.aside.append(main)
        else:
            self.tell(main)
            self.tell(other)


def _moves(clause: str) -> bool:
    return any(found.motion not in ("", "still") for found in heard(clause))


def _still(clause: str) -> bool:
    return not _moves(clause) and any(found.motion == "still" for found in heard(clause))


_BEFORE_A_VERB = re.compile(
    r"(?:^|\W+)(?:is|are|was|were|has|have|had|will|be|being|been|seem|seems|seemed|seeming|seemingly|appears?|appearing|that|which|who|"
    r"to|and|then|can|seen|starts?|starting|begins?|beginning|keeps?|keeping|slowly|gradually|quickly|suddenly|"
    r"steadily|smoothly|gently|rapidly|swiftly|softly|repeatedly|continuously|constantly|again|just|now|also|"
    r"simply|directly|straight)$",
    re.IGNORECASE,
)
_ARTICLE = re.compile(r"\b(?:an?|the)\b", re.IGNORECASE)
_PRONOUN = re.compile(
    r"^(?:it|they|he|she|this|that|the\W+same(?:\W+(?:one|thing))?|itself)?$", re.IGNORECASE
)


def _event(clause: str, before: str) -> Asked:
    """Who does what; a pronoun or nothing at all means who was spoken of `before`."""
    clause = clause.strip(" ,;.")
    found = heard(clause)
    motions = [one.motion for one in found if one.motion]
    motion = max(
        motions, key=lambda one: (motions.count(one) - (one == "still"), _last(motions, one)), default=""
    )
    thing = _subject(clause[: found[0].start]) if found else clause
    if found and (_PRONOUN.match(thing) or _ARTICLE.fullmatch(thing)):
        # "Slowly vanishing, a dog …", "beside a motionless tractor".
        rest = clause[found[-1].end :].strip(" ,;.")
        named = _ARTICLE.search(rest)
        thing = f"{thing} {rest}" if _ARTICLE.fullmatch(thing) else rest[named.start() :] if named else before
    return Asked(before if _PRONOUN.match(thing) else thing, motion)


def _last(motions: Sequence[str], motion: str) -> int:
    return len(motions) - 1 - list(reversed(motions)).index(motion)


def _subject(words: str) -> str:
    words = words.strip(" ,;.:")
    while shorter := _BEFORE_A_VERB.search(words):
        words = words[: shorter.start()].strip(" ,;.:")
    return words
