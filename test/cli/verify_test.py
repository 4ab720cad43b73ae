#!/usr/bin/env python3
"""verify_test.py: `dojima verify` over the papers of one small hour, right ones and wrong ones.

Usage: verify_test.py DOJIMA VERIFY_MAKE

The papers are made by VERIFY_MAKE. What is right is said to be right; every way of falsifying is
refused with its reason, and the exit status says so.
"""
import json
import os
import random
import subprocess
import sys
import tempfile

AT = ['--at', '2027-01-10T00:00:00Z']


class Papers:
    def __init__(self, dojima, make, folder):
        self.dojima, self.folder = dojima, folder
        subprocess.run([make, folder], check=True, timeout=120)
        with open(self.path('keys'), encoding='ascii') as f:
            self.keys = dict(line.strip().split('=') for line in f)

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, name):
        with open(self.path(name), 'rb') as f:
            return f.read()

    def write(self, name, data):
        with open(self.path(name), 'wb') as f:
            f.write(data)
        return name

    def verify(self, *names, options=()):
        return subprocess.run([self.dojima, 'verify', *AT, *options, *map(self.path, names)],
                              capture_output=True, text=True, timeout=120, check=False)

    def right(self, *names, options=()):
        done = self.verify(*names, options=options)
        assert done.returncode == 0, (names, done.stdout, done.stderr)
        assert 'WRONG' not in done.stdout, done.stdout
        return done.stdout

    def wrong(self, why, *names, options=()):
        done = self.verify(*names, options=options)
        assert done.returncode == 1, (names, done.returncode, done.stdout, done.stderr)
        assert why in done.stdout, (why, done.stdout)
        return done.stdout

    def changed(self, name, old, new):
        data = self.read(name)
        assert old in data, (name, old)
        return self.write('changed', data.replace(old, new, 1))


def test_right(p):
    said = p.right('certificate.note', 'receipt.note', 'verdict.note', 'hour.proof')
    for part in ('rack-7 of acme at Oslo 1', '1.5 CT an hour, measured over 600 s',
                 'allocation 17, hour 2027-01-04T14:00:00Z', '4 of 12 tasks opened, 4 right',
                 '4 of 12 tasks sampled, 0 failed', '(test, ', '(gemm-test, ',
                 'statistical evidence',
                 'the proofs open the sample that its seed chooses'):
        assert part in said, (part, said)
    p.right('receipt.note', options=['--key', 'seller=' + p.keys['seller'],
                                     '--key', 'buyer=' + p.keys['buyer']])
    done = p.verify('receipt.note', 'verdict.note', 'hour.proof', options=['--json'])
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found['right'] is True and len(found['together']) == 3, found  # and the sample
    kinds = [f['kind'] for f in found['files']]
    assert kinds == ['receipt', 'verdict', 'proof'], kinds
    proof = found['files'][2]['proof']
    assert proof['opened'] == proof['right'] == 4 and proof['error_bits'] == 62, proof
    assert sum(int(t['flop']) for t in proof['opened_tasks']) > 0
    verdict = found['files'][1]['verdict']
    # 4 of 12 at random are all right with 7.07 % if 5 are wrong, with 3.03 % if 6 are
    assert verdict['fault_rate_bound_95'] == 0.416667, verdict


def test_notes(p):
    p.wrong('is not signed by the buyer', 'offer.note')
    p.wrong('the signature of the seller', p.changed('receipt.note', b'tasks 12', b'tasks 13'))
    p.wrong("the seller's key is not the expected one", 'receipt.note',
            options=['--key', 'seller=' + p.keys['buyer']])
    p.wrong('line 2: allocation is not a decimal integer',
            p.changed('receipt.note', b'allocation 17', b'allocation 0x11'))
    p.wrong('line 6: flop is not', p.changed('receipt.note', b'flop ', b'flop nan'))
    p.wrong('ends before or within', p.write('changed', p.read('receipt.note')[:200]))
    p.wrong('is longer than 4096 bytes', p.write('changed', p.read('receipt.note') + b'x' * 4096))
    p.wrong('bytes behind its last line', p.write('changed', p.read('receipt.note') + b'\n'))
    p.wrong('neither a note nor a proof', p.write('changed', b'hello\n'))
    p.wrong('neither a note nor a proof', p.write('changed', b''))
    p.wrong('bound-ppm is not that of',
            p.changed('verdict.note', b'bound-ppm 416667', b'bound-ppm 100000'))
    p.wrong('the signature of the verifier',
            p.changed('verdict.note', b'kind hour', b'kind canary'))
    p.wrong('the signature of the certifier', p.changed('certificate.note', b'work 1', b'work 2'))
    expired = p.verify('certificate.note', options=['--at', '2027-06-01T00:00:00Z'])
    assert expired.returncode == 1 and 'it has expired' in expired.stdout, expired.stdout
    early = p.verify('certificate.note', options=['--at', '2026-06-01T00:00:00Z'])
    assert early.returncode == 1 and 'not issued yet' in early.stdout, early.stdout


def test_proofs(p):
    said = p.wrong('task 0 is wrong', 'wrong.proof')
    assert 'is not that of A B' in said and 'task 1 (gemm-test' in said, said
    assert '2 of 12 tasks opened, 1 right' in said, said
    said = p.wrong('task 0 is wrong', 'wrong_receipt.note', 'wrong_verdict.note', 'wrong.proof')
    assert 'the proofs show the wrong tasks that it found' in said, said
    p.wrong('nonce is that of another allocation, hour or index', 'replayed.proof')
    p.right('other.proof')
    p.wrong('open other tasks than its seed chooses', 'verdict.note', 'other.proof')
    p.wrong('they have different roots', 'receipt.note', 'wrong.proof')
    p.wrong('they have different roots', 'verdict.note', 'replayed_receipt.note')
    data = p.read('hour.proof')
    p.wrong('ends within', p.write('changed', data[:-4]))
    p.wrong('behind its last task', p.write('changed', data + bytes(8)))
    p.wrong('vintage 2099 is not known', p.write('changed', data[:12] + (2099).to_bytes(4, 'little')
                                                 + data[16:]))
    p.wrong('another allocation, hour or index',
            p.write('changed', data[:16] + (18).to_bytes(8, 'little') + data[24:]))
    chance = random.Random(2027)
    for _ in range(60):  # any bit of what is opened
        at = chance.randrange(80, len(data))
        flipped = bytearray(data)
        flipped[at] ^= 1 << chance.randrange(8)
        done = p.verify(p.write('changed', bytes(flipped)))
        assert done.returncode == 1 and 'WRONG' in done.stdout, (at, done.stdout)


def test_parts(p):
    def said(status, text, *names, options=()):
        done = p.verify(*names, options=options)
        assert done.returncode == status, (names, done.returncode, done.stdout, done.stderr)
        assert text in done.stdout and 'WRONG' not in done.stdout, (names, done.stdout)
        return done.stdout
    said(3, 'INCOMPLETE: 1 of the 4 sampled tasks', 'verdict.note', 'part_0.proof')
    said(3, 'INCOMPLETE: 3 of the 4 sampled tasks', 'verdict.note', 'part_1.proof', 'receipt.note')
    said(3, 'INCOMPLETE: 1 of the 4', 'verdict.note', 'part_0.proof', 'part_0.proof')
    for names in (['part_0.proof', 'part_1.proof'], ['part_1.proof', 'part_0.proof'],
                  ['part_0.proof', 'hour.proof']):
        said(0, 'complete: the proofs open the sample that its seed chooses', 'verdict.note',
             *names)
    said(0, 'right', 'part_0.proof')
    said(0, 'right', 'verdict.note')
    found = json.loads(said(3, '', 'verdict.note', 'part_1.proof', options=['--json']))
    assert found['right'] is True and found['complete'] is False, found
    sample = found['together'][-1]
    assert (sample['held'], sample['of'], sample['complete']) == (3, 4, False), sample
    found = json.loads(said(0, '', 'verdict.note', 'part_1.proof', 'part_0.proof',
                            options=['--json']))
    assert found['complete'] is True and found['together'][-1]['held'] == 4, found
    # what is wrong is wrong, however little of it is there
    p.wrong('open other tasks than its seed chooses', 'verdict.note', 'part_0.proof', 'other.proof')
    p.wrong('they have different roots', 'verdict.note', 'part_0.proof', 'wrong.proof')
    data = bytearray(p.read('part_0.proof'))
    data[-1] ^= 1
    p.wrong('WRONG', 'verdict.note', 'part_1.proof', p.write('changed', bytes(data)))
    p.wrong('they have different roots', 'wrong_verdict.note', 'part_0.proof')
    p.wrong('is not signed by the buyer', 'offer.note', 'verdict.note', 'part_0.proof')


def test_calls(p):
    for call in ([], ['--key', 'seller=12', 'x'], ['--key', 'king=' + p.keys['seller'], 'x'],
                 ['--at', 'noon', 'x'], ['--watc'], [p.path('there-is-none')]):
        done = subprocess.run([p.dojima, 'verify', *call], capture_output=True, text=True,
                              timeout=60, check=False)
        assert done.returncode == 2 and done.stdout == '', (call, done)
        assert done.stderr and 'PROGRAM ERROR' not in done.stderr, (call, done)


def main():
    with tempfile.TemporaryDirectory() as folder:
        p = Papers(sys.argv[1], sys.argv[2], folder)
        for test in (test_right, test_notes, test_proofs, test_parts, test_calls):
            test(p)
            print('ok', test.__name__)


if __name__ == '__main__':
    main()
