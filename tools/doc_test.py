#!/usr/bin/env python3
"""doc_test: that what the documents show is what happens.

Usage: doc_test.py DOJIMA [FILE.md ...]

In a block that begins with ```sh run, each line `$ command` (with its here-document, or lines
that end in a backslash) is run from the root of the tree, and what it prints is compared with the
lines that follow it: `...` within a line stands for any text, a line of `...` for any lines. A
command without lines after it has only to end well. `build/dojima` is replaced by DOJIMA.

Also checked: that links to files of this tree lead somewhere, that a `src/file.c:function` that is
named exists, and that each subcommand has a manual page. (docs/api.md has a test of its own,
test/api/check_api.py.)
"""
import glob
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SECONDS_MAX = 60


def blocks_of(text):
    """(line number, lines) of every runnable block."""
    found, block, start = [], None, 0
    for number, line in enumerate(text.split('\n'), 1):
        if block is None:
            if re.match(r'```sh run\s*$', line):
                block, start = [], number
        elif line.startswith('```'):
            found.append((start, block))
            block = None
        else:
            block.append(line)
    return found


def commands_of(block):
    """(command, lines expected of it) of a block."""
    found, i = [], 0
    while i < len(block):
        line = block[i]
        i += 1
        if not line.startswith('$ '):
            if found:
                found[-1][1].append(line)
            continue
        command = [line[2:]]
        while command[-1].endswith('\\') and i < len(block):
            command.append(block[i])
            i += 1
        m = re.search(r"<<-?'?(\w+)'?", line)
        while m and i < len(block):
            command.append(block[i])
            i += 1
            if command[-1] == m.group(1):
                break
        found.append(('\n'.join(command), []))
    return found


def pattern_of(lines):
    parts = []
    for line in lines:
        if line.strip() == '...':
            parts.append(r'(?:.*\n)*?')
        else:
            parts.append('.*?'.join(re.escape(p) for p in line.rstrip().split('...')) + r'\s*\n')
    return ''.join(parts)


def check_command(command, expected, dojima):
    """None when it does what the document says; else what it did."""
    run = command.replace('build/dojima', dojima)
    try:
        done = subprocess.run(['bash', '-c', run], cwd=ROOT, capture_output=True, text=True,
                              timeout=SECONDS_MAX, stdin=subprocess.DEVNULL, check=False)
    except subprocess.TimeoutExpired:
        return 'did not end within %d s' % SECONDS_MAX
    while expected and not expected[-1].strip():
        expected = expected[:-1]
    if done.returncode != 0:
        return 'exit status %d\n%s%s' % (done.returncode, done.stdout, done.stderr)
    said = done.stdout if done.stdout.endswith('\n') or not done.stdout else done.stdout + '\n'
    if expected and not re.fullmatch(pattern_of(expected), said):
        return 'printed\n' + said + done.stderr
    return None


def links_broken(path, text):
    text = re.sub(r'```.*?```', '', text, flags=re.DOTALL)
    for target in re.findall(r'\]\(([^)\s]+)\)', text):
        if re.match(r'[a-z]+:', target) or target.startswith('#'):
            continue
        file = os.path.join(os.path.dirname(path), target.split('#')[0])
        if not os.path.exists(file):
            yield target


def functions_missing(text):
    """`src/...c:name` and `src/...c` that a document names and that do not exist."""
    for path, name in re.findall(r'`((?:src|sim|web|tools|test)/[\w/.]+\.\w+)(?::(\w+))?`', text):
        file = os.path.join(ROOT, path)
        if not os.path.exists(file):
            yield path
        elif name:
            with open(file, encoding='utf-8') as f:
                if not re.search(r'^[a-z].*\b%s\(' % name, f.read(), re.MULTILINE):
                    yield path + ':' + name


def manuals_missing(dojima):
    """Subcommands that no manual page names in its heading."""
    said = subprocess.run([dojima, '--help'], capture_output=True, text=True, check=False).stdout
    named = set()
    for path in glob.glob(os.path.join(ROOT, 'docs/man/*.scd')):
        with open(path, encoding='utf-8') as f:
            named |= set(re.findall(r'\w+', f.read().split('# SYNOPSIS')[0]))
    return [c for c in re.findall(r'^  (\w+)  ', said, re.MULTILINE) if c not in named]


def main():
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    dojima = os.path.abspath(sys.argv[1])
    files = sys.argv[2:] or sorted(glob.glob(os.path.join(ROOT, '*.md')) +
                                   glob.glob(os.path.join(ROOT, 'docs/**/*.md'), recursive=True))
    passed = failed = 0

    def count(problem, where):
        nonlocal passed, failed
        if problem is None:
            passed += 1
        else:
            failed += 1
            print('%s: %s' % (where, problem))

    for path in files:
        name = os.path.relpath(path, ROOT)
        with open(path, encoding='utf-8') as f:
            text = f.read()
        broken = list(links_broken(path, text))
        count('links lead nowhere: ' + ', '.join(broken) if broken else None, name)
        gone = list(functions_missing(text))
        count('these are no more: ' + ', '.join(gone) if gone else None, name)
        for line, block in blocks_of(text):
            for command, expected in commands_of(block):
                count(check_command(command, expected, dojima), '%s:%d: %s' % (name, line, command))
    if len(sys.argv) == 2:
        without = manuals_missing(dojima)
        count('no page for ' + ', '.join(without) if without else None, 'docs/man')
    print('%d passed, %d failed' % (passed, failed))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
