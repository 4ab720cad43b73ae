/* config.mjs: the files of config/ on a node that is served, where every product must name its
 * guards; and that the same file at the next start adds what is new and touches nothing else.
 * Prints `N passed, N failed`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Venue, check, equal, finish, root, send, sleep, test } from './lib.mjs';

const figure = async (venue, name) => Number(new RegExp(`^dojima_${name} (\\d+)`, 'm')
    .exec((await send(venue.port, { path: '/metrics' })).body)?.[1]);

for (const name of ['dojima', 'gpu_hour']) {
    await test(`config/${name}.json is served, and read again at the next start`, async () => {
        const venue = new Venue();
        venue.config = join(root, `config/${name}.json`);
        const file = JSON.parse(readFileSync(venue.config, 'utf8'));
        await venue.start();
        const products = await venue.call('public/get_products');
        equal(products.map((p) => p.product), file.products.map((p) => p.product), 'products');
        const groups = (await venue.call('public/get_margin_parameters')).groups
            .flatMap((g) => g.products.map((p) => p.product));
        for (const p of products) {
            check(p.limits?.spot_month > 0 || p.limits?.micro_of, `${p.product}: limits`);
            check(p.blocks && p.busts?.no_bust_range > 0, `${p.product}: blocks and busts`);
            check(p.margin_model === 'span' ? groups.includes(p.product) : p.flat_margin > 0,
                `${p.product}: margin`);
            const name = p.settlement_rules.index_name;
            if (p.settlement !== 'cash') continue;
            const index = await venue.call('public/get_index', { index_name: name });
            check(index.source_names.length >= 5, `${p.product} settles at ${name}`);
        }
        /* From the opening of tomorrow's auction on, its hours are listed too (INDEX-01). */
        const listed = (await venue.call('public/get_instruments', { currency: 'any' }))
            .filter((i) => !/-\d{4}D\d{4}H\d{2}$/.test(i.instrument_name));
        equal(listed.length, file.instruments.length + file.spreads.length, 'instruments');
        const there = new Set(listed.map((i) => i.instrument_name));
        for (const i of file.instruments)
            check(there.has(`${i.product}-${i.period}`), `${i.product}-${i.period} is listed`);
        const seq = await figure(venue, 'applied_seq');
        await venue.stop();
        await venue.start();
        equal(await figure(venue, 'applied_seq'), seq, 'nothing was added by a restart: seq');
        equal(await figure(venue, 'commands_total'), 0, 'commands of the restart');
        await venue.stop();
        venue.remove();
    });
}

await test('a restart keeps what officers changed, and adds what is new in the file', async () => {
    const venue = new Venue();
    const file = JSON.parse(readFileSync(venue.config, 'utf8'));
    file.venue = { dual_transfers: true, stale_ms: 2000 };
    file.accounts = [{ account: 'alice', member: 'alpha' }];
    file.states = [{ product: 'CTF', state: 'open' }];
    writeFileSync(venue.config, JSON.stringify(file));
    const state = async (product) =>
        (await venue.call('public/get_products')).find((p) => p.product === product).state;
    await venue.start();
    venue.officer = venue.key('officer', 'all');
    await sleep(1100);
    equal(await state('CTF'), 'open', 'state of the file');
    await venue.call('private/officer_set_state', { product: 'CTF', state: 'halted' },
        venue.officer);
    await venue.call('private/officer_venue_set', { stale_ms: 1500 }, venue.officer);
    const seq = await figure(venue, 'applied_seq');
    await venue.stop();
    file.products.push({ ...file.products[0], product: 'NEW' });
    file.instruments.push({ product: 'NEW', period: '2027M05' });
    file.states.push({ product: 'NEW', state: 'open' });
    writeFileSync(venue.config, JSON.stringify(file));
    await venue.start();
    equal(await figure(venue, 'applied_seq'), seq + 3, 'three commands for what is new: seq');
    equal([await state('CTF'), await state('NEW')], ['halted', 'open'], 'states');
    const back = await venue.call('private/officer_venue_set',
        { stale_ms: 2000, reason: 'as the file has it' }, venue.officer);
    equal(back.state, 'awaiting', 'the officer\'s tighter setting stands: the file\'s is looser');
    await venue.stop();
    venue.remove();
});

await test('a file that cannot be applied: one line, exit status 1', async () => {
    for (const [file, wanted] of [
        [{ product: [] }, 'no such section: product'],
        [{ products: [{ product: 'X', kind: 'future', tick_size: 1, contract_size: 1,
            settlement: 'cash', matching: { algorithm: 'fifo' } }] }, 'price_band'],
        [{ instruments: [{ product: 'X', period: '2027M01' }] }, 'unknown_product'],
    ]) {
        const venue = new Venue();
        writeFileSync(venue.config, JSON.stringify(file));
        let error = '';
        try { await venue.start({ flags: ['--quiet'] }); } catch (e) { error = String(e); }
        equal(await venue.ended, { code: 1, signal: null }, `exit: ${error}`);
        equal(venue.log.trim().split('\n').length, 1, `lines of ${venue.log}`);
        check(venue.log.includes(wanted), `${wanted} in ${venue.log}`);
        venue.process = undefined;
        venue.remove();
    }
});
finish();
