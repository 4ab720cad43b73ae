/* implied.mjs: implied prices (MATCH-06) in what a served node publishes: book channels raw and
 * grouped, quote and ticker, kept by a client from its notifications alone, agree with
 * public/get_order_book. Prints `N passed, N failed`. */
import WebSocket from 'ws';
import { Venue, check, equal, finish, sleep, test } from './lib.mjs';

const venue = new Venue();
await venue.start();
await venue.prepare(['alice', 'bob', 'carol']);
const keys = Object.fromEntries(['alice', 'bob', 'carol'].map((a) => [a, venue.key(a, 'trade')]));
await sleep(1100);

const march = 'CTF-2027M03';
const april = 'CTF-2027M04';
const spread = 'CTF-2027M03:2027M04';

/* A client's books, from notifications alone. */
class Books {
    static async open(instruments) {
        const b = new Books();
        b.books = {};
        b.latest = {};
        b.ws = new WebSocket(venue.ws);
        await new Promise((r) => b.ws.on('open', r));
        b.ws.on('message', (text) => b.take(JSON.parse(text)));
        const channels = instruments.flatMap((i) => [`book.${i}.raw`, `quote.${i}`,
            `ticker.${i}.raw`]);
        b.ws.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'public/subscribe',
            params: { channels } }));
        while (b.subscribed === undefined) await sleep(10);
        equal(b.subscribed, channels, 'subscribed');
        return b;
    }

    take(message) {
        if (message.id !== undefined) this.subscribed = message.result;
        if (message.method !== 'subscription') return;
        const { channel, data } = message.params;
        this.latest[channel] = data;
        if (!channel.startsWith('book.')) return;
        if (data.type === 'snapshot') this.books[data.instrument_name] = { bids: {}, asks: {} };
        const book = this.books[data.instrument_name];
        for (const side of ['bids', 'asks']) {
            for (const [what, price, ...amounts] of data[side]) {
                if (what === 'delete') {
                    check(book[side][price] !== undefined, 'what is deleted was there');
                    delete book[side][price];
                } else {
                    equal(what, book[side][price] === undefined ? 'new' : 'change', 'what');
                    book[side][price] = amounts; /* all, and what of it is implied */
                }
            }
        }
    }

    side(instrument, side) {
        const levels = Object.entries(this.books[instrument][side])
            .map(([price, amounts]) => [Number(price), ...amounts]);
        return levels.sort((a, b) => (side === 'bids' ? b[0] - a[0] : a[0] - b[0]));
    }
}

const books = await Books.open([march, april, spread]);

async function agree(what) {
    await sleep(150);
    for (const i of [march, april, spread]) {
        const book = await venue.call('public/get_order_book', { instrument_name: i, depth: 100 });
        equal(bare(books.side(i, 'bids')), book.bids, `${what}: bids of ${i}`);
        equal(bare(books.side(i, 'asks')), book.asks, `${what}: asks of ${i}`);
        const quote = books.latest[`quote.${i}`];
        if (quote === undefined) continue;
        equal(quote.best_bid_amount, book.best_bid_amount, `${what}: quote's bid of ${i}`);
        equal(quote.best_ask_amount, book.best_ask_amount, `${what}: quote's ask of ${i}`);
    }
}

/* Without what of it is implied: as get_order_book has it. */
const bare = (levels) => levels.map(([price, amount]) => [price, amount]);

const order = (account, side, instrument_name, amount, price) =>
    venue.call(`private/${side}`, { instrument_name, amount, price }, keys[account]);

await test('implied levels come, change and go in every book they are of', async () => {
    const a = await order('alice', 'sell', march, 10, 2.1);
    await agree('one leg');
    await order('bob', 'buy', april, 5, 1.9);
    await agree('both legs');
    equal(books.side(spread, 'asks'), [[0.2, 5, 5]], 'the spread is implied');
    equal(books.latest[`quote.${spread}`].best_ask_price, 0.2, 'its quote');
    equal(books.latest[`ticker.${spread}.raw`].best_ask_amount, 5, 'its ticker');
    const s = await order('carol', 'sell', spread, 3, 0.2);
    await agree('a direct order at the implied price');
    equal(books.side(spread, 'asks'), [[0.2, 8, 5]], 'together');
    equal(books.side(april, 'asks'), [], 'nothing else');
    await venue.call('private/edit', { order_id: a.order.order_id, amount: 4, price: 2.1 },
        keys.alice);
    await agree('a smaller leg');
    equal(books.side(spread, 'asks'), [[0.2, 7, 4]], 'changed');
    await venue.call('private/cancel', { order_id: s.order.order_id }, keys.carol);
    await agree('the direct order gone');
    equal(books.side(spread, 'asks'), [[0.2, 4, 4]], 'implied alone');
});

await test('a trade with an implied price moves all three books', async () => {
    await order('carol', 'buy', spread, 3, 0.2);
    await agree('after the trade');
    equal(books.side(spread, 'asks'), [[0.2, 1, 1]], 'what is left');
    equal(books.side(march, 'asks'), [[2.1, 1]], 'of its first leg');
    equal(books.side(april, 'bids'), [[1.9, 2]], 'of its second');
    await venue.call('private/cancel_all', {}, keys.alice);
    await agree('without a leg');
    equal(books.side(spread, 'asks'), [], 'gone');
});

await test('a restart finds the same implied prices', async () => {
    await order('alice', 'sell', march, 7, 2.1);
    const before = await venue.call('public/get_order_book', { instrument_name: spread });
    equal(before.asks, [[0.2, 2]], 'before');
    books.ws.close();
    await venue.stop('SIGKILL');
    await venue.start();
    const after = await venue.call('public/get_order_book', { instrument_name: spread });
    equal(after.asks, before.asks, 'after');
});

await venue.stop();
finish();
