/* tls.mjs: the node behind a certificate of its own: HTTPS and WSS work for whoever trusts it, and
 * nothing else does. Prints `N passed, N failed`. */
import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';
import WebSocket from 'ws';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Venue, check, equal, finish, sign, sleep, test } from './lib.mjs';

const venue = new Venue();
const certificate = (name) => {
    const [cert, key] = [`${name}.crt`, `${name}.key`].map((f) => join(venue.directory, f));
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt',
        'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1',
        '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert],
    { stdio: 'ignore' });
    return { cert, key };
};
const ours = certificate('ours');
const other = certificate('other');
const ca = readFileSync(ours.cert);
const flags = ['--tls-cert', ours.cert, '--tls-key', ours.key, '--no-history'];

await venue.start({ flags });
venue.officer = venue.key('officer', 'all');
await sleep(1100);

function ask({ method = 'GET', path = '/health', headers = {}, body = '', ...tlsOptions }) {
    return new Promise((done, fail) => {
        const r = https.request({ host: '127.0.0.1', port: venue.port, method, path, headers, ca,
            agent: false, ...tlsOptions }, (a) => {
            let text = '';
            a.on('data', (d) => { text += d; });
            a.on('end', () => done({ status: a.statusCode, body: JSON.parse(text) }));
        });
        r.on('error', fail);
        r.end(body);
    });
}

function call(method, params, key, keepAlive) {
    const path = `/api/v2/${method}`;
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
    return ask({ method: 'POST', path, body, agent: keepAlive ?? false, headers: {
        'content-length': Buffer.byteLength(body),
        ...(key === undefined ? {} : { authorization: sign(key, 'POST', path, body) }) } });
}

const code = (promise) => promise.then(() => 'answered', (e) => e.code ?? String(e));

await test('the address says https', async () =>
    check(venue.url.startsWith('https://'), venue.url));

await test('GET and POST over TLS 1.2 and 1.3', async () => {
    for (const version of ['TLSv1.2', 'TLSv1.3']) {
        const r = await ask({ minVersion: version, maxVersion: version });
        equal([r.status, r.body.status], [200, 'ok'], `GET by ${version}`);
    }
    let r = await call('public/get_instruments', { currency: 'any' });
    equal(r.body.result.length, 3, 'instruments');
    r = await call('private/officer_create_account', { account: 'alice', member: 'alpha' },
        venue.officer);
    equal([r.status, r.body.error], [200, undefined], 'a signed POST');
    r = await call('private/officer_create_account', { account: 'x', member: 'alpha' });
    equal(r.status, 401, 'an unsigned one');
});

await test('many requests by one connection, and a long answer', async () => {
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ca });
    for (let i = 0; i < 200; i++) {
        const r = await call('public/get_instruments', { currency: 'any' }, undefined, agent);
        equal(r.body.result.length, 3, 'instruments');
    }
    agent.destroy();
});

await test('a subscription over WSS is notified', async () => {
    const ws = new WebSocket(venue.ws, { ca });
    const notes = [];
    const answers = new Map();
    ws.on('message', (d) => {
        const m = JSON.parse(d);
        if (m.method === undefined) answers.get(m.id)?.(m);
        else notes.push(m.params);
    });
    await new Promise((r, fail) => { ws.on('open', r); ws.on('error', fail); });
    const send = (id, method, params) => new Promise((r) => {
        answers.set(id, r);
        ws.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    });
    const book = 'book.CTF-2027M03.raw';
    const got = await send(1, 'public/subscribe', { channels: [book] });
    equal(got.result, [book], 'subscribed');
    for (let i = 0; i < 50 && notes.length === 0; i++) await sleep(20);
    check(notes.length > 0 && notes[0].channel === book, `notified: ${JSON.stringify(notes)}`);
    ws.close();
});

await test('a client that does not trust the certificate goes', async () => {
    equal(await code(ask({ ca: readFileSync(other.cert) })), 'DEPTH_ZERO_SELF_SIGNED_CERT',
        'another authority');
    equal((await ask({})).status, 200, 'and the next is served');
});

await test('TLS below 1.2 is refused by the node', async () => {
    for (const version of ['TLSv1', 'TLSv1.1']) {
        const refused = await new Promise((done) => {
            const s = tls.connect({ host: '127.0.0.1', port: venue.port, ca, minVersion: version,
                maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' },
            () => done(s.getProtocol()));
            s.on('error', (e) => done(e.code));
        });
        equal(refused, 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', version);
    }
});

/* What comes back to these bytes until the node closes; `<open>` when it does not. */
function raw(bytes, ms = 3000) {
    return new Promise((done) => {
        const got = [];
        const s = net.connect(venue.port, '127.0.0.1', () => s.write(bytes));
        const end = setTimeout(() => { s.destroy(); done('<open>'); }, ms);
        s.on('data', (d) => got.push(d));
        s.on('error', () => undefined);
        s.on('close', () => { clearTimeout(end); done(Buffer.concat(got).toString('latin1')); });
    });
}

await test('plain HTTP and garbage are closed, nothing is told', async () => {
    const order = JSON.stringify({ method: 'public/get_instruments', params: { currency: 'any' } });
    for (const bytes of ['GET /health HTTP/1.1\r\nHost: x\r\n\r\n',
        `POST /api/v2 HTTP/1.1\r\nContent-Length: ${order.length}\r\n\r\n${order}`,
        'x'.repeat(20000), Buffer.from([0x16, 3, 1, 0xff, 0xff])]) {
        const back = await raw(bytes, 12000);
        check(back === '' || (back.charCodeAt(0) === 0x15 && back.length < 10),
            `closed, at most with an alert: ${JSON.stringify(back.slice(0, 60))}`);
    }
    equal((await ask({})).status, 200, 'others are served');
});

await test('a clean end; one line and status 1 where a certificate will not do', async () => {
    equal(await venue.stop(), { code: 0, signal: null }, 'exit');
    writeFileSync(join(venue.directory, 'empty'), '');
    for (const [cert, key, wanted] of [
        [join(venue.directory, 'none'), ours.key, 'cannot read the certificate'],
        [join(venue.directory, 'empty'), ours.key, 'cannot read the certificate'],
        [ours.cert, join(venue.directory, 'none'), 'cannot read the key'],
        [ours.cert, other.key, 'key'],
    ]) {
        venue.log = '';
        let error = '';
        try { await venue.start({ flags: ['--tls-cert', cert, '--tls-key', key, '--quiet'] }); }
        catch (e) { error = String(e); }
        equal(await venue.ended, { code: 1, signal: null }, `exit: ${error}`);
        equal(venue.log.trim().split('\n').length, 1, `lines of ${venue.log}`);
        check(venue.log.includes(wanted), `${wanted} in ${venue.log}`);
    }
    venue.process = undefined;
});
finish();
