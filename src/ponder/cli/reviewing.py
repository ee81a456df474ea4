"""``ponder mine --review`` and ``--corrections``: a person's word on mined pairs."""

from __future__ import annotations

from pathlib import Path

from ponder.cli.console import print_json, quiet_stdout, show
from ponder.cli.partly import finish
from ponder.cli.present import skipped_json
from ponder.errors import BadArguments, InputNotFound


def review(pairs: Path, folder: Path | None, out: Path | None, most: int, *, as_json: bool) -> None:
    """Write the page of doubtful pairs.

    Args:
        pairs: Mined.
        folder: Of the data set; None takes the one that the pairs were mined from.
        out: The page; None puts it beside the pairs.
        most: Pairs on it.
        as_json: Whether JSON is wanted.
    """
    from ponder.evaluate.beir import load_beir
    from ponder.feedback.doubtful import doubtful
    from ponder.feedback.mined import files_of, pairs_at
    from ponder.feedback.review import review_page
    from ponder.train.pairs import made_of, read_pairs

    where = pairs_at(pairs)
    made = made_of(where)
    source = folder or Path(made.get("folder", ""))
    if not source.is_dir() or source == Path():
        raise InputNotFound("the data set of these pairs is not here", str(source), "name its DIR")
    if out is None:
        out = where.parent / (f"{where.name}.review.html" if where.suffix else "review.html")
    elif out.is_dir() or out.suffix != ".html":
        raise BadArguments(f"{out} is no page", "--out", "give a name that ends in .html")
    elif not out.absolute().parent.is_dir():
        raise InputNotFound("no such folder", str(out.parent), "make it, or put the page elsewhere")
    with quiet_stdout(as_json):
        dataset = load_beir(source, split=made.get("split", "train"))
        chosen = doubtful((pair for file in files_of(where) for pair in read_pairs(file)), most)
        page = review_page(dataset, chosen, f"{dataset.name}, split {dataset.split}: {len(chosen)} pairs")
        partial = out.with_name(f".{out.name}.partial")
        partial.write_text(page.text, encoding="utf-8")
        partial.replace(out)
        left_out = skipped_json(page.left_out)
        if as_json:
            print_json({"page": str(out), "pairs": len(page.pairs), "skipped": left_out})
    if not as_json:
        show(
            f"the {len(page.pairs)} most doubtful pairs (--most {most}), false negatives and suspects first:"
        )
        show(f"open {out} in a browser, save corrections.json, then")
        show(f"ponder mine --corrections corrections.json --pairs {pairs}")
    finish(left_out)


def correct(pairs: Path | None, file: Path, *, as_json: bool) -> None:
    """Take corrections back.

    Args:
        pairs: That they are of.
        file: As the page saved it.
        as_json: Whether JSON is wanted.
    """
    from ponder.feedback.corrections import correct as take
    from ponder.feedback.corrections import read_corrections
    from ponder.feedback.mined import pairs_at

    if pairs is None:
        raise BadArguments("whose corrections?", "--pairs", "name the pairs, as in --pairs mined.parquet")
    found = read_corrections(file)
    changed = take(pairs_at(pairs), found)
    if as_json:
        print_json({"corrections": len(found), "changed": changed})
    else:
        show(f"{len(found)} corrections, {changed} decisions changed; they hold when this is mined again")
