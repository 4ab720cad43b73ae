/* delivery.mjs: a delivery by the agents themselves, each of which is killed by SIGKILL in the middle
 * of the hour: the seller's agent again and again, the buyer's gateway, the venue. The receipt must
 * be whole: every task once, the same on both sides, verified and paid. Prints `N passed, N failed`.
 */
import { execFileSync, spawn } from 'node:child_process';
import { createPrivateKey, sign } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { Venue, check, dojima, equal, finish, sleep, test } from './lib.mjs';

const DAY = 86400000;
const LOTS = 3;
const TASK_FLOP = 2 * 1024 * 2048 * 11264; /* of gemm-1b */
const now = Date.now();
let day = Math.floor(now / DAY) * DAY + 9 * DAY;
while ([0, 6].includes(new Date(day).getUTCDay())) day += DAY;
const at = (days, hours, seconds = 0) =>
    new Date(day + days * DAY + hours * 3600000 + seconds * 1000).toISOString().slice(0, 19) + 'Z';
const two = (n) => String(n).padStart(2, '0');
const date = new Date(day);
const period = `${date.getUTCFullYear()}D${two(date.getUTCMonth() + 1)}${two(date.getUTCDate())}-PK`;
const instrument = `CTP-${period}`;
const [period2, period3] = [7, 14].map((days) => { /* more deliveries, a week and two later */
    const later = new Date(day + days * DAY);
    return `${later.getUTCFullYear()}D${two(later.getUTCMonth() + 1)}${two(later.getUTCDate())}-PK`;
});

const venue = new Venue();
writeFileSync(venue.config, JSON.stringify({ products: [{ product: 'CTP', kind: 'future',
    settlement: 'physical', contract_unit: 'hour', contract_size: 0.000001, tick_size: 1000,
    price_floor: 0, price_band: 500000, protection_points: 100000, flat_margin: 0.01,
    peak_hours: { start: 14, end: 15 }, matching: { algorithm: 'fifo' },
    calendar: { day: { days_before: 6, time: '12:00' } },
    guards: { breaker_percent: 100, velocity_ticks: 100000, limit_percent: [100, 200, 300],
        auction_random_seconds: 5 },
    delivery: { vintage: 2026, grade: 'offline', region: 'demo' } }] }));
const flags = ['--clock', new Date(now + 3600000).toISOString().slice(0, 19) + 'Z', '--no-history'];
const path = (name) => join(venue.directory, name);

/* ---- agents ---- */
class Agent {
    constructor(name, args) {
        this.name = name;
        this.args = args;
        this.log = '';
    }

    async start() {
        this.process = spawn(dojima, [...this.args, '--url', venue.url, '--poll-ms', '100'],
            { stdio: ['ignore', 'pipe', 'pipe'] });
        this.ended = new Promise((r) => this.process.on('exit', r));
        this.process.stderr.on('data', (d) => { this.log += d; });
        const line = await new Promise((done, fail) => {
            this.process.stdout.on('data', (d) => done(String(d)));
            this.process.on('exit', () => fail(new Error(`${this.name} ended: ${this.log}`)));
        });
        [this.endpoint, this.key] = line.trim().split(' ');
        return this;
    }

    async kill(signal = 'SIGKILL') {
        this.process.kill(signal);
        return this.ended;
    }
}

const agents = [];
process.on('exit', () => agents.forEach((a) => a.process?.kill('SIGKILL')));
async function agent(name, account, args) {
    writeFileSync(path(`${account}.key`), `${keys[account].client_id} ${keys[account].client_secret}\n`);
    const a = new Agent(name, [...args, '--key-file', path(`${account}.key`), '--data', path(name)]);
    agents.push(a);
    return a.start();
}

async function until(what, is, seconds = 60) {
    for (let i = 0; i < seconds * 20; i += 1) {
        if (await is()) return;
        await sleep(50);
    }
    throw new Error(`in vain: ${what}\n${agents.map((a) => `${a.name}: ${a.log}`).join('\n')}`);
}

async function jump(when) {
    let c = await venue.call('private/officer_clock', { at: when }, venue.officer);
    for (; !c.arrived; c = await venue.call('private/officer_clock', {}, venue.officer))
        await sleep(20);
}

async function officers(method, params) {
    const r = await venue.call(method, params, venue.officer);
    if (r.state === 'awaiting')
        await venue.call('private/officer_confirm', { request: r.request }, venue.officer2);
}

const allocation = async (name = instrument) =>
    (await venue.call('private/get_allocations', {}, venue.officer))
        .find((a) => a.instrument_name === name);
const times = (a, text) => a.log.split(text).length - 1;

/* The certificate, of more work than a busy machine was measured at: signed again. */
function certificate() {
    const text = readFileSync(path('certificate'), 'utf8').split('--\n')[0]
        .replace(/^work \d+$/m, 'work 1000000');
    const seed = Buffer.from(readFileSync(path('certifier'), 'utf8').trim(), 'hex');
    const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
    const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    return `${text}--\ncertifier-signature ${sign(null, Buffer.from(text), key).toString('hex')}\n`;
}

/* ---- the venue, up to the hour ---- */
const keys = {};
let seller, gateway;
await test('certified, traded, tendered, allotted, in escrow, the canary answered', async () => {
    execFileSync(dojima, ['certify', '--quick', '--seconds', '1', '--workload', 'gemm-test',
        '--device', 'cpu', '--key', path('certifier'), '--make-key', '--out', path('certificate'),
        '--provider', 'north', '--resource', 'north-cpu', '--region', 'demo', '--site', 'here',
        '--days', '60'], { stdio: 'ignore' });
    await venue.start({ flags });
    for (const [account, scopes] of [['buyer', 'read,trade'], ['north', 'read,trade,withdraw'],
        ['verifier', 'read,auditor']]) keys[account] = venue.key(account, scopes);
    venue.officer = venue.key('officer', 'all');
    venue.officer2 = venue.key('officer2', 'all');
    await sleep(1100);
    for (const account of ['buyer', 'north']) {
        await officers('private/officer_create_account', { account, member: `m_${account}` });
        await officers('private/officer_deposit', { account, asset: 'USD', amount: 1000 });
    }
    await officers('private/officer_set_certification', { acceptance_seconds: 600,
        validity_seconds: 7776000, duration_minimum: 1, accept_quick: true, vintages: [2026],
        regions: ['demo'], reason: 'a test' });
    for (const role of ['certifier', 'verifier']) {
        const public_key = execFileSync(dojima, ['keys', 'signing', path(role)],
            { encoding: 'utf8' }).trim();
        await officers('private/officer_accredit', { name: role, role, public_key });
    }
    await venue.call('private/certificate_submit', { certificate: certificate() }, keys.north);
    await jump(new Date(now + 2 * 3600000).toISOString().slice(0, 19) + 'Z');
    for (const p of [period, period2, period3])
        await officers('private/officer_list_instrument', { product: 'CTP', period: p });
    await officers('private/officer_set_state', { product: 'CTP', state: 'open' });
    for (const instrument_name of [period, period2, period3].map((p) => `CTP-${p}`)) {
        for (const [method, key] of [['private/sell', keys.north], ['private/buy', keys.buyer]])
            await venue.call(method, { instrument_name, type: 'limit', price: 2000000,
                amount: LOTS }, key);
        await officers('private/officer_settlement_price', { instrument_name, price: 2000000 });
    }
    await jump(at(-5, 9));
    gateway = await agent('intake', 'buyer', ['intake', '--instrument', instrument,
        '--instrument', `CTP-${period2}`, '--instrument', `CTP-${period3}`, '--workload',
        'gemm-1b']);
    seller = await agent('deliver', 'north', ['deliver', '--resource', 'north-cpu', '--tender',
        `${instrument}:${LOTS}`, '--tender', `CTP-${period2}:${LOTS}`, '--tender',
        `CTP-${period3}:${LOTS}`, '--threads', '1']);
    await agent('watch', 'verifier', ['verify', '--watch', '--samples', '3', '--canaries', '1',
        '--workload', 'gemm-1b', '--sign-key', path('verifier')]);
    await until('tender and intake', () => seller.log.includes('tendered') &&
        gateway.log.includes('is filed'));
    await jump(at(-4, 12, 1));
    await until('tokens', () => seller.log.includes('tokens of 1 hours'));
    await jump(at(-3, 12, 1));
    equal((await allocation()).state, 'escrowed', 'state');
    await jump(at(-1, 12, 1));
    await until('the canary', async () => (await allocation()).state === 'ready');
});

await test('agents and venue are killed in the middle of the hour; nothing is lost or done twice',
    async () => {
        await jump(at(0, 14));
        for (let i = 0; i < 3; i += 1) { /* the seller's agent */
            await sleep(900 + 350 * i);
            await seller.kill();
            await seller.start();
        }
        check(seller.log.includes('goes on at task'), 'it goes on where it was');
        await sleep(700);
        await gateway.kill();
        await sleep(500);
        const { endpoint } = gateway;
        await gateway.start();
        equal(gateway.endpoint, endpoint, 'where its seller was told to go');
        await sleep(700);
        await venue.stop('SIGKILL');
        await sleep(300);
        await venue.start({ flags });
        await until('the receipt', () => gateway.log.includes('receipt signed'), 120);
        const [file] = readdirSync(path('intake/receipts'));
        const receipt = Object.fromEntries(readFileSync(path(`intake/receipts/${file}`), 'utf8')
            .split('\n').map((l) => l.split(' ')));
        const answers = readFileSync(path(`intake/answers/${file.replace('.note', '.txt')}`), 'utf8')
            .trim().split('\n');
        const tasks = Math.ceil(LOTS * 1e12 / TASK_FLOP);
        equal(Number(receipt.tasks), tasks, 'tasks: enough, and not one too many');
        equal(Number(receipt.flop), tasks * TASK_FLOP, 'FLOP');
        equal(answers.length, tasks, 'answers that the buyer has');
        equal(new Set(answers).size, tasks, 'different answers: no task stands for two');
    });

let ws;
const told = []; /* DELIV-04, on the channel */
await test('a kill after the receipt: it is submitted once, verified, paid', async () => {
    ws = new WebSocket(venue.ws);
    await new Promise((done) => { ws.on('open', done); });
    ws.on('message', (text) => {
        const m = JSON.parse(text);
        if (m.method === 'subscription') told.push(m.params.data);
    });
    ws.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'public/subscribe',
        params: { channels: [`delivery.${instrument}`] } }));
    await seller.kill();
    await jump(at(0, 15, 1));
    await seller.start();
    await until('the verdict', async () => {
        const { hours } = await venue.call('public/get_delivery',
            { allocation: (await allocation()).allocation });
        return hours[0].outcome === 'ok';
    });
    await jump(at(1, 15));
    const a = await allocation();
    equal(a.state, 'window', 'state');
    check(a.paid > 6 && a.paid < 6.3, `paid ${a.paid} for 3 lots at 2`);
});

await test('an hour cut short is made up in a later one (DELIV-05)', async () => {
    const second = () => allocation(`CTP-${period2}`);
    await jump(at(2, 9));
    await until('the second tender and intake', () => times(seller, 'tendered') === 2 &&
        times(gateway, 'is filed') === 2);
    await jump(at(3, 12, 1));
    await until('tokens', () => times(seller, 'tokens of 1 hours') === 2);
    await jump(at(4, 12, 1));
    equal((await allocation()).state, 'closed', 'the first one, after 72 hours');
    const states = (type) => told.filter((e) => e.type === type).map((e) => e.state);
    await until('the channel', () => states('allocation').includes('closed'));
    equal([...new Set(states('delivery_hour'))], ['received', 'verified', 'metered'], 'hour');
    equal([...new Set(states('allocation'))], ['ready', 'window', 'closed'], 'allocation');
    check(told.every((e) => e.buyer === undefined && e.seller_key === undefined), 'no names');
    ws.close();
    await jump(at(6, 12, 1));
    await until('the canary', async () => (await second()).state === 'ready');
    await jump(at(7, 14));
    await sleep(1500);
    await seller.kill();
    await jump(at(7, 15, 1));
    await seller.start();
    await until('the short verdict', async () => {
        const { hours } = await venue.call('public/get_delivery',
            { allocation: (await second()).allocation });
        return hours[0].outcome === 'short';
    });
    await jump(at(7, 17, 1));
    const short = await second();
    equal(short.state, 'making_up', 'state');
    check(short.work_short > 0, `short by ${short.work_short}`);
    await until('the receipt of the make-up', () => times(gateway, 'receipt signed') === 3, 120);
    await jump(at(7, 18, 1));
    await until('its verdict', async () => {
        const { hours } = await venue.call('public/get_delivery',
            { allocation: short.allocation });
        return hours[1]?.outcome === 'ok';
    });
    await jump(at(8, 18)); /* the time to make up, and that of its receipts, is over */
    const made = await second();
    equal([made.state, made.work_short, made.damages], ['window', 0, 0], 'state, short, damages');
    check(made.work_made_up >= short.work_short, `made up ${made.work_made_up}`);
});

await test('a buyer who gives no tasks and signs nothing has failed to take (DELIV-02)', async () => {
    const third = () => allocation(`CTP-${period3}`);
    await jump(at(9, 9));
    await until('the third tender and intake', () => times(seller, 'tendered') === 3 &&
        times(gateway, 'is filed') === 3);
    await jump(at(10, 12, 1));
    await until('tokens', () => times(seller, 'tokens of 1 hours') === 3);
    await jump(at(11, 12, 1));
    await jump(at(13, 12, 1));
    await until('the canary', async () => (await third()).state === 'ready');
    await gateway.kill();
    await jump(at(14, 14));
    await until('silence', () => seller.log.includes('the buyer: no connection'));
    await jump(at(14, 14, 31 * 60));
    await until('reference tasks', () => seller.log.includes('reference tasks are done'));
    await sleep(3000);
    await jump(at(14, 15, 1));
    await until('the claim', () => seller.log.includes("without the buyer's signature"));
    const hour = async () => (await venue.call('public/get_delivery',
        { allocation: (await third()).allocation })).hours[0];
    await until('its verdict', async () => (await hour()).outcome !== undefined);
    await jump(at(14, 17, 1));
    const h = await hour();
    check(h.failure_to_take, `failure to take: ${JSON.stringify(h)}`);
    check(h.work > 0 && h.failed === 0, `work ${h.work}, failed ${h.failed}`);
    await gateway.start();
});

await test('what is kept is right offline, and a false request finds no ear', async () => {
    const [file] = readdirSync(path('intake/receipts'));
    const name = file.replace('.note', '');
    const said = execFileSync(dojima, ['verify', path(`intake/receipts/${file}`),
        path(`watch/proofs/${name}-verdict.note`), path(`watch/proofs/${name}-hour-0.proof`)],
    { encoding: 'utf8' });
    check(/of one hour/.test(said), said);
    const answer = await fetch(`http://${gateway.endpoint}/tasks`, { method: 'POST', body: '{}' });
    equal(answer.status, 401, 'an unsigned request');
    for (const a of agents) equal(await a.kill('SIGTERM'), 0, `the end of ${a.name}`);
    await venue.stop();
});

finish();
