#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""
make test-matrix: the module on every kernel of the list, each built by the compiler that
its headers ask for and by clang. A cell that passed is not run again until the driver,
its tests or the kernel change. The table goes to Documentation/kernel-matrix.md on request.
"""

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
BUILD = TOP / "build" / "matrix"
FETCH = TOP / "tools" / "fetch-kernel.sh"
# Kernels whose headers work with a clang that Debian has beside them.
CLANG = ("6.1", "6.12", "7.3")
# What the archive has no headers of, so no module can be built for it.
NO_HEADERS = "6.16, 6.17, 6.18, 6.19, 7.0 and 7.1"
FEATURES = ("gup", "2M", "1G", "gup-1G", "cache", "dma-buf", "pin", "dmem")
SOURCES = ("kmod", "include/uapi", "selftests/kmod", "selftests/matrix", "selftests/vm")
BEGIN, END = "<!-- make test-matrix: begin -->", "<!-- make test-matrix: end -->"


def kernels():
    out = subprocess.run([FETCH, "--list"], check=True, stdout=subprocess.PIPE, text=True)
    return out.stdout.split()


def cells(patterns):
    every = [name for name in kernels() if not name.startswith("arm64")]
    every += [f"{name}-clang" for name in CLANG]
    every += [name for name in kernels() if name.startswith("arm64")]
    chosen = [cell for cell in every if not patterns or any(re.fullmatch(p, cell) for p in patterns)]
    if not chosen:
        sys.exit(f"run.py: no cell is named {' or '.join(patterns)}; there are: {', '.join(every)}")
    return chosen


def digest():
    """Of the sources that decide a result."""
    names = subprocess.run(["git", "-C", TOP, "ls-files", "-z", "--", *SOURCES], check=True,
                           stdout=subprocess.PIPE).stdout.decode().split("\0")
    sha = hashlib.sha256()
    for name in sorted(filter(None, names)):
        if (TOP / name).is_file():
            sha.update(name.encode() + b"\0" + (TOP / name).read_bytes())
    return sha.hexdigest()[:16]


def run_cell(cell, key, say):
    """The result of one cell, from this run or from one before."""
    folder = BUILD / cell
    kept = folder / "result.json"
    if kept.exists():
        result = json.loads(kept.read_text())
        if result["key"] == key and not result["failed"]:
            say(cell, "kept", result)
            return result
    folder.mkdir(parents=True, exist_ok=True)
    say(cell, "runs", None)
    start = time.monotonic()
    what = cell if cell.startswith("arm64") else f"cell-{cell}"
    with open(folder / "log", "w") as log:
        subprocess.run([TOP / "selftests/run-tests.sh", what], stdout=log, stderr=subprocess.STDOUT,
                       env=dict(os.environ, ACLKM_TEST_LOGS=str(folder / "logs")), check=False)
    result = read_cell(cell, folder)
    result.update(cell=cell, key=key, seconds=round(time.monotonic() - start))
    kept.write_text(json.dumps(result, indent=1))
    say(cell, "done", result)
    return result


def read_cell(cell, folder):
    text = (folder / "log").read_text(errors="replace")
    last = re.search(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", text, re.M)
    reasons = re.findall(r"# SKIP (.*)", text)
    failures = re.search(r"^failed:\n((?:  .*\n)+)", text, re.M)
    names = [line.split(": ", 1)[1] for line in failures[1].splitlines()] if failures else []
    if not last:
        names = [text.strip().splitlines()[-1] if text.strip() else "nothing ran"]
    features = {}
    for log in (folder / "logs").glob("*.log"):
        features.update(re.findall(r"^# feature (\S+) (yes|no)", log.read_text(errors="replace"), re.M))
    release = re.search(r"^.*Linux version (\S+)", "".join(
        p.read_text(errors="replace") for p in (folder / "logs").glob("*.kernel")), re.M)
    return {
        "passed": int(last[1]) if last else 0, "failed": int(last[2]) if last else 1,
        "skipped": int(last[3] or 0) if last else 0, "why": sorted(set(reasons)), "failures": names,
        "features": features, "release": release[1] if release else "",
    }


def table(results):
    head = ["Kernel", "Release", "Compiler", *FEATURES, "Passed", "Failed", "Skipped"]
    rows = []
    for result in results:
        kernel, clang = re.fullmatch(r"(.*?)(-clang)?", result["cell"]).groups()
        rows.append([kernel, result["release"], "clang" if clang else "gcc",
                     *(result["features"].get(name, "") for name in FEATURES),
                     str(result["passed"]), str(result["failed"]), str(result["skipped"])])
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |"
             for row in [head, *rows]]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return lines


def notes(results):
    why = {}
    for result in results:
        for reason in result["why"]:
            why.setdefault(reason, []).append(result["cell"])
    lines = [f"- {reason} ({', '.join(where)})" for reason, where in sorted(why.items())]
    bad = [f"- {result['cell']}: {name}" for result in results for name in result["failures"]]
    out = []
    if bad:
        out += ["", "Failed:", "", *bad]
    if lines:
        out += ["", "Why tests were skipped:", "", *lines]
    return out + ["", f"The archive has images of {NO_HEADERS} without headers: no module can be built for them."]


def write_page(lines):
    page = TOP / "Documentation" / "kernel-matrix.md"
    before, rest = page.read_text().split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    page.write_text(before + BEGIN + "\n" + "\n".join(lines) + "\n" + END + after)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cell", nargs="*", help="regular expressions of cells, such as 6.12.* (all)")
    parser.add_argument("--jobs", type=int, default=1, help="cells at a time (1)")
    parser.add_argument("--page", action="store_true", help="write the table into Documentation/kernel-matrix.md")
    args = parser.parse_args()
    if args.jobs < 1:
        parser.error(f"--jobs {args.jobs}: at least 1")

    chosen, key, start = cells(args.cell), digest(), time.monotonic()
    done = []

    def say(cell, what, result):
        if result:
            done.append(cell)
        so_far = time.monotonic() - start
        text = {"runs": "runs"}.get(what) or (
            f"{result['passed']} passed, {result['failed']} failed, {result['skipped']} skipped"
            + (", kept from a run before" if what == "kept" else f", {result['seconds']} s"))
        print(f"[{len(done):2}/{len(chosen)} {int(so_far) // 60:3}:{int(so_far) % 60:02}] {cell:18} {text}", flush=True)

    with ThreadPoolExecutor(args.jobs) as pool:
        results = list(pool.map(lambda cell: run_cell(cell, key, say), chosen))
    lines = table(results) + notes(results)
    print("\n" + "\n".join(lines) + "\n")
    if args.page:
        write_page(lines)
    passed, failed, skipped = (sum(r[k] for r in results) for k in ("passed", "failed", "skipped"))
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
