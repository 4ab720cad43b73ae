/* main.ts: puts the page together, and hears the keys. */
import { byId } from './dom.ts';
import { Store } from './store.ts';
import type { Position } from './types.ts';
import { Venue } from './venue.ts';
import { Blotter } from './view_blotter.ts';
import { chartView } from './view_chart.ts';
import { helpDialog, signDialog } from './view_dialogs.ts';
import { ladderView } from './view_ladder.ts';
import { marketsView } from './view_markets.ts';
import { spotView } from './view_spot.ts';
import { tapeView } from './view_tape.ts';
import { Ticket } from './view_ticket.ts';
import { pagesView, quoteView, showPage, statusView, themeView } from './view_top.ts';

function isTyping(e: KeyboardEvent): boolean {
    const node = e.target as HTMLElement;
    return node.matches('input:not([type=checkbox]), select, textarea') || e.ctrlKey || e.metaKey
        || e.altKey || document.querySelector('dialog[open]') !== null;
}

function start(): void {
    const store = new Store();
    const venue = new Venue(store);
    const theme = themeView(store);
    const help = helpDialog();
    const sign = signDialog(store, venue);
    const ticket = new Ticket(store, venue, sign.open);
    const markets = marketsView(store, venue);
    const blotter = new Blotter(store, venue, (p: Position) => {
        venue.select(p.instrument);
        requestAnimationFrame(() => {
            ticket.setSide(p.size > 0 ? 'sell' : 'buy');
            ticket.setAmount(String(Math.abs(p.size)));
            byId<HTMLInputElement>('k-reduce').checked = true;
            showPage('trade');
            ticket.focus();
        });
    });
    quoteView(store);
    statusView(store, venue);
    chartView(store);
    ladderView(store, {
        price: (text) => ticket.setPrice(text), amount: (text) => ticket.setAmount(text),
    });
    tapeView(store);
    spotView(store, venue);
    pagesView();

    const keys: Record<string, () => void> = {
        '/': () => { showPage('markets'); byId('m-filter').focus(); },
        '[': () => markets.step(-1), ']': () => markets.step(1),
        b: () => { ticket.setSide('buy'); showPage('trade'); ticket.focus(); },
        s: () => { ticket.setSide('sell'); showPage('trade'); ticket.focus(); },
        p: () => byId('k-price').focus(), a: () => byId('k-amount').focus(),
        '1': () => blotter.showAt(0), '2': () => blotter.showAt(1),
        '3': () => blotter.showAt(2), '4': () => blotter.showAt(3),
        X: () => void blotter.cancelAll(), t: theme.toggle, '?': help.open,
    };
    document.addEventListener('keydown', (e) => {
        if (e.key === 'Escape' && e.target instanceof HTMLInputElement) e.target.blur();
        if (isTyping(e)) return;
        const act = keys[e.key];
        if (act === undefined) return;
        e.preventDefault();
        act();
    });
}

start();
