/* run.mjs: unit tests of the page's parts that do not draw. Prints `N passed, N failed`. */
import { build } from 'esbuild';
import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

async function load(name) {
    const result = await build({
        entryPoints: [join(here, '../src', name)], bundle: true, format: 'esm', write: false,
        target: 'es2022',
    });
    const source = Buffer.from(result.outputFiles[0].contents).toString('base64');
    return import('data:text/javascript;base64,' + source);
}

const decimal = await load('decimal.ts');
const { Book, grouped } = await load('book.ts');
const { candlesOf, intervalFor } = await load('candles.ts');
const { periodText, readInstrument, readProduct, readSpot, readTicker } = await load('read.ts');
const { marginAdded } = await load('margin.ts');
const { check, request, makeClientOrderId } = await load('order.ts');

let passed = 0;
let failed = 0;
function test(name, body) {
    try {
        body();
        passed += 1;
    } catch (e) {
        failed += 1;
        console.log(`not ok ${name}\n${e.stack}`);
    }
}

test('decimals are exact in both directions', () => {
    assert.equal(decimal.parseE6('0.1') + decimal.parseE6('0.2'), decimal.parseE6('0.3'));
    assert.equal(decimal.parseE6('-1350'), -1350000000n);
    assert.equal(decimal.parseE6('1.2345678'), null);
    assert.equal(decimal.parseE6('1.2345670'), 1234567n);
    assert.equal(decimal.parseE6('1e3'), null);
    assert.equal(decimal.parseE6(''), null);
    assert.equal(decimal.formatE6(-500n), '-0.0005');
    assert.equal(decimal.formatE6(2000000n, 3), '2.000');
    for (const text of ['0', '0.001', '-37.63', '123456789012.654321'])
        assert.equal(decimal.formatE6(decimal.parseE6(text)), text);
});

test('steps stay on the grid, below zero as well', () => {
    const tick = decimal.parseE6('0.005');
    assert.equal(decimal.stepText('2.003', tick, 1, 3), '2.005');
    assert.equal(decimal.stepText('2.003', tick, -1, 3), '2.000');
    assert.equal(decimal.stepText('0', tick, -1, 3), '-0.005');
    assert.equal(decimal.stepText('-0.002', tick, 1, 3), '0.000');
    assert.equal(decimal.placesOf(0.001), 3);
    assert.equal(decimal.placesOf(0.5), 1);
    assert.equal(decimal.placesOf(1), 0);
});

const at = (price, size, implied = 0) => ({ price, size, implied });

test('a book follows snapshot and changes, and says so when one is missing', () => {
    const b = new Book();
    const change = (from, to) => ({
        type: 'change', change_id: to, prev_change_id: from, bids: [], asks: [],
    });
    assert.equal(b.apply(change(4, 5)), 'ok');
    assert.equal(b.ready, false);
    b.apply({ type: 'snapshot', change_id: 10, bids: [['new', 2, 5, 3], ['new', 1.5, 7]],
        asks: [['new', 2.5, 3]] });
    assert.deepEqual(b.bids, [at(2, 5, 3), at(1.5, 7)]);
    assert.equal(b.apply({ type: 'change', change_id: 12, prev_change_id: 10,
        bids: [['delete', 2, 0], ['change', 1.5, 8], ['new', 1.75, 1]],
        asks: [['new', 2.25, 4], ['new', 3, 1]] }), 'ok');
    assert.deepEqual(b.bids, [at(1.75, 1), at(1.5, 8)]);
    assert.deepEqual(b.asks.map((l) => l.price), [2.25, 2.5, 3]);
    assert.equal(b.apply(change(13, 14)), 'gap');
    assert.equal(b.ready, false);
});

test('grouping rounds bids down and asks up, and keeps every lot', () => {
    const bids = [at(2.009, 1), at(2.001, 2, 2), at(1.999, 4, 1)];
    assert.deepEqual(grouped(bids, 0.005, 9, true),
        [at(2.005, 1), at(2, 2, 2), at(1.995, 4, 1)]);
    const asks = [at(2.001, 1), at(2.004, 2), at(-0.001, 1)];
    assert.deepEqual(grouped(asks.slice(0, 2), 0.005, 9, false), [at(2.005, 3)]);
    assert.deepEqual(grouped([at(-0.003, 2)], 0.005, 9, true),
        [at(-0.005, 2)]);
    assert.deepEqual(grouped([at(0.3, 2)], 0.1, 9, true), [at(0.3, 2)]);
});

test('candles', () => {
    const t = (time, price, amount) => ({ seq: time, id: '', time, price, amount, side: 'buy' });
    const c = candlesOf([t(1000, 5, 1), t(1500, 7, 2), t(4999, 4, 1), t(5000, 6, 1)], 5);
    assert.deepEqual(c, [{ time: 0, open: 5, high: 7, low: 4, close: 4, volume: 4 },
        { time: 5, open: 6, high: 6, low: 6, close: 6, volume: 1 }]);
    assert.equal(intervalFor([t(0, 1, 1), t(600000, 1, 1)], [5, 15, 60]), 5);
    assert.equal(intervalFor([t(0, 1, 1), t(6000000, 1, 1)], [5, 15, 60]), 60);
});

test('names of periods', () => {
    assert.equal(periodText('2027M03'), 'Mar 27');
    assert.equal(periodText('2027'), 'Cal 27');
    assert.equal(periodText('2027Q1-PK'), 'Q1 27 Peak');
    assert.equal(periodText('2027W07'), 'W07 27');
    assert.equal(periodText('2027D0315H07'), '15 Mar 07h');
    const i = readInstrument({
        instrument_name: 'CTP-2027M03:CTF-2027M03', kind: 'future_combo', tick_size: '0.001',
    });
    assert.equal(i.spread, true);
    assert.equal(i.period, 'Mar/CTF Mar 27');
    assert.equal(i.places, 3);
});

test('an empty side is no price of zero', () => {
    const t = readTicker({ best_bid_price: 0, best_bid_amount: 0, best_ask_price: -1.5,
        best_ask_amount: 2, last_price: null }, undefined);
    assert.equal(t.bid, null);
    assert.equal(t.ask, -1.5);
    assert.equal(t.last, null);
});

const instrument = readInstrument({ instrument_name: 'ZZ-2027M03', tick_size: 0.5,
    min_trade_amount: 1, contract_size: 1 });
const fields = { side: 'buy', type: 'limit', tif: 'good_til_cancelled', amount: '5', price: '100.5',
    trigger: '', offset: '', peg: 'primary', expires: '', postOnly: false, rejectPostOnly: false,
    reduceOnly: false, maxShow: '', minQuantity: '', label: '', smpId: '', smpMode: '' };

test('the ticket finds tick, lot and missing fields', () => {
    const faults = (change) => Object.keys(check({ ...fields, ...change }, instrument, 0)).sort();
    assert.deepEqual(faults({}), []);
    assert.deepEqual(faults({ price: '100.3' }), ['price']);
    assert.deepEqual(faults({ amount: '1.5' }), ['amount']);
    assert.deepEqual(faults({ amount: '0', price: '' }), ['amount', 'price']);
    assert.deepEqual(faults({ type: 'market', price: '' }), []);
    assert.deepEqual(faults({ type: 'stop_limit' }), ['trigger']);
    assert.deepEqual(faults({ type: 'trailing_stop', offset: '-1' }), ['offset']);
    assert.deepEqual(faults({ tif: 'good_til_date' }), ['expires']);
    assert.deepEqual(faults({ smpMode: 'decrement' }), ['smpId']);
    assert.deepEqual(faults({ minQuantity: '6' }), ['minQuantity']);
});

test('numbers leave as they were typed, and fields that do not apply stay behind', () => {
    const p = request({ ...fields, price: '0.30', postOnly: true, maxShow: '2' }, instrument, 'x');
    assert.equal(p.price, '0.30');
    assert.equal(p.amount, '5');
    assert.equal(p.post_only, true);
    const m = request({ ...fields, type: 'market', postOnly: true, maxShow: '2' }, instrument, 'x');
    assert.equal('price' in m || 'post_only' in m || 'max_show' in m, false);
});

test('the margin that an order adds: the worst side counts, a spread in both legs', () => {
    const of = (name, legs = []) => ({ ...instrument, name, product: 'ZZ', legs });
    const spread = of('S', [{ name: 'A', ratio: 1 }, { name: 'B', ratio: -1 }]);
    const book = {
        byName: new Map([['A', of('A')], ['B', of('B')], ['S', spread]]),
        products: new Map([['ZZ', { name: 'ZZ', flatMargin: 100, takerFee: 0 }]]),
        positions: new Map([['A', { size: -3 }]]),
        orders: new Map([['1', { instrument: 'A', side: 'buy', amount: 4, filled: 2 }]]),
    };
    assert.equal(marginAdded(book, of('A'), 'buy', 3), 0);   /* |-3 + 5| is below |-3| */
    assert.equal(marginAdded(book, of('A'), 'buy', 10), 600); /* |-3 + 12| = 9 */
    assert.equal(marginAdded(book, of('A'), 'sell', 2), 200);
    assert.equal(marginAdded(book, spread, 'sell', 5), 1000); /* A short 5 more, B long 5 */
    assert.equal(marginAdded({ ...book, products: new Map() }, spread, 'sell', 5), null);
});

test('an auction: hours without a price, days without an auction', () => {
    const a = readSpot({ auction: 7, product: 'CTS', state: 'done', start: 3600000, closes_at: 5,
        hourly_bids: 2, block_bids: 1, hours: [{ hour: 0, start: 3600000, price: -1.5, amount: 3 },
            { hour: 1, start: 7200000, price: null, amount: 0 }] });
    assert.deepEqual(a, { id: 7, product: 'CTS', state: 'done', start: 3600000, closes: 5,
        hourly: 2, blocks: 1, hours: [{ start: 3600000, price: -1.5, amount: 3 },
            { start: 7200000, price: null, amount: 0 }] });
    assert.equal(readSpot({ auction: 0, product: 'CTS', state: 'failed' }), null);
    assert.deepEqual(readSpot({ auction: 8 }).hours, []);
    assert.equal(readProduct({ product: 'CTF' }).spot, false);
    assert.equal(readProduct({ product: 'CTS', spot: { price_max: 100 } }).spot, true);
});

test('client order ids fit and differ', () => {
    const ids = new Set(Array.from({ length: 100 }, makeClientOrderId));
    assert.equal(ids.size, 100);
    for (const id of ids) assert.ok(id.length < 40);
});

console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
