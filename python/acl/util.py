# SPDX-License-Identifier: MIT
"""Bytes, numpy arrays and threads for acl.

Addresses of Python objects are pageable host memory: keep the object alive as long as
the address is used, and know that asynchronous copies of it are done at once.
"""

import sys as _sys
import threading as _threading
import warnings as _warnings

from . import _acl

bytes_to_ptr = _acl.util.bytes_to_ptr
ptr_to_bytes = _acl.util.ptr_to_bytes

__all__ = [
    "bytes_to_ptr",
    "numpy_contiguous_to_ptr",
    "numpy_to_ptr",
    "ptr_to_bytes",
    "ptr_to_numpy",
    "start_thread",
    "stop_thread",
]

# Numbers of numpy's types (NumPy C-API, "Enumerated types") as its characters.
_NPY_TYPES = {
    0: "?",
    1: "b",
    2: "B",
    3: "h",
    4: "H",
    5: "i",
    6: "I",
    7: "l",
    8: "L",
    9: "q",
    10: "Q",
    11: "f",
    12: "d",
    13: "g",
    14: "F",
    15: "D",
    16: "G",
    23: "e",
}

_threads = {}
_threads_lock = _threading.Lock()


def _array(function, data):
    # Whoever has an array has imported numpy.
    numpy = _sys.modules.get("numpy")
    if numpy is None or not isinstance(data, numpy.ndarray):
        raise TypeError(f"{function}() argument 1 must be numpy.ndarray, not {type(data).__name__}")
    return data


def numpy_to_ptr(data, /):
    """The address of an array's data. Deprecated: bytes_to_ptr. Gives ptr.

    The array must live as long as the address is used.

    Warns when the array is not contiguous: the memory behind the address is not in the
    order of its elements then.
    """
    data = _array("numpy_to_ptr", data)
    if not data.flags.c_contiguous:
        _warnings.warn(
            "the input ndarray is discontiguous: use acl.util.numpy_contiguous_to_ptr",
            RuntimeWarning,
            stacklevel=2,
        )
    return data.__array_interface__["data"][0]


def numpy_contiguous_to_ptr(data, /):
    """The address of an array's data in C order. Deprecated: bytes_to_ptr. Gives (ptr, data).

    data is the array itself or a contiguous copy of it, which must live as long as the
    address is used.
    """
    data = _array("numpy_contiguous_to_ptr", data)
    if not data.flags.c_contiguous:
        data = data.copy("C")
    return data.__array_interface__["data"][0], data


def ptr_to_numpy(ptr, shape, npy_type, /):
    """Memory as an array, without a copy. Deprecated: ptr_to_bytes. Gives numpy.ndarray.

    shape is a tuple of ints; npy_type is a number of numpy's, such as 11 for float32.
    The memory must live as long as the array is used.
    """
    if not isinstance(shape, tuple) or not all(isinstance(n, int) for n in shape):
        raise TypeError(f"ptr_to_numpy() shape must be a tuple of int, not {shape!r}")
    if not isinstance(npy_type, int):
        raise TypeError(f"ptr_to_numpy() argument 3 must be int, not {type(npy_type).__name__}")
    if npy_type not in _NPY_TYPES:
        raise ValueError(f"ptr_to_numpy() type is {npy_type}: must be one of {list(_NPY_TYPES)}")
    if any(n < 0 for n in shape):
        raise ValueError(f"ptr_to_numpy() shape is {shape}: must not be negative")
    import numpy

    dtype = numpy.dtype(_NPY_TYPES[npy_type])
    size = dtype.itemsize
    for n in shape:
        size *= n
    if size == 0:
        return numpy.empty(shape, dtype)
    return numpy.frombuffer(_acl.util.ptr_to_view(ptr, size), dtype).reshape(shape)


def start_thread(function, args_list, /):
    """Call function(args_list) in a new thread. Gives (thread_id, ret).

    The thread has no context: it calls acl.rt.set_context. It does not keep the process
    alive; stop_thread waits for it.
    """
    if not callable(function):
        raise TypeError(f"start_thread() argument 1 must be callable, not {type(function).__name__}")
    thread = _threading.Thread(target=function, args=(args_list,), daemon=True)
    with _threads_lock:
        try:
            thread.start()
        except RuntimeError:
            return 0, _acl.ACL_ERROR_RT_RESOURCE_ALLOC_FAIL
        # A thread that ended unasked may have had the same number.
        _threads[thread.ident] = thread
    return thread.ident, 0


def stop_thread(thread_id, /):
    """Wait until a thread of start_thread has ended. Gives ret.

    ACL_ERROR_INVALID_PARAM when there is no such thread, when it was waited for before,
    or when it is the caller.
    """
    if not isinstance(thread_id, int):
        raise TypeError(f"stop_thread() argument 1 must be int, not {type(thread_id).__name__}")
    with _threads_lock:
        thread = _threads.get(thread_id)
        if thread is None or thread is _threading.current_thread():
            return _acl.ACL_ERROR_INVALID_PARAM
        del _threads[thread_id]
    thread.join()
    return 0
