/* history.c: see history.h. */
#include "quant/history.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void history_open(struct history *h) { h->count = 0; }

static void series_free(struct series *s)
{
    free(s->quotes);
    free(s->first);
    *s = (struct series){0};
}

void history_close(struct history *h)
{
    for (uint32_t i = 0; i < h->count; i++) series_free(&h->series[i]);
    h->count = 0;
}

int history_find(const struct history *h, const char *name)
{
    for (uint32_t i = 0; i < h->count; i++) {
        if (strcmp(h->series[i].name, name) == 0) return (int)i;
    }
    return HISTORY_NONE;
}

int series_at(const struct series *s, int32_t day)
{
    uint32_t low = 0, high = s->days;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (series_day(s, middle) <= day) low = middle + 1;
        else high = middle;
    }
    return (int)low - 1;
}

/* The price of a contract on the day of this index. */
static bool price_of(const struct series *s, uint32_t i, int32_t contract, double *price)
{
    uint32_t end = i + 1 < s->days ? s->first[i + 1] : s->quote_count;
    for (uint32_t q = s->first[i]; q < end; q++) {
        if (s->quotes[q].contract != contract) continue;
        *price = s->quotes[q].price;
        return true;
    }
    return false;
}

bool series_move(const struct series *s, uint32_t from, uint32_t to, double *p0, double *p1)
{
    int32_t held = s->quotes[s->first[to]].contract;
    if (price_of(s, from, held, p0)) {
        *p1 = series_price(s, to);
        return true;
    }
    held = s->quotes[s->first[from]].contract;
    *p0 = series_price(s, from);
    return price_of(s, to, held, p1);
}

/* ---- reading ---- */

static bool grow(void **array, uint32_t *capacity, size_t size)
{
    uint32_t wanted = *capacity == 0 ? 256 : *capacity * 2;
    void *moved = realloc(*array, wanted * size);
    if (moved == NULL) return false;
    *array = moved;
    *capacity = wanted;
    return true;
}

int series_add(struct series *s, struct csv *c, int32_t day, int32_t contract, double price)
{
    if (s->days > 0) {
        int32_t last = series_day(s, s->days - 1);
        char a[QUANT_DATE_SIZE], b[QUANT_DATE_SIZE];
        if (day < last)
            return csv_bad(c, "%s: %s stands behind %s", s->name, quant_date(a, day),
                           quant_date(b, last));
        double unused;
        if (day == last && price_of(s, s->days - 1, contract, &unused))
            return csv_bad(c, "%s: %s stands twice", s->name, quant_date(a, day));
    }
    if (s->quote_count == HISTORY_QUOTES_MAX)
        return csv_bad(c, "%s: more than %d prices", s->name, HISTORY_QUOTES_MAX);
    if (s->quote_count == s->quote_capacity &&
        !grow((void **)&s->quotes, &s->quote_capacity, sizeof *s->quotes))
        return csv_bad(c, "no memory");
    bool opens = s->days == 0 || series_day(s, s->days - 1) != day;
    if (opens && s->days == s->day_capacity &&
        !grow((void **)&s->first, &s->day_capacity, sizeof *s->first))
        return csv_bad(c, "no memory");
    if (opens) s->first[s->days++] = s->quote_count;
    s->quotes[s->quote_count++] = (struct quote){day, contract, price};
    return 0;
}

bool history_option(const char *options, const char *key, char value[QUANT_NAME_SIZE])
{
    size_t length = strlen(key);
    for (const char *at = options; *at != 0;) {
        size_t part = strcspn(at, ",");
        if (part > length + 1 && memcmp(at, key, length) == 0 && at[length] == '=' &&
            part - length - 1 < QUANT_NAME_SIZE) {
            memcpy(value, at + length + 1, part - length - 1);
            value[part - length - 1] = 0;
            return true;
        }
        at += part + (at[part] == ',');
    }
    return false;
}

int history_filter_make(struct history_filter *f, struct csv *titles, const char *options)
{
    f->count = 0;
    for (const char *at = options; *at != 0;) {
        size_t part = strcspn(at, ","), key = strcspn(at, "=");
        char title[QUANT_NAME_SIZE];
        if (key >= part || key == 0 || key >= sizeof title || part - key > QUANT_NAME_SIZE)
            return csv_bad(titles, "options are TITLE=TEXT, separated by commas: %s", options);
        memcpy(title, at, key);
        title[key] = 0;
        if (strcmp(title, "date") != 0 && strcmp(title, "price") != 0 &&
            strcmp(title, "kind") != 0 && strcmp(title, "fill") != 0) {
            int column = csv_column(titles, title);
            if (column < 0) return csv_bad(titles, "there is no column %s", title);
            if (f->count == 8) return csv_bad(titles, "more than 8 columns to choose by");
            (void)history_option(at, title, f->text[f->count]);
            f->column[f->count++] = column;
        }
        at += part + (at[part] == ',');
    }
    return 0;
}

bool history_filter_pass(const struct history_filter *f, const struct csv *line)
{
    for (int i = 0; i < f->count; i++) {
        if (!csv_is(line, f->column[i], f->text[i])) return false;
    }
    return true;
}

static struct series *series_of(struct history *h, struct csv *c, const char *name)
{
    int at = history_find(h, name);
    if (at != HISTORY_NONE) return &h->series[at];
    if (h->count == HISTORY_SERIES_MAX) {
        (void)csv_bad(c, "more than %d series", HISTORY_SERIES_MAX);
        return NULL;
    }
    struct series *s = &h->series[h->count++];
    *s = (struct series){0};
    size_t length = strlen(name);
    if (length >= sizeof s->name) length = sizeof s->name - 1;
    memcpy(s->name, name, length);
    return s;
}

static int read_own(struct history *h, struct csv *c)
{
    int date = csv_column(c, "date"), name = csv_column(c, "series");
    int price = csv_column(c, "price"), contract = csv_column(c, "contract");
    if (date < 0) return csv_bad(c, "there is no column date");
    int more;
    while ((more = csv_next(c)) == 1) {
        char text[QUANT_NAME_SIZE];
        int32_t day;
        int64_t month = 0;
        double value;
        if (!csv_date(c, date, &day)) return csv_bad(c, "the date is not YYYY-MM-DD");
        if (!csv_name(c, name, text)) return csv_bad(c, "the series has no name");
        if (csv_empty(c, price)) return csv_bad(c, "%s: the price is missing", text);
        if (!csv_number(c, price, &value)) return csv_bad(c, "%s: the price is no number", text);
        if (!csv_empty(c, contract) &&
            (!csv_integer(c, contract, &month) || month < 0 || month > 999999))
            return csv_bad(c, "%s: the contract is not YYYYMM", text);
        struct series *s = series_of(h, c, text);
        if (s == NULL || series_add(s, c, day, (int32_t)month, value) != 0) return -1;
    }
    return more;
}

/* A futures row's quote of one leg; nothing where it has no price. */
static int add_leg(struct series *s, struct csv *c, int32_t day, int contract, int settle,
                   int32_t *taken, int *count)
{
    int64_t month;
    double price;
    if (csv_empty(c, settle) || csv_empty(c, contract)) return 0;
    if (!csv_integer(c, contract, &month) || month < 190001 || month > 226112)
        return csv_bad(c, "%s: a contract is not YYYYMM", s->name);
    if (!csv_number(c, settle, &price)) return csv_bad(c, "%s: a price is no number", s->name);
    for (int i = 0; i < *count; i++) {
        if (taken[i] == (int32_t)month) return 0; /* the same contract in two roles */
    }
    taken[(*count)++] = (int32_t)month;
    return series_add(s, c, day, (int32_t)month, price);
}

static int read_futures(struct series *s, struct csv *c)
{
    static const char *const titles[] = {"date", "price_contract", "price_settle",
                                         "carry_contract", "carry_settle", "forward_contract",
                                         "forward_settle"};
    int column[7], more;
    if (csv_columns(c, titles, 7, 7, column) != 0) return -1;
    while ((more = csv_next(c)) == 1) {
        int32_t day, taken[3];
        int count = 0;
        if (!csv_date(c, column[0], &day)) return csv_bad(c, "the date is not YYYY-MM-DD");
        if (csv_empty(c, column[2])) continue; /* the contract that counts has no price */
        for (int leg = 1; leg < 7; leg += 2) {
            if (add_leg(s, c, day, column[leg], column[leg + 1], taken, &count) != 0) return -1;
        }
    }
    return more;
}

static int column_of(struct csv *c, const char *options, const char *key,
                     const char *const *titles, const char *prefix)
{
    char title[QUANT_NAME_SIZE];
    if (history_option(options, key, title)) return csv_column(c, title);
    for (int i = 0; titles[i] != NULL; i++) {
        int column = csv_column(c, titles[i]);
        if (column >= 0) return column;
    }
    for (uint32_t i = 0; prefix != NULL && i < c->count; i++) {
        if (c->fields[i].length > strlen(prefix) &&
            memcmp(c->fields[i].text, prefix, strlen(prefix)) == 0)
            return (int)i;
    }
    return -1;
}

static int read_plain(struct series *s, struct csv *c, const char *options)
{
    static const char *const dates[] = {"date", "date_utc", "day", NULL};
    static const char *const prices[] = {"price", "close", NULL};
    int date = column_of(c, options, "date", dates, NULL);
    int price = column_of(c, options, "price", prices, "usd_");
    struct history_filter filter;
    if (history_filter_make(&filter, c, options) != 0) return -1;
    if (date < 0) return csv_bad(c, "there is no column with dates; name one by date=TITLE");
    if (price < 0) return csv_bad(c, "there is no column with prices; name one by price=TITLE");
    int more;
    while ((more = csv_next(c)) == 1) {
        int32_t day;
        double value;
        if (!history_filter_pass(&filter, c)) continue;
        if (!csv_date(c, date, &day)) return csv_bad(c, "the date is not YYYY-MM-DD");
        if (csv_empty(c, price)) continue; /* publishers leave holidays blank */
        if (!csv_number(c, price, &value)) return csv_bad(c, "the price is no number");
        if (series_add(s, c, day, 0, value) != 0) return -1;
    }
    return more;
}

/* The series on every weekday, each with the latest price. A list has one quote a day. */
static int fill_weekdays(struct series *s, struct csv *c)
{
    struct series filled = {0};
    if (s->days == 0) return 0;
    memcpy(filled.name, s->name, sizeof filled.name);
    int32_t last = series_day(s, s->days - 1);
    int status = 0;
    for (int32_t day = series_day(s, 0); day <= last && status == 0; day++) {
        int32_t weekday = (day % 7 + 7 + 3) % 7; /* 1970-01-01 was a Thursday; 0: Monday */
        int at = series_at(s, day);
        if (weekday < 5)
            status = series_add(&filled, c, day, s->quotes[s->first[at]].contract,
                                series_price(s, (uint32_t)at));
    }
    struct series old = *s;
    *s = status == 0 ? filled : old;
    series_free(status == 0 ? &old : &filled);
    return status;
}

static int read_any(struct history *fresh, struct csv *c, const struct history_source *source)
{
    int first = csv_next(c);
    if (first < 0) return -1;
    if (first == 0) return quant_fail(c->error, source->file, 0, "the file is empty");
    if (csv_column(c, "series") >= 0 && csv_column(c, "price") >= 0) return read_own(fresh, c);
    if (source->name == NULL || source->name[0] == 0)
        return csv_bad(c, "the file names no series: give it as NAME=FILE");
    struct series *s = series_of(fresh, c, source->name);
    char fill[QUANT_NAME_SIZE];
    int status;
    if (csv_column(c, "price_contract") >= 0) return read_futures(s, c);
    if (history_option(source->options, "fill", fill) && strcmp(fill, "weekdays") != 0)
        return csv_bad(c, "fill is weekdays or is not there");
    if (csv_column(c, "usd_gpu_hour_ondemand") >= 0)
        status = history_read_gpu(s, c, source->options);
    else status = read_plain(s, c, source->options);
    if (status == 0 && history_option(source->options, "fill", fill)) return fill_weekdays(s, c);
    return status;
}

static int check_fresh(const struct history *h, const struct history *fresh, const char *file,
                       struct quant_error *error)
{
    if (fresh->count == 0) return quant_fail(error, file, 0, "there are no prices");
    for (uint32_t i = 0; i < fresh->count; i++) {
        const struct series *s = &fresh->series[i];
        if (s->days == 0) return quant_fail(error, file, 0, "%s: there are no prices", s->name);
        if (history_find(h, s->name) != HISTORY_NONE)
            return quant_fail(error, file, 0, "%s: the series was read already", s->name);
    }
    if (h->count + fresh->count > HISTORY_SERIES_MAX)
        return quant_fail(error, file, 0, "more than %d series", HISTORY_SERIES_MAX);
    return 0;
}

int history_read(struct history *h, const struct history_source *source,
                 struct quant_error *error)
{
    struct history *fresh = calloc(1, sizeof *fresh);
    if (fresh == NULL) return quant_fail(error, source->file, 0, "no memory");
    struct csv c;
    csv_open(&c, source->file, source->text, source->length, error);
    int status = read_any(fresh, &c, source) == 0 ? check_fresh(h, fresh, source->file, error) : -1;
    if (status == 0) {
        for (uint32_t i = 0; i < fresh->count; i++) h->series[h->count++] = fresh->series[i];
    } else {
        history_close(fresh);
    }
    free(fresh);
    return status;
}
