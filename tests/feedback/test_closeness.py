"""How close documents are to each other: by looks, or by the whole vector where looks say nothing."""

from typing import ClassVar

import numpy as np

from ponder.feedback.looks import Looks
from ponder.records import Embedded, Item, Kind, Reasoning, Row


class Eyes:
    """An embedder whose vectors have meaning in two places, and looks in two."""

    blocks: ClassVar = {"meaning": (0, 2), "looks": (2, 4)}


def row(name: str, kind: Kind, vector: list[float]) -> Row:
    unit = np.array([vector], np.float32) / np.linalg.norm(vector)
    return Row(Item(name, kind), Reasoning(), Embedded(("",), unit), name)


def closeness(*rows: Row) -> np.ndarray:
    places = np.arange(len(rows))
    return Looks.of(rows, Eyes()).close(places, places)


def test_pictures_are_compared_by_looks_and_pages_by_all_that_they_are() -> None:
    other, same = [1.0, 0.0, 0.0, 5.0], [0.0, 1.0, 0.0, 5.0]
    pictures = closeness(row("a", "image", other), row("b", "image", same))
    assert pictures[0, 1] > 0.999
    pages = closeness(row("a", "page", [5.0, 0.0, 0.0, 1.0]), row("b", "page", [0.0, 5.0, 0.0, 1.0]))
    assert pages[0, 1] < 0.1, "all pages look alike"
    again = closeness(row("a", "page", [5.0, 0.0, 0.0, 1.0]), row("b", "page", [5.0, 0.1, 0.0, 0.9]))
    assert again[0, 1] > 0.99


def test_a_page_and_a_text_are_no_copies_of_a_picture() -> None:
    vector = [1.0, 0.0, 1.0, 0.0]
    found = closeness(row("a", "image", vector), row("b", "page", vector), row("c", "text", [1.0, 0.0, 0, 0]))
    assert found[0].tolist() == [1.0, 0.0, 0.0]
    assert found[1, 2] > 0.5, "a page may say what a text says"


def test_the_closest_is_found_in_blocks_as_at_once() -> None:
    draw = np.random.default_rng(0)
    rows = [row(f"d{n}", "image", draw.normal(size=4).tolist()) for n in range(4100)]
    looks = Looks.of(rows, Eyes())
    some, others = np.arange(4100), np.array([7, 4099])
    assert np.array_equal(looks.closest(some, others), looks.close(some, others).max(axis=1))
    assert looks.closest(some[:0], others).shape == (0,)
