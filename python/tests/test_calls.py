# SPDX-License-Identifier: MIT
"""Every function of acl: how it is called, what it says of itself, its stub."""

import ast
import importlib
import inspect
import os
import pathlib
import re
import subprocess
import sys
import unittest

import tap

import acl
import acl.himpi
import acl.media
import acl.rt
import acl.util

HERE = pathlib.Path(__file__).resolve().parent
# Names with an underscore that the limited interface's own macros use.
LIMITED_HIDDEN = {
    "_PyObject_CallFunction_SizeT",
    "_PyArg_ParseTuple_SizeT",
    "_Py_BuildValue_SizeT",
    "_Py_Dealloc",
    "_Py_FalseStruct",
    "_Py_NoneStruct",
    "_Py_TrueStruct",
}
# What looks wrong and is the right type.
RIGHT = {("float_to_float16", 1.0), ("init", "text"), ("init", None), ("bytes_to_ptr", b"1"), ("ipc_mem_close", "text"),
         ("set_exception_info_callback", None)}
MODULES = (acl, acl.rt, acl.media, acl.himpi, acl.util)


def functions():
    for module in MODULES:
        for name in dir(module):
            function = getattr(module, name)
            if callable(function) and not name.startswith("_"):
                yield module, name, function


def stub(module):
    """name -> FunctionDef or annotation, from the stub of the package that is tested."""
    name = "__init__" if module is acl else module.__name__.split(".")[1]
    tree = ast.parse((pathlib.Path(acl.__file__).parent / f"{name}.pyi").read_text())
    names = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            names[node.name] = node
        elif isinstance(node, ast.AnnAssign):
            names[node.target.id] = node
    return names


def row(module, name, function):
    """The line of a function in the table of Documentation/python.md."""
    signature = ", ".join(
        p.name if p.default is p.empty else f"[{p.name}]"
        for p in inspect.signature(function).parameters.values()
    )
    text = re.sub(r"\s+", " ", function.__doc__.strip().split("\n\n")[0])
    what, gives = re.fullmatch(r"(.*?) ?Gives (.*)\.", text).groups()
    return f"| `{module.__name__}.{name}({signature})` | `{gives}` | {what} |"


class Calls(unittest.TestCase):
    def test_wrong_count(self):
        for module, name, function in functions():
            parameters = inspect.signature(function).parameters
            least = sum(p.default is p.empty for p in parameters.values())
            for count in {least - 1, len(parameters) + 1} - {-1}:
                with self.subTest(f"{module.__name__}.{name}", count=count):
                    with self.assertRaises(TypeError):
                        function(*([1] * count))

    def test_wrong_type(self):
        for module, name, function in functions():
            count = len(inspect.signature(function).parameters)
            for wrong in ("text", 1.0, None, b"1"):
                if (name, wrong) in RIGHT:
                    continue
                if count:
                    with self.subTest(f"{module.__name__}.{name}", wrong=wrong):
                        with self.assertRaises(TypeError):
                            function(*([wrong] * count))

    def test_other_keywords(self):
        for module, name, function in functions():
            with self.subTest(f"{module.__name__}.{name}"):
                with self.assertRaises(TypeError):
                    function(nothing=1)

    def test_keywords(self):
        """Each argument of each function by its name: the same as by its place."""
        for module, name, function in functions():
            parameters = list(inspect.signature(function).parameters.values())
            if module is acl.util or not parameters:
                continue
            with self.subTest(f"{module.__name__}.{name}"):
                for p in parameters:
                    self.assertIs(p.kind, p.POSITIONAL_OR_KEYWORD)
                # All but one, each time another: the missing one is named.
                for missing in parameters:
                    if missing.default is not missing.empty:
                        continue
                    with self.assertRaisesRegex(TypeError, f"missing argument '{missing.name}'"):
                        function(**({p.name: None for p in parameters if p is not missing} or {"nothing": 1}))

    def test_keywords_reach_their_places(self):
        self.assertEqual(acl.rt.set_device(device_id=0), 0)
        ptr, ret = acl.rt.malloc(policy=0, size=100)
        self.assertEqual(ret, 0)
        host, ret = acl.rt.malloc_host(size=100)
        self.assertEqual(ret, 0)
        self.assertEqual(acl.rt.memset(host, 100, count=100, value=7), 0)
        self.assertEqual(
            acl.rt.memcpy(dst=ptr, dst_max=100, src=host, count=100, kind=acl.ACL_MEMCPY_HOST_TO_DEVICE), 0
        )
        self.assertEqual(acl.rt.memcpy(src=ptr, dst=host, dst_max=99, count=100, kind=2), 107000)
        for call, text in (
            (lambda: acl.rt.malloc(100, size=1), "multiple values for argument 'size'"),
            (lambda: acl.rt.malloc(100, 0, police=1), "unexpected keyword argument"),
            (lambda: acl.rt.malloc(100, 0, 1, policy=1), "multiple values"),
            (lambda: acl.rt.malloc(size=100), "missing argument 'policy'"),
            (lambda: acl.rt.malloc(size=100, policy="x"), "argument 2 must be int, not str"),
        ):
            with self.assertRaisesRegex(TypeError, text):
                call()
        self.assertEqual(acl.rt.free(ptr), 0)
        self.assertEqual(acl.rt.free_host(host), 0)
        self.assertEqual(acl.rt.reset_device(device_id=0), 0)

    def test_numbers_that_do_not_fit(self):
        for call, args in (
            (acl.rt.set_device, (1 << 31,)),
            (acl.rt.set_device, (-(1 << 31) - 1,)),
            (acl.rt.malloc, (100, 1 << 32)),
            (acl.rt.malloc, (100, -1)),
            (acl.rt.malloc, (100, 1 << 100)),
            (acl.rt.memset, (0, 0, 1 << 40, 0)),
        ):
            with self.subTest(args=args), self.assertRaises(OverflowError):
                call(*args)

    def test_messages_name_function_and_argument(self):
        for args, text in (
            ((1,), r"^malloc\(\) takes 2 arguments \(1 given\)$"),
            ((1, "x"), r"^malloc\(\) argument 2 must be int, not str$"),
            ((1.5, 0), r"^malloc\(\) argument 1 must be int, not float$"),
        ):
            with self.assertRaisesRegex(TypeError, text):
                acl.rt.malloc(*args)


class Description(unittest.TestCase):
    def test_every_function_says_what_it_gives(self):
        for module, name, function in functions():
            with self.subTest(f"{module.__name__}.{name}"):
                self.assertRegex(function.__doc__, r"Gives |ACL_ERROR")
                self.assertEqual(function.__module__.replace("._acl", ""), module.__name__)

    def test_stubs(self):
        for module in MODULES:
            names = stub(module)
            own = {n for m, n, _ in functions() if m is module}
            with self.subTest(module=module.__name__):
                self.assertEqual(own, {n for n, d in names.items() if isinstance(d, ast.FunctionDef)})
            for name in own & set(names):
                parameters = inspect.signature(getattr(module, name)).parameters
                stubbed = names[name].args
                with self.subTest(f"{module.__name__}.{name}"):
                    self.assertEqual(list(parameters), [a.arg for a in stubbed.args])
                    self.assertIsNotNone(names[name].returns)
                    for argument in stubbed.args:
                        self.assertIsNotNone(argument.annotation)

    def test_stubs_of_numbers(self):
        numbers = {n for n in dir(acl) if re.match("(ACL|HI)_", n)}
        stubbed = {n for n, d in stub(acl).items() if isinstance(d, ast.AnnAssign)}
        self.assertEqual(numbers, stubbed - {"__version__"})
        self.assertGreater(len(numbers), 250)
        for name in numbers:
            self.assertIsInstance(getattr(acl, name), int)

    def test_every_function_is_called_by_a_test(self):
        text = "".join(p.read_text() for p in HERE.glob("test_*.py") if p.name != "test_calls.py")
        for module, name, _ in functions():
            with self.subTest(f"{module.__name__}.{name}"):
                self.assertRegex(text, rf"\b{module.__name__.split('.')[-1]}\.{name}\b")

    def test_documentation_has_every_row(self):
        """Documentation/python.md says what the functions say of themselves."""
        lines = (HERE.parent.parent / "Documentation" / "python.md").read_text().splitlines()
        rows = [line for line in lines if line.startswith("| `acl")]
        self.assertEqual(sorted(rows), sorted(row(m, n, f) for m, n, f in functions()))

    def test_headers_have_these_numbers(self):
        include = HERE.parent.parent / "include"
        program = '#include "acl/acl.h"\n#include "acl/dvpp/hi_dvpp.h"\n#include <stdio.h>\nint main(void)\n{\n'
        names = sorted(n for n in dir(acl) if re.match("(ACL|HI)_", n))
        program += "".join(f'printf("%ld\\n", (long){n});\n' for n in names) + "}\n"
        out = pathlib.Path(os.environ.get("TMPDIR", "/tmp")) / f"acl-numbers-{os.getpid()}"
        self.addCleanup(out.unlink, missing_ok=True)
        subprocess.run(
            ["cc", "-x", "c", "-", f"-I{include}", "-o", out], input=program, text=True, check=True
        )
        values = subprocess.run([out], capture_output=True, text=True, check=True).stdout.split()
        self.assertEqual({n: int(v) for n, v in zip(names, values)}, {n: getattr(acl, n) for n in names})


class Package(unittest.TestCase):
    def test_modules(self):
        for name in ("rt", "media", "himpi", "util"):
            self.assertIs(importlib.import_module(f"acl.{name}"), getattr(acl, name))
        self.assertTrue((pathlib.Path(acl.__file__).parent / "py.typed").exists())

    def test_numpy_is_not_needed(self):
        code = (
            "import sys; sys.modules['numpy'] = None; import acl;"
            "assert acl.rt.set_device(0) == 0; p, r = acl.rt.malloc(64, 0); assert r == 0;"
            "acl.util.ptr_to_bytes(p, 64)"
        )
        subprocess.run([sys.executable, "-c", code], check=True)

    def test_limited_interface_only(self):
        """The extension asks for nothing that is not of the limited interface."""
        so = next(pathlib.Path(acl.__file__).parent.glob("_acl*.so"))
        self.assertEqual(so.name, "_acl.abi3.so")
        out = subprocess.run(["nm", "-D", "--undefined-only", so], capture_output=True, text=True)
        self.assertEqual(out.returncode, 0)
        hidden = set(re.findall(r" U (_Py\w+)", out.stdout))
        self.assertLessEqual(hidden, LIMITED_HIDDEN)
        self.assertNotRegex(out.stdout, r" U PyUnicode_AsUTF8\n| U PyBuffer_| U PyObject_GetBuffer")

    def test_version(self):
        header = (HERE.parent.parent / "include" / "aclkm" / "version.h").read_text()
        self.assertIn(f'#define ACLKM_VERSION "{acl.__version__}"\n', header)


if __name__ == "__main__":
    tap.main()
