#!/usr/bin/env python3
"""Print the expected `initsect list --format tsv` of one fixture.

An oracle that shares nothing with initsect: GNU nm, readelf and objdump read
the file, and how the fixture was built (encoding, deferred table) is told on
the command line, not detected.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile

LEVELS = ["early", "0", "0s", "1", "1s", "2", "2s", "3", "3s", "4", "4s",
          "5", "5s", "rootfs", "6", "6s", "7", "7s"]
COLUMNS = "order table level slot target symbol module line entry"


def run(*command):
    env = dict(os.environ, LC_ALL="C")
    return subprocess.run(command, check=True, capture_output=True, text=True,
                          env=env).stdout


# --- names -----------------------------------------------------------------

def like_linker_script(name):
    return name.startswith("__") and (
        name.startswith(("__start_", "__stop_", "__end_"))
        or name.endswith(("_start", "_end")))


def preference(symbol):
    """Sort key of scripts/kallsyms.c for symbols at one address."""
    name, weak = symbol
    underscores = len(name) - len(name.lstrip("_"))
    return weak, like_linker_script(name), underscores, name.encode()


def displayed(name):
    """The function that a compiler-made name stands for."""
    while True:
        shorter = re.sub(r"(\.cfi_jt|\.cfi|\.llvm\.\d+)$", "", name)
        if shorter == name:
            break
        name = shorter
    stub = re.match(r"__initstub__kmod_.+?__\d+_\d+_(.+?)"
                    r"(early|rootfs|con|[0-7]s?)$", name)
    if stub:
        name = stub.group(1)
    if re.match(r"_R[A-Z]|_ZN.*17h[0-9a-f]{16}E$", name):
        name = run("c++filt", name).strip()
        name = re.sub(r"\[[0-9a-f]+\]", "", name)
        name = re.sub(r"::h[0-9a-f]{16}$", "", name)
    return name


def function_name(symbols):
    """symbols: (name, weak) pairs at one address."""
    named = [s for s in symbols if not s[0].startswith(("$", ".L"))]
    return displayed(min(named, key=preference)[0]) if named else "-"


def is_entry_symbol(name):
    if re.match(r"__(\w+_)?initcall(\d|rootfs)?_(start|end)$", name):
        return False
    if name == "__early_initcall_end":
        return False
    return re.match(r"__(deferred_)?initcall_.|__\w+_initcall$", name)


def module_and_line(entry):
    kmod = re.match(r"__initcall__kmod_(.+?)__\d+_(\d+)_", entry)
    rust = re.fullmatch(r"__(.+)_initcall", entry)  # rust/macros/module.rs: named after the module
    if rust:
        return rust.group(1), "-"
    return kmod.groups() if kmod else ("-", "-")


# --- what the binutils say ---------------------------------------------------

def section_contents(path, *only):
    """objdump -s: bytes by address (by offset for a relocatable file)."""
    memory = {}
    for line in run("objdump", "-s", *only, path).splitlines():
        dump = re.match(r" ([0-9a-f]+) (.{35})  ", line)
        if dump:
            address = int(dump.group(1), 16)
            for byte in bytes.fromhex(dump.group(2).replace(" ", "")):
                memory[address] = byte
                address += 1
    return memory


def header(path):
    text = run("readelf", "-hW", path)
    word = 8 if "ELF64" in text else 4
    order = "big" if "big endian" in text else "little"
    return word, order, re.search(r"Type: +(\w+)", text).group(1)


def relocations(path):
    """readelf -r: {section: [(offset, symbol value, symbol, addend)]}.

    The addend is None where it lies in place (REL)."""
    found, rows, explicit = {}, None, True
    for line in run("readelf", "-rW", path).splitlines():
        title = re.match(r"Relocation section '(\S+)'", line)
        if title:
            rows = found.setdefault(title.group(1), [])
            explicit = title.group(1).startswith(".rela")
            continue
        field = line.split()
        if len(field) < 3 or not re.match(r"R_\w+$", field[2]):
            continue
        offset = int(field[0], 16)
        if len(field) == 4 and explicit:
            rows.append((offset, 0, "", int(field[3], 16)))
        elif len(field) >= 5:
            addend = None
            if explicit:
                addend = int(field[6], 16) * (-1 if field[5] == "-" else 1)
            rows.append((offset, int(field[3], 16), field[4], addend))
    return found


# --- a linked kernel ---------------------------------------------------------

class Kernel:
    def __init__(self, options):
        self.options = options
        path = options.file
        self.word, self.order, _ = header(path)
        self.memory = section_contents(path)
        if options.rela:
            self.apply(relocations(path))
        self.address, self.at = {}, {}
        if options.map:
            with open(options.map, encoding="ascii") as file:
                listing = file.read()
        else:
            listing = run("nm", path)
        for line in listing.splitlines():
            symbol = re.match(r"([0-9a-f]+) (\S) (\S+)$", line)
            if not symbol or symbol.group(2) in "aANU?":
                continue
            # GNU nm sign-extends the addresses of 32-bit MIPS
            value = int(symbol.group(1), 16) % (1 << 8 * self.word)
            name = symbol.group(3)
            self.address[name] = value
            self.at.setdefault(value, []).append((name, symbol.group(2) in "vVwW"))

    def apply(self, sections):
        for rows in sections.values():
            for offset, value, _, addend in rows:
                word = (value + addend) % (1 << 8 * self.word)
                for i, byte in enumerate(word.to_bytes(self.word, self.order)):
                    self.memory[offset + i] = byte

    def read(self, address, size, signed=False):
        data = bytes(self.memory[address + i] for i in range(size))
        return int.from_bytes(data, self.order, signed=signed)

    def resolve(self, slot, offset):
        """The function that the entry at slot holds, and its name."""
        if self.options.prel32:
            value = slot + self.read(slot, 4, signed=True)
            return value, function_name(self.at.get(value, []))
        value = self.read(slot + offset, self.word)
        if self.options.thumb:
            # nm shows the addresses of Thumb functions without bit 0
            value &= ~1
        symbols = self.at.get(value, [])
        if self.options.descriptor is not None:
            # ppc64 names the descriptor, hppa64 the code
            symbols = [s for s in symbols if not like_linker_script(s[0])]
            value = self.read(value + self.options.descriptor, self.word)
            symbols = symbols or self.at.get(value, [])
        return value, function_name(symbols)

    def row(self, table, level, slot, offset=0):
        names = [s[0] for s in self.at.get(slot, []) if is_entry_symbol(s[0])]
        assert len(names) <= 1, names
        entry = names[0] if names else "-"
        if level.isdigit() and entry.endswith(level + "s"):
            level += "s"
        target, name = self.resolve(slot, offset)
        return (table, level, f"{slot:x}", f"{target:x}", name,
                *module_and_line(entry), entry)

    def table(self, table, level, start, end, size=0, offset=0):
        size = size or (4 if self.options.prel32 else self.word)
        first, last = self.address[start], self.address[end]
        assert (last - first) % size == 0, (start, end)
        return [self.row(table, level, slot, offset)
                for slot in range(first, last, size)]

    def ranges(self):
        start, end = "__initcall_start", "__initcall_end"
        if "__initcall0_start" in self.address:
            ids = ["0", "1", "2", "3", "4", "5", "rootfs", "6", "7"]
            marks = [start, *(f"__initcall{i}_start" for i in ids), end]
            return zip(["early", *ids], marks, marks[1:])
        early = "__early_initcall_end"
        if early in self.address:
            return [("early", start, early), ("unknown", early, end)]
        return [("unknown", start, end)]

    def deferred(self):
        if not self.options.deferred:
            return []
        start, end = self.options.deferred
        size, offset, group = self.options.deferred_struct or (0, 0, 0)
        rows = self.table("deferred", "deferred", start, end, size, offset)
        if group:
            rows.sort(key=lambda row: self.read(int(row[2], 16) + group, 4))
        return rows

    def rows(self):
        rows = self.table("console", "console", "__con_initcall_start",
                          "__con_initcall_end")
        if "__security_initcall_start" in self.address:
            rows += self.table("security", "security",
                               "__security_initcall_start",
                               "__security_initcall_end")
        for level, start, end in self.ranges():
            rows += self.table("initcall", level, start, end)
        return rows + self.deferred()


# --- objects, archives, modules ----------------------------------------------

class Object:
    def __init__(self, path, options):
        self.path, self.options = path, options
        self.word, self.order, _ = header(path)
        self.relocations = relocations(path)
        self.sections = {}
        for line in run("readelf", "-SW", path).splitlines():
            section = re.match(r" +\[ *(\d+)\] (\S+) ", line)
            if section:
                self.sections[section.group(1)] = section.group(2)
        self.defined, self.at = {}, {}
        for line in run("readelf", "-sW", path).splitlines():
            field = line.split()
            if len(field) < 8 or not re.match(r"\d+:", field[0]):
                continue
            value, kind, bind, name = int(field[1], 16), field[3], field[4], field[-1]
            section = self.sections.get(field[-2])
            if section is None or kind in ("SECTION", "FILE"):
                continue
            self.defined[name] = (section, value)
            self.at.setdefault((section, value), []).append((name, bind == "WEAK"))

    def addend(self, section, offset, size):
        memory = section_contents(self.path, "-j", section)
        data = bytes(memory[offset + i] for i in range(size))
        return int.from_bytes(data, self.order)

    def resolve(self, section, size, offset, symbol, addend):
        """Where a relocated entry points: (section, offset) or None."""
        if addend is None:
            addend = self.addend(section, offset, size)
        if symbol in self.sections.values():
            return symbol, addend
        if symbol not in self.defined:
            return None
        home, value = self.defined[symbol]
        return home, value + addend

    def rows(self):
        for title, entries in self.relocations.items():
            section = re.sub(r"^\.rela?", "", title)
            place = re.match(r"\.initcall(\w+?)\.init$", section)
            if place:
                table, level = "initcall", place.group(1)
            elif section == ".con_initcall.init":
                table = level = "console"
            elif section == ".security_initcall.init":
                table = level = "security"
            elif section == ".deferred_initcall.init":
                table = level = "deferred"
            else:
                continue
            for offset, _, symbol, addend in sorted(entries):
                size = 4 if self.options.prel32 else self.word
                where = self.resolve(section, size, offset, symbol, addend)
                name = function_name(self.at[where]) if where else symbol
                target = "-"
                if where:
                    # readelf shows Thumb functions with bit 0, nm without
                    target = f"{where[1] & ~int(self.options.thumb):x}"
                names = [s[0] for s in self.at.get((section, offset), [])
                         if is_entry_symbol(s[0])]
                entry = names[0] if names else "-"
                yield (table, level, f"{offset:x}", target, name,
                       *module_and_line(entry), entry)

    def module_rows(self):
        section = ".gnu.linkonce.this_module"
        info = section_contents(self.path, "-j", ".modinfo")
        text = bytes(info[i] for i in sorted(info)).split(b"\0")
        module = next(t[5:].decode() for t in text if t.startswith(b"name="))
        for level, call in (("init", "init_module"), ("exit", "cleanup_module")):
            for title in (".rela" + section, ".rel" + section):
                for offset, _, symbol, _ in self.relocations.get(title, []):
                    if symbol != call:
                        continue
                    where = self.defined[symbol]
                    others = [s for s in self.at[where] if s[0] != call]
                    yield ("module", level, f"{offset:x}", f"{where[1]:x}",
                           function_name(others or [(call, False)]),
                           module, "-", "-")


def run_order(row):
    table, level = row[0], row[1]
    tables = ["console", "security", "initcall", "deferred"]
    return tables.index(table), LEVELS.index(level) if level in LEVELS else 0


def archive_rows(options):
    """Members in archive order; the sort by level keeps that order."""
    rows, path = [], options.file
    with open(path, "rb") as file:
        thin = file.read(8) == b"!<thin>\n"
    for member in run("ar", "t", path).split():
        if thin:
            rows += Object(member, options).rows()
            continue
        with tempfile.NamedTemporaryFile(suffix=".o") as copy:
            subprocess.run(["ar", "p", path, member], check=True, stdout=copy)
            rows += Object(copy.name, options).rows()
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prel32", action="store_true",
                        help="entries are 32-bit offsets from themselves")
    parser.add_argument("--thumb", action="store_true",
                        help="bit 0 of a pointer says Thumb")
    parser.add_argument("--descriptor", type=int, metavar="OFFSET",
                        help="entries point to descriptors, code address at OFFSET")
    parser.add_argument("--rela", action="store_true",
                        help="apply the dynamic relocations first")
    parser.add_argument("--deferred", nargs=2, metavar=("START", "END"))
    parser.add_argument("--deferred-struct", nargs=3, type=int,
                        metavar=("SIZE", "FN", "GROUP"),
                        help="offsets in an element; GROUP 0: there is none")
    parser.add_argument("--map", help="System.map to use instead of nm")
    parser.add_argument("--module", action="store_true", help="FILE is a .ko")
    parser.add_argument("file")
    options = parser.parse_args()

    if options.file.endswith(".a"):
        rows = sorted(archive_rows(options), key=run_order)
    elif options.module:
        rows = list(Object(options.file, options).module_rows())
    elif header(options.file)[2] == "REL":
        rows = sorted(Object(options.file, options).rows(), key=run_order)
    else:
        rows = Kernel(options).rows()
    if not rows:
        sys.exit(f"{options.file}: no initcalls")
    print(*COLUMNS.split(), sep="\t")
    for order, row in enumerate(rows, 1):
        print(order, *row, sep="\t")


if __name__ == "__main__":
    main()
