# SPDX-License-Identifier: MIT
"""acl.rt: virtual addresses and sharing; the other process is this program, by exec."""

import json
import os
import subprocess
import sys

import tap
from device import NULL, PARAM, DeviceTest

import acl
from acl import rt

UNIT = 2 << 20
PROP = {
    "handleType": acl.ACL_MEM_HANDLE_TYPE_NONE,
    "allocationType": acl.ACL_MEM_ALLOCATION_TYPE_PINNED,
    "memAttr": acl.ACL_HBM_MEM_HUGE,
    "location": {"id": 0, "type": acl.ACL_MEM_LOCATION_TYPE_DEVICE},
    "reserve": 0,
}


class Vmm(DeviceTest):
    def test_map(self):
        unit = self.good(rt.mem_get_allocation_granularity(PROP, 0))
        self.assertEqual(unit, UNIT)
        ptr = self.good(rt.reserve_mem_address(2 * UNIT, 0, 0, 0))
        first = self.good(rt.malloc_physical(UNIT, PROP, 0))
        second = self.good(rt.malloc_physical(UNIT, PROP, 0))
        self.good(rt.map_mem(ptr, UNIT, 0, first, 0))
        self.good(rt.map_mem(ptr + UNIT, UNIT, 0, second, 0))
        self.good(rt.memset(ptr, 2 * UNIT, 0x41, 2 * UNIT))
        self.assertEqual(acl.util.ptr_to_bytes(ptr, 2 * UNIT), b"A" * (2 * UNIT))
        again = self.good(rt.mem_retain_allocation_handle(ptr))
        self.good(rt.free_physical(again))
        self.assertEqual(self.good(rt.mem_get_address_range(ptr + 5)), (ptr, UNIT))
        self.assertNotEqual(rt.release_mem_address(ptr), 0)
        self.good(rt.unmap_mem(ptr))
        self.good(rt.unmap_mem(ptr + UNIT))
        self.good(rt.release_mem_address(ptr))
        self.good(rt.free_physical(first))
        self.good(rt.free_physical(second))
        self.bad(PARAM, rt.free_physical(second))

    def test_errors(self):
        self.bad(NULL, rt.reserve_mem_address(0, 0, 0, 0))
        self.bad(PARAM, rt.reserve_mem_address(UNIT, 1, 0, 0))
        self.bad(NULL, rt.release_mem_address(0))
        self.bad(PARAM, rt.malloc_physical(UNIT + 1, PROP, 0))
        self.bad(NULL, rt.map_mem(0, UNIT, 0, 1, 0))
        self.bad(NULL, rt.unmap_mem(0))
        self.bad(PARAM, rt.mem_get_allocation_granularity(PROP, 7))
        self.bad(NULL, rt.mem_retain_allocation_handle(0))
        self.bad(PARAM, rt.mem_get_address_range(0x1000))

    def test_prop_is_checked(self):
        for prop, error in (
            ([], TypeError),
            ({}, KeyError),
            ({**PROP, "memAttr": "x"}, TypeError),
            ({**PROP, "location": 0}, TypeError),
            ({**PROP, "location": {"id": 0}}, KeyError),
            ({**PROP, "handleType": -1}, OverflowError),
            ({k: v for k, v in PROP.items() if k != "location"}, KeyError),
        ):
            with self.subTest(prop=prop):
                with self.assertRaises(error):
                    rt.malloc_physical(UNIT, prop, 0)
                with self.assertRaises(error):
                    rt.mem_get_allocation_granularity(prop, 0)
        short = {k: v for k, v in PROP.items() if k != "reserve"}
        self.good(rt.free_physical(self.good(rt.malloc_physical(UNIT, short, 0))))
        for args in ((UNIT, PROP), ("1", PROP, 0), (UNIT, PROP, "0")):
            with self.assertRaises(TypeError):
                rt.malloc_physical(*args)


class Sharing(DeviceTest):
    def other(self):
        """The other process, ready, and what asks it to do something."""
        process = subprocess.Popen(
            [sys.executable, os.path.abspath(__file__), "other"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        pid = json.loads(process.stdout.readline())

        def ask(*order):
            process.stdin.write(json.dumps(order) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        def end():
            process.stdin.close()
            self.assertEqual(process.wait(), 0)
            process.stdout.close()

        self.addCleanup(end)
        return pid, ask

    def test_physical_memory(self):
        pid, ask = self.other()
        handle = self.good(rt.malloc_physical(UNIT, PROP, 0))
        ptr = self.good(rt.reserve_mem_address(UNIT, 0, 0, 0))
        self.good(rt.map_mem(ptr, UNIT, 0, handle, 0))
        self.good(rt.memset(ptr, UNIT, 0x42, UNIT))
        shareable = self.good(rt.mem_export_to_shareable_handle(handle, 0, 0))
        self.bad(PARAM, rt.mem_export_to_shareable_handle(handle, 0, 0))
        self.assertEqual(ask("handle", shareable), [207006, ""])
        self.good(rt.mem_set_pid_to_shareable_handle(shareable, [pid]))
        self.assertEqual(ask("handle", shareable), [0, "B" * 16])
        self.assertEqual(acl.util.ptr_to_bytes(ptr, 4), b"seen")
        again = self.good(rt.mem_import_from_shareable_handle(shareable, 0))
        self.good(rt.free_physical(again))
        self.assertEqual(rt.mem_import_from_shareable_handle(12345, 0), (0, 107017))
        self.bad(NULL, rt.mem_set_pid_to_shareable_handle(shareable, []))
        for pids, error in (((1,), TypeError), (["1"], TypeError), ([2**40], OverflowError)):
            with self.assertRaises(error):
                rt.mem_set_pid_to_shareable_handle(shareable, pids)
        self.good(rt.unmap_mem(ptr))
        self.good(rt.release_mem_address(ptr))
        self.good(rt.free_physical(handle))

    def test_keys(self):
        pid, ask = self.other()
        ptr = self.good(rt.malloc(UNIT, 0))
        self.good(rt.memset(ptr, UNIT, 0x43, UNIT))
        key = self.good(rt.ipc_mem_get_export_key(ptr, UNIT, 65, 0))
        self.assertEqual(ask("key", key), [207006, ""])
        self.good(rt.ipc_mem_set_import_pid(key, [pid]))
        self.assertEqual(ask("key", key), [0, "C" * 16])
        self.assertEqual(acl.util.ptr_to_bytes(ptr, 4), b"seen")
        self.good(rt.ipc_mem_close(key))
        self.assertEqual(rt.ipc_mem_import_by_key(key, 0), (0, 107017))
        self.bad(107017, rt.ipc_mem_close("none"))
        self.assertEqual(rt.ipc_mem_get_export_key(ptr, UNIT, 64, 0), ("", PARAM))
        self.assertEqual(rt.ipc_mem_get_export_key(0, UNIT, 65, 0), ("", NULL))
        key = self.good(rt.ipc_mem_get_export_key(ptr, UNIT, 2**40, 1))
        self.assertEqual(ask("key", key), [0, "seenCCCCCCCCCCCC"])
        self.good(rt.ipc_mem_close(key))
        self.good(rt.free(ptr))

    def test_keys_are_checked(self):
        for call, rest in (
            (rt.ipc_mem_close, ()),
            (rt.ipc_mem_import_by_key, (0,)),
            (rt.ipc_mem_set_import_pid, ([1],)),
        ):
            for key, error in ((5, TypeError), (b"x", TypeError), ("x" * 65, ValueError), ("a\0b", ValueError)):
                with self.subTest(call=call.__name__, key=key), self.assertRaises(error):
                    call(key, *rest)
        with self.assertRaises(TypeError):
            rt.ipc_mem_set_import_pid("x", 1)


def use(ptr):
    """What is there first; then leaves a mark."""
    text = acl.util.ptr_to_bytes(ptr, 16).decode()
    assert rt.memcpy(ptr, 4, acl.util.bytes_to_ptr(b"seen"), 4, acl.ACL_MEMCPY_DEFAULT) == 0
    return text


def import_handle(shareable):
    handle, ret = rt.mem_import_from_shareable_handle(shareable, 0)
    if ret:
        return [ret, ""]
    ptr, ret = rt.reserve_mem_address(UNIT, 0, 0, 0)
    assert ret == 0 and rt.map_mem(ptr, UNIT, 0, handle, 0) == 0
    text = use(ptr)
    assert rt.unmap_mem(ptr) == 0 and rt.release_mem_address(ptr) == 0
    return [rt.free_physical(handle), text]


def import_key(key):
    ptr, ret = rt.ipc_mem_import_by_key(key, 0)
    if ret:
        return [ret, ""]
    text = use(ptr)
    return [rt.ipc_mem_close(key), text]


def be_other():
    assert rt.set_device(0) == 0
    print(json.dumps(rt.device_get_bare_tgid()[0]), flush=True)
    for line in sys.stdin:
        what, argument = json.loads(line)
        answer = {"handle": import_handle, "key": import_key}[what](argument)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["other"]:
        be_other()
    else:
        tap.main()
