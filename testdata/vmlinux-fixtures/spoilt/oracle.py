#!/usr/bin/env python3
"""Print what `initsect check` must find in one spoilt kernel.

The rules are told on the command line, as RULE:SUBJECT; how the kernel was
spoilt is known. A subject is one of
    SYMBOL           a boundary; its address is nm's, "-" if it has none
    FN@ID            an initcall by its entry symbol (the last, if registered twice)
    NAME=FN@ID       the same; what the entry holds is called NAME
    -@SYMBOL+BYTES   the slot at that distance from a symbol

Each is then checked against the file with nm, readelf and objdump: a rule that
does not hold, a path to free_initmem or a bad entry that no rule tells of is an
error.
Prints: fixture, rule, function, symbol, address; rule "-" for a sound kernel.
"""

import argparse
import collections
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
sys.dont_write_bytecode = True
import oracle  # noqa: E402

START, END = "__def_initcall_start", "__def_initcall_end"
DEFERRED = ".deferred_initcall.init"
TABLES = [("__initcall_start", "__initcall_end"),
          ("__con_initcall_start", "__con_initcall_end"), (START, END)]
Section = collections.namedtuple("Section", "name address size flags")
Finding = collections.namedtuple("Finding", "rule function symbol address")

# Direct calls and jumps of all the architectures, with objdump's name of the
# place; a jump inside a function leads to the function itself.
BRANCH = re.compile(r"\t(?:callq?|jmpq?|j[a-z]{0,3}|bl?|b[a-z]{2}|brasl)(?:\.[nw])?\s.*<(\w+)")


class Spoilt(oracle.Kernel):
    def __init__(self, options):
        super().__init__(options)
        self.entry = 4 if options.prel32 else self.word
        self.machine = re.search(r"Machine: +(.+)", oracle.run("readelf", "-hW", options.file)).group(1)
        self.sections = []
        for line in oracle.run("readelf", "-SW", options.file).splitlines():
            field = re.match(r" +\[ *\d+\] (\S+) +\S+ +([0-9a-f]+) [0-9a-f]+ ([0-9a-f]+) \w+ +(\w+) ", line)
            if field and "A" in field.group(4):
                self.sections.append(Section(
                    field.group(1), *(int(n, 16) for n in field.groups()[1:3]), field.group(4)))

    def section(self, address):
        return next((s for s in self.sections
                     if s.address <= address < s.address + s.size), None)

    def named(self, name):
        return next((s for s in self.sections if s.name == name), None)

    def entries(self, function, level):
        """Addresses of the entry symbols, which are not functions."""
        suffix = function + level
        if level == "deferred" and self.plain:
            suffix = function
        return sorted(
            address for name, address in self.address.items()
            if re.fullmatch(rf"__initcall_(_kmod_\w+?__\d+_\d+_)?{suffix}", name))

    @property
    def plain(self):
        return not any(name.startswith("__initcall__kmod_") for name in self.address)

    def slots(self, start, end):
        first, last = self.address.get(start, 0), self.address.get(end, 0)
        return range(first, last, self.entry)

    def size(self, start, end):
        return self.address[end] - self.address[start]

    def calls(self):
        """Which functions call or jump to which, from the disassembly."""
        graph, function = collections.defaultdict(set), ""
        for line in oracle.run("objdump", "-d", "--no-show-raw-insn", self.options.file).splitlines():
            title = re.match(r"[0-9a-f]+ <(\w+)>:", line)
            if title:
                function = title.group(1)
            branch = BRANCH.search(line)
            if branch:
                graph[function].add(branch.group(1))
        return graph

    def reaches(self, start, targets, by_way_of=()):
        """Whether calls lead there, other than by way of some function."""
        graph, seen, todo = self.calls(), set(by_way_of), [start]
        while todo:
            function = todo.pop()
            if function not in seen:
                seen.add(function)
                todo += graph[function]
        return bool(seen & set(targets))


# --- subjects ----------------------------------------------------------------

def resolve(kernel, text):
    rule, subject = text.split(":")
    shown, _, rest = subject.rpartition("=")
    if subject.startswith("-@"):
        symbol, distance = subject[2:].split("+")
        return Finding(rule, "-", "-", kernel.address[symbol] + int(distance))
    if "@" not in rest:
        return Finding(rule, "-", subject, kernel.address.get(subject))
    function, level = rest.split("@")
    return Finding(rule, shown or function, "-", kernel.entries(function, level)[-1])


# --- what makes a rule true --------------------------------------------------

def half(k, f):
    other = f.symbol.replace("_start", "_end")
    return f.symbol in k.address and other not in k.address


def is_reversed(k, f):
    return k.size(f.symbol, f.symbol.replace("_start", "_end")) < 0


def empty(k, f):
    return k.size("__initcall_start", "__initcall_end") == 0


def outside(k, f):
    start, end = f.address, k.address[f.symbol.replace("_start", "_end")]
    section = k.section(start)
    return section is None or end > section.address + section.size


def misaligned(k, f):
    return f.address % k.word != 0 and any(
        a % k.word == 0 and f.address < a < f.address + k.word
        for n, a in k.address.items() if oracle.is_entry_symbol(n))


def odd_size(k, f):
    ends = [a for n, a in k.address.items() if a > f.address
            and re.match(r"__\w*initcall\w*_(start|end)$", n)]
    return (min(ends) - f.address) % k.entry != 0


def level_order(k, f):
    following = re.sub(r"\d", lambda n: str(int(n.group()) + 1), f.symbol)
    return f.address > k.address[following]


def level_missing(k, f):
    return f.symbol not in k.address


def overlap(k, f):
    return bool(set(k.slots(START, END)) & set(k.slots("__initcall_start", "__initcall_end")))


def code(k, address):
    section = k.section(address)
    return section and "X" in section.flags


def null(k, f):
    return int.from_bytes(bytes(k.memory[f.address + i] for i in range(k.entry)), k.order) == 0


def not_code(k, f):
    return not code(k, k.resolve(f.address, 0)[0])


def inside(k, f):
    target, name = k.resolve(f.address, 0)
    function, distance = f.function.split("+")
    return name == "-" and code(k, target) and target - k.address[function] == int(distance, 16)


def not_text(k, f):
    target, name = k.resolve(f.address, 0)
    section = k.section(target).name
    return name == f.function and code(k, target) and section not in (".text", ".init.text")


def other_name(k, f):
    entry = next(n for n, _ in k.at[f.address] if oracle.is_entry_symbol(n))
    return k.resolve(f.address, 0)[1] == f.function and f.function not in entry


def wrong_level(k, f):
    entry = next(n for n, _ in k.at[f.address] if oracle.is_entry_symbol(n))
    return entry.endswith("6") and k.address["__initcall7_start"] <= f.address < k.address["__initcall_end"]


def lost(k, f):
    return not any(f.address in k.slots(*table) for table in TABLES) \
        and k.resolve(f.address, 0)[1] == f.function


def holders(k, function, *table):
    return [s for s in k.slots(*table) if k.resolve(s, 0)[1] == function]


def twice(k, f):
    return len(holders(k, f.function, "__initcall_start", "__initcall_end")) == 2


def orphan(k, f):
    return lost(k, f) and k.section(f.address).name == DEFERRED


def no_section(k, f):
    return k.named(DEFERRED) is None and k.section(f.address).name == ".init.data"


def foreign(k, f):
    section = k.named(DEFERRED)
    between = range(section.address, f.address) if f.symbol == START else \
        range(f.address, section.address + section.size)
    return any(k.memory[a] for a in between)


def double(k, f):
    return bool(holders(k, f.function, START, END)) \
        and bool(holders(k, f.function, "__initcall_start", "__initcall_end"))


def unreachable(k, f):
    return "do_deferred_initcalls" not in k.address


def freed(k):
    targets = ["free_initmem"]
    if "X86-64" in k.machine or "80386" in k.machine:
        targets.append("mark_rodata_ro")
    return k.reaches("kernel_init", targets, by_way_of=["do_deferred_initcalls"])


def in_init_memory(k, address):
    return k.address["__init_begin"] <= address < k.address["__init_end"]


def needs_init_memory(k):
    return any(in_init_memory(k, a) for slot in k.slots(START, END)
               for a in (slot, k.resolve(slot, 0)[0]))


def early_free(k, f):
    return freed(k) and needs_init_memory(k)


def unexplained(k, findings):
    """What else is wrong with entries, as far as the tables can be read."""
    told = {f.address for f in findings}
    slots = {s for table in TABLES for s in k.slots(*table)}
    for name, address in k.address.items():
        if name.startswith("__initcall_") and oracle.is_entry_symbol(name) and address not in slots | told:
            yield f"{name} is in no table"
    for slot in slots - told:
        target, function = k.resolve(slot, 0)
        section = k.section(target)
        if not section or section.name not in (".text", ".init.text") \
                or not any(f"_{function}" in name for name, _ in k.at.get(slot, [])):
            yield f"{slot:#x} holds {function}"


def unjudged(k, f):
    return k.machine in ("MC68000",)


HOLDS = {
    "IS001": half, "IS002": is_reversed, "IS003": empty, "IS004": outside,
    "IS005": misaligned, "IS006": odd_size, "IS007": level_order,
    "IS008": level_missing, "IS009": overlap,
    "IS101": null, "IS102": not_code, "IS103": inside, "IS104": not_text,
    "IS105": other_name, "IS106": wrong_level, "IS107": lost, "IS108": twice,
    "IS201": orphan, "IS202": no_section, "IS203": foreign, "IS204": double,
    "IS205": unreachable, "IS206": early_free, "IS207": unjudged,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prel32", action="store_true")
    parser.add_argument("--rela", action="store_true")
    parser.add_argument("--thumb", action="store_true")
    parser.add_argument("file")
    parser.add_argument("expected", nargs="*")
    options = parser.parse_args(namespace=argparse.Namespace(
        descriptor=None, map=None, deferred=None))
    kernel = Spoilt(options)

    findings = [resolve(kernel, text) for text in options.expected]
    for finding in findings:
        if not HOLDS[finding.rule](kernel, finding):
            sys.exit(f"{options.file}: {finding} does not hold")
    rules = {finding.rule for finding in findings}
    if not rules & {"IS001", "IS002", "IS004", "IS005", "IS006"}: # readable
        if early_free(kernel, None) != ("IS206" in rules):
            sys.exit(f"{options.file}: not what it says about init memory")
        for what in unexplained(kernel, findings):
            sys.exit(f"{options.file}: {what}")

    name = os.path.basename(options.file)
    for f in findings or [Finding("-", "-", "-", None)]:
        address = "-" if f.address is None else f"{f.address:x}"
        print(name, f.rule, f.function, f.symbol, address, sep="\t")


if __name__ == "__main__":
    main()
