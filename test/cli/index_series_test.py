#!/usr/bin/env python3
"""index_series_test.py DOJIMA: indices of external series (INDEX-04).

What the program does with small files made here: AWS's JSON in its pages, bad input refused with
the reason, prices by the CT. Then on real data, in $DOJIMA_SHARED/data or ../shared/data, where it
is there: CCIR's five published values, the time-weighted days of AWS's spot prices as another
program made them, and the offers whose naive median jumps with its panel.
"""
import csv
import gzip
import http.server
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DATA = os.path.join(os.environ.get('DOJIMA_SHARED', os.path.join(ROOT, '..', 'shared')), 'data')


def run(*args, text=None):
    done = subprocess.run([sys.argv[1], 'index', *args], input=text, capture_output=True, text=True,
                          check=False)
    return done.returncode, done.stdout, done.stderr


def entry(price, at, zone='us-east-1a', kind='p3.8xlarge'):
    return {'AvailabilityZone': zone, 'InstanceType': kind, 'ProductDescription': 'Linux/UNIX',
            'SpotPrice': price, 'Timestamp': at}


def aws(pages, *args):
    return run('series', '-f', 'aws-json', '--minimum-offers', '1', '--minimum-providers', '1',
               '--csv', *args, '-', text=pages if isinstance(pages, str) else json.dumps(pages))


def test_aws_json():
    # newest first, over two pages: 4 USD for 4 GPUs until noon of the second day, then 8
    first = {'SpotPriceHistory': [entry('8.000000', '2026-01-04T00:00:00+00:00'),
                                  entry('8.0', '2026-01-02T12:00:00.000Z')], 'NextToken': 'abc'}
    second = {'SpotPriceHistory': [entry('4.000000', '2026-01-01T00:00:00Z'),
                                   entry('9', '2026-01-01T00:00:00Z', kind='m5.large')],
              'NextToken': ''}
    for pages in ([first, second], json.dumps(first) + '\n' + json.dumps(second) + '\n'):
        status, out, err = aws(pages)
        rows = list(csv.DictReader(out.splitlines()))
        assert status == 0 and 'names a next one' not in err, err
        assert [(r['period'], float(r['usd_gpu_hour'])) for r in rows] == [
            ('2026-01-01', 1.0), ('2026-01-02', 1.5), ('2026-01-03', 2.0)], out
    assert 'names a next one' in aws([first, dict(second, NextToken='more')])[2]
    # by the CT: 8 GPUs that do 10 CT an hour
    status, out, _ = aws([first, second], '--certified-ct-per-hour', '10', '--certified-gpus', '8')
    assert [r['usd_ct'] for r in csv.DictReader(out.splitlines())] == [
        '0.800000', '1.200000', '1.600000'], out
    bad = {
        'no finite decimal': [entry('NaN', '2026-01-01T00:00:00Z')],
        'above 0': [entry('-1', '2026-01-01T00:00:00Z')],
        'is no time': [entry('1', 'yesterday')],
        'at this time already': [entry('1', '2026-01-01T00:00:00Z')] * 2,
        'not in order': [entry('1', '2026-01-02T00:00:00Z'), entry('1', '2026-01-01T00:00:00Z'),
                         entry('1', '2026-01-03T00:00:00Z')],
        'field is missing': [{'SpotPrice': '1'}],
        'no price is left': [entry('1', '2026-01-01T00:00:00Z', kind='m5.large')],
    }
    for why, entries in bad.items():
        status, out, err = aws({'SpotPriceHistory': entries})
        assert status == 1 and why in err and not out, (why, out, err)
    for text in ('', '{', '[]', '{"SpotPriceHistory":7}', '{"SpotPriceHistory":[7]}'):
        assert aws(text)[0] == 1, text


class Node(http.server.BaseHTTPRequestHandler):
    """Answers what it is asked, and remembers it."""
    asked = []

    def do_POST(self):  # pylint: disable=invalid-name
        request = json.loads(self.rfile.read(int(self.headers['Content-Length'])),
                             parse_float=str)
        Node.asked.append((request, self.headers.get('Authorization', '')))
        body = json.dumps({'jsonrpc': '2.0', 'id': request['id'], 'result': {}}).encode()
        self.send_response(200)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_submitted_as_a_source():
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Node)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    history = {'SpotPriceHistory': [entry('8', '2026-01-03T00:30:00Z'),
                                    entry('8', '2026-01-01T00:00:00Z')]}
    with tempfile.NamedTemporaryFile('w', suffix='.key') as key:
        key.write('source-1 abc\n')
        key.flush()
        node = ('--url', 'http://127.0.0.1:%d' % server.server_port, '--key-file', key.name,
                '--submit', 'CTX')
        ct = ('--certified-ct-per-hour', '1.5')
        status, _, err = aws(history, *node, *ct)
        assert status == 0 and 'submitted to CTX: 1.333333' in err, (status, err)
        status, _, err = aws(history, *node, *ct, '--observed', '2026-01-03T01:00:00Z')
        assert status == 0, err
        # a value that only stands is nobody's observation
        status, _, err = aws(history, *node, '--stale-days', '1', '--minimum-offers', '2')
        assert status == 1 and 'nothing is submitted' in err, err
    server.shutdown()
    server.server_close()
    first, second = Node.asked
    assert first[0]['method'] == 'private/index_submit' and 'source-1' in first[1], first
    assert first[0]['params'] == {'index_name': 'CTX', 'observed_at': 1767400200000,
                                  'value': '1.333333'}, first
    assert second[0]['params']['observed_at'] == 1767402000000, second


def test_certificate_is_checked():
    with tempfile.NamedTemporaryFile('w', suffix='.note') as f:
        f.write('dojima certificate 1\nresource x\n--\n')
        f.flush()
        status, _, err = run('series', '-f', 'vast', '--certificate', f.name, '/dev/null')
        assert status == 1 and f.name in err, err
    offers = os.path.join(ROOT, 'docs', 'index', 'offers.csv')
    with tempfile.TemporaryDirectory() as place:
        note = os.path.join(place, 'c.note')
        subprocess.run([sys.argv[1], 'certify', '--quick', '--seconds', '1', '--workload',
                        'gemm-test', '--key', os.path.join(place, 'key'), '--make-key', '--out',
                        note, '--provider', 'alice', '--region', 'eu', '--resource', 'r', '--site',
                        's'], check=True, capture_output=True)
        with open(note, encoding='ascii') as f:
            text = f.read()
        work = int(re.search(r'^work (\d+)$', text, re.M).group(1))  # nano-CT an hour
        status, out, err = run('series', '-f', 'vast-filtered', '--csv', '--certificate', note,
                               '--certified-gpus', '4', offers)
        assert status == 0, err
        for point in csv.DictReader(out.splitlines()):
            want = float(point['usd_gpu_hour']) / (work / 1e9 / 4)
            assert abs(float(point['usd_ct']) / want - 1) < 1e-6, point
        with open(note, 'w', encoding='ascii') as f:
            f.write(text.replace('\nwork %d\n' % work, '\nwork %d\n' % (work + 1)))
        status, out, err = run('series', '-f', 'vast-filtered', '--certificate', note, offers)
        assert status == 1 and 'signature' in err and not out, err


def test_usage():
    for args in (('recompute',), ('recompute', '--peak', '25-1', '-'), ('series', '-'), ('ccir',),
                 ('series', '-f', 'vast', '--trim', '1', '-'), ('none',)):
        status, out, err = run(*args, text='')
        assert status == 2 and err and not out, (args, status)


def test_ccir():
    offers = os.path.join(DATA, 'ccir_vast_offers_filtered_2026.csv.gz')
    status, out, err = run('ccir', offers, '--published',
                           os.path.join(DATA, 'ccir_published_index_2026.csv'))
    print(out, end='')
    assert status == 0 and '5 of 5 equal' in out, err
    with tempfile.NamedTemporaryFile('w', suffix='.csv') as f:
        with open(os.path.join(DATA, 'ccir_published_index_2026.csv'), encoding='utf-8') as real:
            f.write(real.read().replace('0.4007', '0.4008'))
        f.flush()
        status, out, _ = run('ccir', offers, '--published', f.name)
        assert status == 1 and '4 of 5 equal' in out, out


def test_days_of_aws():
    events = os.path.join(DATA, 'aws_p2p3_spot_events_2019_2020.csv.gz')
    status, out, err = run('series', '-f', 'aws-csv', '--offers', '--stale-days', '60', events)
    assert status == 0, err
    mine = {}
    for row in csv.DictReader(out.splitlines()):
        zone, kind, _ = row['offer'].split('/', 2)
        mine[row['period'], zone, kind] = float(row['usd_gpu_hour'])
    days = 0
    with gzip.open(os.path.join(DATA, 'aws_p2p3_spot_daily_twap.csv.gz'), 'rt') as f:
        for row in csv.DictReader(f):
            days += 1
            at = row['date_utc'], row['az'], row['instance_type']
            assert abs(mine[at] - float(row['twap_usd_gpu_hour'])) < 1.5e-6, row
    print('%d time-weighted days of AWS spot prices, all equal' % days)
    assert days > 8000


def test_panel_of_vast():
    raw = os.path.join(DATA, 'ccir_vast_offers_raw_2026.csv.gz')
    with gzip.open(raw, 'rt') as f:
        rows = list(csv.DictReader(f))
    for gpu in sorted({r['queried_model'] for r in rows} - {'H100 PCIE'}):
        status, out, err = run('series', '-f', 'vast', '-g', gpu, '--csv', raw)
        assert status == 0, err
        days = {}
        for r in rows:
            if r['queried_model'] == gpu:
                days.setdefault(r['date'], []).append(float(r['dph_total']) / float(r['num_gpus']))
        for point in csv.DictReader(out.splitlines()):
            assert abs(float(point['naive_median']) -
                       statistics.median(days[point['period']])) < 1e-6, point
        lines = [l for l in err.splitlines() if 'volatility' in l]
        print('%-10s %s' % (gpu, '; '.join(lines)))
        naive, index = (float(l.split(': ')[1].split('%')[0]) for l in lines)
        assert index < naive / 2, lines


def main():
    test_aws_json()
    test_usage()
    test_certificate_is_checked()
    test_submitted_as_a_source()
    if not os.path.isdir(DATA):
        print('no real data at %s: the rest is left out' % DATA)
        return
    test_ccir()
    test_days_of_aws()
    test_panel_of_vast()


if __name__ == '__main__':
    main()
