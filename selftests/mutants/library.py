# SPDX-License-Identifier: MIT
"""
Mutants of the library: the unit programs that are expected to notice are built and run
on the user backend; only if they do not, all others.
"""

import subprocess

from shell import build_trouble, clean_env, run, tap_failure


class Suite:
    """One copy of the library's sources, and how it is tested."""

    sources = ["lib", "include", "selftests/unit", "examples", "tools", "Makefile"]
    limit = 120

    def __init__(self, top, tree, wrap):
        self.tree, self.wrap = tree, wrap
        self.folder = tree / "build/unit-none"
        out = subprocess.run(["make", "-s", "--no-print-directory", "-C", top / "selftests/unit", "list"],
                             check=True, stdout=subprocess.PIPE, env=clean_env())
        self.programs = out.stdout.decode().split()

    def make(self, *targets):
        return build_trouble(["make", "--no-print-directory", "-C", self.tree / "selftests/unit", f"B={self.folder}",
                              "SAN=none", "-j2", *targets], self.wrap)

    def build(self, mutant):
        return self.make(self.folder / "lib/libaclkm-internal.a")

    def run_programs(self, names):
        """Who noticed: nothing, a failed test, or None for a hang."""
        trouble = self.make(*(self.folder / name for name in names))
        if trouble:
            return f"build of the tests: {trouble}"
        hung = False
        for name in names:
            out, status = run([self.folder / name], self.wrap, timeout=self.limit, ACLKM_BACKEND="user")
            failed = tap_failure(out, status)
            if failed:
                return f"{name}: {failed}"
            hung |= status is None
        return None if hung else ""

    def test(self, mutant):
        hung = False
        hints = [name for name in mutant.hints if name in self.programs]
        for names in (hints, [name for name in self.programs if name not in hints]):
            noticed = self.run_programs(names) if names else ""
            if noticed:
                return "killed", noticed
            hung |= noticed is None
        return ("hangs" if hung else "survived"), f"expected: {' '.join(mutant.hints) or 'nobody'}"

    @staticmethod
    def cost(mutant):
        return 0

    def control(self, mutants, thorough):
        hints = {hint for mutant in mutants for hint in mutant.hints}
        unknown = hints - set(self.programs)
        if unknown:
            return f"no program is called {', '.join(sorted(unknown))}"
        trouble = self.make(*(self.folder / name for name in self.programs))
        if trouble or not thorough:
            return trouble
        noticed = self.run_programs(self.programs)
        return "a program did not end" if noticed is None else noticed
