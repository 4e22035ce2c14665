#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""
report.py MODULE LOG...: which of the module's instrumented places the guests of these logs
have reached, all together, as one figure; and the places that none of them reached.

A place is the address behind a call of __sanitizer_cov_trace_pc. Guests report offsets in
the module's text as the kernel has loaded it: its executable sections one behind the
other, without those that are dropped after loading.
"""

import bisect
import collections
import re
import subprocess
import sys

CALLBACK = "__sanitizer_cov_trace_pc"


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.decode()


def text_sections(module):
    """Name and offset of each section in the loaded text, as the kernel's layout_sections() does it."""
    sections, size = {}, 0
    for line in output("readelf", "-SW", module).splitlines():
        found = re.match(r"\s*\[ *\d+\] (\S+) +\S+ +\S+ +\S+ +(\S+) +\S+ +([A-Z]*) +\d+ +\d+ +(\d+)", line)
        if not found or "X" not in found[3] or "A" not in found[3] or found[1].startswith(".init"):
            continue
        align = max(int(found[4]), 1)
        start = (size + align - 1) // align * align
        sections[found[1]] = start
        size = start + int(found[2], 16)
    return sections


def instrumented(module, sections):
    """Offset in the loaded text of each place, with its section and its offset there."""
    places, section = {}, None
    for line in output("objdump", "-r", module).splitlines():
        found = re.match(r"RELOCATION RECORDS FOR \[(.*)\]:", line)
        if found:
            section = found[1]
        elif section in sections and CALLBACK in line:
            at = int(line.split()[0], 16) + 4
            places[sections[section] + at] = (section, at)
    return places


def reached(logs):
    """Offsets that the guests have reported."""
    found = set()
    for log in logs:
        inside = False
        with open(log, errors="replace") as lines:
            for line in lines:
                line = line.strip()
                if line.startswith("# aclkm-cov: "):
                    inside = line.endswith("begin")
                elif inside and re.fullmatch("[0-9a-f]+", line):
                    found.add(int(line, 16))
    return found


def describe(module, places):
    """Function and line of places, with the functions that they are inlined from."""
    lines = collections.defaultdict(set)
    for section in {section for section, _ in places}:
        offsets = [at - 1 for s, at in places if s == section]
        out = output("addr2line", "-f", "-j", section, "-e", module, *(hex(at) for at in offsets)).splitlines()
        for function, where in zip(out[0::2], out[1::2]):
            name, _, number = where.split(" ")[0].rpartition(":")
            lines[name.rsplit("/", 1)[-1], function].add(int(number) if number.isdigit() else 0)
    return lines


def main():
    module, logs = sys.argv[1], sys.argv[2:]
    sections = text_sections(module)
    places = instrumented(module, sections)
    known = sorted(places)
    hits = set()
    for at in reached(logs):
        i = bisect.bisect_left(known, at)
        if i < len(known) and known[i] == at:
            hits.add(at)
    missed = describe(module, [places[at] for at in known if at not in hits])
    print("never reached:")
    for (name, function), numbers in sorted(missed.items()):
        print(f"  {name}: {function}: {', '.join(str(n) for n in sorted(numbers))}")
    print(f"covered: {len(hits)} of the module's {len(known)} places, {100 * len(hits) / max(len(known), 1):.1f} %")


if __name__ == "__main__":
    main()
