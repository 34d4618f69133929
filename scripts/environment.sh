# Sourced by demo, test and run: makes .environment/ where it is missing or outdated, and enters it.
#
#   venv/                  Python packages; where a ROS distribution is sourced it sees the system's
#   build/ install/ log/   colcon's
#   activate.sh            source it to work in the environment by hand
#
# Every step removes its stamp first and writes it last, so that nothing unfinished is trusted.
# shellcheck shell=bash

set -euo pipefail

trap 'exit 130' INT

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
scripts=$root/scripts
environment=$root/.environment
venv=$environment/venv

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "$*"
    exit 1
}

base_python=$(command -v "${PYTHON:-python3}") || fail "${PYTHON:-python3} is missing: please install it."
# In a shell that is in the environment already, it is the Python that the environment was made with.
[[ $base_python != "$venv"/* ]] || base_python=$(readlink -f "$base_python")

# enter_environment [test]: install and build what is missing, then set the variables of this shell.
enter_environment() {
    local groups=(runtime "$@")
    has_distribution || groups=(wheels "${groups[@]}")
    if ! is_installed "${groups[@]}" || ! is_built; then
        lock
        is_installed "${groups[@]}" || install "${groups[@]}"
        is_built || build
        unlock
    fi
    activate
}

has_distribution() { [[ -n ${ROS_DISTRO:-} && -n ${AMENT_PREFIX_PATH:-} ]]; }

# Two set-ups at once would write the same files.
lock() {
    mkdir -p "$environment"
    command -v flock >/dev/null || return 0
    exec 9>"$environment/lock"
    flock --nonblock 9 && return
    say 'Waiting for another set-up to finish ...'
    flock 9
}

# What runs afterwards, maybe for hours, must not inherit the lock.
unlock() { exec 9>&-; }

# quietly LOG COMMAND...: show the output only if the command fails.
quietly() {
    local log=$environment/$1
    shift
    "$@" >"$log" 2>&1 </dev/null && return
    tail -n 20 "$log" >&2
    fail "That failed; its whole output is in $log."
}

# shellcheck disable=SC1091  # generated
activate() {
    set +u  # the scripts of colcon read variables that are not set
    source "$environment/activate.sh"
    set -u
}

# --- Python packages ---

# is_installed GROUP...: whether what the groups' files in requirements/ ask for is there.
is_installed() {
    local group
    [[ ! -e $venv/incomplete && $(cat "$venv/identity" 2>/dev/null) == "$(identity)" ]] || return 1
    for group in "$@"; do
        [[ $(cat "$venv/installed-$group" 2>/dev/null) == "$(group_hash "$group")" ]] || return 1
    done
}

# A virtual environment serves one folder, one ROS distribution or none, and one Python.
identity() {
    printf '%s\n' "$root" "${ROS_DISTRO:-}"
    "$base_python" -c 'import sys; print(sys.base_prefix, sys.version)'
}

group_hash() { cat "$scripts/requirements/$1.txt" "$scripts/relocate_wheels.py" | sha256sum; }

install() {
    local group files=()
    if [[ -e $venv/incomplete || $(cat "$venv/identity" 2>/dev/null) != "$(identity)" ]]; then
        create_venv
    fi
    say 'Installing Python packages (a few minutes the first time) ...'
    for group in "$@"; do
        files+=(--requirement "$scripts/requirements/$group.txt")
    done
    touch "$venv/incomplete"
    quietly pip.log "$venv/bin/python" -m pip install --no-input --disable-pip-version-check \
        "${files[@]}"
    has_distribution || "$venv/bin/python" "$scripts/relocate_wheels.py"
    for group in "$@"; do
        group_hash "$group" >"$venv/installed-$group"
    done
    rm "$venv/incomplete"
}

create_venv() {
    local options=()
    if has_distribution; then
        options=(--system-site-packages)
        check_distribution
    else
        check_machine
    fi
    say "Creating the environment in $environment ..."
    rm -rf "$venv" "$environment/built"
    "$base_python" -m venv "${options[@]}" "$venv"
    touch "$venv/incomplete"
    identity >"$venv/identity"
    write_activate >"$environment/activate.sh"
}

check_machine() {
    local version missing=()
    version=$("$base_python" -c 'import sys; print(sys.implementation.name, "%d.%d" % sys.version_info[:2])')
    [[ "$version $(uname -sm)" =~ ^cpython\ 3\.1[0-3]\ Linux\ x86_64$ ]] || fail \
        "Without a ROS distribution, CPython 3.10 to 3.13 on Linux x86_64 is needed, and this is" \
        "$version on $(uname -sm): source a distribution, or name another Python with PYTHON=python3.12."
    python_has 'import venv, ensurepip' || missing+=("python${version#* }-venv")
    python_has 'import sysconfig; open(sysconfig.get_path("include") + "/Python.h")' ||
        missing+=("python${version#* }-dev")
    for tool in g++ make; do
        command -v "$tool" >/dev/null || missing+=("$tool")
    done
    ask_for "${missing[@]}"
}

check_distribution() {
    local name missing=()
    python_has 'import venv, ensurepip' || missing+=(python3-venv)
    python_has 'import colcon_core' || missing+=(python3-colcon-common-extensions)
    python_has 'import cv2' || missing+=(python3-opencv)
    # Without event_camera_msgs everything works but the nodes for events, which ask for it.
    for name in rclpy vision_msgs; do
        python_has "import $name" || missing+=("ros-$ROS_DISTRO-${name//_/-}")
    done
    ask_for "${missing[@]}"
}

python_has() { "$base_python" -c "$1" 2>/dev/null; }

ask_for() {
    (($# == 0)) || fail "Please install $* first (Debian, Ubuntu: sudo apt install $*)."
}

write_activate() {
    cat <<EOF
# Written by scripts/environment.sh; source it in bash to work in the environment by hand.
source '$venv/bin/activate'
EOF
    has_distribution || cat <<EOF
export AMENT_PREFIX_PATH='$venv'
export CMAKE_PREFIX_PATH='$venv'
export PYTHONNOUSERSITE=1
# Libraries of the ROS wheels; said here, their .pth file need not restart every Python to say it.
export LD_LIBRARY_PATH='$venv/lib'\$(printf ':%s' '$venv'/lib/python3*/site-packages/ros_*.libs)
export _ROS_WHEELS_BOOTSTRAP_COMPLETE=1
EOF
    cat <<EOF
# Talk to no other machine, unless the user says so.
[[ -n \${ROS_LOCALHOST_ONLY:-} ]] || export ROS_AUTOMATIC_DISCOVERY_RANGE=\${ROS_AUTOMATIC_DISCOVERY_RANGE:-LOCALHOST}
[[ ! -f '$environment/install/local_setup.bash' ]] || source '$environment/install/local_setup.bash'
EOF
}

# --- The package and, without a distribution, interfaces/ ---

is_built() { [[ $(cat "$environment/built" 2>/dev/null) == "$(build_hash)" ]]; }

# What a build depends on: the Python files are linked and need none, and of data files only the names count.
build_hash() (
    cd "$root"
    shopt -s globstar nullglob
    {
        cat "$venv/identity" scripts/requirements/wheels.txt
        cat package.xml setup.py setup.cfg snn_perception/__main__.py
        cat interfaces/*/{*.*,msg/*}
        printf '%s\n' {launch,config,models,resource}/**
    } | sha256sum
)

build() (
    local paths=(.) hash
    has_distribution || paths+=(interfaces)
    say 'Building with colcon ...'
    cd "$root"
    hash=$(build_hash)
    [[ -e $environment/built ]] || rm -rf "$environment"/{build,install}
    rm -f "$environment/built"
    activate
    quietly colcon.log colcon --log-base "$environment/log" build --symlink-install \
        --base-paths "${paths[@]}" --build-base "$environment/build" --install-base "$environment/install"
    find "$environment/install" -xtype l -delete  # links to data files that are gone
    say 'Compiling the engine ...'
    activate
    quietly engine.log python -m snn_perception benchmark --warm --backend event
    printf '%s\n' "$hash" >"$environment/built"
)

# The executables name the Python that built them: it must be the one of the virtual environment.
colcon() {
    "$venv/bin/python" -c 'import sys; from colcon_core.command import main; sys.exit(main())' "$@"
}
