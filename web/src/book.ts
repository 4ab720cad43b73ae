/* book.ts: one instrument's book, kept by snapshot and changes.
 *
 * Invariant: a change is applied only on top of the state it names (prev_change_id); where one is
 * missing the book says so and asks for a new snapshot rather than show a wrong price.
 */
import { list, number, object, text, type Json } from './types.ts';

export interface Level {
    price: number;
    size: number;
    implied: number; /* what of it comes from other books */
}

export type Applied = 'ok' | 'gap';

export class Book {
    bids: Level[] = []; /* best first */
    asks: Level[] = [];
    ready = false;
    time = 0;
    private changeId = 0;

    clear(): void {
        this.bids = [];
        this.asks = [];
        this.ready = false;
    }

    apply(data: Json): Applied {
        const o = object(data);
        const changeId = number(o['change_id']) ?? 0;
        if (text(o['type']) === 'snapshot' || o['prev_change_id'] === undefined) {
            this.clear();
            this.ready = true;
        } else if (!this.ready) {
            return 'ok'; /* a change from before the snapshot that is under way */
        } else if (number(o['prev_change_id']) !== this.changeId) {
            this.clear();
            return 'gap';
        }
        this.changeId = changeId;
        this.time = number(o['timestamp']) ?? this.time;
        for (const entry of list(o['bids'])) change(this.bids, list(entry), true);
        for (const entry of list(o['asks'])) change(this.asks, list(entry), false);
        return 'ok';
    }
}

function change(levels: Level[], entry: Json[], descending: boolean): void {
    const bare = typeof entry[0] !== 'string'; /* [price, amount], as in get_order_book */
    const action = bare ? 'new' : text(entry[0]);
    const price = number(entry[bare ? 0 : 1]);
    const size = number(entry[bare ? 1 : 2]) ?? 0;
    const implied = number(entry[bare ? 2 : 3]) ?? 0;
    if (price === null) return;
    let low = 0;
    let high = levels.length;
    while (low < high) {
        const middle = (low + high) >> 1;
        const at = levels[middle]!.price;
        if (descending ? at > price : at < price) low = middle + 1;
        else high = middle;
    }
    const found = levels[low]?.price === price;
    if (action === 'delete' || size === 0) {
        if (found) levels.splice(low, 1);
    } else if (found) {
        levels[low] = { price, size, implied };
    } else {
        levels.splice(low, 0, { price, size, implied });
    }
}

/* Levels summed into steps of `step` (bids down, asks up), at most `count` of them. */
export function grouped(
    levels: readonly Level[], step: number, count: number, bids: boolean,
): Level[] {
    const out: Level[] = [];
    for (const level of levels) {
        const steps = level.price / step;
        const near = Math.round(steps);
        const whole = Math.abs(steps - near) < 1e-6 ? near
            : bids ? Math.floor(steps) : Math.ceil(steps);
        const price = Number((whole * step).toFixed(6));
        const last = out[out.length - 1];
        if (last !== undefined && last.price === price) {
            last.size += level.size;
            last.implied += level.implied;
        } else if (out.length === count) {
            break;
        } else {
            out.push({ price, size: level.size, implied: level.implied });
        }
    }
    return out;
}
