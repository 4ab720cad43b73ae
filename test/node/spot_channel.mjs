/* spot_channel.mjs: what the channels of the spot market tell over a real WebSocket (INDEX-01,
 * DELIV-05): auctions from opening to result to everybody, bids to the account whose they are and to
 * nobody else, neither before the close nor after it; who comes late or comes back is told the
 * latest; a thousand blocks over 25 hours. Prints `N passed, N failed`. */
import { generateKeyPairSync, sign as signature } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { WebSocket } from 'ws';
import { Venue, check, config, equal, finish, sleep, test } from './lib.mjs';

const venue = new Venue();
const hours = { ...config.products[0], product: 'HRS', contract_unit: 'hour', contract_size: 1,
    flat_margin: '0.01', settlement: 'physical',
    spot: { opens_at: '08:00', closes_at: '12:00', price_min: 0, price_max: 100 } };
const big = { ...hours, product: 'BIG',
    spot: { auction: false, price_min: 0, price_max: 100 } };
const delivered = { ...config.products[0], product: 'CTP', contract_unit: 'hour',
    contract_size: 10, flat_margin: '4', settlement: 'physical',
    delivery: { vintage: 2026, region: 'eu' } };
delete delivered.price_floor;
writeFileSync(venue.config, JSON.stringify({ ...config,
    products: [...config.products, hours, big, delivered] }));
await venue.start({ flags: ['--clock', '2027-01-04T00:00:00Z'] });
await venue.prepare(['alice', 'bob', 'carl']);
const key = Object.fromEntries(['alice', 'bob', 'carl'].map((a) =>
    [a, venue.key(a, 'read,trade,withdraw')]));
await sleep(1100);

const until = (at) => venue.arrive(at);
const officers = (method, params) => venue.officers(method, params);

/* One who listens: `told` has the notifications, `frames` every text that ever came. */
class Listener {
    static open(who, channels) {
        const l = Object.assign(new Listener(), { told: [], frames: [], waiting: new Map(), id: 0 });
        l.ws = new WebSocket(venue.ws);
        l.ws.on('message', (data) => {
            const m = JSON.parse(data);
            l.frames.push(String(data));
            if (m.method === 'subscription') l.told.push(m.params);
            else l.waiting.get(m.id)?.(m);
        });
        return new Promise((done) => {
            l.ws.on('open', async () => {
                if (who !== undefined) await l.call('public/auth', {
                    grant_type: 'client_credentials', client_id: key[who].client_id,
                    client_secret: key[who].client_secret });
                const r = await l.call('public/subscribe', { channels });
                check(r.error === undefined, JSON.stringify(r.error));
                done(l);
            });
        });
    }

    call(method, params) {
        const id = this.id += 1;
        this.ws.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
        return new Promise((r) => { this.waiting.set(id, r); });
    }

    of(channel) {
        return this.told.filter((t) => t.channel === channel).map((t) => t.data);
    }

    async hears(what, is) {
        for (let i = 0; i < 500; i += 1) {
            if (is(this)) return;
            await sleep(20);
        }
        throw new Error(`never heard: ${what}: ${this.frames.slice(-3).join('\n').slice(0, 2000)}`);
    }
}

/* A state may be told again to all when somebody joins. */
const states = (l, channel) => l.of(channel).map((a) => a.state)
    .filter((state, i, all) => state !== all[i - 1]);
const bids_of = (l, channel) => l.of(channel).flat();
const everything = ['spot.any', 'spot.balancing', 'spot.HRS', 'trades.any.any.raw', 'halts.any'];
const own = ['user.spot.any', 'user.spot.HRS', 'user.changes.any.any.raw',
    'user.orders.any.any.raw', 'user.trades.any.any.raw', 'user.portfolio.USD'];

await test('channels that are none are refused, and own ones without a key', async () => {
    const l = await Listener.open(undefined, ['spot.any']);
    for (const [name, reason] of [['spot.NOPE', 'malformed_request'], ['spot', 'malformed_request'],
        ['spot.HRS.raw', 'malformed_request'], ['spot.', 'malformed_request'],
        ['spot.hrs', 'malformed_request'], ['user.spot', 'malformed_request'],
        ['user.spot.HRS.raw', 'malformed_request'], ['user.spot.NOPE', 'malformed_request'],
        ['user.spot.HRS', 'unauthorised'], ['user.spot.balancing', 'unauthorised']]) {
        const r = await l.call('public/subscribe', { channels: [name] });
        equal(r.error?.data?.reason, reason, name);
    }
    equal((await l.call('public/subscribe', { channels: ['spot.HRS'] })).result, ['spot.HRS'], 'one');
    equal((await l.call('public/unsubscribe', { channels: ['spot.HRS'] })).result, ['spot.HRS'],
        'unsubscribed');
    l.ws.close();
});

let alice, bob, carl, nobody, auction;
await test('it opens; each is told of its own bids, nobody of another\'s', async () => {
    alice = await Listener.open('alice', [...everything, ...own]);
    bob = await Listener.open('bob', [...everything, ...own]);
    carl = await Listener.open('carl', [...everything, ...own]);
    nobody = await Listener.open(undefined, everything);
    equal(nobody.told, [], 'there is no auction yet');
    await until('2027-01-04T09:00:00Z');
    await nobody.hears('open', (l) => states(l, 'spot.HRS').includes('open'));
    [auction] = nobody.of('spot.any');
    equal([auction.product, auction.state, auction.hour_count, auction.start, auction.hours],
        ['HRS', 'open', 24, Date.parse('2027-01-05T00:00:00Z'), []], 'auction');
    await venue.call('private/spot_bid', { product: 'HRS', side: 'buy', curve: [[31.337, 4177],
        [21.117, 4111]] }, key.alice);
    await venue.call('private/spot_bid', { product: 'HRS', side: 'sell', hours: [0, 1], price: 15.771,
        amounts: [3001, 3019], block: true }, key.bob);
    const [{ bid }] = (await venue.call('private/spot_bid', { product: 'HRS', side: 'sell',
        hours: [2], price: 17.713, amount: 3023 }, key.bob)).bids;
    await venue.call('private/spot_cancel', { auction: auction.auction, bid }, key.bob);
    await venue.call('private/spot_bid', { product: 'HRS', side: 'sell', hours: [0], price: 99.191,
        amount: 3037 }, key.bob);
    /* too large for what is left though it would have earned: named, not whose it is */
    await venue.call('private/spot_bid', { product: 'HRS', side: 'sell', hours: [0], price: 14.991,
        amounts: [9431], block: true }, key.bob);
    await alice.hears('48 bids', (l) => bids_of(l, 'user.spot.HRS').length === 48);
    await bob.hears('4 bids', (l) => bids_of(l, 'user.spot.HRS').length === 5);
    equal(bids_of(bob, 'user.spot.any'), bids_of(bob, 'user.spot.HRS'), 'any');
    equal(bids_of(bob, 'user.spot.HRS').map((b) => [b.state, b.price, b.filled_amount]),
        [['standing', 15.771, 0], ['standing', 17.713, 0], ['cancelled', 17.713, 0],
            ['standing', 99.191, 0], ['standing', 14.991, 0]], 'bids of bob');
    equal(bids_of(bob, 'user.spot.HRS')[0].amounts.slice(0, 3), [3001, 3019, 0], 'by hour');
});

await test('a result: prices to all, to each what became of its bids', async () => {
    await until('2027-01-04T18:00:00Z');
    await nobody.hears('done', (l) => states(l, 'spot.HRS').includes('done'));
    equal(states(nobody, 'spot.HRS'), ['open', 'closed', 'done'], 'states');
    equal(states(nobody, 'spot.any'), ['open', 'closed', 'done'], 'states of any');
    equal(nobody.of('spot.any').at(-1), nobody.of('spot.HRS').at(-1), 'any');
    const done = nobody.of('spot.HRS').at(-1);
    const { seq, curve, ...asked } = await venue.call('public/get_spot_auction', { product: 'HRS' });
    const { timestamp, ...told } = done;
    equal(told, asked, 'as it is asked');
    equal([done.hours.length, done.hours[0].amount, done.hours[1].amount, done.hours[2].price],
        [24, 3001, 3019, null], 'hours');
    equal(done.paradoxically_rejected.length, 1, 'a block that was too large');
    await alice.hears('what became', (l) => bids_of(l, 'user.spot.HRS').length === 96);
    const last = (l) => Object.values(Object.fromEntries(bids_of(l, 'user.spot.HRS')
        .map((b) => [b.bid, b])));
    const count = (l) => last(l).reduce((n, b) => ({ ...n, [b.state]: (n[b.state] ?? 0) + 1 }), {});
    equal(count(alice), { partly: 2, rejected: 46 }, 'alice');
    equal(count(bob), { accepted: 1, cancelled: 1, rejected: 1, paradoxically_rejected: 1 }, 'bob');
    equal(last(alice).map((b) => b.filled_amount).filter((n) => n > 0), [3001, 3019], 'filled');
    equal(last(bob).map((b) => b.filled_amount), [6020, 0, 0, 0], 'filled');
    const rest = (await venue.call('private/get_spot_bids', { product: 'HRS' }, key.bob))
        .map(({ seq: _, ...b }) => b);
    equal(rest.length, 3, 'bids that are kept');
});

await test('bids are sealed: before the close, and whose they are after it', async () => {
    const secret = { alice: [31.337, 21.117, 4177, 4111], bob: [15.771, 17.713, 99.191, 14.991, 3023,
        3037, 9431] };
    for (const [who, l] of Object.entries({ alice, bob, carl, nobody })) {
        for (const [whose, numbers] of Object.entries(secret)) {
            for (const n of numbers) {
                /* the price of an hour, with what it could have been, is a bid's: that is the result */
                const seen = l.frames.filter((f) => f.includes(String(n)) &&
                    !(JSON.parse(f).params?.data?.state === 'done') &&
                    !/"channel":"(trades|user\.(trades|changes))/.test(f));
                equal(seen.length > 0, who === whose, `${n} of ${whose} seen by ${who}`);
            }
        }
        const before = l.frames.findIndex((f) => f.includes('"state":"done"'));
        const early = l.frames.slice(0, before).join('\n');
        for (const [whose, numbers] of Object.entries(secret))
            if (whose !== who) for (const n of numbers)
                check(!early.includes(String(n)), `${n} of ${whose} before the result at ${who}`);
        const strangers = l.told.filter((t) => /^(spot|trades|halts)\./.test(t.channel));
        check(!/alice|bob|"account"/.test(JSON.stringify(strangers)), `names at ${who}`);
    }
    equal(bids_of(carl, 'user.spot.any'), [], 'carl has no bids');
    const ids = (l) => new Set(bids_of(l, 'user.spot.any').map((b) => b.bid));
    equal([...ids(alice)].filter((id) => ids(bob).has(id)), [], 'bids of both');
});

await test('who comes back is told the latest at once, and once', async () => {
    alice.ws.close();
    await until('2027-01-05T09:00:00Z');
    const back = await Listener.open('alice', ['spot.HRS', 'user.spot.HRS']);
    await back.hears('the latest', (l) => l.of('spot.HRS').length === 1);
    equal([back.of('spot.HRS')[0].state, back.of('spot.HRS')[0].auction], ['open',
        auction.auction + 1], 'latest');
    await venue.call('private/spot_bid', { product: 'HRS', side: 'buy', price: 2, hours: [5],
        amount: 7 }, key.alice);
    await back.hears('a bid', (l) => bids_of(l, 'user.spot.HRS').length === 1);
    await sleep(300);
    equal(back.of('spot.HRS').length, 1, 'once');
    back.ws.close();
    /* the node is killed: what is told of it afterwards goes on where it was */
    await venue.stop('SIGKILL');
    await venue.start({ flags: ['--clock', '2027-01-04T00:00:00Z'] });
    await sleep(1100);
    alice = await Listener.open('alice', ['spot.HRS', 'user.spot.HRS']);
    await alice.hears('the latest', (l) => states(l, 'spot.HRS').includes('open'));
    await until('2027-01-05T13:00:00Z');
    await alice.hears('the result', (l) => states(l, 'spot.HRS').includes('done'));
    await alice.hears('the bid', (l) => bids_of(l, 'user.spot.HRS').length === 1);
    equal(bids_of(alice, 'user.spot.HRS').map((b) => [b.state, b.hour, b.amount]),
        [['rejected', 5, 7]], 'bid');
});

await test('25 hours and 1,024 blocks', async () => {
    await officers('private/officer_open_spot', { product: 'BIG', start: '2027-01-08T00:00:00Z',
        hours: 25, closes_at: '2027-01-06T10:00:00Z' });
    const l = await Listener.open('alice', ['spot.BIG', 'user.spot.BIG']);
    bob = await Listener.open('bob', ['user.spot.any']);
    await venue.call('private/spot_bid', { product: 'BIG', side: 'sell', price: 1, amount: 5000 },
        key.bob);
    const refused = [];
    for (let i = 0; i < 1025; i += 1) refused.push(l.call('private/spot_bid', { product: 'BIG',
        side: 'buy', block: true, price: (2 + i / 1000).toFixed(3), amount: 3 }));
    const reasons = (await Promise.all(refused)).map((r) => r.error?.data?.reason);
    equal(reasons.filter((r) => r !== undefined), ['capacity_exhausted'], 'the 1,025th');
    await l.hears('blocks', () => bids_of(l, 'user.spot.BIG').length === 1024);
    l.told.length = 0;
    await until('2027-01-06T10:10:00Z');
    await l.hears('what became of them', () => bids_of(l, 'user.spot.BIG').length === 1024);
    const parts = l.frames.filter((f) => f.includes('"user.spot.BIG"')).slice(-20);
    check(parts.every((f) => f.length < 300000), 'no message is longer than 300 kB');
    equal(new Set(bids_of(l, 'user.spot.BIG').map((b) => b.bid)).size, 1024, 'bids');
    equal(new Set(bids_of(l, 'user.spot.BIG').map((b) => b.state)).size, 1, 'states');
    const done = l.of('spot.BIG').at(-1);
    equal([done.state, done.hours.length, done.accepted_blocks, done.hours[24].amount],
        ['done', 25, 1024, 3072], 'auction');
    await bob.hears('steps', () => bids_of(bob, 'user.spot.any').length === 50);
    l.ws.close();
});

await test('the history has every auction, the engine the last; own bids, and nobody else\'s', async () => {
    for (let i = 0; i < 70; i += 1) {
        const start = new Date(Date.parse('2027-01-12T00:00:00Z') + i * 3600000).toISOString();
        await officers('private/officer_open_spot', { product: 'BIG', hours: 1,
            start: `${start.slice(0, 19)}Z`,
            closes_at: i < 40 ? '2027-01-06T10:20:00Z' : '2027-01-06T10:40:00Z' });
        if (i === 39) await until('2027-01-06T10:30:00Z');
    }
    await until('2027-01-06T10:50:00Z');
    const pages = async (method, params, name, who) => {
        const rows = [];
        for (let continuation = null, n = 0; n === 0 || continuation !== null; n += 1) {
            check(n < 300, 'pages end');
            const page = await venue.call(method, { ...params,
                ...(continuation === null ? {} : { continuation }) }, who);
            rows.push(...page[name]);
            ({ continuation } = page);
        }
        return rows;
    };
    const all = () => pages('public/get_spot_auction_history', { product: 'BIG', count: 20 },
        'auctions');
    let rows = await all();
    for (let i = 0; i < 100 && !rows.every((a) => a.state === 'done'); i += 1, rows = await all())
        await sleep(20);
    equal(rows.length, 71, 'auctions');
    equal(rows.map((a) => a.auction), rows.map((a) => a.auction).sort((a, b) => b - a), 'order');
    const kept = await venue.call('public/get_spot_auctions', { count: 64 });
    check(!kept.some((a) => a.auction === rows.at(-1).auction), 'the engine has forgotten it');
    equal([rows.at(-1).hours.length, rows.at(-1).hours[24].amount], [25, 3072], 'its hours');
    const asked = await venue.call('public/get_spot_auction', { auction: rows[0].auction });
    delete asked.seq;
    equal(rows[0], asked, 'as the engine says it');
    equal((await pages('public/get_spot_auction_history', { product: 'HRS', count: 1 }, 'auctions'))
        .map((a) => a.auction).at(-1), auction.auction, 'of another product');
    const mine = await pages('private/get_spot_bid_history', { count: 1000 }, 'bids', key.alice);
    equal(mine.length, 48 + 1 + 1024, 'alice');
    equal(mine.filter((b) => b.state === 'accepted' && b.product === 'BIG').length, 1024, 'states');
    const his = await pages('private/get_spot_bid_history', { auction: auction.auction, count: 2 },
        'bids', key.bob);
    equal(his.map((b) => [b.state, b.price]), [['paradoxically_rejected', 14.991],
        ['rejected', 99.191], ['cancelled', 17.713], ['accepted', 15.771]], 'bob');
    equal(await pages('private/get_spot_bid_history', {}, 'bids', key.carl), [], 'carl');
    for (const [params, param] of [[{ count: 0 }, 'count'], [{ count: 21 }, 'count'],
        [{ continuation: -1 }, 'continuation'], [{ auction: -1 }, 'auction'], [{ from_id: 1 }, 'from_id']]) {
        const r = await venue.request('public/get_spot_auction_history', params);
        equal([r.body.error?.data?.reason, r.body.error?.data?.param], ['malformed_request', param],
            JSON.stringify(params));
    }
    equal((await venue.request('public/get_spot_auction_history', { product: 'NOPE' })).body.error
        ?.data?.reason, 'unknown_product', 'product');
    equal((await venue.request('private/get_spot_bid_history', {})).body.error?.data?.reason,
        'unauthorised', 'nobody');
    const none = await Listener.open('alice', ['user.spot.any']);
    equal((await none.call('private/get_spot_bid_history', { count: 1 })).result.bids.length, 1,
        'over the socket');
    none.ws.close();
});

await test('a balancing auction: what is wanted, of which class, until when (DELIV-05)', async () => {
    const pair = generateKeyPairSync('ed25519');
    const text_of = ({ publicKey }) => publicKey.export({ format: 'der', type: 'spki' })
        .subarray(-32).toString('hex');
    const raw = text_of(pair);
    await officers('private/officer_accredit', { name: 'one', role: 'certifier', public_key: raw });
    for (const provider of ['bob', 'carl']) {
        const text = ['dojima certificate 1', `resource rack-${provider}`, `provider ${provider}`,
            'site Mito', 'region eu', 'hardware 8 x H100 SXM', 'vintage 2026', 'grade server',
            'work 20000000000', 'duration 600', `evidence ${provider.length}${'a'.repeat(63)}`,
            'quick no', 'issued 2027-01-06T00:00:00Z', 'expires 2027-02-03T00:00:00Z',
            `certifier ${raw}`, ''].join('\n');
        const certificate = `${text}--\ncertifier-signature ${signature(null, Buffer.from(text),
            pair.privateKey).toString('hex')}\n`;
        await venue.call('private/certificate_submit', { certificate }, key[provider]);
    }
    await until('2027-01-08T12:00:00Z');
    const instrument_name = 'CTP-2027D0115H14';
    await officers('private/officer_list_instrument', { product: 'CTP', period: '2027D0115H14' });
    await officers('private/officer_set_state', { product: 'CTP', state: 'open' });
    for (const [method, who] of [['private/sell', 'bob'], ['private/buy', 'alice']])
        await venue.call(method, { instrument_name, type: 'limit', price: 2, amount: 1 }, key[who]);
    await officers('private/officer_settlement_price', { instrument_name, price: 2 });
    for (const who of ['bob', 'carl'])
        await venue.call('private/token_issue', { resource: `rack-${who}`, amount: 10,
            hour: '2027-01-15T14:00:00Z' }, key[who]);
    const place = (who) => ({ endpoint: `http://${who}.example:9000`,
        public_key: text_of(generateKeyPairSync('ed25519')) });
    await until('2027-01-10T09:00:00Z');
    await venue.call('private/tender', { ...place('bob'), instrument_name, amount: 1,
        resource: 'rack-bob' }, key.bob);
    await venue.call('private/tender', { ...place('carl'), resource: 'rack-carl' }, key.carl);
    await venue.call('private/intake', { ...place('alice'), instrument_name }, key.alice);
    nobody = await Listener.open(undefined, ['spot.balancing', 'spot.any']);
    carl = await Listener.open('carl', ['user.spot.balancing', 'user.spot.HRS', 'spot.balancing']);
    bob = await Listener.open('bob', ['user.spot.any', 'user.spot.balancing', 'spot.balancing']);
    await until('2027-01-14T13:00:00Z'); /* nobody tried the resource */
    await nobody.hears('an auction', (l) => states(l, 'spot.balancing').includes('open'));
    const [open] = nobody.of('spot.balancing');
    equal([open.kind, open.state, open.vintage, open.grade, open.region, open.closes_at, open.product],
        ['balancing', 'open', 2026, 'server', 'eu', Date.parse('2027-01-14T13:30:00Z'), undefined],
        'auction');
    const wanted = open.hours.filter((h) => h.wanted > 0);
    equal(wanted.map((h) => [h.start, h.wanted, h.price]), [[Date.parse('2027-01-15T14:00:00Z'), 10,
        undefined]], 'wanted');
    await venue.call('private/spot_bid', { auction: open.auction, side: 'sell',
        hours: ['2027-01-15T14:00:00Z'], price: 2.103, amount: 7.5 }, key.carl);
    await carl.hears('the offer', (l) => bids_of(l, 'user.spot.balancing').length === 1);
    await until('2027-01-14T13:31:00Z');
    await nobody.hears('the end', (l) => states(l, 'spot.balancing').includes('done'));
    const hour = nobody.of('spot.balancing').at(-1).hours.find((h) => h.wanted > 0);
    equal([hour.wanted, hour.amount, hour.price], [10, 7.5, 2.103], 'bought');
    equal(bids_of(carl, 'user.spot.balancing').map((b) => [b.state, b.amount, b.filled_amount,
        b.product]), [['standing', 7.5, 0, undefined], ['accepted', 7.5, 7.5, undefined]], 'offer');
    equal(bids_of(carl, 'user.spot.HRS'), [], 'it is no product\'s');
    equal(bids_of(bob, 'user.spot.any'), [], 'bob offered nothing');
    const early = [...bob.frames, ...nobody.frames].filter((f) => !f.includes('"state":"done"'));
    check(!early.join('\n').includes('2.103'), 'sealed');
});

await venue.stop();
finish();
