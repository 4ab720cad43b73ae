/* run.mjs: the trading page in Chromium against `dojima serve --demo`. A human's way through it:
 * look, sign in, place, edit, cancel, be refused, trade, lose the connection, come back.
 *
 *   DOJIMA=path/to/dojima node run.mjs [--shots DIR] [--url URL]
 *
 * Prints what failed and `N passed, N failed`; a screenshot of a failure is left in --shots.
 * Everything is bounded: a minute and a half at the most.
 */
import { chromium } from 'playwright-core';
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, Node, sleep } from './node.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const program = process.env.DOJIMA ?? join(here, '../../build/dojima');
const browserPath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const option = (name) => {
    const at = process.argv.indexOf(name);
    return at < 0 ? undefined : process.argv[at + 1];
};
const shots = option('--shots');
const TIME_MS = 90000;
const INSTRUMENT = process.env.DOJIMA_INSTRUMENT;

let passed = 0;
let failed = 0;
let page;
const errors = [];     /* of the console, the page, the policy */
let disconnected = false; /* while the node is down, failed connections are no errors */

async function shot(name) {
    if (shots === undefined) return;
    mkdirSync(shots, { recursive: true });
    await page.screenshot({ path: join(shots, name + '.png') });
}

async function test(name, body) {
    try {
        await body();
        passed += 1;
    } catch (e) {
        failed += 1;
        console.log(`not ok ${name}\n    ${String(e.message ?? e).replaceAll('\n', '\n    ')}`);
        await shot('failed-' + name.replace(/\W+/g, '-')).catch(() => undefined);
    }
}

/* Waits until the page's own state makes `predicate` true. */
async function until(what, predicate, ms = 6000) {
    const end = Date.now() + ms;
    for (;;) {
        const value = await predicate();
        if (value) return value;
        if (Date.now() > end) throw new Error('not seen in time: ' + what);
        await sleep(60);
    }
}

const text = async (selector) => (await page.locator(selector).first().textContent())?.trim() ?? '';
const count = (selector) => page.locator(selector).count();
const numeric = (s) => Number(s.replaceAll(',', '').replace('−', '-'));

async function ladder(side) {
    return page.locator(`#l-${side} .l-row:not(.empty)`).evaluateAll((rows) => rows.map((row) => {
        const at = (name) => Number(row.querySelector(name).textContent
            .replaceAll(',', '').replace('−', '-'));
        return { price: at('.price'), size: at('.size'), total: at('.total') };
    }));
}

const best = {
    bid: async () => (await ladder('bids'))[0]?.price,
    ask: async () => (await ladder('asks')).at(-1)?.price,
};

async function look(node) {
    await test('the page is served compressed, under a strict policy', async () => {
        const response = await fetch(node.url);
        const policy = response.headers.get('content-security-policy') ?? '';
        assert.match(policy, /default-src '(self|none)'/);
        assert.match(policy, /connect-src [^;]*'self'/);
        assert.doesNotMatch(policy, /unsafe|\*|https?:/);
        assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
        const script = await fetch(node.url + 'main.js', { headers: { 'accept-encoding': 'gzip' } });
        assert.equal(script.headers.get('content-encoding'), 'gzip');
        const etag = script.headers.get('etag');
        const again = await fetch(node.url + 'main.js', { headers: { 'if-none-match': etag } });
        assert.equal(again.status, 304);
        assert.equal((await fetch(node.url + '../keys')).status, 404);
    });
    await test('it connects, and the sequence number grows', async () => {
        await until('Live', async () => await text('#s-text') === 'Live');
        const first = await until('seq', async () => numeric((await text('#s-seq')).slice(4)));
        await until('a later seq', async () => numeric((await text('#s-seq')).slice(4)) > first);
        await until('latency', async () => /ms$/.test(await text('#s-latency')));
    });
    await test('instruments are listed with prices', async () => {
        await until('ten instruments', async () => await count('#m-rows tr') >= 10);
        await until('last prices', async () => await page.locator('#m-rows tr td:nth-child(2)')
            .evaluateAll((cells) => cells.filter((c) => c.textContent !== '–').length) >= 5, 12000);
    });
    if (INSTRUMENT !== undefined) await page.click(`#m-rows tr[title="${INSTRUMENT}"]`);
    await test('the ladder is live, ordered and not crossed', async () => {
        await until('both sides', async () => (await ladder('bids')).length >= 3
            && (await ladder('asks')).length >= 3);
        const seen = new Set();
        await until('four different books', async () => {
            const [bids, asks] = [await ladder('bids'), await ladder('asks')];
            seen.add(JSON.stringify([bids, asks]));
            return seen.size >= 4;
        });
        const book = await page.evaluate(() => {
            const read = (id) => [...document.querySelectorAll(`#${id} .l-row:not(.empty) .price`)]
                .map((n) => Number(n.textContent.replace('−', '-')));
            return { bids: read('l-bids'), asks: read('l-asks') };
        });
        const all = [...book.asks, ...book.bids];
        assert.deepEqual(all, [...all].sort((a, b) => b - a), 'prices fall from top to bottom');
        const bids = await ladder('bids');
        assert.equal(bids[0].total, bids[0].size);
        assert.match(await text('#l-spread'), /spread .* tick/);
    });
    await test('the header tells settlement and daily limits, the ladder what is implied', async () => {
        await until('a settlement price', async () => numeric(await text('#q-settlement')) > 0);
        const limits = await until('limits', async () =>
            /^([\d.]+) – ([\d.]+)$/.exec(await text('#q-limits')));
        const settled = numeric(await text('#q-settlement'));
        assert.ok(limits[1] < settled && settled < limits[2], limits[0]);
        await until('an implied part', async () => await count('.l-row.implied') >= 1, 15000);
        const part = page.locator('.l-row.implied').first();
        assert.match(await part.locator('.size').getAttribute('title') ?? '1 of 1 implied',
            /^[\d,]+ of [\d,]+ implied$/);
    });
    await test('trades reach the tape and the chart', async () => {
        await until('three trades', async () => await count('#t-rows tr') >= 3, 15000);
        assert.match(await text('#c-legend'), /^O [\d.−-]+ +H/);
        assert.ok(await count('#c-canvas canvas') >= 2);
        assert.equal(await count('#tv-attr-logo'), 1, 'the chart library is attributed');
    });
}

async function keys() {
    await test('the keyboard finds its way', async () => {
        const all = await count('#m-rows tr');
        await page.keyboard.press('/');
        await page.keyboard.type('spread');
        await until('fewer', async () => await count('#m-rows tr') < all);
        await page.keyboard.press('Escape');
        await until('all again', async () => await count('#m-rows tr') === all);
        const before = await text('#q-name');
        await page.keyboard.press(']');
        await until('the next', async () => await text('#q-name') !== before);
        await page.keyboard.press('[');
        await until('back', async () => await text('#q-name') === before);
        await page.keyboard.press('?');
        assert.equal(await page.locator('#d-help').evaluate((d) => d.open), true);
        await page.keyboard.press('Escape');
        await page.keyboard.press('s');
        assert.match(await text('#k-submit'), /Sign in/);
        assert.equal(await page.locator('#k-sell').getAttribute('aria-pressed'), 'true');
        await page.keyboard.press('Escape');
        await page.keyboard.press('b');
        await page.keyboard.press('Escape');
    });
}

async function signIn() {
    await test('a wrong key is refused in words', async () => {
        await page.click('#b-account');
        await page.fill('#d-id', 'nobody');
        await page.fill('#d-secret', 'nothing');
        await page.locator('#d-sign button[type=submit]').click();
        await until('the refusal', async () => (await text('#d-sign .fault')).length > 5);
        assert.equal(await page.locator('#d-sign').evaluate((d) => d.open), true);
    });
    await test('the guest signs in', async () => {
        await page.click('#d-guest');
        await until('signed in', async () => await text('#b-account') !== 'Sign in');
        await page.click('[data-tab=balances]');
        await until('equity', async () => /Equity[\d,.]+ USD/.test(await text('#b-body')));
        await page.click('[data-tab=orders]');
        assert.equal(await text('#b-body'), 'No working orders.');
    });
}

async function placed(price, amount) {
    await page.fill('#k-amount', String(amount));
    await page.fill('#k-price', price);
    await page.click('#k-submit');
}

async function ticket(places, tick) {
    const at = (price) => price.toFixed(places);
    const row = '#b-body tr[data-order]';
    await test('what is off the tick, or no whole lot, does not leave the ticket', async () => {
        await page.click('#k-buy');
        await placed((await best.bid() + tick / 2).toFixed(places + 1), 3);
        assert.match(await text('#k-price-fault'), /multiple of the tick/);
        await placed(at(await best.bid()), 1.5);
        assert.match(await text('#k-amount-fault'), /Whole lots/);
        await sleep(300);
        assert.equal(await count(row), 0);
    });
    await test('a press on a price fills the ticket, with what it would cost', async () => {
        await page.locator('#l-bids .l-row .price').nth(2).click();
        const price = await page.inputValue('#k-price');
        assert.match(price, /^\d+\.\d+$/);
        await page.fill('#k-amount', '3');
        await until('notional', async () => /Notional[\d,.]+ USD/.test(await text('.preview')));
        await until('margin', async () => /Margin added[\d,.]+ USD/.test(await text('.preview')));
    });
    await test('an order is placed, and seen in the list and on the ladder', async () => {
        await page.check('#k-post');
        await placed(at(await best.bid() - 5 * tick), 3);
        await until('my order', async () => await count(row) === 1);
        assert.match(await text(row), /buy.*limit.*3/);
        await until('the mark', async () => await count('#l-bids .l-row.own') >= 1);
        await shot('order');
    });
    await test('it is edited', async () => {
        await page.locator(row + ' button', { hasText: 'Edit' }).click();
        await page.locator(row + ' input[aria-label=Amount]').fill('5');
        await page.keyboard.press('Enter');
        await until('five', async () => await text(row + ' td:nth-child(6)') === '5');
    });
    await test('it is cancelled', async () => {
        await page.locator(row + ' button', { hasText: 'Cancel' }).click();
        await until('no order', async () => await text('#b-body') === 'No working orders.');
        await page.uncheck('#k-post');
    });
    await test('a refusal is said in a sentence, with its rule', async () => {
        await placed('99', 1);
        await until('the sentence', async () => /price band/.test(await text('#k-refusal p')));
        assert.match(await text('#k-refusal small'), /GUARD-01.*price_out_of_band/);
        await shot('refused');
        await placed(at(await best.bid() - 40 * tick), 900000);
        await until('limit', async () => /GUARD-07/.test(await text('#k-refusal small')));
        await placed(at(await best.bid() - 40 * tick), 9000);
        await until('margin', async () => /CLEAR-08/.test(await text('#k-refusal small')));
    });
    await test('a trade makes a position, a fill and a balance', async () => {
        await page.selectOption('#k-type', 'market');
        await page.fill('#k-amount', '2');
        await page.click('#k-submit');
        await page.click('[data-tab=positions]');
        const name = await text('#q-name');
        await until('the position', async () => (await text('#b-body')).includes(name + '+2'));
        await page.click('[data-tab=fills]');
        await until('the fill', async () => /buy.*taker/.test(await text('#b-body')));
        await page.selectOption('#k-type', 'limit');
        await page.click('[data-tab=orders]');
    });
}

/* Every type, with the fields that it shows; prices at which nothing happens at once. */
async function types(places, tick) {
    const at = (price) => price.toFixed(places);
    const away = async (steps) => at(await best.bid() + steps * tick);
    const every = {
        limit: async () => {
            await page.fill('#k-price', await away(-50));
            await page.fill('#k-show', '2');
        },
        stop_limit: async () => {
            await page.fill('#k-trigger', await away(200));
            await page.fill('#k-price', await away(210));
        },
        stop_market: async () => page.fill('#k-trigger', await away(200)),
        take_limit: async () => {
            await page.fill('#k-trigger', await away(-200));
            await page.fill('#k-price', await away(-190));
        },
        take_market: async () => page.fill('#k-trigger', await away(-200)),
        trailing_stop: async () => page.fill('#k-offset', at(200 * tick)),
        pegged: async () => page.fill('#k-offset', '-30'),
    };
    await test('every type that waits is understood and listed as what it is', async () => {
        await page.click('#k-buy');
        await page.fill('#k-amount', '6');
        let orders = 0;
        for (const [type, fill] of Object.entries(every)) {
            await page.selectOption('#k-type', type);
            await fill();
            await page.click('#k-submit');
            orders += 1;
            const words = type.replaceAll('_', ' ');
            await until(`${type}: ${await text('#k-refusal')}`, async () =>
                await count('#b-body tr[data-order]') === orders
                && (await text('#b-body')).includes(words), 3000);
        }
        assert.match(await text('#b-body'), /iceberg 2/);
        await shot('types');
    });
    await test('every time in force is understood', async () => {
        await page.selectOption('#k-type', 'limit');
        await page.fill('#k-show', '');
        const orders = await count('#b-body tr[data-order]');
        await page.fill('#k-price', await away(-50));
        await page.selectOption('#k-tif', 'good_til_date');
        await page.fill('#k-expires', '2031-01-01T00:00');
        await page.click('#k-submit');
        await page.locator('#b-body', { hasText: 'GTD' }).waitFor();
        await page.selectOption('#k-tif', 'good_til_day');
        await page.click('#k-submit');
        await page.locator('#b-body', { hasText: 'Day' }).waitFor();
        assert.equal(await count('#b-body tr[data-order]'), orders + 2);
        for (const tif of ['immediate_or_cancel', 'fill_or_kill']) {
            await page.selectOption('#k-tif', tif);
            await page.click('#k-submit');
            await page.locator('.toast', { hasText: 'nothing of' }).last().waitFor();
        }
        await page.selectOption('#k-tif', 'at_the_opening');
        await page.click('#k-submit');
        await until('its rule', async () => /MATCH-02/.test(await text('#k-refusal small')));
        await page.selectOption('#k-tif', 'good_til_cancelled');
    });
    await test('all are cancelled by one key', async () => {
        await page.locator('#k-type').blur();
        await page.locator('#l-mid').click();
        await page.keyboard.press('Shift+X');
        await until('none', async () => await text('#b-body') === 'No working orders.');
    });
}

async function halts(node) {
    await test('a halt is shown with its reason, and its end', async () => {
        const product = (await text('#q-name')).split('-')[0];
        const state = (to, reason) =>
            node.officer('private/officer_set_state', { product, state: to, reason });
        await state('halted', 'news is awaited');
        await until('halted', async () => await text('#q-state') === 'halted');
        await until('why', async () => (await text('#q-halt')).startsWith('news is awaited'));
        await shot('halted');
        await state('auction', 'news is out');
        await until('auction', async () => await text('#q-state') === 'auction');
        await until('until when', async () =>
            /until \d\d:\d\d:\d\d UTC/.test(await text('#q-halt')));
        await shot('auction');
        const asked = await state('open', 'all is known'); /* before its time: two officers */
        await node.officer('private/officer_confirm', { request: asked.request }, 'officer2');
        await until('open', async () => await text('#q-state') === 'open');
        assert.equal(await text('#q-halt'), '');
    });
}

async function reconnects(node, places, tick) {
    await test('a killed node comes back, and the page with it: order and position are there',
        async () => {
            const row = '#b-body tr[data-order]';
            await placed((await best.bid() - 60 * tick).toFixed(places), 4);
            await until('my order', async () => await count(row) === 1);
            const order = await page.locator(row).getAttribute('data-order');
            disconnected = true;
            await node.stop('SIGKILL');
            await until('Reconnecting', async () => await text('#s-text') === 'Reconnecting');
            await node.start();
            await until('Live', async () => await text('#s-text') === 'Live', 12000);
            await until('the order', async () => await count(row) === 1
                && await page.locator(row).getAttribute('data-order') === order);
            await until('the book', async () => (await ladder('bids')).length >= 3, 12000);
            disconnected = false;
            await page.click('[data-tab=positions]');
            const name = await text('#q-name');
            await until('the position', async () => (await text('#b-body')).includes(name + '+2'));
            await page.click('[data-tab=orders]');
        });
}

async function views() {
    await test('light and dark', async () => {
        await shot('dark');
        const colour = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
        const dark = await colour();
        await page.keyboard.press('Escape');
        await page.click('#b-theme');
        assert.notEqual(await colour(), dark);
        await sleep(300);
        await shot('light');
        await page.click('#b-theme');
    });
    await test('on a phone every section fits its width', async () => {
        await page.setViewportSize({ width: 390, height: 844 });
        for (const section of ['markets', 'chart', 'book', 'trade', 'orders']) {
            await page.click(`#pages [data-page=${section}]`);
            await sleep(250);
            const width = await page.evaluate(() => document.scrollingElement.scrollWidth);
            assert.ok(width <= 390, `${section} is ${width} wide`);
            const shown = page.locator(`main > [data-section=${section}]`).first();
            assert.ok(await shown.isVisible(), section);
            await shot('phone-' + section);
        }
        await page.setViewportSize({ width: 1280, height: 800 });
    });
}

/* A product of hours, an auction that closes in some seconds, bids of two. */
async function spotMarket(node) {
    const officers = async (method, params) => {
        const r = await node.officer(method, params);
        if (r.state === 'awaiting')
            await node.officer('private/officer_confirm', { request: r.request }, 'officer2');
    };
    await officers('private/officer_create_product', { product: 'CTS', kind: 'future',
        contract_unit: 'hour', contract_size: 1, settlement: 'physical', tick_size: '0.001',
        matching: { algorithm: 'fifo' }, price_floor: 0, price_band: 1, protection_points: '0.5',
        flat_margin: '0.01', guards: { breaker_percent: 100, velocity_ticks: 100000,
            limit_percent: [100, 200, 300], auction_random_seconds: 5 },
        spot: { auction: false, price_min: 0, price_max: 100 } });
    for (const account of ['sue', 'tom']) {
        await officers('private/officer_create_account', { account, member: `m_${account}` });
        await officers('private/officer_deposit', { account, asset: 'USD', amount: 100000 });
    }
    const noon = new Date(Date.now() + 172800000).toISOString().slice(0, 11);
    const open = (closes) => officers('private/officer_open_spot', { product: 'CTS', hours: 24,
        start: `${noon}00:00:00Z`, closes_at: new Date(closes).toISOString().slice(0, 19) + 'Z' });
    await node.as('sue', 'private/get_account_summary', { currency: 'USD' });
    await node.as('tom', 'private/get_account_summary', { currency: 'USD' });
    await open(Date.now() + 7000);
    const bids = [];
    for (let h = 0; h < 24; h += 1) {
        const price = 2 + 0.6 * Math.sin((h - 8) / 24 * 2 * Math.PI) + (h > 16 && h < 21 ? 0.5 : 0);
        bids.push(node.as('sue', 'private/spot_bid', { product: 'CTS', side: 'buy', hours: [h],
            curve: [[(price + 0.2).toFixed(3), 40 + h], [(price - 0.1).toFixed(3), 30]] }));
        if (h !== 3) bids.push(node.as('tom', 'private/spot_bid', { product: 'CTS', side: 'sell',
            hours: [h], curve: [[(price - 0.3).toFixed(3), 50 + 3 * h % 17], [price.toFixed(3), 40]] }));
    }
    await Promise.all(bids);
}

async function spot(node) {
    await test('the day-ahead auction is shown in the chart\'s place, and its result as it comes', async () => {
        assert.ok(!await page.locator('#c-spot').isVisible(), 'nothing to show yet');
        await spotMarket(node);
        await page.reload();
        await page.locator('#c-spot').waitFor({ state: 'visible' });
        await page.click('#c-spot');
        assert.ok(!await page.locator('#c-canvas').isVisible());
        await until('open', async () => /^bids until \d\d:\d\d UTC · 94 hourly, 0 block$/
            .test(await text('#sp-state')));
        assert.equal(await count('#sp-rows tr'), 0, 'sealed: no hours yet');
        await until('the result', async () => await text('#sp-state') === 'cleared', 15000);
        const rows = await page.locator('#sp-rows tr').evaluateAll((all) =>
            all.map((row) => [...row.cells].map((c) => c.textContent)));
        assert.equal(rows.length, 24);
        const { hours } = await node.ask('public/get_spot_auction', { product: 'CTS' });
        assert.deepEqual(rows.map((r) => r[1]), hours.map((h) =>
            h.price === null ? '–' : h.price.toFixed(3)));
        assert.deepEqual(rows.map((r) => r[2]), hours.map((h) => h.amount ? String(h.amount) : '–'));
        assert.deepEqual(rows[3], ['03–04', '–', '–'], 'nothing was sold in that hour');
        const lots = hours.reduce((sum, h) => sum + h.amount, 0);
        assert.ok((await text('#sp-result')).includes(`${lots.toLocaleString('en-US')} lots`));
        assert.equal(await text('#sp-title'), 'CTS day-ahead');
        assert.ok(await count('#sp-chart canvas') >= 2);
        await sleep(300);
        await shot('spot');
        await page.click('#b-theme');
        await sleep(300);
        await shot('spot-light');
        await page.click('#b-theme');
    });
    await test('on a phone too; and the chart comes back', async () => {
        await page.setViewportSize({ width: 390, height: 844 });
        await page.click('#pages [data-page=chart]');
        await sleep(300);
        assert.ok(await page.evaluate(() => document.scrollingElement.scrollWidth) <= 390);
        await shot('phone-spot');
        await page.setViewportSize({ width: 1280, height: 800 });
        await page.click('#c-spot');
        assert.ok(await page.locator('#c-canvas').isVisible());
        assert.ok(!await page.locator('#spot').isVisible());
    });
}

async function all(node, context) {
    page = context.pages()[0] ?? await context.newPage();
    page.setDefaultTimeout(5000);
    page.on('console', (m) => {
        if (m.type() !== 'error') return;
        const connection = /WebSocket|ERR_CONNECTION|Failed to load resource.*demo\/key/;
        if (disconnected && connection.test(m.text())) return;
        errors.push('console: ' + m.text());
    });
    page.on('pageerror', (e) => errors.push('page: ' + e.message));
    await page.addInitScript(() => document.addEventListener('securitypolicyviolation',
        (e) => console.error(`policy: ${e.violatedDirective} ${e.blockedURI}`)));
    await page.goto(node.url);
    await look(node);
    await keys();
    await signIn();
    const price = await text('#l-bids .l-row .price');
    const places = price.split('.')[1]?.length ?? 0;
    const tick = Number(await page.locator('#l-group option').first().textContent());
    await ticket(places, tick);
    await types(places, tick);
    await views();
    await halts(node);
    await spot(node);
    await reconnects(node, places, tick);
    await test('no error on the console, none of the policy', async () => {
        assert.deepEqual(errors, []);
    });
    await test('told to end, the node ends, and says so with 0', async () => {
        disconnected = true;
        assert.equal(await node.stop(), 0);
    });
}

async function main() {
    if (!existsSync(program) || !existsSync(browserPath)) {
        console.log(`missing: ${existsSync(program) ? browserPath : program}`);
        console.log('0 passed, 1 failed');
        return 1;
    }
    const directory = mkdtempSync(join(tmpdir(), 'dojima-browser-'));
    const node = new Node(program, join(directory, 'data'), await freePort(), []);
    mkdirSync(node.directory);
    let context;
    const watchdog = setTimeout(() => {
        console.log(`not ok: over ${TIME_MS / 1000} s`);
        console.log(`${passed} passed, ${failed + 1} failed`);
        node.child?.kill('SIGKILL');
        process.exit(1);
    }, TIME_MS);
    try {
        await node.start();
        context = await chromium.launchPersistentContext(join(directory, 'profile'), {
            executablePath: browserPath, headless: true, viewport: { width: 1280, height: 800 },
            args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
                '--disable-background-networking', '--disable-component-update', '--disable-sync'],
        });
        await all(node, context);
    } catch (e) {
        failed += 1;
        console.log(`not ok: ${e.stack}`);
    } finally {
        clearTimeout(watchdog);
        await context?.close().catch(() => undefined);
        await node.stop();
        rmSync(directory, { recursive: true, force: true });
    }
    if (failed > 0 && node.output !== '') console.log('the node said:\n' + node.output.slice(-2000));
    console.log(`${passed} passed, ${failed} failed`);
    return failed === 0 ? 0 : 1;
}

process.exit(await main());
