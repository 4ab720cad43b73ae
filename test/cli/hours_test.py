#!/usr/bin/env python3
"""hours_test.py DOJIMA: a civil day as hours of UTC (UNIT-04): days of 23, 24 and 25 hours in
several zones against Python's own, and bids for such a day, taken from `dojima hours --bids`, in
the auction of a product of that zone.
"""
import datetime
import json
import os
import subprocess
import sys
import zoneinfo


def hours(*args):
    done = subprocess.run([sys.argv[1], 'hours', *args], capture_output=True, text=True,
                          check=False)
    return done.returncode, done.stdout, done.stderr


def civil(zone, date):
    """Every hour of UTC that begins on that date there."""
    at = datetime.datetime.combine(date, datetime.time(), datetime.timezone.utc)
    steps = (at + datetime.timedelta(hours=h) for h in range(-30, 60))
    return [s for s in steps if s.astimezone(zone).date() == date]


def test_days():
    counts = set()
    for name in ('Europe/Berlin', 'Europe/London', 'America/New_York', 'America/Los_Angeles',
                 'Asia/Tokyo', 'Australia/Sydney', 'UTC'):
        zone = zoneinfo.ZoneInfo(name)
        for text in ('2027-03-14', '2027-03-28', '2027-04-04', '2027-07-01', '2027-10-03',
                     '2027-10-31', '2027-11-07', '2028-02-29'):
            want = civil(zone, datetime.date.fromisoformat(text))
            status, out, err = hours('--zone', name, '--json', text)
            assert status == 0, err
            got = json.loads(out)
            counts.add(got['hour_count'])
            assert got['hour_count'] == len(want), (name, text)
            for one, at in zip(got['hours'], want):
                local = at.astimezone(zone)
                assert one['start'] == at.strftime('%Y-%m-%dT%H:%M:%SZ'), one
                assert one['local_hour'] == local.hour, one
                assert one['offset_minutes'] * 60 == local.utcoffset().total_seconds(), one
                assert one['period'] == at.strftime('%YD%m%dH%H'), one
    assert counts == {23, 24, 25}, counts


def test_refused():
    for args in (('--zone', 'Nowhere/Here', '2027-01-01'),
                 ('--zone', '../etc/passwd', '2027-01-01'),
                 ('--zone', 'Asia/Kolkata', '2027-01-01'), ('--zone', 'UTC', '2027-02-29'),
                 ('--zone', 'UTC', 'NaN'), ('--zone', 'Pacific/Apia', '2011-12-30')):
        status, out, err = hours(*args)
        assert status == 1 and err and not out, args
    for args in (('2027-01-01',), ('--zone', 'UTC'), ('--zones', 'UTC', '2027-01-01')):
        assert hours(*args)[0] == 2, args


def test_bids_of_long_and_short_days():
    for date, count in (('2027-03-28', 23), ('2027-10-31', 25)):
        bids = json.loads(hours('--zone', 'Europe/Berlin', '--bids', date)[1])
        assert len(bids) == count
        before = datetime.date.fromisoformat(date) - datetime.timedelta(days=1)
        lines = []

        def ask(who, method, params, at=None):
            line = {'id': len(lines) + 1, 'as': who, 'method': 'private/' + method,
                    'params': params}
            lines.append(dict(line, at=at) if at else line)

        for name in ('alice', 'bob'):
            ask('officer', 'officer_create_account', {'account': name, 'member': name})
            ask('officer', 'officer_deposit', {'account': name, 'asset': 'USD', 'amount': 100000})
        ask('officer', 'officer_create_product',
            {'product': 'EUR', 'tick_size': 0.001, 'contract_size': 1, 'contract_unit': 'hour',
             'settlement': 'physical', 'flat_margin': 0.1, 'price_floor': 0,
             'spot': {'price_max': 100, 'zone': 'europe', 'offset_hours': 1}},
            '%sT07:00:00Z' % before)
        ask('officer', 'officer_set_state', {'product': 'EUR', 'state': 'open'})
        ask('alice', 'spot_bid', {'product': 'EUR', 'side': 'buy', 'hours': bids, 'price': 2,
                                  'amount': 3}, '%sT09:00:00Z' % before)
        ask('bob', 'spot_bid', {'product': 'EUR', 'side': 'sell', 'hours': bids, 'price': 1,
                                'amount': 3})
        ask('alice', 'get_positions', {}, '%sT12:00:01Z' % before)
        text = ''.join(json.dumps(line) + '\n' for line in lines)
        done = subprocess.run([sys.argv[1], 'script', '-'], input=text, capture_output=True,
                              text=True, check=True)
        answers = [json.loads(a) for a in done.stdout.splitlines()]
        for line, answer in zip(lines, answers):
            assert 'error' not in answer, (line, answer)
        held = {p['instrument_name']: p['size'] for p in answers[-1]['result']}
        named = json.loads(hours('--zone', 'Europe/Berlin', '--product', 'EUR', '--json', date)[1])
        assert held == {h['instrument_name']: 3 for h in named['hours']}, (held, named)


def main():
    if not os.path.exists('/usr/share/zoneinfo/Europe/Berlin'):
        print('no time zone database at /usr/share/zoneinfo: nothing is tested')
        return
    test_days()
    test_refused()
    test_bids_of_long_and_short_days()


if __name__ == '__main__':
    main()
