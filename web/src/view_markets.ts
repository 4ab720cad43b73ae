/* view_markets.ts: the list of instruments, by product and filter; arrow keys walk through it. */
import { show, showShort, showSigned } from './decimal.ts';
import { byId, el, KeyedList, setClass, setText } from './dom.ts';
import type { Store } from './store.ts';
import type { Instrument } from './types.ts';
import type { Venue } from './venue.ts';
import { showPage } from './view_top.ts';

export function marketsView(store: Store, venue: Venue): { step: (by: number) => void } {
    const filter = byId<HTMLInputElement>('m-filter');
    let product = '';
    let shown: Instrument[] = [];
    const lastSeen = new Map<string, number>();

    const rows = new KeyedList<Instrument, HTMLTableRowElement>(byId('m-rows'), (i) => i.name,
        (i) => {
            const row = el('tr', { title: i.name, attributes: { tabindex: '0' } },
                el('td', {}, el('b', { text: i.product }), ' ' + i.period),
                el('td'), el('td'), el('td'));
            const pick = (): void => {
                venue.select(i.name);
                if (matchMedia('(max-width: 760px)').matches) showPage('book');
            };
            row.addEventListener('click', pick);
            row.addEventListener('keydown', (e) => { if (e.key === 'Enter') pick(); });
            return row;
        },
        (row, i) => {
            const t = store.tickers.get(i.name);
            const [, last, change, volume] = row.cells;
            setText(last!, show(t?.last, i.places));
            setText(change!, showSigned(t?.change, 2));
            setText(volume!, showShort(t?.volume));
            setClass(change!, 'buy', (t?.change ?? 0) > 0);
            setClass(change!, 'sell', (t?.change ?? 0) < 0);
            setClass(row, 'on', store.selected?.name === i.name);
            setClass(row, 'quiet', t?.state === 'closed' || t?.state === 'halted');
            flash(last!, lastSeen, i.name, t?.last ?? null);
        });

    const draw = (): void => {
        const words = filter.value.toLowerCase().split(/\s+/).filter((w) => w !== '');
        shown = store.instruments.filter((i) => {
            if (product !== '' && i.product !== product) return false;
            const hay = `${i.name} ${i.period} ${i.spread ? 'spread' : ''}`.toLowerCase();
            return words.every((w) => hay.includes(w));
        });
        rows.render(shown);
    };

    const drawProducts = (): void => {
        const products = [...new Set(store.instruments.map((i) => i.product))];
        const box = byId('m-products');
        box.replaceChildren(...['', ...products].map((p) => el('button', {
            text: p === '' ? 'All' : p,
            class: p === product ? 'on' : '',
            on: { click: () => { product = p; drawProducts(); draw(); } },
        })));
    };

    filter.addEventListener('input', draw);
    filter.addEventListener('keydown', (e) => {
        if (e.key === 'Enter' && shown[0] !== undefined) {
            venue.select(shown[0].name);
            filter.blur();
        } else if (e.key === 'Escape') {
            filter.value = '';
            filter.blur();
            draw();
        }
    });
    store.on(['instruments'], drawProducts);
    store.on(['instruments', 'ticker', 'selected'], draw);
    store.on(['selected'], () => {
        requestAnimationFrame(() => rows.node(store.selected?.name ?? '')
            ?.scrollIntoView({ block: 'nearest' }));
    });

    return {
        step: (by) => {
            const at = shown.findIndex((i) => i.name === store.selected?.name);
            const next = shown[Math.min(shown.length - 1, Math.max(0, at + by))];
            if (next !== undefined) venue.select(next.name);
        },
    };
}

/* A short tint where the price has just moved. */
function flash(
    node: HTMLElement, seen: Map<string, number>, name: string, last: number | null,
): void {
    const before = seen.get(name);
    if (last === null || last === before) return;
    seen.set(name, last);
    if (before === undefined) return;
    node.classList.remove('up', 'down');
    requestAnimationFrame(() => node.classList.add(last > before ? 'up' : 'down'));
}
