/* block_state.h: what block.c keeps in the state block (MATCH-11). */
#ifndef DOJIMA_CORE_BLOCK_STATE_H
#define DOJIMA_CORE_BLOCK_STATE_H

#include "msg/block.h"

struct deals_state {
    uint64_t last_id;
    ts_t due; /* the earliest deadline; INT64_MAX: none waits */
};

struct deals {
    struct deals_state *s;
    struct deal *deals;
    uint32_t count; /* capacity */
    uint32_t reserved;
};

#endif
