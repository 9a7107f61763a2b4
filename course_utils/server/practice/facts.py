"""Facts that stand in a text: order numbers, amounts, dates, names, addresses, products.

Layer 1: imports `world` and siblings. Each finder returns what it found in the order of the text, without repeats.
"""

from __future__ import annotations

import re
from datetime import date

from course_utils import world
from course_utils.server.practice.words import NUMBER_WORDS, number

MONTHS = "january february march april may june july august september october november december".split()
MONTH = "|".join(f"{month[:3]}(?:{month[3:]})?" if len(month) > 3 else month for month in MONTHS)
ORDER_ID = re.compile(r"\b[A-Z]{2,5}-\d{3,8}\b")
ANY_ID = re.compile(r"\b[A-Z]{1,6}[-_]?\d{2,10}(?:[-_][A-Z0-9]+)*\b")
EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
URL = re.compile(r"https?://[^\s<>\"')]+")
PHONE = re.compile(r"(?<![\w-])\+?\d[\d ()/-]{6,16}\d(?![\w-])")
MONEY = re.compile(
    r"(?:[€$£]|\b(?:EUR|USD|GBP)\s)\s?(\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?|\d+(?:[.,]\d{1,2})?)|"
    r"(\d+(?:[.,]\d{1,2})?)\s?(?:[€$£]|EUR\b|USD\b|GBP\b|euros?\b|dollars?\b)",
    re.IGNORECASE,
)
ISO_DATE = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
DAY_MONTH = re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th|\.)?(?: of)? ({MONTH})\b(?:,? (\d{{4}}))?", re.IGNORECASE)
DAYS = re.compile(
    rf"\b(\d{{1,2}})(?:\.|st|nd|rd|th)? (?:and|to|und|or) (\d{{1,2}})(?:\.|st|nd|rd|th)? ({MONTH})\b", re.IGNORECASE
)
MONTH_DAY = re.compile(rf"\b({MONTH}) (\d{{1,2}})(?:st|nd|rd|th)?\b(?:,? (\d{{4}}))?", re.IGNORECASE)
NAME_INTRO = re.compile(
    r"(?:\b[Mm]y name is|\b[Tt]his is|\bI am|\bI'm|\b[Ii]ch hei(?:ß|ss)e|\b[Cc]ustomer(?: name)?:|"
    r"\b[Nn]ame:)\s+((?:[A-ZÀ-Þ][a-zß-ÿ'’][\w'’-]*)(?:\s+(?:van |de |von )?[A-ZÀ-Þ][\w'’-]+){0,3})"
)
NAME_CLOSE = re.compile(
    r"(?i:regards|wishes|sincerely|cheers|thanks|thank you|yours|grüße|"
    r"grüßen)[,!.]?\s*\n?\s*((?:[A-ZÀ-Þ][\w'’-]+)(?:[ ]+[A-ZÀ-Þ][\w'’-]+){0,3})\s*$"
)
COUNT = re.compile(rf"\b(\d{{1,6}}|{'|'.join(word for word in NUMBER_WORDS if len(word) > 1)})\b", re.IGNORECASE)
PRODUCTS = {
    "wren": "Wren",
    "robin": "Robin",
    "heron": "Heron",
    "mole": "Mole",
    "otter": "Otter",
    "burrow": "Burrow",
    "swift": "Swift",
    "lamp": "lamp",
    "pole": "pole",
}
WORDS_FOR = {
    "camera": "robin",
    "weather station": "wren",
    "rain gauge": "heron",
    "soil sensor": "mole",
    "watering timer": "otter",
    "hub": "burrow",
    "solar panel": "swift",
}


def order_ids(text: str) -> list[str]:
    """Order numbers such as MB-10484, in capitals as they stand."""
    return _unique(ORDER_ID.findall(text))


def amounts(text: str) -> list[float]:
    """Sums of money, as numbers.

    >>> amounts("€1,179.00 and 4,90 EUR")
    [1179.0, 4.9]
    """
    found = [first or second for first, second in MONEY.findall(text)]
    return _unique([_decimal(each) for each in found])


def _decimal(text: str) -> float:
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", text):
        return float(text.replace(",", ""))
    return float(text.replace(",", "."))


def dates(text: str) -> list[str]:
    """Dates as ISO texts; a date without a year is taken to be in the year of the story.

    >>> dates("from 23 April to May 2nd, 2025")
    ['2026-04-23', '2025-05-02']
    """
    text = DAYS.sub(r"\1 \3, \2 \3", text)  # "23 and 24 April" are two dates
    found = [(match.start(), int(match[1]), int(match[2]), int(match[3])) for match in ISO_DATE.finditer(text)]
    for match in DAY_MONTH.finditer(text):
        found.append((match.start(), int(match[3] or world.TODAY[:4]), _month(match[2]), int(match[1])))
    for match in MONTH_DAY.finditer(text):
        found.append((match.start(), int(match[3] or world.TODAY[:4]), _month(match[1]), int(match[2])))
    good = [iso for _, year, month, day in sorted(found) if (iso := _iso(year, month, day))]
    return _unique(good)


def _iso(year: int, month: int, day: int) -> str:
    """The date in ISO form, or "" when the calendar has no such day."""
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return ""


def _month(name: str) -> int:
    return next(at for at, month in enumerate(MONTHS, 1) if month.startswith(name.lower()[:3]))


def names(text: str) -> list[str]:
    """Names of persons who introduce themselves or sign."""
    return _unique(
        [match.group(1).strip() for pattern in (NAME_INTRO, NAME_CLOSE) for match in pattern.finditer(text.strip())]
    )


def emails(text: str) -> list[str]:
    return _unique([each.rstrip(".") for each in EMAIL.findall(text)])


def urls(text: str) -> list[str]:
    return _unique([each.rstrip(".,;") for each in URL.findall(text)])


def phones(text: str) -> list[str]:
    return _unique(
        [each for each in PHONE.findall(ISO_DATE.sub(" ", text)) if 7 <= sum(c.isdigit() for c in each) <= 15]
    )


def counts(text: str) -> list[int]:
    """Whole numbers, in digits or words, that are no part of an id, a date or a sum of money."""
    for pattern in (ANY_ID, ISO_DATE, MONEY, DAY_MONTH, EMAIL):
        text = pattern.sub(" ", text)
    found = [each.lower() for each in COUNT.findall(re.sub(r"\d+\.\d+", " ", text))]
    return [int(each) if each.isdecimal() else NUMBER_WORDS[each] for each in found]


def products(text: str) -> list[str]:
    """Full names of the catalogue's articles that a text mentions."""
    lower, found = text.lower(), []
    for id, name in PRODUCTS.items():
        # "robin" and "heron" may be birds: a capital letter or an article's full name tells.
        at = re.search(rf"\b{name}s?\b", text)
        words = [word for word, product in WORDS_FOR.items() if product == id and re.search(rf"\b{word}s?\b", lower)]
        if at or words:
            found.append((at.start() if at else lower.index(words[0]), world.product(id).name))  # type: ignore[union-attr]
    return [name for _, name in sorted(found)]


def quantity_of(product: str, text: str) -> int:
    """How many pieces of a product a text speaks of; 1 without a number.

    >>> quantity_of("Robin feeder camera", "I want two Robins and a Mole.")
    2
    """
    names = [product.split()[0], *(word for word, id in WORDS_FOR.items() if PRODUCTS[id] in product)]
    before = re.search(
        rf"\b(\d{{1,4}}|{'|'.join(NUMBER_WORDS)})\s+(?:\w+\s+)?(?:{'|'.join(names)})s?\b", text, re.IGNORECASE
    )
    return number(before.group(1)) if before else 1


def _unique(found: list) -> list:
    return list(dict.fromkeys(found))
