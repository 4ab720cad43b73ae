/* index_fuzz.c: any bytes as a publication of reference prices: refused with a sentence, or
 * computed again without overflow or a byte read outside.
 */
#include "base/assert.h"
#include "cli/index.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct index_file file;
    static FILE *nowhere;
    struct quant_error error = {{0}};
    struct index_check check = {.peak_start = 14, .peak_end = 2};
    if (nowhere == NULL) nowhere = fopen("/dev/null", "w");
    char *text = malloc(size + 1); /* its own block: reading past it is seen */
    if (text == NULL || nowhere == NULL) return 0;
    memcpy(text, data, size);
    char *exact = realloc(text, size == 0 ? 1 : size);
    text = exact == NULL ? text : exact;
    int status = index_file_read(&file, "f", text, size, &error);
    ASSERT((status == 0) == (error.text[0] == 0));
    free(text);
    if (status == 0) index_recompute(&file, &check, nowhere);
    ASSERT(check.prices <= check.hours);
    if (status == 0) index_file_close(&file);
    return 0;
}
