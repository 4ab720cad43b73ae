/* delivery_lib.mjs: a venue with a product that is delivered physically, its officers, and agents as
 * processes of their own: up to the canary, for tests of what comes then. */
import { execFileSync, spawn } from 'node:child_process';
import { createPrivateKey, sign } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Venue, dojima, sleep } from './lib.mjs';

const DAY = 86400000;
const two = (n) => String(n).padStart(2, '0');
const seconds = (ms) => new Date(ms).toISOString().slice(0, 19) + 'Z';

/* ---- agents ---- */
export class Agent {
    constructor(name, args, url) {
        this.name = name;
        this.args = args;
        this.url = url;
        this.log = '';
    }

    async start({ env = {} } = {}) {
        this.process = spawn(dojima, [...this.args, '--url', this.url, '--poll-ms', '100'],
            { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
        this.ended = new Promise((r) => this.process.on('exit', r));
        this.process.stderr.on('data', (d) => { this.log += d; });
        const line = await new Promise((done, fail) => {
            this.process.stdout.on('data', (d) => done(String(d)));
            this.process.on('exit', () => fail(new Error(`${this.name} ended: ${this.log}`)));
        });
        const words = line.trim().split(' '); /* a verifier has no endpoint */
        [this.endpoint, this.key] = [words[0], words.at(-1)];
        return this;
    }

    async kill(signal = 'SIGKILL') {
        this.process.kill(signal);
        return this.ended;
    }

    times(text) {
        return this.log.split(text).length - 1;
    }
}

/* A venue a week before the first of `count` days to be delivered, which are a week apart; of each
 * so many hours from 14:00 on. `delivery` has further terms. */
export class Stage {
    constructor({ lots = 3, count = 1, hours = 1, delivery = {} } = {}) {
        this.lots = lots;
        this.hours = hours;
        this.now = Date.now();
        this.day = Math.floor(this.now / DAY) * DAY + 9 * DAY;
        while ([0, 6].includes(new Date(this.day).getUTCDay())) this.day += DAY;
        this.periods = [...Array(count).keys()].map((i) => {
            const date = new Date(this.day + 7 * i * DAY);
            return `${date.getUTCFullYear()}D${two(date.getUTCMonth() + 1)}${
                two(date.getUTCDate())}-PK`;
        });
        this.instruments = this.periods.map((p) => `CTP-${p}`);
        this.venue = new Venue();
        this.flags = ['--clock', seconds(this.now + 3600000), '--no-history'];
        this.keys = {};
        this.agents = [];
        process.on('exit', () => this.agents.forEach((a) => a.process?.kill('SIGKILL')));
        writeFileSync(this.venue.config, JSON.stringify({ products: [{ product: 'CTP',
            kind: 'future', settlement: 'physical', contract_unit: 'hour', contract_size: 0.000001,
            tick_size: 1000, price_floor: 0, price_band: 500000, protection_points: 100000,
            flat_margin: 0.01, peak_hours: { start: 14, end: 14 + hours }, matching: { algorithm: 'fifo' },
            calendar: { day: { days_before: 6, time: '12:00' } },
            guards: { breaker_percent: 100, velocity_ticks: 100000, limit_percent: [100, 200, 300],
                auction_random_seconds: 5 },
            delivery: { vintage: 2026, grade: 'offline', region: 'demo', ...delivery } }] }));
    }

    /* Days after the first hour's, hours of that day. */
    at(days, hours, more = 0) {
        return seconds(this.day + days * DAY + hours * 3600000 + more * 1000);
    }

    path(name) {
        return join(this.venue.directory, name);
    }

    async agent(name, account, args, options) {
        const key = this.keys[account];
        writeFileSync(this.path(`${account}.key`), `${key.client_id} ${key.client_secret}\n`);
        const a = new Agent(name, [...args, '--key-file', this.path(`${account}.key`), '--data',
            this.path(name)], this.venue.url);
        this.agents.push(a);
        return a.start(options);
    }

    async until(what, is, most = 60) {
        for (let i = 0; i < most * 20; i += 1) {
            if (await is()) return;
            await sleep(50);
        }
        throw new Error(`in vain: ${what}\n${this.agents.map((a) => `${a.name}: ${a.log}`)
            .join('\n')}`);
    }

    jump(when) {
        return this.venue.arrive(when);
    }

    officers(method, params) {
        return this.venue.officers(method, params);
    }

    async allocation(name = this.instruments[0]) {
        return (await this.venue.call('private/get_allocations', {}, this.venue.officer))
            .find((a) => a.instrument_name === name);
    }

    async hour(name = this.instruments[0], number = 0) {
        const { allocation } = await this.allocation(name);
        return (await this.venue.call('public/get_delivery', { allocation })).hours[number];
    }

    /* The certificate, of more work than a busy machine was measured at: signed again. */
    certificate() {
        const text = readFileSync(this.path('certificate'), 'utf8').split('--\n')[0]
            .replace(/^work \d+$/m, 'work 1000000');
        const seed = Buffer.from(readFileSync(this.path('certifier'), 'utf8').trim(), 'hex');
        const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
        const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
        return `${text}--\ncertifier-signature ${
            sign(null, Buffer.from(text), key).toString('hex')}\n`;
    }

    /* Accounts buyer, north (who sells) and verifier; every instrument is traded, and the days are
     * there on which it may be tendered. */
    async trade() {
        const { venue, keys } = this;
        execFileSync(dojima, ['certify', '--quick', '--seconds', '1', '--workload', 'gemm-test',
            '--device', 'cpu', '--key', this.path('certifier'), '--make-key', '--out',
            this.path('certificate'), '--provider', 'north', '--resource', 'north-cpu', '--region',
            'demo', '--site', 'here', '--days', '60'], { stdio: 'ignore' });
        await venue.start({ flags: this.flags });
        for (const [account, scopes] of [['buyer', 'read,trade'], ['north', 'read,trade,withdraw'],
            ['verifier', 'read,auditor']]) keys[account] = venue.key(account, scopes);
        venue.officer = venue.key('officer', 'all');
        venue.officer2 = venue.key('officer2', 'all');
        await sleep(1100);
        for (const account of ['buyer', 'north']) {
            await this.officers('private/officer_create_account',
                { account, member: `m_${account}` });
            await this.officers('private/officer_deposit', { account, asset: 'USD', amount: 1000 });
        }
        await this.officers('private/officer_set_certification', { acceptance_seconds: 600,
            validity_seconds: 7776000, duration_minimum: 1, accept_quick: true, vintages: [2026],
            regions: ['demo'], reason: 'a test' });
        for (const role of ['certifier', 'verifier']) {
            const public_key = execFileSync(dojima, ['keys', 'signing', this.path(role)],
                { encoding: 'utf8' }).trim();
            await this.officers('private/officer_accredit', { name: role, role, public_key });
        }
        await venue.call('private/certificate_submit', { certificate: this.certificate() },
            keys.north);
        await this.jump(seconds(this.now + 2 * 3600000));
        for (const period of this.periods)
            await this.officers('private/officer_list_instrument', { product: 'CTP', period });
        await this.officers('private/officer_set_state', { product: 'CTP', state: 'open' });
        for (const instrument_name of this.instruments) {
            for (const [method, key] of [['private/sell', keys.north], ['private/buy', keys.buyer]])
                await venue.call(method, { instrument_name, type: 'limit', price: 2000000,
                    amount: this.lots }, key);
            await this.officers('private/officer_settlement_price',
                { instrument_name, price: 2000000 });
        }
        await this.jump(this.at(-5, 9));
    }

    intakes() {
        return this.instruments.flatMap((name) => ['--instrument', name]);
    }

    tenders() {
        return this.instruments.flatMap((name) => ['--tender', `${name}:${this.lots}`]);
    }

    /* Tendered and allotted, in escrow, the canary answered: of the delivery with this number. */
    async ready(seller, gateway, number = 0) {
        const name = this.instruments[number];
        if (number > 0) await this.jump(this.at(7 * number - 5, 9));
        await this.until('tender and intake', () => gateway.log.includes(`${name} is filed`) &&
            seller.log.includes(`lots of ${name}`));
        await this.jump(this.at(7 * number - 4, 12, 1));
        const { allocation } = await this.allocation(name);
        await this.until('tokens', () =>
            seller.log.includes(`allocation ${allocation}: tokens of ${this.hours} hours`));
        await this.jump(this.at(7 * number - 3, 12, 1));
        await this.jump(this.at(7 * number - 1, 12, 1));
        await this.until('the canary', async () => (await this.allocation(name)).state === 'ready');
    }
}
