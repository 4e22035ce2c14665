#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Proves that calls go down the layers of a C tree, and that no files form a cycle.

    tools/layers.py --layers lib/layers --sources lib --objects build/lib/obj

The file of layers has a line for each layer, from the top down: shell patterns of the
names of files, without their suffix and relative to --sources ("exec/*", "main pci").
A name, NAME.c with NAME.h, is one node of two graphs:

    symbols   who uses a symbol that another object defines (nm of NAME.o)
    includes  who includes NAME.h

An edge to a higher layer fails, and so does a cycle in one of the graphs. A file that no
layer names fails as well. With --rooms a file of another layer may only include the
layer's own header, LAYER/LAYER.h. There is no list of exceptions.
"""

import argparse
import fnmatch
import pathlib
import re
import subprocess
import sys


def read_layers(path):
    lines = (line.split("#")[0].split() for line in path.read_text().splitlines())
    return [patterns for patterns in lines if patterns]


def layer_of(name, layers):
    for number, patterns in enumerate(layers):
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns):
            return number
    return None


def read_symbols(objects, names):
    """{name: {other name: a symbol of it that name uses}}"""
    defines, uses = {}, {}
    for name in names:
        file = objects / f"{name}.o"
        if not file.exists():
            continue
        lines = subprocess.run(["nm", file], check=True, capture_output=True, text=True).stdout
        for line in lines.splitlines():
            kind, symbol = line.split()[-2:]
            if kind in "Uwv":
                uses.setdefault(name, set()).add(symbol)
            elif kind.isupper():
                defines[symbol] = name
    if not defines:
        sys.exit(f"{objects}: no objects of these sources")
    graph = {}
    for name, symbols in uses.items():
        for symbol in sorted(symbols):
            other = defines.get(symbol, name)
            if other != name:
                graph.setdefault(name, {}).setdefault(other, symbol)
    return graph


def read_includes(sources, names, rooms):
    """{name: {other name: the line}}, and what includes past a room's header."""
    graph, wrong = {}, []
    for name in names:
        for suffix in (".c", ".h"):
            file = sources / (name + suffix)
            if not file.exists():
                continue
            for header in re.findall(r'^#\s*include "([^"]+)\.h"', file.read_text(), re.M):
                if header not in names:
                    header = f"{name.rpartition('/')[0]}/{header}".lstrip("/")
                if header not in names or header == name:
                    continue
                graph.setdefault(name, {}).setdefault(header, f"{name}{suffix}: {header}.h")
                room = header.split("/")[0]
                if rooms and room != name.split("/")[0] and header != f"{room}/{room}":
                    wrong.append(f"{name}{suffix} includes {header}.h: include {room}/{room}.h")
    return graph, wrong


def find_cycle(graph):
    """The names of one cycle, the first again at the end; None: there is none."""
    done = set()
    for start in sorted(graph):
        path, trail = [start], [iter(sorted(graph[start]))]
        while path and start not in done:
            following = next(trail[-1], None)
            if following is None:
                done.add(path.pop())
                trail.pop()
            elif following in path:
                return path[path.index(following):] + [following]
            elif following not in done:
                path.append(following)
                trail.append(iter(sorted(graph.get(following, ()))))
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layers", type=pathlib.Path, required=True)
    parser.add_argument("--sources", type=pathlib.Path, required=True)
    parser.add_argument("--objects", type=pathlib.Path, required=True)
    parser.add_argument("--rooms", action="store_true")
    options = parser.parse_args()

    layers = read_layers(options.layers)
    files = [file.relative_to(options.sources) for file in options.sources.rglob("*.[ch]")]
    names = {str(file.with_suffix("")) for file in files}
    level = {name: layer_of(name, layers) for name in names}
    wrong = [f"{name}: in no layer of {options.layers}" for name in names if level[name] is None]
    names -= {name for name in names if level[name] is None}

    includes, past = read_includes(options.sources, names, options.rooms)
    wrong += past
    for kind, graph in (("uses", read_symbols(options.objects, names)), ("includes", includes)):
        for name, others in graph.items():
            for other, what in others.items():
                if level[other] < level[name]:
                    wrong.append(f"{name} {kind} {other} of a higher layer ({what})")
        cycle = find_cycle(graph)
        if cycle:
            wrong.append(f"cycle ({kind}): {' -> '.join(cycle)}")
    for line in sorted(wrong):
        print(line)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
