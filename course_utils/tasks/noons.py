"""Noons at which the large model, the small one or both are away, and what a chain of fallbacks makes of them.

Layer 2: imports `cascade`, `expect`, `scripts`, `texts`, `troubles`, `faults`, `server.cases` and `server.wire`. The
question carries a nonce, and so does the message of each error, which no customer should ever read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random

from course_utils import faults
from course_utils.records import count
from course_utils.server.cases import Finding, Scene, Seen
from course_utils.server.wire import ApiError, ChatRequest
from course_utils.tasks import expect
from course_utils.tasks.cascade import size_of
from course_utils.tasks.scripts import Reply
from course_utils.tasks.texts import nonce, words
from course_utils.tasks.troubles import named

ORDER = ("large", "small")  # who is asked, the best one first
MODELS = {size: size for size in ORDER}  # argument -> size
SURPLUS = "that asking both costs nothing; a fallback is asked only when it is needed."
CATCHES = "that a fallback catches outages; `except Exception` catches our own mistakes as well, and hides them."
CHEAP = "that the cheap model comes first; that is a cascade. A fallback begins with the best."
INSIST = "that the second best must wait until the best has failed for certain."
NO_PROMISE = "that the last fallback cannot fail; only a sentence that needs no model cannot."
RATE = "that only a 5xx means that they are away; a 429 turns you away as well, and somebody else can stand in."

Fate = Reply | None  # None: the line drops, and no answer comes


@dataclass(frozen=True, slots=True)
class Noon:
    """What becomes of one question."""

    question: str
    key: str  # the question's nonce
    incident: str  # the nonce in the message of each error
    fates: Mapping[str, Fate]  # by size

    @property
    def asked(self) -> list[str]:
        """The sizes that a good chain asks, in order."""
        last = next((size for size in ORDER if not is_away(self.fates[size])), ORDER[-1])
        return list(ORDER[: ORDER.index(last) + 1])

    @property
    def end(self) -> Fate:
        """The answer that came, or the refusal that is our own fault; None when all are away."""
        last = self.fates[self.asked[-1]]
        return None if is_away(last) else last

    @property
    def served_by(self) -> str:
        return self.asked[-1] if isinstance(self.end, str) else "nobody"

    @property
    def given(self) -> str:
        """The noon in a learner's words."""
        return "; ".join(f"the {size} model {done(self.fates[size])}" for size in ORDER)

    def script(self, request: ChatRequest, number: int) -> Reply:
        return self.fates[size_of(request.model)] or ""

    @property
    def scene(self) -> Scene:
        """Where it takes place: the plan drops the lines that are to drop."""
        sizes = [size for size in ORDER if self.fates[size] is None]
        drop = faults.every(1, faults.dropped())
        ids = [name for size in sizes for name in (size, f"practice-{size}")]
        return Scene(plan=faults.either(*(faults.on_model(name, drop) for name in ids)) if ids else None)


def noon(rng: Random, large: ApiError | str | None = "", small: ApiError | str | None = "") -> Noon:
    """A noon; a model whose fate is "" answers well, with words of its own."""
    key, incident = nonce(rng), nonce(rng)

    def fate(of: ApiError | str | None) -> Fate:
        if not isinstance(of, ApiError):
            return words(rng, 12) if of == "" else of
        return ApiError(of.status, f"{of.message} (incident {incident})", type=of.type, code=of.code)

    fates = {"large": fate(large), "small": fate(small)}
    return Noon(f"What does article {key} of the help centre say?", key, incident, fates)


def is_away(fate: Fate) -> bool:
    """True when the next one should be asked."""
    return fate is None or (isinstance(fate, ApiError) and (fate.status == 429 or fate.status >= 500))


def done(fate: Fate) -> str:
    """What a model does, as the second half of a sentence."""
    return "drops the connection" if fate is None else f"answers {named(fate)}"


def ended(seen: Seen) -> str:
    """What came back, without the body of a refusal."""
    return f"{seen.raised}: {seen.message.partition(' - {')[0]}" if "APIError" in seen.lineage else seen.outcome


@expect.in_order
def asked_in_order(seen: Seen, case: Noon) -> Iterator[Finding | None]:
    """Findings about who was asked, and with what."""
    if seen.raised and "APIError" not in seen.lineage:
        needs = "the provider's refusal, raised" if isinstance(case.end, ApiError) else "an answer"
        if seen.raised == "AttributeError" and "status_code" in seen.message:
            fix = "an error of the connection (`APIConnectionError`) has no status: ask for it first."
            yield Finding(case.given, f"your function raised {seen.outcome}", needs, fix)
        yield expect.crashed(seen, given=case.given, needs=needs)
    yield who_was_asked(seen, case)
    for number in range(1, len(seen.trace) + 1):
        fix = "each model gets the same question, as it is."
        yield expect.carries(seen, number, case.key, given=case.given, what="the question", fix=fix)
    yield expect.in_turn(seen, given=case.given, fix="ask the next one only when the one before has failed.")


def who_was_asked(seen: Seen, case: Noon) -> Finding | None:
    """A finding unless exactly those were asked that had to be, in this order."""
    asked, wanted = [size_of(record.model) for record in seen.trace], case.asked
    if asked == wanted:
        return None
    what = f"requests to: {', then '.join(asked)}; then {ended(seen)}"
    needs = f"requests to: {', then '.join(wanted)}"
    if not asked and "'$object': 'coroutine'" in repr(seen.returned):
        what, fix = "a coroutine: nobody has been asked yet", "write `(await large.ainvoke(…)).text`."
        return Finding(case.given, what, needs, fix)
    if not asked:
        fix = "only requests that go through `large` and `small`, the models your function is given, are seen."
        return Finding(case.given, f"{count(0, 'request')}, then {ended(seen)}", needs, fix)
    is_beside = "large" in asked and not is_away(case.fates["small"])  # who comes first is chance, if both are asked
    if asked[0] == "small" and not is_beside:
        return Finding(case.given, what, needs, "begin with `large`, the best one.", CHEAP)
    if len(asked) > len(set(asked)):
        fix = "ask each model once. Who repeats here, you or something inside: `with_retry`, `max_retries`?"
        return Finding(case.given, what, needs, fix, INSIST)
    if asked == ["large"]:
        fate = case.fates["large"]
        fix = f"{'a dropped connection' if fate is None else named(fate)} means that they are away: ask `small`."
        limited = isinstance(fate, ApiError) and fate.status == 429
        return Finding(case.given, what, needs, fix, RATE if limited else "")
    if isinstance(case.end, ApiError):
        fix = f"a {case.end.status} is our own mistake. Which exceptions does your `except` name?"
        return Finding(case.given, what, f"{needs}, and the error itself, raised", fix, CATCHES)
    return Finding(case.given, what, needs, "return as soon as somebody has answered.", SURPLUS)


def own_mistake(seen: Seen, case: Noon, error: ApiError) -> Finding | None:
    """A finding unless `error`, which is our own fault, came out."""
    needs = f"the error itself, raised: {error.status}"
    if not seen.raised:
        fix = f"a {error.status} is our own mistake, and somebody must hear of it: let it through."
        return Finding(case.given, f"your function returned {seen.outcome}", needs, fix, CATCHES)
    if case.incident in seen.message:
        return None
    fix = "raise what came from the provider: a plain `raise`."
    return Finding(case.given, f"your function raised {ended(seen)}", needs, fix)


def fixed_text(text: object, case: Noon) -> Finding | None:
    """A finding unless this is a sentence for a customer whom nobody could serve."""
    needs = "the text SORRY, a sentence that needs no model"
    if not isinstance(text, str) or not text.strip():
        return Finding(case.given, f"the text is {text!r}", needs, "the customer reads this text: give them SORRY.")
    if case.incident in text:
        fix = "keep the error for your own log; the customer gets SORRY."
        return Finding(case.given, "the text that the customer reads is the provider's error", needs, fix)
    return None


def answered(seen: Seen, text: object, case: Noon) -> Finding | None:
    """A finding unless `text` is what the one who served has said, or SORRY."""
    if not isinstance(case.end, str):
        return fixed_text(text, case)
    shown = Seen(seen.trace, text)
    what = f"the {case.served_by} model's text"
    return expect.returned(shown, case.end, given=case.given, what=what, fix="return the `.text` of that answer.")


def always_answers(seen: Seen, case: Noon) -> Finding | None:
    """A finding when an exception came out although nobody has made a mistake."""
    if not seen.raised:
        return None
    fix = "when the last model has failed as well, give back SORRY."
    return Finding(case.given, f"your function raised {ended(seen)}", "an answer, even so", fix, NO_PROMISE)
