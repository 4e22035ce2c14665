#!/bin/sh
# SPDX-License-Identifier: MIT
# Guest side of `make test-debug`, on the kernel that checks itself:
#
#   guest.sh tests            the KUnit suites, then the kselftest programs
#   guest.sh devices          the kselftest programs that want devices
#   guest.sh driver           those that want a large arena
#   guest.sh arenas           those that make arenas, on two nodes
#   guest.sh faults ROUNDS    each place that can fail made to fail, then faults by chance
#   guest.sh fuzz SECONDS SEED PLACES
#
# Each ends with kmemleak: nothing may have leaked.
# shellcheck disable=SC2317 # functions are called through step
leaks=/sys/kernel/debug/kmemleak

# step NAME COMMAND...: a test that passes when the command, a function maybe, succeeds
step() {
    name=$1
    shift
    echo "# aclkm-tap: begin $name"
    read -r start _ </proc/uptime
    echo 'TAP version 13'
    echo '1..1'
    if "$@" </dev/null; then echo "ok 1 $name"; else echo "not ok 1 $name"; fi
    read -r stop _ </proc/uptime
    echo "# aclkm-tap: end $name 0 $(echo "$start $stop" | awk '{ print $2 - $1 }')"
}

# kmemleak looks at nothing younger than 5 s, and believes its eyes the second
# time. A scan takes its time here, so there is none but these.
no_leaks() {
    sleep 6
    echo scan >"$leaks"
    sleep 1
    echo scan >"$leaks"
    cat "$leaks" >/tmp/leaks
    sed 's/^/# /' /tmp/leaks
    [ ! -s /tmp/leaks ]
}

kunit() {
    for ko in /kunit/*.ko; do
        # shellcheck disable=SC2016 # expanded by the inner shell
        run-tap "kunit/$(basename "$ko" .ko)" sh -c '
            insmod "$1" || exit 1
            # Of each suite the inner, indented report: KTAP is TAP.
            sed -n "s/^    //p" /sys/kernel/debug/kunit/aclkm_*/results
            rmmod "$(basename "$1" .ko)"' sh "$ko"
    done
}

# Faults say nothing, come anywhere, and only where they are asked for.
faults_prepare() {
    for kind in failslab fail_page_alloc fail_usercopy; do
        dir=/sys/kernel/debug/$kind
        echo 0 >$dir/verbose
        echo 0 >$dir/probability
        echo 1 >$dir/interval
        echo 0 >$dir/space
        echo Y >$dir/task-filter
    done
    echo N >/sys/kernel/debug/failslab/ignore-gfp-wait
    echo N >/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait
    echo N >/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem
    echo 0 >/sys/kernel/debug/fail_page_alloc/min-order
}

# chance KIND PERCENT COMMAND...: the command under faults of this kind; how it
# ends does not matter. Adds to the number of faults.
injected=0
chance() {
    dir=/sys/kernel/debug/$1
    echo 1000000 >"$dir/times"
    echo "$2" >"$dir/probability"
    shift 2
    # shellcheck disable=SC2016 # expanded by the inner shell
    sh -c 'echo 1 >/proc/self/make-it-fail; exec timeout -s KILL 60 "$@"' sh "$@" >/tmp/faulty.out 2>&1
    echo 0 >"$dir/probability"
    injected=$((injected + 1000000 - $(cat "$dir/times")))
}

# Programs with faults by chance, under which they may fail as they like.
faults_by_chance() {
    before=$(/fault/accounts) || return 1
    round=0
    status=0
    while [ "$round" -lt "$1" ]; do
        round=$((round + 1))
        while read -r program; do
            # It takes the module out and puts it back: see insmod_by_chance.
            if [ "$program" = test_unload ]; then continue; fi
            for kind in failslab fail_page_alloc fail_usercopy; do
                chance "$kind" $((round % 3 + 1)) "/kselftest/$program"
                /fault/accounts "$before" >/tmp/accounts || {
                    echo "# $program under $kind, round $round: $(cat /tmp/accounts), before: $before"
                    status=1
                }
            done
        done </kselftest/list
    done
    echo "# injected: $injected faults by chance into the test programs"
    [ "$injected" -gt 0 ] && return "$status"
}

# The module does not load, or it does and works; never anything between.
insmod_by_chance() {
    round=0
    loaded=0
    while [ "$round" -lt "$1" ]; do
        round=$((round + 1))
        chance failslab 2 insmod /aclkm.ko reserve=16M
        chance fail_page_alloc 2 insmod /aclkm.ko reserve=16M
        if [ -e /sys/module/aclkm ]; then
            loaded=$((loaded + 1))
            rmmod aclkm || return 1
        fi
    done
    echo "# injected: $injected faults by chance into insmod, which loaded $loaded times in $round rounds"
    insmod /aclkm.ko reserve=64M && rmmod aclkm
}

# Here each call takes some ten times as long, and a test has 30 s.
export ACLKM_TEST_PERCENT=10
echo scan=off >"$leaks"
case $1 in
tests)
    kunit
    step 'insmod reserve=64M' insmod /aclkm.ko reserve=64M
    while read -r program; do
        run-tap "$program" "/kselftest/$program"
    done </kselftest/list
    ;;
devices)
    sh /devices.sh 256M,128M
    ;;
driver)
    sh /driver.sh
    ;;
arenas)
    sh /arenas.sh
    ;;
faults)
    faults_prepare
    step 'insmod reserve=64M' insmod /aclkm.ko reserve=64M
    while read -r program; do
        run-tap "$program" "/fault/$program"
    done </fault/list
    # A mutant's guest wants none.
    if [ "$2" -gt 0 ]; then step 'faults by chance in the test programs' faults_by_chance "$2"; fi
    rmmod aclkm
    injected=0
    step 'faults by chance in insmod' insmod_by_chance 10
    insmod /aclkm.ko reserve=64M
    ;;
fuzz)
    # A GiB, for the largest entries.
    step 'insmod reserve=64M,1G' insmod /aclkm.ko reserve=64M,1G
    run-tap 'fuzzer' /fuzz -t "$2" -s "$3" -i "$4"
    ;;
esac
if [ -e /sys/module/aclkm ]; then step 'rmmod' rmmod aclkm; fi
step 'kmemleak' no_leaks
exit 0
