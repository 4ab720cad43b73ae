#!/usr/bin/env python3
"""Tests of doc_test: that a document which is wrong is found out."""
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import doc_test  # noqa: E402


def checked(text):
    return [doc_test.check_command(command, expected, '/bin/echo')
            for _, block in doc_test.blocks_of(text)
            for command, expected in doc_test.commands_of(block)]


class DocTest(unittest.TestCase):
    def test_what_is_true(self):
        self.assertEqual(checked('```sh run\n$ echo a\na\n$ printf "a\\nb 12 c\\nd\\n"\n...\n'
                                 'b ... c\nd\n$ true\n```\n'), [None, None, None])

    def test_a_here_document(self):
        self.assertEqual(checked("```sh run\n$ cat <<'END'\na\nEND\na\n```\n"), [None])

    def test_the_program_is_named(self):
        self.assertEqual(checked('```sh run\n$ build/dojima a\na\n```\n'), [None])

    def test_what_is_false(self):
        self.assertIn('printed\nb', checked('```sh run\n$ echo b\na\n```\n')[0])
        self.assertIn('printed\na\nb', checked('```sh run\n$ printf "a\\nb\\n"\na\n```\n')[0])
        self.assertIn('exit status 3', checked('```sh run\n$ exit 3\n```\n')[0])

    def test_what_is_not_tagged_is_not_run(self):
        self.assertEqual(checked('```sh\n$ exit 3\n```\n'), [])

    def test_functions(self):
        self.assertEqual(list(doc_test.functions_missing(
            '`src/core/core.h` `src/core/core.h:core_step` `src/core/core.h:core_gone` '
            '`src/core/gone.c`')), ['src/core/core.h:core_gone', 'src/core/gone.c'])

    def test_links(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'a.md')
            text = '[a](a.md#b) [b](b.md) [c](https://example.org/) [d](#d)'
            with open(path, 'w', encoding='utf-8') as f:
                f.write(text)
            self.assertEqual(list(doc_test.links_broken(path, text)), ['b.md'])


if __name__ == '__main__':
    unittest.main()
