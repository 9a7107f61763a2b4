"""The command line of `python3 -m course_utils`: commands, options, and help that a learner can read.

Top layer. Imports the standard library, `env` and `errors`.
"""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Sequence
from typing import Any, NoReturn

from course_utils.env.lock import ABOUT, PROJECT, SETS
from course_utils.errors import CourseError

COMMAND = "python3 -m course_utils"
EXAMPLES = f"""\
examples:
  {COMMAND} lab                       open the lessons in the browser (installs what is missing)
  {COMMAND} lab --with crewai,local   the same, with CrewAI and a small local model
  {COMMAND} lab --model openai        lessons talk to OpenAI; needs OPENAI_API_KEY
  {COMMAND} doctor                    what is here, what is missing, and how to get it
"""
FOR_MAKERS = f"""\
  {COMMAND} test                      check everything: code, notebooks, solutions
  {COMMAND} test -- -k retries        only the tests with "retries" in their name
  {COMMAND} release ../handout        write the folder that learners get
"""
OWN_PARSERS = {  # commands that read their arguments themselves
    "build": "make the notebooks from source/",
    "grade": "grade submitted notebooks",
    "release": "write the folder that learners get",
}
IS_WHOLE = (PROJECT / "course_utils/release").is_dir()  # a learner's folder has only what learners need


class Parser(argparse.ArgumentParser):
    """A parser that reports mistakes as the rest of the course does."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the whole usage."""
        raise CourseError(f"{message[:1].upper()}{message[1:]}.", f"{self.prog} --help")


def parse(argv: Sequence[str]) -> Namespace:
    """The command line as values; what follows a lone `--` is in `rest`.

    Raises:
        CourseError: It can't be read.
    """
    own, rest = list(argv), []
    if own and own[0] in OWN_PARSERS:
        own, rest = own[:1], own[1:]
    elif "--" in own:
        own, rest = own[: own.index("--")], own[own.index("--") + 1 :]
    parser = build_parser()
    if not own:
        own = ["help"]
    arguments = parser.parse_args(own)
    if rest and arguments.command not in ("test", *OWN_PARSERS):
        raise CourseError(f"{arguments.command} takes nothing after `--`.", f"{COMMAND} {arguments.command} --help")
    arguments.rest = rest
    return arguments


def build_parser() -> Parser:
    """The parser of all commands."""
    parser = Parser(
        prog=COMMAND,
        description="A course on orchestrating LLM workflows: no account, no key, nothing installed but Python.",
        epilog=EXAMPLES + FOR_MAKERS if IS_WHOLE else EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", metavar="command", required=True)
    add_lab(commands)
    commands.add_parser("doctor", help="what is here, what is missing, and how to get it")
    add_serve(commands)
    commands.add_parser("stop", help="end the course server of this folder, whoever started it")
    if IS_WHOLE:
        add_makers(commands)
    commands.add_parser("help", help="this text")
    return parser


def add_makers(commands: Any) -> None:
    """The commands of those who make, check, grade and hand out the course."""
    test = commands.add_parser("test", help="check everything; arguments after -- go to pytest")
    test.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="STEP",
        help="only this step: style, format, build, tests or notebooks",
    )
    for name, text in OWN_PARSERS.items():
        commands.add_parser(name, help=text, add_help=False)
    lock = commands.add_parser("lock", help="for maintainers: choose the versions anew")
    lock.add_argument("--upgrade", action="store_true", help="take the newest versions that fit")


def add_lab(commands: Any) -> None:
    """The options of `lab`."""
    lab = commands.add_parser(
        "lab",
        help="open the lessons in JupyterLab",
        epilog=sets_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_model(lab)
    lab.add_argument("--port", type=port, default=None, help="JupyterLab's port (default: 8888, or the next free one)")
    lab.add_argument("--no-browser", action="store_true", help="print the address and open nothing")
    lab.add_argument(
        "--with", dest="sets", type=sets, default=(), metavar="SET,...", help="also install these sets, listed below"
    )
    lab.add_argument("--verbose", action="store_true", help="show JupyterLab's own messages")


def add_serve(commands: Any) -> None:
    """The options of `serve`."""
    serve = commands.add_parser("serve", help="run the course server alone (lab and notebooks start it themselves)")
    add_model(serve)
    serve.add_argument("--port", type=port, default=0, help="its port (default: any free one)")
    serve.add_argument(
        "--upstream-url", metavar="URL", help="for --model openai: another provider that speaks OpenAI's protocol"
    )
    serve.add_argument("--gguf", metavar="FILE", help="for --model local: a model file of your own")
    serve.add_argument("--idle", type=float, metavar="SECONDS", help="end when nobody used it for so long")
    serve.add_argument(
        "--runtime-file", metavar="FILE", help="where to write how to reach it (default: a private folder)"
    )
    serve.add_argument("--speed", type=float, metavar="TIMES", help="run simulated waiting so many times faster")


def add_model(parser: argparse.ArgumentParser) -> None:
    """Let a command choose what answers."""
    text = "what answers: practice (a simulator, the default), local (a small model on this machine) or openai"
    parser.add_argument("--model", choices=("practice", "local", "openai"), default="practice", help=text)


def sets_help() -> str:
    """The sets and what they are for."""
    return "sets:\n" + "\n".join(f"  {name:<12}{ABOUT[name]}" for name in SETS)


def sets(text: str) -> tuple[str, ...]:
    """Names of sets, separated by commas."""
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if unknown := [name for name in names if name not in (*SETS, "all")]:
        raise argparse.ArgumentTypeError(f"there is no set {unknown[0]!r}; there are {', '.join(SETS)} and all")
    return SETS if "all" in names else names


def port(text: str) -> int:
    """A port's number."""
    if not text.isdecimal() or not 0 <= int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; a port is a number from 0 to 65535")
    return int(text)
