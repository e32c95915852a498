"""What the private PostGIS promises: made once, shared by all, stopped by the last, and none the worse for a kill."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from core.errors import ChengtuError
from core.language import Text
from core.settings import ROOT
from server.cluster import running
from server.cluster_home import ClusterError, ClusterOfAnotherUser, ClusterOfAnotherVersion

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has the accounts that this needs")

USER_SCRIPT = """
import sys
from pathlib import Path
import psycopg
from server.cluster import running
with running(Path(sys.argv[1])) as dsn:
    with psycopg.connect(dsn) as connection:
        print(connection.execute("select pg_postmaster_start_time()").fetchone()[0], flush=True)
    sys.stdin.read()
"""


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder right below /tmp that any account may enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="chengtu-test-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """One cluster for all tests that leave it as they found it."""
    with open_folder() as folder:
        yield folder / "postgres"


@pytest.fixture
def empty_home() -> Iterator[Path]:
    with open_folder() as folder:
        yield folder / "postgres"


def another_process(home: Path) -> subprocess.Popen[str]:
    """Another user of the cluster, in its own process group; closing its input makes it leave."""
    return subprocess.Popen(
        [sys.executable, "-c", USER_SCRIPT, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
    )


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def ask(dsn: str, question: str, **parts: str) -> object:
    """One value from the database."""
    with psycopg.connect(make_conninfo(dsn, **parts)) as connection:
        row = connection.execute(question.encode()).fetchone()
    return row and row[0]


def postmaster(home: Path) -> int:
    return int((home / "data" / "postmaster.pid").read_text().split()[0])


def is_running(home: Path) -> bool:
    """Whether any process of the server is left; the dead that nobody buried do not count."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cwd").resolve() == (home / "data").resolve():
                return True
    return False


def test_first_use_makes_a_database_with_postgis_that_chengtu_owns(home: Path) -> None:
    with running(home) as dsn:
        assert str(ask(dsn, "select postgis_lib_version()")).startswith("3.")
        assert ask(dsn, "select extname from pg_extension where extname = 'pg_trgm'") == "pg_trgm"
        owner = "select pg_get_userbyid(datdba) from pg_database where datname = current_database()"
        assert ask(dsn, owner) == ask(dsn, "select current_user") == "chengtu"


def test_it_listens_on_nothing_but_a_socket_in_a_closed_folder(home: Path) -> None:
    with running(home) as dsn:
        assert ask(dsn, "show listen_addresses") == ""
        folder = Path(str(conninfo_to_dict(dsn)["host"]))
        assert folder.stat().st_mode & 0o077 == 0


def test_no_committed_row_is_at_risk(home: Path) -> None:
    with running(home) as dsn:
        settings = {name: ask(dsn, f"show {name}") for name in ("fsync", "synchronous_commit", "data_checksums")}
    assert settings == {"fsync": "on", "synchronous_commit": "on", "data_checksums": "on"}


def test_text_sorts_by_code_point_and_chinese_letters_are_letters(home: Path) -> None:
    with running(home) as dsn:
        assert ask(dsn, "select '吉林市' ~ '^[[:alpha:]]+$' and lower('ÄΩ') = 'äω' and 'Z' < 'a'") is True
        assert ask(dsn, "select similarity('松花江', '松花江路') > 0.3") is True
        by_sound = "select string_agg(x, '' order by x collate \"zh-x-icu\") from unnest('{中,安,北}'::text[]) x"
        assert ask(dsn, by_sound) == "安北中"


def test_the_server_runs_unprivileged_and_out_of_reach_of_the_terminal(home: Path) -> None:
    with running(home):
        server = postmaster(home)
        assert Path(f"/proc/{server}").stat().st_uid != 0
        assert os.getsid(server) != os.getsid(0)


def test_only_making_it_is_worth_a_word(empty_home: Path) -> None:
    said: list[Text] = []
    for _ in range(2):
        with running(empty_home, said.append):
            pass
    assert len(said) == 1
    assert str(empty_home) in said[0].en
    assert str(empty_home) in said[0].zh


def test_the_last_user_stops_it(home: Path) -> None:
    with running(home) as outer:
        with running(home) as inner:
            assert inner == outer
        assert ask(outer, "select 1") == 1
    assert not is_running(home)


def test_a_user_who_fails_leaves_like_any_other(home: Path) -> None:
    with pytest.raises(ZeroDivisionError), running(home):
        raise ZeroDivisionError
    assert not is_running(home)


def test_two_that_start_at_once_share_one_server(empty_home: Path) -> None:
    both = [another_process(empty_home) for _ in range(2)]
    started = {first_line(process) for process in both}
    for process in both:
        process.communicate(timeout=60)
    assert len(started) == 1
    assert started != {""}
    assert not is_running(empty_home)


def test_ctrl_c_reaches_the_user_and_the_server_stops_in_order(home: Path) -> None:
    process = another_process(home)
    first_line(process)
    with psycopg.connect(f"host={home}/run user=chengtu dbname=chengtu") as connection:
        connection.execute("create table if not exists kept (n int)")
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert not is_running(home)
    assert "shut down" in control_data(home)["Database cluster state"]


def control_data(home: Path) -> dict[str, str]:
    """What the cluster says of itself when it is down."""
    (tool,) = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_controldata"))[-1:]
    answer = subprocess.run([tool, home / "data"], env={"LC_ALL": "C"}, capture_output=True, text=True, check=True)
    return {key: value.strip() for key, _, value in (line.partition(":") for line in answer.stdout.splitlines())}


def test_after_kill_9_of_a_user_the_next_one_takes_over_and_stops_it(home: Path) -> None:
    process = another_process(home)
    started = first_line(process)
    process.kill()
    process.communicate()
    assert is_running(home)
    with running(home) as dsn:
        assert f"{ask(dsn, 'select pg_postmaster_start_time()')}\n" == started
    assert not is_running(home)


def test_after_kill_9_of_the_server_the_next_user_finds_all_that_was_committed(home: Path) -> None:
    with running(home) as dsn:
        with psycopg.connect(dsn) as connection:
            connection.execute("drop table if exists kept")
            connection.execute("create table kept as select generate_series(1, 1000) as n")
        os.kill(postmaster(home), signal.SIGKILL)
        with running(home) as again:
            assert ask(again, "select count(*) from kept") == 1000
    assert not is_running(home)


def test_a_pid_file_that_names_somebody_elses_process_is_stale(home: Path) -> None:
    with running(home):
        pass
    for left in (home / "data" / "postmaster.pid", home / "run" / ".s.PGSQL.5432.lock"):
        left.write_text(f"{os.getpid()}\n{home}/data\n")
    with running(home) as dsn:
        assert ask(dsn, "select 1") == 1


def test_a_making_that_was_killed_is_begun_anew_and_leaves_nothing(empty_home: Path) -> None:
    process = another_process(empty_home)
    deadline = time.monotonic() + 60
    while not list(empty_home.glob("new-*")) and time.monotonic() < deadline:
        time.sleep(0.005)
    process.kill()
    process.communicate()
    for _ in range(2):
        with running(empty_home) as dsn:
            assert ask(dsn, "select 1") == 1
    assert {path.name for path in empty_home.iterdir()} == {"data", "lock", "log", "postgresql.conf", "run", "users"}


def test_a_database_that_was_dropped_is_made_again(home: Path) -> None:
    with running(home) as dsn:
        with psycopg.connect(make_conninfo(dsn, dbname="postgres", user="postgres"), autocommit=True) as connection:
            connection.execute("drop database chengtu with (force)")
        with running(home) as again:
            assert str(ask(again, "select postgis_lib_version()")).startswith("3.")


@pytest.mark.parametrize("name", ["x" * 100, "a,b", "城 图's"], ids=["long", "comma", "quote"])
def test_any_folder_will_do_and_the_socket_finds_a_place(empty_home: Path, name: str) -> None:
    with running(empty_home.parent / name / "postgres") as dsn:
        assert ask(dsn, "select 1") == 1
        host = Path(str(conninfo_to_dict(dsn)["host"]))
    assert host.is_relative_to(empty_home.parent) or not host.exists()


@as_root
def test_where_the_account_may_not_go_a_link_leads_to_the_data(empty_home: Path) -> None:
    empty_home.parent.chmod(0o700)
    said: list[Text] = []
    try:
        with running(empty_home, said.append) as dsn:
            assert ask(dsn, "select 1") == 1
        assert empty_home.is_symlink()
        assert all(str(empty_home.resolve()) in text for text in said[0])
        with running(empty_home, said.append) as again:
            assert again == dsn
        assert len(said) == 2
    finally:
        shutil.rmtree(empty_home.resolve())


@as_root
def test_another_users_cluster_is_refused_by_its_owners_name(home: Path) -> None:
    with running(home):
        pass
    os.seteuid(65534)
    try:
        with pytest.raises(ClusterOfAnotherUser) as refusal, running(home):
            pass
    finally:
        os.seteuid(0)
    assert refusal.value.facts["owner"] == "root"


def test_data_of_another_major_version_are_refused_with_the_command_to_run(empty_home: Path) -> None:
    (empty_home / "data").mkdir(parents=True)
    (empty_home / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(ClusterOfAnotherVersion) as refusal, running(empty_home):
        pass
    assert all("apt-get install postgresql-9-postgis-3" in text for text in refusal.value.text)


def test_a_server_that_does_not_start_is_quoted(home: Path) -> None:
    with running(home):
        pass
    own = home / "data" / "postgresql.auto.conf"
    good = own.read_text()
    own.write_text(f"{good}work_mem = plenty\n")
    try:
        with pytest.raises(ClusterError) as failure, running(home):
            pass
    finally:
        own.write_text(good)
    assert "postgresql.auto.conf" in str(failure.value.facts["reason"])
    assert isinstance(failure.value, ChengtuError)
    assert not is_running(home)


@as_root
def test_a_full_disk_is_called_a_full_disk(empty_home: Path) -> None:
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=50m", "none", empty_home.parent], check=False)
    if mounted.returncode:
        pytest.skip("this root may not mount")
    try:
        with pytest.raises(ClusterError) as failure, running(empty_home):
            pass
    finally:
        subprocess.run(["umount", empty_home.parent], check=True)
    assert type(failure.value).__name__ == "DiskFull"
