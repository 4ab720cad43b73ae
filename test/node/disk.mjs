/* disk.mjs: disks that fail under a real node. Whatever fails first ends it, with one line that
 * says what and with exit status 1; once the disk is mended, everything that was acknowledged is
 * there. A full disk is a small tmpfs, a failing one is strace's; without the right to mount, or
 * without strace, these are skipped.
 * Prints `N passed, N failed, N skipped`. */
import WebSocket from 'ws';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Venue, check, dojima, equal, finish, skip, sleep, test } from './lib.mjs';

const limits = 'rate=1000000,burst=1000000';
const works = (command, ...args) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;

/* A client that keeps orders under way, `outstanding` at a time, until the node is gone; resolves
 * to [params, order_id] of those that were acknowledged. */
function load(venue, key, outstanding, most = Infinity) {
    return new Promise((done, fail) => {
        const ws = new WebSocket(venue.ws);
        const acknowledged = [];
        const pending = new Map();
        let next = 0;
        const enter = () => {
            if (ws.readyState !== 1) return;
            if (next >= most) { if (pending.size === 0) ws.close(); return; }
            const id = next += 1;
            const params = { instrument_name: 'CTF-2027M03', type: 'limit', amount: 1,
                price: 1 + (id % 100) / 1000, client_order_id: `d${id}` };
            pending.set(id, params);
            ws.send(JSON.stringify({ jsonrpc: '2.0', id, method: 'private/buy', params }));
        };
        ws.on('open', () => ws.send(JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'public/auth',
            params: { grant_type: 'client_credentials', client_id: key.client_id,
                client_secret: key.client_secret } })));
        ws.on('message', (d) => {
            const m = JSON.parse(d);
            if (m.error !== undefined) fail(new Error(JSON.stringify(m.error)));
            else if (m.id === 0) for (let i = 0; i < outstanding; i++) enter();
            else {
                acknowledged.push([pending.get(m.id), m.result.order.order_id]);
                pending.delete(m.id);
                enter();
            }
        });
        ws.on('error', () => undefined);
        ws.on('close', () => done(acknowledged));
    });
}

/* The one line that it ended with, and nothing after it. */
async function ended(venue, wanted) {
    const end = await Promise.race([venue.ended, sleep(20000)]);
    equal(end, { code: 1, signal: null }, `exit, after ${venue.log.slice(-500)}`);
    venue.process = undefined;
    const lines = venue.log.trim().split('\n');
    const said = lines.filter((l) => l.startsWith('dojima serve: '));
    equal(said.length, 1, `lines about the end: ${lines.join(' | ')}`);
    equal(lines.at(-1), said[0], 'the last line');
    for (const w of wanted) check(said[0].includes(w), `"${w}" in "${said[0]}"`);
    venue.log = '';
    return said[0];
}

/* Every acknowledged order is open under its id; a repeat of the last is answered with that id. */
async function verify(venue, key, acknowledged, repeat = true) {
    const open = new Map((await venue.call('private/get_open_orders', {}, key))
        .map((o) => [o.order_id, o]));
    for (const [params, id] of acknowledged) {
        const o = open.get(id);
        check(o !== undefined, `order ${id} (${params.client_order_id}) is there`);
        equal([o.price, o.amount], [params.price, params.amount], `order ${id}`);
    }
    if (!repeat) return;
    const [params, id] = acknowledged.at(-1);
    const again = await venue.call('private/buy', params, key);
    equal(again.order.order_id, id, 'the last one, repeated');
}

async function prepared(options = {}, venue = new Venue()) {
    await venue.start({ limits, flags: ['--quiet'], ...options });
    await venue.prepare(['alice'], 100000000);
    const key = venue.key('alice', 'read,trade');
    await sleep(1100);
    return [venue, key];
}

/* ---- a full disk ---- */

async function full(size, flags) {
    const venue = new Venue();
    mkdirSync(venue.data);
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}m`, 'dojima-test', venue.data]);
    const remove = venue.remove.bind(venue);
    venue.remove = () => {
        if (venue.process !== undefined) venue.process.kill('SIGKILL');
        spawnSync('umount', ['-l', venue.data], { stdio: 'ignore' });
        remove();
    };
    const [, key] = await prepared({ flags }, venue);
    const acknowledged = await load(venue, key, 1);
    check(venue.log.includes('free space now'), `a warning before the end: ${venue.log}`);
    const line = await ended(venue, ['disk full', 'durable up to seq']);
    check(acknowledged.length > 1000, `${acknowledged.length} orders before the end`);
    /* While nothing was done about it: it shows what it has, and ends at the next command. */
    await venue.start({ limits, flags });
    await verify(venue, key, acknowledged, false);
    equal((await load(venue, key, 1)).length, 0, 'acknowledged without room');
    await ended(venue, ['disk full', 'durable up to seq']);
    execFileSync('mount', ['-o', 'remount,size=1g', venue.data]);
    await venue.start({ limits, flags: ['--quiet'] });
    await verify(venue, key, acknowledged);
    const more = await load(venue, key, 1, 100);
    equal(more.length, 100, 'it goes on');
    console.log(`        ${acknowledged.length} orders kept; ${line}`);
    equal(await venue.stop(), { code: 0, signal: null }, 'exit');
    venue.remove();
}

const probe = new Venue();
mkdirSync(probe.data);
const mounts = works('mount', '-t', 'tmpfs', '-o', 'size=1m', 'dojima-test', probe.data);
if (mounts) spawnSync('umount', [probe.data]);
if (!mounts) skip('a full disk', 'no right to mount a tmpfs');
else {
    await test('a full disk ends it; with more room everything acknowledged is there', () =>
        full(80, ['--quiet', '--no-history']));
    await test('the same with history, which gives way first', () => full(68, ['--quiet']));
}

/* ---- writes that fail ---- */

/* strace with this injected, in place of the program: VENUE.start runs it. */
function injected(venue, inject) {
    const trace = join(venue.directory, 'trace');
    const script = join(venue.directory, 'run.sh');
    writeFileSync(script, `#!/bin/sh\nexec strace -f -qq -o ${trace} -e trace=pwritev2,fdatasync,`
        + `fsync -e inject=${inject} ${dojima} "$@"\n`, { mode: 0o755 });
    return { program: script, trace };
}

if (!works('strace', '-f', '-qq', '-o', '/dev/null', '-e', 'trace=pwritev2', '-e',
    'inject=pwritev2:error=EIO:when=1+', 'true')) skip('a write that fails', 'no strace');
else {
    for (const [outstanding, inject] of [[1, 'pwritev2:error=EIO:when=200+'],
        [16, 'pwritev2:error=EIO:when=60+'], [1, 'pwritev2:error=ENOSPC:when=120'],
        [4, 'pwritev2:error=EIO:when=90']]) {
        await test(`${inject}, ${outstanding} orders under way: it ends, and never tries again`,
            async () => {
                const [venue, key] = await prepared();
                equal(await venue.stop(), { code: 0, signal: null }, 'exit');
                const { program, trace } = injected(venue, inject);
                await venue.start({ limits, flags: ['--quiet', '--no-history'], program });
                const acknowledged = await load(venue, key, outstanding);
                await ended(venue, ['cannot be made durable', 'nothing is retried']);
                const calls = readFileSync(trace, 'utf8').split('\n');
                const first = calls.findIndex((l) => l.includes('(INJECTED)'));
                check(first >= 0, 'a write failed');
                const after = calls.slice(first + 1).filter((l) =>
                    /pwritev2\(|fdatasync\(|fsync\(/.test(l));
                equal(after, [], 'writes after the one that failed');
                check(acknowledged.length > 20, `${acknowledged.length} acknowledged`);
                await venue.start({ limits, flags: ['--quiet'] });
                await verify(venue, key, acknowledged);
                equal(await venue.stop(), { code: 0, signal: null }, 'exit');
                venue.remove();
            });
    }
}

/* ---- directories that cannot be written ---- */

async function refused(data, wanted) {
    const venue = new Venue();
    venue.data = data;
    let error = '';
    try { await venue.start({ flags: ['--quiet'] }); } catch (e) { error = String(e); }
    check(error !== '', 'it does not start');
    await ended(venue, wanted);
}

await test('a data directory that is a file', async () => {
    const file = join(probe.directory, 'file');
    writeFileSync(file, '');
    await refused(file, [file, 'Not a directory']);
    await refused(join(file, 'below'), [file, 'Not a directory']);
});

if (!mounts) skip('a data directory that is read-only', 'no right to mount a tmpfs');
else {
    await test('a data directory that is read-only', async () => {
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'dojima-test', probe.data]);
        try { await refused(probe.data, [probe.data, 'Read-only file system']); }
        finally { execFileSync('umount', [probe.data]); }
    });
}
finish();
