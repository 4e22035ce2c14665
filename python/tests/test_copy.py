# SPDX-License-Identifier: MIT
"""acl.rt: copies and sets of real data, at once and in streams."""

import os
import struct

import tap
from device import D2D, D2H, H2D, H2H, NULL, PARAM, STREAM, DeviceTest

import acl
from acl import rt

SIZE = 1 << 20


class Copies(DeviceTest):
    def setUp(self):
        super().setUp()
        self.a = self.good(rt.malloc(SIZE, 0))
        self.b = self.good(rt.malloc(SIZE, 0))
        self.host = self.good(rt.malloc_host(SIZE))
        self.stream = self.good(rt.create_stream())

    def tearDown(self):
        self.good(rt.destroy_stream(self.stream))
        for ptr in (self.a, self.b):
            self.good(rt.free(ptr))
        self.good(rt.free_host(self.host))
        super().tearDown()

    def fill(self, ptr, data):
        source = acl.util.bytes_to_ptr(data)
        self.good(rt.memcpy(ptr, len(data), source, len(data), acl.ACL_MEMCPY_DEFAULT))

    def read(self, ptr, size=SIZE):
        out = bytearray(size)
        data = bytes(out)  # a fresh object that nothing else sees
        self.good(rt.memcpy(acl.util.bytes_to_ptr(data), size, ptr, size, D2H))
        return data

    def test_round_trip(self):
        data = os.urandom(SIZE)
        self.fill(self.a, data)
        self.good(rt.memcpy(self.b, SIZE, self.a, SIZE, D2D))
        self.assertEqual(self.read(self.b), data)
        self.good(rt.memcpy(self.host, SIZE, self.b, SIZE, D2H))
        self.assertEqual(acl.util.ptr_to_bytes(self.host, SIZE), data)
        self.good(rt.memcpy(self.host, 16, acl.util.bytes_to_ptr(b"x" * 16), 16, H2H))
        self.assertEqual(acl.util.ptr_to_bytes(self.host, 17), b"x" * 16 + data[16:17])

    def test_errors(self):
        self.bad(PARAM, rt.memcpy(self.a, 10, self.b, 11, D2D), "11")
        self.bad(NULL, rt.memcpy(0, 10, self.b, 10, D2D))
        self.bad(NULL, rt.memcpy(self.a, 10, 0, 10, D2D))
        self.bad(NULL, rt.memcpy(self.a, 10, self.b, 10, 6))
        self.good(rt.memcpy(0, 0, 0, 0, D2D))
        self.bad(PARAM, rt.memset(self.a, 10, 0, 11))
        self.bad(NULL, rt.memset(0, 10, 0, 10))
        self.bad(PARAM, rt.memset_async(self.a, 10, 0, 11, self.stream))
        self.bad(STREAM, rt.memcpy_async(self.a, 8, self.b, 8, D2D, 0xDEAD))
        self.bad(207000, rt.memcpy_async(self.host, 8, self.host + 64, 8, H2H, self.stream))
        self.bad(STREAM, rt.memset_async(self.a, 8, 0, 8, 0xDEAD))

    def test_set(self):
        self.good(rt.memset(self.a, SIZE, 0x1FF, SIZE))
        self.assertEqual(self.read(self.a), b"\xff" * SIZE)
        self.good(rt.memset(self.a, SIZE, -2, 3))
        self.assertEqual(self.read(self.a, 4), b"\xfe\xfe\xfe\xff")
        self.good(rt.memset_async(self.a, SIZE, 7, SIZE, self.stream))
        self.good(rt.synchronize_stream(self.stream))
        self.assertEqual(self.read(self.a), b"\x07" * SIZE)

    def test_async(self):
        data = os.urandom(SIZE)
        self.fill(self.host, data)
        for copy in (rt.memcpy_async, rt.memcpy_async_with_condition):
            self.good(rt.memset(self.b, SIZE, 0, SIZE))
            self.good(copy(self.a, SIZE, self.host, SIZE, H2D, self.stream))
            self.good(copy(self.b, SIZE, self.a, SIZE, D2D, self.stream))
            self.good(rt.synchronize_stream(self.stream))
            self.assertEqual(self.read(self.b), data)
        self.bad(PARAM, rt.memcpy_async_with_condition(self.a, 1, self.b, 2, D2D, self.stream))

    def test_async_is_asynchronous(self):
        flag = self.good(rt.malloc(8, 0))
        self.good(rt.memset(flag, 8, 0, 8))
        self.fill(self.host, b"1" * SIZE)
        self.good(rt.memset(self.a, SIZE, 0, SIZE))
        self.good(rt.value_wait(flag, 1, acl.ACL_STREAM_WAIT_VALUE_EQ, self.stream))
        self.good(rt.memcpy_async(self.a, SIZE, self.host, SIZE, H2D, self.stream))
        self.assertEqual(self.good(rt.stream_query(self.stream)), 1)
        self.assertEqual(self.read(self.a, 1), b"\0")
        self.fill(self.host, b"2" * SIZE)
        self.good(rt.value_write(flag, 1, 0, 0))
        self.good(rt.synchronize_stream(self.stream))
        self.assertEqual(self.read(self.a), b"2" * SIZE)
        self.good(rt.free(flag))

    def test_pageable_memory_is_copied_before_the_call_returns(self):
        data = os.urandom(SIZE)
        source = acl.util.bytes_to_ptr(data)
        self.good(rt.memcpy_async(self.a, SIZE, source, SIZE, H2D, self.stream))
        self.assertEqual(acl.util.ptr_to_bytes(self.a, SIZE), data)

    def test_values(self):
        self.bad(NULL, rt.value_write(0, 1, 0, self.stream))
        self.bad(PARAM, rt.value_write(self.a + 4, 1, 0, self.stream))
        self.bad(PARAM, rt.value_write(self.a, 1, 1, self.stream))
        self.bad(PARAM, rt.value_wait(self.a, 1, 4, self.stream))
        self.good(rt.value_write(self.a, 0x1122334455667788, 0, self.stream))
        self.good(rt.value_wait(self.a, 0x1122334455667788, 1, self.stream))
        self.good(rt.synchronize_stream(self.stream))
        self.assertEqual(self.read(self.a, 8)[::-1].hex(), "1122334455667788")

    def test_rows(self):
        data = bytes(range(200)) * 4
        source = acl.util.bytes_to_ptr(data)
        self.good(rt.memset(self.a, SIZE, 0, SIZE))
        self.good(rt.memcpy2d(self.a, 64, source, 200, 50, 4, H2D))
        rows = self.read(self.a, 256)
        for row in range(4):
            self.assertEqual(rows[row * 64 : row * 64 + 50], data[row * 200 : row * 200 + 50])
            self.assertEqual(rows[row * 64 + 50 : row * 64 + 64], bytes(14))
        self.good(rt.memcpy2d_async(self.b, 64, self.a, 64, 50, 4, D2D, self.stream))
        self.good(rt.synchronize_stream(self.stream))
        self.assertEqual(self.read(self.b, 50), data[:50])
        self.bad(NULL, rt.memcpy2d(self.a, 10, source, 200, 11, 4, H2D))
        self.bad(NULL, rt.memcpy2d(self.a, 64, source, 200, 50, 4, D2D))
        self.bad(NULL, rt.memcpy2d_async(self.b, 64, self.a, 64, 0, 4, D2D, self.stream))

    def test_reduce(self):
        count, kind = 16, acl.ACL_RT_MEMCPY_SDMA_AUTOMATIC_SUM
        one, two = self.good(rt.malloc(count, 2)), self.good(rt.malloc(count, 2))
        self.fill(one, struct.pack("4i", 1, 2, 3, -4))
        self.fill(two, struct.pack("4i", 10, 20, 30, 4))
        self.good(rt.reduce_async(one, two, count, kind, acl.ACL_INT32, 0, 0))
        self.good(rt.synchronize_stream(0))
        self.assertEqual(struct.unpack("4i", self.read(one, count)), (11, 22, 33, 0))
        self.bad(PARAM, rt.reduce_async(one, two, 6, kind, acl.ACL_INT32, 0, 0))
        self.bad(NULL, rt.reduce_async(one, two, 8, kind, acl.ACL_INT32, 0, 1))
        self.bad(207000, rt.reduce_async(one, two, 8, kind, acl.ACL_DOUBLE, 0, 0))
        self.good(rt.free(one))
        self.good(rt.free(two))

    def test_caches(self):
        self.good(rt.cmo_async(self.a, SIZE, acl.ACL_RT_CMO_TYPE_PREFETCH, self.stream))
        self.bad(NULL, rt.cmo_async(0, SIZE, 0, self.stream))
        self.good(rt.mem_flush(self.a, SIZE))
        self.bad(NULL, rt.mem_flush(0, SIZE))
        self.good(rt.mem_invalidate(self.a, SIZE))
        self.bad(NULL, rt.mem_invalidate(self.a, 0))


if __name__ == "__main__":
    tap.main()
