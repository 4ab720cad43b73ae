#!/usr/bin/env python3
"""make_data.py: writes the made-up files in data/, whose figures import_test.c knows.

They are small, and have on purpose what the real ones have: references to unknown orders,
executions not at the front of the queue, hidden executions, padded decimals, checksums, messages of
several rows, a book that crosses within a message, levels beyond the depth, orders told twice.
"""
import os
import zlib

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'data')


def write(name, lines):
    with open(os.path.join(HERE, name), 'w') as f:
        f.write('\n'.join(lines) + '\n')


def lobster():
    rows = [
        (1, 11, 100, 1000000, 1), (1, 12, 50, 1000000, 1), (1, 13, 70, 999900, 1),
        (1, 21, 80, 1000200, -1), (1, 22, 90, 1000300, -1), (1, 23, 30, 1000200, -1),
        (3, 99, 10, 999800, 1),       # predates the file
        (4, 98, 10, 1000100, -1),     # predates the file
        (2, 11, 40, 1000000, 1),      # 60 left, keeps its place
        (4, 11, 20, 1000000, 1),      # front, 40 left
        (4, 12, 50, 1000000, 1),      # not at the front, filled
        (5, 0, 30, 1000150, 1),       # hidden
        (4, 21, 80, 1000200, -1),     # front, filled
        (4, 23, 10, 1000200, -1),     # front now, 20 left
        (3, 22, 90, 1000300, -1),
        (4, 11, 40, 1000000, 1),      # front, filled
        (1, 14, 5, 1000100, 1),
    ]
    write('lobster.csv', ['%.9f,%d,%d,%d,%d,%d' % ((34200 + i * 0.25,) + r)
                          for i, r in enumerate(rows)])


def digits(text):
    return text.replace('.', '').lstrip('0')


class Book:
    def __init__(self, depth):
        self.sides = {'a': {}, 'b': {}}
        self.depth = depth

    def put(self, side, price, volume):
        if float(volume) == 0:
            self.sides[side].pop(price, None)
        else:
            self.sides[side][price] = volume

    def best(self, side):
        return sorted(self.sides[side], key=float, reverse=side == 'b')

    def trim(self):
        for side in 'ab':
            for price in self.best(side)[self.depth:]:
                del self.sides[side][price]

    def crc(self):
        text = ''.join(digits(p) + digits(self.sides[s][p])
                       for s in 'ab' for p in self.best(s)[:10])
        return zlib.crc32(text.encode())


def kraken():
    lines = ['recv_ts_unix,pair,type,side,price,volume,exch_ts,crc32']
    clock = [1618678133.0]
    books = {'AAA/XBT': Book(12), 'BBB/USD': Book(12)}

    def row(pair, kind, side, price, volume, last):
        books[pair].put(side, price, volume)
        if last:
            books[pair].trim()
        clock[0] += 0.001
        lines.append('%.6f,%s,%s,%s,%s,%s,%.6f,%s' % (
            clock[0], pair, kind, side, price, volume, clock[0] - 0.1,
            books[pair].crc() if last else ''))

    for i in range(12):
        row('AAA/XBT', 'S', 'a', '0.0000%05d' % (2300 + i * 10), '%d.25000000' % (5 + i), False)
        row('AAA/XBT', 'S', 'b', '0.0000%05d' % (2290 - i * 10), '0.%08d' % (1000 + i), False)
    for i in range(11):
        row('BBB/USD', 'S', 'a', '%d.50000000' % (100 + i), '22000000.12345678', False)
        row('BBB/USD', 'S', 'b', '%d.25000000' % (99 - i), '3.00000000', False)
    row('AAA/XBT', 'U', 'a', '0.000002300', '9.00000000', True)
    row('BBB/USD', 'U', 'b', '99.25000000', '0.00000000', True)
    row('AAA/XBT', 'U', 'b', '0.000002305', '1.50000000', False)  # crosses until the next row
    row('AAA/XBT', 'U', 'a', '0.000002300', '0.00000000', True)
    row('AAA/XBT', 'U', 'b', '0.000002180', '7.00000000', True)   # beyond the depth
    row('BBB/USD', 'U', 'a', '100.50000000', '21000000.00000001', True)
    row('BBB/USD', 'U', 'a', '100.40000000', '0.00000001', True)
    row('BBB/USD', 'U', 'a', '99999997.00000000', '1.00000000', True)
    row('BBB/USD', 'U', 'a', '55.00000000', '0.00000000', True)   # was not there
    write('kraken.csv', lines)
    bad = lines[:]
    bad[-1] = bad[-1][:bad[-1].rindex(',') + 1] + '12345'
    write('kraken_bad.csv', bad)


def guid(n):
    return '%08x-0000-4000-8000-%012x' % (n * 2654435761 % 2**32, n)


def reserve():
    head = 'recv_ts_unix,base,quote,event,nonce,side,order_guid,price,volume,exch_ts_utc'
    rows = [
        ('eth', 'aud', 'NewOrder', 1, 'B', 1, '10.5', '1.5'),       # replaced by the snapshot
        ('eth', 'aud', 'OrderCanceled', 2, 'B', 77, '', ''),        # unknown, before
        ('eth', 'aud', 'SNAPSHOT', '', 'B', 2, '10.25', '2.0'),
        ('eth', 'aud', 'SNAPSHOT', '', 'B', 3, '10.0', '0.00000001'),
        ('eth', 'aud', 'SNAPSHOT', '', 'S', 4, '11.0', '3.0'),
        ('bch', 'sgd', 'SNAPSHOT', '', 'S', 5, '400', '1.0'),
        ('eth', 'aud', 'NewOrder', 3, 'S', 4, '11.0', '3.0'),       # told twice
        ('eth', 'aud', 'NewOrder', 4, 'S', 6, '10.75', '9.0'),
        ('eth', 'aud', 'OrderChanged', 5, 'S', 6, '', '4.5'),
        ('eth', 'aud', 'OrderCanceled', 6, 'B', 1, '', ''),         # gone in the snapshot
        ('eth', 'aud', 'OrderCanceled', 7, 'B', 3, '', ''),
        ('bch', 'sgd', 'NewOrder', 9, 'B', 7, '399.99', '0.5'),
        ('eth', 'aud', 'OrderChanged', 8, 'S', 4, '', '0'),
    ]
    lines = [head]
    snap = {}
    for i, (b, q, event, nonce, side, n, price, volume) in enumerate(rows):
        ts = '%.6f' % (1649023809 + i * 0.5)
        if event == 'SNAPSHOT':
            ts = snap.setdefault(b + q, ts)
        lines.append(','.join([ts, b, q, event, str(nonce), side, guid(n), price, volume,
                               '2022-04-03T22:10:%02dZ' % i]))
    write('independent_reserve.csv', lines)


os.makedirs(HERE, exist_ok=True)
lobster()
kraken()
reserve()
