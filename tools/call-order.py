#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Calls go down only: reads the symbols of built objects, and refuses each one that an object
takes from its own row of the list, or from a row above it.

    call-order.py TEXT OBJECT...

The list stands in TEXT behind a line that ends in "Calls go down this list:", one row a
line: names of objects without .o, with commas between them, then a tab and a few words. An empty line ends it.
Names in one row do not use each other.
"""

import subprocess
import sys
from pathlib import Path


def read_rows(path):
    """{name: number of its row}"""
    rows, inside, number = {}, False, 0
    for line in Path(path).read_text().splitlines():
        text = line.strip().lstrip("*#/").strip()
        if text.endswith("Calls go down this list:"):
            inside = True
        elif inside and text:
            number += 1
            for name in text.split("\t")[0].split(","):
                rows[name.strip()] = number
        elif inside and rows:
            break
    if not rows:
        sys.exit(f"call-order: {path} has no line \"Calls go down this list:\" with rows behind it")
    return rows


def symbols(path):
    """What an object defines for others, and what it takes from others."""
    defined, taken = set(), set()
    out = subprocess.run(["nm", "-P", path], check=True, stdout=subprocess.PIPE, text=True).stdout
    for line in out.splitlines():
        name, kind = line.split()[:2]
        if kind in "Uvw":
            taken.add(name)
        elif kind.isupper():
            defined.add(name)
    return defined, taken


def main(words):
    if len(words) < 2:
        sys.exit(__doc__.strip())
    rows = read_rows(words[0])
    owner, takes, trouble = {}, {}, []
    for path in map(Path, words[1:]):
        name = path.stem
        if name not in rows:
            trouble.append(f"{name} is in no row of {words[0]}")
            continue
        defined, taken = symbols(path)
        owner.update(dict.fromkeys(defined, name))
        takes.setdefault(name, set()).update(taken)
    for name, taken in sorted(takes.items()):
        for symbol in sorted(taken & owner.keys()):
            other = owner[symbol]
            if other != name and rows[other] <= rows[name]:
                trouble.append(f"{name} takes {symbol} from {other}, which is not below it")
    if trouble:
        sys.exit("\n".join(trouble))
    print(f"{len(takes)} names in {len(set(rows.values()))} rows, each call goes down")


main(sys.argv[1:])
