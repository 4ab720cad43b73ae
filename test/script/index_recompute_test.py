#!/usr/bin/env python3
"""index_recompute_test.py DOJIMA: `dojima index recompute` finds every price that was published,
and every lie (INDEX-02, INDEX-03).

Two days of an index go through `dojima script`: trades on spot between many accounts of fewer
owners, some undone; sources' values; hours with neither. What was published is recomputed by
`dojima index recompute`, and the spot tier a third time here, with fractions. Then single numbers
of the publication are changed: each change must be found.
"""
import copy
import json
import random
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction

SOURCES = ['s%d' % i for i in range(5)]
TRADERS = ['t%d' % i for i in range(12)]


def encode(value):
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return '{%s}' % ','.join('%s:%s' % (json.dumps(k), encode(v)) for k, v in value.items())
    if isinstance(value, list):
        return '[%s]' % ','.join(encode(v) for v in value)
    return json.dumps(value)


def half_even(value):
    return round(value * 10**6) / Fraction(10**6)


def spot_again(index, spot):
    """With fractions: each seller's mean, the trimmed, the greatest weight found by trying all."""
    sellers = [(half_even(Fraction(s['value']) / s['volume']), s['volume'])
               for s in spot['inputs'] if s['volume'] > 0]
    if len(sellers) < index['spot_sellers_minimum']:
        return None
    k = (len(sellers) + 1) // 4
    left = sellers[k:len(sellers) - k]
    share = Fraction(index['spot_seller_share'])
    caps = [c for c in range(1, max(v for _, v in left) + 1)
            if c <= share * sum(min(v, c) for _, v in left)]
    cap = max(caps) if caps else min(v for _, v in left)
    weights = [min(v, cap) for _, v in left]
    if sum(weights) < index['spot_volume_minimum']:
        return None
    return half_even(sum(w * p for w, (p, _) in zip(weights, left)) / sum(weights))


def story(dice):
    lines = []

    def ask(who, method, params, at=None):
        line = {'id': len(lines) + 1, 'method': method, 'params': params}
        if who:
            line['as'] = who
        if at:
            line['at'] = at
        lines.append(line)

    for name in SOURCES + TRADERS:
        ask('officer', 'private/officer_create_account', {'account': name, 'member': name})
    for name in TRADERS[9:]:
        ask('officer', 'private/officer_set_owner', {'account': name, 'owner': 'one'})
    ask('officer', 'private/officer_create_index',
        {'index_name': 'IX', 'sources': SOURCES, 'minimum_sources': 3, 'deviation': 0.1,
         'carries_max': 5, 'spot_volume_minimum': 40})
    ask('officer', 'private/officer_create_product',
        {'product': 'SP', 'tick_size': 0.001, 'contract_size': 1, 'contract_unit': 'hour',
         'settlement_rules': {'spot_index_name': 'IX'}})
    ask('officer', 'private/officer_create_product',
        {'product': 'CF', 'tick_size': 0.001, 'contract_size': 1, 'contract_unit': 'hour',
         'settlement_rules': {'index_name': 'IX'}})
    ask('officer', 'private/officer_list_instrument', {'product': 'CF', 'period': '2027D0105'})
    ask('officer', 'private/officer_set_state', {'product': 'SP', 'state': 'open'})
    for hour in range(48):
        day, at = 4 + hour // 24, hour % 24
        period = '2027D01%02dH%02d' % (day, at)
        stamp = '2027-01-%02dT%02d' % (day, at)
        ask('officer', 'private/officer_list_instrument', {'product': 'SP', 'period': period},
            stamp + ':10:00Z')
        for _ in range(0 if hour % 5 == 4 else dice.randrange(2, 26)):
            seller, buyer = dice.sample(TRADERS, 2)
            price = round(1.5 + dice.randrange(1000) / 1000, 3)
            price = price if dice.random() < 0.9 else 40
            lots = dice.choice([1, 5, 20, 400])
            for who, side in ((seller, 'sell'), (buyer, 'buy')):
                ask(who, 'private/' + side,
                    {'instrument_name': 'SP-' + period, 'amount': lots, 'price': price})
        for source in dice.sample(SOURCES, dice.randrange(2, 6)):
            value = dice.choice([0, 20]) if dice.random() < 0.1 else 2 + dice.random() / 10
            ask(source, 'private/index_submit', {'index_name': 'IX', 'value': round(value, 6)},
                stamp + ':58:00Z')
    ask(None, 'public/get_time', {}, '2027-01-06T00:10:00Z')
    wanted = len(lines)
    ask(None, 'public/get_index', {'index_name': 'IX', 'count': 1000})
    ask(None, 'public/get_settlements', {'instrument_name': 'CF-2027D0105'})
    ask(None, 'public/get_instrument', {'instrument_name': 'CF-2027D0105'})
    return lines, wanted


def recompute(dojima, answers):
    text = ''.join(encode(a) + '\n' for a in answers)
    done = subprocess.run([dojima, 'index', 'recompute', '-'], input=text, capture_output=True,
                          text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def places(value, path=()):
    """Where the numbers and words are that a price follows from."""
    if isinstance(value, dict):
        for key, one in value.items():
            if key in ('price', 'value', 'volume', 'weight', 'status', 'tier', 'sellers',
                       'numerator', 'settlement_price', 'median', 'weight_maximum', 'result') \
                    or isinstance(one, (dict, list)):
                yield from places(one, path + (key,))
    elif isinstance(value, list):
        for i, one in enumerate(value):
            if isinstance(one, dict):
                yield from places(one, path + (i,))
    elif value is not None:
        yield path


def change(value, path, dice):
    *way, last = path
    for key in way:
        value = value[key]
    old = value[last]
    if isinstance(old, str):
        value[last] = dice.choice([w for w in ('counted', 'trimmed', 'capped', 'excluded')
                                   if w != old]) if last == 'status' else \
            {'spot': 'submissions', 'submissions': 'spot'}.get(old, 'none') if last == 'tier' else \
            ('low_volume' if old == 'priced' else 'priced')
    else:
        value[last] = old + 1 if isinstance(old, int) else old + Decimal('0.001')


def main():
    dice = random.Random(7)
    lines, wanted = story(dice)
    text = ''.join(json.dumps(line) + '\n' for line in lines)
    done = subprocess.run([sys.argv[1], 'script', '-'], input=text, capture_output=True, text=True,
                          check=True)
    answers = [json.loads(a, parse_float=Decimal) for a in done.stdout.splitlines()]
    for line, answer in zip(lines, answers):
        if 'error' in answer:
            raise SystemExit('%s: %s' % (line, answer['error']))
    index, *others = answers[wanted:]
    tiers = {}
    for hour in index['result']['hours']:
        tiers[hour['tier']] = tiers.get(hour['tier'], 0) + 1
        again = spot_again(index['result'], hour['spot'])
        said = hour['spot']['price']
        assert again == (None if said is None else Fraction(said)), (again, hour)
        assert (hour['tier'] == 'spot') == (again is not None), hour
    print(tiers)
    assert tiers.get('spot', 0) > 10 and tiers.get('submissions', 0) > 3, tiers
    status, said = recompute(sys.argv[1], [index] + others)
    print(said, end='')
    assert status == 0 and '48 hours: 48 prices' in said and '1 final settlements' in said, said
    # the hours as the channel says them, with the terms from a question for none of them
    hours = [{'params': {'channel': 'index.IX', 'data': dict(h, index_name='IX')}}
             for h in index['result']['hours']]
    terms = {'result': dict(index['result'], hours=[])}
    status, again = recompute(sys.argv[1], hours + [terms] + others)
    assert status == 0 and again == said, again
    found = 0
    ways = list(places([index] + others))
    ways = dice.sample([w for w in ways if w[0] == 0], 150) + \
        [w for w in ways if w[-1] in ('settlement_price', 'numerator')]
    for way in ways:
        changed = copy.deepcopy([index] + others)
        change(changed, way, dice)
        status, said = recompute(sys.argv[1], changed)
        if status != 1 and way[-1] != 'sellers':
            # what changes nothing: the value of a source whose rank stays, of one that nobody asked
            assert way[-1] in ('value', 'status', 'price') and 'inputs' in way, (way, said)
            continue
        found += 1
    print('%d changes of %d found' % (found, len(ways)))
    assert found > len(ways) * 2 // 3
    for wrong in ('', '{', '[1,2', '{"index_name":"X","hours":[]}', '{"result":{"hours":[]}}'):
        done = subprocess.run([sys.argv[1], 'index', 'recompute', '-'], input=wrong, text=True,
                              capture_output=True, check=False)
        assert done.returncode == 1 and done.stderr, wrong


if __name__ == '__main__':
    main()
