#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the comparisons of bench/ and prints tables of ratios.

Each cell is the median of at least five runs. The runs of one table are
interleaved: one of each subject, then the next of each, so that what else the
machine does falls on all alike. The spread is half the distance between the
quartiles, in percent of the median. The ratio is ours by the fastest peer's.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PEERS = [  # name, library to load before the C library's
    ("glibc", None),
    ("mimalloc", "libmimalloc.so.2"),
    ("jemalloc", "libjemalloc.so.2"),
    ("tcmalloc", "libtcmalloc_minimal.so.4"),
    ("tbbmalloc", "libtbbmalloc_proxy.so.2"),
]
PROGRAM_PEERS = [  # name, program, its traces with their threads
    # DPDK's: microseconds for a block where many live, so not all of the traces.
    ("rte_malloc", "alloc-rte", [("pair", 1), ("pair", 2), ("mix", 1), ("batch", 1)]),
    # Blocks of one length only.
    ("rte_mempool", "alloc-mempool", [("pair", 1), ("pair", 2)]),
]
OURS = ["aclrt", "native", "pool", "checked"]
# aclrt with every check, on traces that take some time even so.
CHECKED = {"ACLKM_CHECK": "all,exitcode=0"}
TRACES = [  # name, threads, what it is
    ("pair", 1, "256 B taken and given"),
    ("pair", 2, "256 B taken and given"),
    ("mix", 1, "1 B to 4 KiB, 4096 live"),
    ("mix", 2, "1 B to 4 KiB, 4096 live each"),
    ("batch", 1, "1000 taken, 1000 given"),
    ("batch", 2, "1000 taken, 1000 given"),
    ("grow", 1, "to 100000 and back"),
    ("handover", 2, "one takes, the other gives"),
    ("large", 1, "1 KiB to 1 MiB, 512 live"),
    ("replay", 1, "what cc1 allocates"),
]


def preload_path(name):
    for folder in ("/usr/lib", "/usr/lib64", "/lib"):
        for root, _, files in os.walk(folder):
            if name in files:
                return os.path.join(root, name)
    return None


class Subject:
    def __init__(self, name, program, preload=None, env=None, traces=None):
        self.name = name
        self.program = program
        self.env = dict(os.environ, ACLKM_BACKEND="user", ACLKM_MEM="4G")
        self.env.setdefault("ACLKM_ALIGN", "64")
        self.env.update(env or {})
        self.traces = traces
        if preload:
            self.env["LD_PRELOAD"] = preload

    def run(self, arguments):
        out = subprocess.run(
            [self.program] + [str(a) for a in arguments],
            env=self.env, capture_output=True, text=True, check=False)
        if out.returncode:
            raise RuntimeError(f"{self.name}, {' '.join(map(str, arguments))}: "
                               f"{out.stderr.strip() or f'ended with {out.returncode}'}")
        return out.stdout


def quartiles(values):
    if len(values) < 4:
        return min(values), max(values)
    cut = statistics.quantiles(values, n=4)
    return cut[0], cut[2]


def summary(values):
    low, high = quartiles(values)
    median = statistics.median(values)
    return {
        "median": median, "min": min(values), "max": max(values),
        "spread_percent": 50.0 * (high - low) / median if median else 0.0,
        "runs": values,
    }


def interleaved(subjects, arguments, runs):
    values = {s.name: [] for s in subjects}
    for _ in range(runs):
        for subject in subjects:
            values[subject.name].append(float(subject.run(arguments)))
    return {name: summary(list_) for name, list_ in values.items()}


def record_trace(build, source):
    """What the C compiler proper allocates while it compiles one of our files."""
    path = os.path.join(build, "cc1.trace")
    if not os.path.exists(path):
        env = dict(os.environ, LD_PRELOAD=os.path.join(build, "record.so"),
                   RECORD=path, RECORD_NAME="cc1")
        done = subprocess.run(["cc", "-O2", "-c", "-o", os.devnull, source], env=env, check=False)
        if done.returncode:
            raise RuntimeError(f"{source}: cc ended with {done.returncode}, so there is no trace of it")
    return path


def print_table(title, head, rows):
    widths = [max(len(r[i]) for r in [head] + rows) for i in range(len(head))]
    print(f"\n{title}")
    for row in [head] + rows:
        print("  " + "  ".join(
            c.ljust(w) if i == 0 else c.rjust(w)
            for i, (c, w) in enumerate(zip(row, widths))).rstrip())
    sys.stdout.flush()


def cell(stat, digits=1):
    return f"{stat['median']:.{digits}f} ±{stat['spread_percent']:.0f}%"


def preloaded_peers(build, options):
    subjects = []
    for name, library in PEERS:
        if options.peers and name not in options.peers:
            continue
        preload = preload_path(library) if library else None
        if library and not preload:
            print(f"{name}: {library} is not installed, left out", file=sys.stderr)
            continue
        subjects.append(Subject(name, os.path.join(build, "alloc-libc"), preload))
    return subjects


def compare_alloc(build, options, results):
    subjects = preloaded_peers(build, options)
    for name, program, traces in PROGRAM_PEERS:
        program = os.path.join(build, program)
        if options.peers and name not in options.peers:
            continue
        if os.path.exists(program):
            subjects.append(Subject(name, program, traces=traces))
        else:
            print(f"{name}: DPDK is not installed, left out", file=sys.stderr)
    peers = [s.name for s in subjects]
    for name in OURS:
        if name not in options.ours:
            continue
        if name == "checked":
            subjects.append(Subject(name, os.path.join(build, "alloc-aclrt"), env=CHECKED))
        else:
            subjects.append(Subject(name, os.path.join(build, "alloc-" + name)))
    ours = [s.name for s in subjects if s.name not in peers]
    trace = record_trace(build, os.path.join(HERE, "alloc.c"))
    for touch in (0, 1) if options.touch is None else (options.touch,):
        rows = []
        for name, threads, what in TRACES:
            if options.only and name not in options.only:
                continue
            here = [s for s in subjects if not s.traces or (name, threads) in s.traces]
            stats = interleaved(here, [name, threads, touch, trace], options.runs)
            fastest = min((p for p in peers if p in stats),
                          key=lambda p: stats[p]["median"], default=None)
            row = [f"{name}, {threads} thread{'s' if threads > 1 else ''}: {what}"]
            row += [cell(stats[s.name]) if s.name in stats else "-" for s in subjects]
            row += [ratio(stats, o, fastest) if fastest else "-" for o in ours]
            rows.append(row + [fastest or "-"])
            results.append({"kind": "alloc", "trace": name, "threads": threads,
                            "touch": bool(touch), "unit": "ns", "fastest_peer": fastest,
                            "stats": stats})
        print_table(
            "Nanoseconds for one allocation with its free, "
            + ("the first byte written" if touch else "the memory not touched"),
            ["trace"] + [s.name for s in subjects]
            + [f"{o}/best" for o in ours] + ["best peer"], rows)


def compare_overhead(build, options, results):
    subjects = [Subject("aclrt", os.path.join(build, "alloc-aclrt"))]
    subjects += preloaded_peers(build, options)
    rows = []
    for trace, what in (("overhead", "1 KiB to 1 MiB, 1024 live"),
                        ("overhead-small", "1 B to 4 KiB, 65536 live")):
        stats = interleaved(subjects, [trace], options.runs)
        rows.append([what] + [cell(stats[s.name], 2) for s in subjects])
        results.append({"kind": "overhead", "trace": trace, "unit": "percent",
                        "stats": stats})
    print_table("Resident bytes beyond what the rule asks for, in percent",
                ["trace"] + [s.name for s in subjects], rows)
    rows = []
    for trace, what in (("overhead", "1 KiB to 1 MiB, 1024 live"),
                        ("overhead-small", "1 B to 4 KiB, 65536 live")):
        row = [what]
        for which in ("inner", "books"):
            stats = interleaved(subjects[:1], [trace, which], options.runs)["aclrt"]
            row.append(cell(stats, 3))
            results.append({"kind": "overhead", "trace": trace, "which": which,
                            "unit": "percent", "stats": {"aclrt": stats}})
        rows.append(row)
    print_table("aclrt: what blocks hold beyond the rule, and the bookkeeping, in percent",
                ["trace", "blocks", "bookkeeping"], rows)


BANDWIDTH = [64, 4 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20, 64 << 20,
             256 << 20]
LATENCY = [64, 4 << 10, 64 << 10, 1 << 20, 16 << 20, 256 << 20]
PROGRAMS = ["alloc-libc", "alloc-aclrt", "alloc-native", "alloc-pool", "copy", "queue", "record.so"]
LOOPS = ["sse2", "avx2", "avx512"]


def size_name(count):
    if count >= 1 << 20:
        return f"{count >> 20} MiB"
    return f"{count >> 10} KiB" if count >= 1024 else f"{count} B"


def cpu_has(flag):
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        return flag in info.read().split()


def loops_here():
    return [l for l in LOOPS if l == "sse2" or cpu_has({"avx512": "avx512f"}.get(l, l))]


def compare_bandwidth(build, options, results):
    copy = Subject("copy", os.path.join(build, "copy"))
    loops = loops_here()
    hows = [(h, "bandwidth") for h in ["memcpy"] + loops + ["ours"]]
    hows += [("pool", "queue"), ("stream", "queue"), ("stream", "queue2")]
    rows = []
    for count in options.bytes or BANDWIDTH:
        values = {h: [] for h in hows}
        for _ in range(options.runs):
            for how in hows:
                values[how].append(float(copy.run([how[0], how[1], count])))
        stats = {h: summary(v) for h, v in values.items()}
        best = max(loops, key=lambda l: stats[(l, "bandwidth")]["median"])
        best_median = stats[(best, "bandwidth")]["median"]
        rows.append([size_name(count)] + [cell(stats[h]) for h in hows] + [
            f"{stats[('ours', 'bandwidth')]['median'] / best_median:.2f}",
            f"{stats[('stream', 'queue')]['median'] / best_median:.2f}", best,
            ratio(stats, ("stream", "queue"), ("memcpy", "bandwidth"))])
        results.append({"kind": "bandwidth", "bytes": count, "unit": "GB/s",
                        "best_loop": best,
                        "stats": {" ".join(h): s for h, s in stats.items()}})
    print_table(
        "Bandwidth of copies between the same two buffers, GB/s (queues of 64)",
        ["size", "memcpy"] + [l + " loop" for l in loops]
        + ["aclkm_copy", "thread pool", "stream", "two streams", "copy/best loop",
           "stream/best loop", "best loop", "stream/memcpy"], rows)


def ratio(stats, ours, theirs):
    return f"{stats[ours]['median'] / stats[theirs]['median']:.2f}"


def interleaved_calls(subject, calls, runs):
    """Medians of several calls of one program, one of each in turn."""
    values = {c: [] for c in calls}
    for _ in range(runs):
        for call in calls:
            values[call].append(float(subject.run(call)))
    return {c: summary(v) for c, v in values.items()}


def compare_latency(build, options, results):
    copy = Subject("copy", os.path.join(build, "copy"))
    loops = loops_here()
    hows = ["memcpy"] + loops + ["pool", "stream"]
    rows, submits = [], []
    for count in options.bytes or LATENCY:
        stats = interleaved_calls(copy, [(h, "latency", count) for h in hows], options.runs)
        stats = {call[0]: s for call, s in stats.items()}
        best = min(loops, key=lambda l: stats[l]["median"])
        rows.append([size_name(count)] + [cell(stats[h], 0) for h in ("memcpy", best)]
                    + [best] + [cell(stats[h], 0) for h in ("pool", "stream")]
                    + [ratio(stats, "stream", "memcpy"), ratio(stats, "stream", best)])
        results.append({"kind": "latency", "bytes": count, "unit": "ns",
                        "best_loop": best, "stats": stats})
        stats = interleaved_calls(copy, [(h, "submit", count) for h in ("pool", "stream")],
                                  options.runs)
        stats = {call[0]: s for call, s in stats.items()}
        submits.append([size_name(count)] + [cell(stats[h]) for h in ("pool", "stream")])
        results.append({"kind": "submit", "bytes": count, "unit": "ns", "stats": stats})
    print_table("One copy on an idle stream, to completion, ns (asked at 4 KiB: 1.5 of memcpy)",
                ["size", "memcpy", "best loop", "which", "thread pool", "stream",
                 "stream/memcpy", "stream/loop"], rows)
    print_table("Submit of one copy to a busy stream, ns (asked: 100)",
                ["size", "thread pool", "stream"], submits)

    calls = [(h, w, 64) for w in ("wake", "awake") for h in ("pool", "stream")]
    stats = interleaved_calls(copy, calls + [("futex",)], options.runs)
    results.append({"kind": "wake", "unit": "ns",
                    "stats": {" ".join(map(str, c)): s for c, s in stats.items()}})
    names = {"wake": "nothing, by a worker that sleeps (asked: 1.2 of futex)",
             "awake": "nothing, by a worker that is awake"}
    rows = [[text, cell(stats[("pool", w, 64)]), cell(stats[("stream", w, 64)]),
             cell(stats[("futex",)]), ratio(stats, ("stream", w, 64), ("futex",))]
            for w, text in names.items()]
    print_table("A host function through aclrt calls, to completion, ns",
                ["what", "thread pool", "stream", "futex round trip", "stream/futex"], rows)

    queue = Subject("queue", os.path.join(build, "queue"))
    stats = interleaved_calls(
        queue, [(w,) for w in ("submit", "once", "worker", "memcpy", "wake", "futex")],
        options.runs)
    results.append({"kind": "queue", "unit": "ns",
                    "stats": {c[0]: s for c, s in stats.items()}})
    print_table("The queue alone, ns (see bench/queue.c)", ["what", "ns"],
                [[c[0], cell(s)] for c, s in stats.items()])


def check_options(parser, options):
    names = {"only": list(dict.fromkeys(t[0] for t in TRACES)),
             "peers": [p[0] for p in PEERS + PROGRAM_PEERS]}
    for option, known in names.items():
        unknown = set(getattr(options, option) or []) - set(known)
        if unknown:
            parser.error(f"--{option} {' '.join(sorted(unknown))}: must be of {', '.join(known)}")
    if options.runs < 1:
        parser.error(f"--runs {options.runs}: must be 1 or more")
    for count in options.bytes or []:
        if count < 64 or count % 64:
            parser.error(f"--bytes {count}: must be a multiple of 64, and not 0")


def compare(parts, build, options, results):
    if "alloc" in parts:
        compare_alloc(build, options, results)
    if "overhead" in parts:
        compare_overhead(build, options, results)
    if "copy" in parts:
        compare_bandwidth(build, options, results)
    if "latency" in parts:
        compare_latency(build, options, results)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default=os.path.join(HERE, "..", "build", "bench"))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", action="append", help="traces, by name")
    parser.add_argument("--ours", action="append", choices=OURS, help="aclrt, native, pool or checked")
    parser.add_argument("--peers", action="append", help="glibc, mimalloc, ...")
    parser.add_argument("--touch", type=int, choices=[0, 1], help="default: both")
    parser.add_argument("--bytes", action="append", type=int, help="of copies; default: all")
    parser.add_argument("--part", action="append",
                        choices=["alloc", "overhead", "copy", "latency"], help="default: all")
    parser.add_argument("--json", metavar="FILE", help="everything, - for standard output")
    options = parser.parse_args()
    options.ours = options.ours or OURS
    check_options(parser, options)
    parts = options.part or ["alloc", "overhead", "copy", "latency"]
    results = []
    build = os.path.abspath(options.build)
    missing = [p for p in PROGRAMS if not os.path.exists(os.path.join(build, p))]
    if missing:
        parser.error(f"--build {options.build}: {', '.join(missing)}: not built there; "
                     "make bench does it")
    failure = None
    try:
        compare(parts, build, options, results)
    except RuntimeError as error:
        failure = f"run.py: {error}"
    if options.json == "-":
        json.dump(results, sys.stdout, indent=1)
    elif options.json:
        with open(options.json, "w", encoding="utf-8") as out:
            json.dump(results, out, indent=1)
    sys.exit(failure)


if __name__ == "__main__":
    main()
