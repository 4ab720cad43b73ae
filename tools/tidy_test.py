#!/usr/bin/env python3
"""Tests of tidy: a small made example of each violation, and one of each thing that is allowed."""
import importlib.machinery
import importlib.util
import os
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
LOADER = importlib.machinery.SourceFileLoader('tidy', os.path.join(HERE, 'tidy'))
SPEC = importlib.util.spec_from_loader('tidy', LOADER)
tidy = importlib.util.module_from_spec(SPEC)
LOADER.exec_module(tidy)

RULES = '### MATCH-01 The book\n\n### CLEAR-08 Margin\n'


def check(files):
    """What tidy says of a tree of these files (path -> text): ['path:line: text', ...]."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in {'docs/rules.md': RULES, **files}.items():
            full = os.path.join(root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, 'w', encoding='utf-8') as f:
                f.write(text)
        return ['%s:%d: %s' % v for v in tidy.Tidy(root).check()]


class TidyTest(unittest.TestCase):
    def refused(self, files, path_line, words):
        said = check(files)
        self.assertEqual(len(said), 1, said)
        self.assertTrue(said[0].startswith(path_line + ': '), said)
        self.assertIn(words, said[0])

    def allowed(self, files):
        self.assertEqual(check(files), [])

    # include arrows

    def test_an_arrow_against_the_flow(self):
        self.refused({'src/msg/a.c': '#include "core/core.h"\n'}, 'src/msg/a.c:1',
                     'src/msg may not include core/core.h')
        self.refused({'src/base/a.h': '\n#include "msg/event.h"\n'}, 'src/base/a.h:2',
                     'src/base may not include msg/event.h')
        self.refused({'src/feed/a.c': '#include "gate/rpc.h"\n'}, 'src/feed/a.c:1', 'gate/rpc.h')
        self.refused({'src/core/a.c': '#include "io/io.h"\n'}, 'src/core/a.c:1', 'io/io.h')

    def test_an_arrow_with_the_flow(self):
        self.allowed({'src/gate/a.c': '#include "wire/json.h"\n#include "msg/event.h"\n',
                      'src/core/a.c': '#include "core/state.h"\n#include "base/map.h"\n',
                      'src/node/a.c': '#include "gate/rpc.h"\n#include "feed/feed.h"\n'})

    def test_the_inside_of_the_core(self):
        self.refused({'src/node/a.c': '#include "core/book.h"\n'}, 'src/node/a.c:1', 'core/book.h')
        self.refused({'src/gate/a.c': '#include "core/core.h"\n'}, 'src/gate/a.c:1', 'core/core.h')
        self.allowed({'src/seq/a.c': '#include "core/core.h"\n',
                      'src/core/a_test.c': '#include "core/book.h"\n',
                      'bench/a.c': '#include "core/book.h"\n',
                      'sim/a.c': '#include "core/book.h"\n'})

    def test_the_simulator_and_the_real_world(self):
        self.refused({'sim/a.c': '#include "io/posix.h"\n'}, 'sim/a.c:1', 'replaces')
        self.refused({'sim/a.c': '#include "node/node.h"\n'}, 'sim/a.c:1', 'replaces')
        self.allowed({'sim/a.c': '#include "io/io.h"\n'})

    def test_a_comment_is_no_include(self):
        self.allowed({'src/base/a.c': '/* #include "core/core.h" */\n// #include <unistd.h>\n'})

    # the operating system

    def test_the_operating_system_outside_io(self):
        for name in ('unistd.h', 'sys/mman.h', 'fcntl.h', 'poll.h', 'netinet/in.h'):
            self.refused({'src/node/a.c': '#include <%s>\n' % name}, 'src/node/a.c:1', name)
        self.allowed({'src/io/a.c': '#include <unistd.h>\n#include <sys/stat.h>\n',
                      'src/seq/a_test.c': '#include <unistd.h>\n'})

    # calls and types

    def test_banned_calls(self):
        for call in ('strcpy(a, b)', 'strcat(a, b)', 'sprintf(a, b)', 'gets(a)', 'atoi(a)',
                     'strtok(a, b)', 'alloca(4)', 'system(a)', 'rand()'):
            self.refused({'src/cli/a.c': 'void f(void)\n{\n    %s;\n}\n' % call}, 'src/cli/a.c:3',
                         call.split('(')[0] + ' is banned')
        self.allowed({'src/cli/a.c': 'void f(void)\n{\n    snprintf(a, 1, "rand()");\n'
                                     '    /* strcpy(a, b) */ random_rand(); x.system(1);\n}\n'})

    def test_the_libc_assert(self):
        self.refused({'src/base/a.c': '#include <assert.h>\n'}, 'src/base/a.c:1', 'base/assert.h')
        self.allowed({'src/base/a.c': '#include "base/assert.h"\n'})

    def test_allocation_in_the_core(self):
        body = 'void %s(void)\n{\n    free(malloc(1));\n}\n'
        self.refused({'src/core/book.c': body % 'book_add'}, 'src/core/book.c:3', 'in core')
        self.refused({'src/core/core.c': body % 'core_step'}, 'src/core/core.c:3', 'in core')
        self.allowed({'src/core/core.c': body % 'core_open', 'src/seq/a.c': body % 'seq_open',
                      'src/core/book_test.c': body % 'main'})

    def test_floating_point(self):
        self.refused({'src/core/a.c': 'double x;\n'}, 'src/core/a.c:1', 'integers only')
        self.refused({'src/wire/a.c': '\nfloat x;\n'}, 'src/wire/a.c:2', 'integers only')
        self.allowed({'src/quant/a.c': 'double x;\n', 'src/core/a.c': 'int double_sided;\n'
                                                                     '/* no double */\n'})

    # lengths

    def test_a_long_function(self):
        def function(lines):
            return ('int f(int a,\n      int b)\n{\n' + '    a = "{"[0];\n' * (lines - 4) + '}\n')
        self.refused({'src/cli/a.c': '\n' + function(71)}, 'src/cli/a.c:2', 'f: 71 lines')
        self.allowed({'src/cli/a.c': 'struct a {\n' + '    int b;\n' * 90 + '};\n' + function(70)
                                     + 'static const int t[] = {\n' + '    1,\n' * 90 + '};\n'})

    def test_a_long_file(self):
        self.refused({'src/cli/a.c': '\n' * 1001}, 'src/cli/a.c:1001', '1000 lines')
        self.allowed({'src/cli/a.c': '\n' * 1000})

    def test_a_long_line(self):
        self.refused({'src/cli/a.c': '// ' + 'x' * 98 + '\n'}, 'src/cli/a.c:1', '100 columns')
        self.allowed({'src/cli/a.c': '// ' + 'x' * 97 + '\n'})

    def test_a_tab(self):
        self.refused({'src/cli/a.h': '\tint a;\n'}, 'src/cli/a.h:1', 'a tab')

    # marks and flags

    def test_marks_left_for_later(self):
        for mark in ('TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', 'HA' + 'CK'):
            self.refused({'web/a.ts': '// %s: later\n' % mark}, 'web/a.ts:1', mark)

    def test_the_wrapping_flag(self):
        self.refused({'meson.build': "add('-f%s')\n" % 'wrapv'}, 'meson.build:1', 'wrapv')

    # rule ids

    def test_a_rule_that_does_not_exist(self):
        self.refused({'src/core/a.c': '/* MATCH-77 */\n'}, 'src/core/a.c:1', 'MATCH-77')
        self.allowed({'src/core/a.c': '/* MATCH-01, MATCH-01..05 */\n'})

    def test_a_reject_without_its_rule(self):
        line = 'REJECT(%s, "%s", -1, "No.")\n'
        said = check({'src/msg/reject.def': line % ('a', 'CLEAR-99')})
        self.assertTrue(any('a names CLEAR-99' in s for s in said), said)
        self.refused({'src/msg/reject.def': line % ('a', 'whim')}, 'src/msg/reject.def:1', 'whim')
        self.allowed({'src/msg/reject.def': line % ('a', 'CLEAR-08') + line % ('b', 'API')})

    def test_the_name_of_a_scenario(self):
        self.refused({'test/scenarios/fifo.jsonl': '{}\n'}, 'test/scenarios/fifo.jsonl:1', 'rule')
        self.refused({'test/scenarios/MATCH-55-a.jsonl': '{}\n'},
                     'test/scenarios/MATCH-55-a.jsonl:1', 'MATCH-55')
        self.allowed({'test/scenarios/museum_nickel_2022.scenario': '# story\n'})
        self.allowed({'test/scenarios/MATCH-01-fifo.jsonl': '{}\n',
                      'test/scenarios/clear_08_margin.jsonl': '{}\n'})

    # one machine's traces

    def test_a_path_of_one_machine(self):
        self.refused({'docs/a.md': 'see /ro' + 'ot/a\n'}, 'docs/a.md:1', 'a path of one machine')
        self.refused({'x': 'cd /ho' + 'me/me/a\n'}, 'x:1', 'a path of one machine')
        self.allowed({'docs/a.md': 'see src/' 'work/a.c and ~/.local\n'})

    def test_a_download_address(self):
        self.refused({'web/package-lock.json': '{"resolved": "https://example.org/a"}\n'},
                     'web/package-lock.json:1', 'download address')


if __name__ == '__main__':
    unittest.main()
