# SPDX-License-Identifier: MIT
"""Whole programs: how they end, what the environment makes of them, what checks say."""

import os
import subprocess
import sys
import textwrap
import unittest

import tap


def run(program, **env):
    """Exit code, standard output and error of a program that has a device."""
    begin = "import sys, threading, time\nimport acl\nfrom acl import rt\nassert rt.set_device(0) == 0\n"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", begin + textwrap.dedent(program)],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout, done.stderr


class End(unittest.TestCase):
    THREAD = """
        context, stream = rt.get_context()[0], rt.create_stream()[0]
        def loop(args):
            rt.set_context(context)
            while True:
                rt.process_report(args[0])
        thread, ret = acl.util.start_thread(loop, [TIMEOUT])
        assert ret == 0 and rt.subscribe_report(thread, stream) == 0
    """

    def test_a_thread_waits_for_ever(self):
        self.assertEqual(run(self.THREAD.replace("TIMEOUT", "-1")), (0, "", ""))

    def test_callbacks_are_left(self):
        more = """
        for i in range(200):
            assert rt.launch_callback(lambda d: time.sleep(0.01), [i], 1, stream) == 0
        time.sleep(0.05)
        sys.exit(3)
        """
        self.assertEqual(run(self.THREAD.replace("TIMEOUT", "10") + more), (3, "", ""))

    def test_copies_are_left(self):
        program = """
        size = 64 << 20
        stream = rt.create_stream()[0]
        a, b = rt.malloc(size, 0)[0], rt.malloc(size, 0)[0]
        for i in range(20):
            assert rt.memcpy_async(b, size, a, size, 3, stream) == 0
        """
        self.assertEqual(run(program), (0, "", ""))

    def test_an_exception_in_a_callback_is_told(self):
        more = """
        def callback(data):
            raise ValueError("from the callback")
        assert rt.launch_callback(callback, [], 1, stream) == 0
        assert rt.synchronize_stream(stream) == 0
        time.sleep(0.05)
        """
        code, out, err = run(self.THREAD.replace("TIMEOUT", "10") + more)
        self.assertEqual((code, out), (0, ""))
        self.assertIn("ValueError: from the callback", err)


class Callbacks(unittest.TestCase):
    def test_callbacks_may_allocate_copy_and_free(self):
        program = End.THREAD.replace("TIMEOUT", "10") + """
        seen = []
        def callback(data):
            ptr, ret = rt.malloc(100, 0)
            seen.extend([ret, rt.memset(ptr, 100, 1, 100), rt.free(ptr), rt.free(data[0])])
            seen.append(rt.synchronize_stream(stream))
        block = rt.malloc(100, 0)[0]
        assert rt.launch_callback(callback, [block], 1, stream) == 0
        assert rt.synchronize_stream(stream) == 0
        print(seen, rt.free(block))
        """
        self.assertEqual(run(program), (0, "[0, 0, 0, 0, 207000] 107000\n", ""))


class Environment(unittest.TestCase):
    UNALIGNED = """
        ptr, host = rt.malloc(4096, 0)[0], rt.malloc_host(4096)[0]
        print(rt.memcpy_async(ptr + 1, 64, host, 64, 1, 0), rt.synchronize_stream(0))
        print(rt.malloc(64, 99)[1], ptr % 64)
    """

    def test_strict(self):
        self.assertEqual(run(self.UNALIGNED)[1], "0 0\n0 0\n")
        self.assertEqual(run(self.UNALIGNED, ACLKM_STRICT="1")[1], "107008 0\n107000 0\n")

    def test_run_mode(self):
        program = "print(rt.get_run_mode())"
        self.assertEqual(run(program, ACLKM_RUN_MODE="device")[1], "(0, 0)\n")
        self.assertEqual(run(program, ACLKM_RUN_MODE="host")[1], "(1, 0)\n")

    @unittest.skipIf(os.environ.get("ACLKM_BACKEND") == "kmod", "the driver says how much there is")
    def test_size(self):
        self.assertEqual(run("print(rt.get_mem_info(1)[1:])", ACLKM_MEM="64M")[1], f"({64 << 20}, 0)\n")

    def test_a_bad_value_is_refused(self):
        code = "import acl; print(acl.rt.set_device(0), acl.get_recent_err_msg())"
        env = {**os.environ, "ACLKM_MEM": "much"}
        out = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
        self.assertTrue(out.stdout.startswith("100000 "), out.stdout)
        self.assertIn("ACLKM_MEM", out.stdout)


class Checks(unittest.TestCase):
    def test_double_free_and_leak(self):
        program = """
        kept, freed = rt.malloc(100, 0)[0], rt.malloc(200, 0)[0]
        print(rt.free(freed), rt.free(freed))
        """
        code, out, err = run(program, ACLKM_CHECK="free,leak")
        self.assertEqual((code, out), (66, "0 107000\n"))
        self.assertIn("bad-free", err)
        self.assertIn("leak: a block was never freed", err)
        self.assertIn("block: 100 bytes", err)

    def test_red_zone(self):
        program = """
        ptr = rt.malloc(100, 0)[0]
        rt.memset(ptr, 200, 1, 200)
        rt.free(ptr)
        """
        code, _, err = run(program, ACLKM_CHECK="redzone,bounds")
        self.assertEqual(code, 66)
        self.assertIn("100 bytes", err)

    def test_nothing_to_report(self):
        program = """
        ptr = rt.malloc(100, 0)[0]
        assert rt.memset(ptr, 100, 1, 100) == 0 and rt.free(ptr) == 0
        """
        self.assertEqual(run(program, ACLKM_CHECK="all"), (0, "", ""))


if __name__ == "__main__":
    tap.main()
