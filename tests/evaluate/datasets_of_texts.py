"""A small data set of texts, written into a folder."""

import json

CORPUS = {
    "a": "a red kite over the hills",
    "b": "a blue whale under water",
    "c": "the sourdough rises over night",
    "d": "a lighthouse warns ships at night",
    "e": "red bricks and a blue door",
}
QUERIES = {
    "q1": ("red kite", {"a": 2, "e": 1}, {"kind": "plain"}),
    "q2": ("whale water", {"b": 1}, {"kind": "plain"}),
    "q3": ("bread night", {"c": 1}, {"kind": "indirect"}),
    "q4": ("a blue thing", {"b": 1, "e": 1}, {"kind": "indirect", "exclude": ["e"]}),
}


def write_lines(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def write_dataset(folder, corpus=CORPUS, queries=QUERIES):
    write_lines(folder / "corpus.jsonl", [{"_id": doc, "text": text} for doc, text in corpus.items()])
    write_lines(
        folder / "queries.jsonl",
        [{"_id": name, "text": text, "metadata": meta} for name, (text, _, meta) in queries.items()],
    )
    (folder / "qrels").mkdir(exist_ok=True)
    judged = [
        f"{name}\t{doc}\t{grade}\n"
        for name, (_, grades, _) in queries.items()
        for doc, grade in grades.items()
    ]
    (folder / "qrels" / "dev.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(judged), "utf-8")
    return folder
