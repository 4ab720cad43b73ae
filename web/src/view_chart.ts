/* view_chart.ts: candles and volume of the selected instrument, own orders and position as lines.
 * Drawn by lightweight-charts (Apache-2.0, TradingView; its attribution logo stays on). */
import {
    CandlestickSeries, ColorType, createChart, CrosshairMode, HistogramSeries, LineStyle,
    type CandlestickData, type IChartApi, type IPriceLine, type ISeriesApi, type UTCTimestamp,
} from 'lightweight-charts';
import { addTrade, candlesOf, intervalFor, type Candle } from './candles.ts';
import { show, showShort } from './decimal.ts';
import { byId, el, setClass, setText } from './dom.ts';
import type { Store } from './store.ts';
import type { Trade } from './types.ts';

const INTERVALS: [number, string][] = [[5, '5s'], [15, '15s'], [60, '1m'], [300, '5m'],
    [900, '15m'], [3600, '1h']];

function colour(name: string): string {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function bar(c: Candle): CandlestickData<UTCTimestamp> {
    return { time: c.time as UTCTimestamp, open: c.open, high: c.high, low: c.low, close: c.close };
}

class ChartView {
    private readonly chart: IChartApi;
    private readonly prices: ISeriesApi<'Candlestick'>;
    private readonly volumes: ISeriesApi<'Histogram'>;
    private candles: Candle[] = [];
    private seconds = 0;   /* 0: to be chosen from the history */
    private chosen = false;
    private version = -1;
    private lastSeq = 0;
    private lines: IPriceLine[] = [];

    constructor(private readonly store: Store) {
        this.chart = createChart(byId('c-canvas'), {
            autoSize: true,
            crosshair: { mode: CrosshairMode.Normal },
            timeScale: {
                timeVisible: true, secondsVisible: true, rightOffset: 4, minBarSpacing: 1,
            },
            rightPriceScale: { scaleMargins: { top: 0.08, bottom: 0.22 } },
        });
        this.prices = this.chart.addSeries(CandlestickSeries, { borderVisible: false });
        this.volumes = this.chart.addSeries(HistogramSeries, {
            priceScaleId: '', priceFormat: { type: 'volume' },
            lastValueVisible: false, priceLineVisible: false,
        });
        this.volumes.priceScale().applyOptions({ scaleMargins: { top: 0.84, bottom: 0 } });
        this.chart.subscribeCrosshairMove((p) => this.drawLegend(p.time as number | undefined));
        this.drawTheme();
        store.on(['theme'], () => { this.drawTheme(); this.reload(); });
        store.on(['selected'], () => this.drawSelected());
        store.on(['trades'], () => this.drawTrades());
        store.on(['orders', 'positions', 'selected', 'theme'], () => this.drawLines());
        this.drawIntervals();
    }

    private drawIntervals(): void {
        byId('c-intervals').replaceChildren(...INTERVALS.map(([seconds, label]) => el('button', {
            text: label, class: seconds === this.seconds ? 'on' : '',
            on: { click: () => { this.chosen = true; this.setInterval(seconds); } },
        })));
    }

    private setInterval(seconds: number): void {
        this.seconds = seconds;
        this.chart.applyOptions({ timeScale: { secondsVisible: seconds < 60 } });
        this.drawIntervals();
        this.reload();
        this.chart.timeScale().scrollToRealTime();
    }

    private drawTheme(): void {
        const line = colour('--line');
        this.chart.applyOptions({
            layout: {
                background: { type: ColorType.Solid, color: colour('--panel') },
                textColor: colour('--muted'), fontSize: 11,
                fontFamily: getComputedStyle(document.body).fontFamily,
            },
            grid: {
                vertLines: { color: colour('--grid') }, horzLines: { color: colour('--grid') },
            },
            rightPriceScale: { borderColor: line },
            timeScale: { borderColor: line },
        });
        this.prices.applyOptions({
            upColor: colour('--buy'), downColor: colour('--sell'),
            wickUpColor: colour('--buy'), wickDownColor: colour('--sell'),
        });
    }

    private drawSelected(): void {
        const i = this.store.selected;
        if (i === null) return;
        setText(byId('c-title'), `${i.product} ${i.period}`);
        this.prices.applyOptions({
            priceFormat: { type: 'price', precision: i.places, minMove: i.tick },
        });
        this.chart.priceScale('right').applyOptions({ autoScale: true });
    }

    private volumeBar(c: Candle): { time: UTCTimestamp; value: number; color: string } {
        return {
            time: c.time as UTCTimestamp, value: c.volume,
            color: colour(c.close >= c.open ? '--buy-soft' : '--sell-soft'),
        };
    }

    private reload(): void {
        const trades = this.store.trades;
        if (this.seconds === 0) return;
        this.candles = candlesOf(trades, this.seconds);
        this.prices.setData(this.candles.map(bar));
        const up = colour('--buy-soft');
        const down = colour('--sell-soft');
        this.volumes.setData(this.candles.map((c) => ({
            time: c.time as UTCTimestamp, value: c.volume, color: c.close >= c.open ? up : down,
        })));
        this.lastSeq = trades[trades.length - 1]?.seq ?? 0;
        this.drawLegend(undefined);
    }

    private drawTrades(): void {
        const trades = this.store.trades;
        if (this.version !== this.store.tradesVersion) {
            this.version = this.store.tradesVersion;
            if (!this.chosen && trades.length > 0) {
                this.seconds = intervalFor(trades, INTERVALS.map(([s]) => s));
                this.drawIntervals();
            }
            this.reload();
            this.chart.timeScale().scrollToRealTime();
            return;
        }
        if (this.seconds === 0) {
            this.seconds = 5;
            this.drawIntervals();
        }
        const fresh: Trade[] = [];
        for (let at = trades.length - 1; at >= 0 && trades[at]!.seq > this.lastSeq; at--)
            fresh.push(trades[at]!);
        for (const t of fresh.reverse()) {
            const c = addTrade(this.candles, t, this.seconds);
            this.prices.update(bar(c));
            this.volumes.update(this.volumeBar(c));
            this.lastSeq = t.seq;
        }
        if (fresh.length > 0) this.drawLegend(undefined);
    }

    private drawLegend(time: number | undefined): void {
        const c = time === undefined ? this.candles[this.candles.length - 1]
            : this.candles.find((each) => each.time === time);
        const p = this.store.selected?.places ?? 3;
        const legend = byId('c-legend');
        setText(legend, c === undefined ? 'no trades yet'
            : `O ${show(c.open, p)}  H ${show(c.high, p)}  L ${show(c.low, p)}`
                + `  C ${show(c.close, p)}  V ${showShort(c.volume)}`);
        setClass(legend, 'sell', c !== undefined && c.close < c.open);
        setClass(legend, 'buy', c !== undefined && c.close >= c.open);
    }

    private drawLines(): void {
        for (const line of this.lines) this.prices.removePriceLine(line);
        this.lines = [];
        const name = this.store.selected?.name ?? '';
        for (const o of this.store.orders.values()) {
            if (o.instrument !== name || (o.price ?? o.trigger) === null) continue;
            this.lines.push(this.prices.createPriceLine({
                price: o.price ?? o.trigger ?? 0, lineWidth: 1, lineStyle: LineStyle.Dashed,
                color: colour(o.side === 'buy' ? '--buy' : '--sell'), axisLabelVisible: true,
                title: `${o.side} ${o.amount - o.filled}`,
            }));
        }
        const position = this.store.positions.get(name);
        if (position !== undefined && position.average !== null) {
            this.lines.push(this.prices.createPriceLine({
                price: position.average, lineWidth: 1, lineStyle: LineStyle.SparseDotted,
                color: colour('--accent'), axisLabelVisible: true,
                title: `position ${position.size}`,
            }));
        }
    }
}

export function chartView(store: Store): void {
    new ChartView(store);
}
