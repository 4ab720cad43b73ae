#!/usr/bin/env python3
"""trade_test.py: the trader's commands against a made-up node that checks their signatures.

usage: trade_test.py DRIVER
"""
import hashlib
import hmac
import http.server
import json
import os
import pty
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest

DRIVER = sys.argv.pop(1)
SECRET = 's3cret-of-the-key'

ORDER = {'order_id': '16777217', 'order_state': 'open', 'order_type': 'limit',
         'instrument_name': 'ZZ-2027M03', 'direction': 'buy', 'price': 100.5, 'amount': 5,
         'filled_amount': 3, 'average_price': 100.25, 'label': 'mm\u001b[31m'}
RESULTS = {
    'private/buy': {'order': ORDER, 'trades': [
        {'trade_id': '7', 'amount': 3, 'price': 100.25, 'fee': 0.5, 'liquidity': 'T'}]},
    'private/sell': {'order': dict(ORDER, direction='sell', price='market_price'), 'trades': []},
    'private/edit': {'order': ORDER, 'trades': []},
    'private/get_open_orders': [ORDER, dict(ORDER, order_id='9', price=-1, average_price=0)],
    'private/cancel': dict(ORDER, order_state='cancelled'),
    'private/cancel_all': 3,
    'private/cancel_by_label': 1,
    'private/cancel_all_by_instrument': 0,
    'private/get_positions': [
        {'instrument_name': 'ZZ-2027M03', 'size': -12, 'average_price': 99.5, 'mark_price': 100,
         'floating_profit_loss': -6, 'realized_profit_loss': 0.25, 'initial_margin': 1200,
         'open_buys': 0, 'open_sells': 4}],
    'private/get_account_summary': {
        'account': 'alice', 'member': 'alpha', 'mode': 'margined', 'killed': False,
        'equity': 1000000.25, 'cash': 1000006.25, 'session_upl': -6, 'initial_margin': 1200,
        'maintenance_margin': 1200, 'available_funds': 998800.25, 'pending_withdrawals': 0,
        'fees_paid': 1.5},
    'public/get_order_book': {
        'instrument_name': 'ZZ-2027M03', 'state': 'open', 'last_price': 100.25,
        'bids': [[100.25, 10], [100, 2000]], 'asks': [[100.5, 7]]},
    'public/get_last_trades_by_instrument': {'has_more': False, 'trades': [
        {'trade_id': '8', 'direction': 'sell', 'amount': 40, 'price': 100,
         'timestamp': 1799053200123},
        {'trade_id': '7', 'direction': 'buy', 'amount': 3, 'price': 100.25,
         'timestamp': 1799053199000}]},
    'private/get_user_trades_by_instrument': {'has_more': False, 'trades': []},
    'public/get_instruments': [
        {'instrument_name': 'ZZ-2027M03', 'product': 'ZZ', 'state': 'open', 'kind': 'future',
         'settlement_period': 'month', 'tick_size': 0.5, 'contract_size': 7440, 'hours': 744,
         'expiration_timestamp': 1806537600000},
        {'instrument_name': 'YY-2027', 'product': 'YY', 'state': 'closed', 'kind': 'future',
         'settlement_period': 'year', 'tick_size': 0.001, 'contract_size': 1, 'hours': 8760,
         'expiration_timestamp': 1830297600000}],
}


class Node(http.server.BaseHTTPRequestHandler):
    calls = []
    special = None  # what to answer instead

    def log_message(self, *_):
        pass

    def signed(self, body):
        m = re.fullmatch(r'deri-hmac-sha256 id=(\w+),ts=(\d+),sig=([0-9a-f]{64}),nonce=(\w+)',
                         self.headers.get('Authorization', ''))
        if not m or m.group(1) != 'key1':
            return False
        text = '%s\n%s\nPOST\n%s\n%s\n' % (m.group(2), m.group(4), self.path, body)
        return hmac.compare_digest(m.group(3), hmac.new(SECRET.encode(), text.encode(),
                                                        hashlib.sha256).hexdigest())

    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length'])).decode()
        request = json.loads(body)
        method = request['method']
        Node.calls.append((self.path, method, request['params']))
        answer = {'jsonrpc': '2.0', 'id': request['id'], 'seq': 42}
        status = 200
        if Node.special == 'reject':
            answer['error'] = {'code': 10009, 'message': 'insufficient_margin', 'data': {
                'reason': 'insufficient_margin', 'rule': 'CLEAR-08',
                'sentence': 'The worst case is not margined.'}}
            status = 400
        elif method.startswith('private/') and not self.signed(body):
            answer['error'] = {'code': 13009, 'message': 'unauthorised', 'data': {
                'reason': 'unauthorised', 'rule': 'API', 'sentence': 'The signature is wrong.'}}
            status = 401
        else:
            answer['result'] = RESULTS[method]
        text = json.dumps(answer).encode()
        if Node.special == 'text':
            text = b'<html>no</html>'
        self.send_response(status)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(text) + (50 if Node.special == 'cut' else 0)))
        self.end_headers()
        self.wfile.write(text)


class TradeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Node)
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()
        cls.url = 'http://127.0.0.1:%d' % cls.server.server_port
        cls.home = tempfile.TemporaryDirectory()
        cls.key = os.path.join(cls.home.name, 'key')
        with open(cls.key, 'w') as f:
            f.write('# the key of alice\n\nkey1 %s\n' % SECRET)

    @classmethod
    def tearDownClass(cls):
        cls.server.shutdown()
        cls.server.server_close()
        cls.home.cleanup()

    def setUp(self):
        Node.calls.clear()
        Node.special = None

    def environment(self, **more):
        e = {k: v for k, v in os.environ.items() if not k.startswith(('DOJIMA_', 'XDG_'))}
        e.update({'HOME': self.home.name, 'DOJIMA_URL': self.url}, **more)
        return e

    def run_it(self, *arguments, key=True, **environment):
        arguments = list(arguments) + (['--key-file', self.key] if key else [])
        p = subprocess.run([DRIVER] + arguments, env=self.environment(**environment),
                           capture_output=True, text=True, timeout=30)
        return p.returncode, p.stdout, p.stderr

    def test_buy(self):
        rc, out, err = self.run_it('order', 'buy', 'ZZ-2027M03', '5', '--price', '100.50',
                                   '--post-only', '--label', 'a "b"', '--time-in-force',
                                   'good_til_day')
        self.assertEqual((rc, err), (0, ''))
        path, method, params = Node.calls[0]
        self.assertEqual(path, '/api/v2/private/buy')
        self.assertEqual(params, {'instrument_name': 'ZZ-2027M03', 'amount': '5',
                                  'price': '100.50', 'post_only': True, 'label': 'a "b"',
                                  'time_in_force': 'good_til_day'})
        lines = out.split('\n')
        self.assertIn('16777217', lines[1])
        self.assertRegex(lines[1], r'buy +5 +100\.5 +3 +100\.25 +limit +open')
        self.assertNotIn('\x1b', out)  # neither colour nor what a label brings
        self.assertRegex(lines[4], r'7 +3 +100\.25 +0\.5 +T')

    def test_market_without_price(self):
        self.assertEqual(self.run_it('order', 'sell', 'ZZ-2027M03', '2')[0], 0)
        self.assertEqual(Node.calls[0][2], {'instrument_name': 'ZZ-2027M03', 'amount': '2',
                                            'type': 'market'})

    def test_negative_price_and_stop(self):
        rc = self.run_it('order', 'sell', 'S', '1', '--price', '-1.25', '--type', 'stop_limit',
                         '--trigger-price=-1')[0]
        self.assertEqual(rc, 0)
        self.assertEqual(Node.calls[0][2]['price'], '-1.25')
        self.assertEqual(Node.calls[0][2]['trigger_price'], '-1')

    def test_edit_and_list(self):
        self.assertEqual(self.run_it('order', 'edit', '16777217', '8', '--price', '3')[0], 0)
        self.assertEqual(Node.calls[0][1:], ('private/edit', {
            'price': '3', 'amount': '8', 'order_id': '16777217'}))
        rc, out, _ = self.run_it('order', 'list')
        self.assertEqual(rc, 0)
        # Decimals of a column have equally many places and end in one column.
        a, b = out.split('\n')[1:3]
        self.assertIn('100.5 ', a)
        self.assertIn(' -1.0 ', b)
        self.assertEqual(a.index('100.5') + 5, b.index('-1.0') + 4)

    def test_cancel(self):
        rc, out, _ = self.run_it('cancel', '16777217')
        self.assertEqual((rc, out), (0, 'order 16777217 cancelled, 3 of 5 filled\n'))
        self.assertEqual(self.run_it('cancel', '--all')[1], '3 orders cancelled\n')
        self.assertEqual(self.run_it('cancel', '--label', 'mm')[1], '1 order cancelled\n')
        self.assertEqual(Node.calls[-1][2], {'label': 'mm'})
        self.assertEqual(self.run_it('cancel', '--all', '--instrument', 'X')[0], 0)
        self.assertEqual(Node.calls[-1][1], 'private/cancel_all_by_instrument')
        for bad in ([], ['1', '--all'], ['--instrument', 'X', '1'], ['1', '2']):
            self.assertEqual(self.run_it('cancel', *bad)[0], 2)

    def test_book(self):
        rc, out, _ = self.run_it('book', 'ZZ-2027M03', '--depth', '5', key=False)
        self.assertEqual(rc, 0)
        self.assertEqual(Node.calls[0][2], {'instrument_name': 'ZZ-2027M03', 'depth': 5})
        self.assertEqual(out.split('\n')[:4], [
            'ZZ-2027M03  open  last 100.25',
            'amount     bid    ask  amount',
            '    10  100.25  100.5       7',
            '  2000  100.00               ' + ''])

    def test_positions_account_trades_instruments(self):
        out = self.run_it('positions')[1]
        self.assertRegex(out.split('\n')[1], r'ZZ-2027M03 +-12 +99\.5 +100 +-6 +0\.25 +1200 +0 +4')
        out = self.run_it('account')[1]
        self.assertIn('alice  member alpha  margined', out)
        self.assertRegex(out, r'available +998800\.25\n')
        self.assertRegex(out, r'initial margin +1200\.00\n')
        out = self.run_it('trades', 'ZZ-2027M03', key=False)[1]
        self.assertIn('2027-01-04 09:00:00.123', out)
        self.assertRegex(out, r'8 +sell +40 +100\.00')
        self.assertEqual(self.run_it('trades', 'ZZ-2027M03', '--mine')[1], 'no trades\n')
        out = self.run_it('instruments', '--product', 'YY', key=False)[1]
        self.assertIn('YY-2027', out)
        self.assertNotIn('ZZ-2027M03', out)

    def test_json_is_the_raw_result(self):
        for arguments, method in ((['positions'], 'private/get_positions'),
                                  (['book', 'X'], 'public/get_order_book'),
                                  (['cancel', '--all'], 'private/cancel_all')):
            rc, out, _ = self.run_it(*arguments, '--json')
            self.assertEqual(rc, 0)
            self.assertEqual(json.loads(out), RESULTS[method])

    def test_reject(self):
        Node.special = 'reject'
        rc, out, err = self.run_it('order', 'buy', 'X', '1', '--price', '1')
        self.assertEqual((rc, out), (1, ''))
        self.assertEqual(err, 'dojima: The worst case is not margined. '
                              '(CLEAR-08, insufficient_margin)\n')
        rc, out, _ = self.run_it('order', 'buy', 'X', '1', '--price', '1', '--json')
        self.assertEqual(rc, 1)
        self.assertEqual(json.loads(out)['data']['reason'], 'insufficient_margin')

    def test_keys(self):
        rc, _, err = self.run_it('positions', key=False)
        self.assertEqual(rc, 1)
        self.assertIn('needs an API key', err)
        self.assertEqual(self.run_it('positions', key=False, DOJIMA_KEY='key1:' + SECRET)[0], 0)
        rc, _, err = self.run_it('positions', key=False, DOJIMA_KEY='key1:wrong')
        self.assertEqual(rc, 1)
        self.assertIn('The signature is wrong.', err)
        self.assertNotIn('wrong-secret', err)
        config = os.path.join(self.home.name, '.config', 'dojima')
        os.makedirs(config)
        with open(os.path.join(config, 'key'), 'w') as f:
            f.write('hmac key1 ' + SECRET)
        self.assertEqual(self.run_it('positions', key=False)[0], 0)
        os.remove(os.path.join(config, 'key'))
        os.rmdir(config)
        self.assertEqual(self.run_it('positions', '--key-file', '/nonexistent', key=False)[0], 1)

    def test_no_node(self):
        rc, _, err = self.run_it('book', 'X', '--url', 'http://127.0.0.1:1', key=False)
        self.assertEqual(rc, 1)
        self.assertIn('no connection', err)
        for url in ('ftp://x', 'http://', 'http://a:b', 'http://a/?q'):
            rc, _, err = self.run_it('book', 'X', '--url', url, key=False)
            self.assertEqual(rc, 1)
            self.assertIn('is no http', err)
        Node.special = 'text'
        rc, _, err = self.run_it('book', 'X', key=False)
        self.assertEqual(rc, 1)
        self.assertIn('not in JSON-RPC', err)
        Node.special = 'cut'
        rc, _, err = self.run_it('book', 'X', key=False)
        self.assertEqual(rc, 1)
        self.assertIn('cut off', err)

    @unittest.skipUnless(shutil.which('openssl'), 'openssl makes the certificate')
    def test_tls_is_verified(self):
        names = [os.path.join(self.home.name, n) for n in ('tls.key', 'tls.pem')]
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
                        'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj',
                        '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout',
                        names[0], '-out', names[1]], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(names[1], names[0])
        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Node)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_: None
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = 'https://localhost:%d' % server.server_port
        self.assertEqual(self.run_it('positions', '--url', url, SSL_CERT_FILE=names[1])[0], 0)
        rc, _, err = self.run_it('positions', '--url', url)
        self.assertEqual(rc, 1)
        self.assertIn('certificate verify failed', err)
        by_number = url.replace('localhost', '127.0.0.1')  # the certificate has no such name
        self.assertEqual(self.run_it('positions', '--url', by_number, SSL_CERT_FILE=names[1])[0], 1)
        server.shutdown()
        server.server_close()

    def test_a_path_in_front(self):
        self.assertEqual(self.run_it('positions', '--url', self.url + '/venue/')[0], 0)
        self.assertEqual(Node.calls[0][0], '/venue/api/v2/private/get_positions')

    def test_usage(self):
        for bad in (['order'], ['order', 'hold', 'X', '1'], ['order', 'buy', 'X'],
                    ['order', 'buy', 'X', 'ten'], ['order', 'buy', 'X', '1', '--price', '1,5'],
                    ['book'], ['book', 'X', '--depth', '0'], ['trades'], ['positions', 'X'],
                    ['account', '--nothing'], ['instruments', 'X']):
            rc, out, err = self.run_it(*bad)
            self.assertEqual((rc, out), (2, ''), bad)
            self.assertNotEqual(err, '')
        self.assertEqual(Node.calls, [])
        for command in ('order', 'cancel', 'book', 'positions', 'account', 'trades',
                        'instruments'):
            rc, out, _ = self.run_it(command, '--help', key=False)
            self.assertEqual(rc, 0)
            self.assertIn('--url', out)

    def test_colour_on_a_terminal_only(self):
        def on_terminal(**environment):
            master, slave = pty.openpty()
            p = subprocess.Popen([DRIVER, 'book', 'X'], env=self.environment(**environment),
                                 stdout=slave, stderr=subprocess.DEVNULL)
            os.close(slave)
            text = b''
            while True:
                try:
                    part = os.read(master, 4096)
                except OSError:
                    break
                if not part:
                    break
                text += part
            p.wait(30)
            os.close(master)
            return text
        self.assertIn(b'\x1b[32m', on_terminal())
        self.assertNotIn(b'\x1b[', on_terminal(NO_COLOR='1'))


if __name__ == '__main__':
    unittest.main(verbosity=2)  # what is skipped says why
