"""The practice model as a backend: determinism, usage, limits, pieces, and its mistakes of form."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest

from course_utils import world
from course_utils.server.practice import PracticeModel
from course_utils.server.practice.sizes import LARGE, SMALL
from course_utils.server.practice.tokens import count_prompt, count_tokens, tokens
from course_utils.server.wire import ApiError, ChatRequest, Message

PROMPT = "Classify this ticket as billing, technical, sales or other. Answer with one word.\n\n"
HARD = next(each.text for each in world.tickets() if "somebody at your place had the best intentions" in each.text)
QUESTION = "How long does a refund take?"


def request(user=QUESTION, /, **options):
    options = {"model": "practice-small", "temperature": 0} | options
    return ChatRequest(messages=[{"role": "user", "content": user}], **options)


def pieces(user=QUESTION, /, *, model_seed=0, **options):
    return list(PracticeModel(model_seed).pieces(request(user, **options)))


def text(user=QUESTION, /, **options):
    return "".join(piece.text for piece in pieces(user, **options))


def test_temperature_zero_is_a_pure_function_of_the_request():
    """Neither seed, streaming flags nor limits change what is said at temperature 0."""
    plain = text(PROMPT + HARD)
    variants = [
        {"seed": 7},
        {"stream": True},
        {"stream_options": {"include_usage": True}},
        {"max_tokens": 500},
        {"user": "x"},
    ]
    assert {text(PROMPT + HARD, **variant) for variant in variants} == {plain}


def test_choices_agree_at_temperature_zero_and_differ_above():
    """n choices are copies at temperature 0, and independent draws above it."""

    def choices(temperature):
        made = ["" for _ in range(16)]
        for piece in pieces(PROMPT + HARD, n=16, temperature=temperature):
            made[piece.choice] += piece.text
        return set(made)

    assert (len(choices(0)), len(choices(0.7)) > 1) == (1, True)


def test_seeds_matter_above_zero_and_repeat():
    """At temperature 0.7 seeds give different answers, each of them again and again; no seed is seed 0."""
    said = [text(PROMPT + HARD, temperature=0.7, seed=seed) for seed in range(20)]
    assert len(set(said)) > 1
    assert said == [text(PROMPT + HARD, temperature=0.7, seed=seed) for seed in range(20)]
    assert text(PROMPT + HARD, temperature=0.7) == said[0] == text(PROMPT + HARD, temperature=None)


def test_another_seed_of_the_model_makes_other_mistakes():
    """`PracticeModel(seed=…)` changes the draws at temperature 0 too."""
    assert len({text(PROMPT + HARD, model_seed=seed) for seed in range(20)}) > 1


def test_same_answer_in_another_process():
    """Nothing depends on Python's hash seed or on the order of sets."""
    code = (
        "from course_utils.server.practice import measure\nfrom course_utils import world\nimport hashlib\n"
        "prompts = [measure.PROMPT, measure.SUMMARY, 'Translate into German:\\n', 'Write a reply to the "
        "customer.\\nTicket: ']\n"
        "said = [measure.ask('practice-small', p + t.text) for p in prompts for t in world.tickets()[::9]]\n"
        "print(hashlib.sha256(repr(said).encode()).hexdigest())"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        )
        for seed in ("1", "2")
    ]
    assert runs[0].stdout == runs[1].stdout != ""


def test_tokens_give_the_text_again():
    """Joined tokens are the text, whatever is in it."""
    for each in ("", " ", "a  b\n\n\tc", "Straße €12,50 – 日本語 🐦 _x_", *(ticket.text for ticket in world.tickets())):
        assert "".join(tokens(each)) == each


def test_tokens_per_word_are_like_the_big_tokenizers():
    """English prose costs 1.2 to 1.5 tokens a word."""
    prose = " ".join(each.text for each in world.articles())
    assert 1.2 < count_tokens(prose) / len(prose.split()) < 1.5


def test_usage_is_exact_and_rides_on_the_last_piece():
    """Prompt tokens follow from the messages, completion tokens from the text; nothing else carries usage."""
    made = pieces(n=2, temperature=0.7)
    *rest, last = made
    said = sum(count_tokens(piece.text) for piece in made)
    assert (last.usage.prompt_tokens, last.usage.completion_tokens) == (3 + 3 + count_tokens(QUESTION), said)
    assert [piece for piece in rest if piece.usage] == []


def test_prompt_count_covers_tools_schema_and_calls():
    """What a provider bills as prompt is counted."""
    turn = Message(role="user", content="hi")
    tool = {"type": "function", "function": {"name": "search"}}
    call = {"id": "1", "function": {"name": "search", "arguments": "{}"}}
    counts = [
        count_prompt([turn]), count_prompt([turn], [tool]),
        count_prompt([turn], None, {"type": "json_schema", "json_schema": {"schema": {}}}),
        count_prompt([turn, Message(role="assistant", tool_calls=[call])]),
    ]  # fmt: skip
    assert counts == [7, 7 + 19, 7 + 5, 7 + 3 + 13]


def test_each_choice_ends_once():
    """Every choice has exactly one finish reason, and nothing follows it."""
    for number in range(3):
        reasons = [piece.finish_reason for piece in pieces(n=3, temperature=1) if piece.choice == number]
        assert reasons[-1] == "stop" and set(reasons[:-1]) == {None}


def test_max_tokens_cuts():
    """The answer has at most that many tokens, and says so."""
    made = pieces(max_tokens=5)
    assert (made[-1].usage.completion_tokens, made[-1].finish_reason) == (5, "length")
    assert text().startswith("".join(piece.text for piece in made))


def test_stop_ends_before_the_stop_text():
    """The earliest stop text ends the answer and is not part of it."""
    whole = text()
    assert text(stop=["refund", " parcel"]) == whole[: whole.index(" parcel")]
    assert pieces(stop=" parcel")[-1].finish_reason == "stop"


def test_unknown_model():
    """404 with the code of the SDK's NotFoundError."""
    with pytest.raises(ApiError) as caught:
        pieces(model="gpt-9")
    assert (caught.value.status, caught.value.code) == (404, "model_not_found")


@pytest.mark.parametrize(("options", "words"), [({}, 9000), ({"max_tokens": 8000}, 300)])
def test_context_limit(options, words):
    """Too long a prompt, or too much asked for, is refused before the first piece."""
    with pytest.raises(ApiError) as caught:
        pieces("word " * words, **options)
    assert (caught.value.status, caught.value.code) == (400, "context_length_exceeded")
    assert caught.value.message.startswith("This model's maximum context length is 8192 tokens. However, ")


def test_the_large_model_has_more_room():
    """What is too long for the small model fits the large one."""
    assert text("Summarise in at most 20 words:\n" + "The hub is offline. " * 2000, model="practice-large")


def test_latency():
    """The first piece waits for the prompt, the others for one token; the large model is slower."""
    small, large = pieces(), pieces(model="practice-large")
    for made, size in ((small, SMALL), (large, LARGE)):
        first, *rest = [piece.wait for piece in made if piece.text]
        assert 0.9 * size.first_token < first < 1.2 * size.first_token
        assert all(0.9 / size.speed < wait < 1.2 / size.speed for wait in rest)
    assert large[0].wait > small[0].wait


def test_choices_wait_side_by_side():
    """Four choices take hardly longer than one: a provider generates them together."""
    one = sum(piece.wait for piece in pieces(temperature=1))
    four = sum(piece.wait for piece in pieces(temperature=1, n=4))
    assert four < 1.5 * one


def test_cards():
    """The model list says what they are, and the large one costs twenty times as much."""
    small, large = PracticeModel().models()
    assert [(model.id, model.size) for model in (small, large)] == [
        ("practice-small", "small"),
        ("practice-large", "large"),
    ]
    assert (large.prompt_price, large.completion_price) == pytest.approx(
        (20 * small.prompt_price, 20 * small.completion_price)
    )
    assert small.card["what"] == "a simulator, not a language model"
    assert {"skills", "accuracy", "limits", "first_token_seconds", "tokens_per_second"} <= small.card.keys()


def test_stream_is_the_same_as_pieces():
    """The asynchronous interface of the server gives exactly the pieces."""

    async def stream():
        return [piece async for piece in PracticeModel().stream(request())]

    assert asyncio.run(stream()) == pieces()


def test_correction_gets_a_bare_label():
    """Told that its reply was no label, the model gives one of the labels alone."""
    for ticket in world.tickets()[:40]:
        again = (
            f'Your answer "**Billing**." is not one of the labels. Answer with exactly one of: billing, '
            f"technical, sales, other.\n\nTicket: {ticket.text}"
        )
        assert text(again) in world.LABELS


def test_correction_in_a_conversation():
    """A bare "again" after a bad answer works on the first question."""
    turns = [
        {"role": "user", "content": "Break this task into 3 subtasks as a JSON list.\nTask: winter care of the Otter"},
        {"role": "assistant", "content": "Sure! First you should"},
        {"role": "user", "content": "That is not valid JSON. Try again, only the JSON list."},
    ]
    made = PracticeModel().pieces(ChatRequest(model="practice-small", temperature=0, messages=turns))
    assert re.fullmatch(r'\["[^"]+", "[^"]+", "[^"]+"\]', "".join(piece.text for piece in made))


def test_follow_up_works_on_the_last_answer():
    """ "Translate that" means what the model said before."""
    turns = [
        {"role": "user", "content": "hello"},
        {"role": "assistant", "content": "Where is my parcel?"},
        {"role": "user", "content": "Translate that into German."},
    ]
    made = PracticeModel().pieces(ChatRequest(model="practice-small", temperature=0, messages=turns))
    assert "".join(piece.text for piece in made) == "Wo ist mein Paket?"


def test_evaluator_loop_climbs():
    """Draft, judge, improve: within three rounds the score rises and passes for most plain tickets."""
    climbed, passed = 0, 0
    tickets = [each for each in world.tickets() if each.difficulty == "plain" and each.order_id][:12]
    for ticket in tickets:
        draft, scores = f"We will look into it. {ticket.id}", []
        for _ in range(3):
            verdict = text(
                f"Score the draft from 0 to 100.\n\nTicket: {ticket.text}\n\nDraft: {draft}", model="practice-large"
            )
            scores.append(int(re.search(r"Score: (\d+)", verdict)[1]))
            feedback = verdict.partition("Feedback: ")[2]
            draft = text(
                f"Improve the draft.\n\nTicket: {ticket.text}\n\nDraft: {draft}\n\nFeedback: {feedback}",
                model="practice-large",
            )
        climbed += scores[-1] > scores[0]
        passed += scores[-1] >= 80
    assert (climbed, passed >= 9) == (12, True), passed


def test_drafts_miss_a_fact_now_and_then():
    """The small model leaves out one of the given facts in some drafts, the large one hardly ever."""
    facts = "Facts:\n- The code is KIWI.\n- The gate is green.\n- The key is under the pot."

    def missing(model):
        prompts = [f"Write a reply to the customer. {facts}\n\nTicket: {each.text}" for each in world.tickets()]
        return sum(
            not all(word in text(prompt, model=model) for word in ("KIWI", "green", "pot")) for prompt in prompts
        )

    assert 8 <= missing("practice-small") <= 26 and missing("practice-large") <= 6


def test_small_model_errs_in_long_sums():
    """Without a calculator some long results are wrong, and short ones never are."""

    def wrong(model, pairs):
        return sum(text(f"What is {one} * {two}?", model=model) != f"{one} * {two} = {one * two}" for one, two in pairs)

    long = [(1234 + 7 * step, 567 + step) for step in range(40)]
    assert wrong("practice-large", long) < wrong("practice-small", long) < 25
    assert wrong("practice-small", [(step, 9) for step in range(1, 60)]) == 0


def test_it_says_how_to_connect_a_real_model():
    """Asked what it is, it names both commands as the command line and the document spell them."""
    said = text("Who are you?")
    document = (Path(__file__).parent.parent / "docs" / "PRACTICE_MODEL.md").read_text(encoding="utf-8")
    for command in ("python3 -m course_utils lab --model openai", "python3 -m course_utils lab --model local"):
        assert command in said and command in document
    assert "OPENAI_API_KEY" in said
