"""The embedded PostgreSQL: a server in the data directory, shared by the processes of one user.

::

    <data_dir>/pgdata          the cluster: checksums, fsync and all other durable defaults on
    <data_dir>/run             the Unix socket, the only door (under /tmp when this path is too long for one)
    <data_dir>/postgres.log    what the server says
    <data_dir>/start.lock      held exclusively by whoever starts or stops the server
    <data_dir>/clients.lock    held shared by each process that uses the server
    <data_dir>/server.lock     inherited by the server's processes: free means that none of them is left
    <data_dir>/postgresql-18   a copy of the binaries, only where the system user cannot read the wheel's

All three are flocks, which die with their holders, so nothing here depends on a process id that may be
stale, reused or a zombie's. Whoever needs the server first starts it; whoever drops the last shared lock on
``clients.lock`` stops it. The server has a session of its own: it outlives its starter while others use it,
and a terminal's Ctrl-C does not reach it. As root it runs as the system user ``gndp-postgres``.

Anybody who reaches the socket is trusted, so its directory has mode 0700.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import logging
import os
import re
import secrets
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import platformdirs
import psycopg

from gndp.core.errors import EmbeddedServerError
from gndp.store.embedded_files import (
    DATABASE,
    PORT,
    Place,
    binaries_for,
    can,
    child_options,
    prepare,
    require_cluster,
    server_account,
)

log = logging.getLogger(__name__)

_START_SECONDS = 120.0
_STOP_SECONDS = 120.0
_LOCK_SECONDS = _START_SECONDS + _STOP_SECONDS
_ORPHANS_LEAVE_SECONDS = 2.0
_ORPHANS_KILL_SECONDS = 15.0
_PROBE_SECONDS = 0.05
_LOG_ROTATES_AT_BYTES = 10_000_000


def default_data_dir() -> Path:
    """The data directory when none is named: ``/var/lib/gndp`` for root, else the user's data folder."""
    return Path("/var/lib/gndp") if os.geteuid() == 0 else platformdirs.user_data_path("gndp")


def acquire(data_dir: Path) -> str:
    """Start the server of ``data_dir``, or join it, and return its libpq URI.

    A new directory gets a new cluster with an empty database ``gndp``. Recovery after a crash is waited for,
    120 seconds at most. Each call is given back by one :func:`release`; the process's exit gives all back.
    Calling again while holding the server revives it if it died. Threads may call this; a forked child holds
    nothing of its parent's and calls it for itself.

    Raises EmbeddedServerError, in one line that says why the server cannot run from there.
    """
    place = Place.of(data_dir)
    with _guard, _system_errors_named(place):
        prepare(place)
        with _exclusive(place.start_lock):
            lease = _leases.get(place)
            held = lease.lock if lease else _open_lock(place.clients_lock, fcntl.LOCK_SH)
            if held is None:
                raise EmbeddedServerError(f"{place.clients_lock} is locked by a program that is not GNDP's")
            try:
                _ensure_running(place)
                _ensure_database(place)
            except BaseException as error:
                if lease is None:
                    _close_lock(held)
                    # A server that still recovers goes on; an interrupted call leaves none behind.
                    if not isinstance(error, EmbeddedServerError):
                        _stop_unless_used(place)
                raise
            _leases[place] = _Lease(held, lease.count + 1 if lease else 1)
    return place.uri


def release(data_dir: Path) -> None:
    """Give back one :func:`acquire`; the last of the last process stops the server.

    Does nothing where this process holds nothing. Raises EmbeddedServerError if the server does not stop.
    """
    place = Place.of(data_dir)
    with _guard, _system_errors_named(place):
        lease = _leases.get(place)
        if lease is None:
            return
        if lease.count > 1:
            _leases[place] = _Lease(lease.lock, lease.count - 1)
            return
        _give_up(place)


def stop(data_dir: Path) -> bool:
    """Stop the server of ``data_dir``, whoever uses it; False when none runs.

    Connections are ended and their open transactions rolled back. Clients keep their leases, so one that
    acquires again starts the server anew. Raises EmbeddedServerError if the server does not stop.
    """
    place = Place.of(data_dir)
    with _guard, _system_errors_named(place):
        if not place.server_lock.exists():
            return False
        with _exclusive(place.start_lock):
            return _stop_server(place)


def revive(data_dir: Path) -> None:
    """Bring back a server that died while this process held it.

    One that was stopped on purpose stays stopped. Raises EmbeddedServerError then, or when it cannot run.
    """
    place = Place.of(data_dir)
    died = (place.cluster / "postmaster.pid").exists()  # a server that shuts down in order removes it
    if not died and not is_running(data_dir):
        raise EmbeddedServerError("the embedded PostgreSQL was stopped: connect again to start it")
    acquire(data_dir)
    release(data_dir)


def is_running(data_dir: Path) -> bool:
    """Whether the server of ``data_dir`` answers a query at this moment (False while it still recovers)."""
    return _why_no_answer(Place.of(data_dir)) is None


@dataclass(frozen=True)
class _Lease:
    """This process's hold on a server: the shared lock's file descriptor, and how often it was acquired."""

    lock: int
    count: int


# ---------------------------------------------------------------------------------------------- the locks

_guard = threading.RLock()
_leases: dict[Place, _Lease] = {}
_open_locks: set[int] = set()
_children: list[subprocess.Popen[bytes]] = []


def _open_lock(path: Path, operation: int) -> int | None:
    """Open a lock file and lock it without waiting; its file descriptor, or None when others hold it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    _open_locks.add(descriptor)
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        _close_lock(descriptor)
        return None
    except BaseException:
        _close_lock(descriptor)
        raise
    return descriptor


def _close_lock(descriptor: int) -> None:
    """Give up this process's part in a lock. No LOCK_UN: it would take the lock from heirs as well."""
    _open_locks.discard(descriptor)
    os.close(descriptor)


@contextlib.contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    """Hold a lock file alone, waiting for others as long as a slow start and a slow stop may take."""
    deadline = time.monotonic() + _LOCK_SECONDS
    while (descriptor := _open_lock(path, fcntl.LOCK_EX)) is None:
        if time.monotonic() > deadline:
            raise EmbeddedServerError(f"another process has held {path} for {_LOCK_SECONDS:.0f} seconds")
        time.sleep(_PROBE_SECONDS)
    try:
        yield
    finally:
        _close_lock(descriptor)


def _forget_after_fork() -> None:
    """In a forked child: let go of the parent's locks, which would otherwise live as long as the child."""
    global _guard
    _guard = threading.RLock()
    for descriptor in list(_open_locks):
        _close_lock(descriptor)
    _leases.clear()


def _release_at_exit() -> None:
    for place in list(_leases):
        try:
            with _guard, _system_errors_named(place):
                _give_up(place)
        except EmbeddedServerError as error:
            log.warning("%s", error)


os.register_at_fork(after_in_child=_forget_after_fork)
atexit.register(_release_at_exit)


@contextlib.contextmanager
def _system_errors_named(place: Place) -> Iterator[None]:
    """Turn what the operating system refuses into one line that names the data directory."""
    try:
        yield
    except (NotADirectoryError, FileExistsError) as error:
        raise EmbeddedServerError(f"{error.filename or place.data_dir} is not a directory") from error
    except OSError as error:
        what = f"{error.strerror}: {error.filename}" if error.filename else str(error)
        raise EmbeddedServerError(f"the data directory {place.data_dir} cannot be used: {what}") from error


# ------------------------------------------------------------------------------------- starting and stopping


def _ensure_running(place: Place) -> None:
    """Return when the server answers: one that runs, one that still recovers, or one started here."""
    began = time.monotonic()
    started: _Started | None = None
    while (silence := _why_no_answer(place)) is not None:
        if started and started.process.poll() is not None:
            reason = _last_words(place, started.log_offset)
            raise EmbeddedServerError(f"PostgreSQL does not start from {place.cluster}: {reason}")
        waited = time.monotonic() - began
        if waited > _START_SECONDS:
            raise EmbeddedServerError(
                f"PostgreSQL in {place.cluster} does not answer after {waited:.0f} seconds ({silence}); "
                f"see {place.log_file}"
            )
        if started is None:
            server_lock = _open_lock(place.server_lock, fcntl.LOCK_EX)
            if server_lock is None:
                _end_orphans(place, waited)
            else:
                try:
                    started = _launch(place, server_lock)
                finally:
                    _close_lock(server_lock)
        time.sleep(min(_PROBE_SECONDS + waited / 20, 0.5))


def _why_no_answer(place: Place) -> str | None:
    """None when the server answers a query, else the reason in one line."""
    try:
        with _connect(place) as connection:
            connection.execute("SELECT 1")
    except psycopg.Error as error:
        return " ".join(str(error).split())
    return None


def _connect(place: Place) -> psycopg.Connection[tuple[Any, ...]]:
    return psycopg.connect(
        host=str(place.socket_dir),
        port=PORT,
        user="gndp",
        dbname="postgres",
        connect_timeout=5,
        autocommit=True,
    )


def _ensure_database(place: Place) -> None:
    try:
        with _connect(place) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
            if found is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")
    except psycopg.Error as error:
        reason = " ".join(str(error).split())
        raise EmbeddedServerError(f"PostgreSQL in {place.cluster} cannot be used: {reason}") from error


def _give_up(place: Place) -> None:
    """Drop this process's lease, and stop the server if that was the last one."""
    _close_lock(_leases.pop(place).lock)
    if place.clients_lock.exists():
        with _exclusive(place.start_lock):
            _stop_unless_used(place)


def _stop_unless_used(place: Place) -> None:
    """Stop the server if no process holds ``clients.lock``; the caller holds ``start.lock``."""
    alone = _open_lock(place.clients_lock, fcntl.LOCK_EX)
    if alone is None:
        # A child that we are just forking has our lock too, until it comes to letting go of it.
        time.sleep(_PROBE_SECONDS)
        alone = _open_lock(place.clients_lock, fcntl.LOCK_EX)
    if alone is None:
        return
    try:
        _stop_server(place)
    finally:
        _close_lock(alone)


def _stop_server(place: Place) -> bool:
    """Shut the server down (fast) and wait until its last process has left; False when there was none."""
    if _server_is_gone(place):
        return False
    began = time.monotonic()
    told = 0
    while not _server_is_gone(place):
        waited = time.monotonic() - began
        if waited > _STOP_SECONDS:
            raise EmbeddedServerError(
                f"PostgreSQL in {place.cluster} has not stopped after {waited:.0f} seconds; "
                f"see {place.log_file}"
            )
        postmaster = _postmaster(place)
        if postmaster is None:
            _end_orphans(place, waited)
        elif told != postmaster:
            _signal(postmaster, signal.SIGINT)
            told = postmaster
        time.sleep(_PROBE_SECONDS)
    _reap()
    return True


def _server_is_gone(place: Place) -> bool:
    server_lock = _open_lock(place.server_lock, fcntl.LOCK_EX)
    if server_lock is None:
        return False
    _close_lock(server_lock)
    return True


def _reap() -> None:
    """Collect ended servers that this process had started, so that they do not stay zombies."""
    _children[:] = [child for child in _children if child.poll() is None]


@dataclass(frozen=True)
class _Started:
    """A postmaster started here, and where in the log its words begin."""

    process: subprocess.Popen[bytes]
    log_offset: int


def _launch(place: Place, server_lock: int) -> _Started:
    """Start a postmaster that inherits ``server_lock``; it may still have to recover when this returns."""
    account = server_account()
    if account and not can(account, "test", "-x", place.data_dir):
        raise EmbeddedServerError(
            f"PostgreSQL runs as {account.pw_name} here, who cannot enter {place.data_dir}: "
            "choose another GNDP_DATA_DIR, such as /var/lib/gndp"
        )
    binaries = binaries_for(place, account)
    require_cluster(place, binaries, account, server_lock)
    _remove_stale_pid_files(place)
    _reap()
    # A name of its own for each start: the server's processes show it, which tells them from all others.
    name = f"gndp-{secrets.token_hex(8)}"
    os.ftruncate(server_lock, 0)
    os.pwrite(server_lock, name.encode(), 0)
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": f'"{place.socket_dir}"',
        "unix_socket_permissions": "0700",
        "port": str(PORT),
        "cluster_name": name,
    }
    options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
    with _open_log(place) as log_file:
        # Read before the server shares, and moves, the file's position.
        log_offset = log_file.tell()
        process = subprocess.Popen(
            [binaries / "postgres", "-D", place.cluster, *options],
            stdin=subprocess.DEVNULL,
            stdout=log_file,
            stderr=log_file,
            pass_fds=[server_lock],
            start_new_session=True,
            **child_options(account),
        )
        _children.append(process)
        return _Started(process, log_offset)


def _open_log(place: Place) -> IO[bytes]:
    """The server's log, opened at its end; a long one is put aside first."""
    path = place.log_file
    if path.exists() and path.stat().st_size > _LOG_ROTATES_AT_BYTES:
        path.replace(path.with_suffix(".log.1"))
    path.touch(mode=0o600)
    return path.open("ab")


def _last_words(place: Place, offset: int) -> str:
    """Why the server ended: the last FATAL or PANIC line of its log since ``offset``, else its last line."""
    lines = place.log_file.read_bytes()[offset:].decode(errors="replace").splitlines()
    # "the database system is starting up" and its like are answers to our own probes.
    fatal = [
        m[0] for line in lines if (m := re.search(r"(FATAL|PANIC): (?! the database system is).*", line))
    ]
    return " ".join((fatal or [line for line in lines if line.strip()] or ["it says nothing"])[-1].split())


# --------------------------------------------------------------------------------- the server's own processes


def _processes(place: Place) -> dict[int, bytes]:
    """The living processes of the last started server: process id and command line, read from /proc."""
    try:
        name = place.server_lock.read_bytes()
    except FileNotFoundError:
        return {}
    commands = {int(entry.name): _command(int(entry.name)) for entry in Path("/proc").glob("[0-9]*")}
    return {pid: command for pid, command in commands.items() if name and name in command}


def _command(pid: int) -> bytes:
    """The command line of a process; empty for one that is gone or a zombie."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _recorded_pid(place: Place) -> int | None:
    """The process id in postmaster.pid, which may be stale or somebody else's by now."""
    try:
        return int((place.cluster / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def _postmaster(place: Place) -> int | None:
    """The process id of the living postmaster, or None."""
    pid = _recorded_pid(place)
    return pid if pid in _processes(place) else None


def _end_orphans(place: Place, waited: float) -> None:
    """End what a killed postmaster left behind, if it does not leave by itself.

    Such backends hold the old shared memory, and no new server may start beside them. They can be ended
    hard: what they had not committed is void, and recovery follows in any case.
    """
    if waited < _ORPHANS_LEAVE_SECONDS:
        return
    processes = _processes(place)
    # A postmaster keeps its command line; its children show a title.
    if all(command.startswith(b"postgres: ") for command in processes.values()):
        for pid in processes:
            _signal(pid, signal.SIGQUIT if waited < _ORPHANS_KILL_SECONDS else signal.SIGKILL)


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _remove_stale_pid_files(place: Place) -> None:
    """Remove the pid files of a dead server, which PostgreSQL would obey if their process id lives again.

    The server lock is ours, so no server of ours is left; one that somebody started by hand is refused.
    """
    pid = _recorded_pid(place)
    if pid is not None and _serves(pid, place.cluster):
        raise EmbeddedServerError(
            f"a PostgreSQL that GNDP did not start (process {pid}) is using {place.cluster}: stop it first"
        )
    (place.cluster / "postmaster.pid").unlink(missing_ok=True)
    (place.socket_dir / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)


def _serves(pid: int, cluster: Path) -> bool:
    command = _command(pid)
    if b"postgres" not in command:
        return False
    try:
        return os.fsencode(cluster) in command or Path(f"/proc/{pid}/cwd").readlink() == cluster
    except OSError:
        return False
