#!/usr/bin/env python3
"""statement_test.py: `dojima statement` on the history of a demonstration venue.

Usage: statement_test.py DOJIMA

A node trades with itself for a moment and is ended; then every account's day is printed in all
forms, must add up by hand, and is refused when the history is falsified by one micro-dollar.
"""
import csv
import datetime
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from decimal import Decimal

MOVES = ('deposits', 'withdrawals', 'transfers', 'variation', 'fees', 'other')


def statement(dojima, data, account, date, form):
    return subprocess.run([dojima, 'statement', '--data', data, '--format', form, account, date],
                          capture_output=True, text=True, timeout=60, check=False)


def serves(log):
    with open(log, encoding='utf-8') as f:
        return 'http://' in f.read()


def history_made(dojima, data):
    with open(os.path.join(data, 'log'), 'w', encoding='utf-8') as log:
        node = subprocess.Popen([dojima, 'serve', '--data', os.path.join(data, 'venue'), '--demo',
                                 '--listen', '127.0.0.1:0'], stdout=log, stderr=log)
        try:
            until = time.monotonic() + 120
            while not serves(os.path.join(data, 'log')) and time.monotonic() < until:
                time.sleep(0.1)
            time.sleep(4)
            node.send_signal(signal.SIGTERM)
            assert node.wait(60) == 0, 'the node did not end well'
        finally:
            if node.poll() is None:
                node.kill()
                node.wait()
    return os.path.join(data, 'venue')


def check_account(dojima, data, account, date):
    said = statement(dojima, data, account, date, 'json')
    assert said.returncode == 0, said.stderr
    day = json.loads(said.stdout, parse_float=Decimal)
    for b in day['balances']:
        assert Decimal(b['opening']) + sum(Decimal(b[m]) for m in MOVES) == b['closing'], b
    for p in day['positions']:
        assert p['opening'] + p['bought'] - p['sold'] + p['settled'] == p['closing'], p
    m = day['margin']
    if m is not None:
        assert Decimal(m['cash']) - m['pending'] + m['unsettled'] == m['equity'], m
        short = Decimal(m['initial_margin']) - m['equity'] - m['collateral_credit']
        assert m['missing'] == max(short, 0), m
        usd = next(b for b in day['balances'] if b['asset'] == 'USD')
        assert usd['closing'] >= 0 or m['missing'] > 0, (usd, m)
    said = statement(dojima, data, account, date, 'csv')
    rows = list(csv.DictReader(io.StringIO(said.stdout)))
    closing = {r['name']: Decimal(r['value']) for r in rows
               if r['kind'] == 'balance' and r['field'] == 'closing'}
    assert closing == {b['asset']: Decimal(b['closing']) for b in day['balances']}
    shown = {r['field']: r['value'] for r in rows if r['kind'] == 'margin'}
    assert (shown == {}) == (m is None), shown
    for field in shown:
        assert shown[field] == str(m[field]) or Decimal(shown[field]) == m[field], (field, shown, m)
    text = statement(dojima, data, account, date, 'text').stdout
    assert account in text
    assert ('margin as of' in text) == (m is not None), text
    same = subprocess.run([dojima, 'store', 'statement', '--data', data, account, date],
                          capture_output=True, text=True, timeout=60, check=True)
    assert same.stdout == text, same.stdout
    return day


def check_capacity(dojima, data, db, account, number, key):
    """Capacity is counted in 10^-9 in every form."""
    db.execute("INSERT INTO assets VALUES (77, 'CAPACITY')")
    db.execute('INSERT INTO statement_cash VALUES (?1, ?2, 77, 1, ?3, 0, 0, 0, 0, 0, ?3)',
               (key, number, 7 * 10 ** 9))
    db.commit()
    date = str(datetime.date(1970, 1, 1) + datetime.timedelta(days=number))
    day = check_account(dojima, data, account, date)
    assert next(b['closing'] for b in day['balances'] if b['asset'] == 'CAPACITY') == 7, day
    text = statement(dojima, data, account, date, 'text').stdout
    row = next(line.split() for line in text.split('\n') if line.startswith('CAPACITY'))
    assert list(map(Decimal, row[1:])) == [0, 7, 0, 0, 0, 0, 0, 7], row


def main():
    dojima = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix='dojima-statement-') as folder:
        data = history_made(dojima, folder)
        db = sqlite3.connect(os.path.join(data, 'history.sqlite'))
        found = db.execute('SELECT a.name, s.day, a.id FROM statement_cash s JOIN accounts a ON'
                           ' a.id = s.account WHERE a.system = 0').fetchall()
        assert found, 'nobody traded'
        trades = 0
        for account, number, _ in found:
            date = str(datetime.date(1970, 1, 1) + datetime.timedelta(days=number))
            trades += len(check_account(dojima, data, account, date)['trades'])
        assert trades > 0
        account, number, key = found[0]
        check_capacity(dojima, data, db, account, number, key)
        db.execute('INSERT INTO statement_cash SELECT account, day - 1, asset, 1, 0, 0, 0, 0, 0, 1,'
                   ' 1 FROM statement_cash WHERE account = ?', (key,))
        db.commit()
        date = str(datetime.date(1970, 1, 1) + datetime.timedelta(days=number))
        said = statement(dojima, data, account, date, 'json')
        assert said.returncode == 1 and 'does not add up' in said.stderr, said
        assert statement(dojima, data, 'nobody', date, 'json').returncode == 1
        assert statement(dojima, data, account, '2027-1-1', 'json').returncode == 2
        assert statement(dojima, data, account, date, 'xml').returncode != 0
    print('%d accounts, %d trades' % (len(found), trades))
    return 0


if __name__ == '__main__':
    sys.exit(main())
