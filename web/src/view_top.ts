/* view_top.ts: the instrument's quote, the connection, theme, notices, the phone's sections. */
import { show, showShort, showSigned } from './decimal.ts';
import { byId, clockText, el, setClass, setText } from './dom.ts';
import type { Store } from './store.ts';
import type { Halt } from './types.ts';
import type { Venue } from './venue.ts';

/* Circuit breaker (GUARD-02) until 14:02:10 UTC. */
function haltText(h: Halt): string {
    const what = `${h.reason || h.rule}${h.reason.includes(h.rule) ? '' : ` (${h.rule})`}`;
    return h.until === null ? what : `${what} until ${clockText(h.until)} UTC`;
}

export function quoteView(store: Store): void {
    const last = byId('q-last');
    const change = byId('q-change');
    const state = byId('q-state');
    let before: number | null = null;
    const draw = (): void => {
        const i = store.selected;
        if (i === null) return;
        const t = store.ticker();
        const p = i.places;
        setText(byId('q-name'), i.name);
        setText(last, show(t?.last, p));
        if (t?.last !== null && t?.last !== undefined && t.last !== before) {
            setClass(last, 'buy', before !== null && t.last > before);
            setClass(last, 'sell', before !== null && t.last < before);
            before = t.last;
        }
        setText(change, t?.change === null || t === undefined ? '' : showSigned(t.change, 2) + '%');
        change.className = (t?.change ?? 0) < 0 ? 'sell' : 'buy';
        setText(byId('q-bid'), show(t?.bid, p));
        setText(byId('q-ask'), show(t?.ask, p));
        setText(byId('q-settlement'), show(t?.settlement, p));
        const limits = t === undefined || t.limitLow === null ? '–'
            : `${show(t.limitLow, p)} – ${show(t.limitHigh, p)}`;
        setText(byId('q-limits'), limits);
        setText(byId('q-high'), show(t?.high, p));
        setText(byId('q-low'), show(t?.low, p));
        setText(byId('q-volume'), showShort(t?.volume));
        setText(byId('q-interest'), showShort(t?.openInterest));
        const word = t?.state ?? '';
        setText(state, word.replace('_', ' '));
        state.dataset['state'] = word;
        const halt = word === 'open' ? undefined : store.halt();
        const why = halt === undefined ? '' : haltText(halt);
        setText(byId('q-halt'), why);
        byId('q-halt').title = why;
        const auction = t?.indicative ?? null;
        state.title = auction === null ? '' :
            `Indicative ${show(auction, p)} for ${show(t?.indicativeSize, 0)} lots`;
        document.title = t?.last === null || t === undefined ? 'Dojima'
            : `${show(t.last, p)} ${i.name} · Dojima`;
    };
    store.on(['selected'], () => { before = null; });
    store.on(['selected', 'ticker', 'instruments'], draw);
}

export function statusView(store: Store, venue: Venue): void {
    const root = byId('status');
    const words = { connecting: 'Connecting', live: 'Live', lost: 'Reconnecting' };
    store.on(['status', 'book', 'ticker'], () => {
        const rpc = venue.rpc;
        root.dataset['status'] = rpc.status;
        document.body.dataset['status'] = rpc.status;
        setText(byId('s-text'), words[rpc.status]);
        setText(byId('s-seq'), rpc.seq === null ? '' : 'seq ' + show(rpc.seq, 0));
        setText(byId('s-latency'), rpc.latency === null ? ''
            : rpc.latency < 10 ? rpc.latency.toFixed(1) + ' ms' : Math.round(rpc.latency) + ' ms');
        root.title = `Connection to the venue: ${words[rpc.status].toLowerCase()}; `
            + `latest sequence number ${rpc.seq ?? '–'}; reconnects ${rpc.reconnects}`;
    });
}

const THEME_STORED = 'dojima.theme';

export function themeView(store: Store): { toggle: () => void } {
    const root = document.documentElement;
    const set = (theme: string): void => {
        root.dataset['theme'] = theme;
        store.mark('theme');
    };
    const stored = localStorage.getItem(THEME_STORED);
    if (stored === 'light' || stored === 'dark') set(stored);
    const toggle = (): void => {
        const theme = root.dataset['theme'] === 'dark' ? 'light' : 'dark';
        localStorage.setItem(THEME_STORED, theme);
        set(theme);
    };
    byId('b-theme').addEventListener('click', toggle);
    return { toggle };
}

/* A notice at the foot that goes by itself; refusals stay a little longer. */
export function toast(message: string, kind: 'good' | 'bad' | 'plain' = 'plain'): void {
    const node = el('div', { class: 'toast ' + kind, text: message });
    const box = byId('toasts');
    box.append(node);
    while (box.childElementCount > 3) box.firstElementChild?.remove();
    window.setTimeout(() => node.remove(), kind === 'bad' ? 7000 : 3500);
}

const PAGES: [string, string][] = [['markets', 'Markets'], ['chart', 'Chart'], ['book', 'Book'],
    ['trade', 'Trade'], ['orders', 'Orders']];

export function showPage(name: string): void {
    document.body.dataset['page'] = name;
    for (const button of byId('pages').querySelectorAll('button'))
        setClass(button, 'on', button.dataset['page'] === name);
}

export function pagesView(): void {
    for (const [name, label] of PAGES) {
        byId('pages').append(el('button', {
            text: label, attributes: { 'data-page': name }, on: { click: () => showPage(name) },
        }));
    }
    showPage('book');
}
