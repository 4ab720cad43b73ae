#!/usr/bin/env python3
"""run_tests: runs the suites of the project and counts every test in them.

Usage: run_tests.py [--build DIR] [--fuzz DIR] [--fuzz-seconds N] [--jobs N] SUITE...

Suites:
  tidy        tools/tidy over this tree, and the tests of these tools
  c           every test that meson knows, the simulator's among them; each case counts
  scenarios   every file of test/scenarios, through `dojima script`
  documents   the commands that the documents show, run and compared (tools/doc_test.py)
  node        the page's types, and the tests of each folder of test/ that has a package.json
  fuzz        every fuzzer of the fuzz build, for a few seconds

The output of what fails is shown, what is skipped says why, and the last line is
`N passed, N failed`, with `, N skipped` when some were. Exit status 1 when any failed.
"""
import argparse
import concurrent.futures
import glob
import json
import os
import re
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OUTPUT_LINES_MAX = 200  # shown of a failure: the last ones


class Result:
    """What one program that holds tests came to."""

    def __init__(self, name, passed=0, failed=0, skipped=0, output='', reasons=(), seconds=0.0):
        self.name = name
        self.passed = passed
        self.failed = failed
        self.skipped = skipped
        self.output = output
        self.reasons = list(reasons)  # why each was skipped
        self.seconds = seconds


def run(command, seconds, environment=None, directory=ROOT):
    """Runs a command to its end: (exit status, output, seconds). 124: it ran too long."""
    start = time.monotonic()
    try:
        done = subprocess.run(command, cwd=directory, env={**os.environ, **(environment or {})},
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=seconds, check=False)
        status, output = done.returncode, done.stdout
    except subprocess.TimeoutExpired as e:
        status, output = 124, (e.stdout or b'') + b'\nended after %g s' % seconds
    except OSError as e:
        status, output = 127, str(e).encode()
    return status, output.decode('utf-8', 'replace'), time.monotonic() - start


def whole(name, status, output, seconds):
    """The result of a program that is one test."""
    if status == 77:  # as meson and automake have it
        reasons = [line for line in [last_line(output)] if line]
        return Result(name, skipped=1, reasons=reasons, output=output, seconds=seconds)
    return Result(name, passed=int(status == 0), failed=int(status != 0),
                  output=output + ('' if status == 0 else '\nexit status %d' % status),
                  seconds=seconds)


def fuzzed(name, status, output, seconds):
    """The result of a fuzzer. libFuzzer ends with 77 when it has found something: no skip."""
    result = whole(name, 1 if status == 77 else status, output, seconds)
    m = re.search(r'number_of_executed_units:\s*(\d+)', output)
    if m:
        result.name += ' (%s inputs)' % m.group(1)
    return result


def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ''


def counted(name, status, output, seconds):
    """The result of a program whose output counts its tests: cmocka's or node's or our own way.

    A program that fails without a failed case (a crash, a leak found at its end) counts as one
    failure more.
    """
    passed = failed = skipped = 0
    reasons = []
    summary = re.findall(r'^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\s*$', output,
                         re.MULTILINE)
    if '[==========]' in output:
        # Its two streams may come out of order and a crash ends it early: what was begun and is
        # neither passed nor skipped has failed.
        begun = len(re.findall(r'\[ RUN      \] ', output))
        passed = len(re.findall(r'\[       OK \] ', output))
        totals = re.findall(r'\[  SKIPPED \] (\d+) test\(s\)', output)
        cases = re.findall(r'\[  SKIPPED \] (?!\d+ test)(\S+)', output)
        skipped = sum(map(int, totals)) if totals else len(set(cases))
        failed = begun - passed - skipped
        reasons = re.findall(r'^(.*\bskip(?:ped|s|ping)?\b.*)$', output,
                             re.MULTILINE | re.IGNORECASE)
        reasons = [r for r in reasons if not r.startswith('[')]
    elif summary:
        passed, failed, skipped = (int(n or 0) for n in summary[-1])
        reasons = re.findall(r'^skip\S*:? (.*)$', output, re.MULTILINE)
    elif ran := re.search(r'^Ran (\d+) tests? in ', output, re.MULTILINE):  # Python's unittest
        failed = len(re.findall(r'^(?:FAIL|ERROR): ', output, re.MULTILINE))
        reasons = re.findall(r"^.*\bskipped ['\"](.*)['\"]$", output, re.MULTILINE)
        m = re.search(r'\bskipped=(\d+)', output)
        skipped = int(m.group(1)) if m else 0
        passed = max(int(ran.group(1)) - failed - skipped, 0)
    elif re.search(r'^(?:#|ℹ) pass \d+', output, re.MULTILINE):
        def number(word):
            return int(re.search(r'^(?:#|ℹ) %s (\d+)' % word, output, re.MULTILINE).group(1))
        passed, failed, skipped = number('pass'), number('fail'), number('skipped')
        reasons = re.findall(r'# SKIP (.*)$', output, re.MULTILINE)
    else:
        return whole(name, status, output, seconds)
    if status != 0 and failed == 0:
        failed = 1
        output += '\nexit status %d' % status
    return Result(name, passed, failed, skipped, output, reasons, seconds)


# Suites: each yields callables that give a Result.

def suite_tidy(_):
    yield lambda: whole('tidy', *run([os.path.join(ROOT, 'tools/tidy')], 60))

    for name in ('tidy_test', 'run_tests_test', 'doc_test_test'):
        def tests(name=name):
            return counted(name, *run(
                [sys.executable, os.path.join(ROOT, 'tools', name + '.py'), '-v'], 60))
        yield tests


def suite_c(options):
    build = os.path.join(ROOT, options.build)
    made = subprocess.run(['ninja', '-C', build, '-j', str(options.jobs), 'meson-test-prereq'],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if made.returncode != 0:
        yield lambda: whole('what the tests need', made.returncode, made.stdout, 0.0)
    out = subprocess.run(['meson', 'introspect', '--tests', build], capture_output=True,
                         check=True, text=True).stdout
    for test in json.loads(out):
        def one(test=test):
            limit = max(int(test.get('timeout') or 0), 120) * options.patience
            return counted(test['name'], *run(test['cmd'], limit, test.get('env'),
                                              test.get('workdir') or build))
        yield one


def scenario(runner, dojima, path, seconds):
    """A scenario of a rule that is not in force says so in a line `# not in force yet: why`. It is
    run all the same: when it passes, the line has to go."""
    name = os.path.relpath(path, os.path.join(ROOT, 'test'))
    with open(path, encoding='utf-8') as f:
        mark = re.search(r'^# (not in force yet: .*)$', f.read(), re.MULTILINE)
    result = whole(name, *run([sys.executable, runner, dojima, path], seconds))
    if mark and result.failed:
        return Result(name, skipped=1, reasons=[mark.group(1)], seconds=result.seconds)
    if mark:
        return Result(name, failed=1, output='it passes, but says `%s`' % mark.group(1),
                      seconds=result.seconds)
    return result


def suite_scenarios(options):
    runner = os.path.join(ROOT, 'test/scenarios/run.py')
    dojima = os.path.join(ROOT, options.build, 'dojima')
    for path in sorted(glob.glob(os.path.join(ROOT, 'test/scenarios/**/*.scenario'),
                                 recursive=True)):
        yield lambda path=path: scenario(runner, dojima, path, 60 * options.patience)


def suite_documents(options):
    dojima = os.path.join(ROOT, options.build, 'dojima')
    yield lambda: counted('documents', *run(
        [sys.executable, os.path.join(ROOT, 'tools/doc_test.py'), dojima], 300))


def suite_node(options):
    """The page's types, and `npm test` of every folder of test/; the page's tests are meson's."""
    dojima = os.path.abspath(os.path.join(ROOT, options.build, 'dojima'))
    scripts = [('check', p) for p in glob.glob(os.path.join(ROOT, 'web/package.json'))] + \
        [('test', p) for p in sorted(glob.glob(os.path.join(ROOT, 'test/*/package.json')))]
    for script, path in scripts:
        with open(path, encoding='utf-8') as f:
            if script not in json.load(f).get('scripts', {}):
                continue

        def one(script=script, folder=os.path.dirname(path)):
            return counted(os.path.relpath(folder, ROOT) + ': ' + script, *run(
                ['npm', 'run', '--silent', script], 300, {'DOJIMA': dojima}, folder))
        yield one


def suite_fuzz(options):
    build = os.path.join(ROOT, options.fuzz)
    for path in sorted(glob.glob(os.path.join(build, '*_fuzz'))):
        def one(path=path):
            name = os.path.basename(path)
            corpus = os.path.join(build, 'corpus', name)
            os.makedirs(corpus, exist_ok=True)
            status, output, seconds = run(
                [path, corpus, '-max_total_time=%d' % options.fuzz_seconds, '-timeout=10',
                 '-rss_limit_mb=2048', '-print_final_stats=1',
                 '-artifact_prefix=%s/' % build],
                options.fuzz_seconds + 60)
            return fuzzed(name, status, output, seconds)
        yield one


SUITES = {'tidy': suite_tidy, 'c': suite_c, 'scenarios': suite_scenarios,
          'documents': suite_documents, 'node': suite_node, 'fuzz': suite_fuzz}
# Suites that are kept from running beside themselves: they time things, or open ports.
ALONE = {'node', 'documents'}


def demand_reasons(result):
    """A test that is skipped without saying why has failed."""
    silent = result.skipped - len(result.reasons)
    if silent <= 0:
        return result
    return Result(result.name, result.passed, result.failed + silent, result.skipped - silent,
                  result.output + '\n%d skipped without a reason' % silent, result.reasons,
                  result.seconds)


def report(result):
    verdict = 'FAILED' if result.failed else 'ok' if result.passed else 'skipped'
    counts = ', '.join('%d %s' % (n, word) for n, word in (
        (result.passed, 'passed'), (result.failed, 'failed'), (result.skipped, 'skipped')) if n)
    print('%-8s %-52s %s  (%.1f s)' % (verdict, result.name, counts, result.seconds))
    for reason in result.reasons[:result.skipped]:
        print('         skipped: ' + re.sub(r'^skip\w*: *', '', reason.strip()))
    if result.failed:
        lines = result.output.rstrip().split('\n')
        if len(lines) > OUTPUT_LINES_MAX:
            print('    ... %d lines before' % (len(lines) - OUTPUT_LINES_MAX))
        for line in lines[-OUTPUT_LINES_MAX:]:
            print('    ' + line)
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description='runs the suites of the project')
    parser.add_argument('--build', default='build')
    parser.add_argument('--fuzz', default='build-fuzz')
    parser.add_argument('--fuzz-seconds', type=int, default=3)
    parser.add_argument('--jobs', type=int, default=os.cpu_count() or 1)
    parser.add_argument('suites', nargs='+', choices=sorted(SUITES))
    options = parser.parse_args()
    options.patience = 1 if options.build == 'build' else 6  # sanitizers are slow
    passed = failed = skipped = 0
    for suite in options.suites:
        print('-- ' + suite)
        tests = list(SUITES[suite](options))
        if not tests:
            print('         nothing here')
        with concurrent.futures.ThreadPoolExecutor(1 if suite in ALONE else options.jobs) as pool:
            for result in pool.map(lambda test: demand_reasons(test()), tests):
                report(result)
                passed += result.passed
                failed += result.failed
                skipped += result.skipped
    print('%d passed, %d failed' % (passed, failed) +
          (', %d skipped' % skipped if skipped else ''))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
