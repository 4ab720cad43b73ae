/* view_tape.ts: time and sales of the selected instrument, newest first. */
import { show } from './decimal.ts';
import { byId, clockText, el, KeyedList } from './dom.ts';
import type { Store } from './store.ts';
import type { Trade } from './types.ts';

const SHOWN = 60;

export function tapeView(store: Store): void {
    const rows = new KeyedList<Trade, HTMLTableRowElement>(byId('t-rows'), (t) => String(t.seq),
        (t) => el('tr', { class: t.side },
            el('td', {
                class: 'price ' + t.side, text: show(t.price, store.selected?.places ?? 3),
            }),
            el('td', { text: show(t.amount, 0) }),
            el('td', { class: 'fine', text: clockText(t.time) })),
        () => undefined);
    store.on(['trades'], () => rows.render(store.trades.slice(-SHOWN).reverse()));
}
