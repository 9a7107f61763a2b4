"""Learners: ids that can name a folder, seeds, rosters as people write them, and whose a folder is."""

from __future__ import annotations

import json

import pytest

from course_utils.errors import CourseError
from course_utils.learners import FILE, MOST, Learner, learner, of_folder, read_roster, written


def roster(tmp_path, text: str | bytes):
    path = tmp_path / "roster.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_an_id_decides_the_seed_and_a_seed_of_ones_own_wins():
    """The same id has the same seed in every run and on every machine; two ids have two."""
    assert learner("ada").seed == 1996350132408361
    assert learner("ada").seed != learner("bob").seed
    assert learner("ada", "42") == Learner("ada", 42)
    assert 0 <= learner("x" * 64).seed < MOST


@pytest.mark.parametrize(
    "text",
    [
        "ada\nbob,42\n",
        "learner,seed\r\nada,\r\nbob,42\r\n",
        "\ufeffid\nada\n\n   \n# away: cleo\nbob , 42\n",
        '"ada"\n"bob","42"',
    ],
)
def test_a_roster_reads_as_people_write_it(tmp_path, text):
    """With and without a head, blank lines, remarks, quotes, Windows line ends and a byte order mark."""
    assert read_roster(roster(tmp_path, text)) == [learner("ada"), Learner("bob", 42)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "roster.csv names nobody."),
        ("learner,seed\n", "names nobody"),
        ("ada\nbob\nAda\n", "roster.csv:3: 'Ada' is there twice (as 'ada')."),
        ("ada lovelace\n", "roster.csv:1: 'ada lovelace' cannot be a learner's id"),
        ("../ada\n", "'../ada' cannot be a learner's id, because it will name a folder."),
        (".\n", "'.' cannot be"),
        ("ada.\n", "'ada.' cannot be"),
        (",42\n", "roster.csv:1: '' cannot be"),
        (f"{'a' * 65}\n", "cannot be a learner's id"),
        ("ada,-1\n", "roster.csv:1: '-1' is no seed for ada."),
        ("ada,4.2\n", "'4.2' is no seed"),
        ("ada,²\n", "'²' is no seed"),
        (f"ada,{MOST}\n", "is no seed"),
        ("ada,42,Ada Lovelace\n", "roster.csv:1: 3 columns are more than an id and a seed."),
        (b"ad\xe4\n", "is not text in UTF-8"),
    ],
)
def test_what_is_wrong_with_a_roster_is_said_with_its_line(tmp_path, text, words):
    """Nobody is left out in silence."""
    with pytest.raises(CourseError) as caught:
        read_roster(roster(tmp_path, text))
    assert words in caught.value.fact
    assert caught.value.fix


def test_a_roster_that_is_not_there(tmp_path):
    """A wrong name is an error in words."""
    with pytest.raises(CourseError, match="cannot be read: No such file"):
        read_roster(tmp_path / "none.txt")


def test_a_folder_says_whose_it_is(tmp_path):
    """What is written is read again; a folder without it is nobody's."""
    assert of_folder(tmp_path) is None
    (tmp_path / FILE).write_text(written(Learner("bob", 42)))
    assert of_folder(tmp_path) == Learner("bob", 42)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"id": "ada"}', '{"id": "a b", "seed": 1}', '{"id": 1, "seed": 1}'])
def test_a_damaged_folder_says_so(tmp_path, text):
    """A learner's folder never falls back to other numbers in silence."""
    (tmp_path / FILE).write_text(text)
    with pytest.raises(CourseError, match=r"learner\.json does not say whose"):
        of_folder(tmp_path)


def test_a_seed_may_be_a_text(tmp_path):
    """Spreadsheets and hands make a text of a number."""
    (tmp_path / FILE).write_text(json.dumps({"id": "ada", "seed": "7"}))
    assert of_folder(tmp_path) == Learner("ada", 7)
