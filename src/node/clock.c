/* clock.c: see clock.h. */
#include "node/clock.h"

#include "base/assert.h"
#include "base/time_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whether the directory has run before: a journal is there. */
static int directory_begun(struct io *io, bool *marked, bool *begun)
{
    struct io_name *names = NULL;
    int64_t count = io_list_all(io, &names);
    *marked = *begun = false;
    for (int64_t i = 0; i < count; i++) {
        if (strcmp(names[i].text, CLOCK_FILE) == 0) *marked = true;
        else if (strncmp(names[i].text, "journal", 7) == 0) *begun = true;
    }
    free(names);
    return count < 0 ? (int)count : 0;
}

static int mark(struct io *io, ts_t start)
{
    char text[128], when[TIME_TEXT_SIZE];
    (void)time_format(when, start);
    int size = snprintf(text, sizeof text, "A demonstration's venue, whose clock began at %s.\n",
                        when);
    int file = io_create(io, CLOCK_FILE);
    if (file < 0) return file;
    int error = io_write(io, file, 0, text, (size_t)size);
    if (error == 0) error = io_sync(io, file);
    (void)io_close(io, file);
    return error == 0 ? io_sync_directory(io) : error;
}

int clock_open(struct clock *c, struct io *io, ts_t start, char *error, size_t error_size)
{
    bool marked, begun;
    *c = (struct clock){.io = io, .rate_e6 = CLOCK_RATE_ONE};
    int status = directory_begun(io, &marked, &begun);
    if (status == 0 && marked && start.v < 0) {
        snprintf(error, error_size, "the data directory is a demonstration's: its clock is not the "
                                    "world's (--clock START)");
        return -1;
    }
    if (status == 0 && start.v >= 0 && begun && !marked) {
        snprintf(error, error_size, "the data directory is a real venue's: --clock is for one that "
                                    "began with it");
        return -1;
    }
    if (status == 0 && start.v >= 0 && !marked) status = mark(io, start);
    if (status != 0) {
        snprintf(error, error_size, "clock: %s", io_error_text(status));
        return -1;
    }
    c->demonstration = start.v >= 0;
    c->venue = start;
    c->real = io_now(io);
    return 0;
}

void clock_begin(struct clock *c, ts_t recovered)
{
    if (recovered.v > c->venue.v) c->venue = recovered;
    c->real = io_now(c->io);
}

ts_t clock_real(const struct clock *c) { return io_now(c->io); }

static int64_t scaled(int64_t ns, int64_t by, int64_t over)
{
    int128_t v = (int128_t)ns * by / over;
    return v > INT64_MAX / 4 ? INT64_MAX / 4 : (int64_t)v;
}

ts_t clock_now(const struct clock *c)
{
    ts_t real = io_now(c->io);
    if (!c->demonstration) return real;
    if (c->moving || real.v <= c->real.v) return c->venue;
    return TS(c->venue.v + scaled(real.v - c->real.v, c->rate_e6, CLOCK_RATE_ONE));
}

int64_t clock_real_ms_ceil(const struct clock *c, int64_t venue_ns)
{
    if (venue_ns <= 0) return 0;
    int64_t ns = venue_ns;
    if (c->demonstration && c->rate_e6 == 0) return INT64_MAX;
    if (c->demonstration) ns = scaled(venue_ns, CLOCK_RATE_ONE, c->rate_e6);
    return ns / NS_PER_MS + 1;
}

ts_t clock_stamp(const struct clock *c, ts_t real)
{
    if (!c->demonstration) return real;
    int64_t age = io_now(c->io).v - real.v;
    return TS(clock_now(c).v - (age < 0 ? 0 : age));
}

void clock_stand(struct clock *c, ts_t ts)
{
    ASSERT(c->demonstration);
    if (ts.v > c->venue.v) c->venue = ts;
    c->real = io_now(c->io);
}

void clock_move(struct clock *c, ts_t target)
{
    clock_stand(c, clock_now(c));
    c->moving = true;
    c->target = target;
}

void clock_arrive(struct clock *c)
{
    clock_stand(c, c->target);
    c->moving = false;
}

void clock_rate_set(struct clock *c, int64_t rate_e6)
{
    clock_stand(c, clock_now(c));
    c->rate_e6 = rate_e6;
}
