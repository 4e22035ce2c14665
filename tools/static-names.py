#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fails on a static function whose name two files of a folder have.

    tools/static-names.py lib

A name in a backtrace says where it lives: a static function carries its file's noun.
"""

import pathlib
import re
import sys

FUNCTION = re.compile(r"^static [^;={(]*(?:__attribute__\(\([^;{]*?\)\)[^;={(]*)?\b(\w+)\(", re.M)


def main():
    places = {}
    for file in sorted(pathlib.Path(sys.argv[1]).rglob("*.c")):
        for name in FUNCTION.findall(file.read_text()):
            if name != "__attribute__":
                places.setdefault(name, set()).add(str(file))
    twice = {name: files for name, files in places.items() if len(files) > 1}
    for name, files in sorted(twice.items()):
        print(f"{name}: static in {' and '.join(sorted(files))}")
    return bool(twice)


if __name__ == "__main__":
    sys.exit(main())
