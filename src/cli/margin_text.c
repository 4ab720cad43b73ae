/* margin_text.c: amounts, drivers and results as they are printed; see margin.h. */
#include "cli/margin.h"

int margin_json_print(const struct json_writer *w)
{
    if (w->overflow) {
        (void)fprintf(stderr, "dojima: the result is too long\n");
        return 1;
    }
    (void)printf("%.*s\n", (int)w->used, w->bytes);
    return 0;
}

const char *margin_usd(char text[MARGIN_USD_SIZE], int64_t micro)
{
    int64_t cents = micro / 10000 + (micro > 0 && micro % 10000 != 0);
    char digits[24], *out = text;
    int length = snprintf(digits, sizeof digits, "%lld", (long long)(cents < 0 ? -cents : cents) /
                                                             100);
    if (cents < 0) *out++ = '-';
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) *out++ = ',';
        *out++ = digits[i];
    }
    (void)snprintf(out, 4, ".%02d", (int)((cents < 0 ? -cents : cents) % 100));
    return text;
}

const char *margin_driver(char text[MARGIN_DRIVER_SIZE], const struct risk *r,
                          const struct measure *m, bool stress)
{
    if (m->worst_loss == 0) {
        (void)snprintf(text, MARGIN_DRIVER_SIZE, "nothing loses");
        return text;
    }
    if (stress) {
        const struct stress_scenario *s = &r->stress->scenarios[r->stress_index[m->worst]];
        (void)snprintf(text, MARGIN_DRIVER_SIZE, "%s", s->name);
        return text;
    }
    char a[QUANT_DATE_SIZE], b[QUANT_DATE_SIZE];
    (void)snprintf(text, MARGIN_DRIVER_SIZE, "%s to %s%s",
                   quant_date(a, r->day[r->move_start[m->worst]]),
                   quant_date(b, r->day[r->move_end[m->worst]]), m->mirrored ? ", mirrored" : "");
    return text;
}

const char *margin_binding(enum requirement_binding binding)
{
    static const char *const names[] = {"core", "floor_notional", "floor_volume", "short_option"};
    return names[binding];
}
