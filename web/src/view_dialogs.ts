/* view_dialogs.ts: signing in, and the list of keys. */
import { byId, el, setText } from './dom.ts';
import { RpcError } from './rpc.ts';
import type { Store } from './store.ts';
import type { Key, Venue } from './venue.ts';
import { toast } from './view_top.ts';

export function signDialog(store: Store, venue: Venue): { open: () => void } {
    const dialog = byId<HTMLDialogElement>('d-sign');
    const id = el('input', {
        attributes: { id: 'd-id', autocomplete: 'username', spellcheck: 'false' },
    });
    const secret = el('input', {
        type: 'password', attributes: { id: 'd-secret', autocomplete: 'current-password' },
    });
    const fault = el('p', { class: 'fault', attributes: { role: 'alert' } });
    const guest = el('button', {
        class: 'accent', type: 'button', text: 'Trade as guest', attributes: { id: 'd-guest' },
    });
    const send = async (key: { id: string; secret: string }): Promise<void> => {
        setText(fault, '');
        try {
            await venue.signIn(key, true);
            dialog.close();
            secret.value = '';
            toast('Signed in', 'good');
        } catch (e) {
            if (!(e instanceof RpcError)) throw e;
            setText(fault, e.sentence);
        }
    };
    const form = el('form', { attributes: { method: 'dialog' } },
        el('h2', { text: 'Sign in' }),
        el('p', { class: 'fine', text: 'With an API key; the secret stays in this tab.' }),
        el('label', { class: 'field' }, el('span', { text: 'Client id' }), id),
        el('label', { class: 'field' }, el('span', { text: 'Client secret' }), secret), fault,
        el('div', { class: 'row' },
            el('button', { text: 'Cancel', type: 'button', on: { click: () => dialog.close() } }),
            el('button', { class: 'accent', type: 'submit', text: 'Sign in' })));
    form.addEventListener('submit', (e) => {
        e.preventDefault();
        void send({ id: id.value.trim(), secret: secret.value });
    });
    guest.hidden = true;
    let offered: Key | null = null;
    guest.addEventListener('click', () => { if (offered !== null) void send(offered); });
    form.insertBefore(guest, form.children[2] ?? null);
    dialog.append(form);

    const button = byId('b-account');
    button.addEventListener('click', () => {
        if (store.signedIn === null) open();
        else venue.signOut();
    });
    const open = (): void => {
        dialog.showModal();
        id.focus();
        venue.guestKey().then((key) => {
            offered = key;
            guest.hidden = key === null;
            if (key !== null && id.value === '') guest.focus();
        }, () => undefined);
    };
    store.on(['session', 'account'], () => {
        const account = store.account?.name ?? '';
        setText(button, store.signedIn === null ? 'Sign in'
            : account === '' ? store.signedIn : account);
        button.title = store.signedIn === null ? 'Sign in with an API key'
            : `Key ${store.signedIn}; press to sign out`;
        button.dataset['signed'] = String(store.signedIn !== null);
    });
    return { open };
}

const KEYS: [string, string][] = [
    ['/', 'filter instruments'], ['[  ]', 'instrument before, after'], ['B  S', 'buy, sell'],
    ['P  A', 'to price, amount'], ['↑ ↓', 'price by a tick, amount by a lot (⇧: ten)'],
    ['Enter', 'send the order'], ['1 … 4', 'orders, positions, fills, balances'],
    ['⇧ X', 'cancel all orders'], ['T', 'light or dark'], ['?', 'this list'],
];

export function helpDialog(): { open: () => void } {
    const dialog = byId<HTMLDialogElement>('d-help');
    const dl = el('dl', { class: 'keys' });
    for (const [key, does] of KEYS)
        dl.append(el('div', {}, el('dt', {}, el('kbd', { text: key })), el('dd', { text: does })));
    const notice = el('p', { class: 'fine' },
        'Dojima is free software under the Apache licence 2.0. '
        + 'Charts: Lightweight Charts™, copyright © 2025 ',
        el('a', { text: 'TradingView, Inc.', attributes: {
            href: 'https://www.tradingview.com/', target: '_blank', rel: 'noopener noreferrer',
        } }));
    dialog.append(el('h2', { text: 'Keyboard' }), dl, notice, el('div', { class: 'row' },
        el('button', { class: 'accent', text: 'Close', on: { click: () => dialog.close() } })));
    const open = (): void => dialog.showModal();
    byId('b-help').addEventListener('click', open);
    return { open };
}
