/* node.mjs: a node with --demo on a free port of the loopback, in a directory of its own. */
import { execFileSync, spawn } from 'node:child_process';
import net from 'node:net';

export function freePort() {
    return new Promise((resolve, reject) => {
        const server = net.createServer();
        server.on('error', reject);
        server.listen(0, '127.0.0.1', () => {
            const { port } = server.address();
            server.close(() => resolve(port));
        });
    });
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Node {
    constructor(program, directory, port, more) {
        this.program = program;
        this.directory = directory;
        this.port = port;
        this.more = more;
        this.output = '';
        this.url = `http://127.0.0.1:${port}/`;
    }

    async start() {
        const child = spawn(this.program, ['serve', '--demo', '--data', this.directory,
            '--listen', `127.0.0.1:${this.port}`, ...this.more], { stdio: ['ignore', 'pipe', 'pipe'] });
        this.child = child;
        const keep = (data) => { this.output = (this.output + data).slice(-8000); };
        child.stdout.on('data', keep);
        child.stderr.on('data', keep);
        this.ended = new Promise((resolve) => child.on('exit', (code, signal) => {
            this.status = signal ?? code;
            resolve();
        }));
        for (let n = 0; n < 150; n++) {
            if (this.status !== undefined) break;
            try {
                const response = await fetch(this.url);
                if (response.ok) return;
            } catch { /* not yet */ }
            await sleep(100);
        }
        throw new Error(`the node did not come up (status ${this.status}):\n${this.output}`);
    }

    /* A call by an officer whose key is made here; the node takes note of it within a second. */
    officer(method, params, name = 'officer') { return this.as(name, method, params, 'officer'); }

    async as(name, method, params, scopes = 'read,trade') {
        this.tokens ??= {};
        if (this.tokens[name] === undefined) {
            const key = JSON.parse(execFileSync(this.program, ['keys', 'make', '--data',
                this.directory, '--account', name, '--scopes', scopes, '--json']));
            await sleep(1200);
            this.tokens[name] = (await this.ask('public/auth', { grant_type: 'client_credentials',
                client_id: key.client_id, client_secret: key.client_secret })).access_token;
        }
        return this.ask(method, params, { authorization: 'Bearer ' + this.tokens[name] });
    }

    async ask(method, params, headers = {}) {
        const response = await fetch(`${this.url}api/v2`, { method: 'POST', headers,
            body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }) });
        const { result, error } = await response.json();
        if (error !== undefined) throw new Error(`${method}: ${JSON.stringify(error)}`);
        return result;
    }

    async stop(signal = 'SIGTERM') {
        if (this.child === undefined || this.status !== undefined) return;
        this.child.kill(signal);
        await Promise.race([this.ended, sleep(12000)]);
        if (this.status === undefined) {
            this.child.kill('SIGKILL');
            await this.ended;
        }
        const status = this.status;
        this.status = undefined;
        this.child = undefined;
        return status;
    }
}
