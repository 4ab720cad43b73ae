/* decimal.ts: decimal numbers as the user types them, exact, in millionths.
 *
 * What is typed goes to the venue as the string it is; it never becomes a double on its way. Here
 * it is only checked (tick, lot) and stepped, in BigInt. Doubles are for display alone.
 */
const PATTERN = /^([+-]?)(\d{1,12})(?:\.(\d{0,6})0*)?$/;

/* The text in millionths, or null when it is no decimal number of at most six places. */
export function parseE6(text: string): bigint | null {
    const m = PATTERN.exec(text.trim());
    if (m === null) return null;
    const fraction = (m[3] ?? '').padEnd(6, '0');
    const value = BigInt(m[2] ?? '0') * 1000000n + BigInt(fraction);
    return m[1] === '-' ? -value : value;
}

/* Millionths as the shortest decimal text with at least `places` places. */
export function formatE6(value: bigint, places = 0): string {
    const negative = value < 0n;
    const digits = (negative ? -value : value).toString().padStart(7, '0');
    const whole = digits.slice(0, -6);
    let fraction = digits.slice(-6).replace(/0+$/, '');
    if (fraction.length < places) fraction = fraction.padEnd(places, '0');
    return (negative ? '-' : '') + whole + (fraction === '' ? '' : '.' + fraction);
}

/* A number of the wire (which JSON.parse has made a double) in millionths. */
export function numberE6(value: number): bigint {
    return BigInt(Math.round(value * 1e6));
}

export function isMultiple(value: bigint, step: bigint): boolean {
    return step === 0n || value % step === 0n;
}

/* The text moved by `steps` steps; what is off the grid goes to the next point that way. */
export function stepText(text: string, step: bigint, steps: number, places: number): string {
    const value = parseE6(text) ?? 0n;
    const rest = ((value % step) + step) % step;
    let base = value - rest;
    let count = BigInt(steps);
    if (rest !== 0n && steps < 0) count += 1n;
    base += count * step;
    return formatE6(base, places);
}

/* How many decimal places a step such as 0.001 has. */
export function placesOf(step: number): number {
    const text = formatE6(numberE6(step));
    const dot = text.indexOf('.');
    return dot < 0 ? 0 : text.length - dot - 1;
}

const groupers = new Map<number, Intl.NumberFormat>();

/* For display: grouped thousands, fixed places. */
export function show(value: number | null | undefined, places: number): string {
    if (value === null || value === undefined || !Number.isFinite(value)) return '–';
    let f = groupers.get(places);
    if (f === undefined) {
        f = new Intl.NumberFormat('en-US', {
            minimumFractionDigits: places,
            maximumFractionDigits: places,
        });
        groupers.set(places, f);
    }
    return f.format(value).replace('-', '−');
}

export function showSigned(value: number | null | undefined, places: number): string {
    const text = show(value, places);
    return value !== null && value !== undefined && value > 0 ? '+' + text : text;
}

/* 12,345 -> 12.3k: for volumes where width is short. */
export function showShort(value: number | null | undefined): string {
    if (value === null || value === undefined || !Number.isFinite(value)) return '–';
    if (value >= 1e6) return (value / 1e6).toFixed(value >= 1e7 ? 1 : 2) + 'M';
    if (value >= 1e3) return (value / 1e3).toFixed(value >= 1e4 ? 0 : 1) + 'k';
    return show(value, 0);
}
