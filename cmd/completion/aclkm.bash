# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2207 # candidates are words
# bash completion of aclkm(1)
_aclkm() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local command=${COMP_WORDS[1]} options='--json --help' i
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        COMPREPLY=($(compgen -W 'info map top doctor alloc bench check trace grow shrink --help --version' -- "$cur"))
        return
    fi
    # check and trace pass the words behind PROGRAM on to it.
    if [[ $command == check || $command == trace ]]; then
        for ((i = 2; i < COMP_CWORD; i++)); do
            case ${COMP_WORDS[i]} in
            --checks | -c | --output | -o) ((i++)) ;;
            --) ;;
            -*) ;;
            *)
                COMPREPLY=($(compgen -f -- "$cur"))
                return
                ;;
            esac
        done
    fi
    case $command:$prev in
    map:--svg | map:-s | map:--html | map:-w | trace:--output | trace:-o)
        COMPREPLY=($(compgen -f -- "$cur"))
        return
        ;;
    doctor:--root | doctor:-r)
        COMPREPLY=($(compgen -d -- "$cur"))
        return
        ;;
    alloc:--page | alloc:-p) COMPREPLY=($(compgen -W 'any 4K 2M 1G' -- "$cur")) && return ;;
    alloc:--cache | alloc:-c) COMPREPLY=($(compgen -W 'wb wc uc' -- "$cur")) && return ;;
    grow:--page | grow:-p) COMPREPLY=($(compgen -W '2M 1G' -- "$cur")) && return ;;
    grow:--node | grow:-n | alloc:--node | alloc:-n)
        COMPREPLY=($(compgen -W "$(cd /sys/devices/system/node 2>/dev/null && echo node[0-9]* | tr -d 'a-z*')" -- "$cur"))
        return
        ;;
    check:--checks | check:-c)
        COMPREPLY=($(compgen -W 'all redzone poison free bounds flight leak align sync align64 portable' -- "$cur"))
        return
        ;;
    esac
    case $command in
    map) options+=' --svg --html' ;;
    top) options+=' --delay --count' ;;
    doctor) options+=' --root' ;;
    alloc) options+=' --align --cache --node --page --hold' ;;
    bench) options+=' --seconds' ;;
    check) options+=' --checks --' ;;
    trace) options+=' --output --' ;;
    grow) options+=' --page --node --force' ;;
    esac
    case $command in
    check | trace) if [[ $cur != -* ]]; then COMPREPLY=($(compgen -c -- "$cur")) && return; fi ;;
    alloc | grow) if [[ $cur != -* ]]; then COMPREPLY=($(compgen -W '64M 256M 1G' -- "$cur")) && return; fi ;;
    shrink) if [[ $cur != -* ]]; then COMPREPLY=($(compgen -W 'all 64M 256M 1G' -- "$cur")) && return; fi ;;
    esac
    COMPREPLY=($(compgen -W "$options" -- "$cur"))
}
complete -F _aclkm aclkm
