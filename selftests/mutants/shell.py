# SPDX-License-Identifier: MIT
"""Running commands, and reading what TAP programs say."""

import os
import re
import shlex
import subprocess


def clean_env(**more):
    """Without what a make that called this would tell the makes called here."""
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    env.update(more)
    return env


def run(command, wrap="", timeout=None, **env):
    """Output and exit status; the status is None when the time was over."""
    # The time of waiting for the wrapper does not count.
    limit = ["timeout", "-k", "2", str(timeout)] if timeout else []
    words = shlex.split(wrap) + limit + [str(word) for word in command]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env=clean_env(**env), check=False)
    over = timeout and done.returncode in (124, 137)
    return done.stdout.decode(errors="replace"), None if over else done.returncode


def assignments(command):
    """What a script of tools/ prints for a shell to evaluate."""
    out = subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE, env=clean_env())
    values = {}
    for word in shlex.split(out.stdout.decode()):
        name, _, value = word.partition("=")
        values[name] = value
    return values


def build_trouble(command, wrap=""):
    """Why a build is not good, or nothing. A warning counts."""
    out, status = run(command, wrap)
    complaints = [line for line in out.splitlines() if re.search(r"(warning|error):", line, re.I)]
    if status or complaints:
        return complaints[0] if complaints else f"exit status {status}: " + " ".join(out.split()[-20:])
    return ""


def tap_failure(out, status):
    """The first failed test in the output of one TAP program, or nothing."""
    for line in out.splitlines():
        if line.startswith("not ok ") or line.startswith("Bail out!"):
            return re.sub(r"^not ok \d+\s*(- )?", "", line)
    # Without a plan the program has died on the way.
    if status is not None and (not re.search(r"^1\.\.\d", out, re.M) or status not in (0, 4)):
        return f"exit status {status}"
    return ""
