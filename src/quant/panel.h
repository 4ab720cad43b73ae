/* panel.h: prices of GPU hours by many sellers over time, from files of several makers (INDEX-04).
 *
 * A quote is a price for one GPU and hour of one offer at one time; an offer is whatever may be
 * told apart and bought again (a machine of a zone, a host's machine with so many GPUs); a provider
 * is who stands behind offers and might move them together. Which column is what is a table by
 * format (panel.c).
 *
 * What is refused, with the line: prices that are no finite number above 0, times that are none or
 * go back, an offer quoted twice at one time where the format says once. `lenient` passes such rows
 * over instead and counts them by reason, for real data has them.
 *
 * Invariants: (1) quotes ascend in time; (2) every price is finite, above 0 and at most 10^6;
 * (3) offers, providers and quotes are bounded; (4) a file is taken whole or not at all.
 *
 * Upstream: files, read by cli. Downstream: series.
 */
#ifndef DOJIMA_QUANT_PANEL_H
#define DOJIMA_QUANT_PANEL_H

#include "quant/csv.h"

enum { PANEL_OFFERS_MAX = 1 << 16, PANEL_PROVIDERS_MAX = 1 << 12, PANEL_QUOTES_MAX = 1 << 22,
       PANEL_NAME_SIZE = 96 };

enum panel_skip {
    PANEL_SKIP_price = 0, /* none, or none that can be */
    PANEL_SKIP_time,      /* none, or it goes back */
    PANEL_SKIP_duplicate,
    PANEL_SKIP_flagged,   /* the maker says it is wrong, or carried over from another day */
    PANEL_SKIP_count
};

struct panel_offer {
    char name[PANEL_NAME_SIZE];
    uint32_t provider;
    int64_t quoted_ms; /* last, while reading; -1: never */
};

struct panel_quote {
    int64_t ms;
    double price;
    uint32_t offer;
    uint32_t reserved;
};

struct panel {
    struct panel_offer *offers;
    char (*providers)[PANEL_NAME_SIZE];
    struct panel_quote *quotes;
    uint32_t *offer_slots, *provider_slots; /* by hash of the name: index + 1 */
    uint32_t offer_count, offer_capacity, provider_count, quote_count, quote_capacity;
    bool steps; /* a quote holds until the offer's next one; else it is of its moment */
    bool once;  /* an offer has one quote at a time */
    bool lenient;
    uint32_t skipped[PANEL_SKIP_count];
};

struct panel_options {
    const char *format;
    const char *gpu;  /* only rows of this; NULL: all */
    const char *kind; /* of gcp: spot or ondemand; of gpurentalprices: its kind; NULL: all */
    bool lenient;
};

int panel_open(struct panel *p, bool steps, bool once, bool lenient); /* -1: no memory */
void panel_close(struct panel *p);

/* Adds a quote. 0; -1 and the sentence. What is lenient to pass over is passed over. */
int panel_add(struct panel *p, const char *file, uint64_t line, int64_t ms, const char *provider,
              const char *offer, double price, struct quant_error *error);

/* The name of a format that is CSV, from 0 on; NULL: there are no more. */
const char *panel_format_name(uint32_t i);

/* Reads a CSV into a panel that is not open; -1 with the sentence, and nothing to close. */
int panel_read_csv(struct panel *p, const struct panel_options *options, const char *file,
                   const char *text, size_t length, struct quant_error *error);

const char *panel_skip_text(enum panel_skip skip);

#endif
