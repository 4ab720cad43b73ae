/* report_ring.c: an adapter to the Matching Engine Performance Challenge that matches nothing: one
 * report a message, over the same ring as the others. Its figure is the floor that no engine behind
 * this ring can go under; its reports are not an exchange's, so the challenge calls it invalid.
 *
 * Built by hand: see README.md of this folder.
 */
#include "report_ring.h"

static const me_transport_t transport = {ring_create, ring_push, ring_drain, ring_flush,
                                         ring_destroy};
static struct ring *ring;

const me_transport_t *engine_get_transport(void) { return &transport; }

void engine_init(uint64_t seed, const me_transport_t *given, void *report_sink)
{
    (void)seed;
    (void)given;
    ring = report_sink;
}

void engine_shutdown(void) {}
void engine_flush(void) { ring_publish(ring); }

void engine_on_new_order(const new_order_t *m)
{
    ring_put(ring, ME_ORDER_ACK, m->sequence_number, m->order_id, m->side, m->price_ticks,
             m->quantity);
}

void engine_on_cancel(const cancel_t *m)
{
    ring_put(ring, ME_CANCEL_ACK, m->sequence_number, m->order_id, 0, 0, 0);
}

void engine_on_modify(const modify_t *m)
{
    ring_put(ring, ME_MODIFY_ACK, m->sequence_number, m->order_id, m->side, m->new_price_ticks,
             m->new_quantity);
}

int64_t engine_query_best_bid(void) { return INT64_MIN; }
int64_t engine_query_best_ask(void) { return INT64_MAX; }

uint64_t engine_query_depth_at(int64_t price_ticks, uint8_t side)
{
    (void)price_ticks;
    (void)side;
    return 0;
}
