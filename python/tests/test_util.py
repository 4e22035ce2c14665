# SPDX-License-Identifier: MIT
"""acl and acl.util: bytes, numpy arrays, threads, data buffers, start and end."""

import os
import sys
import tempfile
import threading
import unittest
import warnings

import tap
from device import D2H, H2D, NULL, DeviceTest

import acl
from acl import rt, util

try:
    import numpy
except ImportError:
    numpy = None


class Bytes(DeviceTest):
    def test_bytes(self):
        data = os.urandom(1000)
        ptr = util.bytes_to_ptr(data)
        self.assertEqual(util.ptr_to_bytes(ptr, 1000), data)
        self.assertEqual(util.ptr_to_bytes(ptr + 10, 5), data[10:15])
        self.assertEqual(util.ptr_to_bytes(ptr, 0), b"")
        for wrong in (bytearray(10), "text", 5, None):
            with self.assertRaises(TypeError):
                util.bytes_to_ptr(wrong)

    def test_ranges_that_cannot_be(self):
        with self.assertRaisesRegex(ValueError, "ptr is 0"):
            util.ptr_to_bytes(0, 10)
        with self.assertRaisesRegex(ValueError, "no memory is that large"):
            util.ptr_to_bytes(0x1000, -1)
        with self.assertRaises(ValueError):
            util.ptr_to_bytes(2**64 - 10, 20)
        with self.assertRaises(TypeError):
            util.ptr_to_bytes("0", 10)
        with self.assertRaises(TypeError):
            util.ptr_to_bytes(0x1000)

    def test_device_memory(self):
        ptr = self.good(rt.malloc(4096, 0))
        self.good(rt.memset(ptr, 4096, 0x33, 4096))
        self.assertEqual(util.ptr_to_bytes(ptr, 4096), b"\x33" * 4096)
        self.good(rt.free(ptr))


@unittest.skipIf(numpy is None, "numpy is not here")
class Arrays(DeviceTest):
    def test_to_device_and_back(self):
        for dtype, number in (("f4", 11), ("i4", 5), ("u1", 2), ("f2", 23), ("i8", 7), ("?", 0)):
            with self.subTest(dtype=dtype):
                array = (numpy.random.rand(3, 5, 7) * 100).astype(dtype)
                size = array.nbytes
                host = self.good(rt.malloc_host(size))
                device = self.good(rt.malloc(size, 0))
                self.good(rt.memcpy(device, size, util.numpy_to_ptr(array), size, H2D))
                self.good(rt.memcpy(host, size, device, size, D2H))
                back = util.ptr_to_numpy(host, (3, 5, 7), number)
                self.assertEqual(back.dtype, array.dtype)
                self.assertTrue((back == array).all())
                # It is the memory, not a copy.
                self.good(rt.memset(host, size, 0, size))
                self.assertFalse(back.any())
                back[2, 4, 6] = 1
                self.assertNotEqual(util.ptr_to_bytes(host, size)[-back.itemsize :], bytes(back.itemsize))
                del back
                self.good(rt.free_host(host))
                self.good(rt.free(device))

    def test_addresses(self):
        array = numpy.arange(12, dtype=numpy.int32).reshape(3, 4)
        self.assertEqual(util.numpy_to_ptr(array), array.ctypes.data)
        ptr, same = util.numpy_contiguous_to_ptr(array)
        self.assertEqual((ptr, same is array), (array.ctypes.data, True))
        turned = array.T
        with self.assertWarnsRegex(RuntimeWarning, "numpy_contiguous_to_ptr"):
            self.assertEqual(util.numpy_to_ptr(turned), turned.ctypes.data)
        ptr, copy = util.numpy_contiguous_to_ptr(turned)
        self.assertEqual(ptr, copy.ctypes.data)
        self.assertNotEqual(ptr, turned.ctypes.data)
        self.assertEqual(util.ptr_to_bytes(ptr, copy.nbytes), turned.tobytes())
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            util.numpy_to_ptr(array)

    def test_errors(self):
        for call in (util.numpy_to_ptr, util.numpy_contiguous_to_ptr):
            for wrong in (b"bytes", [1, 2], 5, None):
                with self.assertRaises(TypeError):
                    call(wrong)
            with self.assertRaises(TypeError):
                call()
        for args, error in (
            ((4096, [1], 5), TypeError),
            ((4096, ("1",), 5), TypeError),
            ((4096, (1,), "5"), TypeError),
            (("4096", (1,), 5), TypeError),
            ((4096, (1,)), TypeError),
            ((4096, (1,), 99), ValueError),
            ((4096, (-1,), 5), ValueError),
            ((0, (1,), 5), ValueError),
            ((4096, (2**62, 2**62), 5), Exception),
        ):
            with self.subTest(args=args), self.assertRaises(error):
                util.ptr_to_numpy(*args)
        self.assertEqual(util.ptr_to_numpy(4096, (0, 4), 5).shape, (0, 4))


class Threads(DeviceTest):
    def test_threads(self):
        seen = []
        hold = threading.Event()

        def function(args_list):
            hold.wait()
            seen.append((threading.get_ident(), args_list))

        args = [1, "two"]
        thread = self.good(util.start_thread(function, args))
        self.assertEqual(seen, [])
        hold.set()
        self.good(util.stop_thread(thread))
        self.assertEqual(seen, [(thread, args)])
        self.assertIs(seen[0][1], args)
        self.assertEqual(util.stop_thread(thread), NULL)

    def test_errors(self):
        with self.assertRaises(TypeError):
            util.start_thread(5, [])
        with self.assertRaises(TypeError):
            util.start_thread(print)
        with self.assertRaises(TypeError):
            util.stop_thread("1")
        self.assertEqual(util.stop_thread(1), NULL)
        own = []
        hold = threading.Event()

        def itself(args_list):
            hold.wait()
            own.append(util.stop_thread(args_list[0]))

        args = [0]
        args[0] = self.good(util.start_thread(itself, args))
        hold.set()
        self.good(util.stop_thread(args[0]))
        self.assertEqual(own[-1], NULL)


class Process(unittest.TestCase):
    def test_init(self):
        self.assertEqual(acl.init(), 0)
        self.assertEqual(acl.init(None), 100002)
        self.assertEqual(acl.finalize_reference(), (1, 0))
        self.assertEqual(acl.finalize(), 0)
        self.assertEqual(acl.finalize(), 100037)
        self.assertEqual(acl.finalize_reference()[1], 100037)
        self.assertEqual(acl.init(""), 0)
        self.assertEqual(acl.finalize(), 0)

    def test_init_file(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write("{}")
            file.flush()
            self.assertEqual(acl.init(file.name), 0)
            self.assertEqual(acl.finalize(), 0)
        self.assertEqual(acl.init("/nonexistent/acl.json"), 100003)
        with self.assertRaises(TypeError):
            acl.init(1)
        with self.assertRaises(TypeError):
            acl.init("a", "b")
        with self.assertRaises(ValueError):
            acl.init("a\0b")

    def test_error_text(self):
        acl.get_recent_err_msg()
        self.assertIsNone(acl.get_recent_err_msg())
        rt.free(0)
        self.assertIn("aclrtFree", acl.get_recent_err_msg())
        self.assertIsNone(acl.get_recent_err_msg())

    def test_data_buffers(self):
        data = bytes(100)
        ptr = util.bytes_to_ptr(data)
        buffer = acl.create_data_buffer(ptr, 100)
        self.assertNotEqual(buffer, 0)
        self.assertEqual(acl.get_data_buffer_addr(buffer), ptr)
        self.assertEqual(acl.get_data_buffer_size(buffer), 100)
        self.assertEqual(acl.update_data_buffer(buffer, ptr + 1, 5 << 32), 0)
        self.assertEqual(acl.get_data_buffer_addr(buffer), ptr + 1)
        self.assertEqual(acl.get_data_buffer_size_v2(buffer), 5 << 32)
        self.assertEqual(acl.destroy_data_buffer(buffer), 0)
        self.assertEqual(acl.destroy_data_buffer(0), NULL)
        self.assertEqual(acl.update_data_buffer(0, 0, 0), NULL)
        self.assertEqual(acl.get_data_buffer_addr(0), 0)
        self.assertEqual(acl.get_data_buffer_size(0), 0)
        self.assertEqual(acl.get_data_buffer_size_v2(0), 0)

    def test_types(self):
        self.assertEqual(acl.float16_to_float(0x3C00), 1.0)
        self.assertEqual(acl.float16_to_float(0x7C00), 65536.0)
        self.assertEqual(acl.data_type_size(acl.ACL_FLOAT), 4)
        self.assertEqual(acl.data_type_size(acl.ACL_DOUBLE), 8)
        self.assertEqual(acl.data_type_size(acl.ACL_DT_UNDEFINED), 0)
        self.assertEqual(acl.get_soc_name(), acl.get_soc_name())

    def test_a_forked_child_is_refused(self):
        self.assertEqual(rt.set_device(0), 0)
        sys.stdout.flush()
        child = os.fork()
        if not child:
            os._exit(0 if rt.malloc(100, 0) == (0, 507000) else 1)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.assertEqual(rt.reset_device(0), 0)


if __name__ == "__main__":
    tap.main()
