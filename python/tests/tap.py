# SPDX-License-Identifier: MIT
"""Runs the unittest classes of a program and speaks TAP, one line a test."""

import os
import sys
import unittest

# Small and the same everywhere; a program that wants others sets them before.
os.environ.setdefault("ACLKM_BACKEND", "user")
os.environ.setdefault("ACLKM_MEM", "512M")


class _Result(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.count = 0
        self.sub_failed = False

    def _line(self, ok, test, note=""):
        self.count += 1
        words = f"{type(test).__name__}: {test._testMethodName}"
        print(f"{'ok' if ok else 'not ok'} {self.count} - {words}{note}", flush=True)

    def _fail(self, test, err):
        for line in self._exc_info_to_string(err, test).splitlines():
            print(f"# {line}")
        self._line(False, test)

    def startTest(self, test):
        super().startTest(test)
        self.sub_failed = False

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            print(f"# in {subtest}")
            for line in self._exc_info_to_string(err, test).splitlines():
                print(f"# {line}")
            self.sub_failed = True

    def stopTest(self, test):
        super().stopTest(test)
        if self.sub_failed:
            self._line(False, test)
            self.sub_failed = False

    def addSuccess(self, test):
        super().addSuccess(test)
        if not self.sub_failed:
            self._line(True, test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._fail(test, err)

    def addError(self, test, err):
        super().addError(test, err)
        self._fail(test, err)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._line(True, test, f" # SKIP {reason}")


def main():
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    total = suite.countTestCases()
    print(f"1..{total}", flush=True)
    result = _Result()
    suite.run(result)
    sys.exit(0 if result.wasSuccessful() and result.count == total else 1)
