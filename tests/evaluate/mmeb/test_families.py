"""Every family of loaders on the tiny benchmark of our own."""

import pytest
from benchmark_data import parsed

from ponder.testing.mmeb import make_layout


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mmeb")
    make_layout(folder)
    return folder


def first(data, name):
    task = parsed(data, name)
    assert not task.incomplete and not task.notes
    return task, task.queries[0], task.candidates[0]


def test_all_is_there(tmp_path):
    for name in make_layout(tmp_path, queries=5):
        task = parsed(tmp_path, name)
        assert len(task.queries) == (20 if name == "MVBench" else 5), name
        assert not task.incomplete, name


@pytest.mark.parametrize(
    ("name", "text", "label"),
    [
        ("ImageNet-1K", "<|image_pad|>\nName the shape\n", "a red disc"),
        ("OK-VQA", "<|image_pad|>\nAnswer this of the picture: What is it?\n", "It is a red disc."),
        ("MSCOCO_i2t", "<|image_pad|>\nFind the words for it.\n", "Someone drew a red disc"),
    ],
)
def test_picture_to_text(data, name, text, label):
    task, query, candidate = first(data, name)
    assert (query.side.text, query.side.kind) == (text, "image")
    assert query.side.media == (f"data_basedir/image-tasks/{name}/0.jpg",)
    assert query.info.fields["label_name"] == label == query.info.cand_names[0] == candidate.name
    assert candidate.side.text == label
    assert len(task.candidates) == 3


def test_text_to_picture_shows_the_caption_that_came_first(data):
    task, query, _ = first(data, "WebQA")
    assert query.side.text == "Which picture tells it: How does a red disc look?\n"
    assert query.info.fields["label_name"] == "WebQA/0.jpg"
    assert [each.side.text for each in task.candidates] == [
        f"<|image_pad|>\nLook at this: {thing}, in list 0\n"
        for thing in ("red disc", "red square", "red triangle")
    ]


def test_a_dialogue_ends_in_two_newlines_and_pictures_without_captions_in_one(data):
    _, query, candidate = first(data, "VisDial")
    assert query.side.text == "Find what was talked about: \nQ:what\nA:red disc\n\n"
    assert candidate.side.text == "<|image_pad|>\nLook at this:\n"


def test_picture_to_picture_with_and_without_captions(data):
    _, query, candidate = first(data, "NIGHTS")
    assert candidate.name == "NIGHTS/0.jpg:"
    assert candidate.side.text == "<|image_pad|>\nSee it."
    task, query, candidate = first(data, "RefCOCO-Matching")
    assert query.side.text == '<|image_pad|>\nFind what is meant: "the red disc"\n'
    assert candidate.name == "RefCOCO-Matching/0.jpg:middle of the red disc"
    assert candidate.side.text == '<|image_pad|>\nSee it. "middle of the red disc"\n'
    assert len(task.candidates) == 9


def test_classes_of_clips_are_the_queries_and_then_the_rest(data):
    task, query, _ = first(data, "Breakfast")
    names = [each.name for each in task.candidates]
    assert names[:3] == ["pancake", "cereal", "tea"] and len(names) == len(set(names)) == 10
    folder = "data_basedir/video-tasks/frames/video_cls/Breakfast/0"
    # Nine frames, 2.jpg to 10.jpg: the ninth and not the eighth is shown, and numbers sort as numbers.
    assert query.side.media == tuple(f"{folder}/{number}.jpg" for number in (2, 3, 4, 5, 6, 7, 8, 10))


def test_descriptions_of_clips_have_a_pool_of_their_own(data):
    _, query, _ = first(data, "SmthSmthV2")
    assert query.info.cand_names == tuple(sorted(query.info.cand_names)) and len(query.info.cand_names) == 3
    assert query.info.label_names == ("a red disc goes from left to right",)


@pytest.mark.parametrize("name", ["MSR-VTT", "MSVD", "DiDeMo", "YouCook2", "VATEX"])
def test_text_to_video(data, name):
    task, query, candidate = first(data, name)
    assert query.side.text.endswith(" a red disc goes from left to right")
    assert query.side.media == ()
    assert query.info.fields == {"cand_names": [candidate.name], "label_name": candidate.name}
    assert candidate.side.text == "<|video_pad|> Understand the content of the provided video."
    assert len(candidate.side.media) == 8
    assert len(task.candidates) == 3


def test_clips_of_a_video_are_in_natural_order(data):
    _, query, _ = first(data, "QVHighlight")
    at = "data_basedir/video-tasks/frames/video_mret/QVHighlight/0"
    assert query.info.cand_names == (
        f"{at}/negative_clip_2",
        f"{at}/negative_clip_10",
        f"{at}/positive_clip",
    )
    assert query.info.fields["label_name"] == f"{at}/positive_clip"
    assert query.side.media[0] == f"{at}/query/2.jpg"


def test_moments_are_sought_by_words_pictures_and_clips_and_all_frames_are_shown(data):
    task, *_ = first(data, "MomentSeeker")
    assert [each.side.kind for each in task.queries] == ["text", "image", "video"]
    assert len(task.queries[2].side.media) == 10
    assert isinstance(task.queries[0].info.fields["label_name"], list)
    assert "sentence and video segment" in task.queries[2].side.text


@pytest.mark.parametrize(
    ("name", "end", "label", "text"),
    [
        (
            "MVBench",
            "What is it?\nOptions:\n(A) red disc\n(B) red square\n(C) red triangle",
            "(A) red disc",
            None,
        ),
        (
            "Video-MME",
            "What is it?\nA. A red disc.\nB. A red square.\nC. A red triangle.",
            "A. A red disc.",
            "A red disc",
        ),
        (
            "NExTQA",
            "\nOptions:\n(A) red disc\n(B) red square\n(C) red triangle\n(D) blue disc\n(E) blue square",
            "red disc",
            None,
        ),
        (
            "EgoSchema",
            "What is it?A. A red disc. B. A red square. C. A red triangle.",
            "A. A red disc.",
            "A red disc",
        ),
        ("ActivityNetQA", "Question:  is it a red disc? (A) yes; (B) no.", "yes", None),
    ],
)
def test_questions_about_clips(data, name, end, label, text):
    _, query, candidate = first(data, name)
    assert query.side.text.endswith(end)
    assert query.info.fields["label_name"] == candidate.name == label
    assert candidate.side.text == (text or label)
    assert query.details["query"] == query.side.text
    assert query.details["answer_idx"] == 0


@pytest.mark.parametrize("name", ["ViDoRe_arxivqa", "VisRAG_ChartQA"])
def test_judged_pages_come_first_and_repeated_grades_keep_the_larger(data, name):
    task, query, _ = first(data, name)
    ids = [each.name for each in task.candidates]
    assert query.info.label_names == tuple(ids[:2]) == query.info.cand_names
    assert query.info.rel_scores == (2, 1)
    assert len(ids) == 5
    assert task.candidates[0].side.kind == "page"


def test_page_ids_keep_their_types_and_long_names_are_cut_and_told_apart(data):
    assert parsed(data, "ViDoRe_arxivqa").candidates[0].name == 0
    shown = [each.side.media[0] for each in parsed(data, "VisRAG_ChartQA").candidates]
    assert len(set(shown)) == 5
    assert all(len(each.rpartition("/")[2]) == 50 + 9 + 4 for each in shown)
