/* throttle.h: GUARD-06, a token bucket as one number: the time at which it will be full again
 * (the generic cell rate algorithm). A bucket that is 0 is full.
 */
#ifndef DOJIMA_GATE_THROTTLE_H
#define DOJIMA_GATE_THROTTLE_H

#include "base/units.h"

struct throttle {
    int64_t interval_ns; /* between two requests when sustained */
    int64_t burst_ns;    /* how far ahead of that a session may be: burst x interval */
};

static inline struct throttle throttle_make(uint32_t per_second, uint32_t burst)
{
    int64_t interval = NS_PER_SECOND / (per_second == 0 ? 1 : (int64_t)per_second);
    return (struct throttle){interval, interval * (burst == 0 ? 1 : (int64_t)burst)};
}

/* Takes one token: 0, or the nanoseconds after which there will be one. */
static inline int64_t throttle_take(const struct throttle *t, int64_t *bucket, ts_t now)
{
    int64_t full = *bucket > now.v ? *bucket : now.v;
    int64_t ahead = full + t->interval_ns - now.v;
    if (ahead > t->burst_ns) return ahead - t->burst_ns;
    *bucket = full + t->interval_ns;
    return 0;
}

#endif
