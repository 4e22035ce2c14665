# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by the scripts of this tree: messages, colours, the cache's place.

# Debian keeps modprobe, depmod and insmod here, and not on a user's PATH.
PATH=$PATH:/usr/sbin:/sbin

say() { printf '%s\n' "$*" >&2; }

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# Sets the colour variables, empty unless file descriptor $1 is a terminal.
colours() {
    red='' green='' yellow='' bold='' off=''
    if [[ -t $1 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
        red=$'\e[31m' green=$'\e[32m' yellow=$'\e[33m' bold=$'\e[1m' off=$'\e[0m'
    fi
    # Not every script uses every colour.
    : "$red$green$yellow$bold$off"
}

# Bytes as a person reads them.
readable() { numfmt --to=iec-i --suffix=B --format='%.1f' "$1"; }

cache_dir() {
    printf '%s\n' "${ACLKM_CACHE:-${XDG_CACHE_HOME:-${HOME:?HOME is not set}/.cache}/aclkm}"
}

# newest CACHE VERSION: a folder without the temporary prefix is whole, as it came by rename.
newest() { find "$1" -maxdepth 1 -type d -name "$2-[0-9]*" -print | sort -V | tail -n 1; }

# cached CACHE VERSION COMMAND: the newest folder VERSION-* in CACHE; if there is
# none, COMMAND makes it, and others who want it too wait for that.
cached() {
    local dir
    dir=$(newest "$1" "$2")
    if [[ -z $dir ]]; then
        exec 9>"$1/lock"
        flock 9
        dir=$(newest "$1" "$2")
        if [[ -z $dir ]]; then
            # A substitution, which this runs in, forgets -e; a half-made folder must not get its name.
            (
                set -e
                "$3" >&2
            )
            dir=$(newest "$1" "$2")
        fi
        exec 9>&-
    fi
    printf '%s\n' "$dir"
}

need_debian() {
    local tool
    for tool in apt-get apt-cache dpkg dpkg-query dpkg-deb; do
        command -v "$tool" >/dev/null ||
            die "$1 needs a Debian system ($tool is missing); see the README for what to install elsewhere"
    done
}

as_root() {
    if [[ $(id -u) == 0 ]]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "needs root or sudo for: $*"
    fi
}

# More options for apt, such as a suite that the machine does not list.
apt_options=()

apt_update() {
    say "updating the package lists"
    as_root apt-get -qq ${apt_options[@]+"${apt_options[@]}"} update >&2
}

# use_suite SUITE DIR: apt looks into SUITE, from where this machine gets its
# own packages, with lists of its own in DIR; the system's stay as they are.
use_suite() {
    local site
    # shellcheck disable=SC2016 # apt's variable
    site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Component: main' | head -n 1)
    [[ -n $site ]] || die "this machine's apt knows no Debian archive to take $1 from"
    mkdir -p "$2/lists/partial" "$2/cache/archives/partial"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $site $1 main" >"$2/sources.list"
    apt_options=(-o "Dir::Etc::SourceList=$2/sources.list" -o Dir::Etc::SourceParts=-
        -o "Dir::State::Lists=$2/lists" -o "Dir::Cache=$2/cache" -o APT::Sandbox::User=root)
    apt_update
}

# use_architecture ARCH DIR [SUITE]: apt looks for packages of another architecture, in
# SUITE or the suites that this machine gets its own Debian packages from, with lists
# of its own in DIR; the system's stay as they are.
use_architecture() {
    mkdir -p "$2/lists/partial" "$2/cache/archives/partial"
    # shellcheck disable=SC2016 # apt's variables
    apt-get indextargets --format '$(SITE) $(RELEASE) main' 'Created-By: Packages' 'Component: main' 'Origin: Debian' |
        if [[ -n ${3:-} ]]; then awk -v suite="$3" 'NR == 1 { print $1, suite, $3 }'; else sort -u; fi | sed "s,^,deb [arch=$1 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ," >"$2/sources.list"
    [[ -s $2/sources.list ]] || die "this machine's apt knows no Debian archive to take packages of $1 from"
    apt_options=(-o "APT::Architecture=$1" -o "APT::Architectures=$1" -o Dir::State::status=/dev/null
        -o "Dir::Etc::SourceList=$2/sources.list" -o Dir::Etc::SourceParts=-
        -o "Dir::State::Lists=$2/lists" -o "Dir::Cache=$2/cache" -o APT::Sandbox::User=root)
    apt_update
}

# apt_download PACKAGE...: the .debs into the current folder. Lists that are
# missing or stale are updated once. apt's own user may not write here.
apt_download() {
    local out
    local -a get=(apt-get -qq -o APT::Sandbox::User=root ${apt_options[@]+"${apt_options[@]}"} download "$@")
    if ! out=$("${get[@]}" 2>&1); then
        apt_update
        out=$("${get[@]}" 2>&1) || die "apt-get download failed: $out"
    fi
}
