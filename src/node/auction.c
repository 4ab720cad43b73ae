/* auction.c: the daemon's worker for day-ahead auctions (INDEX-01): one that awaits a solution is
 * read on the loop, solved on a thread of the pool, and the solution is a command like any other.
 *
 * Invariants: (1) one solution is sought at a time; (2) the same bids are not tried twice: what the
 * core refused, or nobody could find, is left to its deadline; (3) after the node has begun to stop
 * nothing is submitted.
 */
#include "node/node_internal.h"

#include "node/spot.h"

static void on_solve(uv_work_t *request)
{
    struct node *n = request->data;
    n->spot_status = spot_work_solve(n->spot);
}

static void say_refused(struct node *n, const struct outbox *events)
{
    const struct event_header *h = outbox_next(events, NULL);
    while (h != NULL && h->kind != EVENT_reject) h = outbox_next(events, h);
    if (h == NULL) return;
    uint16_t reason = ((const struct event_reject *)(const void *)h)->reason;
    node_log(n, "warning", "the solution of auction %llu was refused: %s",
             (unsigned long long)spot_work_auction(n->spot),
             reject_text((enum reject)reason)->name);
}

static void on_solved(uv_work_t *request, int status)
{
    static struct command c;
    const struct outbox *events = NULL;
    struct node *n = request->data;
    if (n->spot_status != 0)
        node_log(n, "warning", "auction %llu could not be solved: %d",
                 (unsigned long long)spot_work_auction(n->spot), n->spot_status);
    if (status == 0 && n->spot_status == 0 && !n->stopping) {
        spot_work_command(n->spot, &c);
        c.header.principal = NODE_PRINCIPAL;
        if (n->venue.submit(n->venue.context, &c, &events) == 0) say_refused(n, events);
        else n->spot_auction = 0; /* the journal is behind: once more */
    }
    spot_work_close(n->spot);
    n->spot = NULL;
}

void node_auction_look(struct node *n)
{
    uint64_t version = 0, seq = sequencer_seq(n->sequencer);
    if (n->spot != NULL || n->stopping || seq == n->spot_looked) return;
    n->spot_looked = seq;
    uint64_t auction = spot_waiting(&n->venue, &version);
    if (auction == 0 || (auction == n->spot_auction && version == n->spot_version)) return;
    n->spot = spot_work_open(&n->venue, n->directory, auction);
    if (n->spot == NULL) return;
    n->spot_auction = auction;
    n->spot_version = version;
    n->spot_request.data = n;
    if (uv_queue_work(&n->loop, &n->spot_request, on_solve, on_solved) == 0) return;
    spot_work_close(n->spot);
    n->spot = NULL;
}
