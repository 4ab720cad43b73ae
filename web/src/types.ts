/* types.ts: the shapes of the venue's JSON-RPC that the page reads, made safe at the edge. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

export type Side = 'buy' | 'sell';

export interface Instrument {
    name: string;
    product: string;
    period: string;
    spread: boolean;
    rank: number; /* in the list: months, then longer, then shorter periods */
    tick: number;
    places: number;
    lot: number;
    contractSize: number;
    expires: number;
    legs: { name: string; ratio: number }[]; /* of a spread */
}

export interface Product {
    name: string;
    flatMargin: number; /* USD a lot */
    takerFee: number;   /* USD a lot, clearing included */
    spot: boolean;      /* has day-ahead auctions of its hours, or may have */
}

/* A day-ahead auction; the latest of a product, or the last that has a result. */
export interface SpotAuction {
    id: number;
    product: string;
    state: string; /* open, closed, done, failed */
    start: number; /* of its first hour, ms */
    closes: number;
    hourly: number;
    blocks: number;
    hours: SpotHour[]; /* with its result */
}

export interface SpotHour {
    start: number;
    price: number | null; /* null: nothing traded */
    amount: number;
}

export interface Ticker {
    state: string;
    last: number | null;
    bid: number | null;
    ask: number | null;
    settlement: number | null;
    high: number | null;
    low: number | null;
    volume: number | null;
    openInterest: number | null;
    change: number | null;    /* per cent of the day */
    indicative: number | null;
    indicativeSize: number | null;
    limitLow: number | null; /* of the day (GUARD-04) */
    limitHigh: number | null;
}

/* Why a product, or one instrument of it, does not trade as usual. */
export interface Halt {
    id: number;
    product: string;
    instrument: string | null; /* null: the whole product */
    rule: string;
    phase: string; /* halt, auction, closed, over */
    reason: string;
    until: number | null; /* ms; null: when told */
}

export interface Trade {
    id: string;
    seq: number;
    time: number;
    price: number;
    amount: number;
    side: Side;
}

export interface Order {
    id: string;
    instrument: string;
    side: Side;
    type: string;
    state: string;
    price: number | null;
    trigger: number | null;
    amount: number;
    filled: number;
    average: number | null;
    tif: string;
    flags: string[];
    label: string;
    time: number;
}

export interface Fill {
    id: string;
    instrument: string;
    side: Side;
    price: number;
    amount: number;
    fee: number;
    time: number;
    maker: boolean;
}

export interface Position {
    instrument: string;
    size: number;
    average: number | null;
    mark: number | null;
    unrealised: number | null;
    realised: number | null;
    margin: number | null;
}

export interface Account {
    name: string;
    currency: string;
    equity: number | null;
    cash: number | null;
    initialMargin: number | null;
    maintenanceMargin: number | null;
    available: number | null;
    unrealised: number | null;
    fees: number | null;
}

export function object(value: Json | undefined): JsonObject {
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

export function list(value: Json | undefined): Json[] {
    return Array.isArray(value) ? value : [];
}

export function number(value: Json | undefined): number | null {
    if (typeof value === 'number') return value;
    if (typeof value === 'string' && value !== '') {
        const n = Number(value);
        return Number.isFinite(n) ? n : null;
    }
    return null;
}

export function text(value: Json | undefined): string {
    if (typeof value === 'string') return value;
    return typeof value === 'number' ? String(value) : '';
}

function side(value: Json | undefined): Side {
    return value === 'sell' ? 'sell' : 'buy';
}
export { side as readSide };
