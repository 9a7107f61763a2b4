"""The learner's copies: what follows the course, what stays, and what happens when something is in the way."""

import errno
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from course_utils import copies
from course_utils.env.lock import PROJECT
from course_utils.errors import CourseError
from course_utils.grading import cells

BOOK, NEW, SECOND = "notebooks/01_a.ipynb", "notebooks/01_a.new.ipynb", "notebooks/02_b.ipynb"
NEWER = "The course has newer versions of files that you changed"
BESIDE = f"{NEWER}; they are beside yours: {NEW}."
TAKEN = f"{NEWER}, and their place is taken: {NEW}.\n  Try: give these another name and run the same command again."
OFFERED = ({BOOK: "mine"}, {BOOK: "v2"}, BESIDE)  # a round: what the learner does, what the course does, what is told
DEEP = '{"a":' * 100_000

ROUNDS = {  # name -> rounds after the first start, and what the folder holds after the last
    "a first start copies everything": ([], {BOOK: "v1"}),
    "a second start changes nothing": ([({}, {}, "")], {BOOK: "v1"}),
    "a deleted copy comes back": ([({BOOK: None}, {}, "")], {BOOK: "v1"}),
    "a deleted copy comes back as it is now": ([({BOOK: None}, {BOOK: "v2"}, "")], {BOOK: "v2"}),
    "an unchanged copy follows": ([({}, {BOOK: "v2"}, ""), ({}, {BOOK: "v3"}, "")], {BOOK: "v3"}),
    "a changed copy stays": ([({BOOK: "mine"}, {}, "")], {BOOK: "mine"}),
    "a newer version appears beside a changed copy": ([OFFERED], {BOOK: "mine", NEW: "v2"}),
    "it is told once": ([OFFERED, ({}, {}, "")], {BOOK: "mine", NEW: "v2"}),
    "it appears once": ([OFFERED, ({NEW: None}, {}, "")], {BOOK: "mine"}),
    "a still newer one takes its place": ([OFFERED, ({}, {BOOK: "v3"}, BESIDE)], {BOOK: "mine", NEW: "v3"}),
    "and appears again after a deletion": ([OFFERED, ({NEW: None}, {BOOK: "v3"}, BESIDE)], {BOOK: "mine", NEW: "v3"}),
    "a changed newer one stays": ([OFFERED, ({NEW: "my v2"}, {}, "")], {BOOK: "mine", NEW: "my v2"}),
    "also before a still newer one": (
        [OFFERED, ({NEW: "my v2"}, {BOOK: "v3"}, TAKEN), ({}, {}, TAKEN)],
        {BOOK: "mine", NEW: "my v2"},
    ),
    "until it is out of the way": (
        [OFFERED, ({NEW: "my v2"}, {BOOK: "v3"}, TAKEN), ({NEW: None, "notebooks/b.ipynb": "my v2"}, {}, BESIDE)],
        {BOOK: "mine", NEW: "v3", "notebooks/b.ipynb": "my v2"},
    ),
    "a newer one that was taken over follows again": (
        [OFFERED, ({BOOK: "v2", NEW: None}, {}, ""), ({}, {BOOK: "v3"}, "")],
        {BOOK: "v3"},
    ),
    "work on a newer one is work": (
        [OFFERED, ({BOOK: "my v2", NEW: None}, {}, ""), ({}, {BOOK: "v3"}, BESIDE)],
        {BOOK: "my v2", NEW: "v3"},
    ),
    "not again because the note was lost": ([OFFERED, ({copies.NOTE: None}, {}, "")], {BOOK: "mine", NEW: "v2"}),
    "a course that goes back is no news": ([OFFERED, ({}, {BOOK: "v1"}, "")], {BOOK: "mine", NEW: "v2"}),
    "what the course drops stays": ([({}, {BOOK: None}, "")], {BOOK: "v1"}),
    "own files stay": (
        [({"notebooks/own.ipynb": "own", "plan.txt": "plan"}, {BOOK: "v2"}, "")],
        {BOOK: "v2", "notebooks/own.ipynb": "own", "plan.txt": "plan"},
    ),
    "also where a new lesson wants to be": (
        [({SECOND: "own"}, {SECOND: "b1"}, BESIDE.replace("01_a", "02_b"))],
        {BOOK: "v1", SECOND: "own", "notebooks/02_b.new.ipynb": "b1"},
    ),
    "hidden files are not copied, deeper ones are": (
        [({}, {"notebooks/.ipynb_checkpoints/x.ipynb": "x", "docs/.x": "x", "docs/a/b.png": "b"}, "")],
        {BOOK: "v1", "docs/a/b.png": "b"},
    ),
}


def change(folder: Path, files: dict[str, str | None]) -> None:
    """Write these files; None deletes one."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text) if text is not None else path.unlink()


def contents(work: Path) -> dict[str, str]:
    """Every file below that is not the note or the lock."""
    paths = [path for path in work.rglob("*") if path.is_file() and path.name not in (copies.NOTE, copies.LOCK)]
    return {path.relative_to(work).as_posix(): path.read_text() for path in paths}


def read(work: Path) -> dict[str, str]:
    """The note."""
    return json.loads((work / copies.NOTE).read_text())


@pytest.fixture
def course(tmp_path) -> Path:
    """A course with one lesson."""
    change(tmp_path / "course", {BOOK: "v1", "README.md": "not copied"})
    return tmp_path / "course"


@pytest.fixture
def work(course) -> Path:
    """Where its copies are."""
    return course / "my_work"


def start(course: Path) -> str:
    """What a start tells about the copies."""
    return "\n".join(copies.bring_up_to_date(course, course / "my_work"))


@pytest.mark.parametrize(("rounds", "wanted"), ROUNDS.values(), ids=ROUNDS)
def test_nothing_of_the_learners_is_lost_and_the_rest_follows(course, work, rounds, wanted):
    """After some starts, each with changes before it, the folder and what was told are as they should be."""
    told = [start(course)]
    for learner, author, _ in rounds:
        change(work, learner)
        change(course, author)
        told.append(start(course))
    assert (told, contents(work)) == (["", *(row[2] for row in rounds)], wanted)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"a": 1}', f'{{"{BOOK}": ""}}', "\0", DEEP, None])
def test_with_a_damaged_note_every_copy_counts_as_changed(course, work, text):
    """Whatever became of the note, no copy is written over; the next version comes beside it, and only once."""
    start(course)
    change(work, {copies.NOTE: text})
    change(course, {BOOK: "v2"})
    assert (start(course), start(course), contents(work)) == (BESIDE, "", {BOOK: "v1", NEW: "v2"})


def test_a_lost_note_is_no_news_where_nothing_changed(course, work):
    """Copies that are as the course has them are noted anew, and follow again."""
    start(course)
    change(work, {copies.NOTE: None})
    told = start(course)
    change(course, {BOOK: "v2"})
    assert (told, start(course), contents(work)) == ("", "", {BOOK: "v2"})


def test_many_newer_versions_are_one_line(course, work):
    """The line names the first few and counts the rest."""
    names = [f"exercises/{number}.ipynb" for number in range(6)]
    change(course, dict.fromkeys(names, "v1"))
    start(course)
    change(work, dict.fromkeys(names, "mine"))
    change(course, dict.fromkeys(names, "v2"))
    assert start(course) == f"{NEWER}; they are beside yours: " + ", ".join(
        f"exercises/{number}.new.ipynb" for number in range(4)
    ) + (" and 2 more.")


def test_links_are_not_followed_out_of_the_folder(course, work, tmp_path):
    """A linked folder and a linked file are the learner's; what they lead to stays as it is."""
    start(course)
    change(tmp_path, {"elsewhere/01_a.ipynb": "v1", "elsewhere/kept.txt": "v1"})
    change(course, {"docs/a.md": "a1"})
    (work / "docs").symlink_to(tmp_path / "elsewhere")
    (work / BOOK).unlink()
    (work / BOOK).symlink_to(tmp_path / "elsewhere/kept.txt")
    change(course, {BOOK: "v2"})
    assert start(course) == f"{BESIDE}\nLeft alone, because a link leads out of my_work: docs/a.md."
    assert contents(tmp_path / "elsewhere") == {"01_a.ipynb": "v1", "kept.txt": "v1"}
    assert ((work / BOOK).is_symlink(), (work / NEW).read_text()) == (True, "v2")


def test_links_in_the_course_are_not_copied(course, work, tmp_path):
    """A link in the course's folders brings nothing from elsewhere into the copies."""
    change(tmp_path, {"elsewhere/secret.txt": "secret"})
    (course / "docs").symlink_to(tmp_path / "elsewhere")
    (course / "notebooks/secret.ipynb").symlink_to(tmp_path / "elsewhere/secret.txt")
    assert (start(course), contents(work)) == ("", {BOOK: "v1"})


def test_the_whole_folder_may_be_a_link(course, work, tmp_path):
    """Who keeps their work on another disk links the folder itself."""
    (tmp_path / "disk").mkdir()
    work.symlink_to(tmp_path / "disk")
    assert (start(course), contents(tmp_path / "disk")) == ("", {BOOK: "v1"})


@pytest.mark.parametrize("place", ["my_work", "my_work/notebooks"])
def test_a_file_in_the_way_is_one_sentence(course, place):
    """Where a folder has to be and a file is, the sentence says where, and the file stays."""
    change(course, {place: "in the way"})
    with pytest.raises(CourseError, match=r"Your copies in .*my_work can't be brought up to date: \w.*\.\n  Try: look"):
        start(course)
    assert (course / place).read_text() == "in the way"


@contextmanager
def nobody() -> Iterator[Path]:
    """A folder, and no more rights in it than any user has; root would get past every bit."""
    is_root = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as name:
        if is_root:
            os.chown(name, 65534, 65534)
            os.seteuid(65534)
        try:
            yield Path(name)
        finally:
            if is_root:
                os.seteuid(0)
            for path in [Path(name), *Path(name).rglob("*")]:
                path.chmod(0o700)


@pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX has them")
def test_a_closed_copy_stops_nobody(tmp_path):
    """A copy that may not be read is named and left alone; the others follow."""
    with nobody() as course:
        change(course, {BOOK: "v1", SECOND: "b1"})
        first = start(course)
        change(course, {BOOK: "v2", SECOND: "b2"})
        (course / "my_work" / BOOK).chmod(0)
        told = start(course)
        (course / "my_work" / BOOK).chmod(0o600)
        found = contents(course / "my_work")
    assert (first, found) == ("", {BOOK: "v1", SECOND: "b2"})
    assert told.startswith(f"Copies that can't be read or replaced stay as they are: {BOOK}.\n  Try: close them")


@pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX has them")
@pytest.mark.parametrize("closed", [".", "my_work", "my_work/notebooks"])
def test_a_folder_that_may_not_be_written_to_is_one_sentence(closed):
    """Without any copy there is nothing to open, so the start ends with a sentence."""
    with nobody() as course:
        change(course, {BOOK: "v1"})
        (course / closed).mkdir(parents=True, exist_ok=True)
        (course / closed).chmod(0o500)
        with pytest.raises(CourseError, match=r"brought up to date: Permission denied\.\n  Try: .*COURSE_WORK"):
            start(course)


LIMITED = """
import resource, sys
from pathlib import Path
from course_utils import copies
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    copies.bring_up_to_date(Path(sys.argv[1]), Path(sys.argv[1]) / "my_work")
except copies.CourseError as error:
    print(error.fact)
"""


@pytest.mark.skipif(os.name != "posix", reason="limits as POSIX has them")
def test_what_cannot_be_written_whole_is_not_there_at_all(course, work):
    """A write that breaks off leaves the former copy, and nothing half-written beside it."""
    start(course)
    change(course, {BOOK: "v2" * 1000})
    run = subprocess.run([sys.executable, "-c", LIMITED, course], cwd=PROJECT, capture_output=True, text=True)
    assert re.fullmatch(r"Your copies in .* can't be brought up to date: File too large\.\n", run.stdout), run
    assert (contents(work), start(course), contents(work)) == ({BOOK: "v1"}, "", {BOOK: "v2" * 1000})


def test_a_full_disk_is_one_sentence(course, monkeypatch):
    """It says what to do about it."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(CourseError, match=r"No space left on device\.\n  Try: free some space"):
        start(course)


MANY = """
import sys
from pathlib import Path
from course_utils import copies
print("ready", flush=True)
input()
print(copies.bring_up_to_date(Path(sys.argv[1]), Path(sys.argv[1]) / "my_work"))
"""


def at_once(count: int, course: Path) -> list[str]:
    """What each of so many starts told that began in the same moment."""
    command = [sys.executable, "-c", MANY, str(course)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    runs = [subprocess.Popen(command, cwd=PROJECT, **pipes) for _ in range(count)]
    assert [run.stdout.readline() for run in runs] == ["ready\n"] * count
    for run in runs:
        run.stdin.write("\n")
        run.stdin.flush()
    return [run.communicate(timeout=60)[0] for run in runs]


def test_two_starts_at_once_agree(course, work):
    """Several processes on one folder leave every copy whole, one sound note, and nothing else; one tells the news."""
    start(course)
    change(work, {BOOK: "mine"})
    texts = {f"exercises/{number}.ipynb": f"{number}" * 20_000 for number in range(60)}
    for version in ("v2", "v3"):
        change(course, {BOOK: version} | {name: version + text for name, text in texts.items()})
        told = at_once(4, course)
        assert sorted(told) == [f"{[BESIDE]}\n", "[]\n", "[]\n", "[]\n"]
        given = {NEW: version} | {name: version + text for name, text in texts.items()}
        noted = {name: copies.digest(text.encode()) for name, text in ({BOOK: "v1"} | given).items()}
        assert (contents(work), read(work)) == ({BOOK: "mine"} | given, noted)


def test_the_folder_can_be_chosen():
    """$COURSE_WORK, else `my_work` in the course; told as one would type it in the course's folder."""
    chosen = copies.location(Path("/course"), {"COURSE_WORK": "/home/me/course"})
    usual = copies.location(Path("/course"), {"COURSE_WORK": ""})
    assert [str(chosen), str(usual)] == ["/home/me/course", "/course/my_work"]
    assert [copies.shown(path, Path("/course")) for path in (chosen, usual)] == ["/home/me/course", "my_work/"]


def test_git_does_not_see_the_copies():
    """The folder is ignored, so that a `git pull` has nothing to say about it."""
    assert "/my_work" in (PROJECT / ".gitignore").read_text().splitlines()


@pytest.mark.parametrize("path", list(copies.originals(PROJECT)))
def test_links_between_the_copies_lead_to_copies(path):
    """No relative link in a lesson or a text leads to a folder of the course that is not copied."""
    text = (PROJECT / path).read_text("utf-8") if path.endswith((".ipynb", ".md")) else ""
    targets = [target for target in re.findall(r"\]\(([^)\s#]+)", text) if re.match(r"\.{0,2}/|[\w.-]+/", target)]
    found = {os.path.normpath(os.path.join(os.path.dirname(path), target)).partition(os.sep)[0] for target in targets}
    assert found <= set(copies.FOLDERS)


def test_a_copy_can_be_handed_in():
    """The grader knows a copy, and a newer one beside it, by what is in it, and by its name when that is gone."""
    known = [Path(path).stem for path in copies.originals(PROJECT) if path.startswith("solutions/")]
    for stem in known:
        notebook = cells.read_notebook(PROJECT / f"exercises/{stem}.ipynb")
        asked = [(notebook, "x.ipynb"), ({"metadata": {}}, f"{stem}.ipynb"), ({"metadata": {}}, f"{stem}.new.ipynb")]
        assert [cells.exercise_of(book, Path(name), known) for book, name in asked] == [stem] * 3
