/* delivery.mjs: a delivery by the agents themselves, each of which is killed by SIGKILL in the middle
 * of the hour: the seller's agent again and again, the buyer's gateway, the venue. The receipt must
 * be whole: every task once, the same on both sides, verified and paid. Prints `N passed, N failed`.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { WebSocket } from 'ws';
import { Stage } from './delivery_lib.mjs';
import { check, dojima, equal, finish, sleep, test } from './lib.mjs';

const LOTS = 3;
const TASK_FLOP = 2 * 1024 * 2048 * 11264; /* of gemm-1b */
const stage = new Stage({ lots: LOTS, count: 3 });
const { venue, flags, agents } = stage;
const [instrument, instrument2, instrument3] = stage.instruments;
const at = (...when) => stage.at(...when);
const path = (name) => stage.path(name);
const jump = (when) => stage.jump(when);
const until = (...what) => stage.until(...what);
const allocation = (name) => stage.allocation(name);
const times = (a, text) => a.times(text);

/* ---- the venue, up to the hour ---- */
let seller, gateway;
await test('certified, traded, tendered, allotted, in escrow, the canary answered', async () => {
    await stage.trade();
    gateway = await stage.agent('intake', 'buyer', ['intake', ...stage.intakes(), '--workload',
        'gemm-1b']);
    seller = await stage.agent('deliver', 'north', ['deliver', '--resource', 'north-cpu',
        ...stage.tenders(), '--threads', '1']);
    await stage.agent('watch', 'verifier', ['verify', '--watch', '--samples', '3', '--canaries',
        '1', '--workload', 'gemm-1b', '--sign-key', path('verifier')]);
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
    const second = () => allocation(instrument2);
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
    const third = () => allocation(instrument3);
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
