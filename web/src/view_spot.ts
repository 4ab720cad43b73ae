/* view_spot.ts: the day-ahead auction of a product's hours, in the chart's place: the latest's state,
 * the last result as bars (prices above, lots below) and as a table. */
import {
    ColorType, createChart, HistogramSeries, type IChartApi, type ISeriesApi, type UTCTimestamp,
} from 'lightweight-charts';
import { show, showShort } from './decimal.ts';
import { byId, clockText, el, KeyedList, pad2, setClass, setText } from './dom.ts';
import type { Store } from './store.ts';
import type { SpotAuction, SpotHour } from './types.ts';
import type { Venue } from './venue.ts';

function colour(name: string): string {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function dayText(ms: number): string {
    return new Date(ms).toLocaleDateString('en-GB',
        { timeZone: 'UTC', weekday: 'short', day: 'numeric', month: 'short' });
}

function stateText(a: SpotAuction): string {
    if (a.state === 'open') {
        return `bids until ${clockText(a.closes).slice(0, 5)} UTC · ${a.hourly} hourly, `
            + `${a.blocks} block`;
    }
    if (a.state === 'closed') return 'closed, the result is awaited';
    return a.state === 'done' ? 'cleared' : 'void: there was no result';
}

function hourText(ms: number): string {
    const hour = new Date(ms).getUTCHours();
    return `${pad2(hour)}–${pad2((hour + 1) % 24)}`;
}

/* The mean of the hours that have a price, and all lots. */
function resultText(a: SpotAuction, places: number): string {
    const prices = a.hours.map((h) => h.price).filter((p) => p !== null);
    const lots = a.hours.reduce((sum, h) => sum + h.amount, 0);
    if (prices.length === 0) return `${dayText(a.start)}: nothing traded`;
    const mean = prices.reduce((sum, p) => sum + p, 0) / prices.length;
    return `${dayText(a.start)}: mean ${show(mean, places)} · ${show(lots, 0)} lots`;
}

class SpotView {
    private chart: IChartApi | null = null; /* made when first shown: it needs a size */
    private prices: ISeriesApi<'Histogram'> | null = null;
    private lots: ISeriesApi<'Histogram'> | null = null;
    private readonly panel = byId('chart');
    private readonly button = byId<HTMLButtonElement>('c-spot');
    private readonly choice = byId<HTMLSelectElement>('sp-product');
    private readonly rows: KeyedList<SpotHour, HTMLTableRowElement>;

    constructor(private readonly store: Store, private readonly venue: Venue) {
        this.rows = new KeyedList<SpotHour, HTMLTableRowElement>(byId('sp-rows'),
            (h) => String(h.start), () => el('tr', {}, el('td'), el('td'), el('td')),
            (row, h) => {
                const [hour, price, lots] = row.cells;
                setText(hour!, hourText(h.start));
                setText(price!, show(h.price, this.places()));
                setText(lots!, h.amount === 0 ? '–' : showShort(h.amount));
                setClass(row, 'none', h.price === null);
            });
        this.button.addEventListener('click', () => this.open(this.store.spotProduct === null));
        this.choice.addEventListener('change', () => venue.watchSpot(this.choice.value));
        store.on(['instruments', 'selected'], () => this.drawProducts());
        store.on(['spot', 'instruments'], () => this.draw());
        store.on(['theme'], () => this.drawTheme());
    }

    private products(): string[] {
        return [...this.store.products.values()].filter((p) => p.spot).map((p) => p.name);
    }

    private places(): number {
        const product = this.store.spotProduct;
        return this.store.instruments.find((i) => i.product === product)?.places ?? 3;
    }

    private drawProducts(): void {
        const products = this.products();
        this.button.hidden = products.length === 0;
        if (this.choice.childElementCount !== products.length)
            this.choice.replaceChildren(...products.map((p) => el('option', { text: p })));
        this.choice.hidden = products.length < 2;
    }

    /* Of the selected instrument's product, or the first that has auctions. */
    private open(on: boolean): void {
        const products = this.products();
        const own = this.store.selected?.product ?? '';
        const product = products.includes(own) ? own : products[0];
        if (on && product === undefined) return;
        byId('spot').hidden = !on;
        setClass(this.panel, 'spot', on);
        this.button.setAttribute('aria-pressed', String(on));
        if (on && this.chart === null) this.makeChart();
        if (on) this.choice.value = product!;
        this.venue.watchSpot(on ? product! : null);
    }

    private makeChart(): void {
        this.chart = createChart(byId('sp-chart'), {
            autoSize: true,
            layout: { attributionLogo: false }, /* it stands on the chart of prices */
            timeScale: { timeVisible: true, secondsVisible: false, fixLeftEdge: true,
                fixRightEdge: true },
            rightPriceScale: { scaleMargins: { top: 0.08, bottom: 0 } },
            handleScroll: false, handleScale: false,
        });
        this.prices = this.chart.addSeries(HistogramSeries, {
            lastValueVisible: false, priceLineVisible: false,
        });
        this.lots = this.chart.addSeries(HistogramSeries, {
            priceFormat: { type: 'volume' }, lastValueVisible: false, priceLineVisible: false,
        }, 1);
        const [above, below] = this.chart.panes();
        above?.setStretchFactor(3);
        below?.setStretchFactor(1);
        this.drawTheme();
    }

    private drawTheme(): void {
        const line = colour('--line');
        this.chart?.applyOptions({
            layout: {
                background: { type: ColorType.Solid, color: colour('--panel') },
                panes: { separatorColor: line, enableResize: false },
                textColor: colour('--muted'), fontSize: 11,
                fontFamily: getComputedStyle(document.body).fontFamily,
            },
            grid: {
                vertLines: { color: colour('--grid') }, horzLines: { color: colour('--grid') },
            },
            rightPriceScale: { borderColor: line }, timeScale: { borderColor: line },
        });
        this.prices?.applyOptions({ color: colour('--accent') });
        this.lots?.applyOptions({ color: colour('--buy-soft') });
    }

    private draw(): void {
        const { spotProduct, spotLatest, spotDone } = this.store;
        if (spotProduct === null || this.chart === null) return;
        const places = this.places();
        setText(byId('sp-title'), `${spotProduct} day-ahead`);
        setText(byId('sp-day'), spotLatest === null ? 'no auction yet' : dayText(spotLatest.start));
        setText(byId('sp-state'), spotLatest === null ? '' : stateText(spotLatest));
        setText(byId('sp-result'), spotDone === null ? '' : resultText(spotDone, places));
        const hours = spotDone?.hours ?? [];
        const at = (h: SpotHour): UTCTimestamp => h.start / 1000 as UTCTimestamp;
        this.rows.render(hours);
        this.prices!.applyOptions({
            priceFormat: { type: 'price', precision: places, minMove: 10 ** -places },
        });
        this.prices!.setData(hours.map((h) => (h.price === null ? { time: at(h) }
            : { time: at(h), value: h.price })));
        this.lots!.setData(hours.map((h) => ({ time: at(h), value: h.amount })));
        this.chart.timeScale().fitContent();
    }
}

export function spotView(store: Store, venue: Venue): void {
    new SpotView(store, venue);
}
