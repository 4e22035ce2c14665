# SPDX-License-Identifier: MIT
# Counts a stream of TAP programs, each between the marker lines of run-tap.
# Prints, separated by tabs:
#   P  program  passed  failed  skipped  seconds
#   F  program  what failed
#   S  program  what was skipped and why
# A program that dies before its plan is fulfilled, that says nothing, or whose
# exit status tells another story than its results has failed.
function fail(what) { failed++; print "F", program, what }
function finish(status, seconds) {
    if (planned < 0) fail("no plan: the program ended early, exit status " status)
    else if (planned != ran) fail("planned " planned " tests, ran " ran ", exit status " status)
    else if (status != 0 && failed == 0 && !(status == 4 && skipped > 0)) fail("exit status " status)
    else if (passed + failed + skipped == 0) fail("ran no test")
    print "P", program, passed, failed, skipped, seconds
    fflush()
    program = ""
}
BEGIN { OFS = "\t"; program = ""; begun = 0 }
{ sub(/\r$/, ""); gsub(/\t/, " ") }
/^# aclkm-tap: begin / {
    if (program != "") { fail("did not end"); print "P", program, passed, failed, skipped, 0 }
    program = substr($0, 20)
    passed = failed = skipped = ran = 0
    planned = -1
    begun++
    next
}
/^# aclkm-tap: end / {
    if (program != "") finish($(NF - 1), $NF)
    next
}
# A guest script that speaks TAP itself, without markers: the verdict ends it.
program == "" && /^TAP version/ {
    program = "guest script"
    passed = failed = skipped = ran = 0
    planned = -1
    begun++
    next
}
program == "guest script" && /^aclkm-vm: verdict / { finish($3, 0); next }
program == "" { next }
/^1\.\.[0-9]+/ {
    if (planned >= 0) fail("a second plan")
    planned = substr($1, 4) + 0
    if (planned == 0 && /# *[Ss][Kk][Ii][Pp]/) { skipped++; print "S", program, $0 }
    next
}
/^Bail out!/ { fail($0); next }
/^not ok / { ran++; fail($0); next }
/^ok / {
    ran++
    if (/# *[Ss][Kk][Ii][Pp]/) { skipped++; print "S", program, $0 } else passed++
    next
}
END {
    if (program != "") { fail("did not end"); print "P", program, passed, failed, skipped, 0 }
    if (begun == 0) { print "F", "-", "no test program ran"; print "P", "-", 0, 1, 0, 0 }
}
