"""Answers to exercise 10: right ones in several styles, and wrong ones with the words that a learner must read."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from contextlib import closing, suppress
from pathlib import Path
from typing import TypedDict
from uuid import uuid4

import cloudpickle
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt

from course_utils.errors import ServiceError

# As in a notebook: another process cannot import what a cell defines.
cloudpickle.register_pickle_by_value(sys.modules[__name__])


class Refund(TypedDict, total=False):
    id: str
    order: str
    cents: int
    decision: str
    answer: str
    status: str


def sequence(*nodes):
    return StateGraph(Refund).add_sequence(list(nodes)).add_edge(START, nodes[0].__name__)


# --- approval.ask ------------------------------------------------------------------------------------------------


def question(state):
    return {"order": state["order"], "cents": state["cents"]}


def settled(pay, state, is_yes):
    if not is_yes:
        return {"status": "refused"}
    pay(key=state["id"], order=state["order"], cents=state["cents"])
    return {"status": "paid"}


def ask_nodes(pay):
    def ask(state):
        return {"decision": interrupt(question(state))}

    def settle(state):
        return settled(pay, state, state["decision"] == "approve")

    return sequence(ask, settle)


def ask_async(pay):
    async def ask(state):
        return {"decision": interrupt(f"Refund {state['cents']} cents for {state['order']}?")}

    async def settle(state):
        return settled(pay, state, state["decision"] == "approve")

    return sequence(ask, settle)


def ask_in_euros(pay):
    """As a person reads an amount; and not compiled."""

    def ask(state):
        return {"decision": interrupt(f"Pay {state['order']}: {state['cents'] / 100} euros?")}

    def settle(state):
        return settled(pay, state, state["decision"] == "approve")

    return sequence(ask, settle)


def ask_one_node(pay):
    """The question first, then the payment, in one node; and compiled."""

    def ask(state):
        return settled(pay, state, interrupt(question(state)) == "approve")

    return sequence(ask).compile(checkpointer=InMemorySaver())


def ask_branches(pay):
    def ask(state):
        return Command(goto="settle" if interrupt(dict(state)) == "approve" else "refuse")

    graph = StateGraph(Refund)
    graph.add_node("ask", ask, destinations=("settle", "refuse"))
    graph.add_node("settle", lambda state: settled(pay, state, True))
    graph.add_node("refuse", lambda state: {"status": "refused"})
    return graph.add_edge(START, "ask").add_edge("settle", END).add_edge("refuse", END)


def ask_after(pay):
    def settle(state):
        settled(pay, state, True)
        return {"decision": interrupt(question(state)), "status": "paid"}

    return sequence(settle)


def ask_nobody(pay):
    def settle(state):
        return settled(pay, state, True)

    return sequence(settle)


def ask_robustly(pay):
    def ask(state):
        try:
            return {"decision": interrupt(question(state))}
        except Exception:
            return {"decision": "approve"}

    def settle(state):
        return settled(pay, state, state["decision"] == "approve")

    return sequence(ask, settle)


def ask_not_no(pay):
    def settle(state):
        return settled(pay, state, interrupt(question(state)) != "refuse")

    return sequence(settle)


def ask_holds(pay):
    def settle(state):
        return settled(pay, state, "approve" in interrupt(question(state)))

    return sequence(settle)


def ask_blind(pay):
    def settle(state):
        return settled(pay, state, interrupt("May I?") == "approve")

    return sequence(settle)


def ask_no_sum(pay):
    def settle(state):
        return settled(pay, state, interrupt(f"May I pay {state['order']} back?") == "approve")

    return sequence(settle)


def ask_twice(pay):
    def settle(state):
        return settled(pay, state, interrupt(question(state)) == interrupt("Really?") == "approve")

    return sequence(settle)


def ask_no_status(pay):
    def settle(state):
        settled(pay, state, interrupt(question(state)) == "approve")

    return sequence(settle)


def ask_no_key(pay):
    def settle(state):
        return settled(lambda key, **data: pay(**data), state, interrupt(question(state)) == "approve")

    return sequence(settle)


def ask_with(pay, key=lambda state: state["id"], is_yes=lambda answer: answer == "approve"):
    def settle(state):
        answer = interrupt(question(state))
        return settled(lambda **data: pay(**data | {"key": key(state)}), state, is_yes(answer))

    return sequence(settle)


def ask_key_of_order(pay):
    return ask_with(pay, lambda state: state["order"])


def ask_one_key(pay):
    return ask_with(pay, lambda state: "refund")


def ask_new_key(pay):
    return ask_with(pay, lambda state: uuid4().hex)


def ask_kindly(pay):
    return ask_with(pay, is_yes=lambda answer: answer.lower().strip() == "approve")


def ask_last_word(pay):
    return ask_with(pay, is_yes=lambda answer: answer.split()[-1] == "approve")


def ask_by_position(pay):
    def settle(state):
        return settled(lambda key, order, cents: pay(key, order, cents), state, interrupt(question(state)) == "approve")

    return sequence(settle)


def ask_no_dict(pay):
    def ask(state):
        return interrupt(question(state))

    return sequence(ask)


def ask_undeclared(pay):
    def ask(state):
        return {"ok": interrupt(question(state)) == "approve"}

    def settle(state):
        return settled(pay, state, state["ok"])

    return sequence(ask, settle)


def ask_side_by_side(pay):
    graph = StateGraph(Refund)
    graph.add_node("ask", lambda state: {"decision": interrupt(question(state)), "status": "refused"})
    graph.add_node("settle", lambda state: {"status": "refused"})
    graph.add_node("both", lambda state: {"status": "paid"})
    return graph.add_edge(START, "settle").add_edge(START, "both").add_edge("settle", "ask")


def ask_runs_it(pay):
    return ask_nodes(pay).compile(checkpointer=InMemorySaver()).get_graph()


def ask_blank(pay):
    raise NotImplementedError


# --- approval.letter ---------------------------------------------------------------------------------------------

LETTER = "May the letter go out?"


def written(act, state):
    if state["answer"] != "send":
        return {"status": "held"}
    act("send letter", refund=state["id"])
    return {"status": "sent"}


def letter_nodes(act):
    def pay(state):
        act("pay", refund=state["id"], cents=state["cents"])

    def ask(state):
        return {"answer": interrupt(LETTER)}

    def write(state):
        return written(act, state)

    return sequence(pay, ask, write)


def letter_key(act):
    """Pays again, under the same key: the money moves once."""

    def pay_and_ask(state):
        act("pay", key=state["id"], refund=state["id"], cents=state["cents"])
        return {"answer": interrupt(LETTER)}

    def write(state):
        return written(act, state)

    return sequence(pay_and_ask, write)


def letter_compiled(act):
    return letter_nodes(act).compile()


def letter_two(act):
    async def pay(state):
        act("pay", key=f"pay {state['id']}", refund=state["id"], cents=state["cents"])

    async def ask_and_write(state):
        return written(act, {**state, "answer": interrupt({"letter": state["id"]})})

    return sequence(pay, ask_and_write)


def letter_buggy(act):
    """As it is in use."""

    def pay_and_ask(state):
        act("pay", refund=state["id"], cents=state["cents"])
        try:
            return {"answer": interrupt(LETTER)}
        except Exception:
            return {"answer": "send"}

    def write(state):
        return written(act, state)

    return sequence(pay_and_ask, write)


def letter_half(act):
    """Without the `try`, and still with the payment before the question."""

    def pay_and_ask(state):
        act("pay", refund=state["id"], cents=state["cents"])
        return {"answer": interrupt(LETTER)}

    def write(state):
        return written(act, state)

    return sequence(pay_and_ask, write)


def letter_other_half(act):
    def pay(state):
        act("pay", refund=state["id"], cents=state["cents"])

    def ask(state):
        try:
            return {"answer": interrupt(LETTER)}
        except Exception:
            return {"answer": "send"}

    def write(state):
        return written(act, state)

    return sequence(pay, ask, write)


def letter_swallows(act):
    """No answer is made up, and nobody is asked either."""

    def ask(state):
        act("pay", refund=state["id"], cents=state["cents"])
        answer = "hold"
        with suppress(Exception):
            answer = interrupt(LETTER)
        return {"answer": answer}

    def write(state):
        return written(act, state)

    return sequence(ask, write)


def letter_ask_first(act):
    """Moves the payment behind the question, although it was to go out at once."""

    def ask_and_pay(state):
        answer = interrupt(LETTER)
        act("pay", refund=state["id"], cents=state["cents"])
        return {"answer": answer}

    def write(state):
        return written(act, state)

    return sequence(ask_and_pay, write)


def letter_one_key(act):
    def pay_and_ask(state):
        act("pay", key="refund", refund=state["id"], cents=state["cents"])
        return {"answer": interrupt(LETTER)}

    def write(state):
        return written(act, state)

    return sequence(pay_and_ask, write)


def letter_new_key(act):
    def pay_and_ask(state):
        act("pay", key=uuid4().hex, refund=state["id"], cents=state["cents"])
        return {"answer": interrupt(LETTER)}

    def write(state):
        return written(act, state)

    return sequence(pay_and_ask, write)


def letter_not_hold(act):
    def pay(state):
        act("pay", refund=state["id"], cents=state["cents"])

    def ask(state):
        return {"answer": "hold" if interrupt(LETTER) == "hold" else "send"}

    def write(state):
        return written(act, state)

    return sequence(pay, ask, write)


def letter_never(act):
    def pay(state):
        act("pay", refund=state["id"], cents=state["cents"])

    def ask(state):
        return {"answer": interrupt(LETTER), "status": "sent"}

    return sequence(pay, ask)


def letter_memory(act):
    """Remembers in a variable whether it has paid, for all refunds."""
    done = []

    def pay_and_ask(state):
        if not done:
            act("pay", refund=state["id"], cents=state["cents"])
            done.append(True)
        return {"answer": interrupt(LETTER)}

    def write(state):
        return written(act, state)

    return sequence(pay_and_ask, write)


def letter_in_memory(act):
    """Remembers in a variable of its own which refunds it has paid."""
    seen = set()

    def pay_and_ask(state):
        if state["id"] not in seen:
            act("pay", refund=state["id"], cents=state["cents"])
            seen.add(state["id"])
        return {"answer": interrupt(LETTER)}

    def write(state):
        return written(act, state)

    return sequence(pay_and_ask, write)


def letter_with(act, pay, is_yes=lambda answer: answer == "send"):
    def ask(state):
        return {"answer": "send" if is_yes(interrupt(LETTER)) else "hold"}

    def write(state):
        return written(act, state)

    return sequence(pay, ask, write)


def letter_other_name(act):
    def pay(state):
        act("payment", refund=state["id"], cents=state["cents"])

    return letter_with(act, pay)


def letter_no_refund(act):
    def pay(state):
        act("pay", key=state["id"])

    return letter_with(act, pay)


def letter_other_refund(act):
    def pay(state):
        act("pay", refund=state["order"])

    return letter_with(act, pay)


def letter_by_position(act):
    def pay(state):
        act("pay", state["id"])

    return letter_with(act, pay)


def letter_first_word(act):
    def pay(state):
        act("pay", refund=state["id"], cents=state["cents"])

    return letter_with(act, pay, lambda answer: answer.split(",")[0] == "send")


def letter_blank(act):
    raise NotImplementedError


# --- approval.desk -----------------------------------------------------------------------------------------------


class JsonDesk:
    """As the hints have it: a dict of records in a JSON file."""

    words = ("approve", "refuse")

    def __init__(self, path, llm, pay):
        self.path, self.llm, self.pay = Path(path), llm, pay

    def records(self):
        return json.loads(self.path.read_text()) if self.path.exists() else {}

    def save(self, record):
        self.path.write_text(json.dumps(self.records() | {record["id"]: record}))

    def summary(self, request):
        return self.llm.invoke(f"Summarise in one sentence.\n\n{request['ticket']}").text

    def key(self, record):
        return record["id"]

    def money(self, record):
        self.pay(key=self.key(record), order=record["order"], cents=record["cents"], note=record["summary"])

    def start(self, request):
        known = self.records().get(request["id"])
        if known is None:
            known = request | {"summary": self.summary(request), "status": "waiting"}
            self.save(known)
        return known["status"]

    def decide(self, record, decision):
        record["status"] = "approved" if decision == "approve" else "refused"
        self.save(record)

    def resume(self, request_id, decision):
        record = self.records()[request_id]
        if decision not in self.words:
            raise ValueError(decision)
        if record["status"] == "waiting":
            self.decide(record, decision)
        if record["status"] == "approved":
            self.money(record)
            record["status"] = "paid"
            self.save(record)
        return record["status"]


class Patient(JsonDesk):
    """Tries again at once."""

    def money(self, record):
        for _ in range(3):
            try:
                return super().money(record)
            except (TimeoutError, ServiceError):
                continue
        raise TimeoutError("the bank does not answer")


class SqliteDesk:
    """A table, statements that can be repeated, and a key made in `start`; asynchronous."""

    def __init__(self, path, llm, pay):
        self.path, self.llm, self.pay = path, llm, pay
        self.rows("CREATE TABLE IF NOT EXISTS refunds (id PRIMARY KEY, order_id, cents, summary, status, key)")

    def rows(self, statement, *values):
        with closing(sqlite3.connect(self.path)) as file, file:
            return file.execute(statement, values).fetchall()

    def status(self, id):
        found = self.rows("SELECT status FROM refunds WHERE id = ?", id)
        return found[0][0] if found else None

    async def start(self, request):
        if not self.status(request["id"]):
            said = await self.llm.ainvoke([("system", "Summarise the ticket."), ("user", request["ticket"])])
            new = (request["id"], request["order"], request["cents"], said.text, "waiting", uuid4().hex)
            self.rows("INSERT OR IGNORE INTO refunds VALUES (?, ?, ?, ?, ?, ?)", *new)
        return self.status(request["id"])

    async def resume(self, request_id, decision):
        if not self.status(request_id):
            raise KeyError(request_id)
        decided = {"approve": "approved", "refuse": "refused"}.get(decision)
        if not decided:
            raise ValueError(f"{decision!r} is no decision.")
        self.rows("UPDATE refunds SET status = ? WHERE id = ? AND status = 'waiting'", decided, request_id)
        for order, cents, note, key in self.rows(
            "SELECT order_id, cents, summary, key FROM refunds WHERE id = ? AND status = 'approved'", request_id
        ):
            await asyncio.to_thread(self.pay, key=key, order=order, cents=cents, note=f"Refund: {note}")
            self.rows("UPDATE refunds SET status = 'paid' WHERE id = ?", request_id)
        return self.status(request_id)


class Case(TypedDict, total=False):
    request: dict
    summary: str
    decision: str
    status: str


class GraphDesk:
    """LangGraph: three nodes and a checkpointer that keeps its threads in a file."""

    def __init__(self, path, llm, pay):
        def read(state):
            return {"summary": llm.invoke(f"Summarise: {state['request']['ticket']}").text, "status": "waiting"}

        def ask(state):
            answer = interrupt({"request": state["request"], "summary": state["summary"]})
            return {"decision": answer, "status": "approved" if answer == "approve" else "refused"}

        def settle(state):
            if state["decision"] == "refuse":
                return {}
            request = state["request"]
            pay(key=request["id"], order=request["order"], cents=request["cents"], note=state["summary"])
            return {"status": "paid"}

        graph = StateGraph(Case).add_sequence([read, ask, settle]).add_edge(START, "read")
        self.app = graph.compile(checkpointer=self.saver(path))

    def saver(self, path):
        return SqliteSaver(sqlite3.connect(path, check_same_thread=False))

    def thread(self, id):
        return {"configurable": {"thread_id": id}}

    def stands(self, id):
        return self.app.get_state(self.thread(id))

    def start(self, request):
        if "summary" not in self.stands(request["id"]).values:
            self.app.invoke({"request": request}, self.thread(request["id"]), durability="sync")
        return self.stands(request["id"]).values["status"]

    def resume(self, request_id, decision):
        stands = self.stands(request_id)
        if "summary" not in stands.values:
            raise KeyError(request_id)
        if decision not in ("approve", "refuse"):
            raise ValueError(decision)
        if stands.next:
            onward = Command(resume=decision) if stands.interrupts else None
            self.app.invoke(onward, self.thread(request_id), durability="sync")
        return self.stands(request_id).values["status"]


class NamesTheFile(JsonDesk):
    def __init__(self, path, llm, pay):
        super().__init__("desk.json", llm, pay)


class PaysAtStart(JsonDesk):
    def start(self, request):
        status = super().start(request)
        self.money(self.records()[request["id"]])
        return status


class PaysAnyway(JsonDesk):
    """Pays behind everybody's back."""

    def decide(self, record, decision):
        if decision == "refuse":
            self.money(record)
        super().decide(record, decision)


class NewKey(JsonDesk):
    def key(self, record):
        return uuid4().hex


class NoKey(JsonDesk):
    def key(self, record):
        return ""


class OneKey(JsonDesk):
    def key(self, record):
        return "refund"


class KeyOfOrder(JsonDesk):
    def key(self, record):
        return f"{record['order']} {record['cents']}"


class InMemory(JsonDesk):
    def __init__(self, path, llm, pay):
        self.path, self.llm, self.pay, self.kept = path, llm, pay, {}

    def records(self):
        return self.kept

    def save(self, record):
        self.kept[record["id"]] = record


class InMemoryGraph(GraphDesk):
    def saver(self, path):
        return InMemorySaver()


class NoStatus(JsonDesk):
    """Relies on the key alone."""

    def resume(self, request_id, decision):
        record = self.records()[request_id]
        if decision not in self.words:
            raise ValueError(decision)
        if record["status"] == "refused":
            return "refused"
        if record["status"] == "waiting":
            self.decide(record, decision)
        if record["status"] != "refused":
            self.money(record)
            record["status"] = "paid"
            self.save(record)
        return record["status"]


class NotNo(JsonDesk):
    """Takes for a yes whatever is no refusal."""

    def resume(self, request_id, decision):
        return super().resume(request_id, "refuse" if decision == "refuse" else "approve")


class NotYes(JsonDesk):
    """Takes for a no whatever is no approval."""

    def resume(self, request_id, decision):
        return super().resume(request_id, "approve" if decision == "approve" else "refuse")


class StillWaiting(JsonDesk):
    """Overlooks what is no decision."""

    def resume(self, request_id, decision):
        return super().resume(request_id, decision) if decision in self.words else self.records()[request_id]["status"]


class AsksAgain(JsonDesk):
    def money(self, record):
        super().money(record | {"summary": self.summary(record)})


class AsksAgainAtStart(JsonDesk):
    def start(self, request):
        said = self.summary(request)
        if request["id"] not in self.records():
            self.save(request | {"summary": said, "status": "waiting"})
        return self.records()[request["id"]]["status"]


class StartsOver(JsonDesk):
    def start(self, request):
        self.save(request | {"summary": self.summary(request), "status": "waiting"})
        return "waiting"


class TakesNewSum(JsonDesk):
    """Keeps the summary and the status, and not the sum."""

    def start(self, request):
        known = self.records().get(request["id"])
        if known:
            self.save(known | request)
            return known["status"]
        return super().start(request)


class MarksFirst(JsonDesk):
    """Writes the record before the model has said anything."""

    def start(self, request):
        if request["id"] not in self.records():
            record = request | {"summary": request["ticket"], "status": "waiting"}
            self.save(record)
            self.save(record | {"summary": self.summary(request)})
        return self.records()[request["id"]]["status"]


class PaidBeforehand(JsonDesk):
    """Saves before it pays."""

    def decide(self, record, decision):
        super().decide(record, decision)
        if decision == "approve":
            self.save(record | {"status": "paid"})


class Hopes(JsonDesk):
    """Takes no answer for a yes."""

    def money(self, record):
        with suppress(TimeoutError):
            super().money(record)


class Reassures(JsonDesk):
    """Keeps the bank's error to itself, and goes on at the next click."""

    def resume(self, request_id, decision):
        try:
            return super().resume(request_id, decision)
        except (TimeoutError, ServiceError):
            return "waiting"


class LastClick(JsonDesk):
    """The decision is not written down before the bank hears of it."""

    def resume(self, request_id, decision):
        record = self.records()[request_id]
        if decision not in self.words:
            raise ValueError(decision)
        if record["status"] == "waiting":
            if decision == "approve":
                self.money(record)
            record["status"] = {"approve": "paid", "refuse": "refused"}[decision]
            self.save(record)
        return record["status"]


class LateYes(JsonDesk):
    """A yes after a no counts."""

    def resume(self, request_id, decision):
        record = self.records()[request_id]
        if record["status"] == "refused" and decision == "approve":
            self.save(record | {"status": "approved"})
        return super().resume(request_id, decision)


class PaysFromWaiting(JsonDesk):
    """What was approved and not paid stays so."""

    def resume(self, request_id, decision):
        record = self.records()[request_id]
        if decision not in self.words:
            raise ValueError(decision)
        if record["status"] == "waiting":
            self.decide(record, decision)
            if decision == "approve":
                self.money(record)
                record["status"] = "paid"
                self.save(record)
        return record["status"]


class StaysApproved(JsonDesk):
    """Pays, and says so to nobody."""

    def resume(self, request_id, decision):
        status = super().resume(request_id, decision)
        self.save(self.records()[request_id] | {"status": "approved" if status == "paid" else status})
        return self.records()[request_id]["status"]


class ByPosition(JsonDesk):
    def money(self, record):
        self.pay(record["id"], record["order"], record["cents"], record["summary"])


class NoAfterAWord(JsonDesk):
    """Writes a no down before it says that this was no decision."""

    def resume(self, request_id, decision):
        record = self.records()[request_id]
        if record["status"] == "waiting" and decision not in self.words:
            self.decide(record, decision)
        return super().resume(request_id, decision)


class OneRecord(JsonDesk):
    """The file holds the last refund only."""

    def save(self, record):
        self.path.write_text(json.dumps({record["id"]: record}))


class SumOfTheModel(JsonDesk):
    """Pays what the model read in the ticket."""

    def money(self, record):
        super().money(record | {"cents": int(record["summary"].split("wants ")[1].split()[0]) * 100})


class NoNote(JsonDesk):
    def money(self, record):
        self.pay(key=record["id"], order=record["order"], cents=record["cents"])


class Unknowing(JsonDesk):
    def resume(self, request_id, decision):
        return super().resume(request_id, decision) if request_id in self.records() else "unknown"


class GivesRecord(JsonDesk):
    def start(self, request):
        super().start(request)
        return self.records()[request["id"]]


class NoModel(JsonDesk):
    def summary(self, request):
        return request["ticket"][:60]


class SavesMessage(JsonDesk):
    """Takes the answer for its text."""

    def summary(self, request):
        return self.llm.invoke(f"Summarise in one sentence.\n\n{request['ticket']}")


class SavesMessageInTable(SqliteDesk):
    """As above, with a database."""

    def start(self, request):
        said = self.llm.invoke(f"Summarise in one sentence.\n\n{request['ticket']}")
        new = (request["id"], request["order"], request["cents"], said, "waiting", uuid4().hex)
        self.rows("INSERT OR IGNORE INTO refunds VALUES (?, ?, ?, ?, ?, ?)", *new)
        return self.status(request["id"])


class NoTicket(JsonDesk):
    def summary(self, request):
        return self.llm.invoke(f"Summarise refund {request['id']}.").text


class OldNames(JsonDesk):
    def __init__(self, file, model, bank):
        super().__init__(file, model, bank)


class Unwritten(JsonDesk):
    def start(self, request):
        raise NotImplementedError


class HalfWritten(JsonDesk):
    def resume(self, request_id, decision):
        raise NotImplementedError


class PaysThenAsks(GraphDesk):
    """The effect stands before the question."""

    def __init__(self, path, llm, pay):
        def node(state):
            request = state["request"]
            said = llm.invoke(f"Summarise: {request['ticket']}").text
            pay(key=request["id"], order=request["order"], cents=request["cents"], note=said)
            return {"decision": interrupt("Approve?"), "summary": said, "status": "paid"}

        graph = StateGraph(Case).add_sequence([node]).add_edge(START, "node")
        self.app = graph.compile(checkpointer=self.saver(path))

    def start(self, request):
        self.app.invoke({"request": request}, self.thread(request["id"]))
        return "waiting"


class ReadsAndAsks(GraphDesk):
    """One node asks the model and then a person: it begins again, and asks the model anew."""

    def __init__(self, path, llm, pay):
        def node(state):
            said = llm.invoke(f"Summarise: {state['request']['ticket']}").text
            return {"decision": interrupt(said), "summary": said}

        def settle(state):
            if state["decision"] == "refuse":
                return {"status": "refused"}
            request = state["request"]
            pay(key=request["id"], order=request["order"], cents=request["cents"], note=state["summary"])
            return {"status": "paid"}

        graph = StateGraph(Case).add_sequence([node, settle]).add_edge(START, "node")
        self.app = graph.compile(checkpointer=self.saver(path))

    def start(self, request):
        if not self.stands(request["id"]).interrupts:
            self.app.invoke({"request": request}, self.thread(request["id"]))
        return self.stands(request["id"]).values.get("status", "waiting")

    def resume(self, request_id, decision):
        if not self.stands(request_id).values:
            raise KeyError(request_id)
        if decision not in ("approve", "refuse"):
            raise ValueError(decision)
        if self.stands(request_id).next:
            self.app.invoke(Command(resume=decision), self.thread(request_id))
        return self.stands(request_id).values["status"]


RIGHT = {
    "approval.ask": [ask_nodes, ask_async, ask_in_euros, ask_one_node, ask_branches],
    "approval.letter": [letter_nodes, letter_key, letter_compiled, letter_two],
    "approval.desk": [JsonDesk, Patient, SqliteDesk, GraphDesk],
}

WRONG = {  # check -> answer -> words that a learner must read
    "approval.ask": {
        ask_after: "that `interrupt` waits like `input()`",
        ask_nobody: "with what is to be paid",
        ask_robustly: "no `try` around it",
        ask_not_no: "that whatever is no refusal is a yes",
        ask_holds: 'compare the whole answer, as it came: `== "approve"`',
        ask_blind: "a person can only decide about what they see",
        ask_no_sum: "the order and the amount in the question",
        ask_twice: "ask once; the answer is what `interrupt` gives back",
        ask_no_status: "the last node gives back",
        ask_no_key: "`pay` without a key",
        ask_key_of_order: "the refund's id",
        ask_one_key: "`pay` with key='refund'",
        ask_new_key: "the refund's id",
        ask_kindly: "as it came",
        ask_by_position: "call `pay` with names: `pay(key=…, order=…, cents=…)`",
        ask_no_dict: "a node returns a dict",
        ask_undeclared: "keys that the state does not declare are dropped without a word",
        ask_side_by_side: "which arrows lead to them?",
        ask_runs_it: "the check needs the StateGraph",
        ask_blank: "not written yet",
    },
    "approval.letter": {
        letter_buggy: "that everything which is raised is a failure",
        letter_half: "that `interrupt` waits like `input()`",
        letter_other_half: "is it called, and who catches that?",
        letter_swallows: "a question, and no letter before its answer",
        letter_ask_first: "each refund goes out at once, before anybody is asked",
        letter_one_key: "that one key will do for everything",
        letter_new_key: "the node that asks begins again when the answer comes",
        letter_not_hold: 'the letter goes out after exactly "send"',
        letter_never: 'the letter goes out after exactly "send"',
        letter_memory: "each refund goes out at once",
        letter_in_memory: "a variable of the first graph is gone with it",
        letter_other_name: "`act` was called 'payment'",
        letter_no_refund: "nobody knows whose it is",
        letter_other_refund: "a 'pay' with refund='",
        letter_by_position: "call `act` with names",
        letter_blank: "not written yet",
    },
    "approval.desk": {
        NamesTheFile: "has only what stands in the file at `path`",
        PaysAtStart: "`start` only asks",
        PaysThenAsks: "`start` only asks",
        PaysAnyway: "a no is a no",
        NewKey: "that a key belongs to an attempt; it belongs to what a person has approved",
        NoKey: "without a key the bank cannot tell a repeat from a new payment",
        OneKey: "that one key will do for everything",
        KeyOfOrder: "two refunds are two payments, even of one sum for one order",
        InMemory: "that a variable lives as long as somebody thinks",
        InMemoryGraph: "that a variable lives as long as somebody thinks",
        NoStatus: "look at the status first",
        NotNo: "that whatever is no refusal is a yes",
        NotYes: "letter by letter",
        StillWaiting: "letter by letter",
        AsksAgain: "the yes belongs to what was shown",
        AsksAgainAtStart: "neither by `resume` nor by a second `start`",
        ReadsAndAsks: "the yes belongs to what was shown",
        StartsOver: "neither by `resume` nor by a second `start`",
        TakesNewSum: "order and cents of the first `start`",
        MarksFirst: "a record without a summary has not been started",
        PaidBeforehand: "that what was sent has arrived",
        Hopes: "that what was sent has arrived",
        Reassures: "let the bank's error out",
        LastClick: "a yes that nobody wrote down can be contradicted",
        PaysFromWaiting: "the payment is not certain: what does the next `resume` still have to do?",
        StaysApproved: "with that the refund is paid",
        ByPosition: "call `pay` with names: `pay(key=…, order=…, cents=…, note=…)`",
        LateYes: "a no is a no",
        OneRecord: "Keep each under its id",
        SumOfTheModel: "neither a later one's nor a model's",
        NoNote: "keep what the model said, and pay with it",
        Unknowing: "raise KeyError(request_id)",
        GivesRecord: "return one of 'waiting', 'paid', 'refused'",
        NoModel: "asks `llm` for a summary of the ticket",
        SavesMessage: "what you keep is an AIMessage: keep its `.text`",
        SavesMessageInTable: "what you keep is an AIMessage: keep its `.text`",
        NoTicket: "put request['ticket'] into the prompt",
        OldNames: "keep the parameters of the stub",
        Unwritten: "not written yet",
        HalfWritten: "not written yet",
    },
}

HELD_BACK = {  # answers that pass the cases that are shown, and fail one that is held back
    "approval.ask": [ask_last_word],
    "approval.letter": [letter_first_word],
    "approval.desk": [NoAfterAWord],
}
