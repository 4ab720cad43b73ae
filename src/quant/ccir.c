/* ccir.c: see ccir.h. */
#include "quant/ccir.h"

#include <math.h>
#include <stdlib.h>

int ccir_read(struct ccir_offers *o, const char *model, const char *file, const char *text,
              size_t length, struct quant_error *error)
{
    static const char *const titles[] = {"model_id", "date", "dph_per_gpu_usd"};
    int at[3], more;
    struct csv c;
    *o = (struct ccir_offers){0};
    csv_open(&c, file, text, length, error);
    if (csv_titles(&c, titles, 3, 3, at) != 0) return -1;
    while ((more = csv_next(&c)) == 1) {
        struct ccir_offer one;
        if (!csv_is(&c, at[0], model)) continue;
        if (!csv_date(&c, at[1], &one.day)) more = csv_bad(&c, "the date is none");
        else if (!csv_number(&c, at[2], &one.price) || one.price <= 0)
            more = csv_bad(&c, "the price is no number above 0");
        else if (o->count == CCIR_OFFERS_MAX) more = csv_bad(&c, "too many offers");
        if (more < 0) break;
        if (o->count == o->capacity) {
            uint32_t capacity = o->capacity == 0 ? 256 : o->capacity * 2;
            struct ccir_offer *moved = realloc(o->offers, capacity * sizeof *moved);
            if (moved == NULL) {
                more = csv_bad(&c, "no memory");
                break;
            }
            o->offers = moved;
            o->capacity = capacity;
        }
        o->offers[o->count++] = one;
    }
    if (more == 0) return 0;
    ccir_close(o);
    return -1;
}

void ccir_close(struct ccir_offers *o)
{
    free(o->offers);
    *o = (struct ccir_offers){0};
}

static int rising(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double deviation_of(const double *p, uint32_t n, double *mean)
{
    double sum = 0, squares = 0;
    for (uint32_t i = 0; i < n; i++) sum += p[i];
    *mean = sum / n;
    for (uint32_t i = 0; i < n; i++) squares += (p[i] - *mean) * (p[i] - *mean);
    return n > 1 ? sqrt(squares / (n - 1)) : 0;
}

/* Leaves out what is far; what is left stands at the front. `p` is one day's, n at least 3. */
static uint32_t day_filter(double *p, uint32_t n)
{
    uint32_t cut = n / 10 > 0 ? n / 10 : 1, left = 0;
    double mean, sum = 0, deviation = deviation_of(p, n, &mean);
    qsort(p, n, sizeof *p, rising);
    for (uint32_t i = cut; i < n - cut; i++) sum += p[i];
    double middle = sum / (n - 2 * cut);
    for (uint32_t i = 0; i < n; i++) {
        if (fabs(p[i] - middle) <= 2.5 * deviation) p[left++] = p[i];
    }
    return left;
}

/* To 4 places, half-even, of prices that have at most 6: in whole 10^-6, so that a half is one. */
static int64_t median_e4(const double *p, uint32_t n)
{
    int64_t a = llround(p[(n - 1) / 2] * 1e6), b = llround(p[n / 2] * 1e6);
    int64_t twice = a + b, whole = twice / 200, rest = twice % 200;
    return whole + (rest > 100 || (rest == 100 && whole % 2 != 0));
}

bool ccir_make(const struct ccir_offers *o, int32_t last_day, uint32_t offers_min,
               struct ccir_index *index)
{
    double *pool = malloc((o->count + 1) * sizeof *pool);
    uint32_t count = 0;
    *index = (struct ccir_index){0};
    if (pool == NULL) return false;
    for (int32_t day = last_day - CCIR_WINDOW_DAYS + 1; day <= last_day; day++) {
        uint32_t n = 0;
        for (uint32_t i = 0; i < o->count; i++) {
            if (o->offers[i].day == day) pool[count + n++] = o->offers[i].price;
        }
        if (n < offers_min || n < 3) continue;
        count += day_filter(pool + count, n);
        index->days += 1;
    }
    if (count > 0) {
        qsort(pool, count, sizeof *pool, rising);
        index->observations = count;
        index->value_e4 = median_e4(pool, count);
        index->low = pool[0];
        index->high = pool[count - 1];
        index->deviation = deviation_of(pool, count, &index->mean);
    }
    free(pool);
    return count > 0;
}
