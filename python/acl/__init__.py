# SPDX-License-Identifier: MIT
"""AscendCL for Python: memory, copies, streams, events.

Names, arguments and results are those of pyACL. Arguments are taken by place or by
keyword; pointers and handles are ints. A function gives ret, or its outputs and ret last; ret is 0 or the code
of aclError, and get_recent_err_msg() then says what was wrong. A wrong number or type of
arguments raises TypeError, a number that 32 bits cannot hold OverflowError.

The error codes and enumerators of C are numbers of this module, such as
acl.ACL_MEMCPY_HOST_TO_DEVICE.
"""

import atexit as _atexit
import sys as _sys

from . import _acl

for _name in dir(_acl):
    if not _name.startswith("_") and _name != "util":
        globals()[_name] = getattr(_acl, _name)

# Modules of the extension, so that "import acl.rt" finds them.
for _name in ("rt", "media", "himpi"):
    _sys.modules[f"{__name__}.{_name}"] = getattr(_acl, _name)

from . import util  # noqa: E402

# A task may still fail when the interpreter is gone.
_atexit.register(_acl.rt.set_exception_info_callback)

__all__ = [_name for _name in globals() if not _name.startswith("_")]
__version__ = _acl.__version__
del _name
