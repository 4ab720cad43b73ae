/* quant_fuzz.c: any bytes as any of the files that quant reads: taken whole or refused with a
 * sentence; what was taken is within bounds and can be computed with. */
#include "base/assert.h"
#include "quant/portfolio.h"
#include "quant/risk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_history(const char *text, size_t length, const char *options)
{
    static struct history h;
    struct quant_error error = {0};
    const struct history_source source = {.name = "X", .file = "f", .text = text,
                                          .length = length, .options = options};
    history_open(&h);
    int status = history_read(&h, &source, &error);
    ASSERT((status == 0) == (error.text[0] == 0) && (status == 0) == (h.count > 0));
    for (uint32_t i = 0; i < h.count; i++) {
        const struct series *s = &h.series[i];
        for (uint32_t d = 0; d < s->days; d++) {
            double p0, p1;
            ASSERT(isfinite(series_price(s, d)));
            ASSERT(d == 0 || series_day(s, d) > series_day(s, d - 1));
            ASSERT(d == 0 || !series_move(s, d - 1, d, &p0, &p1) || isfinite(p1 - p0));
        }
    }
    history_close(&h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct parameters parameters;
    static struct stress_set stress;
    static struct portfolio portfolio;
    if (size < 1) return 0;
    char *text = malloc(size); /* its own block: reading past it is seen */
    if (text == NULL) return 0;
    memcpy(text, data + 1, size - 1);
    struct quant_error error = {0};
    int status = -1;
    switch (data[0] % 6) {
    case 0: fuzz_history(text, size - 1, ""); break;
    case 1: fuzz_history(text, size - 1, "gpu_model=X,kind=spot"); break;
    case 2: fuzz_history(text, size - 1, "fill=weekdays"); break;
    case 3:
        status = parameters_read(&parameters, "f", text, size - 1, &error);
        ASSERT((status == 0) == (error.text[0] == 0));
        break;
    case 4:
        status = stress_read(&stress, "f", text, size - 1, &error);
        ASSERT((status == 0) == (error.text[0] == 0));
        break;
    default:
        status = portfolio_read(&portfolio, "f", text, size - 1, &error);
        ASSERT((status == 0) == (error.text[0] == 0) && (status == 0) == (portfolio.count > 0));
        portfolio_close(&portfolio);
    }
    free(text);
    return 0;
}
