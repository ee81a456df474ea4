"""What is missing or wrong in the data is said, and never scored in silence."""

import shutil

import pytest
from benchmark_data import change, parsed, tiny
from hypothesis import given
from hypothesis import strategies as st

from ponder.errors import InputInvalid, MissingDependency
from ponder.evaluate.mmeb.parsed import Candidate, Info, Parsed, Query, Side
from ponder.evaluate.mmeb.pool import Pool, checked


@pytest.fixture
def data(tmp_path):
    return tiny(tmp_path)


def frames(data, *parts):
    return data.joinpath("data_basedir", "video-tasks", "frames", *parts)


def table(data, repo, part="data/test-00000-of-00001.parquet"):
    return data / "hf" / repo / part


def test_a_missing_picture_of_a_query(data):
    (data / "data_basedir/image-tasks/ImageNet-1K/1.jpg").unlink()
    task = parsed(data, "ImageNet-1K")
    assert task.problems == {1: "no such file: data_basedir/image-tasks/ImageNet-1K/1.jpg"}
    assert task.incomplete.startswith("1 of 3 queries, such as: no such file")


def test_a_missing_picture_of_a_candidate_concerns_all_whose_pool_it_is_in(data):
    (data / "data_basedir/image-tasks/RefCOCO-Matching/1.jpg").unlink()
    (data / "data_basedir/image-tasks/WebQA/1.jpg").unlink()
    assert list(parsed(data, "RefCOCO-Matching").problems) == [1]
    assert list(parsed(data, "WebQA").problems) == [0, 1, 2]


def test_a_video_of_the_shared_pool_without_frames_concerns_its_query(data):
    shutil.rmtree(frames(data, "video_ret", "MSVD", "1"))
    task = parsed(data, "MSVD")
    assert list(task.problems) == [1]
    assert "no frames in data_basedir/video-tasks/frames/video_ret/MSVD/1" in task.incomplete
    assert "1 of 3 queries and 1 of 3 candidates" in task.incomplete


def test_a_retrieved_video_with_too_few_frames_and_a_classified_one(data):
    for kept in ("video_ret/MSVD/1", "video_cls/Breakfast/1"):
        for number in range(2, 7):
            (frames(data) / kept / f"{number}.jpg").unlink()
    assert parsed(data, "MSVD").problems[1].startswith("4 frames in")
    task = parsed(data, "Breakfast")
    assert not task.incomplete and len(task.queries[1].side.media) == 4


def test_a_video_without_a_right_clip_never_keeps_the_answer_of_the_one_before(data):
    shutil.rmtree(frames(data, "video_mret", "QVHighlight", "1", "positive_clip"))
    task = parsed(data, "QVHighlight")
    assert task.queries[1].info.label_names == ()
    assert task.problems[1].startswith("0 clips of") and list(task.problems) == [1]
    assert task.queries[1].info.fields["label_name"] == []


def test_a_video_with_two_right_clips(data):
    at = frames(data, "video_mret", "QVHighlight", "2")
    shutil.copytree(at / "positive_clip", at / "positive_other")
    task = parsed(data, "QVHighlight")
    assert task.problems[2].startswith("2 clips of") and len(task.queries[2].info.label_names) == 2


def test_a_moment_whose_frames_are_missing(data):
    shutil.rmtree(frames(data, "video_mret", "MomentSeeker", "video_frames", "m2_shown"))
    shutil.rmtree(frames(data, "video_mret", "MomentSeeker", "video_frames", "m0_wrong"))
    (frames(data, "video_mret", "MomentSeeker") / "query_m1.jpg").unlink()
    told = parsed(data, "MomentSeeker").problems
    assert {number: what.rpartition("/")[2] for number, what in told.items()} == {
        0: "m0_wrong",
        1: "query_m1.jpg",
        2: "m2_shown",
    }


def test_a_query_without_a_judged_page_and_a_judged_page_that_is_not_there(data):
    qrels = table(data, "vidore/arxivqa_test_subsampled_beir", "qrels/test-00000-of-00001.parquet")
    change(qrels, lambda rows: [row for row in rows if row["query-id"] != 101 or not row["score"]])
    change(qrels, lambda rows: [*rows, {"query-id": 102, "corpus-id": 99, "score": 1}])
    task = parsed(data, "ViDoRe_arxivqa")
    assert task.problems == {
        1: "no page is judged above 0 for query 101",
        2: "1 judged pages are not in the corpus, such as 99",
    }


def test_only_queries_of_the_language_are_taken(data):
    vidore = data / "hf" / "vidore"
    shutil.copytree(vidore / "arxivqa_test_subsampled_beir", vidore / "esg_reports_v2")
    languages = ("english", "french", "english")
    change(
        vidore / "esg_reports_v2" / "queries" / "test-00000-of-00001.parquet",
        lambda rows: [row | {"language": each} for row, each in zip(rows, languages, strict=True)],
    )
    every = parsed(data, "ViDoRe_esg_reports_v2_multilingual")
    english = parsed(data, "ViDoRe_esg_reports_v2")
    assert [each.side.text for each in english.queries] == [every.queries[at].side.text for at in (0, 2)]
    # The judged pages of the queries that are left come first.
    assert [each.name for each in every.candidates] == [0, 1, 2, 3, 4]
    assert [each.name for each in english.candidates] == [0, 1, 2, 3, 4]


def test_an_answer_that_is_in_no_pool_is_noted(data):
    path = table(data, "VLM2Vec/SmthSmthV2", "ssv2_test.jsonl")
    path.write_text(path.read_text().replace('"pos_text": "a red disc', '"pos_text": "A red disc'))
    task = parsed(data, "SmthSmthV2")
    assert list(task.notes) == [0] and "in no pool" in task.notes[0]
    assert not task.incomplete


def test_answers_of_multiple_choice_that_point_nowhere(data):
    change(table(data, "VLM2Vec/Video-MME"), lambda rows: [row | {"answer": "Z"} for row in rows])
    task = parsed(data, "Video-MME")
    assert set(task.problems.values()) == {"no right answer is told"} and len(task.problems) == 3
    assert task.queries[0].info.fields["label_name"] == []


def test_an_empty_pool_of_a_querys_own(data):
    path = data / "hf/ziyjiang/MMEB_Test_Instruct/ImageNet-1K/test-00000-of-00001.parquet"
    change(path, lambda rows: [rows[0] | {"tgt_text": []}, *rows[1:]])
    assert parsed(data, "ImageNet-1K").problems == {0: "no right answer is told"}


def test_a_missing_column_names_file_column_and_what_there_is(data):
    path = table(data, "VLM2Vec/MSVD")
    change(path, lambda rows: [{"video_id": row["video_id"], "captions": row["caption"]} for row in rows])
    with pytest.raises(InputInvalid) as error:
        parsed(data, "MSVD")
    assert error.value.what == "no column 'caption'"
    assert error.value.where == str(path)
    assert "expected video_id, caption; it has video_id, captions" in error.value.hint


@pytest.mark.parametrize(
    ("name", "file", "content"),
    [
        ("MSVD", "MSVD/data/test-00000-of-00001.parquet", b"PAR1 and no more"),
        ("SmthSmthV2", "SmthSmthV2/ssv2_test.jsonl", b'{"video_id": 1, "pos'),
        ("SmthSmthV2", "SmthSmthV2/ssv2_test.jsonl", b"[1]\n"),
        ("MSR-VTT", "MSR-VTT/msrvtt_test_1k.json", b'[{"video_id": "1"'),
        ("DiDeMo", "DiDeMo/test.csv", b'video,caption\n"all\n'),
        ("DiDeMo", "DiDeMo/test.csv", b"\xff\xfe\x00"),
    ],
)
def test_a_file_that_was_cut_off_is_named(data, name, file, content):
    (data / "hf" / "VLM2Vec" / file).write_bytes(content)
    with pytest.raises(InputInvalid) as error:
        parsed(data, name)
    assert file in f"{error.value.where} {error.value.what}"


def test_a_pointer_in_place_of_a_file_is_told_as_such(data):
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
    table(data, "VLM2Vec/MSVD").write_bytes(pointer)
    with pytest.raises(InputInvalid, match="git lfs pull"):
        parsed(data, "MSVD")


def test_all_sub_tasks_are_required(data):
    (data / "hf/VLM2Vec/MVBench/json/action_count.json").unlink()
    with pytest.raises(MissingDependency, match="action_count"):
        parsed(data, "MVBench")


def test_a_path_that_leads_out_of_the_data_is_refused(data):
    change(
        data / "hf/ziyjiang/MMEB_Test_Instruct/ImageNet-1K/test-00000-of-00001.parquet",
        lambda rows: [row | {"qry_img_path": "../../../secret.jpg"} for row in rows],
    )
    with pytest.raises(InputInvalid, match="leads out of the data"):
        parsed(data, "ImageNet-1K")


@given(st.lists(st.tuples(st.integers(0, 5) | st.sampled_from("0ab"), st.text(max_size=2))))
def test_of_one_name_the_first_wins_and_order_is_that_of_arrival(offered):
    pool = Pool()
    for name, text in offered:
        pool.add(name, Side(text))
    found = [(each.name, each.side.text) for each in pool.candidates]
    assert found == [
        each for at, each in enumerate(offered) if each[0] not in [name for name, _ in offered[:at]]
    ]


@given(st.lists(st.sampled_from("abc"), max_size=4), st.sampled_from("abcd"), st.booleans())
def test_a_query_is_a_problem_without_answers_and_is_noted_where_it_is_odd(names, label, local):
    pool = [Candidate(each, Side(each)) for each in dict.fromkeys(names)]
    asked = [Query(Side("?"), Info(tuple(names), (label,))), Query(Side("?"), Info(tuple(names), ()))]
    [query, unanswered] = checked(Parsed(asked, pool), local=local).queries
    assert unanswered.problem
    assert bool(query.problem) == (local and not names)
    assert bool(query.note) == (label not in names or len(set(names)) < len(names))
