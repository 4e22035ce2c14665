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
newest() { find "$1" -maxdepth 1 -type d -name "$2-*" -print | sort -V | tail -n 1; }

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

apt_update() {
    say "updating the package lists"
    as_root apt-get -qq update >&2
}

# apt_download PACKAGE...: the .debs into the current folder. Lists that are
# missing or stale are updated once. apt's own user may not write here.
apt_download() {
    local out
    local -a get=(apt-get -qq -o APT::Sandbox::User=root download "$@")
    if ! out=$("${get[@]}" 2>&1); then
        apt_update
        out=$("${get[@]}" 2>&1) || die "apt-get download failed: $out"
    fi
}
