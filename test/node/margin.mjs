/* margin.mjs: `dojima margin run` against a node: reads every account, computes, puts the results in
 * force; and what goes wrong leaves nothing in force. Prints `N passed, N failed`. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Venue, check, config, dojima, equal, finish, root, sleep, test } from './lib.mjs';

const venue = new Venue();
config.products[0].contract_unit = 'hour';
writeFileSync(venue.config, JSON.stringify(config));
await venue.start();
await venue.prepare(['alice', 'bob', 'carol']);
const alice = venue.key('alice', 'trade,read');
const bob = venue.key('bob', 'trade,read');
const clear = venue.key('officer', 'clear,auditor');
await sleep(1100);

const run = (...args) => {
    const done = spawnSync(dojima, ['margin', 'run', '--url', venue.url, '--json', '--history',
        'docs/margin/history.csv', '--date', '2026-12-31', ...args],
    { cwd: root, encoding: 'utf8', env: { ...process.env,
        DOJIMA_KEY: `${clear.client_id} ${clear.client_secret}` } });
    return { ...done, answer: done.status === 0 ? JSON.parse(done.stdout) : null };
};
const margin = (account) => venue.call('private/get_margin', { account }, venue.officer);

await test('nobody holds anything: an empty run', async () => {
    const r = run('--run', '5');
    equal(r.status, 0, r.stderr);
    equal(r.answer.results, [], 'results');
});

const order = { instrument_name: 'CTF-2027M03', type: 'limit', price: 1.66, amount: 5 };
await venue.call('private/sell', order, alice);
await venue.call('private/buy', order, bob);
await venue.call('private/officer_settlement_price',
    { instrument_name: 'CTF-2027M03', price: 1.7 }, venue.officer);

await test('a dry run computes and changes nothing', async () => {
    const r = run('--dry-run');
    equal(r.status, 0, r.stderr);
    equal(r.answer.results.map((x) => x.account), ['alice', 'bob'], 'accounts');
    equal(r.answer.submitted, false, 'submitted');
    check((await margin('alice')).run?.run !== r.answer.run, 'a run is in force');
});

await test('a run is in force, to the micro-dollar', async () => {
    const r = run('--run', '6');
    equal(r.status, 0, r.stderr);
    for (const x of r.answer.results) {
        const in_force = (await margin(x.account)).run;
        equal(in_force.run, 6, 'run');
        for (const part of ['core', 'liquidity', 'concentration', 'floor', 'total',
            'stress_loss']) equal(in_force[part], x[part], `${x.account} ${part}`);
    }
    const [a] = r.answer.results;
    /* 5 lots x 10 CT an hour x 744 hours x 1.7 x 15 %: the node's own price and size */
    check(Math.abs(a.floor - 5 * 7440 * 1.7 * 0.15) < 0.001, `the floor is ${a.floor}`);
});

await test('the fund is sized with it', async () => {
    const r = run('--run', '60', '--fund');
    equal(r.status, 0, r.stderr);
    check(r.answer.fund >= 0, 'the fund');
    const fund = await venue.call('private/clearing_get_fund', {}, venue.officer);
    check(fund.total >= r.answer.fund && fund.total > 0, JSON.stringify(fund));
});

await test('a stale history is refused, and the run given up', async () => {
    const r = run('--run', '70', '--date', '2027-03-01');
    equal(r.status, 1, r.stdout);
    check(/CTF-2027M03 is stale/.test(r.stderr), r.stderr);
    check(/run 70 is given up/.test(r.stderr), r.stderr);
    equal((await margin('alice')).run.run, 60, 'the run in force');
});

await test('an instrument without a history is refused by name', async () => {
    const other = { ...order, instrument_name: 'CTF-2027M04' };
    await venue.call('private/sell', other, alice);
    await venue.call('private/buy', other, bob);
    const r = run('--run', '80');
    equal(r.status, 1, r.stdout);
    check(/no price history of CTF-2027M04/.test(r.stderr), r.stderr);
    equal((await margin('alice')).run.run, 60, 'the run in force');
});

await test('the disclosures, from the node and its history', async () => {
    await venue.call('private/officer_mark_to_market', {}, venue.officer);
    await sleep(1500); /* the history follows */
    const report = (...args) => spawnSync(dojima, ['report', 'pfmi', '--url', venue.url,
        '--database', join(venue.data, 'history.sqlite'), ...args], { cwd: root,
        encoding: 'utf8', env: { ...process.env,
            DOJIMA_KEY: `${clear.client_id} ${clear.client_secret}` } });
    const r = report('--json');
    equal(r.status, 0, r.stderr);
    const of = (number, text) => JSON.parse(r.stdout).disclosures
        .find((d) => d.number === number && d.text.includes(text)).value;
    equal(of('18.1.1', ''), '3', 'members');
    equal(of('6.4.4', ''), '99', 'confidence');
    equal(of('23.1.1', ''), '10.00', 'lots: five in each month');
    /* 5 lots x 7440 x (1.7 - 1.66), paid by the seller alone */
    equal(of('6.7.1', ''), '1488.00', 'variation');
    equal(of('7.3.1', 'greatest'), '1488.00', 'of the two members who paid most');
    const accounts = await venue.call('private/officer_get_accounts', {}, venue.officer);
    const margin_all = accounts.filter((a) => a.member !== 'clearing')
        .reduce((sum, a) => sum + a.initial_margin, 0);
    const shown = Number(of('6.1.1', 'total').replaceAll(',', ''));
    check(Math.abs(shown - margin_all) < 0.011, `${shown} is not ${margin_all}`);
    check(/^\| 6.1.1 \| Initial margin required: total/m.test(report().stdout), 'the table');
    const bad = report('--from', '2027-13-01');
    equal(bad.status, 1, bad.stdout);
});

await venue.stop();
finish();
