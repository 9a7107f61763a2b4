# %% [markdown] name="title"
# # Exercise 2 · More than fits
# *50 minutes · after lesson 2 · 6 points*
#
# A model reads only so much at once.
# The practice model takes 8,192 tokens; in the checks below a prompt may hold **60 words**, so that you can count along.
# Everything else is as it is with a book and a large model: what does not fit is read part by part, and somebody has to see to it that no part gets lost.
#
# Write only in the cells that say `# your code here`; the check below each of them tells you what the server saw.
# Stuck? `hint("chunks.long")` in a new cell gives one step, and one more each time; hints are free.
# `progress()` shows where you stand.
#
# Use the model that your function is handed, `llm`. In the checks it follows a script: it answers every prompt that fits, and refuses every other.
# Each text and each answer ends in a code such as `QK-47135`; by these codes the check follows what went where. What the texts say plays no part.

# %% name="setup" tags=["given"]
from course_utils import chat_model, check, connect, hint, predict, progress, workflow_graph, world

INSTRUCTION = "Summarise these messages in one short sentence, in their order:"


def count_words(*texts: str) -> int:
    """How many words these texts have together; a word is what white space separates."""
    return len(" ".join(texts).split())


# %% [markdown] name="reduce-task"
# ## 1. Map, then reduce (1 point)
#
# A worked example first. Every message gets a subject line of its own, all at the same time (`batch` keeps the order); one more request makes one title of all the lines:
#
# ```python
# def title_of(messages, llm):
#     prompts = [f"Write a subject line for this message:\n{message}" for message in messages]
#     lines = [answer.text for answer in llm.batch(prompts)]                              # map
#     return llm.invoke("\n".join(["Write a title for all of these:", *lines])).text      # reduce
# ```
#
# Now yours: a summary of each text, and then one summary, made of these summaries alone.
# The map is there; the reduce is missing.
#
# | you are given | you give back |
# |---|---|
# | `texts`: a list of messages; `llm`: a chat model | the text of the last answer |

# %% name="reduce-target" tags=["given", "target"]
ax = workflow_graph(
    [("start", f"summarise {number}") for number in (1, 2, 3)]
    + [(f"summarise {number}", "reduce") for number in (1, 2, 3)]
    + [("reduce", "end")],
    kinds=dict.fromkeys(["summarise 1", "summarise 2", "summarise 3", "reduce"], "model"),
    title="Three texts, four requests",
)


# %% name="answer-reduce" tags=["answer"]
def map_then_reduce(texts: list[str], llm) -> str:
    """One summary, made of a summary of each text."""
    summaries = [answer.text for answer in llm.batch([f"{INSTRUCTION}\n{text}" for text in texts])]
    # solution
    return llm.invoke("\n".join([INSTRUCTION, *summaries])).text


# %% name="check-reduce" tags=["check"]
check("chunks.reduce", map_then_reduce)

# %% [markdown] name="measure-task"
# ## 2. Predict and measure (no points)
#
# A request for each text is a waste where three of them fit into one prompt.
# The version below has been in use at the desk for weeks. It packs texts into parts of at most `limit` words, and makes one request for each part.


# %% name="parts-buggy" tags=["given"]
def summarise_parts_buggy(texts: list[str], instruction: str, llm, limit: int = 60) -> list[str]:
    """A summary of each part, in order."""
    parts, part = [], []
    for text in texts:
        if count_words(*part, text) > limit:
            parts.append(part)
            part = []
        else:
            part.append(text)
    return [llm.invoke("\n".join([instruction, *part])).text for part in parts]


# %% [markdown] name="measure-question"
# Here it gets the first 24 tickets of the shop, about 20 words each, and the practice model, which has room for all of this.
# Commit to a number, then run the measurement.

# %% name="measure-predict"
arrived = predict(
    "24 tickets, and every request is answered with status 200. How many of the tickets will the model have seen?",
    name="tickets that the model saw",
    default=24,
    unit="tickets",
    low=0,
    high=24,
)
arrived

# %% name="measure-run"
tickets = [ticket.text for ticket in world.tickets()][:24]

with connect().record() as trace:
    summarise_parts_buggy(tickets, INSTRUCTION, chat_model(step="part"))

prompts = [request.prompt for request in trace]
print("status:", [request.status for request in trace])
print("words: ", [count_words(prompt) for prompt in prompts])
arrived.reveal(sum(ticket in "\n".join(prompts) for ticket in tickets))

# %% [markdown] name="parts-contract"
# Nothing failed, and whoever reads the summaries cannot tell that anything is missing.
#
# ## 3. Find the bug: the texts that nobody read (2 points)
#
# There are three bugs in these lines: two of them lose texts. The third shows in the line `words:` above: some prompts have more than 60.
# Write `summarise_parts`: the same function, without them.
#
# | you are given | you give back |
# |---|---|
# | `texts`: a list, perhaps empty; `instruction`; `llm`; `limit`: the most words of a prompt | a list with the text of each answer, in the order of the texts |
#
# * A prompt is the instruction, and below it whole texts, in order. Every text goes into exactly one prompt.
# * No prompt has more than `limit` words. **All** its words count: those of the instruction, of the texts, and of whatever you add. One that is longer is refused with status 400, `context_length_exceeded`.
# * No more requests than needed: a prompt takes the next text as long as that fits, and exactly `limit` words still fit.
#
# You may rely on it that each text fits into a prompt of its own.
#
# | words of the texts | limit 60, an instruction of 12 words | requests |
# |---|---|---|
# | 20, 20, 8, 30, 18, 5 | 20 + 20 + 8, 30 + 18, 5 | 3 |
# | 20, 20, 9, 30 | 20 + 20, 9 + 30 | 2 |
# | 10, 10 | 10 + 10 | 1 |
# | no texts | | 0 |


# %% name="answer-mend" tags=["answer"]
def summarise_parts(texts: list[str], instruction: str, llm, limit: int = 60) -> list[str]:
    """A summary of each part, in order; a part is what fits into one prompt."""
    # solution
    parts = []
    for text in texts:
        if parts and count_words(instruction, *parts[-1], text) <= limit:
            parts[-1].append(text)
        else:
            parts.append([text])
    return [answer.text for answer in llm.batch(["\n".join([instruction, *part]) for part in parts])]


# %% name="check-mend" tags=["check"]
check("chunks.mend", summarise_parts)

# %% [markdown] name="long-task"
# ## 4. More text than fits (3 points)
#
# Forty texts of ten words make about nine summaries, and those, too, are more than one prompt can hold.
# So `summarise_long` works in **rounds**: the first one summarises the texts, the next one the summaries of the first, and so on, until one summary is left that rests on every text.
#
# | you are given | you give back |
# |---|---|
# | `texts`, `instruction`, `llm`, `limit` as in task 3, but now a text may be of any length | the text of the one summary that is left |
#
# * In each round all that task 3 says about prompts holds: whole texts (or summaries) in order, each in one prompt, never more than `limit` words, no more requests than needed.
# * Your `summarise_parts` is there to be used.
#
# | the case | then |
# |---|---|
# | everything fits into one prompt | one request |
# | no texts | `""`, and no request |
# | a text is too long for a prompt of its own | `ValueError`, before the first request |
# | a round of *summaries* leaves as many as it was given | `ValueError`: the next round would do the same, and you would pay for it for ever |
#
# The scripted model decides how long its answers are; in one of the cases no two of them fit together.
# (In the first round each *text* may well need a prompt of its own; that is no reason to give up.)

# %% name="long-target" tags=["given", "target"]
ax = workflow_graph(
    [
        ("start", "pack"),
        ("pack", "summarise"),
        ("summarise", "how many left?"),
        ("how many left?", "pack", "fewer"),
        ("how many left?", "end", "one"),
        ("how many left?", "ValueError", "as many"),
    ],
    kinds={"pack": "code", "summarise": "model", "how many left?": "code", "ValueError": "code"},
    title="Rounds, with two ways out",
)


# %% name="answer-long" tags=["answer"]
def summarise_long(texts: list[str], instruction: str, llm, limit: int = 60) -> str:
    """One summary of all texts; ValueError when a text fits no prompt, or when another round would bring nothing."""
    # solution
    if any(count_words(instruction, text) > limit for text in texts):
        raise ValueError("a text is too long for a prompt of its own")
    summaries = summarise_parts(texts, instruction, llm, limit)
    while len(summaries) > 1:
        before = len(summaries)
        summaries = summarise_parts(summaries, instruction, llm, limit)
        if len(summaries) == before:
            raise ValueError(f"{before} summaries, of which no two fit into one prompt")
    return summaries[0] if summaries else ""


# %% name="check-long" tags=["check"]
check("chunks.long", summarise_long)

# %% [markdown] name="afterwards"
# ## Afterwards
#
# Your functions work with any model. In a new cell, let the practice model sum up forty tickets, and count its requests:
#
# ```python
# with connect().record() as trace:
#     print(summarise_long([ticket.text for ticket in world.tickets()][:40], INSTRUCTION, chat_model(), limit=200))
# print(trace)
# ```
#
# Then look at what it says, and ask yourself which of the forty customers would find herself in it.
# Nothing was lost on the way into the prompts; much of it was lost in the summaries, and with each round more.
# That is why rounds are few and parts are full, and why a *running* summary, which takes in one part after the other, treats its beginning worst: it is summarised again with every part.
# What must not get lost (order numbers, sums) belongs into a field of its own, as in lesson 2.
