/* run.mjs: the whole-process tests one after the other, and the sum of what they count. */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
let passed = 0;
let failed = 0;
let skipped = 0;
const files = [['readme.mjs'], ['config.mjs'], ['clock.mjs'], ['delivery.mjs'], ['delivery_weights.mjs'],
    ['delivery_tls.mjs'], ['delivery_resale.mjs'], ['spot.mjs'], ['spot_channel.mjs'], ['index.mjs'],
    ['implied.mjs'], ['tls.mjs'], ['disk.mjs'], ['abuse.mjs'], ['margin.mjs'],
    ['kill.mjs', process.argv[2] ?? '10']];
for (const [file, ...args] of files) {
    const run = spawnSync(process.execPath, [join(here, file), ...args],
        { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
    process.stdout.write(run.stdout.replace(/^\d+ passed, \d+ failed.*\n/m, ''));
    const count = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/m.exec(run.stdout);
    passed += Number(count?.[1] ?? 0);
    failed += Number(count?.[2] ?? 1);
    skipped += Number(count?.[3] ?? 0);
}
console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`);
process.exit(failed === 0 ? 0 : 1);
