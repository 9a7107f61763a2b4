"""The control API: scopes, conditions, records, sleeps, clients, stop, and the limits that keep it bounded."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from support import running_server

from course_utils import faults
from course_utils.records import Record, Trace
from course_utils.server.scripted import Scripted

BODY = {"model": "small", "messages": [{"role": "user", "content": "hello there"}]}


@pytest.fixture(scope="module")
def server():
    with running_server() as server:
        yield server


@pytest.fixture
def client(server):
    with server.client as client:
        yield client


def chat(client, scope, **headers):
    return client.post(f"/s/{scope}/v1/chat/completions", json=BODY, headers=headers)


def test_health(client, server):
    """What runs, and how fast its clock is."""
    health = client.get("/course/health").json()
    models = [{"id": "practice-small", "size": "small"}, {"id": "practice-large", "size": "large"}]
    assert {name: health[name] for name in ("backend", "models", "speed")} == {
        "backend": "echo", "models": models, "speed": 1000.0,
    }  # fmt: skip
    assert isinstance(health["pid"], int)


def test_a_scope_with_conditions_from_the_first_request(client):
    """Plan, rate and virtual clock are in force at once; the key and address work."""
    plan = faults.first(1, faults.server_error()).model_dump()
    made = client.post(
        "/course/scopes", json={"plan": plan, "virtual": True, "rate": {"per_second": 1, "burst": 2}}
    ).json()
    url, key = made["base_url"] + "/chat/completions", {"Authorization": f"Bearer {made['key']}"}
    assert [client.post(url, json=BODY, headers=key).status_code for _ in range(3)] == [500, 200, 429]


def test_a_refusal_says_the_limit_as_it_works(client):
    """The burst is what may start at one moment, not what may be open: the message does not say "at once"."""
    made = client.post("/course/scopes", json={"virtual": True, "rate": {"per_second": 4, "burst": 1}}).json()
    url, key = made["base_url"] + "/chat/completions", {"Authorization": f"Bearer {made['key']}"}
    client.put(f"/course/scopes/{made['scope']}/conditions", json={"rate": {"per_second": 0.001, "burst": 2}})
    refused = [client.post(url, json=BODY, headers=key) for _ in range(3)][-1].json()["error"]["message"]
    assert refused.startswith("Rate limit reached: 0.001 requests per second, burst 2. Please try again in ")


def test_records_of_a_block(client, server):
    """`after` from the conditions is where the block begins; the rows build the Trace."""
    chat(client, "main")
    after = client.put("/course/scopes/main/conditions", json={}).json()["after"]
    chat(client, "main", **{"x-course-step": "plan"})
    rows = client.get("/course/scopes/main/records", params={"after": after}).json()
    trace = Trace([Record(**row) for row in rows])
    assert [(record.id, record.step, record.answer) for record in trace] == [(after + 1, "plan", "hello there")]
    assert trace.records == server.trace("main", after).records


def test_conditions_can_be_taken_back(client, server):
    """null, or leaving it out, means: behave."""
    name = server.scope(plan=faults.every(1, faults.empty()), rate={"per_second": 1, "burst": 1}).name
    client.put(f"/course/scopes/{name}/conditions", json={"plan": None, "rate": None})
    assert [chat(client, name).json()["choices"][0]["message"]["content"] for _ in range(3)] == ["hello there"] * 3


def test_running_requests_are_among_the_records(server, client):
    """A request that is being answered has neither end nor status yet."""
    scope = server.scope(backend=Scripted(["a"] * 2, together=2, patience=30))
    with ThreadPoolExecutor() as pool:
        first = pool.submit(chat, client, scope.name)
        while not (rows := client.get(f"/course/scopes/{scope.name}/records").json()):
            time.sleep(0.001)
        assert (rows[0]["status"], rows[0]["stop"], rows[0]["in_flight"]) == (None, None, 1)
        assert chat(client, scope.name).status_code == first.result().status_code == 200


def test_records_outlive_their_scope(client, server):
    """A closed scope's records stay in the log; a new scope of the same name begins empty."""
    server.scope("again")
    chat(client, "again")
    assert client.delete("/course/scopes/again").status_code == 200
    assert len(client.get("/course/scopes/again/records").json()) == 1
    assert chat(client, "again").status_code == 404
    server.scope("again")
    assert client.get("/course/scopes/again/records").json() == []


def test_sleeps_of_a_virtual_scope(client, server):
    """Nobody waits; the clock moves, and every sleep is on record with its beginning."""
    scope = server.scope(virtual=True)
    path, key = f"/course/scopes/{scope.name}/sleeps", {"Authorization": f"Bearer {scope.key}"}
    answers = [client.post(path, json={"seconds": seconds}, headers=key).json() for seconds in (2, 0, 0.5)]
    assert answers == [{"course_time": at, "wait": 0.0} for at in (2.0, 2.0, 2.5)]
    assert client.get(path).json() == [
        {"at": 0.0, "seconds": 2.0}, {"at": 2.0, "seconds": 0.0}, {"at": 2.0, "seconds": 0.5},
    ]  # fmt: skip


def test_sleeps_of_a_real_scope(client, server):
    """The caller is told how long to sleep itself, at the server's speed."""
    scope = server.scope()
    answer = client.post(f"/course/scopes/{scope.name}/sleeps", json={"seconds": 60}).json()
    assert answer["wait"] == 0.06
    assert [sleep.seconds for sleep in scope.sleeps] == [60.0]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "param"),
    [
        ("POST", "/course/scopes", {"name": "a/b"}, 409, None),
        ("POST", "/course/scopes", {"name": "main"}, 409, None),
        ("POST", "/course/scopes", {"speed": 3}, 400, "speed"),
        ("POST", "/course/scopes", {"plan": {"when": "sometimes"}}, 400, "plan"),
        ("POST", "/course/scopes", {"rate": {"per_second": 0}}, 400, "rate.per_second"),
        ("PUT", "/course/scopes/nowhere/conditions", {}, 404, None),
        ("PUT", "/course/scopes/main/conditions", {"rate": 3}, 400, "rate"),
        ("POST", "/course/scopes/main/sleeps", {"seconds": -1}, 400, "seconds"),
        ("POST", "/course/scopes/main/sleeps", {}, 400, "seconds"),
        ("GET", "/course/scopes/nowhere/records", None, 404, None),
        ("GET", "/course/scopes/main/records?after=x", None, 400, "after"),
        ("DELETE", "/course/scopes/nowhere", None, 404, None),
        ("POST", "/course/clients", {"pid": "me"}, 400, "pid"),
        ("GET", "/course/nothing", None, 404, None),
        ("GET", "/course/stop", None, 405, None),
    ],
)
def test_wrong_control_requests(client, method, path, body, status, param):
    """Each is refused in OpenAI's shape, naming the field at fault."""
    answer = client.request(method, path, json=body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (status, param)


def test_clients_are_remembered(client, server):
    """Once each."""
    for _ in range(2):
        client.post("/course/clients", json={"pid": 4242})
    assert server.course.clients == {4242}


def test_stop():
    """The caller gets his answer, then the server ends."""
    with running_server() as server, server.client as client:
        assert client.post("/course/stop").status_code == 200
        for _ in range(500):
            if not server.loop.is_running():
                break
            time.sleep(0.01)
        assert not server.loop.is_running()


def test_the_oldest_idle_scope_makes_room():
    """There are never more scopes than allowed; "main" and those in use stay, records stay."""
    with running_server(most_scopes=3) as server, server.client as client:
        server.scope("a")
        server.scope("b")
        chat(client, "a")
        server.scope("c")
        assert [chat(client, name).status_code for name in ("a", "b", "c", "main")] == [200, 404, 200, 200]
        assert len(server.trace("a")) == 2


def test_no_room_when_every_scope_is_busy():
    """Then a new one is refused in words."""
    with running_server(most_scopes=2) as server, server.client as client:
        server.scope("a").open = 1
        answer = client.post("/course/scopes", json={})
        assert answer.status_code == 409
        assert "busy" in answer.json()["error"]["message"]
