/* abuse.mjs: what nobody should send, and what the node does about it: it answers or closes with a
 * reason, and goes on serving everybody else. Prints `N passed, N failed`. */
import net from 'node:net';
import WebSocket from 'ws';
import { execFileSync } from 'node:child_process';
import { Venue, check, dojima, equal, finish, post, send, sleep, test } from './lib.mjs';

const venue = new Venue();
await venue.start({ limits: 'rate=500,burst=500,cancel_rate=2000,send_bytes=262144,request_ms=2000' });
await venue.prepare(['alice', 'bob']);
const alice = venue.key('alice', 'read,trade');
const reader = venue.key('alice', 'read');
const bob = venue.key('bob', 'read,trade');
const edward = venue.key('alice', 'read,trade', '--type', 'ed25519');
await sleep(1100);

const healthy = async () => equal((await send(venue.port, { path: '/health' })).body.status, 'ok');

/* Sends bytes, resolves to what came back until the other side closed or `ms` passed. */
function raw(bytes, ms = 3000) {
    return new Promise((done) => {
        let text = '';
        const s = net.connect(venue.port, '127.0.0.1', () => s.write(bytes));
        const end = setTimeout(() => { s.destroy(); done(text + '<open>'); }, ms);
        s.on('data', (d) => { text += d.toString('latin1'); });
        s.on('error', () => undefined);
        s.on('close', () => { clearTimeout(end); done(text); });
    });
}

class Socket {
    static open(options = {}) {
        return new Promise((done, fail) => {
            const s = new Socket();
            s.ws = new WebSocket(venue.ws, options);
            s.id = 0;
            s.waiting = new Map();
            s.notes = [];
            s.closed = new Promise((r) => s.ws.on('close', (code, reason) =>
                r({ code, reason: String(reason) })));
            s.ws.on('open', () => done(s));
            s.ws.on('error', fail);
            s.ws.on('message', (d) => {
                const m = JSON.parse(d);
                if (m.method !== undefined) s.notes.push(m);
                else s.waiting.get(m.id)?.(m);
            });
        });
    }

    call(method, params = {}) {
        const id = this.id += 1;
        this.ws.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
        return new Promise((r) => this.waiting.set(id, r));
    }

    async login(key) {
        const m = await this.call('public/auth', { grant_type: 'client_credentials',
            client_id: key.client_id, client_secret: key.client_secret });
        if (m.error) throw new Error(JSON.stringify(m.error));
        return m.result;
    }
}

await test('malformed HTTP is answered and closed', async () => {
    for (const [bytes, status] of [
        ['GET\r\n\r\n', 400], ['\x16\x03\x01\x02\x00\x01', 400], ['GET / HTTP/9.9\r\n\r\n', 505],
        ['GET / HTTP/1.1\r\nA\r\n\r\n', 400], [`GET /${'a'.repeat(20000)} HTTP/1.1\r\n\r\n`, 431],
        ['POST /api/v2 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 411],
        ['POST /api/v2 HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n', 413],
    ]) check((await raw(bytes)).startsWith(`HTTP/1.1 ${status} `), `${status} for ${bytes.slice(0, 30)}`);
    await healthy();
});

await test('malformed JSON and requests are errors with a reason', async () => {
    for (const body of ['', '{', '[]', '{"method":1}', '{"method":"public/test","params":[]}',
        '{"method":"public/ticker","params":{"instrument_name":5}}', '{"id":{},"method":"x"}',
        '\xff\xfe', '{"method":"public/test"}x', `${'['.repeat(3000)}`]) {
        const r = await send(venue.port, { method: 'POST', path: '/api/v2', body,
            headers: { 'content-length': Buffer.byteLength(body, 'utf8') } });
        check(r.status === 400 && r.body.error !== undefined, `${r.status} for ${body.slice(0, 30)}`);
    }
    const r = await venue.request('public/nothing');
    equal(r.body.error.data.reason, 'unknown_method', 'reason');
});

await test('a slow request is cut off', async () => {
    const started = Date.now();
    await raw('GET /health HTTP/1.1\r\nX: ', 6000);
    check(Date.now() - started < 4500, 'closed within the limit');
});

await test('unauthorised is 401 with its reason', async () => {
    equal((await venue.request('private/get_positions')).status, 401, 'without a key');
    const wrong = { ...alice, client_secret: 'wrong' };
    let r = await venue.request('private/get_positions', {}, wrong);
    equal([r.status, r.body.error.data.param], [401, 'bad_signature'], 'wrong secret');
    r = await venue.request('private/get_positions', {}, { ...alice, client_id: 'nobody' });
    equal([r.status, r.body.error.data.param], [401, 'unknown_key'], 'unknown key');
    r = await venue.request('private/buy', { instrument_name: 'CTF-2027M03', amount: 1, price: 2 },
        reader);
    equal([r.status, r.body.error.data.reason], [401, 'unauthorised'], 'a reader that trades');
    r = await venue.request('private/officer_set_state', { product: 'CTF', state: 'closed' }, alice);
    equal(r.body.error.data.reason, 'unauthorised', 'a trader as an officer');
});

await test('a timestamp off by more than 5 s is stale', async () => {
    for (const off of [-6000, 6000]) {
        const r = await venue.request('private/get_positions', {}, alice, { ts: Date.now() + off });
        equal([r.status, r.body.error.data.param], [401, 'stale_timestamp'], String(off));
    }
});

await test('a nonce serves once, across a restart too', async () => {
    const change = { ts: Date.now() + 3000, id: 'once' }; /* signed ahead of time */
    const order = { instrument_name: 'CTF-2027M03', amount: 1, price: 1 };
    equal((await venue.request('private/buy', order, alice, change)).status, 200, 'first');
    let r = await venue.request('private/buy', order, alice, change);
    equal([r.status, r.body.error.data.param], [401, 'nonce_used'], 'second');
    equal((await venue.request('private/get_positions', {}, bob, { id: 'once' })).status, 200,
        'another key');
    await venue.stop('SIGKILL');
    await venue.start({ limits: 'rate=500,burst=500,cancel_rate=2000,send_bytes=262144,request_ms=2000' });
    r = await venue.request('private/buy', order, alice, change);
    equal([r.status, r.body.error.data.param], [401, 'nonce_used'], 'after a restart');
    r = await venue.request('private/buy', order, alice, { ts: Date.now() - 2000 });
    equal(r.body.error.data.param, 'stale_timestamp', 'from before the start');
    await venue.call('private/cancel_all', {}, alice);
});

await test('Ed25519 keys, bearer tokens and refresh', async () => {
    const { createPrivateKey, sign: signBytes } = await import('node:crypto');
    const seed = Buffer.from(edward.client_secret, 'base64url');
    const key = createPrivateKey({ format: 'der', type: 'pkcs8',
        key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]) });
    const ts = Date.now();
    const sig = signBytes(null, Buffer.from(`${ts}\nabc\n`), key).toString('hex');
    const s = await Socket.open();
    let m = await s.call('public/auth', { grant_type: 'client_signature',
        client_id: edward.client_id, timestamp: ts, nonce: 'abc', data: '', signature: sig });
    check(m.result?.access_token !== undefined, JSON.stringify(m.error));
    const bearer = (token) => send(venue.port, { path: '/api/v2/private/get_positions?currency=any',
        headers: { authorization: `Bearer ${token}` } });
    equal((await bearer(m.result.access_token)).status, 200, 'bearer');
    equal((await bearer('x.y')).status, 401, 'no token');
    m = await s.call('public/auth', { grant_type: 'refresh_token',
        refresh_token: m.result.refresh_token });
    check(m.result?.access_token !== undefined, 'refreshed');
    s.ws.close();
});

await test('beyond the throttle: 10028, HTTP 429 and Retry-After; then it goes on', async () => {
    const answers = await Promise.all(Array.from({ length: 1500 }, () =>
        post(venue.port, 'private/get_positions', {}, bob)));
    const over = answers.filter((r) => r.status === 429);
    check(over.length > 300, `${over.length} were throttled`);
    equal(over[0].body.error.code, 10028, 'code');
    check(Number(over[0].headers['retry-after']) >= 1, 'Retry-After');
    check(answers.filter((r) => r.status === 200).length >= 500, 'the burst got through');
    const cancel = await post(venue.port, 'private/cancel_all', {}, bob);
    equal(cancel.status, 200, 'a cancel passes until its own limit');
    await sleep(1500);
    equal((await venue.request('private/get_positions', {}, bob)).status, 200, 'later');
});

await test('a WebSocket that never stops is logged out', async () => {
    const s = await Socket.open();
    const message = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'public/test' });
    for (let i = 0; i < 4000; i++) s.ws.send(message);
    const end = await s.closed;
    check(end.code === 1008 && end.reason.startsWith('throttled'), JSON.stringify(end));
});

await test('oversized and malformed WebSocket messages close with their code', async () => {
    let s = await Socket.open();
    s.ws.send('x'.repeat(200000));
    equal((await s.closed).code, 1009, 'too big');
    s = await Socket.open();
    s.ws.send(Buffer.from([1, 2, 3]));
    equal((await s.closed).code, 1003, 'binary');
    s = await Socket.open();
    s.ws._socket.write(Buffer.from([0x81, 0x01, 0x41])); /* not masked */
    equal((await s.closed).code, 1002, 'not masked');
    s = await Socket.open();
    s.ws._socket.write(Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0xff]));
    equal((await s.closed).code, 1007, 'not UTF-8');
    await healthy();
});

await test('cancel-on-disconnect by connection, by account, and across a SIGKILL', async () => {
    const order = { instrument_name: 'CTF-2027M03', amount: 1, price: 1 };
    const open = async () => (await venue.call('private/get_open_orders', {}, alice)).length;
    await venue.call('private/buy', order, alice); /* not of the connection */
    let s = await Socket.open();
    await s.login(alice);
    equal((await s.call('private/enable_cancel_on_disconnect', { scope: 'connection' })).result, 'ok');
    check((await s.call('private/buy', order)).result !== undefined, 'ordered');
    equal(await open(), 2, 'before');
    s.ws.terminate();
    await sleep(300);
    equal(await open(), 1, 'by connection');
    s = await Socket.open();
    await s.login(alice);
    await s.call('private/enable_cancel_on_disconnect', { scope: 'account' });
    s.ws.terminate();
    await sleep(300);
    equal(await open(), 0, 'by account');
    s = await Socket.open();
    await s.login(alice);
    await s.call('private/enable_cancel_on_disconnect', { scope: 'connection' });
    await s.call('private/buy', order);
    await venue.stop('SIGKILL');
    await venue.start({ limits: 'rate=500,burst=500,cancel_rate=2000,send_bytes=262144,request_ms=2000' });
    equal(await open(), 0, 'after the node was killed');
});

await test('a slow reader is evicted with a reason, others are not held up', async () => {
    const slow = await Socket.open();
    const quick = await Socket.open();
    await quick.call('public/subscribe', { channels: ['book.CTF-2027M03.raw'] });
    await slow.call('public/subscribe', { channels: ['book.CTF-2027M03.raw'] });
    slow.ws._socket.pause();
    const trader = await Socket.open();
    await trader.login(alice);
    /* unread answers pile up: each instruments list is some kilobytes */
    for (let i = 0; i < 6000 && slow.ws.readyState === 1; i++) {
        slow.ws.send(JSON.stringify({ jsonrpc: '2.0', id: i, method: 'public/get_instruments',
            params: { currency: 'any' } }));
        if (i % 300 === 299) await sleep(620); /* stay below the throttle */
        if (i % 300 === 299 && (await figure('slow_readers_evicted_total')) > 0) break;
    }
    check((await figure('slow_readers_evicted_total')) > 0, 'evicted');
    const seen = quick.notes.length;
    await trader.call('private/buy', { instrument_name: 'CTF-2027M03', amount: 1, price: 1 });
    await sleep(200);
    check(quick.notes.length > seen, 'the quick one hears');
    slow.ws._socket.resume();
    const end = await slow.closed;
    check(end.reason.startsWith('slow reader') || end.code === 1006, JSON.stringify(end));
    quick.ws.close();
    trader.ws.close();
});

async function figure(name) {
    const text = (await send(venue.port, { path: '/metrics' })).body;
    return Number(new RegExp(`^dojima_${name} (\\d+)`, 'm').exec(text)?.[1]);
}

await test('1000 garbage connections', async () => {
    const sockets = [];
    for (let i = 0; i < 1000; i++) {
        const s = net.connect(venue.port, '127.0.0.1');
        s.on('error', () => undefined);
        s.write(Buffer.from(Array.from({ length: 200 }, () => Math.floor(Math.random() * 256))));
        sockets.push(s);
    }
    await sleep(500);
    await healthy();
    equal((await venue.request('private/get_positions', {}, alice)).status, 200, 'others go on');
    for (const s of sockets) s.destroy();
    await sleep(4000);
    check((await figure('connections_open')) < 100, 'they are gone');
});

await test('a revoked key is out within seconds', async () => {
    const key = venue.key('alice', 'read');
    await sleep(1200);
    const s = await Socket.open();
    await s.login(key);
    execFileSync(dojima, ['keys', 'revoke', '--data', venue.data, key.client_id]);
    equal((await s.closed).reason, 'the key was revoked', 'reason');
    equal((await venue.request('private/get_positions', {}, key)).status, 401, 'request');
});

await test('one line and exit status 1 where it cannot run', async () => {
    const second = new Venue();
    second.port = venue.port;
    let error = '';
    try { await second.start(); } catch (e) { error = String(e); }
    check(error.includes('address already in use'), `port: ${error}`);
    equal(await second.ended, { code: 1, signal: null }, 'exit');
    second.data = venue.data;
    second.port = 0;
    try { await second.start(); } catch (e) { error = String(e); }
    equal(await second.ended, { code: 1, signal: null }, `locked: ${error}`);
    second.data = '/proc/nowhere';
    try { await second.start(); } catch (e) { error = String(e); }
    equal(await second.ended, { code: 1, signal: null }, `not writable: ${error}`);
    second.process = undefined;
});

await test('a clean end', async () => equal(await venue.stop(), { code: 0, signal: null }, 'exit'));
finish();
