/* reject.h: the reasons of reject.def as an enum, and what is said of each. */
#ifndef DOJIMA_MSG_REJECT_H
#define DOJIMA_MSG_REJECT_H

#include <stdint.h>

enum reject {
    REJECT_none = 0,
#define REJECT(name, rule, code, sentence) REJECT_##name,
#include "msg/reject.def"
#undef REJECT
    REJECT_count
};

struct reject_text {
    const char *name;
    const char *rule;
    int32_t code;
    const char *sentence;
};

/* What to say of a reason; reason is in (REJECT_none, REJECT_count). Static storage. */
const struct reject_text *reject_text(enum reject reason);

#endif
