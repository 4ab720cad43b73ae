/* clock.mjs: a demonstration's clock (serve --clock): it runs, is moved forward by an officer, and
 * what falls due on the way happens at its own time; requests are still signed in the world's time;
 * other venues have no such clock. Prints `N passed, N failed`. */
import { execFileSync } from 'node:child_process';
import { Venue, check, dojima, equal, finish, sleep, test } from './lib.mjs';

const START = '2027-01-04T00:00:00Z';
const begin = Date.parse(START);
const HOUR = 3600000;
const clock = (venue, params) => venue.call('private/officer_clock', params, venue.officer);
const refused = async (promise, reason) => {
    const r = await promise;
    equal(r.body.error?.data?.reason, reason, 'reason');
};

await test('a normal venue has no clock that can be moved', async () => {
    const venue = new Venue();
    await venue.start();
    await venue.prepare([]);
    await refused(venue.request('private/officer_clock', { at: '2030-01-01T00:00:00Z' },
        venue.officer), 'unknown_method');
    check(Math.abs(await venue.call('public/get_time') - Date.now()) < 5000, 'the world\'s time');
    await venue.stop();
    let said = '';
    try {
        await venue.start({ flags: ['--clock', START] });
    } catch (e) { said = e.message; }
    check(said.includes('a real venue'), `its directory is refused with --clock: ${said}`);
    venue.process = undefined;
    venue.remove();
});

const venue = new Venue();
await venue.start({ flags: ['--clock', START] });
await venue.prepare(['alice', 'bob']);
const alice = venue.key('alice', 'read,trade');
const bob = venue.key('bob', 'read,trade');
await sleep(1100);
const buy = (price, more = {}) => venue.call('private/buy', { instrument_name: 'CTF-2027M03',
    type: 'limit', amount: 1, price, ...more }, alice);

await test('it begins where it was told and runs', async () => {
    const now = await venue.call('public/get_time');
    check(now > begin && now < begin + 60000, `${now - begin} ms after the start`);
});

await test('a jump: what falls due on the way happens at its own time, in order', async () => {
    const ids = [];
    for (const hours of [30, 3, 20, 100]) {
        const r = await buy(1, { time_in_force: 'good_til_date', expires_at: begin + hours * HOUR });
        ids.push(r.order.order_id);
    }
    const before = await venue.call('public/get_state_hash');
    let c = await clock(venue, { at: '2027-01-06T12:00:00Z' });
    for (let i = 0; i < 100 && !c.arrived; i += 1) {
        await sleep(20);
        c = await clock(venue, {});
    }
    check(c.arrived, 'arrived');
    const now = await venue.call('public/get_time');
    check(now >= begin + 60 * HOUR && now < begin + 60 * HOUR + 30000, `${now} is there`);
    const after = await venue.call('public/get_state_hash');
    check(after.seq >= before.seq + 3, 'each had a tick of its own');
    for (const [i, hours] of [30, 3, 20].entries()) {
        const o = await venue.call('private/get_order_state', { order_id: ids[i] }, alice);
        equal(o.order_state, 'cancelled', `order of ${hours} h`);
        equal(o.last_update_timestamp, begin + hours * HOUR, `end of the order of ${hours} h`);
    }
    const o = await venue.call('private/get_order_state', { order_id: ids[3] }, alice);
    equal(o.order_state, 'open', 'what is not due yet');
});

await test('it never goes back, and only an officer moves it', async () => {
    await refused(venue.request('private/officer_clock', { at: START }, venue.officer),
        'malformed_request');
    await refused(venue.request('private/officer_clock', { rate: -1 }, venue.officer),
        'malformed_request');
    await refused(venue.request('private/officer_clock', { at: '2028-01-01T00:00:00Z' }, bob),
        'unauthorised');
});

await test('at an hour a second requests are as fresh as they were (GUARD-08)', async () => {
    equal((await clock(venue, { rate: 3600 })).rate, 3600, 'rate');
    const from = await venue.call('public/get_time');
    const real = Date.now();
    for (let i = 0; i < 20; i += 1) {
        await buy(1);
        await sleep(20);
    }
    const ran = await venue.call('public/get_time') - from;
    const wanted = 3600 * (Date.now() - real);
    check(ran > 0.8 * wanted && ran < 1.2 * wanted, `${ran} ms ran, not about ${wanted}`);
    const frozen = await clock(venue, { rate: 0 });
    await sleep(50);
    equal((await clock(venue, {})).now, frozen.now, 'at rate 0 it stands');
    await clock(venue, { rate: 1 });
});

await test('the next start goes on where it was; a nonce still serves once', async () => {
    const now = await venue.call('public/get_time');
    await venue.stop('SIGKILL');
    let said = '';
    try {
        await venue.start();
    } catch (e) { said = e.message; }
    check(said.includes('demonstration'), `without --clock it is refused: ${said}`);
    await venue.start({ flags: ['--clock', START] });
    check(await venue.call('public/get_time') >= now - 3600000, 'time goes on');
    const change = { id: 'once' };
    const params = { instrument_name: 'CTF-2027M03', type: 'limit', amount: 1, price: 1 };
    equal((await venue.request('private/buy', params, alice, change)).status, 200, 'first');
    equal((await venue.request('private/buy', params, alice, change)).status, 401, 'again');
});

await test('the journal of a jump replays to the same state', async () => {
    const { hash } = await venue.call('public/get_state_hash');
    await venue.stop();
    const said = execFileSync(dojima, ['replay', '--data', venue.data, '--verify', '--hash'],
        { encoding: 'utf8' });
    check(said.includes(hash), `${said} has ${hash}`);
});

finish();
