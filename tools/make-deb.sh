#!/bin/bash
# SPDX-License-Identifier: MIT
# Makes the Debian packages of this tree in build/deb, and has lintian look at them.
set -euo pipefail
top=$(dirname "$(dirname "$(readlink -f "$0")")")
# shellcheck source=common.sh
. "$top/tools/common.sh"
unset MAKEFLAGS MFLAGS MAKELEVEL
need_debian 'making packages'
"$top/tools/install-deps.sh" deb
version=$("$top/tools/version.sh")
build=$top/build/deb
source=$build/aclkm-$version
rm -rf "$build"
"$top/tools/copy-sources.sh" "$source"
cp -r "$top/packaging/debian" "$source/debian"
{
    printf 'aclkm (%s) unstable; urgency=medium\n\n  * See CHANGELOG.md.\n\n' "$version"
    printf ' -- %s  %s\n' "$(sed -n 's/^Maintainer: //p' "$source/debian/control")" \
        "$(date -R -d "@$(git -C "$top" log -1 --format=%ct 2>/dev/null || date +%s)")"
} >"$source/debian/changelog"

say "building the packages of aclkm $version (log: build/deb/log)"
(cd "$source" && dpkg-buildpackage -b -us -uc -j"$(nproc)") >"$build/log" 2>&1 || {
    tail -n 30 "$build/log" >&2
    die 'dpkg-buildpackage failed'
}
rm -rf "$source"
cd "$build"
lintian --fail-on error,warning --allow-root ./*.changes || die 'lintian has complaints'
ls "$build"/*.deb
