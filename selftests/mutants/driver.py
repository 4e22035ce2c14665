# SPDX-License-Identifier: MIT
"""
Mutants of the driver: the module is built for stock 6.1, and one guest is booted with
the programs that are expected to notice. Only if they do not, guests with all others.
"""

import re
import subprocess
from pathlib import Path

from shell import assignments, build_trouble, clean_env, run

# What a program of the guest with devices wants beside the module.
KMODS = {"test_gup_disk": "virtio_pci virtio_blk", "test_vgem": "vgem", "test_vivid": "vivid"}
NODES = ("-object memory-backend-ram,id=m0,size=1G -object memory-backend-ram,id=m1,size=10G"
         " -numa node,nodeid=0,memdev=m0,cpus=0 -numa node,nodeid=1,memdev=m1,cpus=1")
IOMMU = "-machine q35,kernel-irqchip=split -device intel-iommu,intremap=on -device edu"
# What takes longer than most: these mutants come last.
SLOW = {"test_unload", "test_clean", "test_race", "test_matrix", "arenas", "iommu"}
# Guests beside the usual one: list of selftests/kmod, arguments of vm/run.sh, script.
GUESTS = {
    "arenas": ("list-arenas", ["--memory", "11264", "--cpus", "2,sockets=2", "--append",
                               "nokaslr init_on_alloc=0 no_timer_check", "--qemu", NODES], "kmod/guest-arenas.sh"),
    "iommu": ("list-iommu", ["--memory", "5120", "--append", "nokaslr intel_iommu=on", "--kmods",
                             "vfio vfio_iommu_type1 vfio_pci", "--qemu", IOMMU], "kmod/guest-devices.sh"),
    "carveout": ("", ["--memory", "2048", "--append", "nokaslr memmap=256M$0x40000000 movablecore=512M"], "kmod/guest-carveout.sh"),
    "latency": ("list-latency", ["--icount", "--memory", "4096", "--append", "nokaslr init_on_alloc=0"],
                "kmod/guest-latency.sh"),
    "poison": ("list-poison", ["--poison", "--memory", "2048", "--kmods", "hwpoison_inject"], "kmod/guest-poison.sh"),
    "reserve": ("list-reserve", ["--memory", "3072", "--append", "movablecore=768M init_on_alloc=0"],
                "kmod/guest-arenas.sh"),
    "sync": ("list-importer", ["--memory", "1024", "--append", "swiotlb=force"], "kmod/guest-sync.sh"),
}


class Suite:
    """One copy of the driver's sources, and how it is tested."""

    sources = ["kmod", "include/uapi", "include/aclkm", "selftests/kmod", "selftests/host", "selftests/vm", "selftests/debug",
               "selftests/fault", "selftests/importer", "examples"]

    def __init__(self, top, tree, wrap):
        self.top, self.tree, self.wrap = top, tree, wrap
        self.kernel = assignments([top / "tools/fetch-kernel.sh", "6.1"])
        self.tools = assignments([top / "tools/fetch-kselftest.sh", "6.1"])
        self.programs = tree / "build/kselftest"
        self.module = tree / "build/kmod/aclkm.ko"
        self.importer = tree / "build/importer/aclkm_importer.ko"
        self.lists = {name: self.names(name) for name in ("list", "list-driver", "list-devices")}
        # Programs that a guest would have to be set up for.
        self.lists["list-devices"] = [n for n in self.lists["list-devices"] if n != "test_rdma"]

    def names(self, what):
        out = subprocess.run(["make", "-s", "--no-print-directory", "-C", self.top / "selftests/kmod", what],
                             check=True, stdout=subprocess.PIPE, env=clean_env())
        return out.stdout.decode().split()

    # ------------------------------------------------------------- building

    def make_module(self, kernel, folder):
        return build_trouble(["make", "--no-print-directory", "-C", self.tree / "kmod", f"KDIR={kernel['KDIR']}",
                              f"B={self.tree / 'build' / folder}", "-j2"])

    def build(self, mutant):
        return self.make_module(self.kernel, "kmod")

    # -------------------------------------------------------------- testing

    def guest(self, name, module, arguments, script, *words):
        """Who noticed in one boot of a guest: nothing, a failed test, or None for a hang."""
        log = self.tree / "build" / f"{name}.log"
        out, _ = run([self.top / "selftests/vm/run.sh", "--name", name, "--log", log, "--quiet", "--module", module,
                      *arguments, "--", script, *words], self.wrap)
        parsed, _ = run(["awk", "-f", self.top / "selftests/vm/tap.awk", log])
        failed = [line.split("\t") for line in parsed.splitlines() if line.startswith("F\t")]
        failed = [f for f in failed if f[2] != "did not end" and f[1] != "-"]
        if failed:
            return f"{failed[0][1]}: " + re.sub(r"^not ok \d+\s*(- )?", "", failed[0][2])
        if "the kernel complained" in out:
            lines = out.split("the kernel complained:", 1)[1].split("\n")
            return "kernel log: " + " ".join(lines[1].split() if len(lines) > 1 else [])
        if "did not end within" in out or "did not boot" in out:
            return None
        if "clean" not in out and "trouble" in out or re.search(r"^aclkm-vm: .*: ", out, re.M):
            return "guest: " + " ".join(re.search(r"^aclkm-vm: .*", out, re.M)[0].split())
        return ""

    def files(self, pairs, where):
        """Arguments that put a list of lines and the programs into the guest."""
        path = self.tree / "build" / f"{where}.list"
        path.write_text("".join(line + "\n" for line, _ in pairs))
        arguments = ["--file", f"{path}:/kselftest/list"]
        for name in sorted({name for _, name in pairs}):
            arguments += ["--file", f"{self.programs / name}:/kselftest/{name}"]
        return arguments

    def usual(self, programs, timeout, percent=100):
        """One boot with programs of the lists without, with a large arena, and with devices."""
        pairs, kmods = [], []
        for kind, reserve in (("list", "64M"), ("list-driver", "1G,128M"), ("list-devices", "1G,128M")):
            for name in self.lists[kind]:
                if name in programs:
                    pairs.append((f"{reserve} {name}", name))
                    kmods += KMODS.get(name, "").split()
        arguments = ["--kernel", "6.1", "--memory", "4096", "--append", "nokaslr init_on_alloc=0",
                     "--timeout", str(timeout), *self.files(pairs, "usual")]
        if kmods:
            arguments += ["--kmods", " ".join(dict.fromkeys(kmods))]
        if "test_gup_disk" in programs:
            disk = self.tree / "build/disk.img"
            with open(disk, "wb") as image:
                image.truncate(256 << 20)
            arguments += ["--qemu", f"-drive file={disk},if=none,id=disk,format=raw,cache=unsafe"
                          " -device virtio-blk-pci,drive=disk"]
        return self.guest("usual", self.module, arguments, self.top / "selftests/kmod/guest-list.sh", str(percent), "first")

    def other(self, kind):
        """One boot of a guest of GUESTS."""
        listed, arguments, script = GUESTS[kind]
        names = self.names(listed) if listed else ["test_alloc", "test_mmap", "test_life", "test_pin_pages", "test_hibernate"]
        arguments = ["--kernel", "6.1", "--timeout", "400", *arguments,
                     *self.files([(name, name) for name in names], kind)]
        if kind == "sync":
            arguments += ["--file", self.importer]
        return self.guest(kind, self.module, arguments, self.top / "selftests" / script)

    def host(self):
        """The pure code, in user space."""
        folder = self.tree / "build/host"
        trouble = build_trouble(["make", "--no-print-directory", "-C", self.tree / "selftests/host",
                                 f"KTOOLS={self.tools['KTOOLS']}", f"B={folder}", "SAN=asan"], self.wrap)
        if trouble:
            return f"test_extent: {trouble}"
        out, status = run([folder / "test_extent"], self.wrap, timeout=120)
        if status is None:
            return None
        failed = re.search(r"^not ok \d+ *(.*)", out, re.M)
        return f"test_extent: {failed[1] if failed else status}" if status else ""

    def nospec(self):
        """What only the module's code can show."""
        out, status = run([self.top / "selftests/kmod/nospec.sh", self.module])
        failed = re.search(r"^not ok \d+ *(.*)", out, re.M)
        return f"nospec: {failed[1] if failed else status}" if status else ""

    def debug(self, what):
        """The kernel that checks itself: debug:PROGRAM, or debug:faults."""
        kernel = assignments([self.top / "tools/fetch-kernel.sh", "debug"])
        trouble = self.make_module(kernel, "kmod-debug")
        if trouble:
            return f"build for the debug kernel: {trouble}"
        arguments = ["--kernel", "debug", "--boot-timeout", "300", "--timeout", "500", "--memory", "2048", "--append",
                     "kmemleak=on nokaslr"]
        script, words = self.top / "selftests/debug/guest.sh", ["tests"]
        if what == "faults":
            folder = self.tree / "build/fault"
            trouble = build_trouble(["make", "--no-print-directory", "-C", self.tree / "selftests/fault",
                                     f"B={folder}"], self.wrap)
            if trouble:
                return f"build of fault programs: {trouble}"
            names = run(["make", "-s", "--no-print-directory", "-C", self.tree / "selftests/fault", "list"])[0].split()
            path = self.tree / "build/fault.list"
            path.write_text("".join(name + "\n" for name in names))
            arguments += ["--faults", "--file", f"{path}:/fault/list", "--file",
                          f"{folder}/accounts:/fault/accounts", *self.files([], "debug")]
            for name in names:
                arguments += ["--file", f"{folder / name}:/fault/{name}"]
            words = ["faults", "0"]
        else:
            arguments += self.files([(what, what)], "debug")
            # Loads the module itself, and looks for memory of CMA.
            if what == "test_reserve":
                arguments += ["--append", "cma=256M", "--file", f"{self.top / 'selftests/kmod/guest-arenas.sh'}:/arenas.sh"]
                words = ["arenas"]
        return self.guest("debug", self.tree / "build/kmod-debug/aclkm.ko", arguments, script, *words)

    @staticmethod
    def cost(mutant):
        """Quick ones first: an interrupted run has then done most."""
        debug = [hint for hint in mutant.hints if hint.startswith("debug:")]
        return 10 * len(debug) + sum(hint in SLOW for hint in mutant.hints)

    def rounds(self, mutant):
        """Boots to try, in order; each only if those before have not noticed."""
        usual = [name for names in self.lists.values() for name in names]
        hinted = [name for name in mutant.hints if name in usual]
        if "host" in mutant.hints:
            yield self.host
        # A part of the rounds is mostly enough; those who survive that get all of them.
        if hinted:
            yield lambda: self.usual(hinted, 300, 25)
        for hint in mutant.hints:
            if hint in GUESTS:
                yield lambda hint=hint: self.other(hint)
            elif hint.startswith("debug:"):
                yield lambda hint=hint: self.debug(hint[6:])
        yield lambda: self.usual(usual, 900)
        for kind in GUESTS:
            if kind not in mutant.hints:
                yield lambda kind=kind: self.other(kind)
        if "host" not in mutant.hints and "extent" in mutant.file:
            yield self.host

    def test(self, mutant):
        hung = False
        for boot in self.rounds(mutant):
            noticed = boot()
            if noticed:
                return "killed", noticed
            hung |= noticed is None
        return ("hangs" if hung else "survived"), f"expected: {' '.join(mutant.hints) or 'nobody'}"

    def control(self, mutants, thorough):
        """Builds everything, and runs what the mutants are expected to be noticed by."""
        self.programs.parent.mkdir(parents=True, exist_ok=True)
        trouble = build_trouble(["make", "--no-print-directory", "-C", self.tree / "selftests/kmod",
                                 f"KSFT={self.tools['KSFT']}", f"B={self.programs}", "-j2"], self.wrap)
        trouble = trouble or self.build(None)
        trouble = trouble or build_trouble(
            ["make", "--no-print-directory", "-C", self.tree / "selftests/importer", f"KDIR={self.kernel['KDIR']}",
             f"B={self.importer.parent}", f"KMOD={self.module.parent}"])
        if trouble or not thorough:
            return trouble
        hints = {hint for mutant in mutants for hint in mutant.hints}
        known = {name for names in self.lists.values() for name in names} | set(GUESTS) | {"host", "nospec"}
        unknown = {hint for hint in hints - known if not hint.startswith("debug:")}
        if unknown:
            return f"no program or guest is called {', '.join(sorted(unknown))}"
        usual = [name for names in self.lists.values() for name in names if name in hints]
        tries = [("usual", lambda: self.usual(usual, 900))] if usual else []
        tries += [(kind, lambda kind=kind: self.other(kind)) for kind in GUESTS if kind in hints]
        tries += [("host", self.host)] if "host" in hints else []
        tries += [("nospec", self.nospec)] if "nospec" in hints else []
        tries += [(hint, lambda hint=hint: self.debug(hint[6:])) for hint in sorted(hints) if hint.startswith("debug:")]
        for name, boot in tries:
            noticed = boot()
            if noticed is None:
                return f"{name} did not end"
            if noticed:
                return noticed
        return ""
