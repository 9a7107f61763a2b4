"""The confusion matrix: every count stands in its cell, and every cell in the words."""

from __future__ import annotations

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from course_utils.errors import CourseError
from course_utils.show.confusion import confusion, count
from course_utils.show.style import INK

TRUE = ["billing", "billing", "billing", "sales", "sales", "other"]
ANSWERED = ["billing", "sales", "sales", "sales", None, "billing"]
LABELS = ("billing", "sales", "other")


def texts(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


def test_every_cell_holds_its_count():
    """Rows are the true labels in the order given, columns the answers; what is no label comes last."""
    ax = confusion(TRUE, ANSWERED, labels=LABELS)
    cells = {(round(t.get_position()[1]), round(t.get_position()[0])): t.get_text() for t in ax.texts[:12]}
    assert [[cells[row, column] for column in range(4)] for row in range(3)] == [
        ["1", "2", "0", "0"],
        ["0", "1", "0", "1"],
        ["1", "0", "0", "0"],
    ]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["billing", "sales", "other", "none"]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["billing", "sales", "other"]


def test_sums_stand_beside_the_rows_and_below_the_columns():
    """Each row says how many of a label were found, each column how many answers were right; the corner says both."""
    sums = texts(confusion(TRUE, ANSWERED, labels=LABELS))[12:]
    assert sums == ["1 of 3", "1 of 2", "0 of 1", "1 of 2", "1 of 3", "0 of 0", "0 of 1", "2 of 6"]


def test_the_words_hold_every_count():
    """Caption and alt text are enough for a reader who sees neither cells nor colours."""
    picture = confusion(TRUE, ANSWERED, labels=LABELS, title="Small").figure
    assert picture.caption == (
        "Small: 2 of 6 right. By true label: billing 1 of 3; sales 1 of 2; other 0 of 1. Most frequent mistakes: "
        "2 × billing taken for sales; 1 × sales taken for none; 1 × other taken for billing."
    )
    assert picture.alt == (
        f"{picture.caption} By answer: billing 1 of 2; sales 1 of 3; other 0 of 0; none 0 of 1. "
        "All mistakes: 2 billing as sales; 1 sales as none; 1 other as billing."
    )


def test_right_answers_are_marked_without_colour():
    """The diagonal is framed, and its counts are bold; an empty cell still shows its 0."""
    ax = confusion(TRUE, ANSWERED, labels=LABELS)
    assert [patch.get_xy() for patch in ax.patches] == [(at - 0.46, at - 0.43) for at in range(3)]
    bold = [text.get_text() for text in ax.texts[:12] if text.get_fontweight() == "bold"]
    assert bold == ["1", "1", "0"]
    assert {patch.get_edgecolor() for patch in ax.patches} == {ax.patches[0].get_edgecolor()}
    assert ax.texts[0].get_color() == INK


def test_a_perfect_matrix_names_no_mistake():
    """Where nothing went wrong, the caption ends after the rows."""
    picture = confusion(["a", "b"], ["a", "b"]).figure
    assert picture.caption == "Confusion matrix: 2 of 2 right. By true label: a 1 of 1; b 1 of 1."
    assert picture.alt.endswith("All mistakes: none.")


def test_a_label_that_never_came_up_keeps_its_row():
    """Two matrices with the same labels can be laid side by side."""
    assert count(["a"], ["a"], ["a", "b"]).rows == ("a", "b")


@pytest.mark.parametrize("labels", [2, 4, 9])
def test_nothing_is_cut_off(labels):
    """All texts lie within the picture, and no two on top of each other, for few labels and for many."""
    names = [f"a rather long label {number}" for number in range(labels)]
    picture = confusion(names, names[1:] + names[:1], title="Long names").figure
    renderer = FigureCanvasAgg(picture).get_renderer()
    picture.draw_without_rendering()
    ax = picture.axes[0]
    all_texts = [*ax.texts, *ax.get_xticklabels(), *ax.get_yticklabels(), ax.xaxis.label, ax.yaxis.label]
    boxes = [text.get_window_extent(renderer) for text in all_texts if text.get_text()]
    whole = picture.bbox
    assert all(whole.x0 <= box.x0 and box.x1 <= whole.x1 and whole.y0 <= box.y0 and box.y1 <= whole.y1 for box in boxes)
    assert not any(one.overlaps(other) for at, one in enumerate(boxes) for other in boxes[at + 1 :])


def test_it_draws_on_given_axes():
    """With `ax` it draws there, and leaves that picture's words alone."""
    ax = confusion(["a"], ["a"]).figure.add_subplot()
    assert confusion(TRUE, ANSWERED, ax=ax) is ax


@pytest.mark.parametrize(("true", "answered"), [([], []), (["a"], [])])
def test_what_cannot_be_drawn_is_refused(true, answered):
    """No case, or a case without an answer, is an error that says what is needed."""
    with pytest.raises(CourseError, match=f"There are {len(true)} true labels and {len(answered)} answers"):
        confusion(true, answered)
