/* series_fuzz.c: any bytes as a file of any format of offers, or of CCIR's: taken whole or refused
 * with a sentence; what was taken makes a series of finite levels.
 */
#include "base/assert.h"
#include "quant/ccir.h"
#include "quant/series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_ccir(const char *text, size_t length)
{
    struct quant_error error = {{0}};
    struct ccir_offers o;
    struct ccir_index x;
    int status = ccir_read(&o, "m", "f", text, length, &error);
    ASSERT((status == 0) == (error.text[0] == 0));
    if (status != 0) return;
    if (o.count > 0 && ccir_make(&o, o.offers[0].day, 3, &x))
        ASSERT(x.observations <= o.count && isfinite(x.mean));
    ccir_close(&o);
}

static void fuzz_series(const struct panel *p, int64_t period)
{
    struct quant_error error = {{0}};
    struct series_method m = series_method_default(p, period);
    struct index_series_made s;
    struct series_periods all = series_periods_of(p, period);
    if ((uint64_t)all.count * p->offer_count > 1 << 20) return; /* time, not memory */
    if (series_make(&s, p, &m, &error) != 0) {
        ASSERT(error.text[0] != 0);
        return;
    }
    for (uint32_t i = 0; i < s.count; i++) {
        ASSERT(isfinite(s.points[i].level) && isfinite(s.points[i].naive));
        ASSERT(s.points[i].matched <= s.points[i].offers);
    }
    series_free(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct quant_error error = {{0}};
    struct panel p;
    if (size < 2) return 0;
    char *text = malloc(size - 2 + (size == 2)); /* its own block: reading past it is seen */
    if (text == NULL) return 0;
    memcpy(text, data + 2, size - 2);
    if (data[0] % 8 == 7) {
        fuzz_ccir(text, size - 2);
        free(text);
        return 0;
    }
    uint32_t formats = 0;
    while (panel_format_name(formats) != NULL) formats += 1;
    struct panel_options o = {.format = panel_format_name(data[0] % formats),
                              .lenient = (data[1] & 1) != 0,
                              .kind = (data[1] & 2) != 0 ? "spot" : NULL};
    int status = panel_read_csv(&p, &o, "f", text, size - 2, &error);
    ASSERT((status == 0) == (error.text[0] == 0));
    free(text);
    if (status != 0) return 0;
    fuzz_series(&p, (data[1] & 4) != 0 ? 3600000 : 86400000);
    panel_close(&p);
    return 0;
}
