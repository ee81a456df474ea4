"""What the figures say in words: where tokens are the better buy, and where not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ponder.evaluate.against.drawing import Row
from ponder.evaluate.against.point import Axis


@dataclass(frozen=True, slots=True)
class Purchase:
    """One step that can be bought, against what one has without it.

    Attributes:
        axis: What is paid with.
        label: What is bought.
        gain: In the metric.
        low: Lower 95 % bound of the gain, paired.
        high: Upper bound.
        price: What it costs more, in `unit`; None where it is not known.
        unit: "GMAC a query", "GMAC an item" (billions of multiply-adds) or "KB an item".
    """

    axis: Axis
    label: str
    gain: float
    low: float
    high: float
    price: float | None
    unit: str

    @property
    def rate(self) -> float | None:
        """Gain for one unit; None where nothing more is paid, or nobody knows what.

        Example:
            >>> Purchase("tokens", "64 tokens", 0.02, 0.0, 0.04, 8.0, "GMAC a query").rate
            0.0025
        """
        return self.gain / self.price if self.price is not None and self.price > 0.0 else None

    def __str__(self) -> str:
        text = f"{self.label}: {self.gain:+.3f} ({self.low:+.3f} to {self.high:+.3f})"
        if self.price is not None:
            text += f" for {self.price:+.3g} {self.unit}"
        if self.rate is not None:
            text += f", {self.rate:+.4f} for each"
        return text


def purchases(rows: Sequence[Row]) -> list[Purchase]:
    """What the points of one data set offer.

    Tokens are held against budget 0; a part of another size against the default's own; and dimensions the
    other way about: what the whole vector gains over a shorter one.

    Args:
        rows: Points as rows, of one data set.
    """
    found: list[Purchase] = []
    for row in rows:
        other = _held_against(rows, row)
        if other is row or row["group"] in ("blocks alone", "with tokens"):
            continue
        gain, (low, high) = row["difference"]["mean"], row["difference"]["ci95"]
        if row["axis"] == "dims":
            label = f"{other['label']} instead of {row['label']}"
            price = _more(other, row, "bytes_item", 1e3)
            found.append(Purchase("dims", label, -gain, -high, -low, price, "KB an item"))
            continue
        query = row["axis"] == "tokens" or row["group"] == "judge"
        price = _more(row, other, "macs_query" if query else "macs_item", 1e9)
        label = row["label"] if row["axis"] == "tokens" else f"{row['label']} instead of {other['label']}"
        unit = f"GMAC {'a query' if query else 'an item'}"
        found.append(Purchase(row["axis"], label, gain, low, high, price, unit))
    return found


def verdict(rows: Sequence[Row]) -> str:
    """Markdown: a table a data set, and what follows from it in sentences.

    Args:
        rows: Points as rows, of one metric.
    """
    if not rows:
        return "Nothing was measured.\n"
    lines = [f"# Tokens, dimensions, models: {rows[0]['metric']}", ""]
    for name in dict.fromkeys(row["dataset"] for row in rows):
        own = [row for row in rows if row["dataset"] == name]
        lines += [f"## {name} ({own[0]['queries']} queries)", "", *_table(own), "", *_said(own), ""]
    return "\n".join(lines)


def _held_against(rows: Sequence[Row], row: Row) -> Row:
    """The default's point on this axis, and in this group of models: the first that was measured."""
    same = [each for each in rows if each["axis"] == row["axis"]]
    return next(each for each in same if row["axis"] != "model" or each["group"] == row["group"])


def _more(row: Row, less: Row, field: str, unit: float) -> float | None:
    if row[field] is None or less[field] is None:
        return None
    return float(row[field] - less[field]) / unit


_COLUMNS = (
    "axis", "point", "value (95 %)", "to the default (95 %)", "tokens", "GMAC/query", "GMAC/item", "ms/query",
    "ms/item", "bytes/item",
)  # fmt: skip


def _table(rows: Sequence[Row]) -> list[str]:
    lines = [f"| {' | '.join(_COLUMNS)} |", "|---|---|" + "---:|" * (len(_COLUMNS) - 2)]
    for row in rows:
        low, high = row["ci95"]
        gap = row["difference"]
        cells = (
            row["axis"], row["label"], f"{row['value']:.3f} ({low:.3f} to {high:.3f})",
            f"{gap['mean']:+.3f} ({gap['ci95'][0]:+.3f} to {gap['ci95'][1]:+.3f})", f"{row['tokens']:.0f}",
            _billions(row["macs_query"]), _billions(row["macs_item"]), f"{1e3 * row['seconds_query']:.0f}",
            f"{1e3 * row['seconds_item']:.0f}", f"{row['bytes_item']:.0f}",
        )  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _billions(macs: float | None) -> str:
    return "" if macs is None else f"{macs / 1e9:.2f}"


def _said(rows: Sequence[Row]) -> list[str]:
    offered = purchases(rows)
    tokens = max(
        (each for each in offered if each.axis == "tokens"), key=lambda each: each.gain, default=None
    )
    lines = []
    if tokens is not None:
        lines.append(f"- **Tokens** {_shown(tokens)}. {tokens}.")
    if any(each.axis == "dims" for each in offered):
        lines += [_dimensions(rows), *_both(rows)]
    models = [each for each in offered if each.axis == "model"]
    lines += [f"- **Model size** {_shown(each)}. {each}." for each in models]
    if tokens is None:
        return lines
    if tokens.low <= 0.0:
        return [*lines, "- **So** tokens are no buy to rely on here: their gain has not been shown."]
    # A judge works only where tokens are spent: its size is no other way to spend.
    larger = [each for each in models if each.unit == "GMAC an item" and each.low > 0.0]
    rivals = [each for each in larger if each.gain > tokens.gain]
    if rivals:
        return [*lines, f"- **So** a larger model gains more than tokens here: {rivals[0]}."]
    lines.append("- **So** tokens are the better buy here: no larger encoder was shown to gain as much.")
    return [*lines, *(_even(each, tokens) for each in larger if each.price and tokens.price)]


def _shown(purchase: Purchase) -> str:
    """Whether it pays; of what saves, whether that costs anything."""
    if purchase.price is not None and purchase.price < 0.0:
        if purchase.high < 0.0:
            return "pays: the smaller loses"
        if purchase.low > 0.0:
            return "does not pay: the smaller gains"
        return "is open: the smaller has not been shown to lose"
    if purchase.low > 0.0:
        return "pays" if purchase.axis == "model" else "pay"
    if purchase.high < 0.0:
        return "loses" if purchase.axis == "model" else "lose"
    return f"{'has' if purchase.axis == 'model' else 'have'} not been shown to pay"


def _even(model: Purchase, tokens: Purchase) -> str:
    """An encoder's price is paid once an item, tokens' with every query."""
    assert model.price is not None and tokens.price is not None
    queries = model.price / tokens.price
    return (
        f"- {model.label} costs less arithmetic than {tokens.label} once more than {queries:.2g} queries are "
        f"asked for each item stored."
    )


def _both(rows: Sequence[Row]) -> list[str]:
    """Tokens on a short vector, against the whole vector without."""
    found = [row for row in rows if row["group"] == "with tokens"]
    if not found:
        return []
    best = max(found, key=lambda row: row["value"])
    low, high = best["difference"]["ci95"]
    short = next((row for row in rows if row["label"] == best["label"].rpartition(",")[0]), None)
    alone = "" if short is None else f" ({short['difference']['mean']:+.3f} without tokens)"
    said = "do not make good what a short vector loses" if high < 0.0 else "can stand in for dimensions"
    gap = f"{best['difference']['mean']:+.3f} ({low:+.3f} to {high:+.3f})"
    return [
        f"- **Tokens {said}**. {best['label']} against the whole vector without tokens: {gap}{alone} "
        f"with {best['bytes_item']:.0f} bytes an item and {best['tokens']:.0f} tokens a query."
    ]


def _dimensions(rows: Sequence[Row]) -> str:
    dims = [row for row in rows if row["axis"] == "dims"]
    whole = dims[0]
    # Random directions are a control: of so many cuts one is lucky, and nobody would choose it.
    plain = [row for row in dims[1:] if row["group"] not in ("with tokens", "random")]
    shorter = [row for row in plain if row["bytes_item"] < whole["bytes_item"]]
    equal = [row for row in shorter if row["difference"]["ci95"][1] >= 0.0]
    if not equal:
        return "- **Dimensions** pay: every shorter vector loses, its interval below 0."
    least = min(equal, key=lambda row: row["bytes_item"])
    low, high = least["difference"]["ci95"]
    share = least["bytes_item"] / whole["bytes_item"]
    return (
        f"- **Dimensions** pay up to {least['label']} ({least['bytes_item']:.0f} bytes an item, {share:.0%} "
        "of the whole): the smallest that has not been shown to be worse "
        f"({least['difference']['mean']:+.3f}, {low:+.3f} to {high:+.3f})."
    )
