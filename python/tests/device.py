# SPDX-License-Identifier: MIT
"""What tests share: a device that is set, memory that is freed, and short calls."""

import unittest

import tap  # noqa: F401  the environment, before the library reads it

import acl
from acl import rt

H2D = acl.ACL_MEMCPY_HOST_TO_DEVICE
D2H = acl.ACL_MEMCPY_DEVICE_TO_HOST
D2D = acl.ACL_MEMCPY_DEVICE_TO_DEVICE
H2H = acl.ACL_MEMCPY_HOST_TO_HOST
NULL = 100000
PARAM = 107000
STREAM = 107003


class DeviceTest(unittest.TestCase):
    """Each test starts with device 0 set, and must leave no memory in use."""

    def setUp(self):
        self.good(rt.set_device(0))
        self.free_before = rt.get_mem_info(acl.ACL_HBM_MEM)[0]

    def tearDown(self):
        self.good(rt.synchronize_device())
        self.assertEqual(rt.get_mem_info(acl.ACL_HBM_MEM)[0], self.free_before)
        self.good(rt.reset_device(0))

    def good(self, result):
        """The outputs of a call that succeeded: none, one, or a tuple."""
        *out, ret = result if isinstance(result, tuple) else (result,)
        self.assertEqual(ret, 0, acl.get_recent_err_msg())
        return out[0] if len(out) == 1 else tuple(out)

    def bad(self, code, result, text=None):
        """A call that fails with the code, outputs 0, and a text that says why."""
        *out, ret = result if isinstance(result, tuple) else (result,)
        self.assertEqual(ret, code)
        for value in out:
            self.assertFalse(value)
        if text:
            self.assertIn(text, acl.get_recent_err_msg())
