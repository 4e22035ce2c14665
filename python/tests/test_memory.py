# SPDX-License-Identifier: MIT
"""acl.rt and acl.media: memory, its sizes, alignment and errors."""

import ctypes
import mmap

import tap
from device import NULL, PARAM, DeviceTest

import acl
from acl import himpi, media, rt

HUGE_FIRST = acl.ACL_MEM_MALLOC_HUGE_FIRST
CFG = {"attrs": [{"attr": 1, "value": {"moduleId": 33}}], "numAttrs": 1}


def stride(malloc, free, size):
    """Bytes that the device has less after an allocation."""
    before = rt.get_mem_info(acl.ACL_HBM_MEM)[0]
    ptr, ret = malloc(size)
    after = rt.get_mem_info(acl.ACL_HBM_MEM)[0]
    assert ret == 0 and free(ptr) == 0
    return before - after


class Device(DeviceTest):
    def test_malloc(self):
        for size in (1, 31, 32, 33, 100, 4096, 65536, 3110400):
            with self.subTest(size=size):
                ptr = self.good(rt.malloc(size, HUGE_FIRST))
                self.assertEqual(ptr % 512, 0)
                self.good(rt.memset(ptr, size, 0x5A, size))
                self.assertEqual(acl.util.ptr_to_bytes(ptr, size), b"\x5a" * size)
                self.good(rt.free(ptr))

    def test_sizes_by_rule(self):
        # Blocks of whole pages show the rule: 4096 needs 32 more, Align32 does not.
        size = 8 << 20
        self.assertGreater(stride(lambda n: rt.malloc(n, 2), rt.free, size), size)
        self.assertEqual(stride(lambda n: rt.malloc_align32(n, 2), rt.free, size), size)
        self.assertGreater(stride(media.dvpp_malloc, media.dvpp_free, size), size)

    def test_errors(self):
        self.bad(NULL, rt.malloc(0, 0), "size = 0")
        self.bad(NULL, rt.malloc(2**64 - 1, 0))
        self.bad(NULL, rt.malloc(-1, 0))  # wraps, as in pyACL
        self.bad(207001, rt.malloc(1 << 40, 0))
        self.bad(NULL, rt.free(0))
        self.bad(PARAM, rt.free(0x1000))
        ptr = self.good(rt.malloc(100, 0))
        self.bad(PARAM, rt.free(ptr + 1))
        self.bad(PARAM, rt.free_host(ptr))
        self.bad(PARAM, media.dvpp_free(ptr))
        self.good(rt.free(ptr))
        self.bad(PARAM, rt.free(ptr), "freed")

    def test_align32_cached(self):
        ptr = self.good(rt.malloc_align32(100, 0))
        self.good(rt.free(ptr))
        self.bad(NULL, rt.malloc_align32(0, 0))
        for policy in (0, 2):
            ptr = self.good(rt.malloc_cached(100, policy))
            self.good(rt.free(ptr))
        self.bad(PARAM, rt.malloc_cached(100, 3))
        self.bad(PARAM, rt.malloc_cached((1 << 50) + 1, 0))

    def test_with_cfg(self):
        for malloc in (rt.malloc_with_cfg, rt.malloc_for_task_scheduler):
            for cfg in ({}, None, CFG, {"attrs": [{"attr": 1, "value": 33}]}, {"numAttrs": 0}):
                with self.subTest(malloc=malloc.__name__, cfg=cfg):
                    self.good(rt.free(self.good(malloc(100, 0, cfg))))
            self.bad(NULL, malloc(100, 0, {"attrs": None, "numAttrs": 1}))
            self.bad(PARAM, malloc(100, 0, {"attrs": [{"attr": 2, "value": {"deviceId": 5}}]}))
            self.bad(PARAM, malloc(100, 0, {"attrs": [{"attr": 99, "value": 0}]}))
        # The module shows in the accounts.
        cfg = {"attrs": [{"attr": 1, "value": {"moduleId": 7}}], "numAttrs": 1}
        ptr = self.good(rt.malloc_with_cfg(1 << 20, 0, cfg))
        names = [entry["name"] for entry in self.good(rt.get_mem_usage_info(0, 16))]
        self.assertIn("module 7", names)
        self.good(rt.free(ptr))

    def test_cfg_is_checked(self):
        for cfg, error in (
            ([], TypeError),
            ({"attrs": 1}, TypeError),
            ({"attrs": [1]}, TypeError),
            ({"attrs": [{"attr": "1", "value": 0}]}, TypeError),
            ({"attrs": [{"attr": 1, "value": "x"}]}, TypeError),
            ({"attrs": [{"value": 0}]}, KeyError),
            ({"attrs": [{"attr": 1}]}, KeyError),
            ({"attrs": [{"attr": 1, "value": {"deviceId": 0}}]}, KeyError),
            ({"attrs": [{"attr": 1, "value": 65536}]}, OverflowError),
            ({"attrs": [], "numAttrs": 1}, ValueError),
            ({"attrs": [], "numAttrs": "x"}, TypeError),
        ):
            with self.subTest(cfg=cfg):
                with self.assertRaises(error):
                    rt.malloc_with_cfg(100, 0, cfg)
                with self.assertRaises(error):
                    rt.malloc_for_task_scheduler(100, 0, cfg)
                with self.assertRaises(error):
                    rt.malloc_host_with_cfg(100, cfg)
                with self.assertRaises(error):
                    media.dvpp_malloc_with_cfg(100, 0, cfg)

    def test_dev_sync(self):
        ptr = self.good(rt.malloc(100, 0))
        self.good(rt.free_with_dev_sync(ptr))
        self.bad(PARAM, rt.free_with_dev_sync(ptr))
        ptr = self.good(rt.malloc_host(100))
        self.good(rt.free_host_with_dev_sync(ptr))
        self.bad(PARAM, rt.free_host_with_dev_sync(ptr))

    def test_managed(self):
        ptr = self.good(rt.mem_alloc_managed(100, acl.ACL_RT_MEM_ATTACH_GLOBAL))
        self.assertEqual(ptr % (2 << 20), 0)
        attributes = self.good(rt.pointer_get_attributes(ptr))
        self.assertEqual(attributes["location"]["type"], acl.ACL_MEM_LOCATION_TYPE_MANAGED)
        self.good(rt.free(ptr))
        self.bad(NULL, rt.mem_alloc_managed(100, 9))

    def test_peer_map(self):
        ptr = self.good(rt.malloc(4096, 0))
        self.good(rt.mem_p2p_map(ptr, 4096, 0, 0))
        self.bad(NULL, rt.mem_p2p_map(0, 4096, 0, 0))
        self.bad(107001, rt.mem_p2p_map(ptr, 4096, 77, 0))
        self.good(rt.free(ptr))

    def test_information(self):
        free, total = self.good(rt.get_mem_info(acl.ACL_HBM_MEM))
        self.assertEqual(total, 512 << 20)
        self.assertTrue(0 < free <= total)
        ptr = self.good(rt.malloc(16 << 20, 0))
        self.assertLessEqual(rt.get_mem_info(acl.ACL_HBM_MEM)[0], free - (16 << 20))
        self.good(rt.free(ptr))
        self.assertEqual(rt.get_mem_info(acl.ACL_HBM_MEM)[0], free)
        self.bad(107016, rt.get_mem_info(99))
        self.assertEqual(self.good(rt.get_mem_uce_info(0, 20)), [])
        self.assertEqual(self.good(rt.get_mem_uce_info(0, 2**40)), [])
        self.bad(107001, rt.get_mem_uce_info(77, 20))
        ptr = self.good(rt.malloc(100, 0))
        usage = self.good(rt.get_mem_usage_info(0, 2**40))
        self.assertEqual(set(usage[0]), {"name", "curMemSize", "memPeakSize"})
        self.assertEqual(usage[0]["name"], "APP")
        self.good(rt.free(ptr))
        self.bad(NULL, rt.get_mem_usage_info(0, 0))
        self.bad(107001, rt.get_mem_usage_info(77, 4))

    def test_attributes(self):
        ptr = self.good(rt.malloc(100, 0))
        attributes = self.good(rt.pointer_get_attributes(ptr))
        self.assertEqual(attributes["location"], {"id": 0, "type": 1})
        self.assertGreaterEqual(attributes["page_size"], 4096)
        self.assertEqual(attributes["page_size"], attributes["pageSize"])
        self.assertEqual(attributes["rsv"], [0, 0, 0, 0])
        self.good(rt.free(ptr))
        data = bytes(100)
        attributes = self.good(rt.pointer_get_attributes(acl.util.bytes_to_ptr(data)))
        self.assertEqual(attributes["location"]["type"], acl.ACL_MEM_LOCATION_TYPE_UNREGISTERED)
        self.assertEqual(rt.pointer_get_attributes(0)[1], NULL)


class Host(DeviceTest):
    def test_malloc(self):
        ptr = self.good(rt.malloc_host(1000))
        self.assertEqual(ptr % 512, 0)
        attributes = self.good(rt.pointer_get_attributes(ptr))
        self.assertEqual(attributes["location"]["type"], acl.ACL_MEM_LOCATION_TYPE_HOST)
        self.bad(PARAM, rt.free(ptr))
        self.bad(PARAM, rt.free_host(ptr + 1))
        self.good(rt.free_host(ptr))
        self.bad(PARAM, rt.free_host(ptr))
        self.bad(NULL, rt.free_host(0))
        self.bad(NULL, rt.malloc_host(0))

    def test_with_cfg(self):
        va = {"attrs": [{"attr": 3, "value": {"vaFlag": 1}}], "numAttrs": 1}
        for cfg in ({}, CFG, va):
            self.good(rt.free_host(self.good(rt.malloc_host_with_cfg(100, cfg))))
        self.bad(NULL, rt.malloc_host_with_cfg(0, {}))

    def test_register(self):
        memory = mmap.mmap(-1, 1 << 16)
        memory[:5] = b"hello"
        view = ctypes.c_char.from_buffer(memory)
        ptr = ctypes.addressof(view)
        self.bad(PARAM, rt.host_register(ptr + 1, 4096, 0), "4096")
        self.bad(NULL, rt.host_register(0, 4096, 0))
        self.bad(507911, rt.host_unregister(ptr))
        self.bad(507911, rt.host_get_device_pointer(ptr, 0))
        self.assertEqual(self.good(rt.host_register(ptr, 1 << 16, 0)), ptr)
        self.bad(507910, rt.host_register(ptr, 4096, 0))
        self.bad(507910, rt.host_register_v2(ptr, 4096, acl.ACL_HOST_REG_MAPPED))
        self.assertEqual(self.good(rt.host_get_device_pointer(ptr, 0)), ptr)
        self.bad(NULL, rt.host_get_device_pointer(ptr, 1))
        self.good(rt.host_unregister(ptr))
        self.good(rt.host_register_v2(ptr, 1 << 16, acl.ACL_HOST_REG_MAPPED))
        self.good(rt.host_unregister(ptr))
        self.bad(PARAM, rt.host_register_v2(ptr, 4096, 0))


class Media(DeviceTest):
    def test_dvpp(self):
        ptr = self.good(media.dvpp_malloc(3110400))
        self.assertEqual(ptr % 128, 0)
        self.bad(PARAM, rt.free(ptr))
        self.bad(PARAM, media.dvpp_free(ptr + 128))
        self.good(media.dvpp_free(ptr))
        self.bad(PARAM, media.dvpp_free(ptr))
        self.bad(NULL, media.dvpp_free(0))
        self.bad(NULL, media.dvpp_malloc(0))

    def test_dvpp_with_cfg(self):
        for cfg in ({}, CFG):
            self.good(media.dvpp_free(self.good(media.dvpp_malloc_with_cfg(100, 0, cfg))))
        self.bad(NULL, media.dvpp_malloc_with_cfg(0, 0, {}))
        with self.assertRaises(TypeError):
            media.dvpp_malloc_with_cfg(100, 0)
        with self.assertRaises(TypeError):
            media.dvpp_malloc_with_cfg(100, "0", {})

    def test_himpi(self):
        self.assertEqual(himpi.sys_exit(), acl.HI_ERR_SYS_NOT_READY)
        self.good(himpi.sys_init())
        ptr = self.good(himpi.dvpp_malloc(0, 3110400))
        self.assertEqual(ptr % 128, 0)
        self.assertEqual(himpi.dvpp_free(ptr + 128), acl.HI_ERR_SYS_ILLEGAL_PARAM)
        self.good(himpi.dvpp_free(ptr))
        self.assertEqual(himpi.dvpp_free(ptr), acl.HI_ERR_SYS_ILLEGAL_PARAM)
        self.assertEqual(himpi.dvpp_free(0), acl.HI_ERR_SYS_NULL_PTR)
        self.assertEqual(himpi.dvpp_free(0) & 0xFFFFFFFF, 0xA0028006)
        self.assertEqual(himpi.dvpp_malloc(0, 0), (0, acl.HI_ERR_SYS_ILLEGAL_PARAM))
        self.good(himpi.sys_exit())


if __name__ == "__main__":
    tap.main()
