"""Where a learner stands: what was begun in full, the rest in one line, and a sum over everything."""

from __future__ import annotations

from course_utils.show.standing import Standing


def row(check: str, tries: int = 0, points: int = 0, hints: int = 0, met: tuple[str, ...] = ()) -> dict:
    counts = {"points": points, "of": 3, "tries": tries, "hints": hints}
    return {"check": check, "passed": points > 0, "met": list(met), "cleared": list(met) if points else []} | counts


def first_cells(*rows: dict) -> list[tuple[str, str, str]]:
    return [line[:3] for line in Standing(rows).table()]


def test_what_was_not_begun_is_one_line():
    """Forty lines of "not tried" would hide the three that count; a hint is a beginning, too."""
    assert first_cells(row("a.a"), row("b.b", 2, 3), row("c.c"), row("d.d", hints=1)) == [
        ("b.b", "✓ passed", "3 of 3"),
        ("d.d", "· not tried", "0 of 3"),
        ("2 more", "· not tried", "0 of 6"),
        ("all", "", "3 of 12"),
    ]


def test_a_single_one_has_its_name():
    """And with nothing begun there is one line for all."""
    assert first_cells(row("a.a", 1), row("b.b"))[1] == ("b.b", "· not tried", "0 of 3")
    assert first_cells(row("a.a"), row("b.b"))[0] == ("2 checks", "· not tried", "0 of 6")


def test_beliefs_are_met_and_cleared():
    """Each with its check, in text and in HTML, where it is text."""
    standing = Standing([row("a.a", 1, met=("that 1 < 2",)), row("b.b", 1, 3, met=("that 2 > 1",))])
    assert repr(standing).splitlines()[-2:] == ["met in a.a: that 1 < 2", "cleared in b.b: that 2 > 1"]
    assert "<li>met in a.a: that 1 &lt; 2</li>" in standing._repr_mimebundle_()["text/html"]
