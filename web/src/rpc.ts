/* rpc.ts: JSON-RPC 2.0 over one WebSocket that is kept alive.
 *
 * Invariants: (1) every call settles: with a result, the venue's error, or a local one when the
 * connection ends or time runs out; (2) a call is never sent twice: an order whose answer was lost
 * is looked up after the reconnect, not repeated; (3) after a reconnect the owner is told once,
 * and it signs in and subscribes again.
 */
import { number, object, text, type Json, type JsonObject } from './types.ts';

export type Connection = 'connecting' | 'live' | 'lost';

export class RpcError extends Error {
    constructor(readonly code: number, message: string, readonly data: JsonObject) {
        super(message);
    }

    get reason(): string { return text(this.data['reason']); }
    get rule(): string { return text(this.data['rule']); }
    get sentence(): string {
        return text(this.data['sentence'] ?? this.data['message'] ?? null) || this.message;
    }
}

interface Pending {
    resolve: (value: Json) => void;
    reject: (error: Error) => void;
    timer: number;
}

export interface RpcOwner {
    onOpen(): void;
    onNotification(channel: string, data: Json): void;
    onStatus(): void;
}

const CALL_TIMEOUT_MS = 10000;
const PING_EVERY_MS = 2500;
const BACKOFF_FIRST_MS = 250;
const BACKOFF_MOST_MS = 5000;

export class Rpc {
    status: Connection = 'connecting';
    latency: number | null = null; /* ms, of the last round trip */
    seq: number | null = null;     /* the engine's latest that was seen here */
    reconnects = 0;
    skew = 0;                      /* venue's clock less ours, ms */
    private socket: WebSocket | null = null;
    private pending = new Map<number, Pending>();
    private nextId = 1;
    private backoff = BACKOFF_FIRST_MS;
    private retryTimer = 0;
    private silentPings = 0;

    constructor(private readonly url: string, private readonly owner: RpcOwner) {
        window.setInterval(() => this.ping(), PING_EVERY_MS);
        window.addEventListener('online', () => this.connectNow());
        document.addEventListener('visibilitychange', () => {
            if (!document.hidden && this.status === 'lost') this.connectNow();
        });
        this.connect();
    }

    call(method: string, params: JsonObject = {}): Promise<Json> {
        const socket = this.socket;
        if (socket === null || socket.readyState !== WebSocket.OPEN)
            return Promise.reject(new RpcError(0, 'Not connected to the venue.', {}));
        const id = this.nextId++;
        return new Promise<Json>((resolve, reject) => {
            const timer = window.setTimeout(() => {
                this.pending.delete(id);
                reject(new RpcError(0, 'The venue did not answer in time.', {}));
            }, CALL_TIMEOUT_MS);
            this.pending.set(id, { resolve, reject, timer });
            socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
        });
    }

    private connectNow(): void {
        if (this.socket !== null) return;
        window.clearTimeout(this.retryTimer);
        this.backoff = BACKOFF_FIRST_MS;
        this.connect();
    }

    private connect(): void {
        const socket = new WebSocket(this.url);
        this.socket = socket;
        this.silentPings = 0;
        socket.onopen = () => {
            this.backoff = BACKOFF_FIRST_MS;
            this.setStatus('live');
            this.owner.onOpen();
            this.ping();
        };
        socket.onmessage = (e) => this.receive(String(e.data));
        socket.onclose = () => this.lost(socket);
    }

    private lost(socket: WebSocket): void {
        if (this.socket !== socket) return;
        this.socket = null;
        this.latency = null;
        for (const p of this.pending.values()) {
            window.clearTimeout(p.timer);
            p.reject(new RpcError(0, 'The connection was lost before the venue answered.', {}));
        }
        this.pending.clear();
        this.reconnects += 1;
        this.setStatus('lost');
        const wait = this.backoff * (0.75 + Math.random() * 0.5);
        this.backoff = Math.min(this.backoff * 2, BACKOFF_MOST_MS);
        this.retryTimer = window.setTimeout(() => this.connect(), wait);
    }

    private setStatus(status: Connection): void {
        this.status = status;
        this.owner.onStatus();
    }

    private ping(): void {
        const socket = this.socket;
        if (socket === null || socket.readyState !== WebSocket.OPEN) return;
        if (this.silentPings >= 3) {
            socket.close();
            this.lost(socket);
            return;
        }
        this.silentPings += 1;
        const sent = performance.now();
        this.call('public/get_time').then(
            (result) => {
                const time = number(result);
                this.latency = performance.now() - sent;
                if (time !== null) this.skew = time + this.latency / 2 - Date.now();
                this.owner.onStatus();
            },
            () => undefined,
        );
    }

    private receive(data: string): void {
        this.silentPings = 0;
        let message: JsonObject;
        try {
            message = object(JSON.parse(data) as Json);
        } catch {
            return;
        }
        this.noteSeq(message);
        if (message['method'] === 'subscription') {
            const params = object(message['params']);
            this.owner.onNotification(text(params['channel']), params['data'] ?? null);
        } else if (message['method'] === 'heartbeat') {
            if (object(message['params'])['type'] === 'test_request')
                this.call('public/test').catch(() => undefined);
        } else {
            this.settle(message);
        }
    }

    private settle(message: JsonObject): void {
        const id = number(message['id']);
        const p = id === null ? undefined : this.pending.get(id);
        if (p === undefined || id === null) return;
        this.pending.delete(id);
        window.clearTimeout(p.timer);
        if (message['error'] === undefined) {
            p.resolve(message['result'] ?? null);
        } else {
            const e = object(message['error']);
            p.reject(new RpcError(number(e['code']) ?? 0, text(e['message']), object(e['data'])));
        }
    }

    /* The sequence number may stand in the envelope, in params or in the data itself. */
    private noteSeq(message: JsonObject): void {
        const params = object(message['params']);
        const places = [message, params, object(params['data']), object(message['result'])];
        for (const place of places) {
            const seq = number(place['seq']);
            if (seq !== null && (this.seq === null || seq > this.seq)) this.seq = seq;
        }
    }
}
