#!/usr/bin/env python3
"""margin_test.py: `dojima margin` on files: what is refused, what is drawn; and, where there are
real price histories (DOJIMA_SHARED, or ../shared beside the project), that its exceedances on them
are green.

usage: margin_test.py DOJIMA
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as xml

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DOJIMA = os.path.abspath(sys.argv.pop(1))
SHARED = os.path.join(os.environ.get('DOJIMA_SHARED', os.path.join(ROOT, '../shared')), 'data')
HISTORY = ['--history', 'docs/margin/history.csv']
PORTFOLIO = 'docs/margin/portfolio.csv'


def run(*args, status=0):
    done = subprocess.run([DOJIMA, 'margin', *args], cwd=ROOT, capture_output=True, text=True,
                          timeout=120, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == status, (args, done.returncode, done.stderr)
    return done


class Files(unittest.TestCase):
    def refused(self, sentence, *args):
        done = run(*args, status=1)
        self.assertIn(sentence, done.stderr)
        self.assertEqual(done.stdout, '')

    def test_refusals_name_the_file(self):
        self.refused('/none: the file cannot be read', '/none', *HISTORY)
        self.refused('--history: a price history is needed', PORTFOLIO)
        self.refused('there is no account zeta', PORTFOLIO, *HISTORY, '--account', 'zeta')
        self.refused('the series was read already', PORTFOLIO, *HISTORY, *HISTORY)
        self.refused('--date: is not YYYY-MM-DD', PORTFOLIO, *HISTORY, '--date', '2027-1-1')
        self.refused('is stale', PORTFOLIO, *HISTORY, '--date', '2027-06-01')
        self.refused('joint moves up to 2025-01-02', PORTFOLIO, *HISTORY, '--date', '2025-01-02')
        run(status=2)
        run(PORTFOLIO, 'more', status=2)

    def test_a_set_that_is_too_small_is_refused(self):
        with tempfile.NamedTemporaryFile('w', suffix='.csv') as f:
            f.write('scenario,kind,from,to,factor,tenor_min,tenor_max,move,unit,source\n'
                    'a,hypothetical,,,compute,,,-0.3,relative,x\n')
            f.flush()
            self.refused('1 scenarios, at least 20 are needed', PORTFOLIO, *HISTORY, '--stress',
                         f.name)

    def test_parts_add_up(self):
        answer = json.loads(run(PORTFOLIO, *HISTORY, '--json', '--fund').stdout)
        self.assertEqual(len(answer['accounts']), 3)
        for a in answer['accounts']:
            parts = a['core'] + a['liquidity'] + a['concentration'] + a['delivery']
            most = max(parts, a['floor_notional'], a['floor_volume'], a['short_option'])
            self.assertAlmostEqual(a['margin'], most - a['credit'], places=5)
            blended = 0.75 * a['filtered_es']['value'] + 0.25 * a['stress_es']['value']
            self.assertAlmostEqual(a['blended'], blended, places=5)
            self.assertAlmostEqual(a['core'], max(a['blended'], a['long_run_var']['value']),
                                   places=6)
        self.assertGreater(answer['fund'], 0)

    def test_an_earlier_day_knows_nothing_of_later_prices(self):
        with open(os.path.join(ROOT, 'docs/margin/history.csv'), encoding='utf-8') as f:
            lines = [x for x in f if x[0] in '#d' or x[:10] <= '2026-08-31']
        with tempfile.NamedTemporaryFile('w', suffix='.csv') as f:
            f.writelines(lines)
            f.flush()
            cut = run(PORTFOLIO, '--history', f.name, '--json').stdout
        self.assertEqual(cut, run(PORTFOLIO, *HISTORY, '--json', '--date', '2026-08-31').stdout)

    def test_charts_are_well_formed(self):
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, 'chart.svg')
            run(PORTFOLIO, *HISTORY, '--svg', path)
            self.assertIn('gamma', ''.join(xml.parse(path).getroot().itertext()))
            run('backtest', *HISTORY, '--svg', path)
            self.assertIn('CTF-2027M03 long', ''.join(xml.parse(path).getroot().itertext()))
            done = run(PORTFOLIO, *HISTORY, '--svg', os.path.join(d, 'none', 'x.svg'), status=1)
            self.assertIn('cannot be written', done.stderr)


@unittest.skipUnless(os.path.isdir(SHARED), 'no real price histories: set DOJIMA_SHARED')
class RealPrices(unittest.TestCase):
    def backtest(self, *histories):
        args = [x for h in histories for x in ('--history', h)]
        return json.loads(run('backtest', '--json', *args).stdout)['results']

    def test_futures_are_green_in_every_window(self):
        files = {'GAS': 'GAS_US', 'VIX': 'VIX', 'WTI': 'CRUDE_W', 'BRENT': 'BRENT_W'}
        results = self.backtest(*('%s=%s/futures_%s_daily.csv.gz' % (n, SHARED, f)
                                  for n, f in files.items()))
        self.assertEqual(len(results), 16)
        for r in results:
            if r['margin'] != 'core':
                continue
            self.assertGreater(r['tests'], 4000)
            self.assertEqual(r['zone'], 'green', r)
            self.assertEqual((r['windows_yellow'], r['windows_red']), (0, 0), r)
            filtered = next(x for x in results if (x['case'], x['side'], x['margin']) ==
                            (r['case'], r['side'], 'filtered'))
            self.assertLess(r['peak_to_trough'], filtered['peak_to_trough'], r)

    def test_gpu_hours_are_green(self):
        file = SHARED + '/gcp_gpu_prices_2022_2026.csv.gz'
        for r in self.backtest(*('GPU-%s-%s=%s:gpu_model=%s,kind=%s,fill=weekdays' % (
                m, k, file, m, k) for m in ('A100-40GB', 'H100-80GB', 'L4')
                for k in ('ondemand', 'spot'))):
            if r['margin'] == 'core':
                self.assertEqual(r['zone'], 'green', r)
                self.assertEqual((r['windows_yellow'], r['windows_red']), (0, 0), r)

    def test_a_price_below_zero_passes(self):
        with open(SHARED + '/eia_wti_spot_daily.csv', encoding='utf-8') as f:
            self.assertIn('2020-04-20,-36.98', f.read())
        results = self.backtest('WTI=%s/eia_wti_spot_daily.csv' % SHARED)
        self.assertTrue(all(r['zone'] == 'green' for r in results), results)
        with tempfile.NamedTemporaryFile('w', suffix='.csv') as f:
            f.write('account,instrument,lots\na,WTI,1\n')
            f.flush()
            a = json.loads(run(f.name, '--history', 'WTI=%s/eia_wti_spot_daily.csv' % SHARED,
                               '--date', '2020-04-20', '--json').stdout)['accounts'][0]
        self.assertGreater(a['margin'], 10000)  # of a lot of 1000 barrels


if __name__ == '__main__':
    unittest.main(verbosity=2)  # what is skipped says why
