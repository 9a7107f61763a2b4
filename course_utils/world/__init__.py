"""The story that every lesson uses: the support desk of Merrowby, a fictional workshop for garden instruments.

Layer 0: imports nothing from this package. Everything here is invented: shop, people, orders, tickets. The values
are frozen and read from package data on first use. Money is in euros; dates are ISO texts such as "2026-05-18".
In the story it is `TODAY`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

SHOP = "Merrowby"
TODAY = "2026-05-18"  # a Monday
LABELS = ("billing", "technical", "sales", "other")
MEANINGS = {  # what the person who labelled the tickets went by
    "billing": "invoices, payments, refunds, gift cards, and what a subscription costs",
    "technical": "a device, its connection, the app or the login does not work as it should",
    "sales": "advice, prices, stock and offers before an order",
    "other": "everything else, such as parcels, addresses, visits, jobs, data protection, or thanks; a person reads it",
}

Difficulty = Literal["plain", "hard", "ambiguous"]


@dataclass(frozen=True, slots=True)
class Product:
    """One article of the catalogue."""

    id: str
    name: str
    price: float  # euros
    about: str


@dataclass(frozen=True, slots=True)
class Article:
    """One page of the help centre: the facts that a good reply is built from."""

    id: str
    title: str
    text: str
    topics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ticket:
    """One message from a customer, with what a careful person makes of it."""

    id: str
    text: str
    label: str  # one of LABELS
    difficulty: Difficulty
    also_acceptable: tuple[str, ...]  # further labels that nobody could call wrong; only for ambiguous tickets
    order_id: str | None  # the order that the text names
    sentiment: Literal["positive", "neutral", "negative"]
    urgency: Literal["low", "normal", "high"]

    def accepts(self, label: str) -> bool:
        """True when `label` is right for this ticket, or as good as right."""
        return label == self.label or label in self.also_acceptable


@dataclass(frozen=True, slots=True)
class Item:
    """One line of an order."""

    product: str  # a Product id
    quantity: int
    price: float  # euros, for one piece


@dataclass(frozen=True, slots=True)
class Order:
    """One order and how far it has come."""

    id: str
    customer: str
    email: str
    items: tuple[Item, ...]
    status: Literal["processing", "shipped", "delivered", "returned", "refunded", "cancelled"]
    payment: Literal["card", "bank transfer", "gift card", "invoice"]
    ordered_on: str
    shipped_on: str | None
    delivered_on: str | None
    shipping: float  # euros
    discount: float  # euros
    total: float  # euros: items and shipping, less the discount
    refunded: float  # euros already sent back


def products() -> tuple[Product, ...]:
    """The catalogue, in its printed order."""
    return _load("products", Product)


def articles() -> tuple[Article, ...]:
    """The help centre, by topic."""
    return _load("articles", Article)


def tickets() -> tuple[Ticket, ...]:
    """The labelled tickets: plain ones, then hard ones, then ambiguous ones."""
    return _load("tickets", Ticket)


def orders() -> tuple[Order, ...]:
    """The orders of this spring, oldest first."""
    return _load("orders", Order)


def product(id: str) -> Product | None:
    """The product with this id, or None."""
    return next((each for each in products() if each.id == id), None)


def article(id: str) -> Article | None:
    """The help article with this id, or None."""
    return next((each for each in articles() if each.id == id), None)


def ticket(id: str) -> Ticket | None:
    """The ticket with this id, or None."""
    return next((each for each in tickets() if each.id == id), None)


def order(id: str) -> Order | None:
    """The order with this id, or None; case and spaces around it do not count.

    >>> order("mb-10484 ").customer
    'Yusra Benkhaled'
    """
    return next((each for each in orders() if each.id == id.strip().upper()), None)


@cache
def _load(name: str, kind: type) -> tuple[Any, ...]:
    rows = json.loads(files(__package__).joinpath(f"{name}.json").read_text(encoding="utf-8"))
    return tuple(kind(**{key: _frozen(value) for key, value in row.items()}) for row in rows)


def _frozen(value: Any) -> Any:
    """Lists become tuples, and the dicts in them order items."""
    if not isinstance(value, list):
        return value
    return tuple(Item(**each) if isinstance(each, dict) else each for each in value)
