/* order.ts: from the ticket's fields to a request, with what can be checked here checked here.
 *
 * The venue checks everything again; this only spares the trip. Numbers stay the text typed.
 */
import { formatE6, isMultiple, numberE6, parseE6 } from './decimal.ts';
import type { Instrument, JsonObject, Side } from './types.ts';

export interface Fields {
    side: Side;
    type: string;
    tif: string;
    amount: string;
    price: string;
    trigger: string;
    offset: string;
    peg: string;
    expires: string;
    postOnly: boolean;
    rejectPostOnly: boolean;
    reduceOnly: boolean;
    maxShow: string;
    minQuantity: string;
    label: string;
    smpId: string;
    smpMode: string;
}

export type FieldName = 'amount' | 'price' | 'trigger' | 'offset' | 'expires' | 'maxShow'
    | 'minQuantity' | 'label' | 'smpId';
export type Faults = Partial<Record<FieldName, string>>;

export const TYPES: [string, string][] = [
    ['limit', 'Limit'], ['market', 'Market'], ['market_limit', 'Market to limit'],
    ['stop_limit', 'Stop limit'], ['stop_market', 'Stop market'],
    ['take_limit', 'Take limit'], ['take_market', 'Take market'],
    ['trailing_stop', 'Trailing stop'], ['pegged', 'Pegged'],
];
export const TIFS: [string, string][] = [
    ['good_til_cancelled', 'Till cancelled'], ['good_til_day', 'Day'],
    ['good_til_date', 'Till date'], ['immediate_or_cancel', 'Immediate (IOC)'],
    ['fill_or_kill', 'Fill or kill'], ['at_the_opening', 'At opening'],
];
export const PEGS: [string, string][] = [
    ['primary', 'Primary'], ['market', 'Market'], ['midpoint', 'Midpoint'],
];
export const SMP_MODES: [string, string][] = [
    ['', 'Cancel resting (default)'], ['cancel_aggressing', 'Cancel aggressing'],
    ['cancel_both', 'Cancel both'], ['decrement', 'Decrement'],
];

export function needsPrice(type: string): boolean {
    return type === 'limit' || type === 'stop_limit' || type === 'take_limit';
}

export function needsTrigger(type: string): boolean {
    return type.startsWith('stop_') || type.startsWith('take_');
}

export function takesAtOnce(f: Fields): boolean {
    return f.type.startsWith('market') || f.tif === 'immediate_or_cancel'
        || f.tif === 'fill_or_kill';
}

export function mayPost(f: Fields): boolean {
    return !takesAtOnce(f) && (f.type === 'limit' || f.type === 'pegged');
}

export function mayHide(f: Fields): boolean {
    return !takesAtOnce(f) && (f.type === 'limit' || f.type === 'pegged');
}

function priceFault(text: string, i: Instrument): string | undefined {
    if (text.trim() === '') return 'Enter a price.';
    const value = parseE6(text);
    if (value === null) return 'Not a decimal number.';
    if (!isMultiple(value, numberE6(i.tick)))
        return `Not a multiple of the tick ${formatE6(numberE6(i.tick))}.`;
    return undefined;
}

function lotsFault(text: string, i: Instrument): string | undefined {
    if (text.trim() === '') return 'Enter an amount.';
    const value = parseE6(text);
    if (value === null || value <= 0n) return 'A positive number of lots.';
    if (!isMultiple(value, numberE6(i.lot))) return `Whole lots of ${formatE6(numberE6(i.lot))}.`;
    return undefined;
}

export function check(f: Fields, i: Instrument, now: number): Faults {
    const faults: Faults = {};
    const put = (name: FieldName, fault: string | undefined): void => {
        if (fault !== undefined) faults[name] = fault;
    };
    put('amount', lotsFault(f.amount, i));
    if (needsPrice(f.type)) put('price', priceFault(f.price, i));
    if (needsTrigger(f.type)) put('trigger', priceFault(f.trigger, i));
    if (f.type === 'trailing_stop') {
        const distance = priceFault(f.offset, i);
        put('offset', distance ?? ((parseE6(f.offset) ?? 0n) <= 0n ? 'Above zero.' : undefined));
    }
    if (f.type === 'pegged' && f.offset !== '' && !/^[+-]?\d+$/.test(f.offset.trim()))
        put('offset', 'A whole number of ticks.');
    if (f.tif === 'good_til_date') {
        const at = Date.parse(f.expires + 'Z');
        if (!Number.isFinite(at)) put('expires', 'Enter a date and time (UTC).');
        else if (at <= now) put('expires', 'Lies in the past.');
    }
    const amount = parseE6(f.amount) ?? 0n;
    if (mayHide(f) && f.maxShow !== '') put('maxShow', lotsFault(f.maxShow, i));
    if (f.minQuantity !== '') {
        put('minQuantity', lotsFault(f.minQuantity, i));
        if ((parseE6(f.minQuantity) ?? 0n) > amount) put('minQuantity', 'More than the amount.');
    }
    if (f.label.length > 64) put('label', 'At most 64 characters.');
    if (f.smpMode !== '' && f.smpId === '') put('smpId', 'A mode needs an id.');
    return faults;
}

export function request(f: Fields, i: Instrument, clientOrderId: string): JsonObject {
    const p: JsonObject = {
        instrument_name: i.name, type: f.type, amount: f.amount.trim(), time_in_force: f.tif,
        client_order_id: clientOrderId,
    };
    if (needsPrice(f.type)) p['price'] = f.price.trim();
    if (needsTrigger(f.type)) {
        p['trigger_price'] = f.trigger.trim();
        p['trigger'] = 'last_price';
    }
    if (f.type === 'trailing_stop') {
        p['trigger_offset'] = f.offset.trim();
        p['trigger'] = 'last_price';
    }
    if (f.type === 'pegged') {
        p['peg'] = f.peg;
        p['offset'] = f.offset.trim() === '' ? '0' : f.offset.trim().replace('+', '');
    }
    if (f.tif === 'good_til_date') p['expires_at'] = Date.parse(f.expires + 'Z');
    if (mayPost(f) && f.postOnly) {
        p['post_only'] = true;
        if (f.rejectPostOnly) p['reject_post_only'] = true;
    }
    if (f.reduceOnly) p['reduce_only'] = true;
    if (mayHide(f) && f.maxShow.trim() !== '') p['max_show'] = f.maxShow.trim();
    if (f.minQuantity.trim() !== '') p['min_quantity'] = f.minQuantity.trim();
    if (f.label.trim() !== '') p['label'] = f.label.trim();
    if (f.smpId.trim() !== '') p['smp_id'] = f.smpId.trim();
    if (f.smpMode !== '') p['smp_mode'] = f.smpMode;
    return p;
}

/* A name for this one request (MATCH-05): asked twice, the venue executes it once. */
export function makeClientOrderId(): string {
    const bytes = crypto.getRandomValues(new Uint8Array(12));
    return 'web-' + [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('');
}
