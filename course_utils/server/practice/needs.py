"""What a customer's message asks for, and which sentences of the help centre answer it.

Layer 1: imports `world` and siblings. The needs stand in needs.json: `when` holds patterns that must all be found in
one part of the message, `also` and `unless` one that the whole message must have or must not have, `say` the openings
of the article's sentences that help. A need may be `calm` (no reason to apologise), want a `person` to look into it, be
a question about an order's `state`, be the `rest` when nothing else is found, or have a `reply` of its own.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from course_utils import world
from course_utils.server.practice import facts
from course_utils.server.practice.classify import CLAUSE, FINE, INJECTION, NEGATED, concepts_in
from course_utils.server.practice.words import content, sentences

LONGEST = 4000  # letters of a message that are read
PRAISE = 3.0  # evidence from which a message is one of thanks
MOST = 2  # needs that one letter takes up
JOINT = re.compile(
    r",?\s+(?:and|but)\s+(?=how|what|which|where|when|why|who|can|do|is|tell|explain|find|search)", re.IGNORECASE
)
PRICE = re.compile(r"\b(?:price|cost|costs|how much|expensive|cheaper|preis|prix|precio)\b", re.IGNORECASE)
VARIABLE = re.compile(  # the parts of a pattern that may match other letters than those that stand there
    r"\\.[?*+]?|\((?:[^()]|\([^()]*\))*\)[?*+]?|\[[^\]]*\](?:[?*+]|\{[^}]*\})?|.(?:[?*]|\{[^}]*\})"
)
SHIPPING = re.compile(r"\bship|\bpostage|\bshipping|\bdelivery\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that customers write about."""

    name: str
    when: tuple[re.Pattern[str], ...]
    triggers: tuple[str, ...]  # a text without any of them cannot fit; none when that cannot be told
    also: re.Pattern[str] | None
    unless: re.Pattern[str] | None
    say: tuple[str, ...]  # sentences of the help centre
    topics: tuple[str, ...]  # of their article, without the department
    reply: str
    is_calm: bool
    wants_person: bool
    is_state: bool
    is_rest: bool

    def fits(self, part: str, whole: str) -> bool:
        """True when a part of a message, in lower case, speaks of this need."""
        if not all(each.search(part) for each in self.when):
            return False
        return (self.also is None or bool(self.also.search(whole))) and not (self.unless and self.unless.search(whole))


@dataclass(frozen=True, slots=True)
class Advice:
    """What to tell a customer: the sentence that helps most comes first."""

    needs: tuple[Need, ...] = ()
    prices: tuple[str, ...] = ()

    @property
    def sentences(self) -> list[str]:
        found = [*self.prices, *(part for need in self.needs for part in (need.reply, *need.say) if part)]
        return list(dict.fromkeys(found))

    @property
    def is_covered(self) -> bool:
        """True when the help centre has an answer beyond the state of an order."""
        return bool(self.prices) or any(need.say and not need.is_state for need in self.needs)


@cache
def needs() -> tuple[Need, ...]:
    """All needs, those with more patterns first, since they are more certain."""
    rows = json.loads(files(__package__).joinpath("needs.json").read_text(encoding="utf-8"))
    return tuple(_need(row) for row in sorted(rows, key=lambda row: -len(row["when"]) - ("also" in row)))


def _need(row: dict) -> Need:
    article = world.article(row.get("article", ""))
    parts = sentences(article.text) if article else []
    return Need(
        name=row["name"],
        when=tuple(re.compile(each) for each in row["when"]),
        triggers=triggers_of(row["when"][0]),
        also=re.compile(row["also"]) if "also" in row else None,
        unless=re.compile(row["unless"]) if "unless" in row else None,
        say=tuple(next(part for part in parts if part.startswith(opening)) for opening in row.get("say", ())),
        topics=article.topics[1:]
        if article and article.topics[0] in world.LABELS
        else article.topics
        if article
        else (),
        reply=row.get("reply", ""),
        is_calm=row.get("calm", False),
        wants_person=row.get("person", False),
        is_state=row.get("state", False),
        is_rest=row.get("rest", False) or row.get("state", False),
    )


def triggers_of(pattern: str) -> tuple[str, ...]:
    """A run of letters from each alternative of a pattern, without which it cannot match; () when one has none.

    Looking for letters is far quicker than searching with a hundred patterns.

    >>> triggers_of(r"\\bhubs?\\b|burrow|lose(?:s|d) .{0,9}link"), triggers_of(r"gauge|\\d+")
    (('hub', 'burrow', 'lose'), ())
    """
    depth, alternatives = 0, [""]
    for sign in pattern:
        depth += (sign == "(") - (sign == ")")
        if sign == "|" and depth == 0:
            alternatives.append("")
        else:
            alternatives[-1] += sign
    found = []
    for each in alternatives:
        runs = re.findall(r"[^\W\d_]{3,}", VARIABLE.sub(" ", each))
        if not runs:
            return ()
        found.append(max(runs, key=len))
    return tuple(found)


@lru_cache(512)
def advice_for(message: str) -> Advice:
    """What the help centre says to a message; empty when it says nothing.

    >>> advice_for("Do you ship to Norway?").sentences[0][:27]
    'Norway, Switzerland and the'
    """
    parts = honest_parts(message)
    whole = " ".join(parts).lower()
    near = [need for need in needs() if not need.triggers or any(word in whole for word in need.triggers)]
    found = [next((need for need in near if need.fits(part.lower(), whole)), None) for part in parts]
    named = [need for need in dict.fromkeys(found) if need]
    # An order's state goes without saying when something else is wrong with it.
    kept = [need for need in named if not need.is_rest] or named
    return Advice(tuple(kept[:MOST]), _prices(parts))


@lru_cache(512)
def honest_parts(message: str) -> tuple[str, ...]:
    """The sentences of a message, cut where a new question begins, without negated clauses, praise and hidden orders.

    >>> honest_parts("This is not about billing. The hub is dead, and how do I reset it?")
    ('The hub is dead', 'how do I reset it?')
    """
    kept = []
    for sentence in sentences(message[:LONGEST].replace("---", "\n")):
        if INJECTION.search(sentence):
            continue
        for part in JOINT.split(sentence):
            text = part
            for clause in CLAUSE.split(part.replace("’", "'")):
                if clause.strip() and (NEGATED.search(clause) or FINE.search(clause)):
                    text = text.replace(clause, " ")
            if content(text):
                kept.append(" ".join(text.split()).lstrip(" ,.;:"))
    return tuple(kept)


def is_thanks(message: str) -> bool:
    """True when a message only praises or thanks, and asks for nothing."""
    text = " ".join(honest_parts(message))
    if "?" in text or advice_for(message).sentences:
        return False
    said = concepts_in(text)
    return said.get("praise", 0) >= PRAISE and said.get("negative", 0) < said.get("praise", 0)


def _prices(parts: tuple[str, ...]) -> tuple[str, ...]:
    """The prices asked for, of the articles named in the same part."""
    named = [name for part in parts if PRICE.search(part) and not SHIPPING.search(part) for name in _named(part)]
    priced = {each.name: each.price for each in world.products()}
    return tuple(f"The {name} costs €{priced[name]:.2f}." for name in dict.fromkeys(named))


def _named(part: str) -> list[str]:
    return facts.products(part) or [
        each.name for each in world.products() if re.search(rf"\b{each.id}s?\b", part, re.IGNORECASE)
    ]
