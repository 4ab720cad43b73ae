/* view_blotter.ts: one's own orders (cancel, edit), positions, fills and balances, as tabs. */
import { formatE6, isMultiple, numberE6, parseE6, show, showSigned } from './decimal.ts';
import { byId, clockText, el, KeyedList, setClass, setText } from './dom.ts';
import { RpcError } from './rpc.ts';
import type { Store } from './store.ts';
import type { Fill, Order, Position } from './types.ts';
import type { Venue } from './venue.ts';
import { toast } from './view_top.ts';

type Tab = 'orders' | 'positions' | 'fills' | 'balances';
const TABS: [Tab, string][] = [['orders', 'Orders'], ['positions', 'Positions'],
    ['fills', 'Fills'], ['balances', 'Balances']];

interface Table {
    root: HTMLTableElement;
    rows: HTMLTableSectionElement;
}

function table(name: string, heads: string[]): Table {
    const rows = el('tbody');
    const root = el('table', { class: 'grid grid-' + name },
        el('thead', {}, el('tr', {}, ...heads.map((h) => el('th', { text: h })))), rows);
    return { root, rows };
}

function inlineInput(name: string, mode: string): HTMLInputElement {
    return el('input', { class: 'inline', attributes: { 'aria-label': name, inputmode: mode } });
}

function refused(e: unknown): void {
    if (!(e instanceof RpcError)) throw e;
    toast(e.rule === '' ? e.sentence : `${e.sentence} (${e.rule})`, 'bad');
}

function cells(count: number): HTMLTableCellElement[] {
    return Array.from({ length: count }, () => el('td'));
}

export class Blotter {
    private tab: Tab = 'orders';
    private readonly tables = {
        orders: table('orders', ['Time', 'Instrument', 'Side', 'Type', 'Price', 'Amount', 'Filled',
            'Terms', '']),
        positions: table('positions', ['Instrument', 'Size', 'Average', 'Mark', 'Unrealised',
            'Realised', 'Margin', '']),
        fills: table('fills', ['Time', 'Instrument', 'Side', 'Price', 'Lots', 'Fee', 'Role']),
    };
    private readonly balances = el('dl', { class: 'balances' });
    private readonly empty = el('p', { class: 'empty' });
    private readonly tabs = new Map<Tab, HTMLButtonElement>();
    private readonly orders: KeyedList<Order, HTMLTableRowElement>;
    private readonly positions: KeyedList<Position, HTMLTableRowElement>;
    private readonly fills: KeyedList<Fill, HTMLTableRowElement>;
    private editing: string | null = null;

    constructor(private readonly store: Store, private readonly venue: Venue,
                private readonly close: (p: Position) => void) {
        this.orders = new KeyedList(this.tables.orders.rows, (o: Order) => o.id,
            (o: Order) => this.makeOrder(o), (row, o) => this.drawOrder(row, o));
        this.positions = new KeyedList(this.tables.positions.rows, (p: Position) => p.instrument,
            (p: Position) => this.makePosition(p), (row, p) => this.drawPosition(row, p));
        this.fills = new KeyedList(this.tables.fills.rows, (f: Fill) => f.id,
            (f: Fill) => this.makeFill(f), () => undefined);
        for (const [tab, label] of TABS) {
            const button = el('button', { text: label, attributes: { role: 'tab', 'data-tab': tab },
                on: { click: () => this.show(tab) } });
            this.tabs.set(tab, button);
            byId('b-tabs').append(button);
        }
        byId('b-cancel-all').addEventListener('click', () => void this.cancelAll());
        store.on(['orders', 'positions', 'fills', 'account', 'session', 'instruments'],
            () => this.draw());
        this.show('orders');
    }

    show(tab: Tab): void {
        this.tab = tab;
        for (const [name, button] of this.tabs) {
            setClass(button, 'on', name === tab);
            button.setAttribute('aria-selected', String(name === tab));
        }
        this.draw();
    }

    showAt(index: number): void {
        const entry = TABS[index];
        if (entry !== undefined) this.show(entry[0]);
    }

    async cancelAll(): Promise<void> {
        if (this.store.orders.size === 0) return;
        try {
            const count = await this.venue.cancelAll();
            toast(`Cancelled ${count} order${count === 1 ? '' : 's'}`, 'plain');
        } catch (e) {
            refused(e);
        }
    }

    private draw(): void {
        const store = this.store;
        const counts: Record<Tab, number> = { orders: store.orders.size,
            positions: store.positions.size, fills: 0, balances: 0 };
        for (const [tab, label] of TABS)
            setText(this.tabs.get(tab)!, counts[tab] > 0 ? `${label} ${counts[tab]}` : label);
        byId('b-cancel-all').hidden = this.tab !== 'orders' || store.orders.size === 0;
        const body = byId('b-body');
        const words = store.signedIn === null ? 'Sign in to see orders, positions and balances.'
            : this.drawTab();
        const node = words !== '' ? this.empty
            : this.tab === 'balances' ? this.balances : this.tables[this.tab].root;
        setText(this.empty, words);
        if (body.firstChild !== node || body.childElementCount !== 1) body.replaceChildren(node);
    }

    /* Draws the tab's content; what to say instead when there is none. */
    private drawTab(): string {
        const store = this.store;
        if (this.tab === 'orders') {
            this.orders.render([...store.orders.values()].sort((a, b) => b.time - a.time));
            return store.orders.size === 0 ? 'No working orders.' : '';
        }
        if (this.tab === 'positions') {
            this.positions.render([...store.positions.values()]);
            return store.positions.size === 0 ? 'No open positions.' : '';
        }
        if (this.tab === 'fills') {
            this.fills.render(store.fills);
            return store.fills.length === 0 ? 'No fills yet.' : '';
        }
        this.drawBalances();
        return store.account === null ? 'Balances are on their way.' : '';
    }

    private places(instrument: string): number {
        return this.store.byName.get(instrument)?.places ?? 3;
    }

    private instrumentCell(name: string): HTMLTableCellElement {
        return el('td', {}, el('button', { class: 'link', text: name,
            on: { click: () => this.venue.select(name) } }));
    }

    private makeOrder(o: Order): HTMLTableRowElement {
        const buttons = el('td', { class: 'actions' },
            el('button', { class: 'small', text: 'Edit',
                on: { click: () => this.startEdit(o.id) } }),
            el('button', { class: 'small danger', text: 'Cancel',
                attributes: { 'aria-label': 'Cancel order ' + o.id },
                on: { click: () => { this.venue.cancel(o.id).catch(refused); } } }));
        return el('tr', { attributes: { 'data-order': o.id } }, el('td', { class: 'fine' }),
            this.instrumentCell(o.instrument), ...cells(6), buttons);
    }

    private drawOrder(row: HTMLTableRowElement, o: Order): void {
        if (this.editing === o.id) return;
        const c = row.cells;
        const p = this.places(o.instrument);
        setText(c[0]!, clockText(o.time));
        setText(c[2]!, o.side);
        c[2]!.className = o.side;
        setText(c[3]!, o.type.replaceAll('_', ' '));
        const trigger = o.trigger === null ? '' : '⟂ ' + show(o.trigger, p);
        const price = o.price === null ? (trigger === '' ? 'market' : '') : show(o.price, p);
        setText(c[4]!, `${price} ${trigger}`.trim());
        c[4]!.title = trigger === '' ? '' : '⟂ trigger';
        setText(c[5]!, show(o.amount, 0));
        setText(c[6]!, o.filled > 0 ? `${show(o.filled, 0)} @ ${show(o.average, p)}` : '0');
        const terms = [TERMS[o.tif] ?? o.tif, ...o.flags, o.label].filter((s) => s !== '');
        setText(c[7]!, terms.join(' · '));
        setClass(row, 'waiting', o.state === 'untriggered');
    }

    private startEdit(id: string): void {
        const o = this.store.orders.get(id);
        const row = this.orders.node(id);
        if (o === undefined || row === undefined || this.editing !== null) return;
        this.editing = id;
        const p = this.places(o.instrument);
        const price = inlineInput('Price', 'decimal');
        const amount = inlineInput('Amount', 'numeric');
        price.value = o.price === null ? '' : formatE6(numberE6(o.price), p);
        price.disabled = o.price === null;
        amount.value = String(o.amount);
        row.cells[4]!.replaceChildren(price);
        row.cells[5]!.replaceChildren(amount);
        const save = el('button', { class: 'small good', text: 'Save' });
        const leave = el('button', { class: 'small', text: 'Keep' });
        const buttons = [...row.cells[8]!.childNodes];
        const done = (): void => {
            this.editing = null;
            row.cells[8]!.replaceChildren(...buttons);
            this.draw();
        };
        const send = (): void => {
            const fault = this.editFault(o, price, amount);
            if (fault !== '') {
                toast(fault, 'bad');
                return;
            }
            this.venue.edit(id, amount.value.trim(), price.disabled ? null : price.value.trim())
                .then(() => toast('Order changed', 'good'), refused).finally(done);
        };
        save.addEventListener('click', send);
        leave.addEventListener('click', done);
        for (const input of [price, amount]) input.addEventListener('keydown', (e) => {
            if (e.key === 'Enter') send();
            if (e.key === 'Escape') done();
        });
        row.cells[8]!.replaceChildren(save, leave);
        (price.disabled ? amount : price).focus();
        (price.disabled ? amount : price).select();
    }

    private editFault(o: Order, price: HTMLInputElement, amount: HTMLInputElement): string {
        const i = this.store.byName.get(o.instrument);
        const lots = parseE6(amount.value);
        if (i === undefined) return '';
        if (lots === null || lots <= 0n || !isMultiple(lots, numberE6(i.lot)))
            return 'The amount must be whole lots.';
        const value = parseE6(price.value);
        if (!price.disabled && (value === null || !isMultiple(value, numberE6(i.tick))))
            return `The price must be a multiple of ${formatE6(numberE6(i.tick))}.`;
        return '';
    }

    private makePosition(p: Position): HTMLTableRowElement {
        return el('tr', {}, this.instrumentCell(p.instrument), ...cells(6),
            el('td', { class: 'actions' }, el('button', { class: 'small', text: 'Close',
                title: 'Fills the ticket with a reduce-only order',
                on: { click: () => {
                    const now = this.store.positions.get(p.instrument);
                    if (now !== undefined) this.close(now);
                } } })));
    }

    private drawPosition(row: HTMLTableRowElement, p: Position): void {
        const c = row.cells;
        const places = this.places(p.instrument);
        setText(c[1]!, showSigned(p.size, 0));
        c[1]!.className = p.size < 0 ? 'sell' : 'buy';
        setText(c[2]!, show(p.average, places));
        setText(c[3]!, show(p.mark, places));
        setText(c[4]!, showSigned(p.unrealised, 2));
        c[4]!.className = (p.unrealised ?? 0) < 0 ? 'sell' : 'buy';
        setText(c[5]!, showSigned(p.realised, 2));
        setText(c[6]!, show(p.margin, 2));
    }

    private makeFill(f: Fill): HTMLTableRowElement {
        return el('tr', {}, el('td', { class: 'fine', text: clockText(f.time) }),
            this.instrumentCell(f.instrument), el('td', { class: f.side, text: f.side }),
            el('td', { text: show(f.price, this.places(f.instrument)) }),
            el('td', { text: show(f.amount, 0) }), el('td', { text: show(f.fee, 2) }),
            el('td', { class: 'fine', text: f.maker ? 'maker' : 'taker' }));
    }

    private drawBalances(): void {
        const a = this.store.account;
        if (a === null) return;
        const entries: [string, number | null][] = [['Equity', a.equity], ['Cash', a.cash],
            ['Available', a.available], ['Initial margin', a.initialMargin],
            ['Maintenance margin', a.maintenanceMargin], ['Unrealised', a.unrealised],
            ['Fees paid', a.fees]];
        const known = entries.filter(([, value]) => value !== null);
        this.balances.replaceChildren(...known.map(([name, value]) => el('div', {},
            el('dt', { text: name }), el('dd', { text: `${show(value, 2)} ${a.currency}` }))));
    }
}

const TERMS: Record<string, string> = {
    good_til_cancelled: 'GTC', good_til_day: 'Day', good_til_date: 'GTD',
    immediate_or_cancel: 'IOC', fill_or_kill: 'FOK', at_the_opening: 'Opening',
};
