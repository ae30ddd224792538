"""A ledger in a file, a desk that answers as scripted, and a front that keeps what it was shown."""

import pytest

from handoff.ledger import Ledger
from handoff.relay import Relay
from handoff.timeouts import Timeouts
from tests.support import environment, postgres
from tests.support.clock import ManualClock
from tests.support.hypotheses import be_patient
from tests.support.ledger_rows import find
from tests.support.new_ledger import place_ledger
from tests.support.scripted_desk import RecordingFront, ScriptedDesk


def _place_sqlite(request):
    """An up-to-date file of its own for each test, without migrating each."""
    return f"sqlite+aiosqlite:///{place_ledger(request.getfixturevalue('tmp_path'))}"


def _empty_postgres(request):
    return request.getfixturevalue("postgres_url")


# The databases that the ledger's tests run on, one line each.
STORES = {
    "sqlite": _place_sqlite,
    "postgres": _empty_postgres,
}

be_patient()


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path):
    environment.clean(monkeypatch, tmp_path)


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """A file that has been migrated, to look at."""
    return place_ledger(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="session")
def postgres_database():
    """A PostgreSQL database that has been migrated; each test finds it empty."""
    with postgres.make_database() as url:
        yield url


@pytest.fixture
def postgres_url(postgres_database):
    """That database, empty."""
    postgres.empty(postgres_database)
    return postgres_database


@pytest.fixture(params=STORES)
def database_url(request):
    return STORES[request.param](request)


@pytest.fixture
async def ledger(database_url, clock):
    ledger = await Ledger.connect(database_url, clock)
    yield ledger
    await ledger.close()


@pytest.fixture
async def other_ledger(database_url, clock, ledger):
    """The same database as another process sees it."""
    other = await Ledger.connect(database_url, clock)
    yield other
    await other.close()


@pytest.fixture
def desk():
    return ScriptedDesk()


@pytest.fixture
def front():
    return RecordingFront()


@pytest.fixture
def timeouts():
    return Timeouts(requested=30, queued=600, ending=10, delivery=0.6)


@pytest.fixture
async def relay(ledger, desk, front, timeouts):
    relay = Relay(ledger, desk, front, timeouts, sweep=0.01)
    yield relay
    await relay.stop()


@pytest.fixture
def is_in(ledger):
    """A predicate for ``eventually``: the handoff is in this state."""

    def make(handoff, state):
        async def look():
            found = await find(ledger, handoff)
            return found if found.state is state else None

        return look

    return make
