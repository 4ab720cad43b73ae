/* reject.c: see reject.h. */
#include "msg/reject.h"

#include "base/assert.h"

#include <stddef.h>

static const struct reject_text reject_texts[REJECT_count] = {
    [REJECT_none] = {"none", "", 0, ""},
#define REJECT(name, rule, code, sentence) [REJECT_##name] = {#name, rule, code, sentence},
#include "msg/reject.def"
#undef REJECT
};

const struct reject_text *reject_text(enum reject reason)
{
    ASSERT(reason > REJECT_none && reason < REJECT_count);
    return &reject_texts[reason];
}
