#!/usr/bin/env python3
"""Tests of run_tests: that what programs print is counted as it is meant."""
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import run_tests  # noqa: E402

CMOCKA = '''[==========] Running 4 test(s).
[ RUN      ] a
[       OK ] a
[ RUN      ] b
[  FAILED  ] b
[ RUN      ] c
skipped: the data is not here
[  SKIPPED ] c
[ RUN      ] d
'''
CMOCKA_END = '''[       OK ] d
[==========] 4 test(s) run.
[  PASSED  ] 2 test(s).
[  SKIPPED ] 1 test(s), listed below:
[  SKIPPED ] c
[  FAILED  ] 1 test(s), listed below:
[  FAILED  ] b
'''


class RunTestsTest(unittest.TestCase):
    def counts(self, status, output, expected):
        r = run_tests.counted('x', status, output, 0.0)
        self.assertEqual((r.passed, r.failed, r.skipped), expected)
        return r

    def test_cmocka(self):
        r = self.counts(1, CMOCKA + CMOCKA_END, (2, 1, 1))
        self.assertEqual(r.reasons, ['skipped: the data is not here'])

    def test_a_crash_fails_the_case_that_ran(self):
        self.counts(-6, CMOCKA, (1, 2, 1))

    def test_a_bad_end_after_good_cases(self):
        good = '[==========] Running 1 test(s).\n[ RUN      ] a\n[       OK ] a\n'
        self.counts(0, good, (1, 0, 0))
        self.counts(23, good, (1, 1, 0))

    def test_node(self):
        self.counts(0, 'ok 1 - a # SKIP no browser\n# pass 4\n# fail 0\n# skipped 1\n', (4, 0, 1))
        self.counts(1, '# pass 4\n# fail 2\n# skipped 0\n', (4, 2, 0))

    def test_python(self):
        r = self.counts(0, "a (x.T.a) ... skipped 'no openssl'\n" + '-' * 70 +
                        '\nRan 7 tests in 0.1s\n\nOK (skipped=1)\n', (6, 0, 1))
        self.assertEqual(r.reasons, ['no openssl'])
        self.counts(1, 'FAIL: a (x.T.a)\nERROR: b (x.T.b)\nRan 7 tests in 0.1s\n\nFAILED\n',
                    (5, 2, 0))

    def test_our_own_summary(self):
        self.counts(0, 'skipped: no browser\n7 passed, 0 failed, 1 skipped\n', (7, 0, 1))
        self.counts(1, '7 passed, 0 failed\n', (7, 1, 0))

    def test_a_program_that_is_one_test(self):
        self.counts(0, '', (1, 0, 0))
        self.counts(2, 'no\n', (0, 1, 0))
        r = self.counts(77, 'there is no chromium\n', (0, 0, 1))
        self.assertEqual(r.reasons, ['there is no chromium'])

    def test_a_fuzzer_that_found_something_has_failed(self):
        stats = 'stat::number_of_executed_units: 3096\nstat::peak_rss_mb: 196\n'
        found = run_tests.fuzzed('x_fuzz', 77, stats, 0.0)
        self.assertEqual((found.passed, found.failed, found.skipped), (0, 1, 0))
        self.assertEqual(found.name, 'x_fuzz (3096 inputs)')
        clean = run_tests.fuzzed('x_fuzz', 0, stats, 0.0)
        self.assertEqual((clean.passed, clean.failed, clean.skipped), (1, 0, 0))

    def test_a_skip_without_a_reason_has_failed(self):
        silent = run_tests.counted('x', 0, 'Ran 7 tests in 0.1s\n\nOK (skipped=2)\n', 0.0)
        r = run_tests.demand_reasons(silent)
        self.assertEqual((r.passed, r.failed, r.skipped), (5, 2, 0))
        self.assertIn('2 skipped without a reason', r.output)
        named = run_tests.counted('x', 1, CMOCKA + CMOCKA_END, 0.0)
        self.assertIs(run_tests.demand_reasons(named), named)
        mute = run_tests.demand_reasons(run_tests.counted('x', 77, '', 0.0))
        self.assertEqual((mute.failed, mute.skipped), (1, 0))

    def test_what_does_not_end(self):
        status, output, _ = run_tests.run(['sleep', '5'], 0.2)
        self.assertEqual(status, 124)
        self.assertIn('ended after', output)


if __name__ == '__main__':
    unittest.main()
