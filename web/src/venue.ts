/* venue.ts: keeps the store in step with the venue: subscriptions, sign-in, the trader's requests.
 *
 * Upstream: rpc.ts. Downstream: store.ts, and through it the views.
 */
import { items, readAccount, readFill, readHalt, readInstrument, readOrder, readPosition,
    readProduct, readSpot, readTicker, readTrade } from './read.ts';
import { Rpc, RpcError, type RpcOwner } from './rpc.ts';
import type { Store } from './store.ts';
import { list, number, object, text, type Json, type JsonObject } from './types.ts';

const POSITIONS_EVERY_MS = 2000;
const INSTRUMENTS_EVERY_MS = 30000;
const HISTORY_COUNT = 1000;
const KEY_STORED = 'dojima.key';
const USER_CHANNELS = ['user.orders.any.any.raw', 'user.trades.any.any.raw',
    'user.portfolio.any'];

export interface Key {
    id: string;
    secret: string;
}

export class Venue implements RpcOwner {
    readonly rpc: Rpc;
    private key: Key | null = null;
    private subscribed = new Set<string>();
    private refreshing = false;
    private refreshAgain = false;

    constructor(private readonly store: Store) {
        const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
        const stored = sessionStorage.getItem(KEY_STORED);
        if (stored !== null) {
            const [id = '', secret = ''] = stored.split('\n');
            this.key = { id, secret };
        }
        this.rpc = new Rpc(`${scheme}//${location.host}/ws/api/v2`, this);
        window.setInterval(() => this.refreshPrivate(), POSITIONS_EVERY_MS);
        window.setInterval(() => {
            if (this.rpc.status === 'live') this.loadInstruments(false).catch(() => undefined);
        }, INSTRUMENTS_EVERY_MS);
    }

    onStatus(): void { this.store.mark('status'); }

    onOpen(): void {
        this.subscribed.clear();
        this.loadInstruments(true).catch((e: unknown) => console.warn('instruments', e));
        if (this.key !== null) {
            this.signIn(this.key, true).catch((e: unknown) => {
                if (e instanceof RpcError && e.code !== 0) this.signOut();
            });
        }
    }

    onNotification(channel: string, data: Json): void {
        const store = this.store;
        const [kind = '', name = ''] = channel.split('.');
        if (kind === 'ticker') {
            const named = text(object(data)['instrument_name']) || name;
            store.tickers.set(named, readTicker(data, store.tickers.get(named)));
            store.mark('ticker');
        } else if (kind === 'book') {
            this.applyBook(name, data);
        } else if (kind === 'trades') {
            if (name === store.selected?.name) store.addTrades(list(data).map(readTrade));
        } else if (kind === 'halts') {
            store.setHalt(readHalt(data));
        } else if (kind === 'spot') {
            store.setSpot(readSpot(data));
        } else if (kind === 'user') {
            this.applyUser(name, data);
        }
    }

    private applyBook(name: string, data: Json): void {
        const store = this.store;
        if (name !== store.selected?.name) return;
        if (store.book.apply(data) === 'gap') {
            const channel = this.bookChannel(name);
            this.unsubscribe([channel]).then(() => this.subscribe([channel]))
                .catch((e: unknown) => console.warn('book', e));
        }
        store.mark('book');
    }

    private applyUser(kind: string, data: Json): void {
        const entries = Array.isArray(data) ? data : [data];
        if (kind === 'orders') {
            for (const entry of entries) this.store.setOrder(readOrder(entry));
        } else if (kind === 'trades') {
            this.store.addFills(entries.map(readFill));
            this.refreshPrivate();
        } else if (kind === 'portfolio') {
            this.store.account = readAccount(data);
            this.store.mark('account');
        }
    }

    private bookChannel(name: string): string { return `book.${name}.100ms`; }

    private async subscribe(channels: string[]): Promise<void> {
        const fresh = channels.filter((c) => !this.subscribed.has(c));
        if (fresh.length === 0) return;
        for (const c of fresh) this.subscribed.add(c);
        const scope = fresh.some((c) => c.startsWith('user.')) ? 'private' : 'public';
        await this.rpc.call(scope + '/subscribe', { channels: fresh });
    }

    private async unsubscribe(channels: string[]): Promise<void> {
        const known = channels.filter((c) => this.subscribed.delete(c));
        if (known.length > 0) await this.rpc.call('public/unsubscribe', { channels: known });
    }

    /* fresh: after a connect, when nothing is subscribed. */
    private async loadInstruments(fresh: boolean): Promise<void> {
        const store = this.store;
        const [result, products] = await Promise.all([
            this.rpc.call('public/get_instruments', { currency: 'any' }),
            this.rpc.call('public/get_products', {}).catch(() => null),
        ]);
        store.products = new Map(items(products, 'products').map(readProduct)
            .map((p) => [p.name, p]));
        const all = items(result, 'instruments').map(readInstrument);
        all.sort((a, b) => Number(a.spread) - Number(b.spread)
            || a.product.localeCompare(b.product) || a.rank - b.rank || a.expires - b.expires
            || a.name.localeCompare(b.name));
        store.instruments = all;
        store.byName = new Map(all.map((i) => [i.name, i]));
        store.mark('instruments');
        if (fresh || store.selected === null) {
            const wanted = store.selected?.name ?? decodeURIComponent(location.hash.slice(1));
            const first = store.byName.get(wanted) ?? all[0];
            store.selected = null;
            if (first !== undefined) this.select(first.name);
        }
        await this.subscribe(all.map((i) => `ticker.${i.name}.100ms`));
        if (fresh) await this.loadHalts();
        if (fresh && store.spotProduct !== null) await this.loadSpot(store.spotProduct);
    }

    /* The auctions of a product from here on; null: none any more. */
    watchSpot(product: string | null): void {
        const store = this.store;
        if (store.spotProduct === product) return;
        if (store.spotProduct !== null)
            this.unsubscribe(['spot.' + store.spotProduct]).catch(() => undefined);
        store.spotProduct = product;
        store.spotLatest = store.spotDone = null;
        store.mark('spot');
        if (product !== null && this.rpc.status === 'live')
            this.loadSpot(product).catch((e: unknown) => console.warn('spot', e));
    }

    /* The channel begins with the latest; the last result may be an earlier one's. */
    private async loadSpot(product: string): Promise<void> {
        await this.subscribe(['spot.' + product]);
        const all = items(await this.rpc.call('public/get_spot_auctions', { product, count: 16 }),
            'auctions').map(readSpot);
        const done = all.find((a) => a?.state === 'done');
        if (done !== undefined && done !== null) {
            this.store.setSpot(readSpot(
                await this.rpc.call('public/get_spot_auction', { auction: done.id })));
        }
    }

    /* Subscribed before it is asked: what happens in between is said twice, not missed. */
    private async loadHalts(): Promise<void> {
        await this.subscribe(['halts.any']);
        const halts = items(await this.rpc.call('public/get_halts', { count: 50 }), 'halts');
        this.store.halts.clear();
        for (const h of halts.reverse()) this.store.setHalt(readHalt(h));
    }

    select(name: string): void {
        const store = this.store;
        const instrument = store.byName.get(name);
        const before = store.selected;
        if (instrument === undefined || before?.name === name) return;
        if (before !== null) {
            this.unsubscribe([this.bookChannel(before.name), `trades.${before.name}.100ms`])
                .catch(() => undefined);
        }
        store.selected = instrument;
        store.book.clear();
        store.clearTrades();
        history.replaceState(null, '', '#' + encodeURIComponent(name));
        store.mark('selected', 'book', 'trades', 'ticker');
        this.subscribe([this.bookChannel(name), `trades.${name}.100ms`])
            .catch((e: unknown) => console.warn('subscribe', e));
        this.rpc.call('public/get_last_trades_by_instrument',
            { instrument_name: name, count: HISTORY_COUNT }).then((result) => {
            if (store.selected?.name === name)
                store.setHistory(items(result, 'trades').map(readTrade));
        }).catch((e: unknown) => console.warn('trades', e));
    }

    /* The guest's key that a node with --demo offers; null elsewhere. */
    async guestKey(): Promise<Key | null> {
        const response = await fetch('/demo/key', { headers: { accept: 'application/json' } });
        if (!response.ok) return null;
        const o = object((await response.json()) as Json);
        const id = text(o['client_id']);
        return id === '' ? null : { id, secret: text(o['client_secret']) };
    }

    private async authenticate(key: Key): Promise<void> {
        await this.rpc.call('public/auth', {
            grant_type: 'client_credentials', client_id: key.id, client_secret: key.secret,
        });
    }

    /* A session's authority ends after a while: it is renewed when the venue says so. */
    private async renew(e: unknown): Promise<void> {
        if (!(e instanceof RpcError) || e.reason !== 'unauthorised' || this.key === null) return;
        await this.authenticate(this.key);
        for (const c of USER_CHANNELS) this.subscribed.delete(c);
        await this.subscribe(USER_CHANNELS);
    }

    async signIn(key: Key, remember: boolean): Promise<void> {
        await this.authenticate(key);
        this.key = key;
        if (remember) sessionStorage.setItem(KEY_STORED, key.id + '\n' + key.secret);
        this.store.clearPrivate();
        this.store.signedIn = key.id;
        this.store.mark('session');
        await this.subscribe(USER_CHANNELS);
        await this.loadPrivate();
    }

    signOut(): void {
        this.key = null;
        sessionStorage.removeItem(KEY_STORED);
        const mine = [...this.subscribed].filter((c) => c.startsWith('user.'));
        for (const c of mine) this.subscribed.delete(c);
        if (mine.length > 0)
            this.rpc.call('private/unsubscribe', { channels: mine }).catch(() => undefined);
        this.store.clearPrivate();
    }

    private async loadPrivate(): Promise<void> {
        const store = this.store;
        const [orders, fills] = await Promise.all([
            this.rpc.call('private/get_open_orders', {}),
            this.rpc.call('private/get_user_trades_by_currency',
                { currency: 'any', count: 100 }).catch(() => null),
        ]);
        store.orders.clear();
        for (const entry of items(orders, 'orders')) store.setOrder(readOrder(entry));
        store.mark('orders');
        store.addFills(items(fills, 'trades').map(readFill));
        this.refreshPrivate();
    }

    /* Positions and balances: asked for after fills and every while, for marks move. */
    refreshPrivate(): void {
        if (this.store.signedIn === null || this.rpc.status !== 'live') return;
        if (this.refreshing) {
            this.refreshAgain = true;
            return;
        }
        this.refreshing = true;
        const asked = this.askPrivate().catch((e: unknown) => this.renew(e));
        asked.catch(() => undefined).finally(() => {
            this.refreshing = false;
            if (this.refreshAgain) {
                this.refreshAgain = false;
                this.refreshPrivate();
            }
        });
    }

    private async askPrivate(): Promise<void> {
        const store = this.store;
        const key = store.signedIn;
        const [positions, summary] = await Promise.all([
            this.rpc.call('private/get_positions', { currency: 'any' }),
            this.rpc.call('private/get_account_summary', { currency: 'USD' }),
        ]);
        if (store.signedIn !== key) return;
        const all = items(positions, 'positions').map(readPosition);
        store.positions = new Map(all.filter((p) => p.size !== 0).map((p) => [p.instrument, p]));
        store.account = readAccount(summary);
        store.mark('positions', 'account');
    }

    /* Places an order; the first answer's order and trades are in the store before this returns. */
    async place(side: string, params: JsonObject): Promise<JsonObject> {
        const result = object(await this.rpc.call('private/' + side, params));
        this.noteOrder(result);
        return object(result['order']);
    }

    async edit(orderId: string, amount: string, price: string | null): Promise<void> {
        const params: JsonObject = { order_id: orderId, amount };
        if (price !== null) params['price'] = price;
        this.noteOrder(object(await this.rpc.call('private/edit', params)));
    }

    async cancel(orderId: string): Promise<void> {
        const result = object(await this.rpc.call('private/cancel', { order_id: orderId }));
        this.noteOrder(result['order'] === undefined ? { order: result } : result);
    }

    async cancelAll(): Promise<number> {
        const result = await this.rpc.call('private/cancel_all', {});
        return number(result) ?? number(object(result)['count']) ?? 0;
    }

    private noteOrder(result: JsonObject): void {
        if (result['order'] !== undefined) this.store.setOrder(readOrder(result['order']));
        const trades = list(result['trades']);
        if (trades.length > 0) this.store.addFills(trades.map(readFill));
        this.refreshPrivate();
    }
}
