"""The story world: its data are complete, agree with each other, and are found when installed."""

import dataclasses
import re
import subprocess
import sys
from collections import Counter

import pytest

from course_utils import world


def test_there_is_enough_of_everything():
    """The lessons may count on these minimum numbers."""
    sizes = [len(rows) for rows in (world.articles(), world.tickets(), world.orders(), world.products())]
    assert all(size >= least for size, least in zip(sizes, (25, 120, 30, 12), strict=True)), sizes


@pytest.mark.parametrize("rows", [world.articles(), world.tickets(), world.orders(), world.products()])
def test_ids_are_unique(rows):
    """No id occurs twice."""
    assert [id for id, times in Counter(row.id for row in rows).items() if times > 1] == []


def test_article_length():
    """Every help article has 60 to 150 words, and topics."""
    assert [each.id for each in world.articles() if not 60 <= len(each.text.split()) <= 150 or not each.topics] == []


def test_every_label_has_tickets_of_every_difficulty():
    """At least 15 plain and 8 hard tickets for each label; ambiguous ones exist."""
    count = Counter((each.label, each.difficulty) for each in world.tickets())
    assert all(count[label, "plain"] >= 15 and count[label, "hard"] >= 8 for label in world.LABELS), count
    assert sum(count[label, "ambiguous"] for label in world.LABELS) >= 10


def test_labels_are_from_the_closed_set():
    """Labels, and further acceptable labels, are from LABELS; only ambiguous tickets have more than one."""
    for each in world.tickets():
        assert {each.label, *each.also_acceptable} <= set(world.LABELS), each
        assert bool(each.also_acceptable) == (each.difficulty == "ambiguous"), each
        assert each.label not in each.also_acceptable, each


def test_texts_differ():
    """No ticket is a copy of another."""
    assert len({each.text for each in world.tickets()}) == len(world.tickets())


def test_order_ids_in_tickets_exist():
    """The order that a text names is the ticket's order_id, and there is such an order."""
    for each in world.tickets():
        named = re.findall(r"MB-\d+", each.text)
        assert (named[0] if named else None) == each.order_id, each
        assert each.order_id is None or world.order(each.order_id) is not None, each


def test_amounts_add_up():
    """Every order's total is its items and shipping, less its discount; prices are the catalogue's."""
    for order in world.orders():
        goods = sum(item.price * item.quantity for item in order.items)
        assert round(goods + order.shipping - order.discount, 2) == order.total, order
        assert all(world.product(item.product).price == item.price for item in order.items), order
        assert 0 <= order.refunded <= order.total, order


def test_dates_are_in_order():
    """Nothing arrives before it leaves, nothing lies in the story's future, and the status fits the dates."""
    for order in world.orders():
        dates = [each for each in (order.ordered_on, order.shipped_on, order.delivered_on) if each]
        assert dates == sorted(dates) and dates[-1] <= world.TODAY, order
        assert (order.shipped_on is not None) == (order.status not in ("processing", "cancelled")), order
        assert (order.delivered_on is not None) == (order.status in ("delivered", "returned", "refunded")), order


def test_prices_in_articles_are_the_catalogues():
    """A set's price in the help centre is its price in the catalogue."""
    text = " ".join(each.text for each in world.articles())
    sets = [each for each in world.products() if each.id.endswith("-set")]
    assert [each.name for each in sets if f"€{each.price:.2f}" not in text] == []


def test_lookups():
    """An id finds its value whatever its case; an unknown id finds None."""
    assert world.order(" mb-10466 ").customer == "Allotment Club Birchfield"
    assert (world.article("refunds").title, world.product("heron").price) == ("When your refund arrives", 49.0)
    assert (world.order("MB-1"), world.article("x"), world.product("x"), world.ticket("x")) == (None,) * 4


def test_accepts():
    """A ticket accepts its label and the further acceptable ones, and no others."""
    two = next(each for each in world.tickets() if each.also_acceptable == ("technical",))
    assert [label for label in world.LABELS if two.accepts(label)] == ["billing", "technical"]


def test_values_are_frozen():
    """A learner cannot change the story by accident."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        world.orders()[0].items[0].quantity = 7  # type: ignore[misc]


def test_importing_reads_nothing():
    """The data are read on first use, not on import."""
    code = (
        "import course_utils.world as w; print(w._load.cache_info().currsize); w.orders(); "
        "print(w._load.cache_info().currsize)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["0", "1"]
