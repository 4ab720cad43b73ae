/* store.ts: all that the page knows, and who redraws when which part of it changes.
 *
 * Messages change the state and mark a topic; the views of marked topics draw once a frame, however
 * many messages came in between.
 */
import { Book } from './book.ts';
import type { Account, Fill, Halt, Instrument, Order, Position, Product, SpotAuction, Ticker,
    Trade } from './types.ts';

export type Topic = 'instruments' | 'ticker' | 'selected' | 'book' | 'trades' | 'orders' | 'fills'
    | 'positions' | 'account' | 'status' | 'session' | 'theme' | 'spot';

const TRADES_KEPT = 2000;
const FILLS_KEPT = 200;

export class Store {
    instruments: Instrument[] = [];
    byName = new Map<string, Instrument>();
    products = new Map<string, Product>();
    tickers = new Map<string, Ticker>();
    halts = new Map<number, Halt>(); /* those that are not over */
    spotProduct: string | null = null; /* whose auctions are shown */
    spotLatest: SpotAuction | null = null;
    spotDone: SpotAuction | null = null; /* the last that has a result */
    selected: Instrument | null = null;
    book = new Book();
    trades: Trade[] = []; /* of the selected instrument, oldest first */
    tradesVersion = 0;    /* grows when trades were replaced, not only appended to */
    orders = new Map<string, Order>();
    fills: Fill[] = [];   /* newest first */
    positions = new Map<string, Position>();
    account: Account | null = null;
    signedIn: string | null = null; /* the key's id */

    private listeners = new Map<Topic, (() => void)[]>();
    private dirty = new Set<Topic>();
    private scheduled = false;

    on(topics: Topic[], draw: () => void): void {
        for (const topic of topics) {
            const all = this.listeners.get(topic) ?? [];
            all.push(draw);
            this.listeners.set(topic, all);
        }
    }

    mark(...topics: Topic[]): void {
        for (const topic of topics) this.dirty.add(topic);
        if (this.scheduled) return;
        this.scheduled = true;
        requestAnimationFrame(() => this.draw());
    }

    private draw(): void {
        this.scheduled = false;
        const views = new Set<() => void>();
        for (const topic of this.dirty) {
            for (const view of this.listeners.get(topic) ?? []) views.add(view);
        }
        this.dirty.clear();
        for (const view of views) view();
    }

    ticker(): Ticker | undefined {
        return this.selected === null ? undefined : this.tickers.get(this.selected.name);
    }

    /* The halt that the selected instrument is in; the latest where there are several. */
    halt(): Halt | undefined {
        const i = this.selected;
        let found: Halt | undefined;
        for (const h of this.halts.values()) {
            if (h.product !== i?.product) continue;
            if (h.instrument !== null && h.instrument !== i.name) continue;
            if (found === undefined || h.id > found.id) found = h;
        }
        return found;
    }

    setHalt(halt: Halt | null): void {
        if (halt === null) return;
        if (halt.phase === 'over') this.halts.delete(halt.id);
        else this.halts.set(halt.id, halt);
        this.mark('ticker');
    }

    setSpot(auction: SpotAuction | null): void {
        if (auction === null || auction.product !== this.spotProduct) return;
        if (auction.id >= (this.spotLatest?.id ?? 0)) this.spotLatest = auction;
        if (auction.state === 'done' && auction.id >= (this.spotDone?.id ?? 0))
            this.spotDone = auction;
        this.mark('spot');
    }

    addTrades(trades: Trade[]): void {
        for (const t of trades) {
            const last = this.trades[this.trades.length - 1];
            if (last !== undefined && t.seq <= last.seq) continue;
            this.trades.push(t);
        }
        if (this.trades.length > TRADES_KEPT + 500) this.trades.splice(0, 500);
        this.mark('trades');
    }

    /* History joins what has already streamed in; the sequence says which is new. */
    setHistory(trades: Trade[]): void {
        const bySeq = new Map<number, Trade>();
        for (const t of trades) bySeq.set(t.seq, t);
        for (const t of this.trades) bySeq.set(t.seq, t);
        this.trades = [...bySeq.values()].sort((a, b) => a.seq - b.seq);
        this.tradesVersion += 1;
        this.mark('trades');
    }

    clearTrades(): void {
        this.trades = [];
        this.tradesVersion += 1;
        this.mark('trades');
    }

    setOrder(order: Order): void {
        const works = order.state === 'open' || order.state === 'untriggered';
        if (works) this.orders.set(order.id, order);
        else this.orders.delete(order.id);
        this.mark('orders');
    }

    addFills(fills: Fill[]): void {
        const known = new Set(this.fills.map((f) => f.id));
        this.fills = [...fills.filter((f) => !known.has(f.id)), ...this.fills]
            .sort((a, b) => b.time - a.time).slice(0, FILLS_KEPT);
        this.mark('fills');
    }

    clearPrivate(): void {
        this.orders.clear();
        this.fills = [];
        this.positions.clear();
        this.account = null;
        this.signedIn = null;
        this.mark('orders', 'fills', 'positions', 'account', 'session');
    }
}
