/* rpc_index_write.c: an hour's reference price and all that it follows from, as the public reads it
 * (INDEX-02): in answers and on the channel. Sellers on spot have numbers, not names.
 */
#include "gate/rpc_settlement.h"
#include "wire/event_json_settlement.h"

void rpc_write_index_price(struct json_writer *w, const struct event_index_price *p)
{
    index_price_write(w, p);
    json_key(w, "median");
    if (price_is_none(p->median)) json_raw(w, "null", 4);
    else json_fixed(w, (int128_t)p->median.v * 5, 7); /* it is kept doubled */
    if (p->principal != 0) json_key_int(w, "requested_by", p->principal);
}

static void input_write(struct json_writer *w, const struct directory *names,
                        const struct event_index_input *e)
{
    json_open_object(w);
    json_key_string(w, "source", directory_name(names, DIRECTORY_account, e->source));
    index_input_write(w, e);
    json_close_object(w);
}

static void seller_write(struct json_writer *w, const struct event_index_seller *e, uint32_t number)
{
    json_open_object(w);
    json_key_int(w, "seller", number);
    index_seller_write(w, e);
    json_close_object(w);
}

/* The event after this one; NULL: there is none, or it is of another kind. */
static const void *after(const void *event, enum event_kind kind, const unsigned char *end)
{
    const struct event_header *h = event;
    const unsigned char *at = (const unsigned char *)event + h->size;
    const struct event_header *next = (const struct event_header *)(const void *)at;
    return at < end && next->kind == kind ? next : NULL;
}

static void spot_write(struct json_writer *w, const struct event_index_spot *s,
                       const unsigned char *end)
{
    json_key(w, "spot");
    json_open_object(w);
    index_spot_write(w, s);
    json_key(w, "inputs");
    json_open_array(w);
    const void *one = s;
    for (uint32_t i = 1; i <= s->inputs; i++) {
        one = after(one, EVENT_index_seller, end);
        if (one == NULL) break;
        seller_write(w, one, i);
    }
    json_close_array(w);
    json_close_object(w);
}

void rpc_write_index_hour(struct json_writer *w, const struct directory *names,
                          const struct event_index_price *p, const unsigned char *end)
{
    const void *one = p;
    rpc_write_index_price(w, p);
    json_key(w, "inputs");
    json_open_array(w);
    for (uint32_t i = 0; i < p->inputs; i++) {
        const void *input = after(one, EVENT_index_input, end);
        if (input == NULL) break;
        input_write(w, names, input);
        one = input;
    }
    json_close_array(w);
    if (p->spot == 0) return;
    const struct event_index_spot *s = after(one, EVENT_index_spot, end);
    if (s != NULL) spot_write(w, s, end);
}
