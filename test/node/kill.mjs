/* kill.mjs [CYCLES]: eight connections send orders with a client_order_id each; the node is killed
 * by SIGKILL in the middle of it, again and again. After every start each order that was
 * acknowledged is there, once, and each that was not is there once or not at all.
 *
 * How it is seen: (1) a repeat of the same request is answered with the first answer's order_id;
 * (2) no two requests have one order_id; (3) an order's serial (order_id / 2^24) counts the orders
 * that ever entered, so the highest serial is the number of accepted requests; (4) positions sum
 * to zero. Prints `N passed, N failed`. */
import WebSocket from 'ws';
import { Venue, check, equal, finish, sleep, test } from './lib.mjs';
const cycles = Number(process.argv[2] ?? 20);
const CONNECTIONS = 8;
const OUTSTANDING = 4;
const flags = ['--no-history', '--quiet'];

const venue = new Venue();
await venue.start({ flags });
await venue.prepare(['alice', 'bob'], 1000000000);
const keys = [venue.key('alice', 'read,trade'), venue.key('bob', 'read,trade')];
await sleep(1100);

let serial = 0;
let lost = 0;
let doubled = 0;
let acknowledged = 0;
let unanswered = 0;
const orders = new Map(); /* client_order_id -> order_id */
const taken = new Map();  /* order_id -> client_order_id */

class Client {
    constructor(index) {
        this.index = index;
        this.side = index % 2;
        this.pending = new Map(); /* client_order_id -> params */
        this.waiting = new Map();
        this.next = 0;
    }

    open() {
        return new Promise((done, fail) => {
            this.ws = new WebSocket(venue.ws);
            this.ws.on('error', fail);
            this.ws.on('open', async () => {
                this.ws.on('error', () => undefined);
                const key = keys[this.side];
                const m = await this.call('public/auth', { grant_type: 'client_credentials',
                    client_id: key.client_id, client_secret: key.client_secret });
                if (m.error) fail(new Error(JSON.stringify(m.error)));
                else done();
            });
            this.ws.on('message', (d) => {
                const m = JSON.parse(d);
                const w = this.waiting.get(m.id);
                this.waiting.delete(m.id);
                w?.(m);
            });
            this.ws.on('close', () => { this.waiting.clear(); });
        });
    }

    call(method, params) {
        const id = this.next += 1;
        this.ws.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
        return new Promise((r) => this.waiting.set(id, r));
    }

    enter(params) {
        return this.call(this.side === 0 ? 'private/buy' : 'private/sell', params);
    }

    /* Keeps some orders under way until the connection dies. */
    load() {
        const more = () => {
            if (this.ws.readyState !== 1) return;
            const id = `o${serial += 1}`;
            const params = { instrument_name: 'CTF-2027M03', type: 'limit', amount: 1 + serial % 3,
                price: `2.00${serial % 5}`, client_order_id: id };
            this.pending.set(id, params);
            this.enter(params).then((m) => {
                if (m.error !== undefined) throw new Error(JSON.stringify(m.error));
                this.pending.delete(id);
                acknowledged += 1;
                note(id, m.result.order.order_id);
                this.acked.push([id, params]);
                more();
            });
        };
        this.acked = [];
        for (let i = 0; i < OUTSTANDING; i++) more();
    }

    /* Asks again for everything of the last cycle. */
    async verify() {
        for (const [id, params] of this.acked) {
            const m = await this.enter(params);
            if (m.result?.order?.order_id !== orders.get(id)) {
                lost += 1;
                console.log(`LOST ${id}: ${JSON.stringify(m).slice(0, 300)}`);
            }
        }
        unanswered += this.pending.size;
        for (const [id, params] of this.pending) {
            const m = await this.enter(params);
            if (m.error !== undefined) throw new Error(JSON.stringify(m.error));
            note(id, m.result.order.order_id);
        }
        this.pending.clear();
    }
}

function note(id, order) {
    if (taken.has(order)) {
        doubled += 1;
        console.log(`ONE ORDER FOR TWO ${order}: ${id} and ${taken.get(order)}`);
    }
    taken.set(order, id);
    orders.set(id, order);
}

async function cycle(n) {
    const clients = Array.from({ length: CONNECTIONS }, (_, i) => new Client(i));
    await Promise.all(clients.map((c) => c.open()));
    for (const c of clients) c.load();
    await sleep(20 + Math.random() * 150);
    await venue.stop('SIGKILL');
    await sleep(5);
    await venue.start({ flags });
    await Promise.all(clients.map((c) => c.open()));
    await Promise.all(clients.map((c) => c.verify()));
    const highest = [...taken.keys()].reduce((a, b) => (BigInt(a) > BigInt(b) ? BigInt(a) : BigInt(b)), 0n);
    equal(Number(highest >> 24n), orders.size, `cycle ${n}: orders that ever entered`);
    for (const c of clients) c.ws.terminate();
}

const started = Date.now();
await test(`${cycles} kills: nothing acknowledged is lost, nothing is done twice`, async () => {
    for (let n = 1; n <= cycles; n++) await cycle(n);
    equal([lost, doubled], [0, 0], 'lost and doubled');
    check(acknowledged > cycles, 'there was a load');
});

await test('positions sum to zero', async () => {
    let sum = 0;
    for (const key of keys) {
        for (const p of await venue.call('private/get_positions', { currency: 'any' }, key))
            sum += p.size;
    }
    equal(sum, 0, 'sum');
});

await test('a clean end, and the same state after it', async () => {
    const before = (await venue.call('public/get_state_hash')).hash;
    equal(await venue.stop(), { code: 0, signal: null }, 'exit');
    await venue.start({ flags, config: false });
    equal((await venue.call('public/get_state_hash')).hash, before, 'state hash');
    await venue.stop();
});
console.log(`${cycles} kills in ${((Date.now() - started) / 1000).toFixed(1)} s: ${acknowledged} `
    + `orders acknowledged, ${unanswered} under way when killed, ${lost} lost, ${doubled} doubled`);
finish();
