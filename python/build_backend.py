# SPDX-License-Identifier: MIT
"""Builds the module acl against libaclkm, with a C compiler and nothing else.

pip calls the hooks at the end (PEP 517), so that it need not fetch anything to install
this package; `make python` runs `build_backend.py FOLDER`.

The library is taken from the folder that ACLKM_BUILD names, or from build/lib of this
tree, where it is built if need be; it then goes into the package. Without a tree,
pkg-config finds the installed one.
"""

import base64
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parent
IN_TREE = (TOP / "include" / "acl" / "acl.h").exists()
LIBRARY = "libaclkm.so.0"
# Without it the system finds the library: a distribution has that in another package.
BUNDLE = os.environ.get("ACLKM_BUNDLE") != "no"
MODULE = "_acl.abi3.so"
TAG = "cp39-abi3-" + re.sub(r"[-.]", "_", sysconfig.get_platform())
FLAGS = "-std=gnu11 -Wall -Wextra -Wshadow -fvisibility=hidden -fPIC -DPy_LIMITED_API=0x03090000"


def library_folder():
    """Where a libaclkm was built that goes with the package, or None."""
    named = os.environ.get("ACLKM_BUILD")
    folder = Path(named or TOP / "build" / "lib")
    if IN_TREE and not named and (TOP / "lib" / "Makefile").exists():
        subprocess.run(["make", "-s", "-C", TOP / "lib", f"B={folder}"], check=True)
    if IN_TREE and (folder / LIBRARY).exists():
        return folder
    if named:
        sys.exit(f"ACLKM_BUILD={named}: no {LIBRARY} there, or no headers in {TOP}/include")
    return None


def pkg_config(option):
    try:
        out = subprocess.run(
            ["pkg-config", option, "aclkm"], check=True, capture_output=True, text=True
        )
    except (OSError, subprocess.CalledProcessError):
        sys.exit(
            "libaclkm is not there: run make lib in the tree, name its folder by"
            " ACLKM_BUILD, or install it so that pkg-config finds aclkm"
        )
    return out.stdout.split()


def compile_module(target, folder):
    """Makes @target of src, unless nothing is newer than it."""
    python = Path(sysconfig.get_path("include"))
    sources = sorted((HERE / "src").glob("*.c"))
    needed = [*sources, *(HERE / "src").glob("*.h"), Path(__file__)]
    if folder:
        needed += [folder / LIBRARY, *(TOP / "include" / "acl").rglob("*.h")]
    if target.exists() and all(target.stat().st_mtime > f.stat().st_mtime for f in needed):
        return
    if not (python / "Python.h").exists():
        sys.exit(f"no Python.h in {python}: install the headers (Debian: python3-dev)")
    command = [*shlex.split(os.environ.get("CC", "cc")), *FLAGS.split()]
    command += shlex.split(os.environ.get("CFLAGS", "-O2 -g"))
    command += ["-I", python, *([f"-I{TOP}/include"] if folder else pkg_config("--cflags"))]
    command += ["-shared", "-o", f"{target}.new", *sources]
    if folder:
        command += [f"-L{folder}", f"-l:{LIBRARY}"]
        command += ["-Wl,-rpath,$ORIGIN"] if BUNDLE else []
    else:
        command += pkg_config("--libs")
    if subprocess.run([str(word) for word in command]).returncode:
        sys.exit("the module was not compiled")
    os.replace(f"{target}.new", target)


def build(where):
    """The package acl as a folder in @where."""
    package = Path(where) / "acl"
    package.mkdir(parents=True, exist_ok=True)
    folder = library_folder()
    compile_module(package / MODULE, folder)
    files = [*(HERE / "acl").glob("*.py*"), HERE / "acl" / "py.typed"]
    if folder and BUNDLE:
        files.append(folder / LIBRARY)
    for file in files:
        if file.suffix != ".pyc":
            # Not into the old file: a program may have it mapped.
            shutil.copy2(file, package / (file.name + ".new"))
            os.replace(package / (file.name + ".new"), package / file.name)


def project_version():
    """The version of the tree; a source distribution has it in PKG-INFO, a bare
    folder goes with the installed library."""
    if IN_TREE:
        text = (TOP / "include" / "aclkm" / "version.h").read_text()
        return re.search(r'^#define ACLKM_VERSION "(.*)"$', text, re.M).group(1)
    if (HERE / "PKG-INFO").exists():
        return re.search(r"^Version: (.*)$", (HERE / "PKG-INFO").read_text(), re.M).group(1)
    return pkg_config("--modversion")[0]


def project():
    """What pyproject.toml says: name, version and the text of METADATA."""
    text = (HERE / "pyproject.toml").read_text()

    def value(key):
        return re.search(rf'^{key} = "(.*)"$', text, re.M).group(1)

    name, version = value("name"), project_version()
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {name}",
        f"Version: {version}",
        f"Summary: {value('description')}",
        "License: MIT",
        f"Requires-Python: {value('requires-python')}",
    ]
    classifiers = re.search(r"^classifiers = \[(.*?)\]", text, re.M | re.S).group(1)
    lines += [f"Classifier: {c}" for c in re.findall(r'"(.*)"', classifiers)]
    extras = text[text.index("[project.optional-dependencies]") :]
    for extra, needs in re.findall(r"^(\w+) = \[(.*)\]$", extras, re.M):
        lines.append(f"Provides-Extra: {extra}")
        for need in re.findall(r'"(.*?)"', needs):
            lines.append(f'Requires-Dist: {need}; extra == "{extra}"')
    return name, version, "\n".join(lines) + "\n"


def write_metadata(where):
    name, version, metadata = project()
    folder = Path(where) / f"{name}-{version}.dist-info"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "METADATA").write_text(metadata)
    (folder / "WHEEL").write_text(
        f"Wheel-Version: 1.0\nGenerator: aclkm\nRoot-Is-Purelib: false\nTag: {TAG}\n"
    )
    (folder / "top_level.txt").write_text("acl\n")
    return folder.name


def get_requires_for_build_wheel(config_settings=None):
    return []


def get_requires_for_build_sdist(config_settings=None):
    return []


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    return write_metadata(metadata_directory)


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    name, version, _ = project()
    wheel = f"{name}-{version}-{TAG}.whl"
    with tempfile.TemporaryDirectory() as work:
        build(work)
        info = write_metadata(work)
        record = []
        with zipfile.ZipFile(Path(wheel_directory) / wheel, "w", zipfile.ZIP_DEFLATED) as out:
            for file in sorted(f for f in Path(work).rglob("*") if f.is_file()):
                at, data = file.relative_to(work).as_posix(), file.read_bytes()
                digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=")
                record.append(f"{at},sha256={digest.decode()},{len(data)}")
                out.write(file, at)
            record.append(f"{info}/RECORD,,")
            out.writestr(f"{info}/RECORD", "\n".join(record) + "\n")
    return wheel


def build_sdist(sdist_directory, config_settings=None):
    """The sources of the module: they build against an installed library."""
    name, version, metadata = project()
    top = f"{name}-{version}"
    with tempfile.TemporaryDirectory() as work:
        (Path(work) / "PKG-INFO").write_text(metadata)
        with tarfile.open(Path(sdist_directory) / f"{top}.tar.gz", "w:gz") as out:
            out.add(Path(work) / "PKG-INFO", f"{top}/PKG-INFO")
            for part in ("pyproject.toml", Path(__file__).name, "acl", "src"):
                out.add(
                    HERE / part,
                    f"{top}/{part}",
                    filter=lambda f: None if "__pycache__" in f.name else f,
                )
    return f"{top}.tar.gz"


if __name__ == "__main__":
    build(sys.argv[1])
