/* delivery_resale.mjs: a buyer does not take its first hour; a later one is resold while the agents
 * run, and the seller's delivers it to the new buyer's gateway (DELIV-05). Prints `N passed, N
 * failed`.
 */
import { Stage } from './delivery_lib.mjs';
import { check, equal, finish, sleep, test } from './lib.mjs';

/* Metered after half an hour, sold within ten minutes: two of four hours are for sale. */
const stage = new Stage({ lots: 1, hours: 4,
    delivery: { meter_seconds: 1800, buy_in_seconds: 600, make_up_seconds: 0 } });
const { venue, keys } = stage;
const CT = 1e-6; /* a lot's hour */
let seller, gateway, studio, sold;

const all = async () => venue.call('private/get_allocations', {}, venue.officer);
const by_id = async (id) => (await all()).find((a) => a.allocation === id);
const hours_of = async (allocation) =>
    (await venue.call('public/get_delivery', { allocation })).hours;
const cash = async (account) =>
    (await venue.call('private/get_account_summary', { account }, venue.officer)).cash;

await test('a buyer is gone: its seller does reference tasks, and is paid for them', async () => {
    await stage.trade();
    keys.studio = venue.key('studio', 'read,trade');
    await sleep(1100);
    await stage.officers('private/officer_create_account', { account: 'studio', member: 'm_s' });
    await stage.officers('private/officer_deposit',
        { account: 'studio', asset: 'USD', amount: 1000 });
    gateway = await stage.agent('intake', 'buyer', ['intake', ...stage.intakes(), '--workload',
        'gemm-1b']);
    studio = await stage.agent('standing', 'studio', ['intake', '--standing', '--workload',
        'gemm-1b']);
    seller = await stage.agent('deliver', 'north', ['deliver', '--resource', 'north-cpu',
        ...stage.tenders()]);
    await stage.agent('watch', 'verifier', ['verify', '--watch', '--samples', '3', '--canaries',
        '1', '--workload', 'gemm-1b', '--sign-key', stage.path('verifier')]);
    await stage.ready(seller, gateway);
    check(studio.log.includes('the standing intake is filed'), studio.log);
    await gateway.kill();
    await stage.jump(stage.at(0, 14));
    await stage.until('silence', () => seller.log.includes('the buyer: no connection'));
    await stage.jump(stage.at(0, 14, 31 * 60));
    await stage.until('reference tasks', () => seller.log.includes('reference tasks are done'));
    await sleep(2000);
    await stage.jump(stage.at(0, 15, 1));
    await stage.until('the claim', () => seller.log.includes("without the buyer's signature"));
    await stage.until('its verdict', async () => (await stage.hour()).outcome !== undefined);
    await stage.jump(stage.at(0, 15, 30 * 60 + 1));
    check((await stage.hour()).failure_to_take, 'failure to take');
});

await test('what is to come is for sale; an award is an allocation with the same seller', async () => {
    const first = (await all()).find((a) => a.of === undefined);
    equal([first.state, first.on_sale], ['ready', true], 'for sale');
    const { hours, kind } = await venue.call('public/get_spot_auction',
        { auction: first.auction });
    equal([kind, ...hours.map((h) => h.offered)], ['resale', CT, CT], 'what is offered');
    await venue.call('private/spot_bid', { auction: first.auction, side: 'buy', hours: [0],
        price: 1500000, amount: CT }, keys.studio);
    await stage.jump(stage.at(0, 15, 42 * 60));
    sold = (await all()).find((a) => a.of === first.allocation);
    equal([sold.state, sold.resold, sold.buyer, sold.seller, sold.price, sold.resale_price],
        ['ready', true, 'studio', 'north', 2000000, 1500000], 'resold');
    const hour = (await hours_of(first.allocation))[2];
    equal([hour.state, hour.work_due, hour.resold], ['metered', 0, true], 'it has left the first');
});

await test("the seller's agent delivers it to the new buyer's gateway", async () => {
    await stage.jump(stage.at(0, 16));
    await stage.until('the receipt', () => studio.log.includes('receipt signed'), 120);
    await stage.jump(stage.at(0, 17, 1));
    await stage.until('its verdict', async () =>
        (await hours_of(sold.allocation))[0].outcome === 'ok');
    const left = (await hours_of(sold.of))[2];
    equal([left.tasks, left.work_claimed], [0, 0], 'nothing is claimed of what has left');
    check(!seller.log.includes('is refused'), 'and nothing refused');
    const before = await cash('studio');
    await stage.jump(stage.at(1, 12, 1));
    const { paid, state } = await by_id(sold.allocation);
    equal(state, 'window', 'state');
    check(paid > 1.99 && paid < 2.05, `paid ${paid} for a lot at 2`);
    /* Its margin was 1.53; what is over within tolerance is at the reference price of 2. */
    const own = 1.53 - ((await cash('studio')) - before);
    check(Math.abs(own - (paid - 0.5)) < 0.001, `of ${paid} the new buyer has paid ${own}`);
    await venue.stop();
});

finish();
