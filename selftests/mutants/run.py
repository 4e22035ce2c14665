#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""
make test-mutants: breaks one promise at a time and wants a test to fail. See README.md.

The sources are copied once for each job; a mutant changes one file of the copy, which
is built and tested. Results are kept, so that a run that was stopped continues.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import driver
import library
from mutant import DoesNotApply, read_list

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
BUILD = TOP / "build" / "mutants"
SUITES = {"driver": driver.Suite, "library": library.Suite}
VERDICTS = ("killed", "survived", "hangs", "does not build", "does not apply")


def tracked(*folders):
    """The files of the sources, whether committed or not."""
    out = subprocess.run(
        ["git", "-C", TOP, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *folders],
        check=True, stdout=subprocess.PIPE)
    return sorted({name for name in out.stdout.decode().split("\0") if name and (TOP / name).is_file()})


def digest(names):
    """Of the files' names and bytes."""
    sha = hashlib.sha256()
    for name in names:
        sha.update(name.encode() + b"\0" + (TOP / name).read_bytes())
    return sha.hexdigest()[:16]


def copy_tree(names, tree):
    """Copies what has changed since the last time, and removes what is gone."""
    wanted = set(names)
    for path in list(tree.rglob("*")) if tree.exists() else []:
        name = str(path.relative_to(tree))
        if path.is_file() and not name.startswith("build/") and name not in wanted:
            path.unlink()
    for name in names:
        target = tree / name
        if not target.exists() or target.read_bytes() != (TOP / name).read_bytes():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(TOP / name, target)


class Results:
    """One line for each mutant that has been run: digest, verdict, who noticed, the mutant."""

    def __init__(self, path, sources, keep):
        self.path, self.sources, self.known = path, sources, {}
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            for line in path.read_text().splitlines():
                known_sources, verdict, by, mutant = line.split("\t", 3)
                if keep or known_sources == sources:
                    self.known[mutant] = (verdict, by)
        self.lock = threading.Lock()

    def get(self, mutant):
        return self.known.get(mutant.line)

    def add(self, mutant, verdict, by):
        with self.lock:
            self.known[mutant.line] = (verdict, by)
            with self.path.open("a") as out:
                by = re.sub(r"\s+", " ", by)
                out.write(f"{self.sources}\t{verdict}\t{by}\t{mutant.line}\n")

    def forget(self):
        self.path.unlink(missing_ok=True)


def try_mutant(suite, mutant):
    """The verdict on one mutant, and who noticed it."""
    path = mutant.path(suite.tree)
    original = path.read_text()
    try:
        path.write_text(mutant.apply(original))
        trouble = suite.build(mutant)
        if trouble:
            return "does not build", trouble
        return suite.test(mutant)
    finally:
        path.write_text(original)


class Run:
    """All mutants of one list."""

    def __init__(self, kind, options):
        self.kind, self.options = kind, options
        self.suite_class = SUITES[kind]
        names = tracked(*self.suite_class.sources)
        self.names = names
        self.results = Results(BUILD / f"{kind}.results", digest(names), options.resume)
        mutants = read_list(HERE / f"{kind}.list")
        self.all = [m for m in mutants if re.search(options.only, m.line)]
        self.todo = [m for m in self.all if not self.results.get(m)]
        if options.again:
            self.todo = [m for m in self.all if (self.results.get(m) or ("",))[0] != "killed"]
        self.left = sorted(self.todo, key=self.suite_class.cost)[: options.limit]
        self.lock = threading.Lock()
        self.began = time.monotonic()
        self.failed = None

    def progress(self):
        done = len(self.all) - len(self.todo) + self.finished
        counts = self.counts()
        text = f"{done} of {len(self.all)}, killed {counts['killed']}"
        if self.finished:
            each = (time.monotonic() - self.began) / self.finished
            text += f", {each * (len(self.todo) - self.finished) / 60:.0f} min left"
        print(f"  {text}", flush=True)

    def counts(self):
        counts = dict.fromkeys(VERDICTS, 0)
        for mutant in self.all:
            known = self.results.get(mutant)
            if known:
                counts[known[0]] += 1
        return counts

    def work(self, suite):
        while True:
            with self.lock:
                if not self.left or self.failed:
                    return
                mutant = self.left.pop(0)
            try:
                verdict, by = try_mutant(suite, mutant)
            except DoesNotApply as why:
                verdict, by = "does not apply", str(why)
            except BaseException as why:
                self.failed = why
                raise
            self.results.add(mutant, verdict, by)
            with self.lock:
                self.finished += 1
                mark = "" if verdict == "killed" else "  <--"
                print(f"{self.kind}.list:{mutant.number}: {mutant.where}: {verdict}: {by}{mark}")
                self.progress()

    def start(self):
        self.finished = 0
        if self.todo:
            jobs = min(self.options.jobs, len(self.todo))
            suites = []
            for job in range(jobs):
                tree = BUILD / f"{self.kind}-{job}"
                copy_tree(self.names, tree)
                suites.append(self.suite_class(TOP, tree, self.options.run))
            thorough = not self.options.skip_control
            if thorough:
                print(f"{self.kind}: the control, nothing changed, must pass", flush=True)
            for suite in suites:
                trouble = suite.control(self.todo, thorough and suite is suites[0])
                if trouble:
                    print(f"{self.kind}: the control fails: {trouble}")
                    return False
            self.began = time.monotonic()
            threads = [threading.Thread(target=self.work, args=(suite,)) for suite in suites]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            if self.failed:
                return False
        left = sum(not self.results.get(mutant) for mutant in self.all)
        if left:
            print(f"{self.kind}: {left} of {len(self.all)} mutants are left")
            return False
        return self.close()

    def close(self):
        counts = self.counts()
        for mutant in self.all:
            verdict, by = self.results.get(mutant)
            if verdict != "killed":
                print(f"{verdict}: {self.kind}.list:{mutant.number}: {mutant.line}\n    {by}")
        parts = [f"{counts[v]} {v}" for v in VERDICTS if counts[v] or v == "killed"]
        print(f"{self.kind}: {len(self.all)} mutants, {', '.join(parts)}")
        good = counts["killed"] == len(self.all)
        if good and not self.options.resume:
            self.results.forget()
        return good


def check(kinds):
    """Whether each change fits the sources: no build, no test."""
    bad = 0
    for kind in kinds:
        for mutant in read_list(HERE / f"{kind}.list"):
            try:
                text = mutant.path(TOP).read_text()
                if mutant.apply(text) == text:
                    raise DoesNotApply("it changes nothing")
            except DoesNotApply as why:
                bad += 1
                print(f"mutant does not apply: {kind}.list:{mutant.number}: {mutant.where}: {why}")
    return bad == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("lists", nargs="*", help="driver, library; both unless named")
    parser.add_argument("--check", action="store_true", help="only see whether every change fits the sources")
    parser.add_argument("--only", default="", metavar="REGEX", help="the lines that match")
    parser.add_argument("--jobs", type=int, default=1, help="how many at a time (1)")
    parser.add_argument("--resume", action="store_true", help="keep results of older sources, too")
    parser.add_argument("--again", action="store_true", help="once more those that were not killed")
    parser.add_argument("--limit", type=int, metavar="N", help="stop after so many; the next run continues")
    parser.add_argument("--skip-control", action="store_true", help="trust the tests, for a second run of some")
    parser.add_argument("--run", default=os.environ.get("ACLKM_MUTANTS_RUN", ""),
                        help="a command that tests are run through, such as nice")
    options = parser.parse_args()
    kinds = options.lists or list(SUITES)
    if not set(kinds) <= set(SUITES):
        parser.error(f"lists are {', '.join(SUITES)}")
    if options.check:
        return 0 if check(kinds) else 1
    good = True
    for kind in kinds:
        good &= Run(kind, options).start()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
