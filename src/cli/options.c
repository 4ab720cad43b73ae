/* options.c: see options.h. */
#include "cli/options.h"

#include "base/decimal.h"
#include "msg/compute.h"

#include <inttypes.h>
#include <string.h>

int64_t option_whole(struct argp_state *state, const char *name, const char *text, int64_t low,
                     int64_t high)
{
    int64_t value = 0;
    if (decimal_parse(text, strlen(text), 0, &value) != DECIMAL_exact || value < low ||
        value > high)
        argp_error(state, "--%s is a whole number from %" PRId64 " to %" PRId64, name, low, high);
    return value;
}

uint32_t option_grade(struct argp_state *state, const char *text)
{
    for (uint32_t i = 0; i < GRADE_count; i++) {
        if (strcmp(text, grade_name(i)) == 0) return i;
    }
    argp_error(state, "--grade is offline, server or interactive");
    return 0;
}
