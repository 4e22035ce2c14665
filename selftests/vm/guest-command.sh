#!/bin/sh
# SPDX-License-Identifier: MIT
# Guest side of the command's suite: the tests that want the driver.
cat >/etc/passwd <<END
root::0:0:root:/:/bin/sh
member::1000:1000:member:/:/bin/sh
other::1001:1001:other:/:/bin/sh
END
cat >/etc/group <<END
root:x:0:
aclkm:x:900:member
member:x:1000:
other:x:1001:
END
chmod 755 /
run-tap command sh /command-tests.sh
exit 0
