#!/bin/bash
# SPDX-License-Identifier: MIT
# copy-sources.sh DIR: the files of this tree that git knows, or all but build/ without git.
set -euo pipefail
top=$(dirname "$(dirname "$(readlink -f "$0")")")
mkdir -p "$1"
cd "$top"
if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    git ls-files -z --cached --others --exclude-standard
else
    find . -path ./build -prune -o \( -type f -o -type l \) -print0
fi | tar -c --null --ignore-failed-read -T - | tar -x -C "$1"
