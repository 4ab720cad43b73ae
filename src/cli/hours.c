/* hours.c: `dojima hours`: a civil day as hours of UTC (UNIT-04): 23, 24 or 25 of them, each with
 * its local time and the period that the venue lists it as, for people who think in local time.
 *
 * The rules are those of the machine's time zone database (zoneinfo), through the C library:
 * nothing of them is kept here. The venue itself knows UTC alone, and the zones of its auctions.
 *
 * Upstream: zoneinfo. Downstream: standard output.
 */
#include "cli/cli.h"

#include "base/time_text.h"
#include "cli/client.h"
#include "wire/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { HOURS_MAX = 30, ZONE_SIZE = 64, AROUND = 26 };

struct arguments {
    const char *zone, *date, *product;
    bool json, bids;
};

struct hour {
    int64_t hour; /* since 1970, UTC */
    int local_hour, offset_minutes;
    char name[16]; /* of the offset: CEST */
};

struct day {
    struct hour hours[HOURS_MAX];
    int count;
    bool uneven; /* hours of local time do not begin with those of UTC */
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case 'z': a->zone = text; return 0;
    case 'p': a->product = text; return 0;
    case 'j': a->json = true; return 0;
    case 'b': a->bids = true; return 0;
    case ARGP_KEY_ARG:
        if (a->date != NULL) argp_usage(state);
        a->date = text;
        return 0;
    case ARGP_KEY_END:
        if (a->date == NULL || a->zone == NULL) argp_usage(state);
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* The C library takes a zone that it does not find for UTC: whether it is there is asked first. */
static bool zone_exists(const char *zone)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                  "_+-/";
    char path[ZONE_SIZE + 32], start[4];
    if (strlen(zone) >= ZONE_SIZE || zone[0] == '/' || zone[0] == 0 ||
        zone[strspn(zone, letters)] != 0)
        return false;
    (void)snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", zone);
    FILE *f = fopen(path, "rb");
    if (f == NULL) return false;
    bool is = fread(start, 1, sizeof start, f) == sizeof start && memcmp(start, "TZif", 4) == 0;
    (void)fclose(f);
    return is;
}

/* Every hour of UTC whose beginning is of this date there. */
static void day_make(struct day *d, int64_t days)
{
    int64_t year, month, day;
    time_date_of_days(days, &year, &month, &day);
    for (int64_t h = days * 24 - AROUND; h <= (days + 1) * 24 + AROUND; h++) {
        time_t at = (time_t)(h * 3600);
        struct tm local;
        if (localtime_r(&at, &local) == NULL || local.tm_year + 1900 != year ||
            local.tm_mon + 1 != month || local.tm_mday != day || d->count == HOURS_MAX)
            continue;
        struct hour *one = &d->hours[d->count++];
        *one = (struct hour){.hour = h, .local_hour = local.tm_hour,
                             .offset_minutes = (int)(local.tm_gmtoff / 60)};
        (void)snprintf(one->name, sizeof one->name, "%.15s", local.tm_zone);
        d->uneven = d->uneven || local.tm_min != 0;
    }
}

/* 2027-03-27T23:00Z, and 2027D0327H23. */
static void hour_texts(int64_t hour, char utc[32], char period[32])
{
    int64_t year, month, day, of_day = hour % 24;
    time_date_of_days(hour / 24, &year, &month, &day);
    (void)snprintf(utc, 32, "%04d-%02d-%02dT%02d:00:00Z", (int)year, (int)month, (int)day,
                   (int)of_day);
    (void)snprintf(period, 32, "%04dD%02d%02dH%02d", (int)year, (int)month, (int)day, (int)of_day);
}

static void print_table(const struct arguments *a, const struct day *d)
{
    char utc[32], period[32], last[32], unused[32];
    hour_texts(d->hours[0].hour, utc, unused);
    hour_texts(d->hours[d->count - 1].hour + 1, last, unused);
    (void)printf("%s in %s: %d hours, %s to %s\n\nno.  local              UTC                   "
                 "%s\n", a->date, a->zone, d->count, utc, last,
                 a->product != NULL ? "instrument" : "period");
    for (int i = 0; i < d->count; i++) {
        const struct hour *h = &d->hours[i];
        int minutes = h->offset_minutes < 0 ? -h->offset_minutes : h->offset_minutes;
        hour_texts(h->hour, utc, period);
        (void)printf("%2d   %02d:00 %c%02d:%02d %-5s %s  %s%s%s\n", i, h->local_hour,
                     h->offset_minutes < 0 ? '-' : '+', minutes / 60, minutes % 60, h->name, utc,
                     a->product != NULL ? a->product : "", a->product != NULL ? "-" : "", period);
    }
}

static void write_hour(struct json_writer *w, const struct arguments *a, const struct hour *h)
{
    char utc[32], period[32], name[64];
    hour_texts(h->hour, utc, period);
    (void)snprintf(name, sizeof name, "%.20s%s%s", a->product != NULL ? a->product : "",
                   a->product != NULL ? "-" : "", period);
    json_open_object(w);
    json_key_string(w, "start", utc);
    json_key_int(w, "start_timestamp", h->hour * 3600000);
    json_key_int(w, "local_hour", h->local_hour);
    json_key_int(w, "offset_minutes", h->offset_minutes);
    json_key_string(w, "offset_name", h->name);
    json_key_string(w, a->product != NULL ? "instrument_name" : "period", name);
    json_close_object(w);
}

/* All of it; or only what private/spot_bid takes as `hours`. */
static void print_json(const struct arguments *a, const struct day *d)
{
    char text[16384], utc[32], period[32];
    struct json_writer w = {.bytes = text, .capacity = sizeof text};
    json_reset(&w);
    if (!a->bids) {
        json_open_object(&w);
        json_key_string(&w, "zone", a->zone);
        json_key_string(&w, "date", a->date);
        json_key_int(&w, "hour_count", d->count);
        json_key(&w, "hours");
    }
    json_open_array(&w);
    for (int i = 0; i < d->count; i++) {
        hour_texts(d->hours[i].hour, utc, period);
        if (a->bids) json_string(&w, utc);
        else write_hour(&w, a, &d->hours[i]);
    }
    json_close_array(&w);
    if (!a->bids) json_close_object(&w);
    (void)printf("%.*s\n", (int)w.used, text);
}

static int fail(const char *sentence, const char *text)
{
    (void)fprintf(stderr, "dojima hours: %s: %s\n", text, sentence);
    return 1;
}

int cli_hours(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"zone", 'z', "ZONE", 0, "As in the time zone database: Europe/Berlin", 0},
        {"product", 'p', "NAME", 0, "Name its instruments", 0},
        {"json", 'j', NULL, 0, "One JSON object", 0},
        {"bids", 'b', NULL, 0, "Only the array that private/spot_bid takes as `hours`", 0},
        {0}};
    static const struct argp argp = {
        .options = options, .parser = parse, .args_doc = "YYYY-MM-DD",
        .doc = "The hours of UTC that are a civil day somewhere: 23, 24 or 25 (UNIT-04)."};
    struct arguments a = {0};
    static struct day day;
    ts_t ts;
    client_parse(&argp, argc, argv, &a);
    if (!zone_exists(a.zone)) return fail("no such time zone here", a.zone);
    if (time_parse_date(a.date, strlen(a.date), &ts) != 0 || ts.v < 2 * NS_PER_DAY)
        return fail("no date as 2027-03-28", a.date);
    if (setenv("TZ", a.zone, 1) != 0) return fail("cannot be set", a.zone);
    tzset();
    day_make(&day, ts.v / NS_PER_DAY);
    if (day.count == 0) return fail("there was no such day there", a.date);
    if (day.uneven) return fail("its hours do not begin with hours of UTC", a.zone);
    if (a.json || a.bids) print_json(&a, &day);
    else print_table(&a, &day);
    return 0;
}
