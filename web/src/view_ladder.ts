/* view_ladder.ts: the book as a ladder: asks above, bids below, the spread between; depth as bars,
 * own orders marked. A press on a price fills the ticket's price, on a size its amount. */
import { formatE6, numberE6, show } from './decimal.ts';
import { grouped, type Level } from './book.ts';
import { byId, el, setClass, setText } from './dom.ts';
import type { Store } from './store.ts';
import type { Instrument, Side } from './types.ts';

export interface LadderPick {
    price(text: string): void;
    amount(text: string): void;
}

interface Row {
    root: HTMLDivElement;
    mine: HTMLSpanElement;
    price: HTMLSpanElement;
    size: HTMLSpanElement;
    total: HTMLSpanElement;
    bar: SVGRectElement;
    implied: SVGRectElement; /* the end of the bar that other books stand behind */
    level: Level | null;
    sum: number;
    seen: number;
}

const ROW_HEIGHT = 20;
const SVG = 'http://www.w3.org/2000/svg';

function makeRow(side: Side, pick: LadderPick, places: () => number): Row {
    const svg = document.createElementNS(SVG, 'svg');
    svg.setAttribute('class', 'bar');
    svg.setAttribute('aria-hidden', 'true');
    const bar = document.createElementNS(SVG, 'rect');
    const implied = document.createElementNS(SVG, 'rect');
    for (const r of [bar, implied]) r.setAttribute('height', '100%');
    implied.setAttribute('class', 'implied');
    svg.append(bar, implied);
    const row: Row = {
        root: el('div', { class: 'l-row ' + side }),
        mine: el('span', { class: 'mine' }),
        price: el('span', { class: 'price ' + side }),
        size: el('span', { class: 'size' }),
        total: el('span', { class: 'total' }),
        bar, implied, level: null, sum: 0, seen: 0,
    };
    row.root.append(svg, row.mine, row.price, row.size, row.total);
    row.root.addEventListener('click', (e) => {
        if (row.level === null) return;
        pick.price(formatE6(numberE6(row.level.price), places()));
        if (e.target === row.size) pick.amount(String(row.level.size));
        if (e.target === row.total) pick.amount(String(row.sum));
    });
    return row;
}

/* The lots of one's own at each shown price. */
function ownLots(store: Store, i: Instrument, step: number, side: Side): Map<number, number> {
    const out = new Map<number, number>();
    for (const o of store.orders.values()) {
        if (o.instrument !== i.name || o.side !== side || o.price === null) continue;
        if (o.state !== 'open') continue;
        const left = [{ price: o.price, size: o.amount - o.filled, implied: 0 }];
        const one = grouped(left, step, 1, side === 'buy');
        const level = one[0];
        if (level !== undefined) out.set(level.price, (out.get(level.price) ?? 0) + level.size);
    }
    return out;
}

function drawRow(row: Row, level: Level | undefined, sum: number, most: number, mine: number,
                 places: number): void {
    row.level = level ?? null;
    row.sum = sum;
    setClass(row.root, 'empty', level === undefined);
    setText(row.price, level === undefined ? '' : show(level.price, places));
    setText(row.size, level === undefined ? '' : show(level.size, 0));
    setText(row.total, level === undefined ? '' : show(sum, 0));
    setText(row.mine, mine > 0 ? show(mine, 0) : '');
    setClass(row.root, 'own', mine > 0);
    const share = (lots: number): string =>
        level === undefined || most === 0 ? '0' : `${((lots / most) * 100).toFixed(1)}%`;
    const part = level?.implied ?? 0;
    row.bar.setAttribute('width', share(sum - part));
    row.implied.setAttribute('x', share(sum - part));
    row.implied.setAttribute('width', share(part));
    setClass(row.root, 'implied', part > 0);
    row.size.title = part > 0 ? `${show(part, 0)} of ${show(level?.size, 0)} implied` : '';
}

const GROUPS = [1, 2, 5, 10, 25, 50, 100];

export function ladderView(store: Store, pick: LadderPick): void {
    const body = byId('l-body');
    const boxes = { buy: byId('l-bids'), sell: byId('l-asks') };
    const rows: Record<Side, Row[]> = { buy: [], sell: [] };
    const group = byId<HTMLSelectElement>('l-group');
    const places = (): number => store.selected?.places ?? 3;
    let count = 0;

    const resize = (): void => {
        const next = Math.max(3, Math.floor((body.clientHeight - 30) / 2 / ROW_HEIGHT));
        if (next === count) return;
        count = next;
        for (const side of ['buy', 'sell'] as const) {
            while (rows[side].length < count) rows[side].push(makeRow(side, pick, places));
            rows[side].length = count;
            const ordered = side === 'buy' ? rows[side] : [...rows[side]].reverse();
            boxes[side].replaceChildren(...ordered.map((r) => r.root));
        }
        draw();
    };

    const draw = (): void => {
        const i = store.selected;
        if (i === null || count === 0) return;
        const step = i.tick * Number(group.value || '1');
        const shown = {
            buy: grouped(store.book.bids, step, count, true),
            sell: grouped(store.book.asks, step, count, false),
        };
        const sums = { buy: total(shown.buy), sell: total(shown.sell) };
        const most = Math.max(sums.buy, sums.sell);
        for (const side of ['buy', 'sell'] as const) {
            const mine = ownLots(store, i, step, side);
            let sum = 0;
            rows[side].forEach((row, at) => {
                const level = shown[side][at];
                sum += level?.size ?? 0;
                drawRow(row, level, sum, most, mine.get(level?.price ?? NaN) ?? 0, i.places);
            });
        }
        setClass(body, 'waiting', !store.book.ready);
        drawMiddle(store, i);
        drawShare(sums.buy, sums.sell);
    };

    const drawGroups = (): void => {
        const i = store.selected;
        if (i === null) return;
        group.replaceChildren(...GROUPS.map((g) => el('option', {
            text: formatE6(numberE6(i.tick) * BigInt(g), i.places),
            attributes: { value: String(g) },
        })));
    };
    group.addEventListener('change', draw);
    new ResizeObserver(resize).observe(body);
    store.on(['selected'], drawGroups);
    store.on(['book', 'orders', 'selected', 'ticker'], draw);
}

function total(levels: readonly Level[]): number {
    return levels.reduce((sum, l) => sum + l.size, 0);
}

function drawMiddle(store: Store, i: Instrument): void {
    const bid = store.book.bids[0]?.price;
    const ask = store.book.asks[0]?.price;
    const t = store.ticker();
    setText(byId('l-last'), show(t?.last, i.places));
    const spread = bid !== undefined && ask !== undefined ? ask - bid : null;
    const ticks = spread === null ? 0 : Math.round(spread / i.tick);
    let words = spread === null ? (store.book.ready ? 'one side empty' : 'waiting for the book')
        : `spread ${show(spread, i.places)} · ${ticks} tick${ticks === 1 ? '' : 's'}`;
    if (t !== undefined && t.indicative !== null)
        words = `auction ${show(t.indicative, i.places)} × ${show(t.indicativeSize, 0)}`;
    setText(byId('l-spread'), words);
}

function drawShare(bids: number, asks: number): void {
    const sum = bids + asks;
    const share = sum === 0 ? 50 : (bids / sum) * 100;
    byId('l-share').style.setProperty('width', share.toFixed(1) + '%');
    setText(byId('l-share-bid'), sum === 0 ? '' : share.toFixed(0) + '% bid');
    setText(byId('l-share-ask'), sum === 0 ? '' : (100 - share).toFixed(0) + '% ask');
}
