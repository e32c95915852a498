"""Where the private cluster lives, which of the installed PostgreSQL runs it, and as whom."""

import hashlib
import os
import pwd
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from psycopg.conninfo import make_conninfo

from core.errors import ChengtuError
from core.language import Text

SERVERS = Path("/usr/lib/postgresql")  # Debian's place: one folder a major version
EXTENSIONS = Path("/usr/share/postgresql")
ELSEWHERE = Path("/var/lib/chengtu")
SHORT = Path("/tmp")  # noqa: S108 — a folder of another's in there is refused
SOCKET = ".s.PGSQL.5432"
SOCKET_PATH_LIMIT = 107  # bytes, of Linux's sun_path

Tell = Callable[[Text], None]


class ClusterError(ChengtuError):
    """The private cluster cannot be made, started or reached."""

    en = "The private PostgreSQL in {home} cannot be used: {reason}. Its log is in {home}/log."
    zh = "私有 PostgreSQL({home})无法使用:{reason}。日志在 {home}/log。"
    status = 503
    exit_code = 3


class PostgresNotInstalled(ClusterError):
    """No server with PostGIS on this machine."""

    en = "PostgreSQL with PostGIS is not installed here. Run `apt-get install {package}` as root, or set DATABASE_URL."
    zh = "本机未安装带 PostGIS 的 PostgreSQL。请以 root 执行 `apt-get install {package}`,或设置 DATABASE_URL。"


class ClusterOfAnotherVersion(ClusterError):
    """The data were written by a major version that is not installed (any more)."""

    en = (
        "The private cluster in {home} was made by PostgreSQL {found}, installed is {installed}. Run "
        "`apt-get install postgresql-{found}-postgis-3` as root, or move {home} away and load the data again."
    )
    zh = (
        "私有数据库 {home} 由 PostgreSQL {found} 创建,本机安装的是 {installed}。请以 root 执行 "
        "`apt-get install postgresql-{found}-postgis-3`,或移走 {home} 后重新加载数据。"
    )


class ClusterOfAnotherUser(ClusterError):
    """The cluster, or a folder it needs, belongs to somebody else."""

    en = "{path} belongs to the user {owner}. Run Chengtu as {owner}, or in a folder of your own."
    zh = "{path} 属于用户 {owner}。请以 {owner} 身份运行城图,或换到自己的目录。"


class DiskFull(ClusterError):
    """No room for the cluster."""

    en = "The disk that holds {home} is full ({reason}). Make room there, then try again."
    zh = "{home} 所在磁盘已满({reason})。请先腾出空间再重试。"


class Cluster(NamedTuple):
    """Where the private cluster lives, which binaries run it, and as whom."""

    home: Path
    binaries: Path
    account: pwd.struct_passwd
    socket: Path  # a directory

    @property
    def data(self) -> Path:
        return self.home / "data"

    def run(self, tool: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's programs as the account, and hold its words back."""
        return _run(self.account, str(self.binaries / tool), *arguments)

    def dsn(self, *, database: str = "chengtu", user: str = "chengtu") -> str:
        """A libpq connection string; `postgres` is the superuser."""
        return make_conninfo(host=str(self.socket), port=5432, dbname=database, user=user)


def find(directory: Path, tell: Tell) -> Cluster:
    """Decide where the cluster of `directory` lives (and make that folder), who runs it and with which binaries."""
    try:
        account = _account(directory / "data")
        home = _home(directory, account, tell)
        return Cluster(home, _binaries(home), account, _socket(home, account))
    except PermissionError as error:
        raise another_users(directory) from error


def _account(data: Path) -> pwd.struct_passwd:
    """Who runs the server: the owner of the data, else ourselves, or Debian's `postgres` if we are root."""
    try:
        if data.exists():
            return pwd.getpwuid(data.stat().st_uid)
        return pwd.getpwuid(os.geteuid()) if os.geteuid() else pwd.getpwnam("postgres")
    except KeyError as error:
        raise PostgresNotInstalled(package="postgresql-postgis") from error


def _home(directory: Path, account: pwd.struct_passwd, tell: Tell) -> Path:
    """The cluster's real folder: `directory`, or what it links to, made if need be."""
    if directory.is_symlink() and not directory.exists():
        directory.unlink()
    if not directory.exists():
        directory.parent.mkdir(parents=True, exist_ok=True)
        if _may_enter(directory.parent, account):
            directory.mkdir(exist_ok=True)
            directory.chmod(0o755)
        else:
            _link_elsewhere(directory)
            tell(_moved_text(directory, account.pw_name))
    return directory.resolve()


def _may_enter(folder: Path, account: pwd.struct_passwd) -> bool:
    """Whether the account may pass through all folders on the way, which it may not below /root."""
    return _run(account, "/usr/bin/test", "-x", str(folder)).returncode == 0


def _link_elsewhere(directory: Path) -> None:
    """Make a folder that the account can reach; the link ties it to this checkout, and to no later one here."""
    ELSEWHERE.mkdir(exist_ok=True)
    ELSEWHERE.chmod(0o755)
    home = Path(tempfile.mkdtemp(prefix=f"{_digest(directory)}-", dir=ELSEWHERE))
    home.chmod(0o755)
    try:
        directory.symlink_to(home)
    except FileExistsError:  # another process was quicker
        home.rmdir()


def _moved_text(directory: Path, account: str) -> Text:
    home = directory.resolve()
    return Text(
        en=f"The user {account} may not enter {directory.parent}: the private PostgreSQL lives in {home}.",
        zh=f"用户 {account} 无权进入 {directory.parent},私有 PostgreSQL 改放在 {home}。",
    )


def _installed() -> dict[str, Path]:
    """The binaries of each installed major version that has PostGIS, newest first."""
    found = sorted(SERVERS.glob("*/bin/postgres"), key=lambda path: float(path.parts[-3]), reverse=True)
    return {
        path.parts[-3]: path.parent
        for path in found
        if (EXTENSIONS / path.parts[-3] / "extension" / "postgis.control").exists()
    }


def _binaries(home: Path) -> Path:
    """The binaries that fit the data, or the newest ones for a cluster to come."""
    installed = _installed()
    written = home / "data" / "PG_VERSION"
    if written.exists():
        found = written.read_text("ascii").strip()
        if found not in installed:
            raise ClusterOfAnotherVersion(home=home, found=found, installed=", ".join(installed) or "-")
        return installed[found]
    if not installed:
        bare = sorted(path.parts[-3] for path in SERVERS.glob("*/bin/postgres"))
        package = f"postgresql-{bare[-1]}-postgis-3" if bare else "postgresql-postgis"
        raise PostgresNotInstalled(package=package)
    return next(iter(installed.values()))


def _socket(home: Path, account: pwd.struct_passwd) -> Path:
    """A folder for the socket that its address can name: libpq splits at commas, the kernel stops at 107 bytes."""
    folder = home / "run"
    if len(os.fsencode(folder / SOCKET)) > SOCKET_PATH_LIMIT or set(str(folder)) & set(',"'):
        folder = SHORT / f"chengtu-{account.pw_uid}-{_digest(home)}"
    return folder


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]


def private_folder(folder: Path, account: pwd.struct_passwd) -> None:
    """Make a folder that only the account (and root) may enter; somebody else's folder of that name is refused."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    owner = folder.lstat().st_uid
    if owner not in (account.pw_uid, os.geteuid()):
        raise another_users(folder)
    if owner != account.pw_uid:
        os.chown(folder, account.pw_uid, account.pw_gid, follow_symlinks=False)


def another_users(path: Path) -> ClusterOfAnotherUser:
    """The error that names the owner of a path that we may not use, or of the nearest folder that we may look at."""
    for place in (path, *path.parents):
        with suppress(OSError, KeyError):
            return ClusterOfAnotherUser(path=place, owner=place.owner())
    return ClusterOfAnotherUser(path=path, owner="?")


def _run(account: pwd.struct_passwd, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a program as the account, in a session of its own: the terminal's Ctrl-C is not for the server."""
    root = os.geteuid() == 0
    return subprocess.run(  # noqa: S603 — our own paths, no shell
        command,
        user=account.pw_uid if root else None,
        group=account.pw_gid if root else None,
        extra_groups=[] if root else None,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        cwd="/",
        umask=0o077,
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
