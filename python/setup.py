# SPDX-License-Identifier: MIT
"""Builds the module acl against libaclkm.

The library is taken from the folder that ACLKM_BUILD names, or from build/lib of this
tree; it then goes into the package. Without either, pkg-config finds the installed one.
"""

import os
import shutil
import subprocess
import sys
from glob import glob

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
IN_TREE = os.path.exists(os.path.join(TOP, "include", "acl", "acl.h"))
LIBRARY = "libaclkm.so.0"


def library_folder():
    """Where a libaclkm was built that goes with the package, or None."""
    named = os.environ.get("ACLKM_BUILD")
    folder = named or os.path.join(TOP, "build", "lib")
    if IN_TREE and os.path.exists(os.path.join(folder, LIBRARY)):
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


folder = library_folder()
if folder:
    where = {
        "include_dirs": [os.path.join(TOP, "include")],
        "extra_link_args": [f"-L{folder}", f"-l:{LIBRARY}", "-Wl,-rpath,$ORIGIN"],
    }
else:
    where = {
        "extra_compile_args": pkg_config("--cflags"),
        "extra_link_args": pkg_config("--libs"),
    }
where.setdefault("extra_compile_args", []).extend(
    ["-std=gnu11", "-Wall", "-Wextra", "-Wshadow", "-fvisibility=hidden"]
)


class BuildExt(build_ext):
    """Puts the library beside the module."""

    def run(self):
        super().run()
        if folder:
            package = os.path.dirname(self.get_ext_fullpath("acl._acl"))
            target = os.path.join(package, LIBRARY)
            # Not into the old file: a program may have it mapped.
            shutil.copy(os.path.join(folder, LIBRARY), target + ".new")
            os.replace(target + ".new", target)


options = {"bdist_wheel": {"py_limited_api": "cp39"}}
if IN_TREE:
    # Nothing is built between the sources.
    base = os.path.join(TOP, "build", "python", "setuptools")
    os.makedirs(base, exist_ok=True)
    options["build"] = {"build_base": base}
    options["egg_info"] = {"egg_base": base}

setup(
    packages=["acl"],
    package_data={"acl": ["py.typed", "*.pyi"]},
    zip_safe=False,
    ext_modules=[
        Extension(
            "acl._acl",
            sorted(os.path.relpath(name, HERE) for name in glob(os.path.join(HERE, "src", "*.c"))),
            depends=[os.path.join("src", "args.h")]
            + glob(os.path.join(TOP, "include", "acl", "**", "*.h"), recursive=True),
            define_macros=[("Py_LIMITED_API", "0x03090000")],
            py_limited_api=True,
            **where,
        )
    ],
    cmdclass={"build_ext": BuildExt},
    options=options,
)
