/* view_ticket.ts: the order ticket: fields that fit the type, checks while typing, what the order
 * would cost, and the venue's own words when it refuses. */
import { numberE6, parseE6, show, stepText } from './decimal.ts';
import { byId, el, setClass, setText } from './dom.ts';
import {
    check, makeClientOrderId, mayHide, mayPost, needsPrice, needsTrigger, PEGS, request, SMP_MODES,
    TIFS, TYPES, type Faults, type Fields, type FieldName,
} from './order.ts';
import { marginAdded } from './margin.ts';
import { RpcError } from './rpc.ts';
import type { Store } from './store.ts';
import { number, text, type JsonObject, type Side } from './types.ts';
import type { Venue } from './venue.ts';
import { toast } from './view_top.ts';

interface Field {
    box: HTMLLabelElement;
    input: HTMLInputElement;
    fault: HTMLSpanElement;
}

function options(values: [string, string][]): HTMLOptionElement[] {
    return values.map(([value, label]) => el('option', { text: label, attributes: { value } }));
}

function selectField(id: string, label: string, values: [string, string][]):
    { box: HTMLLabelElement; select: HTMLSelectElement } {
    const select = el('select', { attributes: { id } }, ...options(values));
    return { box: el('label', { class: 'field' }, el('span', { text: label }), select), select };
}

function inputField(id: string, label: string, mode: string, hint = ''): Field {
    const input = el('input', { type: 'text', attributes: {
        id, inputmode: mode, placeholder: hint, spellcheck: 'false', autocomplete: 'off' } });
    const fault = el('span', { class: 'fault', attributes: { id: id + '-fault' } });
    input.setAttribute('aria-describedby', id + '-fault');
    const box = el('label', { class: 'field' }, el('span', { text: label }), input, fault);
    return { box, input, fault };
}

function checkField(id: string, label: string, title: string):
    { box: HTMLLabelElement; input: HTMLInputElement } {
    const input = el('input', { type: 'checkbox', attributes: { id } });
    return { box: el('label', { class: 'check', title }, input, label), input };
}

function sideButton(side: Side, label: string): HTMLButtonElement {
    return el('button', {
        class: 'side ' + side, text: label, type: 'button', attributes: { id: 'k-' + side },
    });
}

export class Ticket {
    private side: Side = 'buy';
    private readonly form = byId<HTMLFormElement>('k-form');
    private readonly sides = {
        buy: sideButton('buy', 'Buy'), sell: sideButton('sell', 'Sell'),
    };
    private readonly type = selectField('k-type', 'Type', TYPES);
    private readonly tif = selectField('k-tif', 'Time in force', TIFS);
    private readonly peg = selectField('k-peg', 'Peg to', PEGS);
    private readonly smpMode = selectField('k-smp-mode', 'Self-match mode', SMP_MODES);
    private readonly fields: Record<FieldName, Field> = {
        price: inputField('k-price', 'Price', 'decimal'),
        amount: inputField('k-amount', 'Amount, lots', 'numeric'),
        trigger: inputField('k-trigger', 'Trigger price', 'decimal'),
        offset: inputField('k-offset', 'Offset', 'decimal'),
        expires: inputField('k-expires', 'Expires, UTC', 'none'),
        maxShow: inputField('k-show', 'Show at most', 'numeric', 'all'),
        minQuantity: inputField('k-minimum', 'Minimum fill', 'numeric', 'none'),
        label: inputField('k-label', 'Label', 'text', 'none'),
        smpId: inputField('k-smp', 'Self-match id', 'text', 'none'),
    };
    private readonly post = checkField('k-post', 'Post only',
        'Never takes: re-priced behind the opposite best (MATCH-02)');
    private readonly rejectPost = checkField('k-reject-post', 'or reject',
        'Refused instead of re-priced');
    private readonly reduce = checkField('k-reduce', 'Reduce only',
        'Only against an opposite position (MATCH-02)');
    private readonly preview = {
        notional: el('dd', { text: '–' }), fee: el('dd', { text: '–' }),
        margin: el('dd', { text: '–' }), after: el('dd', { text: '–' }),
        reference: el('dd', { text: '–' }),
    };
    private readonly submit = el('button', {
        class: 'submit', attributes: { id: 'k-submit', type: 'submit' },
    });
    private readonly refusal = el('div', {
        class: 'refusal', attributes: { id: 'k-refusal', role: 'alert' },
    });
    private touched = new Set<FieldName>();
    private pending = false;

    constructor(private readonly store: Store, private readonly venue: Venue,
                private readonly signIn: () => void) {
        this.fields.expires.input.type = 'datetime-local';
        this.build();
        this.form.addEventListener('submit', (e) => { e.preventDefault(); void this.send(); });
        this.form.addEventListener('input', (e) => this.onInput(e.target as HTMLElement));
        for (const side of ['buy', 'sell'] as const)
            this.sides[side].addEventListener('click', () => this.setSide(side));
        this.stepKeys('price', () => numberE6(store.selected?.tick ?? 0.001));
        this.stepKeys('trigger', () => numberE6(store.selected?.tick ?? 0.001));
        this.stepKeys('amount', () => numberE6(store.selected?.lot ?? 1));
        store.on(['selected'], () => this.onSelected());
        store.on(['selected', 'session', 'account', 'book', 'positions', 'orders',
            'instruments'], () => this.draw());
        this.fields.amount.input.value = '1';
        this.setSide('buy');
    }

    private build(): void {
        const f = this.fields;
        const dl = el('dl', { class: 'preview' });
        for (const [name, value] of [['Reference', this.preview.reference],
            ['Notional', this.preview.notional], ['Fee at most', this.preview.fee],
            ['Margin added', this.preview.margin],
            ['Available after', this.preview.after]] as const)
            dl.append(el('div', {}, el('dt', { text: name }), value));
        const more = el('details', {}, el('summary', { text: 'More' }),
            el('div', { class: 'grid2' }, f.minQuantity.box, f.label.box, f.smpId.box,
                this.smpMode.box));
        this.form.append(
            el('div', { class: 'sides', attributes: { role: 'group', 'aria-label': 'Side' } },
                this.sides.buy, this.sides.sell),
            el('div', { class: 'grid2' }, this.type.box, this.tif.box, f.trigger.box, this.peg.box,
                f.offset.box, f.price.box, f.amount.box, f.expires.box, f.maxShow.box),
            el('div', { class: 'checks' }, this.post.box, this.rejectPost.box, this.reduce.box),
            more, dl, this.submit, this.refusal);
    }

    private stepKeys(name: FieldName, step: () => bigint): void {
        const input = this.fields[name].input;
        input.addEventListener('keydown', (e) => {
            if (e.key !== 'ArrowUp' && e.key !== 'ArrowDown') return;
            e.preventDefault();
            const steps = (e.key === 'ArrowUp' ? 1 : -1) * (e.shiftKey ? 10 : 1);
            const places = name === 'amount' ? 0 : this.store.selected?.places ?? 0;
            input.value = stepText(input.value, step(), steps, places);
            this.onInput(input);
        });
    }

    setSide(side: Side): void {
        this.side = side;
        setClass(this.sides.buy, 'on', side === 'buy');
        setClass(this.sides.sell, 'on', side === 'sell');
        this.sides.buy.setAttribute('aria-pressed', String(side === 'buy'));
        this.sides.sell.setAttribute('aria-pressed', String(side === 'sell'));
        this.draw();
    }

    setPrice(value: string): void {
        const name = needsPrice(this.type.select.value) ? 'price'
            : needsTrigger(this.type.select.value) ? 'trigger' : 'price';
        this.fields[name].input.value = value;
        this.onInput(this.fields[name].input);
        this.fields[name].box.classList.remove('filled');
        requestAnimationFrame(() => this.fields[name].box.classList.add('filled'));
    }

    setAmount(value: string): void {
        this.fields.amount.input.value = value;
        this.onInput(this.fields.amount.input);
    }

    focus(): void {
        const name = needsPrice(this.type.select.value) ? 'price' : 'amount';
        this.fields[name].input.focus();
        this.fields[name].input.select();
    }

    private onSelected(): void {
        this.fields.price.input.value = '';
        this.fields.trigger.input.value = '';
        this.touched.clear();
        setText(this.refusal, '');
    }

    private onInput(target: HTMLElement): void {
        for (const [name, field] of Object.entries(this.fields))
            if (field.input === target) this.touched.add(name as FieldName);
        setText(this.refusal, '');
        this.draw();
    }

    private read(): Fields {
        const f = this.fields;
        return {
            side: this.side, type: this.type.select.value, tif: this.tif.select.value,
            amount: f.amount.input.value, price: f.price.input.value,
            trigger: f.trigger.input.value, offset: f.offset.input.value,
            peg: this.peg.select.value, expires: f.expires.input.value,
            postOnly: this.post.input.checked, rejectPostOnly: this.rejectPost.input.checked,
            reduceOnly: this.reduce.input.checked, maxShow: f.maxShow.input.value,
            minQuantity: f.minQuantity.input.value, label: f.label.input.value,
            smpId: f.smpId.input.value, smpMode: this.smpMode.select.value,
        };
    }

    private draw(): void {
        const i = this.store.selected;
        if (i === null) return;
        const f = this.read();
        setText(byId('k-name'), `${i.product} ${i.period}`);
        this.fields.price.box.hidden = !needsPrice(f.type);
        this.fields.trigger.box.hidden = !needsTrigger(f.type);
        this.fields.offset.box.hidden = f.type !== 'trailing_stop' && f.type !== 'pegged';
        setText(this.fields.offset.box.firstElementChild!,
            f.type === 'pegged' ? 'Offset, ticks' : 'Distance');
        this.peg.box.hidden = f.type !== 'pegged';
        this.fields.expires.box.hidden = f.tif !== 'good_til_date';
        this.fields.maxShow.box.hidden = !mayHide(f);
        this.post.box.hidden = !mayPost(f);
        this.rejectPost.box.hidden = !mayPost(f) || !f.postOnly;
        this.drawFaults(check(f, i, Date.now()));
        this.drawPreview(f);
        this.drawSubmit(f);
    }

    private drawFaults(faults: Faults): void {
        for (const [name, field] of Object.entries(this.fields)) {
            const fault = faults[name as FieldName];
            const said = fault !== undefined && this.touched.has(name as FieldName);
            setText(field.fault, said ? fault : '');
            field.input.setAttribute('aria-invalid', String(said));
        }
    }

    /* The price that the order will trade near: its own, else the opposite best. */
    private reference(f: Fields): number | null {
        const own = needsPrice(f.type) ? parseE6(f.price)
            : needsTrigger(f.type) ? parseE6(f.trigger) : null;
        if (own !== null) return Number(own) / 1e6;
        if (needsPrice(f.type)) return null;
        const level = f.side === 'buy' ? this.store.book.asks[0] : this.store.book.bids[0];
        return level?.price ?? this.store.ticker()?.last ?? null;
    }

    private drawPreview(f: Fields): void {
        const i = this.store.selected!;
        const amount = parseE6(f.amount);
        const price = this.reference(f);
        setText(this.preview.reference, show(price, i.places));
        const lots = amount === null ? null : Number(amount) / 1e6;
        const notional = price === null || lots === null ? null
            : Math.abs(price) * i.contractSize * lots;
        setText(this.preview.notional, notional === null ? '–' : show(notional, 2) + ' USD');
        const fee = this.store.products.get(i.product)?.takerFee ?? null;
        setText(this.preview.fee, fee === null || lots === null ? '–' : show(fee * lots, 2) + ' USD');
        const margin = lots === null ? null : marginAdded(this.store, i, f.side, lots);
        setText(this.preview.margin, margin === null ? '–' : show(margin, 2) + ' USD');
        const available = this.store.account?.available ?? null;
        const after = available === null || margin === null ? null : available - margin;
        setText(this.preview.after, after === null ? '–' : show(after, 2) + ' USD');
        setClass(this.preview.after, 'sell', after !== null && after < 0);
    }

    private drawSubmit(f: Fields): void {
        const signedIn = this.store.signedIn !== null;
        const at = needsPrice(f.type) && f.price !== '' ? ' @ ' + f.price : '';
        const verb = f.side === 'buy' ? 'Buy' : 'Sell';
        setText(this.submit, !signedIn ? 'Sign in to trade'
            : this.pending ? 'Sending…' : `${verb} ${f.amount || '–'}${at}`);
        this.submit.className = 'submit ' + (signedIn ? f.side : 'plain');
        this.submit.disabled = this.pending;
    }

    private async send(): Promise<void> {
        const i = this.store.selected;
        if (i === null || this.pending) return;
        if (this.store.signedIn === null) {
            this.signIn();
            return;
        }
        const f = this.read();
        const faults = check(f, i, Date.now());
        const first = Object.keys(faults)[0] as FieldName | undefined;
        if (first !== undefined) {
            for (const name of Object.keys(faults)) this.touched.add(name as FieldName);
            this.draw();
            this.fields[first].input.focus();
            return;
        }
        this.pending = true;
        setText(this.refusal, '');
        this.draw();
        try {
            const order = await this.venue.place(f.side, request(f, i, makeClientOrderId()));
            toast(outcome(order, i.places, `${f.side} ${f.amount.trim()} ${i.name}`),
                text(order['order_state']) === 'cancelled' ? 'plain' : 'good');
        } catch (e) {
            this.showRefusal(e);
        } finally {
            this.pending = false;
            this.draw();
        }
    }

    private showRefusal(e: unknown): void {
        if (!(e instanceof RpcError)) throw e;
        const facts = [e.rule, e.reason].filter((s) => s !== '').join(' · ');
        this.refusal.replaceChildren(
            el('b', { text: e.code === 0 ? 'Not answered' : 'Refused' }),
            el('p', { text: e.sentence }),
            ...(facts === '' ? [] : [el('small', { text: facts })]));
    }
}

function outcome(order: JsonObject, places: number, what: string): string {
    const filled = number(order['filled_amount']) ?? 0;
    const amount = number(order['amount']) ?? 0;
    const state = text(order['order_state']);
    if (filled > 0) {
        const how = filled === amount ? 'Filled' : 'Partly filled';
        return `${how}: ${show(filled, 0)} of ${show(amount, 0)} at `
            + show(number(order['average_price']), places);
    }
    if (state === 'untriggered') return `Accepted: ${what} waits for its trigger`;
    return state === 'cancelled' ? `Cancelled: nothing of ${what} could be filled`
        : `Accepted: ${what} is working`;
}
