# SPDX-License-Identifier: MIT
"""acl.rt: devices, contexts, streams, events; callbacks and threads of Python."""

import os
import threading

os.environ["ACLKM_DEVICES"] = "2"

import tap
from device import NULL, PARAM, STREAM, DeviceTest

import acl
from acl import rt


class Notifies(DeviceTest):
    def setUp(self):
        super().setUp()
        self.one, self.two = self.good(rt.create_stream()), self.good(rt.create_stream())
        self.notify = self.good(rt.create_notify(0))

    def tearDown(self):
        for stream in (self.one, self.two):
            self.good(rt.destroy_stream(stream))
        super().tearDown()

    def test_two_streams(self):
        self.good(rt.wait_and_reset_notify(self.notify, self.two, 0))
        self.assertEqual(rt.synchronize_stream_with_timeout(self.two, 10), 507046)
        self.good(rt.record_notify(self.notify, self.one))
        self.good(rt.synchronize_stream(self.two))
        self.good(rt.record_notify(self.notify, self.one))
        self.good(rt.synchronize_stream(self.one))
        self.good(rt.notify_batch_reset([self.notify]))
        self.good(rt.wait_and_reset_notify(self.notify, self.two, 1))
        self.assertEqual(rt.synchronize_stream(self.two), 107020)
        self.assertGreaterEqual(self.good(rt.get_notify_id(self.notify)), 0)
        self.good(rt.destroy_notify(self.notify))

    def test_keys(self):
        self.assertEqual(rt.notify_get_export_key(self.notify, 64, 0), ("", PARAM))
        self.assertEqual(rt.notify_set_import_pid(self.notify, [os.getpid()]), 107017)
        key = self.good(rt.notify_get_export_key(self.notify, 65, 0))
        self.good(rt.notify_set_import_pid(self.notify, [os.getpid()]))
        other = self.good(rt.notify_import_by_key(key, 2))
        self.good(rt.wait_and_reset_notify(other, self.two, 0))
        self.good(rt.record_notify(self.notify, self.one))
        self.good(rt.synchronize_stream(self.two))
        self.good(rt.destroy_notify(other))
        self.good(rt.destroy_notify(self.notify))
        self.assertEqual(rt.notify_import_by_key(key, 0), (0, 107017))
        with self.assertRaises(ValueError):
            rt.notify_import_by_key("x" * 200, 0)

    def test_wrong(self):
        self.bad(NULL, rt.destroy_notify(0))
        self.bad(NULL, rt.record_notify(0, 0))
        self.bad(NULL, rt.notify_batch_reset([]))
        self.bad(STREAM, rt.record_notify(self.notify, 77))
        self.bad(STREAM, rt.wait_and_reset_notify(self.notify, 77, 0))
        self.assertEqual(rt.create_notify(9), (0, PARAM))
        with self.assertRaises(TypeError):
            rt.notify_batch_reset(["x"])
        self.good(rt.destroy_notify(self.notify))
        self.bad(PARAM, rt.destroy_notify(self.notify))


class Exceptions(DeviceTest):
    """What is told of a task that fails: here a wait whose time is up."""

    def fail(self):
        waiting, held = (self.good(rt.create_stream()) for _ in range(2))
        event = self.good(rt.create_event())
        flag = self.good(rt.malloc(64, 0))
        self.good(rt.memset(flag, 64, 0, 64))
        self.good(rt.value_wait(flag, 1, acl.ACL_STREAM_WAIT_VALUE_EQ, held))
        self.good(rt.record_event(event, held))
        number = self.good(rt.stream_get_id(waiting))
        self.good(rt.stream_wait_event_with_timeout(waiting, event, 1))
        self.bad(107020, rt.synchronize_stream(waiting))
        self.good(rt.stream_abort(held))
        for stream in (waiting, held):
            self.good(rt.destroy_stream(stream))
        self.good(rt.destroy_event(event))
        self.good(rt.free(flag))
        return number

    def test_callback(self):
        seen = []

        def callback(info):
            seen.append(
                (
                    rt.get_task_id_from_exception_info(info),
                    rt.get_stream_id_from_exception_info(info),
                    rt.get_device_id_from_exception_info(info),
                    rt.get_error_code_from_exception_info(info),
                    rt.get_thread_id_from_exception_info(info) > 0,
                )
            )

        self.good(rt.set_exception_info_callback(callback))
        number = self.fail()
        self.assertEqual(seen, [(1, number, 0, 107020, True)])
        self.good(rt.set_exception_info_callback(None))
        self.fail()
        self.assertEqual(len(seen), 1)
        self.good(rt.set_exception_info_callback(callback))
        self.good(rt.set_exception_info_callback())
        self.fail()
        self.assertEqual(len(seen), 1)

    def test_arguments(self):
        for call in (
            rt.get_task_id_from_exception_info,
            rt.get_stream_id_from_exception_info,
            rt.get_thread_id_from_exception_info,
            rt.get_device_id_from_exception_info,
            rt.get_error_code_from_exception_info,
        ):
            self.assertEqual(call(0), 0xFFFFFFFF)
            with self.assertRaises(TypeError):
                call("x")
        with self.assertRaises(TypeError):
            rt.set_exception_info_callback(5)
        with self.assertRaises(TypeError):
            rt.set_exception_info_callback(print, None)


class Devices(DeviceTest):
    def test_device(self):
        self.assertEqual(self.good(rt.get_device()), 0)
        self.assertEqual(self.good(rt.get_device_count()), 2)
        self.bad(107001, rt.set_device(2))
        self.bad(107001, rt.set_device(-1))
        self.good(rt.set_device(1))
        self.assertEqual(self.good(rt.get_device()), 1)
        self.good(rt.reset_device(1))
        self.assertNotEqual(rt.reset_device(1), 0)
        self.good(rt.set_device(1))
        self.good(rt.reset_device_force(1))
        self.assertNotEqual(rt.reset_device_force(7), 0)
        self.good(rt.set_device(0))
        self.good(rt.reset_device(0))

    def test_questions(self):
        self.assertEqual(self.good(rt.get_run_mode()), acl.ACL_HOST)
        self.assertEqual(self.good(rt.get_version()), (1, 17, 0))
        self.assertEqual(self.good(rt.device_get_bare_tgid()), os.getpid())
        self.assertEqual(self.good(rt.query_device_status(0)), 0)
        self.assertEqual(rt.query_device_status(9)[1], 107001)
        least, greatest = self.good(rt.device_get_stream_priority_range())
        self.assertEqual((least, greatest), (7, 0))
        self.assertIsInstance(acl.get_soc_name(), str)
        value, ret = rt.get_device_info(0, 9999)
        self.assertNotEqual(ret, 0)

    def test_peers(self):
        self.assertEqual(self.good(rt.device_can_access_peer(0, 1)), 1)
        self.assertEqual(rt.device_can_access_peer(0, 5)[1], 107001)
        self.good(rt.device_enable_peer_access(1, 0))
        self.assertEqual(self.good(rt.device_peer_access_status(0, 1)), 1)
        self.good(rt.device_disable_peer_access(1))
        self.assertEqual(self.good(rt.device_peer_access_status(0, 1)), 0)
        self.bad(107001, rt.device_enable_peer_access(5, 0))
        self.bad(107001, rt.device_disable_peer_access(5))
        self.bad(107001, rt.device_peer_access_status(0, 5))

    def test_numbers(self):
        for call in (
            rt.get_logic_dev_id_by_user_dev_id,
            rt.get_user_dev_id_by_logic_dev_id,
            rt.get_logic_dev_id_by_phy_dev_id,
            rt.get_phy_dev_id_by_logic_dev_id,
        ):
            self.assertEqual(self.good(call(1)), 1)
            self.assertEqual(call(2), (0, 107001))

    def test_waiting(self):
        self.good(rt.synchronize_device())
        self.good(rt.synchronize_device_with_timeout(1000))
        self.assertNotEqual(rt.synchronize_device_with_timeout(-2), 0)
        self.good(rt.device_task_abort(0, 1000))
        self.assertEqual(rt.device_task_abort(9, 1000), 107001)

    def test_contexts(self):
        default = self.good(rt.get_context())
        context = self.good(rt.create_context(0))
        self.assertEqual(self.good(rt.get_context()), context)
        stream = self.good(rt.create_stream())
        self.good(rt.set_context(default))
        self.bad(STREAM, rt.synchronize_stream(stream))
        self.good(rt.destroy_context(context))
        self.bad(PARAM, rt.set_context(context))
        self.bad(PARAM, rt.destroy_context(default))
        self.bad(NULL, rt.set_context(0))
        self.bad(107001, rt.create_context(9))

    def test_a_thread_has_no_context(self):
        seen = []

        def other():
            seen.append((rt.malloc(100, 0), rt.get_context(), rt.get_device()[1]))
            seen.append(acl.get_recent_err_msg())

        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        self.assertEqual(seen[0], ((0, 107002), (0, 107002), 107002))
        self.assertIn("aclrtMalloc", seen[1])


class Streams(DeviceTest):
    def test_life(self):
        stream = self.good(rt.create_stream())
        self.good(rt.synchronize_stream(stream))
        self.good(rt.synchronize_stream_with_timeout(stream, 1000))
        self.assertEqual(self.good(rt.stream_query(stream)), 0)
        self.good(rt.stream_get_id(stream))
        self.good(rt.destroy_stream(stream))
        self.bad(STREAM, rt.destroy_stream(stream))
        self.bad(NULL, rt.destroy_stream(0))
        self.bad(STREAM, rt.synchronize_stream(stream))
        self.bad(STREAM, rt.synchronize_stream_with_timeout(stream, 10))
        self.assertEqual(rt.stream_query(stream)[1], STREAM)
        self.assertEqual(rt.stream_get_id(stream)[1], STREAM)
        self.good(rt.synchronize_stream(0))

    def test_config(self):
        stream = self.good(rt.create_stream_with_config(3, acl.ACL_STREAM_FAST_LAUNCH))
        self.assertEqual(self.good(rt.stream_get_priority(stream)), 3)
        self.assertEqual(self.good(rt.stream_get_flags(stream)), 1)
        self.good(rt.set_stream_failure_mode(stream, 1))
        self.assertNotEqual(rt.set_stream_failure_mode(stream, 9), 0)
        left = self.good(rt.get_stream_available_num())
        self.good(rt.destroy_stream_force(stream))
        self.assertEqual(self.good(rt.get_stream_available_num()), left + 1)
        self.bad(STREAM, rt.destroy_stream_force(stream))
        self.assertEqual(rt.stream_get_priority(stream)[1], STREAM)
        self.assertEqual(rt.stream_get_flags(stream)[1], STREAM)

    def held(self):
        """A stream that stands, and the address that lets it go when it is 1."""
        stream = self.good(rt.create_stream())
        flag = self.good(rt.malloc(8, 0))
        self.good(rt.memset(flag, 8, 0, 8))
        self.good(rt.value_wait(flag, 1, acl.ACL_STREAM_WAIT_VALUE_EQ, stream))
        return stream, flag

    def test_timeout_and_abort(self):
        stream, flag = self.held()
        self.bad(507046, rt.synchronize_stream_with_timeout(stream, 20))
        self.assertEqual(self.good(rt.stream_query(stream)), 1)
        self.good(rt.stream_abort(stream))
        self.good(rt.synchronize_stream(stream))
        self.bad(STREAM, rt.stream_abort(0xDEAD))
        self.good(rt.stream_stop(stream))
        self.bad(STREAM, rt.stream_stop(0xDEAD))
        self.good(rt.destroy_stream(stream))
        self.good(rt.free(flag))

    def test_default_stream(self):
        stream = self.good(rt.ctx_get_current_default_stream())
        self.assertNotEqual(stream, 0)
        self.good(rt.synchronize_stream(stream))

    def test_python_runs_while_a_call_waits(self):
        stream, flag = self.held()
        context = self.good(rt.get_context())
        steps = []

        def other():
            rt.set_context(context)
            steps.append("writes")
            steps.append(rt.value_write(flag, 1, 0, 0))

        timer = threading.Timer(0.05, other)
        timer.start()
        # Without giving up the interpreter's lock this would never return.
        self.good(rt.synchronize_stream(stream))
        timer.join()
        self.assertEqual(steps, ["writes", 0])
        self.good(rt.destroy_stream(stream))
        self.good(rt.free(flag))

    def test_two_threads(self):
        context = self.good(rt.get_context())
        failures = []

        def work(number):
            try:
                ok = rt.set_context(context) == 0
                stream, ret = rt.create_stream()
                ok &= ret == 0
                data = bytes([number]) * 65536
                for _ in range(200):
                    ptr, ret = rt.malloc(65536, 0)
                    host, ret2 = rt.malloc_host(65536)
                    ok &= (ret, ret2) == (0, 0)
                    ok &= rt.memset(host, 65536, number, 65536) == 0
                    ok &= rt.memcpy_async(ptr, 65536, host, 65536, 1, stream) == 0
                    ok &= rt.synchronize_stream(stream) == 0
                    ok &= acl.util.ptr_to_bytes(ptr, 65536) == data
                    ok &= rt.free(ptr) == 0 and rt.free_host(host) == 0
                    # The text of an error is the thread's own.
                    ok &= rt.free(number) == PARAM
                    ok &= f"{number:#x}" in acl.get_recent_err_msg()
                ok &= rt.destroy_stream(stream) == 0
                if not ok:
                    failures.append(number)
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=work, args=(n,)) for n in (0x41, 0x7E)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])


class Events(DeviceTest):
    def test_life(self):
        event = self.good(rt.create_event())
        stream = self.good(rt.create_stream())
        self.assertEqual(self.good(rt.query_event_status(event)), 0)
        self.good(rt.record_event(event, stream))
        self.good(rt.synchronize_event(event))
        self.assertEqual(self.good(rt.query_event_status(event)), 1)
        self.assertEqual(self.good(rt.query_event(event)), 0)
        self.assertEqual(self.good(rt.query_event_wait_status(event)), 0)
        self.good(rt.get_event_id(event))
        self.assertGreater(self.good(rt.event_get_timestamp(event)), 0)
        left = self.good(rt.get_event_avail_num())
        self.good(rt.destroy_event(event))
        self.assertGreaterEqual(self.good(rt.get_event_avail_num()), left)
        for call in (rt.destroy_event, rt.synchronize_event, rt.query_event_status):
            with self.subTest(call=call.__name__):
                result = call(event)
                self.assertEqual(result[-1] if isinstance(result, tuple) else result, PARAM)
        self.assertEqual(rt.query_event(event)[1], PARAM)
        self.assertEqual(rt.query_event_wait_status(event)[1], PARAM)
        self.assertEqual(rt.event_get_timestamp(event)[1], PARAM)
        self.assertEqual(rt.get_event_id(event)[1], PARAM)
        self.bad(PARAM, rt.record_event(event, stream))
        self.bad(NULL, rt.record_event(0, stream))
        self.good(rt.destroy_stream(stream))

    def test_flags(self):
        event = self.good(rt.create_event_with_flag(acl.ACL_EVENT_SYNC))
        stream = self.good(rt.create_stream())
        self.good(rt.record_event(event, stream))
        self.good(rt.reset_event(event, stream))
        self.good(rt.synchronize_stream(stream))
        self.bad(NULL, rt.reset_event(0, stream))
        self.good(rt.destroy_event(event))
        event = self.good(rt.create_event_ex_with_flag(acl.ACL_EVENT_TIME_LINE))
        self.assertNotEqual(rt.query_event(event)[1], 0)
        self.good(rt.destroy_event(event))
        self.assertNotEqual(rt.create_event_with_flag(0x10000)[1], 0)
        self.assertNotEqual(rt.create_event_ex_with_flag(0x10000)[1], 0)
        self.good(rt.destroy_stream(stream))

    def test_order_and_time(self):
        first, second = self.good(rt.create_stream()), self.good(rt.create_stream())
        start, end = self.good(rt.create_event()), self.good(rt.create_event())
        flag = self.good(rt.malloc(8, 0))
        self.good(rt.memset(flag, 8, 0, 8))
        self.good(rt.record_event(start, first))
        self.good(rt.value_wait(flag, 1, 1, first))
        self.good(rt.record_event(end, first))
        self.good(rt.stream_wait_event(second, end))
        self.bad(507046, rt.synchronize_stream_with_timeout(second, 20))
        self.bad(507047, rt.synchronize_event_with_timeout(end, 20))
        self.good(rt.value_write(flag, 1, 0, 0))
        self.good(rt.synchronize_stream(second))
        self.good(rt.synchronize_event_with_timeout(end, 1000))
        ms = self.good(rt.event_elapsed_time(start, end))
        self.assertIsInstance(ms, float)
        self.assertGreaterEqual(ms, 20.0)
        self.assertEqual(rt.event_elapsed_time(start, 0)[1], NULL)
        self.good(rt.stream_wait_event_with_timeout(second, end, 1000))
        self.bad(NULL, rt.stream_wait_event_with_timeout(second, 0, 1000))
        self.bad(NULL, rt.stream_wait_event(second, 0))
        self.good(rt.synchronize_stream(second))
        self.good(rt.set_op_wait_timeout(0))
        for event in (start, end):
            self.good(rt.destroy_event(event))
        for stream in (first, second):
            self.good(rt.destroy_stream(stream))
        self.good(rt.free(flag))


class Callbacks(DeviceTest):
    def setUp(self):
        super().setUp()
        self.stream = self.good(rt.create_stream())
        self.context = self.good(rt.get_context())
        self.running = True

    def tearDown(self):
        self.good(rt.destroy_stream(self.stream))
        super().tearDown()

    def loop(self, args):
        """As the published samples have it."""
        context, timeout = args
        assert rt.set_context(context) == 0
        while self.running:
            rt.process_report(timeout)

    def begin(self):
        thread = self.good(acl.util.start_thread(self.loop, [self.context, 100]))
        self.good(rt.subscribe_report(thread, self.stream))
        return thread

    def end(self, thread):
        self.good(rt.unsubscribe_report(thread, self.stream))
        self.running = False
        self.good(acl.util.stop_thread(thread))

    def test_callbacks(self):
        thread = self.begin()
        seen = []

        def callback(data):
            seen.append((data, threading.get_ident()))

        for number in range(100):
            data = ["user", number]
            self.good(rt.launch_callback(callback, data, acl.ACL_CALLBACK_BLOCK, self.stream))
        self.good(rt.synchronize_stream(self.stream))
        self.assertEqual(seen, [(["user", n], thread) for n in range(100)])
        self.end(thread)

    def test_objects_are_let_go(self):
        import gc
        import weakref

        class Data(list):
            pass

        thread = self.begin()
        data = Data()
        gone = weakref.ref(data)
        self.good(rt.launch_callback(lambda d: None, data, 1, self.stream))
        del data
        self.good(rt.synchronize_stream(self.stream))
        self.end(thread)
        gc.collect()
        self.assertIsNone(gone())

    def test_an_exception_ends_nothing(self):
        import sys

        thread = self.begin()
        seen, hook = [], sys.unraisablehook
        sys.unraisablehook = lambda info: seen.append(str(info.exc_value))

        def callback(data):
            raise ValueError(data)

        try:
            self.good(rt.launch_callback(callback, "first", 1, self.stream))
            self.good(rt.launch_callback(callback, "second", 0, self.stream))
            self.good(rt.synchronize_stream(self.stream))
            self.end(thread)
        finally:
            sys.unraisablehook = hook
        self.assertEqual(seen[:1], ["first"])

    def test_errors(self):
        self.bad(107015, rt.launch_callback(print, [], 1, self.stream))
        with self.assertRaises(TypeError):
            rt.launch_callback(1, [], 1, self.stream)
        with self.assertRaises(TypeError):
            rt.launch_callback(print, [], "1", self.stream)
        with self.assertRaises(TypeError):
            rt.launch_callback(print, [], 1)
        self.bad(NULL, rt.subscribe_report(0, self.stream))
        self.bad(107015, rt.unsubscribe_report(1, self.stream))
        self.bad(107012, rt.process_report(1))
        self.bad(PARAM, rt.process_report(0))
        thread = self.begin()
        self.bad(107011, rt.subscribe_report(thread, self.stream))
        self.bad(NULL, rt.launch_callback(print, [], 7, self.stream))
        self.end(thread)


if __name__ == "__main__":
    tap.main()
