#!/usr/bin/env python3
"""run.py: scenarios, each a story that a trader can read, through `dojima script`.

Usage: run.py [DOJIMA] [FILE.scenario ...]   (default: build/dojima, every file of this folder)

Prints a line a scenario and exits with 1 when any fails. A file is named RULE-ID_what_it_shows
and holds one line a step; text behind ` # ` is a remark. A step does something, or says what must
be so:

  product ZZ tick_size=0.5 matching.algorithm=fifo   creates a product (contract_size=1 if none)
  list ZZ 2027M03 2027M04                            lists instruments
  spread ZZ-2027M03 ZZ-2027M04                       lists a spread
  accounts alice@alpha:5000 bob                      account @ member : deposit (10^6)
  state ZZ open                                      sets a trading state
  at 09:00:01 | at 2027-01-05T09:00:00Z              moves the clock with the next request
  alice buy 5 ZZ-2027M03 at 100.5 key=value as a1    an order, remembered as a1
  alice edit a1 amount=7 price=101
  alice cancel a1
  settle ZZ-2027M03 100.25                           a settlement price; `mark` marks to market
  settle_day ZZ                                      the day's settlement prices of a product
  submit a=2.1 b=2.2 to GPU [for 2027-01-04T09:00Z]  values of sources for an hour's reference price
  sold CTS-2027D0104H02 to bob a=5@2.1 b=7@2.2       each sells to him, alone with him in the book
  certifiers one two                                 accredited by two officers; keys from names
  verifiers watch
  certify alice rack 10 by one grade=offline         a signed certificate of her resource: 10 CT/h;
                                                     days=30 from now, and any line of the note;
                                                     appeals=3: an appeal; forged: another's
                                                     signature; cut, padded: too short, long
  replay bob                                         that certificate again, to the byte
  tokens alice issue rack 5 from 2027-01-06T00Z x24  tokens of 24 hours; also `retire`
  tokens alice give bob 5 from 2027-01-06T00Z x24 [grade=offline region=eu]
  tender alice CTP-2027D0112 5 from rack [grade=server]  a resource for delivery; 0: withdrawn;
                                                     `tender alice - from rack`: for balancing
  intake bob CTP-2027D0112 [regions=["eu"] grade_minimum=server providers_excluded=["x"]]
                                                     key=eve, of either: with another's key
  receipt alice 1 2027-01-12T14Z 50 [signed=seller tasks=9 ...]  50 CT of allocation 1 in an hour
  verdict watch 1 2027-01-12T14Z ok 50 [sampled=90 kind=challenge ...]  of a verifier
                                                     forged=ROLE, of either: that one's signature
                                                     is a stranger's
  canary watch 1 2027-01-12T14Z ok                   the hour is the allocation's first
  challenge bob 1 2027-01-12T14Z
  > {"as": "bob", "method": ..., "params": ...}      any request as it stands

  call officer clearing_allocate member=m            private/METHOD with key=value parameters

  = filled filled=5 average_price=100.5              of the order just entered, edited or cancelled
  ! off_tick                                         the last request was rejected for this reason
  ~ 3@100.5 2@101                                    the trades of the last request, exactly
  < {"result": {...}}                                the last answer holds this (numbers exactly)
  book ZZ-2027M03 bids 5@100 3@99 asks -             the whole book, best first
  order a1 open filled=2 amount=7                    what get_order_state says of it
  position alice ZZ-2027M03 -5
  compute alice ZZ 87600 [6]                         all her positions of a product, in units of
                                                     contract_size (CT); how many they are
  account alice cash=950.25 initial_margin=100       members of get_account_summary
  ticker ZZ-2027M03 last_price=100.5                 members of public/ticker
  settlement ZZ-2027M03 100.5 vwap trades=2          its latest record (public/get_settlements)
  hour GPU 2027-01-04T09:00Z 2.15 submissions        an hour's reference price and its tier
  sellers GPU 2027-01-04T09:00Z priced 5@2.1=trimmed  an hour's spot: result, volume@price of
                                                     each seller, its status (and /weight)
  prints ZZ-2027M03 3@100.5 2@101                    all its trades, oldest first
  mine alice ZZ-2027M03 3@100.5                      her own, oldest first
  working alice a2 a3                                her open orders are these, in any order
  certificate rack effective certificate_id=1        a resource's latest certificate
  holds alice CT-2026-server-eu-2027010600 5 [pledged=2]  tokens in get_balances
  allotted CTP-2027D0112 bob:alice:5                 its allocations, buyer:seller:lots, by id
  allocation 1 ready work_short=2                    an allocation's state and members
  delivered 1 2027-01-12T14Z metered work=50         what is published of an hour
  ended CTP-2027D0112 no_tender:5:12.5               what ended in money: reason:lots:damages
  balance m/fund 20                                  USD of any account, the clearing house's too
  posted default_fund b/fund:-22.5 c/fund:-13.5      sums of all USD postings of a code, by account
  fund b paid=50 call=0                              a member's line of clearing_get_fund
  conserved                                          USD, capacity and tokens over all accounts,
                                                     and each contract's positions, sum to zero

A step that is followed by neither `!` nor `<` must not be rejected. In a value, null is nothing.
"""
import glob
import json
import os
import re
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import notes

HERE = os.path.dirname(os.path.abspath(__file__))


class Failed(Exception):
    pass


def value_of(text):
    """A value of key=value: JSON where it reads as such, else text."""
    try:
        return json.loads(text, parse_float=Decimal)
    except ValueError:
        return text



def dump(value):
    """JSON with decimals as they are written."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return '{%s}' % ','.join('%s:%s' % (json.dumps(k), dump(v)) for k, v in value.items())
    if isinstance(value, list):
        return '[%s]' % ','.join(dump(v) for v in value)
    return json.dumps(value)


def pairs_of(words):
    """key=value words as an object; dots nest."""
    out = {}
    for word in words:
        key, _, text = word.partition('=')
        at = out
        *path, last = key.split('.')
        for part in path:
            at = at.setdefault(part, {})
        at[last] = value_of(text)
    return out


def same(want, got):
    if isinstance(want, bool) or isinstance(got, bool) or want is None or got is None:
        return want is got
    if isinstance(want, (int, Decimal)) and isinstance(got, (int, Decimal)):
        return Decimal(want) == Decimal(got)
    return want == got


def holds(want, got, where=''):
    """Where `got` does not hold `want`, or None."""
    if isinstance(want, dict):
        if not isinstance(got, dict):
            return '%s: expected an object, got %s' % (where, dump(got))
        for key, value in want.items():
            if key not in got:
                return '%s.%s is missing in %s' % (where, key, dump(got))
            wrong = holds(value, got[key], '%s.%s' % (where, key))
            if wrong:
                return wrong
        return None
    if isinstance(want, list):
        if not isinstance(got, list) or len(got) != len(want):
            return '%s: expected %s, got %s' % (where, dump(want), dump(got))
        for i, value in enumerate(want):
            wrong = holds(value, got[i], '%s[%d]' % (where, i))
            if wrong:
                return wrong
        return None
    return None if same(want, got) else '%s: expected %s, got %s' % (where, dump(want), dump(got))


def lots_of(words):
    """5@100.5 words as [price, amount] pairs."""
    out = []
    for word in words:
        if word != '-':
            amount, _, price = word.partition('@')
            out.append([Decimal(price), Decimal(amount)])
    return out


def need(wrong):
    if wrong:
        raise Failed(wrong)


class Scenario:
    def __init__(self, dojima, path):
        self.path = path
        self.process = subprocess.Popen([dojima, 'script', '-'], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.refs = {}     # name -> (account, order id)
        self.clock = None  # goes with the next request
        self.date = '2027-01-04'
        self.last_clock = self.date + 'T00:00:00Z'
        self.note = None   # the last certificate
        self.answer = None
        self.checked = True
        self.ids = 0

    def ask(self, request):
        self.ids += 1
        line = {'id': self.ids}
        if self.clock:
            self.last_clock = line['at'] = self.clock
            self.clock = None
        line.update(request)
        self.process.stdin.write(dump(line) + '\n')
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise Failed('dojima ended with status %s at %s' % (self.process.wait(5), dump(line)))
        return json.loads(answer, parse_float=Decimal)

    def do(self, who, method, params):
        """A step whose answer the next lines may look at."""
        self.answer = self.ask({'as': who, 'method': method, 'params': params})
        self.checked = False
        return self.answer

    def look(self, who, method, params):
        answer = self.ask(dict({'as': who} if who else {}, method=method, params=params))
        if 'error' in answer:
            raise Failed('%s: %s' % (method, dump(answer['error'])))
        return answer['result']

    def settle(self):
        """Before the next step: a rejected one was to be followed by `!` or `<`."""
        if not self.checked and 'error' in self.answer:
            raise Failed('rejected: %s' % dump(self.answer['error']))

    def order_of(self, answer):
        if 'error' in answer:
            raise Failed('rejected: %s' % dump(answer['error']))
        result = answer['result']
        return result['order'] if 'order' in result else result

    # ---- steps ----

    def do_product(self, words):
        params = {'product': words[0], 'kind': 'future', 'contract_size': 1, 'settlement': 'cash'}
        params.update(pairs_of(words[1:]))
        self.do('officer', 'private/officer_create_product', params)

    def do_list(self, words):
        for period in words[1:]:
            self.settle()
            self.do('officer', 'private/officer_list_instrument',
                    {'product': words[0], 'period': period})

    def do_spread(self, words):
        self.do('officer', 'private/officer_list_spread',
                {'legs': [{'instrument_name': words[0], 'ratio': 1},
                          {'instrument_name': words[1], 'ratio': -1}]})

    def do_accounts(self, words):
        for word in words:
            name, _, money = word.partition(':')
            account, _, member = name.partition('@')
            self.settle()
            self.do('officer', 'private/officer_create_account',
                    {'account': account, 'member': member or account})
            self.settle()
            if money != '0':
                self.do('officer', 'private/officer_deposit',
                        {'account': account, 'asset': 'USD',
                         'amount': Decimal(money or '1000000')})

    def do_state(self, words):
        self.do('officer', 'private/officer_set_state',
                dict({'product': words[0], 'state': words[1]}, **pairs_of(words[2:])))

    def do_at(self, words):
        if 'T' in words[0]:
            self.date = words[0][:10]
            self.clock = words[0]
        else:
            self.clock = '%sT%sZ' % (self.date, words[0])

    def do_settle(self, words):
        self.do('officer', 'private/officer_settlement_price',
                {'instrument_name': words[0], 'price': value_of(words[1])})

    def do_call(self, words):
        self.do(words[0], 'private/' + words[1], pairs_of(words[2:]))

    def accredit(self, role, names):
        for name in names:
            self.settle()
            answer = self.do('officer', 'private/officer_accredit',
                             {'name': name, 'role': role, 'public_key': notes.public_key(name)})
            self.settle()
            self.do('officer2', 'private/officer_confirm',
                    {'request': answer['result']['request']})

    def do_certifiers(self, words):
        self.accredit('certifier', words)

    def do_verifiers(self, words):
        self.accredit('verifier', words)

    @staticmethod
    def whole_hour(text):
        return text.replace('Z', ':00:00Z')

    def now(self):
        text = self.clock or self.last_clock
        return datetime.strptime(text[:19], '%Y-%m-%dT%H:%M:%S')

    def do_certify(self, words):
        provider, resource, work, _, certifier, *rest = words
        given = {k: str(v) for k, v in pairs_of(w for w in rest if '=' in w).items()}
        days = Decimal(given.pop('days', '30'))
        appeals = given.pop('appeals', None)
        hours = timedelta(hours=float(days * 24))
        fields = {'provider': provider, 'resource': resource,
                  'work': int(Decimal(work) * 10**9),
                  'issued': self.now().strftime('%Y-%m-%dT%H:%M:%SZ'),
                  'expires': (self.now() + hours).strftime('%Y-%m-%dT%H:%M:%SZ')}
        fields.update(given)
        text = notes.certificate(certifier, **fields)
        if 'forged' in rest:
            other = notes.certificate('a stranger', **fields)
            text = text[:text.index('--\n')] + other[other.index('--\n'):]
        if 'cut' in rest:
            text = text[:text.index('--\n')]
        if 'padded' in rest:
            text += 'x' * 4096
        self.note = text
        params = {'certificate': text}
        if appeals:
            self.do(provider, 'private/certificate_appeal', dict(params, appeals=int(appeals)))
        else:
            self.do(provider, 'private/certificate_submit', params)

    def do_replay(self, words):
        self.do(words[0], 'private/certificate_submit', {'certificate': self.note})

    def do_tokens(self, words):
        who, verb, what, amount, _, hour, *rest = words
        params = {'hour': self.whole_hour(hour), 'amount': Decimal(amount)}
        if rest and rest[0].startswith('x'):
            params['hours'] = int(rest.pop(0)[1:])
        if verb == 'give':
            params.update({'vintage': 2026, 'grade': 'server', 'region': 'eu',
                           'destination': what})
        else:
            params['resource'] = what
        params.update(pairs_of(rest))
        method = {'issue': 'token_issue', 'retire': 'token_retire', 'give': 'token_transfer'}
        self.do(who, 'private/' + method[verb], params)

    # ---- delivery ----

    def do_tender(self, words):
        who, name, *rest = words
        params = {} if name == '-' else {'instrument_name': name, 'amount': value_of(rest.pop(0))}
        given = pairs_of(rest[2:])
        params.update({'resource': rest[1], 'public_key': notes.public_key(given.pop('key', who)),
                       'endpoint': 'http://%s.example:9000' % who})
        params.update(given)
        self.do(who, 'private/tender', params)

    def do_intake(self, words):
        who, name, *rest = words
        given = pairs_of(rest)
        params = {'public_key': notes.public_key(given.pop('key', who)),
                  'endpoint': 'http://%s.example:9001' % who}
        if name != '-':
            params['instrument_name'] = name
        if given:
            params['constraints'] = given
        self.do(who, 'private/intake', params)

    def allocation_of(self, number):
        own = self.look('officer', 'private/get_allocations', {'count': 1000})
        found = [a for a in own if str(a['allocation']) == number]
        if not found:
            raise Failed('there is no allocation %s' % number)
        return found[0]

    def do_receipt(self, words):
        who, number, hour, work, *rest = words
        a = self.allocation_of(number)
        given = {k: str(v) for k, v in pairs_of(rest).items()}
        fields = {'seller': a['seller'], 'buyer': a['buyer'],
                  'instrument': a['instrument_name']}
        fields.update(given)
        forged = fields.pop('forged', None)
        text = notes.receipt(number, hour=self.whole_hour(hour),
                             flop=int(Decimal(work) * 10**18), **fields)
        text = notes.forged(text, forged) if forged else text
        self.do(who, 'private/receipt_submit', {'receipt': text})

    def verdict_step(self, words, kind):
        verifier, number, hour, outcome, *rest = words
        work = '0'
        if rest and '=' not in rest[0]:
            work = rest.pop(0)
        elif outcome == 'ok':
            work = '0.001'
        given = pairs_of(rest)
        forged = given.pop('forged', None)
        text = notes.verdict(verifier, number, self.whole_hour(hour), outcome,
                             int(Decimal(work) * 10**18), **dict({'kind': kind}, **given))
        text = notes.forged(text, forged) if forged else text
        self.do('officer', 'private/proof_submit', {'verdict': text})

    def do_verdict(self, words):
        self.verdict_step(words, 'hour')

    def do_canary(self, words):
        self.verdict_step(words, 'canary')

    def do_challenge(self, words):
        self.do(words[0], 'private/proof_challenge',
                {'allocation': int(words[1]), 'hour': self.whole_hour(words[2])})

    def is_allotted(self, words):
        own = self.look('officer', 'private/get_allocations', {'instrument_name': words[0],
                                                               'count': 1000})
        got = ['%s:%s:%s' % (a['buyer'], a['seller'], a['amount']) for a in reversed(own)]
        need(holds(words[1:], got, words[0]))

    def is_allocation(self, words):
        got = self.allocation_of(words[0])
        need(holds(dict({'state': words[1]}, **pairs_of(words[2:])), got, words[0]))

    def is_delivered(self, words):
        hour = datetime.strptime(words[1], '%Y-%m-%dT%HZ').replace(tzinfo=timezone.utc)
        got = self.look(None, 'public/get_delivery', {'allocation': int(words[0])})['hours']
        found = [h for h in got if h['hour'] == int(hour.timestamp() * 1000)]
        if not found:
            raise Failed('there is no such hour')
        want = dict({'state': words[2]}, **pairs_of(words[3:]))
        got = dict.fromkeys((k for k in want if want[k] is False), False)  # a flag that is not set
        need(holds(want, dict(got, **found[0]), words[1]))

    def is_ended(self, words):
        got = self.look(None, 'public/get_delivery', {'instrument_name': words[0]})['cash_settled']
        need(holds(words[1:], ['%s:%s:%s' % (e['reason'], e['amount'], e['damages'])
                               for e in got], words[0]))

    def do_settle_day(self, words):
        self.do('officer', 'private/officer_settle_day',
                dict({'product': words[0]}, **pairs_of(words[1:])))

    def do_submit(self, words):
        to = words.index('to')
        params = {'index_name': words[to + 1]}
        if len(words) > to + 2:
            params['hour'] = words[to + 3].replace('Z', ':00Z')
        for word in words[:to]:
            source, _, value = word.partition('=')
            self.settle()
            self.do(source, 'private/index_submit', dict(params, value=value_of(value)))

    def do_sold(self, words):
        name, _, buyer, *sales = words
        for sale in sales:
            seller, _, what = sale.partition('=')
            amount, _, price = what.partition('@')
            for who, side in ((seller, 'sell'), (buyer, 'buy')):
                self.settle()
                self.enter(who, side, [amount, name, 'at', price])

    def do_mark(self, words):
        self.do('officer', 'private/officer_mark_to_market', {})

    def enter(self, who, side, words):
        words, ref = list(words), None
        if len(words) > 2 and words[-2] == 'as':
            ref = words[-1]
            words = words[:-2]
        params = {'instrument_name': words[1], 'amount': value_of(words[0])}
        rest = words[2:]
        if rest and rest[0] == 'at':
            params['price'] = value_of(rest[1])
            rest = rest[2:]
        params.update(pairs_of(rest))
        answer = self.do(who, 'private/' + side, params)
        if ref and 'result' in answer:
            self.refs[ref] = (who, answer['result']['order']['order_id'])

    def ref(self, name):
        if name not in self.refs:
            raise Failed('no order is called %s' % name)
        return self.refs[name]

    def account_step(self, who, words):
        verb = words[0]
        if verb in ('buy', 'sell'):
            self.enter(who, verb, words[1:])
        elif verb == 'edit':
            self.do(who, 'private/edit',
                    dict({'order_id': self.ref(words[1])[1]}, **pairs_of(words[2:])))
        elif verb == 'cancel':
            self.do(who, 'private/cancel', {'order_id': self.ref(words[1])[1]})
        else:
            raise Failed('no such step')

    # ---- what must be so ----

    def is_book(self, words):
        asks = words.index('asks')
        got = self.look(None, 'public/get_order_book', {'instrument_name': words[0], 'depth': 1000})
        need(holds(lots_of(words[2:asks]), got['bids'], 'bids'))
        need(holds(lots_of(words[asks + 1:]), got['asks'], 'asks'))

    def is_order(self, words):
        who, order = self.ref(words[0])
        got = self.look(who, 'private/get_order_state', {'order_id': order})
        need(holds(dict({'order_state': words[1]}, **pairs_of(words[2:])), got, words[0]))

    def is_position(self, words):
        got = {p['instrument_name']: p['size']
               for p in self.look(words[0], 'private/get_positions', {})}
        need(holds(Decimal(words[2]), got.get(words[1], 0), 'position'))

    def is_compute(self, words):
        listed = self.look(None, 'public/get_instruments', {'expired': False})
        size = {i['instrument_name']: Decimal(i['contract_size'])
                for i in listed if i['product'] == words[1]}
        held = {p['instrument_name']: Decimal(p['size'])
                for p in self.look(words[0], 'private/get_positions', {})
                if p['instrument_name'] in size}
        need(holds(Decimal(words[2]), sum(n * size[i] for i, n in held.items()), words[0]))
        if len(words) > 3:
            need(holds(Decimal(words[3]), len(held), 'positions'))

    def is_account(self, words):
        got = self.look(words[0], 'private/get_account_summary', {'currency': 'USD'})
        need(holds(pairs_of(words[1:]), got, words[0]))

    def is_ticker(self, words):
        got = self.look(None, 'public/ticker', {'instrument_name': words[0]})
        need(holds(pairs_of(words[1:]), got, 'ticker'))

    def is_settlement(self, words):
        got = self.look(None, 'public/get_settlements', {'instrument_name': words[0], 'count': 1})
        if not got['settlements']:
            need(None if words[1] == '-' else 'there is no settlement')
            return
        record = got['settlements'][0]
        need(holds(dict({'settlement_price': value_of(words[1]), 'tier': words[2]},
                        **pairs_of(words[3:])), record, words[0]))

    def is_sellers(self, words):
        name, hour, result, *want = words
        when = hour.replace('Z', ':00Z')
        spot = self.look(None, 'public/get_index', {'index_name': name, 'count': 1,
                                                    'start_timestamp': when,
                                                    'end_timestamp': when})['hours'][0]['spot']
        got = ['%s@%s=%s' % (dump(one['volume']), dump(one['price']), one['status']) +
               ('/%s' % one['weight'] if '/' in ' '.join(want) else '') for one in spot['inputs']]
        if [spot['result'], *got] != [result, *want]:
            raise Failed('the sellers are %s %s' % (spot['result'], ' '.join(got)))

    def is_hour(self, words):
        when = words[1].replace('Z', ':00Z')
        got = self.look(None, 'public/get_index', {'index_name': words[0], 'count': 1,
                                                   'start_timestamp': when,
                                                   'end_timestamp': when})
        if not got['hours']:
            need(None if words[2] == '-' else 'there is no price of this hour')
            return
        want = {'price': value_of(words[2]), 'tier': words[3]}
        for word in words[4:]:
            name, _, status = word.partition('=')
            inputs = {i['source']: i['status'] for i in got['hours'][0]['inputs']}
            need(holds(status, inputs.get(name, 'absent'), name))
        need(holds(want, got['hours'][0], words[0]))

    def is_prints(self, words):
        got = self.look(None, 'public/get_last_trades_by_instrument',
                        {'instrument_name': words[0], 'count': 1000, 'sorting': 'asc'})
        need(holds(lots_of(words[1:]), [[t['price'], t['amount']] for t in got['trades']],
                   'prints'))

    def is_mine(self, words):
        got = self.look(words[0], 'private/get_user_trades_by_instrument',
                        {'instrument_name': words[1], 'count': 1000, 'sorting': 'asc'})
        need(holds(lots_of(words[2:]), [[t['price'], t['amount']] for t in got['trades']],
                   'trades'))

    def is_working(self, words):
        got = self.look(words[0], 'private/get_open_orders', {})
        names = {order: name for name, (_, order) in self.refs.items()}
        have = sorted(names.get(o['order_id'], o['order_id']) for o in got)
        want = sorted(w for w in words[1:] if w != '-')
        if have != want:
            raise Failed('working: expected %s, got %s' % (want, have))

    def answer_step(self, sign, text):
        if self.answer is None:
            raise Failed('there is no answer to look at')
        if sign == '!':
            self.checked = True
            reason = self.answer.get('error', {}).get('data', {}).get('reason')
            if reason != text:
                raise Failed('expected the reject %s, got %s' % (text, dump(
                    self.answer.get('error', self.answer.get('result')))))
        elif sign == '<':
            self.checked = True
            need(holds(json.loads(text, parse_float=Decimal), self.answer, 'answer'))
        elif sign == '=':
            words = text.split()
            need(holds(dict({'order_state': words[0]}, **pairs_of(words[1:])),
                       self.order_of(self.answer), 'order'))
        else:
            self.order_of(self.answer)
            got = [[t['price'], t['amount']] for t in self.answer['result']['trades']]
            need(holds(lots_of(text.split()), got, 'trades'))

    def is_certificate(self, words):
        got = self.look(None, 'public/get_certificates', {'resource': words[0], 'count': 1})
        if not got:
            raise Failed('there is no certificate')
        need(holds(dict({'status': words[1]}, **pairs_of(words[2:])), got[0], words[0]))

    def is_holds(self, words):
        got = {b['asset']: b for b in self.look(words[0], 'private/get_balances', {})}
        none = {'balance': 0, 'pledged': 0}
        need(holds(dict({'balance': Decimal(words[2])}, **pairs_of(words[3:])),
                   got.get(words[1], none), words[1]))

    def is_balance(self, words):
        got = self.look('officer', 'private/get_account_summary', {'account': words[0]})
        need(holds(Decimal(words[1]), got['cash'], words[0]))

    def is_posted(self, words):
        postings = self.look('officer', 'private/get_ledger', {'count': 10000})['postings']
        have = {}
        for p in postings:
            if p['code'] == words[0] and p['asset'] == 'USD':
                have[p['account']] = have.get(p['account'], 0) + Decimal(p['amount'])
        want = {}
        for word in words[1:]:
            account, _, amount = word.rpartition(':')
            want[account] = Decimal(amount)
        for account in set(have) | set(want):
            need(holds(want.get(account, 0), have.get(account, 0), account))

    def is_fund(self, words):
        shares = self.look('officer', 'private/clearing_get_fund', {})['shares']
        got = {s['member']: s for s in shares}
        if words[0] not in got:
            raise Failed('%s has no part in the fund' % words[0])
        need(holds(pairs_of(words[1:]), got[words[0]], words[0]))

    def is_conserved(self, words):
        accounts = self.look('officer', 'private/officer_get_accounts', {})
        total = sum(Decimal(a['cash']) for a in accounts)
        if words or total != 0:
            raise Failed('USD over all accounts sums to %s' % total)
        held = {}
        for a in accounts:
            for p in self.look('officer', 'private/get_positions', {'account': a['username']}):
                name = p['instrument_name']
                held[name] = held.get(name, 0) + Decimal(p['size'])
            for b in self.look('officer', 'private/get_balances', {'account': a['username']}):
                held[b['asset']] = held.get(b['asset'], 0) + Decimal(b['balance'])
        for name, lots in held.items():
            need(holds(0, lots, name))

    def step(self, line):
        if line[0] in '!<=~' and line[1:2] in ('', ' '):
            self.answer_step(line[0], line[2:].strip())
            return
        self.settle()
        if line[0] == '>':
            request = json.loads(line[1:], parse_float=Decimal)
            self.answer = self.ask(request)
            self.checked = False
            return
        word, *rest = line.split()
        known = getattr(self, 'is_' + word, None) or getattr(self, 'do_' + word, None)
        if known:
            known(rest)
        else:
            self.account_step(word, rest)

    def run(self):
        number, line = 0, ''
        try:
            with open(self.path, encoding='utf-8') as f:
                for number, line in enumerate(f, 1):
                    line = re.sub(r'(^|\s+)#( .*)?$', '', line.rstrip('\n')).strip()
                    if line:
                        self.step(line)
            self.settle()
            self.process.stdin.close()
            status = self.process.wait(10)
            if status != 0:
                raise Failed('dojima ended with status %d' % status)
            return None
        except (Failed, KeyError, IndexError, ValueError) as wrong:
            return '%s:%d: %s\n    %s' % (self.path, number, line, wrong
                                          if isinstance(wrong, Failed) else repr(wrong))
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self.process.stdout.close()


def main():
    arguments = sys.argv[1:]
    if arguments and arguments[0] in ('-h', '--help'):
        print(__doc__)
        return 0
    dojima = arguments[0] if arguments else os.path.join(HERE, '../../build/dojima')
    files = arguments[1:] or sorted(glob.glob(os.path.join(HERE, '*.scenario')))
    failures = 0
    for path in files:
        wrong = Scenario(dojima, path).run()
        print('%s %s' % ('FAIL' if wrong else 'ok  ', os.path.basename(path)))
        if wrong:
            failures += 1
            print('  ' + wrong)
    print('%d passed, %d failed' % (len(files) - failures, failures))
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
