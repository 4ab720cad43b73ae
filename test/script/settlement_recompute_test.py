#!/usr/bin/env python3
"""settlement_recompute_test.py DOJIMA: what is published is enough (CLEAR-03, INDEX-02).

Some days of trades go through `dojima script`. Then every settlement price is computed again from
public/get_settlements, and every hour's reference price from public/get_index, with fractions, by
a program that shares nothing with the venue but the text of docs/api.md.
"""
import json
import random
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction

MONTHS = ['2027M%02d' % m for m in range(2, 13)] + ['2028M01', '2028M02', '2028M03']
WHOLES = ['2027Q2', '2027Q3', '2027Q4', '2028Q1']
SOURCES = ['s%d' % i for i in range(7)]


def half_even(value, unit):
    """The multiple of unit nearest to value, ties to the even one."""
    return round(value / unit) * unit


def towards(value, unit, previous):
    low = value / unit // 1 * unit
    tie = value - low == unit / 2
    if not tie or previous is None or previous == value:
        return half_even(value, unit)
    return low + unit if previous > value else low


def held(price, bid, ask):
    if bid is not None and price < bid:
        return bid
    return ask if ask is not None and price > ask else price


def settlement_again(s):
    micro = Fraction(1, 10**6)
    share = Fraction(s['numerator']) / Fraction(s['denominator']) if 'numerator' in s else None
    unit = Fraction(s['unit']) if 'unit' in s else None
    sources = [{k: Fraction(v) if isinstance(v, (int, Decimal)) else v for k, v in x.items()}
               for x in s['sources']]
    previous, last, bid, ask = (None if s[k] is None else Fraction(s[k])
                                for k in ('previous', 'last', 'bid', 'ask'))
    if s['tier'] == 'vwap':
        return towards(share, unit, previous)
    if s['tier'] == 'spread':
        for x in sources:  # a source's weight and what it implies follow from what it traded
            assert x['weight'] == half_even(x['volume'] / x['apart'], micro)
            assert abs(x['implied'] - x['price']) == abs(half_even(x['value'] / x['volume'], micro))
        return towards(sum(x['weight'] * x['implied'] for x in sources) /
                       sum(x['weight'] for x in sources), unit, previous)
    if s['tier'] == 'last':
        return held(last, bid, ask)
    if s['tier'] == 'previous':
        return held(previous, bid, ask)
    if s['tier'] == 'parent':
        return (previous if s['based'] else 0) + half_even(share, micro)
    if s['tier'] == 'parts':
        return half_even(sum(x['weight'] * x['price'] for x in sources) /
                         sum(x['weight'] for x in sources), micro)
    if s['tier'] == 'legs':
        return sum(x['weight'] * x['price'] for x in sources)
    raise AssertionError('tier ' + s['tier'])


def hour_again(index, hour):
    values = sorted(Fraction(i['value']) for i in hour['inputs'] if i['status'] != 'stale')
    middle = (values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2
    left = [v for v in values if abs(v - middle) <= Fraction(index['deviation']) * abs(middle)]
    if len(left) < index['minimum_sources']:
        return None
    k = (len(left) + 1) // 4
    kept = left[k:len(left) - k]
    return half_even(sum(kept) / len(kept), Fraction(1, 10**6))


class Day:
    """Requests, one a line, and what they were answered."""

    def __init__(self):
        self.lines = []

    def ask(self, who, method, params, at=None):
        line = {'id': len(self.lines) + 1, 'method': method, 'params': params}
        if who:
            line['as'] = who
        if at:
            line['at'] = at
        self.lines.append(line)

    def run(self, dojima):
        text = ''.join(json.dumps(line) + '\n' for line in self.lines)
        done = subprocess.run([dojima, 'script', '-'], input=text, capture_output=True, text=True,
                              check=True)
        answers = [json.loads(a, parse_float=Decimal) for a in done.stdout.splitlines()]
        for line, answer in zip(self.lines, answers):
            if 'error' in answer:
                raise SystemExit('%s: %s' % (line, answer['error']))
        return answers


def story(dice):
    d = Day()
    for name in SOURCES + ['ann', 'bob']:
        d.ask('officer', 'private/officer_create_account', {'account': name, 'member': name})
    d.ask('officer', 'private/officer_create_index',
          {'index_name': 'IX', 'sources': SOURCES, 'minimum_sources': 3, 'deviation': 0.1})
    d.ask('officer', 'private/officer_create_product',
          {'product': 'ZZ', 'tick_size': 0.25, 'contract_size': 1, 'settlement_rules': {}})
    for period in MONTHS + WHOLES:
        d.ask('officer', 'private/officer_list_instrument', {'product': 'ZZ', 'period': period})
    spreads = [(a, b) for i, a in enumerate(MONTHS) for b in MONTHS[i + 1:i + 4]]
    for a, b in spreads:
        d.ask('officer', 'private/officer_list_spread',
              {'legs': [{'instrument_name': 'ZZ-' + a, 'ratio': 1},
                        {'instrument_name': 'ZZ-' + b, 'ratio': -1}]})
    d.ask('officer', 'private/officer_set_state', {'product': 'ZZ', 'state': 'open'})
    names = ['ZZ-' + m for m in MONTHS + WHOLES] + ['ZZ-%s:%s' % s for s in spreads]
    for day in range(4, 24):
        at = '2027-01-%02dT14:28:30Z' % day
        for name in dice.sample(names, 9):
            price = (0 if ':' in name else 100) + dice.randrange(-20, 21) / 4
            lots = dice.randrange(1, 9)
            for who, side in (('ann', 'buy'), ('bob', 'sell')):
                d.ask(who, 'private/' + side,
                      {'instrument_name': name, 'amount': lots, 'price': price}, at)
        for source in dice.sample(SOURCES, dice.randrange(3, 8)):
            value = dice.choice([0, 20]) if dice.random() < 0.1 else 2 + dice.random() / 10
            d.ask(source, 'private/index_submit', {'index_name': 'IX', 'value': round(value, 6)})
        d.ask(None, 'public/get_time', {}, '2027-01-%02dT15:10:00Z' % day)
        d.ask(None, 'public/get_settlements', {'product': 'ZZ', 'count': 1000})
        d.ask(None, 'public/get_index', {'index_name': 'IX', 'count': 1})
    return d


def main():
    d = story(random.Random(5))
    tiers, seen = {}, set()
    for line, answer in zip(d.lines, d.run(sys.argv[1])):
        if line['method'] == 'public/get_settlements':
            for s in answer['result']['settlements']:
                if s['settlement_id'] in seen:
                    continue
                seen.add(s['settlement_id'])
                tiers[s['tier']] = tiers.get(s['tier'], 0) + 1
                again = settlement_again(s)
                assert again == Fraction(s['settlement_price']), (float(again), s)
        if line['method'] == 'public/get_index':
            hour = answer['result']['hours'][0]
            if hour['tier'] == 'submissions':
                tiers['hours'] = tiers.get('hours', 0) + 1
                again = hour_again(answer['result'], hour)
                assert again == Fraction(hour['price']), (float(again), hour)
    print(', '.join('%s %d' % t for t in sorted(tiers.items())))
    for tier in ('vwap', 'spread', 'last', 'parent', 'previous', 'parts', 'legs', 'hours'):
        assert tiers.get(tier, 0) > 0 or tier == 'last', 'no price was made by ' + tier


if __name__ == '__main__':
    main()
