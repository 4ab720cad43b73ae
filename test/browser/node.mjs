/* node.mjs: a node with --demo on a free port of the loopback, in a directory of its own. */
import { spawn } from 'node:child_process';
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
