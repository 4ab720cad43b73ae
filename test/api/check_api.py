#!/usr/bin/env python3
"""check_api.py: that docs/api.md is what `dojima` does.

Usage: check_api.py DOJIMA            checks
       check_api.py --write DOJIMA    fills in what is generated

Generated, and checked: under each `### method` heading the line of its scope and parameters (from
src/gate/rpc_table.c), each block ```json answer (the answer of the ```json request before it: all
requests of the document are one script), and the table of rejects (from src/msg/reject.def). Also
checked: every method of the table has its heading, and an example.
"""
import json
import os
import re
import subprocess
import sys
from decimal import Decimal

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WIDTH = 96


def read(path):
    with open(os.path.join(ROOT, path), encoding='utf-8') as f:
        return f.read()


def table_of(text):
    """method -> the line of its scope and parameters."""
    text = text.replace('\\\n', ' ')
    macros = dict(re.findall(r'#define (\w+_PARAMS)\s+(.*)', text))
    macros.update({k: v.rsplit(', END', 1)[0] for k, v in macros.items()})
    specs = {}
    for name, body in re.findall(r'param_spec (\w+)\[\] = \{(.*?)\};', text, re.DOTALL):
        for macro, value in macros.items():
            body = re.sub(r'\b%s\b' % macro, lambda _, v=value: v, body)
        found = []
        for match in re.finditer(r'((?:TEXT|INT|BOOL|DECIMAL|ENUM|ID|ARRAY|OBJECT|NOTE)'
                                 r'(?:_REQUIRED)?)\("(\w+)"|\{\.name = "(\w+)"([^}]*)\}', body):
            required = 'REQUIRED' in (match.group(1) or '') + (match.group(4) or '')
            found.append('`%s`%s' % (match.group(2) or match.group(3),
                                     ' (required)' if required else ''))
        specs[name] = found
    scopes = {'0': 'none', 'READ': 'read, or auditor, officer, clear',
              'CLEARING': 'officer or clear'}
    lines = {}
    for method, params, scope in re.findall(
            r'\{"((?:public|private)/\w+)",\s*\w+,\s*(\w+),\s*(.*?),\s*\w+\},', text, re.DOTALL):
        scope = re.sub(r'\s+', ' ', scope)
        scope = scopes.get(scope) or ' or '.join(re.findall(r'RPC_SCOPE_(\w+)', scope))
        takes = ', '.join(specs[params]) or 'nothing'
        lines[method] = 'Scope: %s. Takes: %s.' % (scope, takes)
    return lines


def rejects_of(text):
    rows = ['| reason | rule | code | sentence |', '|---|---|---|---|']
    for name, rule, code, sentence in re.findall(
            r'^REJECT\((\w+), "([^"]*)", (-?\d+), "([^"]*)"\)', text, re.MULTILINE):
        rows.append('| `%s` | %s | %s | %s |' % (name, rule, code, sentence))
    return '\n'.join(rows)


def pretty(value, indent=''):
    """JSON that is kept on one line where it fits."""
    if isinstance(value, dict):
        parts = ['%s: %s' % (json.dumps(k), pretty(v, indent + '  ')) for k, v in value.items()]
        ends = '{}'
    elif isinstance(value, list):
        parts = [pretty(v, indent + '  ') for v in value]
        ends = '[]'
    else:
        return str(value) if isinstance(value, Decimal) else json.dumps(value)
    line = ends[0] + ', '.join(parts) + ends[1]
    if len(indent) + len(line) <= WIDTH and '\n' not in line:
        return line
    lines, now = [], ''
    for i, part in enumerate(parts):
        part += ',' if i + 1 < len(parts) else ''
        if now and ('\n' in part or len(indent) + 3 + len(now) + len(part) > WIDTH):
            lines.append(now)
            now = ''
        now = now + ' ' + part if now else part
        if '\n' in part:
            lines.append(now)
            now = ''
    if now:
        lines.append(now)
    return '%s\n%s\n%s%s' % (ends[0], '\n'.join(indent + '  ' + x for x in lines), indent,
                             ends[1])


def answers_of(dojima, text):
    requests = [json.loads(r, parse_float=Decimal)
                for r in re.findall(r'```json request\n(.*?)```', text, re.DOTALL)]

    def plain(value):
        if isinstance(value, dict):
            return '{%s}' % ','.join('%s:%s' % (json.dumps(k), plain(v)) for k, v in value.items())
        if isinstance(value, list):
            return '[%s]' % ','.join(map(plain, value))
        return str(value) if isinstance(value, Decimal) else json.dumps(value)

    done = subprocess.run([dojima, 'script', '-'], input=''.join(plain(r) + '\n' for r in requests),
                          capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        sys.exit('dojima script: status %d\n%s' % (done.returncode, done.stderr))
    return [json.loads(line, parse_float=Decimal) for line in done.stdout.splitlines()]


def fill(dojima, text, problems):
    lines = table_of(read('src/gate/rpc_table.c'))
    for method, line in lines.items():
        section = re.search(r'^### %s\n(.*?)(?=^##|\Z)' % method, text, re.MULTILINE | re.DOTALL)
        if section is None:
            problems.append('%s has no section' % method)
            continue
        if '"method": "%s"' % method not in section.group(1):
            problems.append('%s has no example' % method)
        body = re.sub(r'\AScope: .*\n', '', section.group(1))
        text = text[:section.start(1)] + line + '\n' + body + text[section.end(1):]
    text = re.sub(r'(<!-- rejects -->\n).*?(\n<!-- end -->)',
                  lambda m: m.group(1) + rejects_of(read('src/msg/reject.def')) + m.group(2), text,
                  flags=re.DOTALL)
    answers = iter(answers_of(dojima, text))

    def answer(match):
        return match.group(1) + pretty(next(answers)) + '\n```'
    text = re.sub(r'(```json request\n(?:(?!```).)*```\n\n?```json answer\n).*?```', answer, text,
                  flags=re.DOTALL)
    if next(answers, None) is not None:
        problems.append('a request without an answer behind it')
    return text


def main():
    arguments = [a for a in sys.argv[1:] if a != '--write']
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    problems = []
    before = read('docs/api.md')
    after = fill(arguments[0], before, problems)
    if '--write' in sys.argv:
        with open(os.path.join(ROOT, 'docs/api.md'), 'w', encoding='utf-8') as f:
            f.write(after)
    elif after != before:
        a, b = before.split('\n'), after.split('\n')
        at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
        problems.append('docs/api.md:%d is not what happens: %r, but %r; see --write' %
                        (at + 1, a[at:at + 1], b[at:at + 1]))
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
