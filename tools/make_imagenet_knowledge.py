"""Make ``src/ponder/models/lite/data/imagenet.json.gz``: what WordNet 3.0 knows about the 1000 classes.

An ImageNet class id such as ``n01882714`` is the byte offset of its synset in WordNet 3.0's ``data.noun``,
so names, definitions and relations follow from the ids alone. Nothing else goes into the file.

    apt-get install wordnet-base
    pip download timm==1.0.31 --no-deps
    unzip -p timm-1.0.31-py3-none-any.whl timm/data/_info/imagenet_synsets.txt > synsets.txt
    python tools/make_imagenet_knowledge.py synsets.txt

The list is the 1000 ids of ILSVRC 2012, sorted, one a line; the wheel's sha256 is
5bd50f7d0fe6d09bf9285ac2523234a1b7e6bf075c0be3e7aed09139fcb617c7. Beside the data goes WordNet's licence,
taken from the head of ``data.noun``.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MENTIONS, KINDS, RELATED, PARTS = 12, 12, 12, 8
TOP = "n00001930"  # physical entity: from here up nothing tells one picture from another
# The lexicographers' files by number (manual page lexnames.5).
LEXICOGRAPHER_FILES = (
    "adj.all adj.pert adv.all noun.Tops noun.act noun.animal noun.artifact noun.attribute noun.body "
    "noun.cognition noun.communication noun.event noun.feeling noun.food noun.group noun.location "
    "noun.motive noun.object noun.person noun.phenomenon noun.plant noun.possession noun.process "
    "noun.quantity noun.relation noun.shape noun.state noun.substance noun.time verb.body verb.change "
    "verb.cognition verb.communication verb.competition verb.consumption verb.contact verb.creation "
    "verb.emotion verb.motion verb.perception verb.possession verb.social verb.stative verb.weather "
    "adj.ppl"
)
CATEGORIES = LEXICOGRAPHER_FILES.split()
TAXON = ("genus ", "family ", "order ", "class ", "suborder ", "superfamily ", "subfamily ")
ADJECTIVE_MARKER = re.compile(r"\((?:a|p|ip)\)$")
WORD = re.compile(r"[a-z0-9]+(?:['-][a-z0-9]+)*")


@dataclass
class Entry:
    """One synset as it stands in a data file."""

    id: str
    category: int
    names: list[str]
    gloss: str
    examples: list[str]
    pointers: list[tuple[str, str, bool]] = field(default_factory=list)

    def to(self, *symbols: str) -> list[str]:
        """Ids that a pointer of one of these kinds leads to, in the file's order, without repetition."""
        return list(dict.fromkeys(target for symbol, target, _ in self.pointers if symbol in symbols))


def read_entry(line: str, part: str) -> Entry:
    """Parse one line (the format is in WordNet's manual page wndb.5)."""
    head, _, gloss = line.partition(" | ")
    fields = head.split(" ")
    count = int(fields[3], 16)
    names = [ADJECTIVE_MARKER.sub("", fields[4 + 2 * i]).replace("_", " ") for i in range(count)]
    at = 4 + 2 * count
    pointers = []
    for i in range(int(fields[at])):
        symbol, offset, pos, ends = fields[at + 1 + 4 * i : at + 5 + 4 * i]
        pointers.append((symbol, pos + offset, ends == "0000"))
    # Examples are quoted and follow the definition; quotation marks inside a definition are backquotes.
    definition, quote, rest = gloss.strip().partition('"')
    examples = re.findall(r'"([^"]*)"', quote + rest)
    return Entry(part + fields[0], int(fields[1]), names, definition.strip(" ;"), examples, pointers)


def read_wordnet(folder: Path) -> dict[str, Entry]:
    """All synsets by part of speech and offset, as in ``n01882714``."""
    entries = {}
    for part, name in (("n", "noun"), ("v", "verb"), ("a", "adj"), ("r", "adv")):
        for line in (folder / f"data.{name}").read_text("utf-8").splitlines():
            if line[:1].isdigit():
                entry = read_entry(line, part)
                entries[entry.id] = entry
    return entries


def read_first_senses(folder: Path) -> tuple[dict[str, str], set[str]]:
    """The first sense of every noun, and the words that are more often something else than a noun."""
    first, other = {}, set()
    for line in (folder / "index.noun").read_text("utf-8").splitlines():
        if line[:1] != " ":
            word, _, senses, pointers, *rest = line.split()
            first[word.replace("_", " ")] = "n" + rest[int(pointers) + 2]
            assert int(senses) == len(rest) - int(pointers) - 2
    used: dict[str, Counter[str]] = defaultdict(Counter)
    for line in (folder / "cntlist.rev").read_text("utf-8").splitlines():
        key, _, times = line.split()
        word, _, rest_of_key = key.partition("%")
        used[word.replace("_", " ")][rest_of_key[0]] += int(times)
    for name in ("verb", "adj", "adv"):
        for line in (folder / f"index.{name}").read_text("utf-8").splitlines():
            word = line.split()[0].replace("_", " ") if line[:1] != " " else ""
            if word in first and used[word]["1"] <= sum(used[word].values()) / 2:
                other.add(word)
    return first, other


def plurals(name: str) -> list[str]:
    """A name in the singular and the regular plural."""
    if name.endswith(("s", "x", "z", "ch", "sh")):
        return [name, name + "es"]
    if re.search(r"[^aeiou]y$", name):
        return [name, name[:-1] + "ies"]
    return [name, name + "s"]


class Mentions:
    """Finds the synsets whose definition contains a word or phrase."""

    def __init__(self, entries: dict[str, Entry]) -> None:
        self.words = {key: WORD.findall(entry.gloss.lower()) for key, entry in entries.items()}
        self.by_word: dict[str, set[str]] = defaultdict(set)
        for key, words in self.words.items():
            for word in words:
                self.by_word[word].add(key)

    def of(self, name: str) -> dict[str, float]:
        """Synsets by the share of their definition that the name takes up."""
        found = {}
        for form in plurals(name.lower()):
            wanted = WORD.findall(form)
            if not wanted:
                continue
            for key in set.intersection(*(self.by_word[word] for word in wanted)):
                words = self.words[key]
                starts = range(len(words) - len(wanted) + 1)
                if any(words[i : i + len(wanted)] == wanted for i in starts):
                    found[key] = len(wanted) / len(words)
        return found


def ancestors(entry: Entry, entries: dict[str, Entry]) -> list[str]:
    """All hypernyms below "physical entity", nearest first."""
    found: list[str] = []
    layer = entry.to("@", "@i")
    while layer:
        layer = [key for key in dict.fromkeys(layer) if key not in found and key != TOP]
        found += layer
        layer = [up for key in layer for up in entries[key].to("@", "@i")]
    return [key for key in found if key != "n00001740"]


def below(entry: Entry, entries: dict[str, Entry]) -> set[str]:
    """All hyponyms, however far down."""
    found: set[str] = set()
    layer = entry.to("~", "~i")
    while layer:
        found.update(layer)
        layer = [down for key in layer for down in entries[key].to("~", "~i") if down not in found]
    return found


def related(entry: Entry, entries: dict[str, Entry], mentions: Mentions) -> list[str]:
    """Derivationally related synsets, and whom or what these are said of: cello, cellist, Yo-Yo Ma."""
    derived = [key for key in entry.to("+", "=") if key != entry.id]
    further: list[str] = []
    for key in derived:
        if key[0] == "n":
            further += entries[key].to("~i")
            for name in entries[key].names:
                if len(mentioning := mentions.of(name)) <= RELATED:
                    further += sorted(mentioning, key=lambda k: -mentioning[k])
    return list(dict.fromkeys([*derived, *further]))[:RELATED]


def describe(
    key: str, entries: dict[str, Entry], mentions: Mentions, first: dict[str, str], other: set[str]
) -> dict[str, Any]:
    """One class, its neighbours by id."""
    entry = entries[key]
    up, down = ancestors(entry, entries), below(entry, entries)
    found: dict[str, tuple[int, float]] = {}
    for name in entry.names:
        word = name.lower()
        # A name that mostly means something else ("crane", "lighter") finds that something else.
        if first.get(word) != key or word in other:
            continue
        hits = mentions.of(name)
        for hit, share in hits.items():
            found[hit] = min(found.get(hit, (len(hits), -share)), (len(hits), -share))
    # A genus is defined by naming its members: true, and of no use to anyone who searches.
    taxa = {hit for hit in found if any(name.startswith(TAXON) for name in entries[hit].names)}
    skip = {key, *up, *down, *taxa}
    named = [hit for hit in sorted(found, key=lambda hit: (*found[hit], hit)) if hit not in skip]
    kin = [hit for hit in related(entry, entries, mentions) if hit not in skip]
    return {
        "id": key,
        "ancestors": up,
        "kinds": entry.to("~", "~i")[:KINDS],
        "mentions": [hit for hit in named if hit not in kin][:MENTIONS],
        "related": kin,
        "parts": [entries[hit].names[0] for hit in entry.to("%p", "%s")][:PARTS],
        "part_of": [entries[hit].names[0] for hit in entry.to("#p", "#s")][:PARTS],
        "groups": [entries[hit].names[0] for hit in entry.to("#m")][:PARTS],
        "fields": [entries[hit].names[0] for hit in entry.to(";c")][:PARTS],
    }


def main() -> None:
    """Read WordNet and the ids, write the data file and the licence."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("synsets", type=Path, help="the 1000 class ids, sorted, one a line")
    parser.add_argument("--wordnet", type=Path, default=Path("/usr/share/wordnet"))
    parser.add_argument("--out", type=Path, default=Path("src/ponder/models/lite/data"))
    given = parser.parse_args()

    ids = given.synsets.read_text("utf-8").split()
    assert len(ids) == 1000 and ids == sorted(set(ids)), "expected 1000 different ids in order"
    entries = read_wordnet(given.wordnet)
    first, other = read_first_senses(given.wordnet)
    mentions = Mentions(entries)
    classes = [describe(key, entries, mentions, first, other) for key in ids]
    used = set(ids).union(
        *(row[name] for row in classes for name in ("ancestors", "kinds", "mentions", "related"))
    )
    table = {
        "source": "WordNet 3.0 (Princeton University), see LICENSE.wordnet.txt",
        "ids_sha256": hashlib.sha256("\n".join(ids).encode()).hexdigest(),
        "classes": classes,
        "synsets": {
            key: [
                entries[key].names,
                entries[key].gloss,
                entries[key].examples,
                CATEGORIES[entries[key].category],
            ]
            for key in sorted(used)
        },
    }
    given.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(table, ensure_ascii=False, separators=(",", ":")).encode()
    with (given.out / "imagenet.json.gz").open("wb") as file:
        file.write(gzip.compress(text, compresslevel=9, mtime=0))
    head = [
        line for line in (given.wordnet / "data.noun").read_text("utf-8").splitlines() if line[:2] == "  "
    ]
    licence = "\n".join(re.sub(r"^ +\d+ ?", "", line).rstrip() for line in head)
    (given.out / "LICENSE.wordnet.txt").write_text(licence.strip() + "\n", "utf-8")
    print(f"{len(ids)} classes, {len(used)} synsets, {len(text)} bytes before compression")


if __name__ == "__main__":
    main()
