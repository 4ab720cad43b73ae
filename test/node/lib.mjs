/* lib.mjs: a real node for whole-process tests: started on a free port with a directory of its own,
 * keys made by the program, officers who set the venue up, and clients that speak to it. */
import { spawn, execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
export const dojima = process.env.DOJIMA ?? join(root, 'build/dojima');

export const config = {
    venue: { dual_transfers: true },
    products: [
        { product: 'CTF', kind: 'future', tick_size: '0.001', contract_size: 10,
            settlement: 'cash', matching: { algorithm: 'fifo' }, price_floor: 0, price_band: 1,
            protection_points: '0.5', flat_margin: 1,
            guards: { breaker_percent: 100, velocity_ticks: 100000, limit_percent: [100, 200, 300],
                auction_random_seconds: 5 } },
    ],
    instruments: [{ product: 'CTF', period: '2027M03' }, { product: 'CTF', period: '2027M04' }],
    spreads: [{ legs: [{ instrument_name: 'CTF-2027M03', ratio: 1 },
        { instrument_name: 'CTF-2027M04', ratio: -1 }] }],
};

export const sleep = (ms) => new Promise((r) => setTimeout(r, ms));

/* ---- what is checked ---- */
let passed = 0;
let failed = 0;
let skipped = 0;

export async function test(name, run) {
    try {
        await run();
        passed += 1;
        console.log(`ok      ${name}`);
    } catch (e) {
        failed += 1;
        console.log(`FAILED  ${name}\n        ${e.stack ?? e}`);
    }
}

export function skip(name, why) {
    skipped += 1;
    console.log(`skipped: ${name}: ${why}`);
}

export function check(condition, what) {
    if (!condition) throw new Error(what);
}

export function equal(got, wanted, what = '') {
    const a = JSON.stringify(got);
    const b = JSON.stringify(wanted);
    if (a !== b) throw new Error(`${what} is ${a}, not ${b}`);
}

/* Prints the count and ends the process. */
export function finish() {
    console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`);
    process.exit(failed === 0 ? 0 : 1);
}

/* ---- the node ---- */
export class Venue {
    constructor() {
        this.directory = mkdtempSync(join(tmpdir(), 'dojima-test-'));
        this.data = join(this.directory, 'data');
        this.config = join(this.directory, 'config.json');
        this.log = '';
        writeFileSync(this.config, JSON.stringify(config));
        process.setMaxListeners(0).on('exit', () => this.remove());
    }

    key(account, scopes, ...more) {
        return JSON.parse(execFileSync(dojima, ['keys', 'make', '--data', this.data, '--account',
            account, '--scopes', scopes, '--json', ...more], { encoding: 'utf8' }));
    }

    /* `limits` as of --limits; `program` runs in place of dojima. */
    async start({ limits = 'rate=100000,burst=100000', flags = [], config = true,
        program = dojima } = {}) {
        const args = ['serve', '--data', this.data, '--listen', `127.0.0.1:${this.port ?? 0}`,
            ...(config ? ['--config', this.config] : []), '--limits', limits, ...flags];
        this.process = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
        this.ended = new Promise((r) => this.process.on('exit', (code, signal) =>
            r({ code, signal })));
        this.process.stderr.on('data', (d) => {
            this.log += d;
            if (/runtime error|Sanitizer/.test(d)) {
                failed += 1;
                console.log(String(d));
            }
        });
        let out = '';
        await new Promise((done, fail) => {
            this.process.stdout.on('data', (d) => {
                out += d;
                if (out.includes('\n')) done();
            });
            this.process.on('exit', () => fail(new Error(`the node ended: ${this.log}`)));
        });
        this.url = out.split('\n')[0].replace(/\/$/, '');
        this.port = Number(new URL(this.url).port);
        this.ws = this.url.replace('http', 'ws') + '/ws/api/v2';
    }

    async stop(signal = 'SIGTERM') {
        if (this.process === undefined) return { code: 0 };
        this.process.kill(signal);
        const end = await this.ended;
        this.process = undefined;
        return end;
    }

    remove() {
        if (this.process !== undefined) this.process.kill('SIGKILL');
        rmSync(this.directory, { recursive: true, force: true });
    }

    /* One request over HTTP, signed when there is a key; resolves to {status, headers, body}. */
    request(method, params = {}, key = undefined, change = {}) {
        return post(this.port, method, params, key, change);
    }

    async call(method, params = {}, key = undefined) {
        const r = await this.request(method, params, key);
        if (r.body.error !== undefined)
            throw new Error(`${method}: ${JSON.stringify(r.body.error)}`);
        return r.body.result;
    }

    /* As one officer, confirmed by the second where two are needed. */
    async officers(method, params) {
        const r = await this.call(method, params, this.officer);
        if (r.state === 'awaiting')
            await this.call('private/officer_confirm', { request: r.request }, this.officer2);
    }

    /* A demonstration's clock (--clock) goes there; what falls due on the way is done. */
    async arrive(at) {
        let c = await this.call('private/officer_clock', { at }, this.officer);
        for (let i = 0; i < 6000 && !c.arrived; i += 1) {
            await sleep(20);
            c = await this.call('private/officer_clock', {}, this.officer);
        }
        check(c.arrived, `arrived at ${at}`);
    }

    /* Two officers, accounts with money, the product open. */
    async prepare(accounts, amount = 10000000) {
        this.officer = this.key('officer', 'all');
        this.officer2 = this.key('officer2', 'all');
        await sleep(1100); /* the node takes note of keys within a second */
        for (const account of accounts) {
            await this.call('private/officer_create_account',
                { account, member: `member_${account}` }, this.officer);
            const { request } = await this.call('private/officer_deposit',
                { account, asset: 'USD', amount }, this.officer);
            await this.call('private/officer_confirm', { request }, this.officer2);
        }
        await this.call('private/officer_set_state', { product: 'CTF', state: 'open' },
            this.officer);
    }
}

let nonce = 0;

export function sign(key, method, path, body, { ts = Date.now(), id = undefined } = {}) {
    const n = id ?? `n${process.pid}.${nonce += 1}`;
    const text = `${ts}\n${n}\n${method}\n${path}\n${body}\n`;
    const sig = createHmac('sha256', key.client_secret).update(text).digest('hex');
    return `deri-hmac-sha256 id=${key.client_id},ts=${ts},sig=${sig},nonce=${n}`;
}

const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });

export function send(port, { method = 'GET', path = '/', headers = {}, body = '' }) {
    return new Promise((done, fail) => {
        const r = http.request({ host: '127.0.0.1', port, method, path, headers, agent }, (a) => {
            let text = '';
            a.setEncoding('utf8');
            a.on('data', (d) => { text += d; });
            a.on('end', () => {
                let parsed = text;
                try { parsed = JSON.parse(text); } catch { /* not JSON */ }
                done({ status: a.statusCode, headers: a.headers, body: parsed });
            });
            a.on('error', fail);
        });
        r.on('error', fail);
        r.end(body);
    });
}

export function post(port, method, params, key, change = {}) {
    const path = `/api/v2/${method}`;
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
    const headers = { 'content-type': 'application/json',
        'content-length': Buffer.byteLength(body) };
    if (key !== undefined) headers.authorization = sign(key, 'POST', path, body, change);
    return send(port, { method: 'POST', path, headers, body });
}
