/* index.mjs: reference prices on a node (INDEX-02 to -04): the day-ahead auction and the hours' own
 * books price the hours; what the channel tells and what is asked are the same, and enough for
 * `dojima index recompute`; a series from outside comes in as a source. Prints `N passed, N failed`. */
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { Venue, check, config, dojima, equal, finish, sleep, test } from './lib.mjs';

const START = '2027-01-04T00:00:00Z';
const sellers = ['ann', 'bea', 'cid', 'dan', 'eva'];
const sources = ['source1', 'source2', 'source3'];
const venue = new Venue();
const hours = { ...config.products[0], product: 'HRS', contract_unit: 'hour', contract_size: 1,
    flat_margin: '0.01', settlement: 'physical', settlement_rules: { spot_index_name: 'CTX' },
    spot: { opens_at: '08:00', closes_at: '12:00', price_min: 0, price_max: 100 } };
const cash = { ...config.products[0], product: 'CTD', contract_unit: 'hour', contract_size: 1,
    settlement_rules: { index_name: 'CTX' } };
writeFileSync(venue.config, JSON.stringify({ ...config,
    accounts: sources.map((account) => ({ account, member: account })),
    indices: [{ index_name: 'CTX', sources, spot_volume_minimum: 20, carries_max: 2 }],
    products: [...config.products, hours, cash],
    instruments: [...config.instruments, { product: 'CTD', period: '2027D0105H00' }] }));
await venue.start({ flags: ['--clock', START] });
await venue.prepare([...sellers, 'buyer']);
const key = Object.fromEntries([...sellers, 'buyer', ...sources].map((a) =>
    [a, venue.key(a, 'read,trade')]));
await sleep(1100);
await venue.call('private/officer_set_state', { product: 'HRS', state: 'open' }, venue.officer);

const until = (at) => venue.arrive(at);

const told = [];
const ws = new WebSocket(venue.ws);
await new Promise((done) => { ws.on('open', done); });
ws.on('message', (text) => {
    const m = JSON.parse(text);
    if (m.method === 'subscription') told.push(m);
});
ws.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'public/subscribe',
    params: { channels: ['index.CTX'] } }));

const asked = () => venue.request('public/get_index', { index_name: 'CTX', count: 48 });

await test('five sellers in the auction and in the book price the hours', async () => {
    await until('2027-01-04T09:00:00Z');
    for (const [i, name] of sellers.entries())
        await venue.call('private/spot_bid', { product: 'HRS', side: 'sell',
            price: 1.9 + i / 100, amount: 10 }, key[name]);
    await venue.call('private/spot_bid', { product: 'HRS', side: 'buy', price: 1.94, amount: 60 },
        key.buyer);
    await until('2027-01-04T18:00:00Z');
    const name = 'HRS-2027D0105H01';
    await venue.call('private/sell', { instrument_name: name, amount: 30, price: 2.5 }, key.ann);
    await venue.call('private/buy', { instrument_name: name, amount: 30, price: 2.5 }, key.buyer);
    await until('2027-01-05T02:30:00Z');
    const [one, zero] = (await asked()).body.result.hours;
    equal([zero.tier, zero.price, zero.spot.sellers], ['spot', 1.94, 5], 'hour 0');
    /* ann: (10 x 1.94 + 30 x 2.5) / 40 = 2.36, and trimmed */
    equal(one.spot.inputs.map((s) => [s.volume, s.price, s.status]), [
        [10, 1.94, 'trimmed'], [10, 1.94, 'counted'], [10, 1.94, 'counted'],
        [10, 1.94, 'counted'], [40, 2.36, 'trimmed']], 'hour 1');
});

await test('a series from outside is a source; without sellers sources price the hour', async () => {
    await until('2027-01-06T00:58:00Z'); /* that day's auction had no bids */
    const file = join(venue.directory, 'history.json');
    writeFileSync(file, JSON.stringify({ SpotPriceHistory: [
        { t: '2027-01-06T00:50:00Z', p: '4.24' }, { t: '2027-01-03T00:00:00Z', p: '4.24' }].map(
        ({ t, p }) => ({ AvailabilityZone: 'us-east-1a', InstanceType: 'p3.2xlarge',
            ProductDescription: 'Linux/UNIX', SpotPrice: p, Timestamp: t })) }));
    for (const [i, name] of sources.entries()) {
        const keys = join(venue.directory, name);
        writeFileSync(keys, `${key[name].client_id} ${key[name].client_secret}\n`);
        const run = spawnSync(dojima, ['index', 'series', '-f', 'aws-json', '--minimum-offers', '1',
            '--minimum-providers', '1', '--certified-ct-per-hour', String(2 + i / 50), '--submit',
            'CTX', '--url', venue.url, '--key-file', keys, file], { encoding: 'utf8' });
        equal(run.status, 0, run.stderr);
    }
    const again = spawnSync(dojima, ['index', 'series', '-f', 'aws-json', '--minimum-offers', '1',
        '--minimum-providers', '1', '--submit', 'CTX', '--url', venue.url, '--key-file',
        join(venue.directory, 'source1'), file], { encoding: 'utf8' });
    check(again.status === 1 && /duplicate_price|INDEX-02|already/.test(again.stderr),
        again.stderr);
    await until('2027-01-06T01:30:00Z');
    const [hour] = (await asked()).body.result.hours;
    equal([hour.tier, hour.price, hour.spot.result], ['submissions', 2.099010, 'no_trades'], 'hour');
});

await test('what is published is enough to compute it again', async () => {
    const answers = [await asked(),
        await venue.request('public/get_settlements', { instrument_name: 'CTD-2027D0105H00' }),
        await venue.request('public/get_instrument', { instrument_name: 'CTD-2027D0105H00' })];
    const file = join(venue.directory, 'publication');
    writeFileSync(file, answers.map((a) => JSON.stringify(a.body)).join('\n'));
    const said = execFileSync(dojima, ['index', 'recompute', file], { encoding: 'utf8' });
    check(/48 hours/.test(said) && /1 final settlements; 0 differences/.test(said), said);
    /* and the channel says the same of each hour */
    equal(told.length >= 49, true, 'hours told');
    const last = told.at(-1).params.data;
    const [hour] = answers[0].body.result.hours;
    for (const [name, value] of Object.entries(hour)) equal(last[name], value, name);
    writeFileSync(file, [...told, { result: { ...answers[0].body.result, hours: [] } }].map((m) =>
        JSON.stringify(m)).join('\n'));
    const heard = execFileSync(dojima, ['index', 'recompute', file], { encoding: 'utf8' });
    check(/0 differences/.test(heard), heard);
    writeFileSync(file, JSON.stringify(answers[0].body).replace('"price":1.94', '"price":1.95'));
    check(spawnSync(dojima, ['index', 'recompute', file]).status === 1, 'a lie is found');
});

ws.close();
await venue.stop();
finish();
