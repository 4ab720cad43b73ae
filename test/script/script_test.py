#!/usr/bin/env python3
"""script_test.py DOJIMA: `dojima script` as a program: exit statuses, options, what it prints."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

DOJIMA = ''
EXAMPLE = [
    {'id': 1, 'as': 'officer', 'method': 'private/officer_create_product', 'params': {
        'product': 'ZZ', 'kind': 'future', 'tick_size': 0.5, 'contract_size': 1,
        'settlement': 'cash', 'matching': {'algorithm': 'fifo'}}},
    {'id': 2, 'as': 'officer', 'method': 'private/officer_list_instrument',
     'params': {'product': 'ZZ', 'period': '2027M03'}},
    {'id': 3, 'as': 'officer', 'method': 'private/officer_create_account',
     'params': {'account': 'alice', 'member': 'alpha'}},
    {'id': 4, 'as': 'officer', 'method': 'private/officer_create_account',
     'params': {'account': 'bob', 'member': 'beta'}},
    {'id': 5, 'as': 'officer', 'method': 'private/officer_deposit',
     'params': {'account': 'alice', 'asset': 'USD', 'amount': 1000000}},
    {'id': 6, 'as': 'officer', 'method': 'private/officer_deposit',
     'params': {'account': 'bob', 'asset': 'USD', 'amount': 1000000}},
    {'id': 7, 'at': '2027-01-04T09:00:00Z', 'as': 'officer', 'method': 'private/officer_set_state',
     'params': {'product': 'ZZ', 'state': 'open'}},
    {'id': 8, 'as': 'alice', 'method': 'private/sell',
     'params': {'instrument_name': 'ZZ-2027M03', 'type': 'limit', 'price': 100.5, 'amount': 5}},
    {'id': 9, 'at': '2027-01-04T09:00:01Z', 'as': 'bob', 'method': 'private/buy',
     'params': {'instrument_name': 'ZZ-2027M03', 'type': 'limit', 'price': 101, 'amount': 3}},
    {'id': 10, 'as': 'bob', 'method': 'private/get_positions', 'params': {}},
    {'id': 11, 'method': 'public/get_order_book',
     'params': {'instrument_name': 'ZZ-2027M03', 'depth': 5}},
]


def script(text, *options):
    return subprocess.run([DOJIMA, 'script', *options, '-'], input=text, capture_output=True,
                          text=True, timeout=30, check=False)


def lines(requests):
    return ''.join(json.dumps(r) + '\n' for r in requests)


class ScriptTest(unittest.TestCase):
    def test_the_example_of_the_interface(self):
        done = script(lines(EXAMPLE))
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([a['id'] for a in answers], list(range(1, 12)))
        self.assertTrue(all('error' not in a and a['seq'] >= 1 for a in answers))
        ninth = answers[8]['result']
        self.assertEqual(ninth['order']['order_state'], 'filled')
        self.assertEqual((ninth['order']['filled_amount'], ninth['order']['average_price']),
                         (3, 100.5))
        self.assertEqual([(t['price'], t['amount']) for t in ninth['trades']], [(100.5, 3)])
        self.assertEqual(answers[9]['result'][0]['size'], 3)
        self.assertEqual((answers[10]['result']['bids'], answers[10]['result']['asks']),
                         ([], [[100.5, 2]]))

    def test_the_same_lines_give_the_same_bytes(self):
        self.assertEqual(script(lines(EXAMPLE), '--events').stdout,
                         script(lines(EXAMPLE), '--events').stdout)

    def test_events_come_before_their_answer(self):
        done = script(lines(EXAMPLE), '--events')
        objects = [json.loads(line) for line in done.stdout.splitlines()]
        at = next(i for i, o in enumerate(objects) if o.get('id') == 9 and 'result' in o)
        events = []
        while 'event' in objects[at - 1]:
            at -= 1
            events.insert(0, objects[at])
        self.assertTrue(all(e['seq'] == 9 for e in events))
        self.assertEqual([e['index'] for e in events], list(range(len(events))))
        trades = [e for e in events if e['event'] == 'trade']
        self.assertEqual([(t['price'], t['amount'], t['buy']['account'], t['sell']['account'])
                          for t in trades], [(100.5, 3, 'bob', 'alice')])
        postings = [e for e in events if e['event'] == 'posting']
        self.assertEqual(sum(p['amount'] for p in postings), 0)

    def test_a_reject_is_an_answer(self):
        done = script('{"id":1,"method":"private/buy"}\n{"id":"x","method":"a"}\n\n[]\n')
        self.assertEqual(done.returncode, 0)
        reasons = [json.loads(a)['error']['data']['reason'] for a in done.stdout.splitlines()]
        self.assertEqual(reasons, ['malformed_request', 'unknown_method', 'malformed_request'])

    def test_what_is_not_json_ends_it(self):
        for bad in ('not json', '{"id":1,}', '{"id":01}', "{'id':1}", '{"id":1} {}', '\xff'):
            done = script('{"id":1,"method":"public/test"}\n%s\n{"id":2,"method":"public/test"}\n'
                          % bad)
            self.assertEqual(done.returncode, 2, bad)
            self.assertEqual(len(done.stdout.splitlines()), 1)
            self.assertIn('line 2', done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), 1)

    def test_the_clock_does_not_go_back(self):
        one = '{"at":"2027-01-04T10:00:00Z","method":"public/get_time"}\n'
        done = script(one + one)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(json.loads(done.stdout.splitlines()[1])['result'], 1799056800000)
        done = script(one + '{"at":"2027-01-04T09:59:59.999999999Z","method":"public/test"}\n')
        self.assertEqual((done.returncode, len(done.stdout.splitlines())), (2, 1))
        self.assertEqual(script('{"at":"2027-01-03T23:59:59Z"}\n').returncode, 2)
        done = script('{"id":1,"at":"yesterday","method":"public/test"}\n')
        self.assertEqual(done.returncode, 0)
        self.assertIn('"param":"at"', done.stdout)

    def test_usage(self):
        for arguments in ([], ['--nothing', '-'], ['a', 'b']):
            done = subprocess.run([DOJIMA, 'script', *arguments], capture_output=True,
                                  stdin=subprocess.DEVNULL, timeout=30, check=False)
            self.assertEqual(done.returncode, 2, arguments)
        for arguments in (['script', '--help'], ['--help'], ['--version']):
            done = subprocess.run([DOJIMA, *arguments], capture_output=True, timeout=30,
                                  check=False)
            self.assertEqual(done.returncode, 0)
            self.assertTrue(done.stdout)
        self.assertEqual(subprocess.run([DOJIMA, 'nothing'], capture_output=True, timeout=30,
                                        check=False).returncode, 2)
        self.assertEqual(subprocess.run([DOJIMA, 'script', '/nonexistent/file'], timeout=30,
                                        capture_output=True, check=False).returncode, 1)

    def test_config(self):
        config = {'comment': 'x', 'products': [EXAMPLE[0]['params']],
                  'accounts': [EXAMPLE[2]['params']], 'instruments': [EXAMPLE[1]['params']],
                  'states': [{'product': 'ZZ', 'state': 'open'}]}
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'config.json')

            def run(value):
                with open(path, 'w', encoding='utf-8') as f:
                    f.write(value if isinstance(value, str) else json.dumps(value))
                return script(lines([EXAMPLE[7]]), '--config', path)
            done = run(config)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(json.loads(done.stdout)['result']['order']['order_state'], 'open')
            for bad in ('{', '[]', {'produkts': []}, {'products': {}}, {'products': [1]},
                        {'products': [{'product': 'ZZ'}]}):
                done = run(bad)
                self.assertEqual(done.returncode, 1, bad)
                self.assertEqual(len(done.stderr.splitlines()), 1)

    def test_each_answer_comes_before_the_next_line(self):
        with subprocess.Popen([DOJIMA, 'script', '-'], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as p:
            for request in EXAMPLE:
                p.stdin.write(json.dumps(request) + '\n')
                p.stdin.flush()
                self.assertEqual(json.loads(p.stdout.readline())['id'], request['id'])
            p.stdin.close()
            self.assertEqual(p.wait(10), 0)


if __name__ == '__main__':
    DOJIMA = os.path.abspath(sys.argv.pop(1))
    unittest.main()
