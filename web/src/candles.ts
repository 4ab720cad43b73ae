/* candles.ts: candles from trades. */
import type { Trade } from './types.ts';

export interface Candle {
    time: number; /* start, s UTC */
    open: number;
    high: number;
    low: number;
    close: number;
    volume: number;
}

/* Trades in time order into candles of `seconds`; a quiet stretch leaves no candle. */
export function candlesOf(trades: readonly Trade[], seconds: number): Candle[] {
    const out: Candle[] = [];
    for (const t of trades) addTrade(out, t, seconds);
    return out;
}

/* Adds one trade at the end; a trade that comes late counts in the last candle. */
export function addTrade(candles: Candle[], t: Trade, seconds: number): Candle {
    const time = Math.floor(t.time / 1000 / seconds) * seconds;
    const last = candles[candles.length - 1];
    if (last !== undefined && time <= last.time) {
        last.high = Math.max(last.high, t.price);
        last.low = Math.min(last.low, t.price);
        last.close = t.price;
        last.volume += t.amount;
        return last;
    }
    const candle = {
        time, open: t.price, high: t.price, low: t.price, close: t.price, volume: t.amount,
    };
    candles.push(candle);
    return candle;
}

/* The shortest interval that shows the whole of what is there in some hundred candles. */
export function intervalFor(trades: readonly Trade[], choices: readonly number[]): number {
    const first = trades[0];
    const last = trades[trades.length - 1];
    const span = first === undefined || last === undefined ? 0 : (last.time - first.time) / 1000;
    for (const choice of choices) {
        if (span / choice <= 150) return choice;
    }
    return choices[choices.length - 1] ?? 60;
}
