/* margin.ts: what an order would add to the flat margin (docs/rules.md, CLEAR-08), for the preview.
 *
 * Sum over instruments of max(|position + buys|, |position - sells|) x margin a lot; an order in a
 * spread counts in both legs. The venue's own figure decides; this one only warns beforehand.
 */
import type { Instrument, Order, Position, Product, Side } from './types.ts';

export interface Book {
    byName: ReadonlyMap<string, Instrument>;
    products: ReadonlyMap<string, Product>;
    positions: ReadonlyMap<string, Position>;
    orders: ReadonlyMap<string, Order>;
}

interface Exposure {
    buys: number;
    sells: number;
}

function add(all: Map<string, Exposure>, i: Instrument, side: Side, lots: number): void {
    const legs = i.legs.length > 0 ? i.legs : [{ name: i.name, ratio: 1 }];
    for (const leg of legs) {
        const e = all.get(leg.name) ?? { buys: 0, sells: 0 };
        if ((side === 'buy') === leg.ratio > 0) e.buys += lots;
        else e.sells += lots;
        all.set(leg.name, e);
    }
}

function total(book: Book, all: ReadonlyMap<string, Exposure>): number | null {
    let sum = 0;
    for (const name of new Set([...all.keys(), ...book.positions.keys()])) {
        const product = book.products.get(book.byName.get(name)?.product ?? '');
        if (product === undefined || product.flatMargin === 0) return null; /* not flat */
        const held = book.positions.get(name)?.size ?? 0;
        const e = all.get(name) ?? { buys: 0, sells: 0 };
        sum += Math.max(Math.abs(held + e.buys), Math.abs(held - e.sells)) * product.flatMargin;
    }
    return sum;
}

/* In USD; null where a product's terms are not known, or its margin is SPAN's. */
export function marginAdded(book: Book, i: Instrument, side: Side, lots: number): number | null {
    const all = new Map<string, Exposure>();
    for (const o of book.orders.values()) {
        const of = book.byName.get(o.instrument);
        if (of !== undefined) add(all, of, o.side, o.amount - o.filled);
    }
    const before = total(book, all);
    add(all, i, side, lots);
    const after = total(book, all);
    return before === null || after === null ? null : after - before;
}
