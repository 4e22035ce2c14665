#!/bin/bash
# SPDX-License-Identifier: MIT
# Writes the tarball of this commit to build/release, and says how to tag it.
set -euo pipefail
top=$(dirname "$(dirname "$(readlink -f "$0")")")
# shellcheck source=common.sh
. "$top/tools/common.sh"
cd "$top"
version=$(tools/version.sh)
name=aclkm-$version
git rev-parse --verify HEAD >/dev/null 2>&1 || die 'a release is made from a git tree'
[[ -z $(git status --porcelain) ]] || die 'there are changes that are not committed: git status shows them'
grep -q "^## $version\$" CHANGELOG.md || die "CHANGELOG.md has no section \"## $version\""
if git rev-parse -q --verify "refs/tags/v$version" >/dev/null; then
    [[ $(git rev-parse "v$version^{commit}") == $(git rev-parse HEAD) ]] ||
        die "the tag v$version is another commit: raise the version in include/aclkm/version.h"
fi
mkdir -p build/release
# The same commit gives the same bytes.
git archive --format=tar --prefix="$name/" HEAD | gzip -9n >"build/release/$name.tar.gz"
(cd build/release && sha256sum "$name.tar.gz" | tee "$name.tar.gz.sha256")
cat <<END
build/release/$name.tar.gz is written. When "make test" and "make lint" have passed:

    git tag -s v$version -m "aclkm $version"
    git push origin v$version
END
