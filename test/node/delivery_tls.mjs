/* delivery_tls.mjs: seller, buyer and verifier over HTTPS, with certificates of an authority that they
 * are told to trust; what is not trusted is refused and said, and nothing goes to another machine
 * in the clear. Prints `N passed, N failed`.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { Stage } from './delivery_lib.mjs';
import { check, dojima, equal, finish, test } from './lib.mjs';

const stage = new Stage({ lots: 1, count: 1 });
const { venue } = stage;
const path = (name) => stage.path(name);
const openssl = (...args) => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/* An authority; certificates that it signs, of a name and of some days. */
function authority(name) {
    openssl('req', '-x509', ...curve, '-days', '2', '-subj', `/CN=${name}`, '-keyout',
        path(`${name}.key`), '-out', path(`${name}.crt`));
}
function certificate(name, by, { san = 'IP:127.0.0.1', days = 2 } = {}) {
    writeFileSync(path(`${name}.ext`), `subjectAltName=${san}\n`);
    openssl('req', '-new', ...curve, '-subj', `/CN=${name}`, '-keyout', path(`${name}.key`), '-out',
        path(`${name}.csr`));
    openssl('x509', '-req', '-in', path(`${name}.csr`), '-CA', path(`${by}.crt`), '-CAkey',
        path(`${by}.key`), '-CAcreateserial', '-days', String(days), '-extfile',
        path(`${name}.ext`), '-out', path(`${name}.crt`));
}
authority('ours');
authority('other');
for (const name of ['tls_seller', 'tls_buyer', 'tls_venue']) certificate(name, 'ours');
certificate('of_other', 'other');
certificate('misnamed', 'ours', { san: 'DNS:elsewhere.example' });
certificate('expired', 'ours', { days: 0 });
openssl('req', '-x509', ...curve, '-days', '2', '-subj', '/CN=127.0.0.1', '-addext',
    'subjectAltName=IP:127.0.0.1', '-keyout', path('self.key'), '-out', path('self.crt'));
writeFileSync(path('empty'), '');

const tls = (name) => ['--tls-cert', path(`${name}.crt`), '--tls-key', path(`${name}.key`)];
const trust = (name = 'ours') => ['--tls-ca', path(`${name}.crt`)];
let seller, gateway, watch;

/* Ends by itself: its exit status and what it says. */
function ends(...args) {
    try {
        execFileSync(dojima, [...args, '--url', 'http://127.0.0.1:1', '--data', path('nothing')],
            { timeout: 2500, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
    } catch (e) {
        return e.code === 'ETIMEDOUT' ? 'serves' : `${e.status}: ${e.stderr}`;
    }
    return 'ended';
}

await test('an agent does not begin with what is half TLS, or in the clear', () => {
    const cases = [
        [/^1: .*go together/, '--tls-cert', path('tls_buyer.crt')],
        [/^1: .*cannot read the certificate/, '--tls-cert', path('none'), '--tls-key',
            path('tls_buyer.key')],
        [/^1: .*does not belong|^1: .*key/, '--tls-cert', path('tls_buyer.crt'), '--tls-key',
            path('tls_seller.key')],
        [/^1: .*holds no certificates/, '--tls-ca', path('empty')],
        [/^1: .*holds no certificates/, '--tls-ca', path('none')],
        [/^1: .*not the loopback/, '--listen', '0.0.0.0:0'],
        [/^1: .*not the loopback/, '--endpoint', '0.0.0.0:0'],
        [/^1: .*not https/, '--endpoint', '192.0.2.1:9000', '--listen', '127.0.0.1:0'],
        [/^1: .*not https/, '--endpoint', 'http://192.0.2.1:9000', '--listen', '127.0.0.1:0'],
        [/^1: .*no http/, '--endpoint', 'http://127.0.0.1:0', ...tls('tls_buyer')],
        [/^1: .*HOST:PORT/, '--endpoint', 'ftp://127.0.0.1:0'],
        [/serves/, '--endpoint', 'https://192.0.2.1:9000', '--listen', '127.0.0.1:0'],
        [/serves/, '--endpoint', '192.0.2.1:9000', '--listen', '127.0.0.1:0', '--plain'],
        [/serves/, '--listen', '0.0.0.0:0', '--plain'],
        [/serves/, '--listen', '0.0.0.0:0', ...tls('tls_buyer')],
    ];
    for (const [said, ...args] of cases) {
        const got = ends('intake', ...args);
        check(said.test(got), `${args.join(' ')}: ${got}`);
    }
});

await test('endpoints are told as https, and the same after a restart', async () => {
    await stage.trade();
    gateway = await stage.agent('intake', 'buyer', ['intake', ...stage.intakes(), '--workload',
        'gemm-1b', ...tls('tls_buyer'), ...trust()]);
    seller = await stage.agent('deliver', 'north', ['deliver', '--resource', 'north-cpu',
        ...stage.tenders(), '--endpoint', 'https://127.0.0.1:0', ...tls('tls_seller'), ...trust()]);
    watch = await stage.agent('watch', 'verifier', ['verify', '--watch', '--samples', '3',
        '--canaries', '1', '--workload', 'gemm-1b', '--sign-key', path('verifier')]);
    for (const a of [gateway, seller]) {
        check(/^https:\/\/127\.0\.0\.1:[1-9]\d*$/.test(a.endpoint), a.endpoint);
        const { endpoint } = a;
        await a.kill();
        await a.start();
        equal(a.endpoint, endpoint, 'endpoint');
    }
});

await test('a verifier that does not trust the authority is told why, and judges when it does',
    async () => {
        const ready = stage.ready(seller, gateway);
        await stage.until('no trust', () => /not trusted: .*certificate/.test(watch.log));
        check(watch.log.includes('does not answer'), 'no verdict yet');
        await watch.kill();
        watch.args.push(...trust());
        await watch.start();
        await ready;
    });

await test('a certificate that is not trusted, of another name, or expired is refused', async () => {
    await gateway.kill();
    const right = gateway.args;
    await stage.jump(stage.at(0, 14));
    for (const [name, said] of [['self', /not trusted: self[- ]signed certificate/],
        ['of_other', /not trusted: unable to get local issuer certificate/],
        ['misnamed', /not trusted: (IP address|hostname) mismatch/i],
        ['expired', /not trusted: certificate has expired/]]) {
        gateway.args = right.map((a) => a.replace('tls_buyer', name));
        await gateway.start();
        await seller.kill();
        seller.log = '';
        await seller.start();
        await stage.until(name, () => said.test(seller.log), 20);
        equal(seller.log.includes('goes on at task'), false, `${name}: nothing is done`);
        await gateway.kill();
    }
    gateway.args = right;
    await gateway.start();
});

await test('with the right one the hour is delivered, verified and paid', async () => {
    await stage.until('the receipt', () => gateway.log.includes('receipt signed'), 120);
    await stage.jump(stage.at(0, 15, 1));
    await stage.until('the verdict', async () => (await stage.hour()).outcome !== undefined);
    const h = await stage.hour();
    equal([h.outcome, h.failed, h.sampled], ['ok', 0, 3], 'verdict');
    await stage.jump(stage.at(1, 15));
    const a = await stage.allocation();
    check(a.paid >= 2 && a.paid < 2.1, `paid ${a.paid} for a lot at 2`);
});

await test('a stranger over TLS is refused as one without; plain HTTP gets nothing', async () => {
    const { port } = new URL(gateway.endpoint);
    const status = await new Promise((done, fail) => {
        const r = https.request({ host: '127.0.0.1', port, method: 'POST', path: '/tasks',
            ca: readFileSync(path('ours.crt')), agent: false }, (x) => done(x.statusCode));
        r.on('error', fail);
        r.end('{}');
    });
    equal(status, 401, 'unsigned');
    const plain = await fetch(`http://127.0.0.1:${port}/tasks`, { method: 'POST', body: '{}' })
        .then((r) => `${r.status}`, () => 'closed');
    equal(plain, 'closed', 'plain HTTP');
});

await test('a venue behind HTTPS is asked by whoever trusts its authority', async () => {
    for (const a of stage.agents) equal(await a.kill('SIGTERM'), 0, `the end of ${a.name}`);
    await venue.stop();
    await venue.start({ flags: [...stage.flags, ...tls('tls_venue')] });
    const ask = (...more) => {
        try {
            return execFileSync(dojima, ['instruments', '--url', venue.url, ...more],
                { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
        } catch (e) {
            return `${e.status}: ${e.stderr}`;
        }
    };
    check(/^no instruments/.test(ask(...trust())), ask(...trust())); /* all have expired */
    check(/^1: .*not trusted/.test(ask()), ask());
    check(/^1: .*not trusted/.test(ask(...trust('other'))), ask(...trust('other')));
    await venue.stop();
});

finish();
