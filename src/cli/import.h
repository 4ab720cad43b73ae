/* import.h: what the importers of real order flow share: a reader of CSV lines, a venue in memory,
 * a report of figures. Not for other folders.
 *
 * Upstream: files as they are published, plain or gz. Downstream: core.
 */
#ifndef DOJIMA_CLI_IMPORT_H
#define DOJIMA_CLI_IMPORT_H

#include "core/core.h"

#include <stdio.h>

/* ---- report ---- */
enum { IMPORT_FIGURES_MAX = 48, IMPORT_TEXT_SIZE = 200 };

struct import_figure {
    const char *key;   /* in --json */
    const char *label; /* for people */
    int64_t value;
};

struct import_report {
    struct import_figure figures[IMPORT_FIGURES_MAX];
    int count;
    bool ok;                      /* all that the format lets us check holds */
    char error[IMPORT_TEXT_SIZE]; /* why there are no figures; empty otherwise */
};

struct import_options {
    const char *path;
    uint32_t depth; /* kraken-l2: levels that the subscription keeps */
    uint32_t orders; /* that the venue holds at once; 0: IMPORT_ORDERS */
    bool progress;  /* draw a bar on standard error */
};

void import_figure(struct import_report *r, const char *key, const char *label, int64_t value);
/* The value of a figure; INT64_MIN when there is none of that key. */
int64_t import_value(const struct import_report *r, const char *key);

/* Each fills the report; 0, or -1 with report->error set. */
int import_lobster(const struct import_options *options, struct import_report *report);
int import_kraken(const struct import_options *options, struct import_report *report);
int import_independent_reserve(const struct import_options *options, struct import_report *report);

/* ---- reader ---- */
enum { IMPORT_LINE_SIZE = 512, IMPORT_FIELDS_MAX = 12 };

struct import_reader {
    void *gz;
    int64_t bytes_total; /* of the file as it lies on disk */
    uint64_t line;       /* number of the line in `fields` */
    int permille;        /* last drawn; -1: no bar */
    int count;           /* fields */
    char *fields[IMPORT_FIELDS_MAX];
    char text[IMPORT_LINE_SIZE];
    char error[IMPORT_TEXT_SIZE];
};

int import_reader_open(struct import_reader *r, const char *path, bool progress);
/* 1: the next line stands in `fields`; 0: the end; -1: error. */
int import_reader_next(struct import_reader *r);
/* Says what is wrong with the line that was read; returns -1. */
int import_reader_bad(struct import_reader *r, const char *what);
void import_reader_close(struct import_reader *r);

/* A field as an integer scaled by 10^scale; false when it is not exactly one. */
bool import_number(const char *field, int scale, int64_t *value);
/* Seconds since some day as ns; digits behind the ninth are cut off. */
bool import_time(const char *field, ts_t *ts);
/* A decimal's digits behind the point, as written, and without trailing zeros; -1: no decimal. */
int import_decimals(const char *field, int *significant);

/* ---- venue ---- */
enum { IMPORT_HOLDERS = 64, IMPORT_ORDERS = 65536 };

struct import_venue {
    struct core *core;
    void *memory;
    struct outbox out; /* the answer to the last command or query */
    struct command command;
    ts_t ts;
    uint32_t holders[IMPORT_HOLDERS]; /* accounts whose orders rest; most files need one */
    uint32_t taking;                  /* the account on the other side of executions */
    uint64_t commands;
    uint64_t rejects;
    int64_t step_ns; /* spent in core_step */
    uint16_t reason; /* enum reject, of the last refusal */
    char error[IMPORT_TEXT_SIZE];
};

int import_venue_open(struct import_venue *v, const struct import_options *options);
void import_venue_close(struct import_venue *v);
/* A product named `name` and one instrument of it; its id, or 0. Prices are multiples of tick. */
uint32_t import_venue_list(struct import_venue *v, const char *name, int64_t tick, uint32_t flags,
                           enum trading_state state);
/* The clock; it never goes back. */
void import_venue_time(struct import_venue *v, ts_t ts);

struct import_order {
    uint32_t account;
    uint32_t instrument;
    enum side side;
    enum time_in_force tif;
    int64_t price; /* 10^-6 */
    int64_t qty;
    uint64_t target; /* 0: none */
};
/* The order id, or 0 when it was rejected. The events are in v->out. */
uint64_t import_order_new(struct import_venue *v, const struct import_order *o);
/* These say whether it was accepted. `qty` is the new total, what is filled included. */
bool import_order_edit(struct import_venue *v, uint32_t account, uint64_t order_id, int64_t qty);
bool import_order_cancel(struct import_venue *v, uint32_t account, uint64_t order_id);
void import_query(struct import_venue *v, enum query_kind kind, uint32_t instrument,
                  uint32_t count);
/* Lots traded in the last answer. */
int64_t import_traded(const struct import_venue *v);
/* Whether the best bid is at or above the best ask. */
bool import_crossed(struct import_venue *v, uint32_t instrument);
/* Figures that every importer gives: commands, rejects, time. */
void import_venue_figures(const struct import_venue *v, struct import_report *r);

int64_t import_now_ns(void);

#endif
