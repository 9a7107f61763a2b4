"""The learner's environment: markers, the lock, the note in `.venv`, and set-ups with a real pip and small wheels."""

import base64
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from packaging.markers import Marker

from course_utils.env import installer, lock, markers, setup
from course_utils.env.guard import refusal
from course_utils.env.lock import Pin
from course_utils.env.locks import try_lock
from course_utils.env.progress import Failed, Progress
from course_utils.env.venv import Note, Venv
from course_utils.errors import CourseError

LINUX = {**markers.environment(), "sys_platform": "linux", "os_name": "posix", "platform_machine": "x86_64"}
MACHINES = [
    {**LINUX, "python_full_version": "3.11.2", "python_version": "3.11"},
    {**LINUX, "python_full_version": "3.12.0", "python_version": "3.12"},
    {**LINUX, "python_full_version": "3.13.1", "python_version": "3.13", "platform_machine": "aarch64"},
    {**LINUX, "sys_platform": "darwin", "platform_machine": "arm64"},
    {**LINUX, "sys_platform": "win32", "os_name": "nt", "platform_machine": "AMD64"},
    {**LINUX, "implementation_name": "pypy", "platform_python_implementation": "PyPy"},
]
ENSURE = (
    "import pathlib; from course_utils.env.setup import ensure; print(ensure(['core'], project=pathlib.Path({!r})))"
)
LOCKED = sorted({pin.marker for pin in lock.read() if pin.marker})


@pytest.mark.parametrize("marker", LOCKED)
def test_markers_mean_what_packaging_says(marker):
    """Every marker of the lock has the value that the reference implementation gives it, on six kinds of machine."""
    assert [markers.holds(marker, machine) for machine in MACHINES] == [
        Marker(marker).evaluate(machine) for machine in MACHINES
    ]


@pytest.mark.parametrize(
    "marker", ["extra == 'x'", "os_name == ", "os_name ~= 'nt'", "(os_name == 'nt'", "os_name == 'nt' os_name", "# no"]
)
def test_unknown_markers_are_errors(marker):
    """What the lock never says is refused, not guessed at."""
    with pytest.raises(ValueError, match=r"(?i)marker|comparison"):
        markers.holds(marker, LINUX)


def test_the_lock_parses_to_what_it_was_written_from():
    """Pins survive being written and read, with marker, hashes and sets."""
    pin = Pin("a-b", "1.2", "os_name == 'nt'", ("sha256:" + "0" * 64, "sha256:" + "1" * 64), frozenset({"core"}))
    assert lock.parse(f"# head\n# for: core\n{pin}\n") == [pin]


def test_selection_takes_sets_and_markers():
    """A selection has the pins of its sets that apply to the machine, and no other."""
    pins = [
        Pin("a", "1", sets=frozenset({"core"})),
        Pin("b", "1", "sys_platform == 'win32'", sets=frozenset({"core"})),
        Pin("c", "1", sets=frozenset({"crewai", "dev"})),
        Pin("d", "1", sets=frozenset({"dev"})),
    ]
    assert [pin.name for pin in lock.select(pins, ["core", "crewai"], LINUX)] == ["a", "c"]


def test_differences_name_each_package():
    """A missing package and another version are told apart."""
    assert lock.differences([Pin("a", "1"), Pin("b", "2"), Pin("c", "3")], {"a": "1", "b": "9"}) == [
        "b is 9 instead of 2",
        "c is missing",
    ]


def test_a_lock_that_is_no_lock_is_said_so(tmp_path):
    """A damaged list of packages ends in a sentence, not in a traceback."""
    (tmp_path / "requirements.lock").write_text("<html>")
    with pytest.raises(CourseError, match=r"can't be read"):
        lock.read(tmp_path / "requirements.lock")


@pytest.mark.parametrize(
    ("version", "here", "words"),
    [
        ((3, 8, 18), [], "this is Python 3.8.18.\n  Try: install Python 3.12"),
        ((3, 14, 0), ["python3.13"], "this is Python 3.14.0.\n  Try: python3.13 -m course_utils lab --port 1"),
    ],
)
def test_an_unfit_python_is_told_what_to_do(version, here, words):
    """Too old and too new get one sentence, and the command to run where a fit Python is on the machine."""
    assert words in refusal(version, works=here.__contains__, arguments=["lab", "--port", "1"])


def test_fit_pythons_are_not_refused():
    """3.11 to 3.13 may go on."""
    assert [refusal((3, minor, 0)) for minor in (11, 12, 13)] == ["", "", ""]


# --- set-ups with a real pip; the wheels are made here, so no network is touched


def wheel(folder: Path, name: str, version: str) -> str:
    """Write a wheel with one module of that name; gives its hash."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip('=')},{len(text)}"
        for path, text in files.items()
    ]
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,"]) + "\n"
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name_, text in files.items():
            archive.writestr(name_, text)
    return "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A course folder with a small lock: core needs `alpha`, crewai needs `beta`."""
    wheels, folder = tmp_path / "wheels", tmp_path / "course"
    wheels.mkdir(), folder.mkdir()
    pins = [
        Pin(name, "1", "", (wheel(wheels, name, "1"),), frozenset({kind}))
        for name, kind in (("alpha", "core"), ("beta", "crewai"))
    ]
    write_lock(folder, pins)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    return folder


def write_lock(folder: Path, pins: list[Pin]) -> None:
    """Write the lock of a project."""
    text = "".join(f"# for: {' '.join(pin.sets)}\n{pin}\n" for pin in pins)
    (folder / "requirements.lock").write_text(text)


def versions(python: Path) -> str:
    """What a Python says about `alpha` and `beta`, and whether it finds the project's own module."""
    code = "import alpha\ntry: import beta\nexcept ImportError: beta = None\n"
    code += "print(alpha.VERSION, beta.VERSION if beta else '')"
    return subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_a_set_up_grows_notices_a_new_lock_and_then_rests(project, tmp_path, monkeypatch, capfd):
    """Make, add a set, follow a changed lock; a last call with all ready starts no program at all."""
    python = setup.ensure(["core"], project=project)
    seen = [versions(python)]
    setup.ensure(["crewai"], project=project)
    seen.append(versions(python))
    beta = lock.read(project / "requirements.lock")[1]
    newer = Pin("alpha", "2", "", (wheel(tmp_path / "wheels", "alpha", "2"),), frozenset({"core"}))
    write_lock(project, [newer, beta])
    setup.ensure(["core"], project=project)
    seen.append(versions(python))
    said = capfd.readouterr().out
    monkeypatch.setattr(subprocess, "Popen", None)
    assert (seen, setup.ensure(["core", "crewai"], project=project)) == (["1", "1 1", "2 1"], python)
    assert said.count("Setting up") == 3
    assert "installing 2 packages ... done" in said


def test_the_project_is_importable_also_after_a_move(project):
    """The path to the project inside the environment is relative."""
    (project / "course_marker.py").write_text("")
    setup.ensure(["core"], project=project)
    moved = project.rename(project.with_name("moved"))
    run = subprocess.run([Venv(moved / ".venv").python, "-c", "import course_marker"], cwd="/", capture_output=True)
    assert (run.returncode, run.stderr) == (0, b"")


def test_a_half_made_environment_is_made_anew(project, capfd):
    """A set-up that was cut short leaves a note that says so, and the next one starts over with all its sets."""
    python = setup.ensure(["core", "crewai"], project=project)
    venv = Venv(project / ".venv")
    note = venv.note()
    venv.write_note(Note(note.lock, note.sets))
    (venv.site_packages[0] / "alpha.py").unlink()
    assert not venv.is_ready(note.lock, ["core"])
    setup.ensure(["core"], project=project)
    assert "was not finished" in capfd.readouterr().out
    assert versions(python) == "1 1"


def test_a_failed_set_up_leaves_a_mendable_folder(project, monkeypatch):
    """A package that can't be had ends in a sentence; once it can, the same call succeeds."""
    wheels = os.environ["PIP_FIND_LINKS"]
    monkeypatch.setenv("PIP_FIND_LINKS", str(project / "nothing"))
    with pytest.raises(CourseError, match=r"can't be fetched: .*alpha"):
        setup.ensure(["core"], project=project)
    assert json.loads((project / ".venv/course.json").read_text())["complete"] is False
    monkeypatch.setenv("PIP_FIND_LINKS", wheels)
    assert versions(setup.ensure(["core"], project=project)) == "1"


def test_another_package_than_the_locked_one_is_refused(project):
    """A wheel with the right name and version but another content is not installed."""
    wheel(project.parent / "wheels", "alpha", "1 ")  # another content ...
    odd = project.parent / "wheels" / "alpha-1 -py3-none-any.whl"
    odd.rename(project.parent / "wheels" / "alpha-1-py3-none-any.whl")  # ... under the locked name
    with pytest.raises(CourseError, match="not the one that the lock names"):
        setup.ensure(["core"], project=project)


def test_somebody_elses_venv_is_left_alone(project):
    """A `.venv` that this course did not make is neither changed nor deleted."""
    (project / ".venv").mkdir()
    (project / ".venv/mine.txt").write_text("keep")
    with pytest.raises(CourseError, match="made by something else"):
        setup.ensure(["core"], project=project)
    assert [path.name for path in (project / ".venv").iterdir()] == ["mine.txt"]


def test_a_foreign_venv_with_everything_in_it_is_used(project):
    """Whoever made `.venv` with the locked versions need not make it again."""
    setup.ensure(["core"], project=project)
    (project / ".venv/course.json").unlink()
    assert setup.ensure(["core"], project=project) == Venv(project / ".venv").python


def test_an_active_environment_that_fits_is_used_as_it_is(project):
    """Run by the Python of an environment that has the locked versions, `ensure` chooses that Python."""
    python = setup.ensure(["core"], project=project)
    (project / ".venv/course.json").unlink()
    other = (project / ".venv").rename(project.parent / "environment")
    venv = Venv(other)
    (venv.site_packages[0] / "orchestration_course.pth").write_text(f"{project}\n{lock.PROJECT}\n")
    code = ENSURE.format(str(project))
    run = subprocess.run([venv.python, "-c", code], capture_output=True, text=True, cwd=project)
    assert (run.stdout.strip(), run.stderr, python.exists()) == (str(venv.python), "", False)


def set_up_process(project: Path) -> subprocess.Popen[str]:
    """Another process that sets the project up."""
    code = ENSURE.format(str(project))
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=lock.PROJECT
    )


def test_two_set_ups_at_once_end_in_one_environment(project):
    """The second waits for the first and finds everything ready."""
    said = [process.communicate()[0] for process in [set_up_process(project), set_up_process(project)]]
    assert sum(text.count("Setting up") for text in said) == 1
    assert versions(Venv(project / ".venv").python) == "1"


def test_a_killed_set_up_is_repaired(project):
    """SIGKILL in the middle loses the lock with the process, and the next set-up goes on."""
    process = set_up_process(project)
    while not (project / ".venv/setup.log").exists():
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert Venv(project / ".venv").note().complete is False
    assert versions(setup.ensure(["core"], project=project)) == "1"


OUTLIVED = """
import sys
from pathlib import Path
from course_utils.env.progress import Progress
from course_utils.env.setup import alone
folder = Path(sys.argv[1])
writing = "import sys, time; from pathlib import Path\\n"
writing += "Path(sys.argv[1], 'began').touch()\\nwhile not Path(sys.argv[1], 'end').exists(): time.sleep(0.01)"
with alone(folder) as held:
    Progress(folder / "log", keeping=held).run("installing", [sys.executable, "-c", writing, str(folder)])
"""


def test_an_installer_that_outlives_its_set_up_keeps_the_lock(tmp_path):
    """Nobody makes `.venv` anew while the program of a killed set-up still writes into it."""
    process = subprocess.Popen([sys.executable, "-c", OUTLIVED, str(tmp_path)], cwd=lock.PROJECT)
    while not (tmp_path / "began").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.wait()
    with (tmp_path / ".venv.lock").open("r+") as again:
        assert not try_lock(again.fileno(), wait=False)
        (tmp_path / "end").touch()
        assert try_lock(again.fileno(), wait=True)


def test_an_almost_full_disk_is_said_before_the_work(project, monkeypatch):
    """Nothing is begun that can't be finished."""
    monkeypatch.setitem(setup.ROOM, "core", 1e9)
    with pytest.raises(CourseError, match="GB left, and the packages need"):
        setup.ensure(["core"], project=project)
    assert not (project / ".venv").exists()


@pytest.mark.parametrize(
    ("output", "fact"),
    [
        ("error: Failed to install\n  Caused by: No space left on device (os error 28)", "The disk is full."),
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            "The disk is full.",
        ),
        (
            "× Failed to fetch\n  ╰─▶ Connection refused (os error 111)",
            "The packages can't be fetched: Connection refused",
        ),
        ("error: Hash mismatch for `a==1`", "A package is not the one that the lock names: Hash mismatch"),
        ("error: failed to open x: Read-only file system (os error 30)", "A file can't be written: failed to open x"),
        ("it just broke", "The installation failed: it just broke."),
        ("", "The installation failed: it gave no reason."),
    ],
)
def test_an_installers_failure_becomes_a_sentence(output, fact):
    """The cause is recognised from what uv and pip print."""
    assert installer.explain(output, Path("setup.log")).fact.startswith(fact)


def test_without_pip_and_ensurepip_the_missing_package_is_named(tmp_path, monkeypatch):
    """A Python in parts, as Debian's, is told which part it lacks."""
    bare = tmp_path / "python"
    bare.write_text("#!/bin/sh\nexit 1\n")
    bare.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(bare))
    monkeypatch.setattr(sys, "_base_executable", str(bare))
    venv = Venv(tmp_path / ".venv")
    venv.python.parent.mkdir(parents=True)
    venv.python.symlink_to(bare)
    with pytest.raises(CourseError, match="no pip, and no ensurepip") as caught:
        installer.pip_for(venv, Progress(tmp_path / "log"))
    assert "venv" in caught.value.fix


def test_uv_uses_the_mirror_that_pip_was_told(monkeypatch):
    """pip's settings reach uv; uv's own win."""
    monkeypatch.setattr(installer, "pip_settings", lambda: {"index-url": "mirror", "cert": "mine.pem"})
    for name in ("UV_DEFAULT_INDEX", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", "other.pem")
    variables = installer.uv_variables()
    assert (variables["UV_DEFAULT_INDEX"], variables["SSL_CERT_FILE"]) == ("mirror", "other.pem")


def test_progress_keeps_the_output_of_a_failure(tmp_path, capfd):
    """One line for the learner; all the rest in the log and in the error."""
    progress = Progress(tmp_path / "log")
    with pytest.raises(Failed) as caught:
        progress.run("trying", [sys.executable, "-c", "print('many words'); raise SystemExit(3)"])
    assert (caught.value.output, capfd.readouterr().out) == ("many words\n", "  trying ... failed after 0 s\n")
    assert "many words" in (tmp_path / "log").read_text()
