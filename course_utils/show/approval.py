"""An approval card: what is to be done, shown to a person before it is done, and decided once.

Layer 1: imports `errors`, `static`; `approval_controls` only when a widget is shown. Cards are kept until the kernel
ends, so running a cell again shows the decision that was made; a card that asks for anything else is another card.
No answer is a no: until somebody decides, `decision` is what `default` says, and that is "reject" unless the author of
an unattended run has stored another. Not for several threads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from course_utils.errors import CourseError
from course_utils.show import static

Verdict = Literal["approve", "edit", "reject"]
DONE = {"approve": "✓ Approved", "edit": "✎ Approved with changes", "reject": "✗ Rejected"}
RESERVED = {"reason", "verdict"}  # `decide` has parameters of these names

_kept: dict[str, Card] = {}


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided, and about which arguments; those of an "edit" are the changed ones."""

    verdict: Verdict
    arguments: dict[str, Any]
    reason: str = ""
    is_default: bool = False  # nobody decided: the card's default stands in

    @property
    def is_approved(self) -> bool:
        """True when the action may be done, with `arguments` and no others."""
        return self.verdict != "reject"


class Card:
    """One action that waits for a person."""

    def __init__(self, action: str, arguments: Mapping[str, Any], about: Mapping[str, str], default: Any) -> None:
        if taken := sorted(RESERVED & set(arguments)):
            raise CourseError(f"A card cannot have an argument {taken[0]!r}.", fix="call it something else.")
        self.action, self.arguments, self.about = action, dict(arguments), dict(about)
        self.default = self._stored(default)
        self._decided: Decision | None = None
        self._told: list[Callable[[], None]] = []  # called when the card is decided
        self._widget: Any = None

    @property
    def asked(self) -> tuple[object, ...]:
        """All that makes it this card and no other: a decision is about what was shown."""
        return self.action, self.arguments, self.about, self.default

    @property
    def texts(self) -> dict[str, str]:
        """The arguments as the card shows them."""
        return {name: shown(value) for name, value in self.arguments.items()}

    @property
    def is_decided(self) -> bool:
        """True when somebody has decided."""
        return self._decided is not None

    @property
    def decision(self) -> Decision:
        """What was decided, or the default."""
        return self._decided or self.default

    def decide(self, verdict: Verdict, /, reason: str = "", **changes: Any) -> str:
        """Decide, once; this is what the buttons call. `changes` are new values of arguments, for "edit".

        Raises:
            CourseError: The card was decided before, or this is no decision that it can take.
        """
        if self._decided:
            raise CourseError(
                f"This card is decided: {self.sentence}", fix="ask again with a new card, under another `name`."
            )
        made = self._made(verdict, changes)
        self._decided = Decision(made.verdict, made.arguments, reason.strip())
        for tell in self._told:
            tell()
        return self.sentence

    def _stored(self, default: Any) -> Decision:
        if not isinstance(default, Mapping):
            return self._made(default, {}, True)
        is_change = any(self.arguments.get(name) != value for name, value in default.items())
        return self._made("edit" if is_change else "approve", default if is_change else {}, True)

    def _made(self, verdict: str, changes: Mapping[str, Any], is_default: bool = False) -> Decision:
        if verdict not in DONE:
            raise CourseError(f"{verdict!r} is no decision.", fix=f"choose one of: {', '.join(DONE)}.")
        if unknown := sorted(set(changes) - set(self.arguments)):
            raise CourseError(
                f"The card has no argument {unknown[0]!r}.", fix=f"change one of: {', '.join(self.arguments)}."
            )
        edited = self.arguments | {name: read(value, self.arguments[name], name) for name, value in changes.items()}
        if verdict == "edit" and edited == self.arguments:
            raise CourseError("Nothing was changed.", fix="change an argument, or approve as it is.")
        if verdict != "edit" and changes:
            raise CourseError(f"A decision to {verdict} changes nothing.", fix='use "edit" to approve with changes.')
        return Decision(verdict, edited, is_default=is_default)

    @property
    def sentence(self) -> str:
        """How it stands with the card."""
        made = self.decision
        changes = {name: value for name, value in made.arguments.items() if value != self.arguments[name]}
        changed = "; ".join(f"{name} {self.texts[name]} → {shown(value)}" for name, value in changes.items())
        if made.is_default and made.verdict == "reject":
            return "Nobody has decided. Until somebody does, the answer is no."
        if made.is_default:
            stored = "; ".join(filter(None, [f"`{made.verdict}`", changed]))
            return f"Nobody has decided. Until somebody does, an unattended run goes on with a stored one ({stored})."
        because = f". Reason: {made.reason}" if made.reason else "."
        return ": ".join(filter(None, [DONE[made.verdict], changed])) + because

    def body(self) -> str:
        """What is to be done, as HTML."""
        table = static.html_table(("argument", "value"), list(self.texts.items()), words=(0, 1)) if self.texts else ""
        lines = "".join(f"<li>{static.rich(name)}: {static.rich(text)}</li>" for name, text in self.about.items())
        return f"<p><strong>Approve?</strong> {static.rich(self.action)}</p>{table}<ul>{lines}</ul>"

    def __repr__(self) -> str:
        rows = [f"  {name} = {text}" for name, text in self.texts.items()]
        lines = [f"  {name}: {static.plain(text)}" for name, text in self.about.items()]
        return "\n".join([f"Approve? {static.plain(self.action)}", *rows, *lines, static.plain(self.sentence)])

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        from course_utils.show import controls

        choices = "" if self.is_decided else "<p>[ Approve ] [ Edit ] [ Reject ]</p>"
        html = static.card(f"{self.body()}{choices}<p>{static.rich(self.sentence)}</p>", kind="approval")
        return {**static.bundle(html, repr(self)), **(self._view() if controls.is_live() else {})}

    def _view(self) -> dict[str, Any]:
        from course_utils.show.approval_controls import approval_controls
        from course_utils.show.controls import view

        return view(self, approval_controls)


def approve(
    action: str,
    arguments: Mapping[str, Any],
    *,
    effect: str,
    asked_by: str,
    risk: str,
    if_unanswered: str = "It is not done.",
    default: Verdict | Mapping[str, Any] = "reject",
    name: str = "",
) -> Card:
    """Ask a person before something is done; `card.decision` then says what may be done.

    Args:
        arguments: Texts and numbers; a person may change them, and a changed one keeps its type.
        effect: What happens in the world when it is done, in words.
        risk: The tier, and why: "one person: above €50".
        if_unanswered: What happens when the time is up.
        default: Stands in when nobody answers, as in an unattended run; a mapping of changes stands for "edit".
        name: Another name makes another card of the same content, to be decided anew.
    """
    about = {"Effect": effect, "Asked by": asked_by, "Risk": risk, "If nobody answers": if_unanswered}
    made = Card(action, arguments, about, default)
    kept = _kept.get(key := name or repr((action, sorted(arguments))))
    if kept is None or kept.asked != made.asked:
        _kept[key] = made
    return _kept[key]


def shown(value: Any) -> str:
    """A value as the card shows it, and as its field gives it back.

    >>> shown(179.0), shown(0.125), shown(3), shown("MB-10424")
    ('179.00', '0.125', '3', 'MB-10424')
    """
    return f"{value:.2f}" if isinstance(value, float) and value == round(value, 2) else str(value)


def read(value: Any, like: Any, name: str) -> Any:
    """The value as the type of `like`; what a text field gives is a text.

    Raises:
        CourseError: A number is needed, and this is none.
    """
    if isinstance(like, bool) or not isinstance(like, int | float):
        return value if isinstance(value, type(like)) else str(value).strip()
    try:
        number = type(like)(str(value).strip().replace(",", "."))
    except ValueError:
        raise CourseError(f"{name} = {value!r} is no number.", fix="write digits, such as 12 or 49.50.") from None
    if number - number != 0:  # an infinity, or not a number
        raise CourseError(f"{name} = {value!r} is no amount of anything.", fix="write digits, such as 12 or 49.50.")
    return number
