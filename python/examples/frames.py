#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Frames through the device, in the order that programs of pyACL have.

init, device, context, stream; each frame is decoded into media memory (here: written by
the host), copied to a segment of one block of device memory, and back to the host; a
callback in a thread counts them. Then everything is given back, in the opposite order.
"""

import hashlib
import sys

import acl

# As programs carry them; acl has the same numbers under the same names.
ACL_MEM_MALLOC_HUGE_FIRST = 0
ACL_MEMCPY_HOST_TO_DEVICE = 1
ACL_MEMCPY_DEVICE_TO_HOST = 2
ACL_MEMCPY_DEVICE_TO_DEVICE = 3
ACL_CALLBACK_BLOCK = 1
ACL_HOST = 1

FRAME = 1920 * 1080 * 3 // 2
FRAMES = 4


def check(result, call):
    """The outputs of a call; ends the program when it failed."""
    *out, ret = result if isinstance(result, tuple) else (result,)
    if ret:
        sys.exit(f"{call}: {ret}\n{acl.get_recent_err_msg()}")
    return out[0] if len(out) == 1 else out


def stride(size):
    """What a segment takes of a block: room behind it, and 128 for media and others."""
    return (size + 31) // 32 * 32 + 32 + 127 & ~127


class Flow:
    def __init__(self, device=0):
        self.device, self.running, self.done = device, True, []
        check(acl.init(), "init")
        check(acl.rt.set_device(device), "set_device")
        self.context = check(acl.rt.create_context(device), "create_context")
        self.stream = check(acl.rt.create_stream(), "create_stream")
        self.on_host = check(acl.rt.get_run_mode(), "get_run_mode") == ACL_HOST
        self.thread = check(acl.util.start_thread(self.report, [self.context, 100]), "start_thread")
        check(acl.rt.subscribe_report(self.thread, self.stream), "subscribe_report")

        self.block = check(
            acl.rt.malloc(FRAMES * stride(FRAME), ACL_MEM_MALLOC_HUGE_FIRST), "malloc"
        )
        self.decoded = [check(acl.media.dvpp_malloc(FRAME), "dvpp_malloc") for _ in range(FRAMES)]
        self.host = check(acl.rt.malloc_host(FRAMES * FRAME), "malloc_host")

    def report(self, args_list):
        context, timeout = args_list
        check(acl.rt.set_context(context), "set_context")
        while self.running:
            acl.rt.process_report(timeout)

    def frame_done(self, user_data):
        (number,) = user_data
        self.done.append(number)

    def run(self, frames):
        for number, frame in enumerate(frames):
            segment = self.block + number * stride(FRAME)
            out = self.host + number * FRAME
            decoded, source = self.decoded[number], acl.util.bytes_to_ptr(frame)
            ret = acl.rt.memcpy(decoded, FRAME, source, FRAME, ACL_MEMCPY_HOST_TO_DEVICE)
            check(ret, "memcpy")
            for to, source, kind in (
                (segment, decoded, ACL_MEMCPY_DEVICE_TO_DEVICE),
                (out, segment, ACL_MEMCPY_DEVICE_TO_HOST),
            ):
                ret = acl.rt.memcpy_async(to, FRAME, source, FRAME, kind, self.stream)
                check(ret, "memcpy_async")
            ret = acl.rt.launch_callback(self.frame_done, [number], ACL_CALLBACK_BLOCK, self.stream)
            check(ret, "launch_callback")
        check(acl.rt.synchronize_stream(self.stream), "synchronize_stream")
        return [acl.util.ptr_to_bytes(self.host + n * FRAME, FRAME) for n in range(len(frames))]

    def close(self):
        check(acl.rt.unsubscribe_report(self.thread, self.stream), "unsubscribe_report")
        self.running = False
        check(acl.util.stop_thread(self.thread), "stop_thread")
        for ptr in self.decoded:
            check(acl.media.dvpp_free(ptr), "dvpp_free")
        check(acl.rt.free(self.block), "free")
        check(acl.rt.free_host(self.host), "free_host")
        check(acl.rt.destroy_stream(self.stream), "destroy_stream")
        check(acl.rt.destroy_context(self.context), "destroy_context")
        check(acl.rt.reset_device(self.device), "reset_device")
        check(acl.finalize(), "finalize")


def main():
    frames = [bytes((n * 40 + i) & 255 for i in range(256)) * (FRAME // 256) for n in range(FRAMES)]
    flow = Flow()
    print(f"{acl.get_soc_name()}, run mode {'host' if flow.on_host else 'device'}")
    back = flow.run(frames)
    flow.close()
    for number in flow.done:
        digests = [hashlib.sha256(data).hexdigest()[:16] for data in (frames[number], back[number])]
        print(f"frame {number}: {FRAME} bytes, {digests[0]} -> {digests[1]}")
    if back != frames or flow.done != list(range(FRAMES)):
        sys.exit("frames are not as they were")
    print("ok")


if __name__ == "__main__":
    main()
