/* delivery_weights.mjs: a buyer's own weights and prompts, delivered: the seller pulls the weights
 * from the buyer's gateway by their digest and answers the prompts with them; the buyer gets what the
 * same weights give here. The transfer goes through a hand that falsifies it, cuts it, makes it
 * endless; each side is killed in its middle. Prints `N passed, N failed`.
 */
import { execFileSync } from 'node:child_process';
import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { dirname, join } from 'node:path';
import { Stage } from './delivery_lib.mjs';
import { check, dojima, equal, finish, sleep, test } from './lib.mjs';

const WORKLOAD = 'test-30m';
const ANSWER = 16;
const PART = 4 << 20;
const make = process.env.WEIGHTS_MAKE ?? join(dirname(dojima), 'src/cli/weights_make');
const stage = new Stage({ lots: 1, count: 2 });
const { venue } = stage;
const path = (name) => stage.path(name);

/* ---- the buyer's files ---- */
const weights = path('weights');
execFileSync(make, ['make', WORKLOAD, weights]);
const { size } = statSync(weights);
const digest = createHash('sha256').update(readFileSync(weights)).digest('hex');
const prompts = [...Array(400).keys()].map((i) => /* of 40 to 64 tokens */
    [...Array(40 + (i * 7) % 25).keys()].map((k) => (i * 7919 + k * 104729 + 17) % 4096).join(' '));
writeFileSync(path('prompts'), `# the buyer's\n${prompts.join('\n')}\n`);
const local = (count) => execFileSync(make, ['run', WORKLOAD, weights, String(ANSWER)],
    { input: prompts.slice(0, count).join('\n') + '\n', encoding: 'utf8' }).trim().split('\n');

/* ---- what stands between the seller and the gateway ---- */
const port = () => new Promise((done) => {
    const s = net.createServer().listen(0, '127.0.0.1', () => {
        const number = s.address().port;
        s.close(() => done(number));
    });
});
const behind = await port();
const hand = { mode: 'pass', asked: [], parts: 0, after: undefined };
const proxy = http.createServer((request, response) => {
    const chunks = [];
    request.on('data', (d) => chunks.push(d));
    request.on('end', () => {
        const body = Buffer.concat(chunks);
        const forward = http.request({ host: '127.0.0.1', port: behind, method: request.method,
            path: request.url, headers: request.headers, agent: false }, (answer) => {
            const back = [];
            answer.on('data', (d) => back.push(d));
            answer.on('error', () => response.destroy());
            answer.on('end', () => {
                const bytes = Buffer.concat(back);
                if (request.url === '/weights')
                    weightsGive(response, request.headers, body, answer, bytes);
                else if (request.url === '/tasks' && hand.mode === 'replayed')
                    respond(response, answer.statusCode, replayed(bytes));
                else respond(response, answer.statusCode, bytes);
            });
        });
        forward.on('error', () => response.destroy());
        forward.end(body);
    });
});
function respond(response, status, bytes, length = bytes.length) {
    response.writeHead(status, { 'content-type': 'application/json', 'content-length': length,
        connection: 'close' });
    if (length !== bytes.length) response.write(bytes, () => response.destroy());
    else response.end(bytes);
}
function weightsGive(response, { authorization }, body, answer, bytes) {
    const asked = JSON.parse(body);
    hand.asked.push(asked.offset);
    hand.parts += 1;
    if (authorization.includes(watch.key)) return response.destroy();
    if (hand.mode === 'flip' && asked.offset === PART) bytes[1000] ^= 1;
    if (hand.mode === 'ends' && asked.offset >= 2 * PART) bytes = Buffer.alloc(0);
    if (hand.mode === 'endless')
        return respond(response, 200, Buffer.alloc(PART));
    if (hand.mode === 'cut') return respond(response, answer.statusCode, bytes.subarray(0, 1000),
        bytes.length);
    if (hand.mode === 'stop' && hand.parts > 3) return response.destroy();
    return respond(response, answer.statusCode, bytes);
}
/* The nonce is that of another hour's task. */
function replayed(bytes) {
    const tasks = JSON.parse(bytes);
    tasks.specs = tasks.specs?.map((s) => s.slice(0, 140) + (s[140] === '0' ? '1' : '0') +
        s.slice(141));
    return Buffer.from(JSON.stringify(tasks));
}
function mode(name) {
    Object.assign(hand, { mode: name, asked: [], parts: 0 });
}
await new Promise((done) => { proxy.listen(0, '127.0.0.1', done); });
const endpoint = `127.0.0.1:${proxy.address().port}`;

/* A request as an agent signs it. */
async function asks(keyFile, host, where, body) {
    const seed = Buffer.from(readFileSync(path(keyFile), 'utf8').trim(), 'hex');
    const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
    const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    const who = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32)
        .toString('hex');
    const text = JSON.stringify(body);
    const ts = Date.now();
    const sig = sign(null, Buffer.from(`dojima peer 1\n${where}\n${ts}\n${
        createHash('sha256').update(text).digest('hex')}\n`), key).toString('hex');
    const r = await fetch(`http://${host}${where}`, { method: 'POST', body: text,
        headers: { authorization: `dojima-peer key=${who},ts=${ts},sig=${sig}` } });
    return { status: r.status, bytes: Buffer.from(await r.arrayBuffer()) };
}

const seller_asks = (...what) => asks('deliver/signing.key', `127.0.0.1:${behind}`, ...what);

const own = ['--weights', weights, '--prompts', path('prompts'), '--workload', WORKLOAD,
    '--answer-tokens', String(ANSWER)];
const whole = path(`deliver/weights/${digest}.weights`);
const part = `${whole}.part`;
let seller, gateway, watch;

await test('weights and prompts that the workload cannot take are refused at the start', () => {
    const ends = (args) => {
        try {
            execFileSync(dojima, ['intake', ...args, '--workload', WORKLOAD, '--data',
                path('nothing'), '--url', 'http://127.0.0.1:1'],
            { timeout: 5000, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
        } catch (e) {
            return `${e.status}: ${e.stderr}`;
        }
        return 'no end';
    };
    writeFileSync(path('long'), `1 2 3\n${Array(65).fill(7).join(' ')}\n`);
    writeFileSync(path('beyond'), '1 2 3\n4 4096\n');
    writeFileSync(path('short'), readFileSync(weights).subarray(0, size - 1));
    writeFileSync(path('more'), Buffer.concat([readFileSync(weights), Buffer.alloc(8)]));
    for (const [args, said] of [
        [['--prompts', path('long')], /line 2.*65 tokens.*64/],
        [['--prompts', path('beyond')], /line 2.*4096.*4095/],
        [['--weights', path('short')], /ends within|bytes/],
        [['--weights', path('more')], /bytes/],
        [['--weights', path('none')], /cannot be read/],
        [['--prompts', path('prompts'), '--answer-tokens', '500'], /context/],
    ]) check(/^1: /.test(ends(args)) && said.test(ends(args)), `${args.join(' ')}: ${ends(args)}`);
});

await test('traded, tendered, allotted, the canary answered', async () => {
    await stage.trade();
    gateway = await stage.agent('intake', 'buyer', ['intake', ...stage.intakes(), ...own,
        '--endpoint', endpoint, '--listen', `127.0.0.1:${behind}`]);
    seller = await stage.agent('deliver', 'north', ['deliver', '--resource', 'north-cpu',
        ...stage.tenders()]); /* --test-workloads comes later */
    watch = await stage.agent('watch', 'verifier', ['verify', '--watch', '--samples', '4', '--canaries',
        '1', '--workload', 'gemm-1b', '--sign-key', path('verifier'), '--test-workloads']);
    await stage.ready(seller, gateway);
});

await test('tasks that would count as false are not done', async () => {
    await stage.jump(stage.at(0, 14));
    await stage.until('a test', () => /task 0 is of a workload for tests/.test(seller.log));
    await seller.kill();
    seller.args.push('--test-workloads');
    mode('replayed');
    await seller.start();
    await stage.until('replayed', () => /task 0 is not of this allocation/.test(seller.log));
    equal(hand.asked, [], 'weights asked for');
    await seller.kill();
});

await test('falsified, cut short, too short, endless weights: none is taken for the buyer\'s',
    async () => {
        mode('endless');
        await seller.start();
        const { allocation } = await stage.allocation();
        const hour = Date.parse(stage.at(0, 14)) / 3600000;
        await stage.until('the hour', async () => /* the gateway looks at the venue now and then */
            (await seller_asks('/tasks', { allocation, hour, first: 0, count: 0 })).status === 200);
        const early = await seller_asks('/answers', { allocation, hour, first: 0, answers: [{
            answer: `${'00'.repeat(40)}`, transcript: '00'.repeat(32), flop: 1 }] });
        check(early.status >= 400 && early.status < 500, `an answer unasked: ${early.status}`);
        equal((await seller_asks('/weights', { digest: '00'.repeat(32), offset: 0, size: 10 }))
            .status, 404, 'other weights');
        for (const [offset, count, status] of [[size + 1, 1, 404], [0, PART + 1, 400]])
            equal((await seller_asks('/weights', { digest, offset, size: count })).status, status,
                `${count} bytes at ${offset}`);
        await stage.until('endless', () => /weights: more than/.test(seller.log));
        check(Math.max(...hand.asked) < size, `asked for ${Math.max(...hand.asked)} of ${size}`);
        for (const [name, said] of [['flip', /another digest/], ['ends', /weights: they end/],
            ['cut', /cut off/]]) {
            await seller.kill();
            seller.log = '';
            mode(name);
            await seller.start();
            await stage.until(name, () => said.test(seller.log));
            check(!existsSync(whole), `${name}: there are none`);
        }
        equal(seller.log.includes('receipt'), false, 'no receipt');
    });

await test('the buyer stops half-way, the seller is killed: the transfer goes on where it was',
    async () => {
        await seller.kill();
        execFileSync('rm', ['-f', part]);
        mode('stop');
        await seller.start();
        await stage.until('three parts', () => hand.parts > 5);
        await gateway.kill();
        await sleep(300);
        await seller.kill();
        equal(statSync(part).size, 3 * PART, 'what is there');
        mode('pass');
        await gateway.start();
        await seller.start();
        await stage.until('the weights', () => existsSync(whole));
        check(hand.asked[0] === 3 * PART, `it goes on at ${hand.asked[0]}`);
        equal(hand.asked.length, Math.ceil(size / PART) - 3, 'parts that were still to come');
        equal(createHash('sha256').update(readFileSync(whole)).digest('hex'), digest,
            'the file');
    });

await test('the buyer gets the tokens that these weights give; verified and paid', async () => {
    const { allocation } = await stage.allocation();
    const hour = Date.parse(stage.at(0, 14)) / 3600000;
    await stage.until('a few answers', async () => JSON.parse((await seller_asks('/answers',
        { allocation, hour, first: 0, answers: [] })).bytes).count > 1);
    await seller.kill(); /* with tasks under way */
    await seller.start();
    await stage.until('it goes on', () => seller.log.includes('goes on at task'));
    const { specs } = JSON.parse((await seller_asks('/tasks',
        { allocation, hour, first: 0, count: 1 })).bytes);
    const canary = await asks('verifier', seller.endpoint, '/canary', /* it has the model meanwhile */
        { allocation, hour: 1048576, specs });
    equal([canary.status, canary.bytes.subarray(0, 8).toString()], [200, 'dojproof'], 'a canary');
    await stage.until('the receipt', () => gateway.log.includes('receipt signed'), 180);
    check(seller.log.includes('goes on at task'), 'what was done before the kill stands');
    const [file] = readdirSync(path('intake/answers'));
    const answers = readFileSync(path(`intake/answers/${file}`), 'utf8').trim().split('\n');
    check(answers.length > 100 && answers.length < 400, `${answers.length} answers`);
    equal(answers, local(answers.length), 'tokens');
    await stage.jump(stage.at(0, 15, 1));
    await stage.until('the verdict', async () => (await stage.hour()).outcome !== undefined);
    const h = await stage.hour();
    equal([h.outcome, h.failed, h.sampled], ['ok', 0, 4], 'verdict');
    check(watch.log.includes('weights from the buyer: '), 'the verifier gets none of the buyer');
    check(existsSync(path(`watch/weights/${digest}.weights`)), 'but the same of the seller');
    await stage.jump(stage.at(1, 15));
    const a = await stage.allocation();
    equal(a.state, 'window', 'state');
    check(a.paid >= 2 && a.paid < 2.1, `paid ${a.paid} for a lot at 2`);
    const name = file.replace('.txt', '');
    const said = execFileSync(dojima, ['verify', '--weights', weights,
        path(`intake/receipts/${name}.note`), path(`watch/proofs/${name}-verdict.note`),
        path(`watch/proofs/${name}-hour-0.proof`)], { encoding: 'utf8' });
    check(/test-30m/.test(said), said);
});

await test('a buyer whose weights never come has failed to take (DELIV-02)', async () => {
    await seller.kill();
    await gateway.kill();
    mode('stop');
    gateway.args = gateway.args.map((a) => (a === weights ? path('other') : a));
    const other = readFileSync(weights); /* others: the seller has not got them */
    other[size - 1] = other[size - 1] === 1 ? 2 : 1;
    writeFileSync(path('other'), other);
    await gateway.start();
    await seller.start();
    await stage.ready(seller, gateway, 1);
    await stage.jump(stage.at(7, 14));
    await stage.until('silence', () => /the buyer: .*weights/.test(seller.log));
    await stage.jump(stage.at(7, 14, 31 * 60));
    await stage.until('reference tasks', () => seller.log.includes('reference tasks are done'));
    await stage.until('some', () => existsSync(path('deliver')) && hand.parts > 3);
    await sleep(3000);
    await stage.jump(stage.at(7, 15, 1));
    await stage.until('the claim', () => seller.log.includes("without the buyer's signature"));
    const [, name] = stage.instruments;
    await stage.until('its verdict', async () => (await stage.hour(name)).outcome !== undefined);
    await stage.jump(stage.at(7, 17, 1));
    const h = await stage.hour(name);
    check(h.failure_to_take, `failure to take: ${JSON.stringify(h)}`);
    check(h.work > 0 && h.failed === 0, `work ${h.work}, failed ${h.failed}`);
    for (const a of stage.agents) equal(await a.kill('SIGTERM'), 0, `the end of ${a.name}`);
    await venue.stop();
    proxy.close();
});

finish();
