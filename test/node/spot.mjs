/* spot.mjs: day-ahead auctions on a node (INDEX-01): the clock opens and closes them, the node's own
 * worker solves them, bids are sealed from others, a node that is killed before the result solves
 * them when it comes back. Prints `N passed, N failed`. */
import { writeFileSync } from 'node:fs';
import { Venue, check, config, equal, finish, sleep, test } from './lib.mjs';

const START = '2027-01-04T00:00:00Z';
const venue = new Venue();
const hours = { ...config.products[0], product: 'HRS', contract_unit: 'hour', contract_size: 1,
    flat_margin: '0.01', settlement: 'physical',
    spot: { opens_at: '08:00', closes_at: '12:00', price_min: 0, price_max: 100 } };
writeFileSync(venue.config, JSON.stringify({ ...config,
    products: [...config.products, hours] }));
await venue.start({ flags: ['--clock', START] });
await venue.prepare(['alice', 'bob']);
const alice = venue.key('alice', 'read,trade');
const bob = venue.key('bob', 'read,trade');
await sleep(1100);

const until = (at) => venue.arrive(at);

async function bids() {
    await venue.call('private/spot_bid', { product: 'HRS', side: 'buy',
        curve: [[3, 40], [2, 40]] }, alice);
    await venue.call('private/spot_bid', { product: 'HRS', side: 'sell',
        curve: [[1.5, 30], [2.5, 40]] }, bob);
    await venue.call('private/spot_bid', { product: 'HRS', side: 'sell', block: true, price: 1.8,
        amount: 10 }, bob);
}

const latest = () => venue.call('public/get_spot_auction', { product: 'HRS' });

async function done() {
    for (let i = 0; i < 100; i += 1) {
        const a = await latest();
        if (a.state === 'done') return a;
        await sleep(20);
    }
    throw new Error('no result');
}

await test('the clock opens it; it is sealed', async () => {
    await until('2027-01-04T09:00:00Z');
    const a = await latest();
    equal([a.state, a.hour_count, a.start], ['open', 24, Date.parse('2027-01-05T00:00:00Z')]);
    await bids();
    const r = await venue.request('private/clearing_get_spot_bids', { product: 'HRS' }, alice);
    equal(r.body.error?.data?.reason, 'unauthorised', 'others\' bids');
    equal((await venue.call('private/get_spot_bids', { product: 'HRS' }, alice)).length, 48, 'own');
    const c = await venue.request('public/get_spot_auction', { product: 'HRS', curve_hour: 3 });
    equal(c.body.error?.data?.reason, 'invalid_state', 'curve');
});

await test('a jump over the close waits for the result, which becomes positions', async () => {
    await until('2027-01-04T18:00:00Z');
    const a = await latest();
    equal([a.state, a.optimal, a.accepted_blocks], ['done', true, 1]);
    equal(a.done_at, Date.parse('2027-01-04T12:00:00Z'), 'when');
    for (const h of a.hours) equal([h.price, h.price_low, h.price_high, h.amount],
        [2.25, 2, 2.5, 40], 'hour');
    const positions = await venue.call('private/get_positions', {}, alice);
    equal(positions.length, 24, 'positions');
    equal(positions[0].size, a.hours[0].amount, 'size');
});

await test('killed between bids and result: it is solved when the node is back', async () => {
    await until('2027-01-05T11:50:00Z');
    await bids();
    await venue.stop('SIGKILL');
    await venue.start({ flags: ['--clock', START] });
    await sleep(1100);
    equal((await latest()).hourly_bids, 96, 'bids are there');
    await until('2027-01-05T12:10:00Z');
    const a = await done();
    equal([a.accepted_blocks, a.hours[5].amount], [1, 40], 'result');
});

await venue.stop();
finish();
