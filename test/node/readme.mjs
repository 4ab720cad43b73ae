/* readme.mjs: the README's first steps at a terminal, as a stranger would take them, against a
 * demonstration. Prints `N passed, N failed`. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Venue, check, dojima, finish, root, sleep, test } from './lib.mjs';

const block = /```sh\n(build\/dojima keys make[^`]*)```/.exec(
    readFileSync(join(root, 'README.md'), 'utf8'))?.[1];
const venue = new Venue();

await test('the README\'s commands make a key, list contracts, buy one and show it', async () => {
    check(block !== undefined, 'the README has the block');
    await venue.start({ flags: ['--demo'] });
    let key = '';
    let said = '';
    let listed = []; /* the demonstration lists the coming months */
    for (const line of block.trim().split('\n')) {
        if (line.startsWith('export ')) continue;
        const words = line.split(' ');
        check(words.shift() === 'build/dojima', line);
        const at = words.indexOf('--data');
        if (at >= 0) words[at + 1] = venue.data;
        const contract = words.findIndex((word) => word.startsWith('CTF-'));
        if (contract >= 0 && !listed.includes(words[contract])) words[contract] = listed[0];
        for (let tries = 0; ; tries += 1) { /* the simulated participants need a moment */
            try {
                said = execFileSync(dojima, words, { encoding: 'utf8',
                    env: { ...process.env, DOJIMA_KEY: key, DOJIMA_URL: venue.url } });
                break;
            } catch (e) {
                if (tries === 20) throw e;
                await sleep(250);
            }
        }
        if (words[0] === 'keys') {
            key = ['client_id', 'client_secret'].map((name) =>
                new RegExp(`^${name} +(.*)$`, 'm').exec(said)[1]).join(' ');
        }
        if (words[0] === 'instruments') listed = said.match(/CTF-\d{4}M\d{2}(?=\s)/g) ?? [];
        if (words[0] === 'order') check(/filled|open/.test(said), said);
    }
    check(listed.length > 0, 'months are listed');
});

await venue.stop();
finish();
