# SPDX-License-Identifier: MIT
"""The package as a user gets it: the example, pip, a wheel, an installed library.

Nothing may be fetched: pip is told to look nowhere.
"""

import importlib.util
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile

import tap

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
EXAMPLE = TOP / "python" / "examples" / "frames.py"
LIB = pathlib.Path(os.environ.get("ACLKM_BUILD", TOP / "build" / "lib"))
VERSION = subprocess.run(
    [TOP / "tools" / "version.sh"], check=True, capture_output=True, text=True
).stdout.strip()
PIP = [sys.executable, "-m", "pip", "--no-input", "--disable-pip-version-check"]
OFFLINE = ["--no-index", "--no-deps"]


def run(*command, env=None, **more):
    """What the command prints; with the environment of a user, not of the tests."""
    own = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "ACLKM_BUILD")}
    own["CFLAGS"] = "-O0"  # built to be tried once
    own.update(env or {})
    done = subprocess.run(
        [str(word) for word in command],
        env=own,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **more,
    )
    if done.returncode:
        raise AssertionError(f"{command}: {done.returncode}\n{done.stdout}")
    return done.stdout


class Example(unittest.TestCase):
    def test_frames(self):
        out = run(sys.executable, "-W", "error", EXAMPLE, env={"PYTHONPATH": os.environ["PYTHONPATH"]})
        self.assertTrue(out.endswith("\nok\n"), out)
        self.assertEqual(out.count("frame "), 4)


class Install(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="acl-install-"))
        self.addCleanup(shutil.rmtree, self.dir)

    def copy(self):
        """The tree as a checkout has it, so that nothing is built into this one."""
        tree = self.dir / "tree"
        for name in ("python", "include"):
            shutil.copytree(
                TOP / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
            )
        return tree

    def example_runs(self, folder, **env):
        code = "import acl, sys; print(acl.__file__)"
        where = run(sys.executable, "-c", code, env={"PYTHONPATH": str(folder), **env})
        self.assertTrue(where.startswith(str(folder)), where)
        out = run(sys.executable, EXAMPLE, env={"PYTHONPATH": str(folder), **env})
        self.assertTrue(out.endswith("\nok\n"), out)

    def test_pip_install(self):
        tree, target = self.copy(), self.dir / "target"
        env = {"ACLKM_BUILD": str(LIB)}
        run(*PIP, "install", *OFFLINE, "--target", target, tree / "python", env=env)
        self.assertTrue((target / "acl" / "libaclkm.so.0").exists())
        self.example_runs(target)

    @unittest.skipUnless(importlib.util.find_spec("ensurepip"), "Debian: python3-venv")
    def test_virtual_environment(self):
        """As the documents say it, into an environment that has pip and nothing else."""
        tree, venv = self.copy(), self.dir / "venv"
        run(sys.executable, "-m", "venv", venv)
        python, none = venv / "bin" / "python", self.dir / "none"
        none.mkdir()
        env = {"ACLKM_BUILD": str(LIB), "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        run(python, "-m", "pip", "-q", "install", "./python", cwd=tree, env=env)
        out = run(python, EXAMPLE, cwd=none)
        self.assertTrue(out.endswith("\nok\n"), out)
        out = run(python, "-m", "pip", "show", "-f", "aclkm", cwd=none, env=env)
        for line in (f"Version: {VERSION}", "acl/_acl.abi3.so", "acl/libaclkm.so.0", "acl/rt.pyi"):
            self.assertIn(line, out)
        run(python, "-m", "pip", "-q", "uninstall", "-y", "aclkm", cwd=none, env=env)
        with self.assertRaisesRegex(AssertionError, "ModuleNotFoundError"):
            run(python, "-c", "import acl", cwd=none)

    def test_sdist(self):
        tree, target = self.copy(), self.dir / "target"
        code = "import build_backend as b; print(b.build_sdist(__import__('sys').argv[1]))"
        name = run(sys.executable, "-B", "-c", code, self.dir, cwd=tree / "python").strip()
        self.assertEqual(name, f"aclkm-{VERSION}.tar.gz")
        prefix = self.dir / "prefix"
        run("make", "-s", "-C", TOP / "lib", "install", f"B={LIB}", f"PREFIX={prefix}", "-o", "all")
        pc = prefix / "lib" / "pkgconfig" / "aclkm.pc"
        pc.write_text(re.sub(r"^prefix=.*", f"prefix={prefix}", pc.read_text(), flags=re.M))
        env = {"PKG_CONFIG_PATH": str(pc.parent), "LD_LIBRARY_PATH": str(prefix / "lib")}
        run(*PIP, "install", *OFFLINE, "--target", target, self.dir / name, env=env)
        self.example_runs(target, LD_LIBRARY_PATH=str(prefix / "lib"))

    def test_wheel(self):
        tree, wheels = self.copy(), self.dir / "wheels"
        run(*PIP, "wheel", *OFFLINE, "-w", wheels, tree / "python", env={"ACLKM_BUILD": str(LIB)})
        (wheel,) = wheels.glob("*.whl")
        self.assertIn("-cp39-abi3-", wheel.name)
        names = set(zipfile.ZipFile(wheel).namelist())
        for name in ("_acl.abi3.so", "libaclkm.so.0", "py.typed", "__init__.pyi", "rt.pyi", "util.pyi"):
            self.assertIn(f"acl/{name}", names)
        self.assertFalse(list((tree / "python").glob("*.egg-info")))
        self.assertFalse((tree / "python" / "build").exists())
        target = self.dir / "target"
        run(*PIP, "install", *OFFLINE, "--target", target, wheel)
        self.example_runs(target)

    @unittest.skipUnless(shutil.which("pkg-config"), "pkg-config is not here")
    def test_installed_library(self):
        tree, prefix, target = self.copy(), self.dir / "prefix", self.dir / "target"
        run("make", "-s", "-C", TOP / "lib", "install", f"B={LIB}", f"PREFIX={prefix}", "-o", "all")
        shutil.rmtree(tree / "include")
        env = {
            "PKG_CONFIG_PATH": str(prefix / "lib" / "pkgconfig"),
            "LD_LIBRARY_PATH": str(prefix / "lib"),
        }
        # The file in the build folder may have been made for another prefix.
        pc = prefix / "lib" / "pkgconfig" / "aclkm.pc"
        lines = pc.read_text().splitlines()
        pc.write_text("\n".join(f"prefix={prefix}" if n.startswith("prefix=") else n for n in lines))
        run(*PIP, "install", *OFFLINE, "--target", target, tree / "python", env=env)
        self.assertFalse((target / "acl" / "libaclkm.so.0").exists())
        self.example_runs(target, LD_LIBRARY_PATH=str(prefix / "lib"))

    def test_no_library(self):
        tree = self.copy()
        with self.assertRaisesRegex(AssertionError, "ACLKM_BUILD=.*: no libaclkm.so.0 there"):
            run(*PIP, "wheel", *OFFLINE, "-w", self.dir, tree / "python", env={"ACLKM_BUILD": "/none"})
        with self.assertRaisesRegex(AssertionError, "run make lib in the tree"):
            run(*PIP, "wheel", *OFFLINE, "-w", self.dir, tree / "python", env={"PKG_CONFIG_LIBDIR": "/none"})


if __name__ == "__main__":
    tap.main()
