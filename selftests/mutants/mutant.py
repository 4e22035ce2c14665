# SPDX-License-Identifier: MIT
"""One line of a list of mutants: what it says, and the change applied to a file's text."""

import re
from pathlib import Path


class DoesNotApply(Exception):
    """The change does not fit the sources. The list must follow them."""


class Mutant:
    """FILE[:FUNCTION] :: OLD => NEW :: PROMISE :: TEST..."""

    def __init__(self, line, number):
        fields = [field.strip() for field in line.split(" :: ")]
        if len(fields) == 3:
            fields.append("")
        change = re.split(r"\s=>(?:\s|$)", fields[1], maxsplit=1) if len(fields) == 4 else []
        if len(change) != 2 or not fields[2]:
            raise SystemExit(f"line {number} is not FILE[:FUNCTION] :: OLD => NEW :: PROMISE :: TEST...:\n{line}")
        self.line = line
        self.number = number
        self.file, _, self.function = fields[0].partition(":")
        self.old, self.new = change[0].strip(), change[1].strip()
        self.promise = fields[2]
        self.hints = fields[3].split()
        self.where = fields[0]

    def path(self, tree):
        """The file. Where it has moved, the only one of this name in the same top folder."""
        path = tree / self.file
        if path.exists():
            return path
        top = tree / Path(self.file).parts[0]
        found = [p for p in top.rglob(Path(self.file).name) if "build" not in p.relative_to(tree).parts]
        if len(found) != 1:
            raise DoesNotApply(f"no file {self.file}")
        return found[0]

    def apply(self, text):
        """The text with the change, which must fit in exactly one place."""
        start, end = 0, len(text)
        if self.function:
            start, end = function_span(text, self.function)
        # Any white space stands for any other: lines may be broken anew.
        words = re.split(r"\s+", self.old)
        pattern = r"\s+".join(re.escape(word) for word in words)
        found = list(re.compile(pattern).finditer(text, start, end))
        if len(found) != 1:
            raise DoesNotApply(f"\"{self.old}\" is there {len(found)} times, not once")
        return text[: found[0].start()] + self.new + text[found[0].end() :]


def function_span(text, name):
    """From the line that begins a function's definition to its closing brace."""
    for begin in re.finditer(rf"^[A-Za-z_][^;{{}}#]*\b{re.escape(name)}\([^;{{}}]*\)[^;{{}}]*\{{", text, re.M):
        end = text.find("\n}", begin.start())
        if end >= 0:
            return begin.start(), end + 2
    raise DoesNotApply(f"no function {name}")


def read_list(path):
    """The mutants of a list. Empty lines and those that begin with # are for people."""
    mutants = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            mutants.append(Mutant(line, number))
    return mutants
