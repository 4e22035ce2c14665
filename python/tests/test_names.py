# SPDX-License-Identifier: MIT
"""What came with the names of later pages: versions, errors, attributes, allocators."""

import ctypes
import unittest

from device import D2H, NULL, PARAM, STREAM, DeviceTest
import tap

import acl
from acl import rt


class Process(DeviceTest):
    def test_version(self):
        self.assertEqual(acl.get_version(), rt.get_version())
        self.assertEqual(acl.get_version()[:2], (1, 17))

    def test_float_to_float16(self):
        self.assertEqual(acl.float_to_float16(1.0), 0x3C00)
        self.assertEqual(acl.float_to_float16(1), 0x3C00)
        self.assertEqual(acl.float_to_float16(value=-2.0), 0xC000)
        self.assertEqual(acl.float_to_float16(1e9), 0x7BFF)

    def test_app_log(self):
        self.assertIsNone(acl.app_log(1, "nobody reads this"))
        self.assertIsNone(acl.app_log(log_level=0, message="100 %s %n"))

    def test_last_error(self):
        rt.get_last_error(0)
        self.assertEqual(rt.peek_at_last_error(0), 0)
        self.bad(NULL, rt.free(0))
        self.assertEqual(rt.peek_at_last_error(0), NULL)
        self.assertEqual(rt.peek_at_last_error(level=0), NULL)
        self.assertEqual(rt.get_last_error(0), NULL)
        self.assertEqual(rt.get_last_error(0), 0)
        self.assertEqual(rt.peek_at_last_error(1), NULL)

    def test_uuid(self):
        uuid = self.good(rt.device_get_uuid(0))
        self.assertEqual(len(uuid), 16)
        self.assertEqual(self.good(rt.device_get_uuid(0)), uuid)
        self.bad(107001, rt.device_get_uuid(9))

    def test_primary_context(self):
        self.assertEqual(self.good(rt.get_primary_ctx_state(0))[1], 1)
        self.bad(107001, rt.get_primary_ctx_state(9))

    def test_faults(self):
        self.good(rt.mem_uce_repair(0, [{"addr": 4096, "len": 64}]))
        self.bad(PARAM, rt.mem_uce_repair(0, [{"addr": 4096, "len": 64}] * 21))
        with self.assertRaises(KeyError):
            rt.mem_uce_repair(0, [{"addr": 4096}])
        with self.assertRaises(TypeError):
            rt.mem_uce_repair(0, [7])


class Streams(DeviceTest):
    def test_attributes(self):
        stream = self.good(rt.create_stream())
        self.good(rt.set_stream_attribute(stream, acl.ACL_STREAM_ATTR_USER_CUSTOM_TAG, 77))
        self.assertEqual(self.good(rt.get_stream_attribute(stream, acl.ACL_STREAM_ATTR_USER_CUSTOM_TAG)), 77)
        self.good(rt.set_stream_attribute(stream, acl.ACL_STREAM_ATTR_FAILURE_MODE, 1))
        self.assertEqual(self.good(rt.get_stream_attribute(stream, acl.ACL_STREAM_ATTR_FAILURE_MODE)), 1)
        self.bad(NULL, rt.set_stream_attribute(stream, acl.ACL_STREAM_ATTR_FAILURE_MODE, 2))
        self.bad(NULL, rt.get_stream_attribute(stream, 99))
        self.good(rt.destroy_stream(stream))
        self.bad(STREAM, rt.get_stream_attribute(stream, acl.ACL_STREAM_ATTR_FAILURE_MODE))

    def test_described_copy(self):
        size = self.good(rt.get_memcpy_desc_size(3))
        desc = self.good(rt.malloc(size, 0))
        src = self.good(rt.malloc(256, 0))
        dst = self.good(rt.malloc(256, 0))
        host = self.good(rt.malloc_host(256))
        self.good(rt.memset(src, 256, 5, 256))
        self.good(rt.set_memcpy_desc(desc, 3, src, dst, 256, 0))
        self.good(rt.memcpy_async_with_desc(desc, 3, 0))
        self.good(rt.synchronize_stream(0))
        self.good(rt.memcpy(host, 256, dst, 256, D2H))
        self.assertEqual(acl.util.ptr_to_bytes(host, 256), b"\5" * 256)
        for ptr in (desc, src, dst):
            self.good(rt.free(ptr))
        self.good(rt.free_host(host))


class Allocators(DeviceTest):
    def test_allocator(self):
        calls = []
        stream = self.good(rt.create_stream())
        desc = rt.allocator_create_desc()
        self.assertTrue(desc)
        self.bad(NULL, rt.allocator_register(stream, desc))
        self.good(rt.allocator_set_obj_to_desc(desc, 1234))
        self.good(rt.allocator_set_alloc_func_to_desc(desc, lambda a, size: calls.append((a, size)) or 4096))
        self.good(rt.allocator_set_free_func_to_desc(desc, lambda a, block: calls.append((a, block))))
        self.good(rt.allocator_set_alloc_advise_func_to_desc(desc, lambda a, size, at: calls.append((a, size, at)) or 8192))
        self.good(rt.allocator_set_get_addr_from_block_func_to_desc(allocatorDesc=desc, func=lambda block: block + 1))
        self.good(rt.allocator_register(stream, desc))
        self.assertEqual(self.good(rt.allocator_get_by_stream(stream)), (desc, 1234))
        # As a library of operators would call them: by what the description holds.
        lib = ctypes.CDLL(None) if hasattr(ctypes.CDLL(None), "aclrtAllocatorGetByStream") else self.library()
        words = [ctypes.c_void_p() for _ in range(6)]
        self.assertEqual(lib.aclrtAllocatorGetByStream(ctypes.c_void_p(stream), *(ctypes.byref(w) for w in words)), 0)
        pointer, size_t = ctypes.c_void_p, ctypes.c_size_t
        take = ctypes.CFUNCTYPE(pointer, pointer, size_t)(words[2].value)
        give = ctypes.CFUNCTYPE(None, pointer, pointer)(words[3].value)
        advise = ctypes.CFUNCTYPE(pointer, pointer, size_t, pointer)(words[4].value)
        address = ctypes.CFUNCTYPE(pointer, pointer)(words[5].value)
        self.assertEqual(take(1234, 100), 4096)
        give(1234, 4096)
        self.assertEqual(advise(1234, 100, 77), 8192)
        self.assertEqual(address(41), 42)
        self.assertEqual(calls, [(1234, 100), (1234, 4096), (1234, 100, 77)])
        self.good(rt.allocator_unregister(stream))
        self.good(rt.allocator_destroy_desc(desc))
        self.bad(PARAM, rt.allocator_destroy_desc(desc))
        self.good(rt.destroy_stream(stream))

    @staticmethod
    def library():
        with open("/proc/self/maps", encoding="utf-8") as maps:
            path = next(line.split()[-1] for line in maps if "libaclkm.so" in line)
        return ctypes.CDLL(path)


if __name__ == "__main__":
    tap.main()
