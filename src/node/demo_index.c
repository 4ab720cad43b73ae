/* demo_index.c: the demonstration's reference price of an hour (INDEX-02): an index whose sources
 * are five of its makers, so that the cash contracts settle at the mean of their hours (INDEX-03).
 *
 * A demonstration is switched off at night: hours without it repeat the last price for as long as
 * a contract's longest month, where a venue that is meant in earnest would ask its committee.
 */
#include "node/demo_internal.h"

#include <stdio.h>

#define INDEX_NAME "CTX"
#define PRICE_MEAN INT64_C(2000000) /* USD a CT, 10^-6 */
#define DEVIATION_SCALE INT64_C(1000000000)
enum { SOURCES = 5, CARRIES_MAX = 31 * 24, NOISE_PER_MILLE = 4 };

int demo_index_create(struct demo *d)
{
    struct command c;
    demo_command(&c, COMMAND_index_create, 0);
    c.header.principal = DEMO_OFFICER_FIRST;
    struct command_index_create *x = &c.index_create;
    snprintf(x->name, sizeof x->name, "%s", INDEX_NAME);
    for (uint32_t n = 0; n < SOURCES; n++) x->sources[n] = d->accounts[n];
    x->source_count = SOURCES;
    x->minimum = 3;
    x->carries_max = CARRIES_MAX;
    x->tiers[0] = INDEX_TIER_submissions;
    x->tiers[1] = INDEX_TIER_previous_hour;
    x->tiers[2] = INDEX_TIER_committee;
    x->staleness_ns = NS_PER_HOUR;
    x->delay_ns = 300 * NS_PER_SECOND;
    x->deviation_e6 = E6 / 4;
    x->deviation_min = PRICE(100000);
    const struct outbox *events = NULL;
    int rc = demo_submit(d, &c, &events);
    const struct event_header *e = NULL;
    while (rc == 0 && (e = outbox_next(events, e)) != NULL) {
        if (e->kind == EVENT_index) demo_index_note(d, (const void *)e);
    }
    return rc;
}

void demo_index_note(struct demo *d, const struct event_index *e)
{
    bool own = e->terms.source_count == SOURCES;
    for (uint32_t n = 0; own && n < SOURCES; n++)
        own = d->accounts[n] != 0 && e->terms.sources[n] == d->accounts[n];
    if (!own) return; /* of somebody else's sources */
    d->index.id = e->id;
}

int demo_index_submit(struct demo *d, ts_t now)
{
    int64_t hour = int64_div_floor(now.v, NS_PER_HOUR);
    if (d->index.id == 0 || d->index.hour == hour) return 0;
    int rc = 0;
    for (uint32_t n = 0; rc == 0 && n < SOURCES; n++) {
        int64_t seen = (int64_t)random_below(&d->random, 2 * NOISE_PER_MILLE + 1);
        int128_t value = (int128_t)PRICE_MEAN * (DEVIATION_SCALE + d->market) / DEVIATION_SCALE;
        struct command c;
        demo_command(&c, COMMAND_index_submit, d->accounts[n]);
        c.index_submit.index = d->index.id;
        c.index_submit.hour = TS(hour * NS_PER_HOUR);
        c.index_submit.value =
            PRICE((int64_t)(value * (1000 - NOISE_PER_MILLE + seen) / 1000));
        const struct outbox *events = NULL;
        rc = demo_submit(d, &c, &events);
    }
    if (rc == 0) d->index.hour = hour;
    return rc;
}
