/* run.mjs: the unmodified ccxt and ccxt.pro class `deribit`, with only urls.api changed, against a
 * real node. Prints `N passed, N failed`. */
import ccxt from 'ccxt';
import { Venue, check, equal, finish, sleep, test } from '../node/lib.mjs';

const venue = new Venue();
await venue.start();
await venue.prepare(['alice', 'bob']);
const keys = { alice: venue.key('alice', 'read,trade'), bob: venue.key('bob', 'read,trade') };
await sleep(1100);

function client(key, Class = ccxt.deribit) {
    const e = new Class({ apiKey: key.client_id, secret: key.client_secret });
    e.urls.api = { rest: venue.url, ws: venue.ws };
    return e;
}

const alice = client(keys.alice);
const bob = client(keys.bob);
let symbol;

await test('loadMarkets', async () => {
    const markets = await alice.loadMarkets();
    const m = alice.markets_by_id['CTF-2027M03']?.[0];
    check(m !== undefined, `CTF-2027M03 is listed: ${Object.keys(markets)}`);
    symbol = m.symbol;
    equal(m.future, true, 'future');
    equal(m.precision.price, 0.001, 'tick');
    equal(m.contractSize, 10, 'contract size');
    check(alice.markets_by_id['CTF-2027M04'] !== undefined, 'April is listed');
    await bob.loadMarkets();
});

await test('fetchTime', async () => {
    check(Math.abs(await alice.fetchTime() - Date.now()) < 2000, 'the clock is ours');
});

let ask;
await test('createOrder and fetchOpenOrders', async () => {
    ask = await bob.createOrder(symbol, 'limit', 'sell', 5, 2.1, { label: 'first' });
    equal(ask.status, 'open', 'status');
    equal(ask.side, 'sell', 'side');
    equal(ask.price, 2.1, 'price');
    equal(ask.amount, 5, 'amount');
    const open = await bob.fetchOpenOrders(symbol);
    equal(open.map((o) => o.id), [ask.id], 'open orders');
    equal(open[0].info.label, 'first', 'label');
});

await test('fetchOrder', async () => {
    const o = await bob.fetchOrder(ask.id, symbol);
    equal([o.id, o.status, o.remaining], [ask.id, 'open', 5], 'order');
});

await test('fetchOrderBook', async () => {
    await alice.createOrder(symbol, 'limit', 'buy', 4, 1.9);
    const book = await alice.fetchOrderBook(symbol);
    equal(book.asks, [[2.1, 5]], 'asks');
    equal(book.bids, [[1.9, 4]], 'bids');
});

await test('createOrder that trades, at market', async () => {
    const o = await alice.createOrder(symbol, 'market', 'buy', 2);
    equal([o.status, o.filled, o.average], ['closed', 2, 2.1], 'order');
    const left = await bob.fetchOrder(ask.id, symbol);
    equal([left.filled, left.remaining], [2, 3], 'the other side');
});

await test('fetchTrades', async () => {
    const trades = await alice.fetchTrades(symbol);
    equal(trades.map((t) => [t.side, t.price, t.amount]), [['buy', 2.1, 2]], 'trades');
});

await test('fetchTicker', async () => {
    const t = await alice.fetchTicker(symbol);
    equal([t.bid, t.ask, t.last], [1.9, 2.1, 2.1], 'ticker');
});

await test('fetchBalance', async () => {
    const b = await alice.fetchBalance();
    check(b.USD !== undefined, `USD is there: ${Object.keys(b)}`);
    equal(b.USD.total, 10000000, 'total');
    check(b.USD.free < b.USD.total && b.USD.free > 0, `some is margin: ${b.USD.free}`);
});

await test('fetchPositions', async () => {
    const mine = (await alice.fetchPositions([symbol])).find((p) => p.symbol === symbol);
    const other = (await bob.fetchPositions([symbol])).find((p) => p.symbol === symbol);
    equal([mine.side, mine.contracts], ['long', 2], 'alice');
    equal([other.side, other.contracts], ['short', -2], 'bob'); /* as of Deribit: size is signed */
});

await test('fetchMyTrades', async () => {
    const t = (await alice.fetchMyTrades(symbol)).at(-1);
    equal([t.side, t.price, t.amount, t.takerOrMaker], ['buy', 2.1, 2, 'taker'], 'trade');
});

await test('editOrder', async () => {
    const o = await bob.editOrder(ask.id, symbol, 'limit', 'sell', 6, 2.2);
    equal([o.id, o.price, o.amount, o.filled], [ask.id, 2.2, 6, 2], 'order');
});

await test('cancelOrder', async () => {
    const o = await bob.cancelOrder(ask.id, symbol);
    equal(o.status, 'canceled', 'status');
    equal((await bob.fetchOpenOrders(symbol)).length, 0, 'open orders');
});

await test('cancelAllOrders', async () => {
    for (const price of [1.5, 1.6, 1.7]) await alice.createOrder(symbol, 'limit', 'buy', 1, price);
    check((await alice.fetchOpenOrders(symbol)).length === 4, 'four orders rest');
    await alice.cancelAllOrders(symbol);
    equal((await alice.fetchOpenOrders(symbol)).length, 0, 'open orders');
});

await test('a refusal becomes ccxt\'s exception', async () => {
    try {
        await alice.createOrder(symbol, 'limit', 'buy', 1, 1.23456);
    } catch (e) {
        check(e instanceof ccxt.ExchangeError, e);
        return;
    }
    /* ccxt rounds to the tick itself; then the order rests and is taken away again */
    await alice.cancelAllOrders(symbol);
});

const pro = { alice: client(keys.alice, ccxt.pro.deribit), bob: client(keys.bob, ccxt.pro.deribit) };
for (const e of Object.values(pro)) {
    await e.loadHttpProxyAgent(); /* ccxt wants this for ws:// without TLS */
    await e.loadMarkets();
}

/* The next value for which `wanted` holds, within five seconds. */
async function next(watch, wanted) {
    const end = Date.now() + 5000;
    for (;;) {
        const value = await Promise.race([watch(), sleep(end - Date.now()).then(() => {
            throw new Error('nothing came in time');
        })]);
        if (wanted(value)) return value;
    }
}

await test('watchOrderBook', async () => {
    const o = await bob.createOrder(symbol, 'limit', 'sell', 3, 2.4);
    await next(() => pro.alice.watchOrderBook(symbol), (b) => b.asks[0]?.[0] === 2.4);
    await bob.editOrder(o.id, symbol, 'limit', 'sell', 7, 2.4);
    await next(() => pro.alice.watchOrderBook(symbol), (b) => b.asks[0]?.[1] === 7);
    await bob.cancelOrder(o.id, symbol);
    await next(() => pro.alice.watchOrderBook(symbol), (b) => b.asks.length === 0);
});

await test('watchOrderBook, raw', async () => {
    const e = client(keys.alice, ccxt.pro.deribit);
    await e.loadHttpProxyAgent();
    await e.loadMarkets();
    e.options.ws.watchOrderBookForSymbols.interval = 'raw';
    const o = await bob.createOrder(symbol, 'limit', 'sell', 3, 2.4);
    await next(() => e.watchOrderBook(symbol), (b) => b.asks[0]?.[1] === 3);
    await bob.cancelOrder(o.id, symbol);
    await next(() => e.watchOrderBook(symbol), (b) => b.asks.length === 0);
    await e.close();
});

await test('watchOrders, watchMyTrades, watchTrades, watchTicker, watchBalance', async () => {
    const orders = next(() => pro.bob.watchOrders(symbol),
        (list) => list.some((o) => o.status === 'closed' && o.filled === 1));
    const mine = next(() => pro.alice.watchMyTrades(symbol),
        (list) => list.some((t) => t.price === 2.05 && t.amount === 1 && t.side === 'buy'));
    const all = next(() => pro.alice.watchTrades(symbol),
        (list) => list.some((t) => t.price === 2.05 && t.amount === 1));
    const ticker = next(() => pro.alice.watchTicker(symbol), (t) => t.last === 2.05);
    const balance = next(() => pro.alice.watchBalance(), (b) => b.USD !== undefined);
    await sleep(500); /* until the subscriptions stand */
    await bob.createOrder(symbol, 'limit', 'sell', 1, 2.05);
    await alice.createOrder(symbol, 'limit', 'buy', 1, 2.05);
    await Promise.all([orders, mine, all, ticker, balance]);
});

await test('both sides of the money agree', async () => {
    const [a, b] = [await alice.fetchPositions(), await bob.fetchPositions()];
    equal(a.map((p) => p.contracts), [3], 'alice');
    equal(b.map((p) => [p.side, p.contracts]), [['short', -3]], 'bob');
});

for (const e of Object.values(pro)) await e.close();
await test('a clean end', async () => {
    const end = await venue.stop();
    equal(end, { code: 0, signal: null }, 'exit');
});
finish();
