"""Which files of a repository are fetched, as repositories of GGUF files are laid out."""

from typing import Any

import pytest

from engine.families import FAMILIES
from handlers.downloads.choice import Choice, Wish, choose, wish_of
from handlers.downloads.repository import DownloadError, Repository, RepositoryFile

NAME = "somebody/Qwen2.5-7B-Instruct-GGUF"
PLAIN = ("README.md", "tiny-Q3_K_S.gguf", "tiny-Q4_K_M.gguf", "tiny-UD-Q4_K_XL.gguf", "tiny-Q8_0.gguf", "tiny-f16.gguf")


def repository(*paths: str, name: str = NAME) -> Repository:
    return Repository(name, "0" * 40, tuple(RepositoryFile(path, 1, "d" * 64) for path in paths))


def chosen(*paths: str, name: str = NAME, architecture: str = "", **wish: Any) -> Choice:
    return choose(repository(*paths, name=name), Wish(name, **wish), lambda: architecture)


def names(choice: Choice) -> list[str]:
    return [file.path for file in choice.model.files]


@pytest.mark.parametrize(
    ("text", "option", "expected"),
    [
        ("a/b", None, ("a/b", None)),
        ("a/b:Q5_K_M", None, ("a/b", "Q5_K_M")),
        ("a/b", "Q8_0", ("a/b", "Q8_0")),
        ("a.b/c_d-1.5:UD-Q4_K_XL", "ud-q4_k_xl", ("a.b/c_d-1.5", "ud-q4_k_xl")),
    ],
)
def test_a_type_may_stand_behind_the_repository(
    text: str, option: str | None, expected: tuple[str, str | None]
) -> None:
    assert wish_of(text, option) == expected


@pytest.mark.parametrize("text", ["", "name", "a/b/c", "a/b:", ":Q4_0", "a b/c", "a/b:Q4 0", "https://hub/a/b"])
def test_what_names_no_repository_is_refused(text: str) -> None:
    with pytest.raises(DownloadError, match="expected OWNER/NAME or OWNER/NAME:TYPE"):
        wish_of(text, None)


def test_two_different_types_are_refused() -> None:
    with pytest.raises(DownloadError, match="the type is named twice"):
        wish_of("a/b:Q4_0", "Q8_0")


@pytest.mark.parametrize(
    ("architecture", "family", "reason"),
    [
        ("qwen2", "qwen", "its architecture is qwen2"),
        ("llama", "qwen", "its repository is called 'Qwen2.5-7B-Instruct-GGUF'"),
        ("", "qwen", "its repository is called 'Qwen2.5-7B-Instruct-GGUF'"),
        ("gemma3", "gemma", "its architecture is gemma3"),
    ],
)
def test_without_a_type_it_is_the_one_in_the_familys_record(architecture: str, family: str, reason: str) -> None:
    choice = chosen(*PLAIN, architecture=architecture)
    assert choice.recognition is not None
    assert (choice.recognition.family, choice.recognition.reason) == (FAMILIES[family], reason)
    assert choice.model.label == FAMILIES[family].quantization
    assert choice.reason == "as recommended for the family"


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        ("q8_0", "tiny-Q8_0.gguf"),
        ("Q4_K_M", "tiny-Q4_K_M.gguf"),
        ("UD-Q4_K_XL", "tiny-UD-Q4_K_XL.gguf"),
        ("Q4_K_XL", "tiny-UD-Q4_K_XL.gguf"),
        ("F16", "tiny-f16.gguf"),
    ],
)
def test_a_type_is_found_by_the_files_names_in_any_case(wanted: str, path: str) -> None:
    choice = chosen(*PLAIN, type=wanted)
    assert names(choice) == [path]
    assert (choice.recognition, choice.reason) == (None, "as named")


@pytest.mark.parametrize(
    "path", ["tiny.Q4_K_M.gguf", "tiny.i1-Q4_K_M.gguf", "sub/tiny-q4_k_m.gguf", "tiny-Q4_K_M-v2.gguf"]
)
def test_other_ways_to_name_a_type_are_known(path: str) -> None:
    assert names(chosen(path, "tiny-Q8_0.gguf")) == [path]


def test_a_split_model_comes_whole_and_counts_once() -> None:
    parts = [f"Q4_K_M/big-Q4_K_M-0000{number}-of-00003.gguf" for number in (1, 2, 3)]
    assert names(chosen(*reversed(parts), "big-Q8_0.gguf")) == parts


def test_a_split_model_that_lacks_a_part_is_refused() -> None:
    with pytest.raises(DownloadError, match=r"1 of the 3 parts of big-00001-of-00003 are not there"):
        chosen("big-00001-of-00003.gguf", "big-00003-of-00003.gguf")


def test_the_only_model_is_taken_whatever_its_type() -> None:
    choice = chosen("tiny-Q8_0.gguf", "imatrix.gguf", "mmproj-F16.gguf")
    assert choice.reason == "the only one there; Q4_K_M is recommended for the family"
    assert names(choice) == ["tiny-Q8_0.gguf"]


@pytest.mark.parametrize(
    ("paths", "wish", "complaint"),
    [
        (("model.safetensors",), {}, r"there is no model in a GGUF file; look for"),
        (
            ("a-Q2_K.gguf", "a-Q8_0.gguf"),
            {},
            r"nothing is of type Q4_K_M, which is recommended for Qwen.*--type: Q2_K, Q8_0$",
        ),
        (("a-Q2_K.gguf", "odd.gguf"), {"type": "Q4_0"}, r"nothing is of type Q4_0; name one .*: Q2_K, odd.gguf$"),
        (("a-Q4_K_M.gguf", "b-Q4_K_M.gguf"), {}, r"several models .* --file: a-Q4_K_M.gguf, b-Q4_K_M.gguf$"),
        (("a-Q4_K_M.gguf",), {"file": "b.gguf"}, r"no model begins with the file b.gguf; there are a-Q4_K_M.gguf$"),
        (
            ("a-Q4_K_M.gguf",),
            {"projector": True},
            r"no projector goes with a-Q4_K_M by its name \(there is none at all\)",
        ),
    ],
)
def test_what_is_not_there_is_said_with_what_is(
    paths: tuple[str, ...], wish: dict[str, str | bool], complaint: str
) -> None:
    with pytest.raises(DownloadError, match=complaint):
        chosen(*paths, **wish)


def test_of_several_models_of_a_type_one_is_named_by_its_file() -> None:
    paths = ("x/a-Q4_K_M.gguf", "b-Q4_K_M.gguf")
    assert names(chosen(*paths, file="a-Q4_K_M.gguf")) == ["x/a-Q4_K_M.gguf"]


@pytest.mark.parametrize(("wanted", "expected"), [(None, "mmproj-F16.gguf"), (True, "mmproj-F16.gguf"), (False, None)])
def test_a_projector_comes_unless_it_is_not_wanted(wanted: bool | None, expected: str | None) -> None:
    choice = choose(
        repository(*PLAIN, "mmproj-F16.gguf", "mmproj-F32.gguf"), Wish(NAME, projector=wanted), lambda: "qwen2vl"
    )
    assert (choice.projector.path if choice.projector else None) == expected
