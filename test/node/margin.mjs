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
    equal(of('18', 'Clearing members'), '3', 'members');
    equal(of('6.4', 'confidence'), '99', 'confidence');
    equal(of('23', 'Volume'), '10.00', 'lots: five in each month');
    /* 5 lots x 7440 x (1.7 - 1.66), paid by the seller alone */
    equal(of('6.7', ''), '1488.00', 'variation');
    equal(of('7.3', 'greatest'), '1488.00', 'of the two members who paid most');
    const accounts = await venue.call('private/officer_get_accounts', {}, venue.officer);
    const margin_all = accounts.filter((a) => a.member !== 'clearing')
        .reduce((sum, a) => sum + a.initial_margin, 0);
    const shown = Number(of('6.1', 'total').replaceAll(',', ''));
    check(Math.abs(shown - margin_all) < 0.011, `${shown} is not ${margin_all}`);
    check(/^\| 6.1 \| Initial margin required: total/m.test(report().stdout), 'the table');
    const bad = report('--from', '2027-13-01');
    equal(bad.status, 1, bad.stdout);
});

/* A history with a day before: margin of 1,000 each, of which the seller lost 1,488; three calls, two
 * of them on one day, one of those raised. */
const made_up = `
import sqlite3, sys
source, copy = (sqlite3.connect(name) for name in sys.argv[1:3])
source.backup(copy)
columns = [c[1] for c in copy.execute('PRAGMA table_info(statement_margin)')]
row = {**dict.fromkeys(columns, 0), 'mark': 1, 'initial': 10 ** 9}
day, = copy.execute('SELECT max(day) FROM statement_margin').fetchone()
for account, in copy.execute("SELECT id FROM accounts WHERE name IN ('alice','bob')").fetchall():
    row.update(account=account, day=day - 1)
    copy.execute('INSERT INTO statement_margin(%s) VALUES(%s)' % (','.join(columns),
                 ','.join(':' + c for c in columns)), row)
now = day * 86400 * 10 ** 9
for seq, call, called, issued in ((1, 1, 5, now), (2, 2, 7, now), (3, 2, 9, now),
                                  (4, 3, 8, now - 1)):
    copy.execute('INSERT INTO calls VALUES(?,?,?,?,1,1,?,0,0,0,0,0,?,0,0)',
                 (-seq, 0, issued, call + 1000, called * 10 ** 6, issued))
copy.commit()
`;

await test('each day\'s margin is set against what was lost then', async () => {
    const copy = join(venue.data, 'copy.sqlite');
    const py = spawnSync('python3', ['-c', made_up, join(venue.data, 'history.sqlite'), copy],
        { encoding: 'utf8' });
    equal(py.status, 0, py.stderr);
    const r = spawnSync(dojima, ['report', 'pfmi', '--url', venue.url, '--database', copy,
        '--json'], { cwd: root, encoding: 'utf8', env: { ...process.env,
        DOJIMA_KEY: `${clear.client_id} ${clear.client_secret}` } });
    equal(r.status, 0, r.stderr);
    const all = JSON.parse(r.stdout).disclosures;
    const of = (number, text) => all.find((d) => d.number === number && d.text.includes(text)).value;
    equal(of('6.5', 'mark-to-market after it'), '2', 'account-days');
    equal(of('6.5', 'beyond initial margin'), '1', 'breaches');
    equal(of('6.5', 'Coverage'), '50.0000', 'coverage');
    equal(of('6.5', 'Greatest loss'), '488.00', 'the most that was missing');
    equal(of('6.8', 'greatest sum'), '14.00', 'calls of a day');
    equal(of('6.8', 'Number'), '3', 'calls');
    check(/^\d+(\.\d+)?$/.test(all[0].number) && all.every((d) => d.number.split('.').length < 3),
        'headings only');
});

await venue.stop();
finish();
