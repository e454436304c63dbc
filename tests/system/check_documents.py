#!/usr/bin/env python3
"""What the papers say of the code is true: RFCs, programs, files, and manual pages that a formatter takes without complaint.

    check_documents.py [folder of the built programs] [folder of printed pages]
    check_documents.py --unused-parameters      prints parameters that claim to be carried out, and that no source reads
"""
import glob
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SOURCES = ("lib", "master", "smtpd", "qmgr", "smtp-client", "local-delivery", "imapd", "pop3d")
PAPERS = ("README.md", "ARCHITECTURE.md", "CHANGELOG.md")
# Where a developer's own folders would show. Names of test users below /home are written otherwise in this tree.
FOREIGN_PATH = re.compile(r"(?<![\w.$}~/-])/(?:work|root|mnt|Users)/[\w.-]+|(?<![\w.$}~/-])/tmp/build[\w./-]*")

problems = []


def complain(text):
    problems.append(text)


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def files_of(*folders, ending=("",)):
    for folder in folders:
        for place, below, names in os.walk(os.path.join(ROOT, folder)):
            below[:] = [name for name in below if not name.startswith(".") and not re.match(r"build(-|$)|__pycache__|corpus", name)]
            for name in sorted(names):
                if name.endswith(ending):
                    yield os.path.join(place, name)


def manual_pages(printed):
    pages = {}
    for folder in filter(None, (os.path.join(ROOT, "man"), printed)):
        if not os.path.isdir(folder):
            continue
        for name in os.listdir(folder):
            if re.search(r"\.[1-8]$", name):
                pages[name] = os.path.join(folder, name)
    return pages


def check_standards():
    """Every RFC named in code stands in standards.7, with a word on how far it is carried out."""
    rows = dict(re.findall(r"^(?:RFC )?(\d+)\t(whole|part|no|used)\t", read(os.path.join(ROOT, "man", "standards.7")), re.MULTILINE))
    named = {}
    for path in files_of(*SOURCES, ending=(".cpp", ".h", ".def")):
        for line in read(path).splitlines():
            for run in re.findall(r"RFC \d{3,5}(?:(?:, | and |/)\d{3,5}\b)*", line):
                for number in re.findall(r"\d{3,5}", run):
                    named.setdefault(number, os.path.relpath(path, ROOT))
            # "//   speaks      RFC 3501; 2177 2342" and its continuation by commas: the head of a program's main file.
            if re.match(r"//\s+speaks\s", line):
                for number in re.findall(r"\b\d{4}\b", line):
                    named.setdefault(number, os.path.relpath(path, ROOT))
    for number in sorted(named, key=int):
        if number not in rows:
            complain(f"man/standards.7: RFC {number}, named in {named[number]}, is not listed")


def check_programs(binaries, pages):
    """Every program that was built has a manual page."""
    if not binaries or not os.path.isdir(binaries):
        return
    for name in sorted(os.listdir(binaries)):
        path = os.path.join(binaries, name)
        if os.path.isfile(path) and os.access(path, os.X_OK) and not any(f"{name}.{section}" in pages for section in "18"):
            complain(f"man/: no page for {name}")


def check_form(pages):
    """The formatter has nothing to say about a page, and what a page refers to exists."""
    groff = shutil.which("groff")
    for name, path in sorted(pages.items()):
        text = read(path)
        target = re.match(r"\.so (\S+)\n?$", text)
        if target:
            if os.path.basename(target.group(1)) not in pages:
                complain(f"{name}: refers to {target.group(1)}, which is not there")
            continue
        if not re.search(r"^\.SH NAME\n.+ \\- ", text, re.MULTILINE):
            complain(f"{name}: no NAME section of the form \"name \\- what it is\"")
        for other, section in re.findall(r"^\.BR ([\w.-]+) \(([1-8])\)", text, re.MULTILINE):
            is_ours = any(page.rsplit(".", 1)[0] == other for page in pages)
            if is_ours and f"{other}.{section}" not in pages:
                complain(f"{name}: {other}({section}) is of another section")
        if not groff:
            continue
        said = subprocess.run([groff, "-man", "-t", "-ww", "-z", "-K", "utf8", path], capture_output=True, text=True, check=False)
        # A paragraph that can't be adjusted (a long path) is not a mistake of the page.
        lines = [line for line in said.stderr.splitlines() if "can't break line" not in line and "cannot adjust line" not in line]
        for line in lines[:5]:
            complain(f"{name}: {line.replace(os.path.dirname(path) + '/', '')}")


def check_named_files():
    """A path of this tree that a paper names is there, and a function that it names beside a file is in that file."""
    tops = "|".join(map(re.escape, SOURCES + ("conf", "man", "tests")))
    for paper in PAPERS:
        path = os.path.join(ROOT, paper)
        if not os.path.exists(path):
            complain(f"{paper} is missing")
            continue
        text = read(path)
        named = set(re.findall(rf"(?<![\w./~$-])((?:{tops})/[\w./*-]*[\w/*])", text)) | set(re.findall(r"\]\(([\w./-]+)\)", text))
        for name in sorted(named):
            if not glob.glob(os.path.join(ROOT, name)):
                complain(f"{paper}: {name} is not there")
        for name, functions in re.findall(r"`([\w./-]+\.cpp)`: ((?:`\w+\(\)`(?:, )?)+)", text):
            if not os.path.exists(os.path.join(ROOT, name)):
                continue
            for function in re.findall(r"\w+(?=\(\))", functions):
                if not re.search(rf"\b{function}\(", read(os.path.join(ROOT, name))):
                    complain(f"{paper}: {name} has no {function}()")


def check_foreign_paths():
    """No folder of a developer's machine in what others read."""
    places = list(files_of(*SOURCES, "conf", "man", "tests", ending=(".cpp", ".h", ".def", ".py", ".cf", ".txt", ".cmake", ".service", ".conf") + tuple(
        f".{section}" for section in "12345678")))
    places += [os.path.join(ROOT, name) for name in PAPERS + ("CMakeLists.txt", "quickstart") if os.path.exists(os.path.join(ROOT, name))]
    for path in places:
        if path == os.path.abspath(__file__):
            continue
        for number, line in enumerate(read(path).splitlines(), 1):
            found = FOREIGN_PATH.search(line)
            if found:
                complain(f"{os.path.relpath(path, ROOT)}:{number}: {found.group(0)}")


def unused_parameters():
    """PARAMETER()s that no program reads: by name, by a name made of prefix and suffix, or by $name in one that is read."""
    sources = "\n".join(read(path) for path in files_of(*SOURCES, ending=(".cpp", ".h")))
    words = set(re.findall(r"\w+", sources))
    literals = set(re.findall(r'"(\w+)"', sources))
    defaults = {}
    for path in files_of("lib/config", ending=(".def",)):
        for name, default in re.findall(r'^PARAMETER\(\w+, (\w+), "((?:[^"\\]|\\.)*)"', read(path), re.MULTILINE):
            defaults[name] = default

    def is_read(name):
        prefix, _, suffix = name.partition("_")
        made = prefix in ("smtp", "lmtp", "smtpd", "local", "relay", "virtual", "default")
        return name in words or (made and (suffix in literals or "_" + suffix in literals))

    used = {name for name in defaults if is_read(name)}
    todo = list(used)
    while todo:
        for other in re.findall(r"\w+", defaults[todo.pop()]):
            if other in defaults and other not in used:
                used.add(other)
                todo.append(other)
    return sorted(set(defaults) - used)


def main():
    if sys.argv[1:] == ["--unused-parameters"]:
        print("\n".join(unused_parameters()))
        return 0
    binaries = sys.argv[1] if len(sys.argv) > 1 else None
    pages = manual_pages(sys.argv[2] if len(sys.argv) > 2 else None)
    check_standards()
    check_programs(binaries, pages)
    check_form(pages)
    check_named_files()
    check_foreign_paths()
    for problem in problems:
        print(problem)
    print(f"{len(pages)} pages, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
