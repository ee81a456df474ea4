"""How people say that something moves: verbs and phrases of English, by motion."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Heard:
    """A saying about a motion, found in a text.

    Attributes:
        motion: What it says, a verdict of `ponder.models.lite.motion`; "" for a verb of going that tells
            no direction.
        start, end: Characters.
    """

    motion: str
    start: int
    end: int


def heard(text: str) -> list[Heard]:
    """Every saying about motion, in order, none inside another.

    A participle before a noun tells what a thing is, not what it does: "a hopping marsupial", "the rising
    sun". So does a verb with an article before it: "a drop of water".

    Example:
        >>> [found.motion for found in heard("a hopping marsupial floats upwards out of view")]
        ['', 'rises']
        >>> [found.motion for found in heard("it comes in on the left and leaves on the right")]
        ['left to right', 'left to right']
    """
    found: list[Heard] = []
    left = text.lower()
    for motion, is_verb, pattern in _sayings():
        for match in pattern.finditer(left):
            if is_verb and _describes(left, match.start(), match.end()):
                continue
            found.append(Heard(motion, match.start(), match.end()))
        # What has been understood is not heard again: "up and down" is neither up nor down.
        for one in found:
            left = left[: one.start] + "\0" * (one.end - one.start) + left[one.end :]
    return sorted(found, key=lambda one: one.start)


_ARTICLES = "a an the his her its their my our some two"
_AFTER_A_VERB = """
about above across again against all along and around as at away back before behind below beside between
beyond bigger but by closer down during ever far fast for forever forth from gently happily her high his in
inside into it its itself larger like low more near nearer next off on once onto or out over past quick
quickly repeatedly right round slowly smaller straight suddenly taller than the their then there through to
together toward towards twice under until up upon very while with without
"""


def _describes(text: str, start: int, end: int) -> bool:
    """Whether a verb's form stands as a noun's adjective, or as a noun."""
    before = re.findall(r"[\w'-]+", text[:start])[-1:]
    after = re.match(r"\s*([\w'-]+)", text[end:])
    follows = after.group(1) if after else ""
    hyphened = text[end : end + 1] == "-" or text[:start].endswith("-")
    if hyphened or follows == "of" or (before and before[0] in _ARTICLES.split()):
        return True
    if before and before[0].endswith("ing") and text[start:end].endswith("s"):  # "rotating sails"
        return True
    content = (
        bool(follows)
        and follows not in _AFTER_A_VERB.split()
        and not follows.endswith(("ly", "ward", "wards"))
    )
    return content and not text[start:end].endswith(("s", "ed"))


_GOING = """
move go come cross pass travel drive fly run walk glide slide drift float sail roll swim waddle hover crawl
race rush dash enter exit leave speed head wander march stroll trot gallop creep proceed advance traverse
sweep shift cruise hurry arrive pop slip scroll turn wheel
"""
_PAST = {
    "become": "became",
    "come": "came",
    "creep": "crept",
    "drive": "drove",
    "fall": "fell",
    "fly": "flew",
    "get": "got",
    "go": "went",
    "grow": "grew",
    "hold": "held",
    "keep": "kept",
    "leap": "leapt",
    "leave": "",
    "lie": "lying",
    "rise": "risen",
    "run": "ran",
    "shrink": "shrank",
    "sink": "sank",
    "sit": "sat",
    "slide": "slid",
    "spin": "spun",
    "stand": "stood",
    "sweep": "swept",
    "swim": "swam",
}
"""Without those that are better known as nouns: "rose", "left"."""


def _forms(verbs: str) -> str:
    """A pattern of the verbs' forms.

    Example:
        >>> bool(re.fullmatch(_forms("hop vanish"), "hopping")), bool(re.fullmatch(_forms("fade"), "fading"))
        (True, True)
    """
    return f"(?:{'|'.join(form for verb in verbs.split() for form in _inflected(verb))})"


def _inflected(verb: str) -> list[str]:
    stem = verb
    if verb.endswith("e"):
        stem = verb[:-1]
    elif re.fullmatch(r"[^aeiou]*[aeiou][bgmnpt]", verb):
        stem = verb + verb[-1]
    if re.search(r"[^aeiou]y$", verb):
        third, past = f"{verb[:-1]}ies", f"{verb[:-1]}ied"
    else:
        third = verb + ("es" if re.search(r"(s|sh|ch|x|z|go)$", verb) else "s")
        past = f"{stem}ed"
    forms = [f"{stem}ing", third, _PAST.get(verb, past), verb]
    return [form for form in forms if form]


@cache
def _sayings() -> tuple[tuple[str, bool, re.Pattern[str]], ...]:
    """(motion, whether it is a bare verb, pattern), the more telling first."""
    going = _forms(_GOING)
    ever = r"(?:\W+(?:in|into|out|off|away|of|from|view|sight|the|picture|screen|frame|again))*"
    entering = _forms("come enter arrive pop slip appear emerge float fly drive walk run")
    leaving = _forms("leave exit go depart disappear vanish run drive fly walk")
    becoming = _forms("become get grow turn seem look")
    side = r"(?:-?\s?hand)?(?:\W+(?:side|edge|border))?(?!\W+of\b)"
    resting = _forms("stand stay sit remain lie rest keep hold wait")
    rows: list[tuple[str, str]] = [
        (
            "still",
            rf"(?:{resting}\W+)?(?:stock[- ]?still|motionless(?:ly)?|stationary|immobile|unmoving|static)",
        ),
        ("still", rf"{resting}\W+(?:\w+ly\W+)?(?:still|put|there|frozen|in place)"),
        (
            "still",
            r"(?:(?:do|does|did|is|are|was|were)(?:n't|\W+not)|not|never|hardly)\W+(?:even\W+)?(?:move|moves|moving|budge|budging|stir|stirring)",
        ),
        ("still", r"without (?:any )?(?:moving|motion|movement|stirring)(?! (?:away|off|from))"),
        (
            "bounces",
            r"up and down(?:\W+(?:again and again|repeatedly|(?:on|in) \w+ (?:\w+ )?(?:spot|place)))?",
        ),
        ("spins", r"(?:round and round|around and around|in circles|on its (?:own )?axis|head over heels)"),
        ("spins", rf"{_forms('turn go whirl wheel')}\W+(?:a?round)\b"),
    ]
    for here, there, motion in (("left", "right", "left to right"), ("right", "left", "right to left")):
        rows += [
            (
                motion,
                rf"(?:(?:from\W+)?(?:the\W+)?{here}{side}\W+(?:on)?to(?:wards?)?\W+(?:the\W+)?{there}{side})",
            ),
            (motion, rf"{entering}{ever}\W+(?:on|at|from|by)\W+the\W+{here}{side}"),
            (motion, rf"{leaving}{ever}\W+(?:on|at|by|to|through|past)\W+the\W+{there}{side}"),
            (motion, rf"(?:to|towards?)\W+(?:the|its)\W+(?:far\W+)?{there}{side}|{there}wards?"),
            (motion, rf"from\W+(?:the\W+)?(?:far\W+)?{here}{side}"),
        ]
    rows += [
        ("grows", r"from (?:tiny|small|nothing|little) to (?:big|large|huge|full size|giant)"),
        ("shrinks", r"from (?:big|large|huge|full size|giant) to (?:tiny|small|nothing|little)"),
        (
            "shrinks",
            rf"{becoming}\W+(?:\w+ and |ever |much )?(?:smaller|tinier|tiny)(?: and (?:smaller|tinier))*",
        ),
        (
            "shrinks",
            r"(?:further|farther)(?: and (?:further|farther))?(?: away| off)?|into the (?:far )?distance",
        ),
        ("shrinks", r"away from (?:the |us\b|you\b|me\b)(?:camera|viewer|lens|screen)?|towards? the horizon"),
        ("shrinks", r"until it(?: is|'s) (?:tiny|very small|a (?:dot|speck|point))|to a (?:dot|speck|point)"),
        (
            "appears",
            rf"{_forms('fade come pop spring float')}\W+(?:\w+ly )?into (?:view|existence|being|sight)",
        ),
        (
            "appears",
            rf"{becoming}\W+(?:more and more |more |\w+ly )?(?:visible|apparent|clear|opaque|solid)",
        ),
        ("appears", r"(?:out of|from) (?:nothing|nowhere|thin air|the void)"),
        (
            "disappears",
            rf"{becoming}\W+(?:more and more |more |slowly )?(?:invisible|transparent|see-through|fainter)",
        ),
        ("disappears", r"until it(?: is|'s| has) (?:gone|vanished|disappeared|no longer (?:seen|visible))"),
        ("disappears", r"(?:in)?to (?:nothing(?:ness)?|thin air)|from (?:view|sight)"),
        ("disappears", rf"{_forms('fade melt dissolve die thin')}\W+(?:\w+ly )?(?:out|away|off)\b"),
        ("appears", rf"{_forms('fade')}\W+(?:\w+ly )?(?:in|up|on)\b"),
        ("grows", rf"{becoming}\W+(?:\w+ and |ever |much )?(?:larger|bigger|taller|huge|big)(?: and \w+er)*"),
        ("grows", r"(?:closer|nearer)(?: and (?:closer|nearer))?|zoom\w* in\b|(?:grow|increas)\w* in size"),
        (
            "shrinks",
            r"zoom\w* out\b|(?:decreas|diminish|reduc|shrink)\w* in size|(?<!\w)smaller(?: and smaller)?",
        ),
        ("grows", r"towards? (?:the )?(?:camera|viewer|lens|us\b|you\b|me\b|screen)"),
        (
            "rises",
            r"(?:from\W+)?(?:the )?bottom (?:edge )?to (?:the )?top|from (?:below|the bottom|underneath)",
        ),
        (
            "falls",
            r"(?:from\W+)?(?:the )?top (?:edge )?to (?:the )?bottom"
            r"|(?<!filmed )(?<!seen )(?<!viewed )from (?:above|the top|the sky|on high)",
        ),
        ("rises", r"upwards?|skywards?|to(?:wards)? the (?:top|sky|ceiling)"),
        ("falls", r"downwards?|to(?:wards)? the (?:bottom|ground|floor)"),
        ("rises", rf"{going}\W+(?:\w+ly\W+)?up\b|take[sn]? off|taking off|blast\w* off|lift\w* off"),
        ("falls", rf"(?:{going}|{_forms('drop fall sink tumble')})\W+(?:\w+ly\W+)?down\b"),
        ("grows", rf"{_forms('swell blow')}\W+up\b"),
    ]
    verbs = {
        "rises": "rise ascend climb soar levitate lift",
        "falls": "fall drop descend sink plunge plummet tumble dive",
        "grows": "grow enlarge expand swell inflate approach loom",
        "shrinks": "shrink recede dwindle contract diminish retreat",
        "appears": "materialize materialise emerge",
        "disappears": "disappear vanish dissolve evaporate fade",
        "spins": "spin rotate twirl whirl revolve gyrate pirouette swivel twist",
        "bounces": "bounce hop jump leap bob skip",
        "": _GOING,
    }
    sayings = [(motion, False, re.compile(rf"(?<![\w-])(?:{pattern})(?!\w)")) for motion, pattern in rows]
    sayings.append(("appears", True, re.compile(rf"(?<![\w-]){_forms('appear')}(?!\w)(?! to\b)")))
    sayings += [
        (motion, True, re.compile(rf"(?<![\w-]){_forms(words)}(?!\w)")) for motion, words in verbs.items()
    ]
    return tuple(sayings)
