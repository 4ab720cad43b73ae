#!/usr/bin/env python3
"""Tests of symbols: libraries of a few lines, built with the system's compiler."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))


def symbols(libraries):
    """Return code and output for these libraries: {name: {file: text}}."""
    with tempfile.TemporaryDirectory() as build:
        for library, files in libraries.items():
            folder = os.path.join(build, 'src', library)
            os.makedirs(folder)
            for name, text in files.items():
                with open(os.path.join(folder, name), 'w', encoding='utf-8') as f:
                    f.write(text)
                subprocess.run(['cc', '-c', name, '-o', name + '.o'], cwd=folder, check=True)
            subprocess.run(['ar', 'rc', 'lib%s.a' % library] + [n + '.o' for n in files],
                           cwd=folder, check=True)
        done = subprocess.run([sys.executable, os.path.join(HERE, 'symbols'), build],
                              capture_output=True, text=True, check=False)
        return done.returncode, done.stdout


@unittest.skipUnless(all(map(shutil.which, ('cc', 'ar', 'nm'))), 'no compiler')
class SymbolsTest(unittest.TestCase):
    def test_two_files_of_one_library(self):
        code, out = symbols({'core': {'a.c': 'int find(void) { return 1; }',
                                      'b.c': 'int find(void) { return 2; }'}})
        self.assertEqual((code, out),
                         (1, 'find: defined in src/core/a.c and in src/core/b.c\n'))

    def test_two_libraries(self):
        code, out = symbols({'core': {'a.c': 'int find(void) { return 1; }'},
                             'gate': {'a.c': 'int find = 2;'}})
        self.assertEqual((code, out),
                         (1, 'find: defined in src/core/a.c and in src/gate/a.c\n'))

    def test_static_and_weak_ones_may_be_twice(self):
        mine = 'static int find(void) { return 1; } int %s(void) { return find(); }'
        weak = ' __attribute__((weak)) int soft(void) { return 1; }'
        code, out = symbols({'core': {'a.c': mine % 'a' + weak, 'b.c': mine % 'b' + weak}})
        self.assertEqual((code, out), (0, ''))

    def test_nothing_built_is_no_success(self):
        self.assertEqual(symbols({})[0], 1)


if __name__ == '__main__':
    unittest.main(verbosity=2)  # what is skipped says why
