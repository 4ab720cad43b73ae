/* read.ts: from the wire's objects to the page's. Missing fields become null, never NaN. */
import { placesOf } from './decimal.ts';
import {
    list, number, object, readSide, text,
    type Account, type Fill, type Halt, type Instrument, type Json, type Order, type Position,
    type Product, type SpotAuction, type Ticker, type Trade,
} from './types.ts';

const BLOCKS: Record<string, string> = { PK: 'Peak', OP: 'Off-peak' };
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const PERIOD = /^(\d{2})(\d{2})(?:(Q\d)|(W\d{2})|M(\d{2})|D(\d{2})(\d{2})(?:H(\d{2}))?)?$/;

/* 2027M03 -> Mar 27, 2027Q1 -> Q1 27, 2027W07 -> W07 27, 2027D0315H07 -> 15 Mar 07h; -PK: Peak. */
export function periodText(period: string): string {
    const [first = '', block = ''] = period.split('-');
    const m = PERIOD.exec(first);
    if (m === null) return period;
    const year = ' ' + (m[2] ?? '');
    let name = 'Cal' + year;
    if (m[3] !== undefined) name = m[3] + year;
    if (m[4] !== undefined) name = m[4] + year;
    if (m[5] !== undefined) name = (MONTHS[Number(m[5]) - 1] ?? m[5]) + year;
    if (m[6] !== undefined)
        name = `${m[7] ?? ''} ${MONTHS[Number(m[6]) - 1] ?? m[6]}` + (m[8] ? ` ${m[8]}h` : year);
    return name + (BLOCKS[block] !== undefined ? ' ' + BLOCKS[block] : '');
}

/* Dec 26, Jan 27 -> Dec 26/Jan 27; Jan 27, Feb 27 -> Jan/Feb 27. */
function sameYear(a: string, b: string): string {
    const year = a.slice(-3);
    return (b.endsWith(year) ? a.slice(0, -3) : a) + '/' + b;
}

function describe(name: string, spread: boolean): { product: string; period: string } {
    const dash = name.indexOf('-');
    const product = dash < 0 ? name : name.slice(0, dash);
    const period = dash < 0 ? '' : name.slice(dash + 1);
    if (!spread) return { product, period: periodText(period) };
    const [a = '', b = ''] = period.split(':');
    const other = b.indexOf('-');
    const second = other > 0 && /^[A-Z]+$/.test(b.slice(0, other))
        ? b.slice(0, other) + ' ' + periodText(b.slice(other + 1)) : periodText(b);
    return { product, period: sameYear(periodText(a), second) };
}

const RANKS = ['month', 'quarter', 'year', 'week', 'day', 'hour'];

export function readInstrument(value: Json): Instrument {
    const o = object(value);
    const name = text(o['instrument_name']);
    const spread = text(o['kind']).endsWith('combo') || name.includes(':');
    const tick = number(o['tick_size']) ?? 0.001;
    const { product, period } = describe(name, spread);
    return {
        name, product, period, spread, tick,
        rank: RANKS.indexOf(text(o['settlement_period'])) * 2 + (/-(PK|OP)$/.test(name) ? 1 : 0),
        places: placesOf(tick),
        lot: number(o['min_trade_amount']) ?? 1,
        contractSize: number(o['contract_size']) ?? 1,
        expires: number(o['expiration_timestamp']) ?? 0,
        legs: list(o['legs']).map((leg) => ({
            name: text(object(leg)['instrument_name']), ratio: number(object(leg)['ratio']) ?? 1,
        })),
    };
}

export function readProduct(value: Json): Product {
    const o = object(value);
    const fees = object(o['fees']);
    const first = object(list(fees['tiers'])[0]);
    return {
        name: text(o['product']),
        flatMargin: number(o['flat_margin']) ?? 0,
        takerFee: (number(first['taker']) ?? 0) + (number(fees['clearing']) ?? 0),
        spot: object(o['spot'])['price_max'] !== undefined,
    };
}

/* Of public/get_spot_auction and the channel spot.*; null: a day that has no auction. */
export function readSpot(value: Json): SpotAuction | null {
    const o = object(value);
    const id = number(o['auction']) ?? 0;
    if (id === 0) return null;
    return {
        id, product: text(o['product']), state: text(o['state']),
        start: number(o['start']) ?? 0, closes: number(o['closes_at']) ?? 0,
        hourly: number(o['hourly_bids']) ?? 0, blocks: number(o['block_bids']) ?? 0,
        hours: list(o['hours']).map((each) => {
            const h = object(each);
            return { start: number(h['start']) ?? 0, price: number(h['price']),
                amount: number(h['amount']) ?? 0 };
        }),
    };
}

export function readTicker(value: Json, before: Ticker | undefined): Ticker {
    const o = object(value);
    const stats = object(o['stats']);
    const last = number(o['last_price']);
    const settlement = number(o['settlement_price']);
    const open = number(stats['open']) ?? settlement;
    let change = number(stats['price_change']);
    const spread = text(o['instrument_name']).includes(':');
    if (change === null && last !== null && open !== null && open > 0 && !spread)
        change = ((last - open) / open) * 100; /* of a price near or below zero it says nothing */
    return {
        state: text(o['state']) || before?.state || '',
        last, settlement, change,
        bid: sized(o['best_bid_price'], o['best_bid_amount']),
        ask: sized(o['best_ask_price'], o['best_ask_amount']),
        high: number(stats['high']),
        low: number(stats['low']),
        volume: number(stats['volume']),
        openInterest: number(o['open_interest']),
        indicative: number(o['indicative_price']),
        indicativeSize: number(o['indicative_amount']),
        limitLow: number(o['lower_limit']),
        limitHigh: number(o['upper_limit']),
    };
}

/* Of get_halts and the channel halts.*, which also says other things: null. */
export function readHalt(value: Json): Halt | null {
    const o = object(value);
    const id = number(o['halt_id']);
    if (id === null) return null;
    return {
        id,
        product: text(o['product']),
        instrument: text(o['instrument_name']) || null,
        rule: text(o['rule']),
        phase: text(o['phase']),
        reason: text(o['reason']),
        until: number(o['until']),
    };
}

/* Deribit says 0 for the price of an empty side: the size tells it from a price of zero. */
function sized(price: Json | undefined, amount: Json | undefined): number | null {
    const size = number(amount);
    return size === null || size === 0 ? null : number(price);
}

export function readTrade(value: Json): Trade {
    const o = object(value);
    return {
        id: text(o['trade_id']),
        seq: number(o['trade_seq']) ?? 0,
        time: number(o['timestamp']) ?? 0,
        price: number(o['price']) ?? 0,
        amount: number(o['amount']) ?? 0,
        side: readSide(o['direction']),
    };
}

export function readOrder(value: Json): Order {
    const o = object(value);
    const flags: string[] = [];
    if (o['post_only'] === true) flags.push('post');
    if (o['reduce_only'] === true) flags.push('reduce');
    const shown = number(o['max_show'] ?? o['display_amount']);
    const amount = number(o['amount']) ?? 0;
    if (shown !== null && shown > 0 && shown < amount) flags.push('iceberg ' + shown);
    return {
        id: text(o['order_id']),
        instrument: text(o['instrument_name']),
        side: readSide(o['direction']),
        type: text(o['order_type']),
        state: text(o['order_state']),
        price: number(o['price']),
        trigger: number(o['trigger_price']),
        amount, flags,
        filled: number(o['filled_amount']) ?? 0,
        average: number(o['average_price']),
        tif: text(o['time_in_force']),
        label: text(o['label']),
        time: number(o['creation_timestamp']) ?? 0,
    };
}

export function readFill(value: Json): Fill {
    const o = object(value);
    return {
        id: text(o['trade_id']) + text(o['order_id']),
        instrument: text(o['instrument_name']),
        side: readSide(o['direction']),
        price: number(o['price']) ?? 0,
        amount: number(o['amount']) ?? 0,
        fee: number(o['fee']) ?? 0,
        time: number(o['timestamp']) ?? 0,
        maker: text(o['liquidity']) === 'M',
    };
}

export function readPosition(value: Json): Position {
    const o = object(value);
    return {
        instrument: text(o['instrument_name']),
        size: number(o['size']) ?? 0,
        average: number(o['average_price']),
        mark: number(o['mark_price']),
        unrealised: number(o['floating_profit_loss'] ?? o['unrealised'] ?? null),
        realised: number(o['realized_profit_loss'] ?? null),
        margin: number(o['initial_margin']),
    };
}

export function readAccount(value: Json): Account {
    const o = object(value);
    return {
        name: text(o['account'] ?? o['username'] ?? o['system_name'] ?? null),
        currency: text(o['currency']) || 'USD',
        equity: number(o['equity']),
        cash: number(o['cash'] ?? o['balance'] ?? null),
        initialMargin: number(o['initial_margin']),
        maintenanceMargin: number(o['maintenance_margin']),
        available: number(o['available_funds']),
        unrealised: number(o['session_upl'] ?? o['futures_session_upl'] ?? o['unrealised'] ?? null),
        fees: number(o['fees_paid'] ?? null),
    };
}

/* Results come as arrays, or as an object that holds one under `name`. */
export function items(value: Json, name: string): Json[] {
    return Array.isArray(value) ? value : list(object(value)[name]);
}
