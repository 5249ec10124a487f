# Shared by scripts/test and scripts/demo: what a bare Debian machine with git and bash lacks, and how a step is run.
# Sourced, not run. Sets `root`, the folder of the project.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

CARGO_TARGET_DIR=$(readlink -m "${CARGO_TARGET_DIR:-$root/target}")
export CARGO_TARGET_DIR
export DEBIAN_FRONTEND=noninteractive
# A Rust by rustup goes before one of the system, which may be too old. Administrators' programs (tcpdump, ip) are not on
# an ordinary user's path.
export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH:/usr/sbin:/sbin"
colour=auto
if [[ ! -t 1 || ! -t 2 ]]; then
    colour=never
fi
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-$colour}

say() {
    printf '%s\n' "$*" >&2
}

die() {
    say "FAILED: $*"
    exit 1
}

# The Rust version that the workspace asks for.
rust_version() {
    sed -n 's/^rust-version = "\(.*\)"$/\1/p' "$root/Cargo.toml"
}

# package NAME TEST...: installs the Debian package NAME later, unless TEST succeeds.
packages=()
package() {
    local name=$1
    shift
    "$@" >/dev/null 2>&1 || packages+=("$name")
}

# What every build needs: a linker and, to fetch Rust, a download program.
need_compiler() {
    package build-essential command -v cc
    package curl command -v curl
    package ca-certificates test -s /etc/ssl/certs/ca-certificates.crt
}

# What the program needs: the vault's cipher comes from the system's libcrypto.
need_libraries() {
    package pkg-config command -v pkg-config
    package libssl-dev test -e /usr/include/openssl/evp.h
}

# What the live tests look through, captured packets and network interfaces, what sets a program's clock wrong, and what
# speaks to nodes as a script would.
need_network_tools() {
    package tcpdump command -v tcpdump
    package iproute2 command -v ip
    package faketime command -v faketime
    package python3 command -v python3
}

# What the page is tried out with.
need_browser() {
    package chromium command -v chromium
    package nodejs command -v node
    package npm command -v npm
}

# Installs what drives the browser, and the rules of accessibility, beside the build. The pinned versions: later ones may
# judge otherwise. Without them the page is not tested, and the test says so.
install_page_tools() {
    local folder=$CARGO_TARGET_DIR/playwright wanted="playwright-core@1.65.1 axe-core@4.14.1"
    [[ $(cat "$folder/installed" 2>/dev/null) == "$wanted" ]] && return 0
    mkdir -p "$folder"
    # shellcheck disable=SC2086 # several packages
    if npm install --prefix "$folder" --ignore-scripts --no-audit --no-fund --loglevel=error $wanted >&2; then
        printf '%s' "$wanted" >"$folder/installed"
    else
        say "npm could not install $wanted: the page is not tested in a browser"
    fi
}

# Megabytes that are free where this path is or would be.
free_megabytes() {
    local folder=$1
    while [[ ! -e $folder ]]; do
        folder=$(dirname "$folder")
    done
    df -Pm "$folder" | awk 'NR == 2 { print $4 }'
}

# Whether programs in this folder can be started: some systems forbid it where files are in memory.
runs_programs() {
    local program works=1
    program=$(mktemp -p "$1" 2>/dev/null) || return 1
    printf '#!/bin/sh\n' >"$program" && chmod +x "$program" && "$program" 2>/dev/null && works=0
    rm -f "$program"
    return $works
}

# need_room MEGABYTES: a build that needs so much goes to memory where the disk is too full and memory is not. A disk that
# fills up half-way ends it with somebody else's message.
need_room() {
    local wanted=$1 there=0 free memory shared=/dev/shm
    [[ ! -d $CARGO_TARGET_DIR ]] || there=$(du -sm "$CARGO_TARGET_DIR" | cut -f 1)
    free=$(free_megabytes "$CARGO_TARGET_DIR")
    ((free + there < wanted)) || return 0
    memory=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)
    if runs_programs "$shared" && (($(free_megabytes "$shared") >= wanted && memory >= wanted + 6000)); then
        say "the disk has $free MB left for a build of $wanted MB: building in memory, under $shared"
        CARGO_TARGET_DIR=$shared/commonhold-build-$EUID
        export TMPDIR=$CARGO_TARGET_DIR/tmp
        mkdir -p "$TMPDIR"
    else
        say "the disk has $free MB left for a build of $wanted MB. Free some, or name a folder with more: CARGO_TARGET_DIR=FOLDER"
    fi
}

# Installs the packages that were found missing, if any.
install_packages() {
    ((${#packages[@]})) || return 0
    local missing="${packages[*]}" as_root=()
    command -v apt-get >/dev/null || die "missing: $missing. Install them with your system's package manager, then try again."
    if ((EUID != 0)); then
        command -v sudo >/dev/null || die "missing: $missing. Run as root: apt-get install $missing"
        as_root=(sudo DEBIAN_FRONTEND=noninteractive)
    fi
    say "installing by apt-get: $missing"
    # Without fresh package lists the old ones may still do, so only a failing install is fatal.
    "${as_root[@]}" apt-get -qq update >/dev/null || say "package lists could not be refreshed, going on with the old ones"
    "${as_root[@]}" apt-get -qq -y -o DPkg::Lock::Timeout=120 install --no-install-recommends "${packages[@]}" >/dev/null ||
        die "apt-get could not install: $missing. Read its message above, install them by hand, then try again."
}

rust_is_recent() {
    local found oldest
    found=$(cd "$root" && cargo --version 2>/dev/null) || return 1
    found=${found#cargo }
    oldest=$(printf '%s\n' "$(rust_version)" "${found%% *}" | sort -V | head -n 1)
    [[ $oldest == "$(rust_version)" ]]
}

# Installs Rust by rustup where `cargo` is missing or too old. A network that is closed to the outside cannot try this
# out: there, Rust has to be installed beforehand, and this function does nothing.
install_rust() {
    rust_is_recent && return 0
    local version
    version=$(rust_version)
    say "installing Rust $version by rustup, into ${CARGO_HOME:-$HOME/.cargo}"
    if command -v rustup >/dev/null; then
        rustup toolchain install "$version" --profile minimal --component rustfmt,clippy >&2 ||
            die "rustup could not install Rust $version. Connect to the internet, then try again."
        export RUSTUP_TOOLCHAIN=$version
    else
        curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs |
            RUSTUP_INIT_SKIP_PATH_CHECK=yes sh -s -- -y --no-modify-path --profile minimal \
                --component rustfmt,clippy --default-toolchain "$version" >&2 ||
            die "Rust could not be downloaded. Install Rust $version or later from https://rustup.rs, then try again."
    fi
    rust_is_recent || die "cargo is still older than $version. Install Rust from https://rustup.rs, then try again."
}

# step NAME ADVICE COMMAND...: runs one step and prints its seconds. On failure prints ADVICE and ends the script.
steps=0
step() {
    local name=$1 advice=$2 started=$SECONDS
    shift 2
    say "==> $name"
    "$@" || die "$name, after $((SECONDS - started)) s. $advice"
    say "    $name: $((SECONDS - started)) s"
    steps=$((steps + 1))
}
