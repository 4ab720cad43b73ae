/* index_fuzz.c: any bytes as a publication of reference prices, or as AWS's spot price history:
 * refused with a sentence, or computed without overflow or a byte read outside.
 */
#include "base/assert.h"
#include "cli/index_series.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_aws(const char *text, size_t size, bool lenient)
{
    struct quant_error error = {{0}};
    struct index_series_options o = {.panel.lenient = lenient};
    struct panel p;
    bool more;
    int status = index_aws_read(&p, &o, "f", text, size, &more, &error);
    ASSERT((status == 0) == (error.text[0] == 0));
    if (status != 0) return;
    for (uint32_t i = 1; i < p.quote_count; i++) ASSERT(p.quotes[i].ms >= p.quotes[i - 1].ms);
    panel_close(&p);
}

static void fuzz_publication(const char *text, size_t size)
{
    static struct index_file file;
    static FILE *nowhere;
    struct quant_error error = {{0}};
    struct index_check check = {.peak_start = 14, .peak_end = 2};
    if (nowhere == NULL) nowhere = fopen("/dev/null", "w");
    if (nowhere == NULL) return;
    int status = index_file_read(&file, "f", text, size, &error);
    ASSERT((status == 0) == (error.text[0] == 0));
    if (status == 0) index_recompute(&file, &check, nowhere);
    ASSERT(check.prices <= check.hours);
    if (status == 0) index_file_close(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) return 0;
    char *text = malloc(size - 1); /* its own block: reading past it is seen */
    if (text == NULL) return 0;
    memcpy(text, data + 1, size - 1);
    if (data[0] % 2 == 0) fuzz_publication(text, size - 1);
    else fuzz_aws(text, size - 1, (data[0] & 2) != 0);
    free(text);
    return 0;
}
