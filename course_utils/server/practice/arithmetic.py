"""Small sums: finding one in a text, and working it out exactly.

Layer 1: imports nothing from this package. Uses fractions, so that every machine gets the same digits.
"""

from __future__ import annotations

import ast
import operator
import re
from fractions import Fraction
from functools import lru_cache

SPOKEN = (
    (r"\bdivide (\d[\d.,]*) by (?=\d)", r"\1 / "),
    (r"\bmultiply (\d[\d.,]*) (?:by|with) (?=\d)", r"\1 * "),
    (r"\bsubtract (\d[\d.]*) from (\d[\d.]*)", r"\2 - \1"),
    (r"(\d)\s*(?:%|per ?cent|prozent)\s+of\s+", r"\1 / 100 * "),
    (r"\bdivided by\b|\bover\b|÷|\bgeteilt durch\b", "/"),
    (r"\bmultiplied by\b|\btimes\b|×|(?<=\d)\s*x\s*(?=\d)|\bmal\b", "*"),
    (r"\bto the power of\b|\^", "**"),
    (r"(?<=\d)\s*\bsquared\b", " ** 2"),
    (r"\bplus\b|(?<=\d)\s+and\s+(?=\d)", "+"),
    (r"\bminus\b|\bless\b|−|–", "-"),
    (r"(?<=\d),(?=\d{3}\b)", ""),
    (r"[€$£]\s*", ""),
)
EXPRESSION = re.compile(r"(?<![\w.-])[-(]*\s*\d[\d.\s()]*(?:\s*(?:\*\*|[-+*/%])\s*[-(]*\s*\d[\d.]*[\s)]*)+")
MONTH = "january|february|march|april|may|june|july|august|september|october|november|december"
NO_SUM = re.compile(  # dates, order numbers, ranges
    r"\b\d{4}-\d{2}-\d{2}\b|\b[A-Z]{2,}-\d+\b|\b\d{1,2}-\d{1,2}\b(?=\s*(?:days|weeks|years|hours|words))|"
    rf"\b\d{{1,2}}(?:st|nd|rd|th)? (?:and|to|-) \d{{1,2}}(?:st|nd|rd|th)? (?i:{MONTH})\b"
)
ADD_UP = re.compile(
    r"\b(?:sum|total|add(?: up)?)\b(?: of)?[^\d]{0,25}((?:[€$]?\d[\d.]*\s*(?:,|and|,\s*and)\s*)+[€$]?\d[\d.]*)",
    re.IGNORECASE,
)
OPERATORS = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Mod: operator.mod, ast.Pow: operator.pow, ast.FloorDiv: operator.floordiv,
}  # fmt: skip
LARGEST = 10**15


@lru_cache(1024)
def find_expression(text: str) -> str | None:
    """The first sum in a text, in Python's spelling, or None.

    >>> find_expression("What is 12 times 7, please?"), find_expression("MB-10484 of 2026-05-18, on 23 and 24 April")
    ('12 * 7', None)
    """
    text = NO_SUM.sub(" ", text)
    if listed := ADD_UP.search(text):
        return " + ".join(re.findall(r"\d+(?:\.\d+)?", listed.group(1)))
    for pattern, sign in SPOKEN:
        text = re.sub(pattern, sign, text, flags=re.IGNORECASE)
    for found in EXPRESSION.finditer(text):
        expression = re.sub(r"\s*(\*\*|[-+*/%])\s*", r" \1 ", found.group()).strip(" .")
        expression = re.sub(r"^- ", "-", " ".join(expression.split()))
        expression = _balanced(expression)
        if evaluate(expression) is not None:
            return expression
    return None


def _balanced(expression: str) -> str:
    """The expression without brackets that the sentence around it opened or closed."""
    while expression.count(")") > expression.count("(") and expression.endswith(")"):
        expression = expression[:-1].strip()
    while expression.count("(") > expression.count(")") and expression.startswith("("):
        expression = expression[1:].strip()
    return expression


def evaluate(expression: str) -> Fraction | None:
    """The exact value, or None when it is no sum, or is too large.

    >>> str(evaluate("(3 + 4) * 2.5"))
    '35/2'
    """
    if len(expression) > 200:
        return None
    try:
        return _value(ast.parse(expression, mode="eval").body)
    except (SyntaxError, ValueError, ZeroDivisionError, TypeError, RecursionError, MemoryError, OverflowError):
        return None


def _value(node: ast.expr) -> Fraction:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        result = Fraction(str(node.value))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        result = _value(node.operand) * (-1 if isinstance(node.op, ast.USub) else 1)
    elif isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        left, right = _value(node.left), _value(node.right)
        if isinstance(node.op, ast.Pow) and (right.denominator != 1 or abs(right) > 30 or abs(left) > 1000):
            raise ValueError("too large a power")
        result = Fraction(OPERATORS[type(node.op)](left, right))
    else:
        raise ValueError("not a sum")
    if abs(result) > LARGEST:
        raise ValueError("too large")
    return result


def spell(value: Fraction) -> str:
    """The value with at most four decimals, without idle zeros.

    >>> spell(Fraction(35, 2)), spell(Fraction(10)), spell(Fraction(2, 3))
    ('17.5', '10', '0.6667')
    """
    if value.denominator == 1:
        return str(value.numerator)
    scaled = (abs(value) * 10_000 * 2 + 1) // 2  # half up, in whole numbers
    text = f"{int(scaled) // 10_000}.{int(scaled) % 10_000:04}".rstrip("0").rstrip(".")
    return f"-{text}" if value < 0 else text
