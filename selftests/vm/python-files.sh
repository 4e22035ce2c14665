#!/bin/bash
# SPDX-License-Identifier: MIT
# What a guest needs to run Python: the machine's own interpreter, the modules of its
# standard library in one archive, compiled (emulated processors compile slowly), and
# the few that are libraries. Prints HOST:GUEST for run.sh's --file, one a line.
#
#   python-files.sh PYTHON FOLDER    the archive is made in FOLDER
set -euo pipefail
python=$(readlink -f "$1")
folder=$2
mkdir -p "$folder"
"$python" -I - "$python" "$folder" <<'END'
import os, sys, sysconfig, zipfile

python, folder = sys.argv[1:]
version = f"{sys.version_info.major}.{sys.version_info.minor}"
stdlib = sysconfig.get_paths()["stdlib"]
# What no test asks for, and what is no pure module.
left_out = {
    "__pycache__", "dist-packages", "distutils", "ensurepip", "idlelib",
    "lib-dynload", "lib2to3", "pydoc_data", "site-packages", "sqlite3", "test", "tkinter",
    "turtledemo", "unittest/test", "venv", "wsgiref", "xml", "xmlrpc",
}
archive = os.path.join(folder, f"python{version.replace('.', '')}.zip")
with zipfile.PyZipFile(archive + ".new", "w", zipfile.ZIP_DEFLATED, optimize=0) as out:
    out.writepy(stdlib, filterfunc=lambda path: True)
    for name in sorted(os.listdir(stdlib)):
        path = os.path.join(stdlib, name)
        if name not in left_out and os.path.isfile(os.path.join(path, "__init__.py")):
            out.writepy(path, filterfunc=lambda p: os.path.relpath(p, stdlib) not in left_out)
os.replace(archive + ".new", archive)
print(f"{python}:/usr/bin/python3")
print(f"{archive}:/usr/lib/{os.path.basename(archive)}")
# Threads that end ask the C library for it.
for folder in ("/lib", "/usr/lib"):
    path = os.path.join(folder, sysconfig.get_config_var("MULTIARCH") or "", "libgcc_s.so.1")
    if os.path.exists(path):
        print(f"{path}:/usr/lib/libgcc_s.so.1")
        break
# By these it finds its folders.
print(f"{stdlib}/os.py:/usr/lib/python{version}/os.py")
for name in ("_ctypes", "_json", "mmap"):
    so = f"{name}{sysconfig.get_config_var('EXT_SUFFIX')}"
    path = os.path.join(stdlib, "lib-dynload", so)
    if os.path.exists(path):
        print(f"{path}:/usr/lib/python{version}/lib-dynload/{so}")
END
