"""The cost ledger: exact sums, aligned text, an accessible table, and no times."""

from __future__ import annotations

from course_utils.records import Record, Trace
from course_utils.show.ledger import Row, ledger


def record(number: int, step: str, tokens: tuple[int, int] = (120, 45), status: int = 200) -> Record:
    price = (tokens[0] * 0.15 + tokens[1] * 0.6) / 1e6
    return Record(
        number, "main", step, "small", 1, number, number + 0.5, number, number + 0.5, 1, status,
        prompt_tokens=tokens[0], completion_tokens=tokens[1], price=price,
    )  # fmt: skip


CHAIN = Trace([record(1, "draft"), record(2, "check", (0, 0), 429), record(3, "check", (1200, 9)), record(4, "")])
ONE = Trace([record(1, "answer")])


def test_one_row_per_step_and_their_sum():
    """Steps stand in order of appearance, requests without a step are not lost, and the total adds up."""
    made = ledger(CHAIN)
    assert made.rows[:2] == (
        Row("draft", 1, 0, 120, 45, made.rows[0].price),
        Row("check", 2, 1, 1200, 9, made.rows[1].price),
    )
    assert [row.name for row in made.rows] == ["draft", "check", "(no step)"]
    assert made.total == Row("total", 4, 1, 1440, 99, CHAIN.price)


def test_it_reads_as_aligned_text():
    """The plain text has figures under each other and thousands apart."""
    assert repr(ledger(CHAIN)) == (
        "step       requests  failed  prompt tokens  completion tokens      price\n"
        "---------  --------  ------  -------------  -----------------  ---------\n"
        "draft             1       0            120                 45  $0.000045\n"
        "check             2       1          1,200                  9  $0.000185\n"
        "(no step)         1       0            120                 45  $0.000045\n"
        "---------  --------  ------  -------------  -----------------  ---------\n"
        "total             4       1          1,440                 99  $0.000275"
    )


def test_traces_are_compared_side_by_side_without_a_sum():
    """Alternatives are not added up; the last column says how many times the first one each costs."""
    text = repr(ledger({"one call": ONE, "chain": CHAIN}))
    assert text == (
        "run       requests  failed  prompt tokens  completion tokens      price  of the first\n"
        "--------  --------  ------  -------------  -----------------  ---------  ------------\n"
        "one call         1       0            120                 45  $0.000045        × 1.00\n"
        "chain            4       1          1,440                 99  $0.000275        × 6.12"
    )


def test_the_order_of_racing_steps_can_be_fixed():
    """Parallel steps arrive in any order; `steps` makes the stored table the same every time."""
    one, two = Trace([record(1, "a"), record(2, "b")]), Trace([record(1, "b"), record(2, "a")])
    assert repr(ledger(one, steps=["a", "b"])) == repr(ledger(two, steps=["a", "b"]))
    assert repr(ledger(one)) != repr(ledger(two))


def test_the_table_can_be_read_aloud():
    """Column and row headers are marked as such, and the table has a caption."""
    html = ledger(CHAIN)._repr_mimebundle_()["text/html"]
    assert (html.count('scope="col"'), html.count('scope="row"'), html.count("<caption")) == (6, 4, 1)


def test_nothing_costs_nothing():
    """An empty trace has an empty ledger, and a free first run has no ratio."""
    assert ledger(Trace()).total == Row("total", 0, 0, 0, 0, 0)
    assert repr(ledger({"nothing": Trace(), "chain": CHAIN})).splitlines()[-1].endswith("–")


def test_names_cannot_become_html():
    """A step name with angle brackets is shown, not obeyed."""
    html = ledger(Trace([record(1, "<b>x</b>")]))._repr_mimebundle_()["text/html"]
    assert "&lt;b&gt;x&lt;/b&gt;" in html
