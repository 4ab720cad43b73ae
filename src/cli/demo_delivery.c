/* demo_delivery.c: `dojima demo delivery`: the whole life of a contract on one machine, told step
 * by step: certified hardware, a quarter's future, its cascade to days, delivery with proofs, a
 * seller who cheats and is bought in, payment, and a ledger that adds up. */
#include "cli/cli.h"
#include "cli/demo_delivery.h"

#include "work/cheat.h"

#include <argp.h>
#include <string.h>

enum { KEY_FAST = 950, KEY_KEEP, KEY_CHEAT };

struct arguments {
    const char *name;
    const char *cheat;
    const char *keep; /* a directory; NULL: a temporary one */
    bool fast;
};

static const struct argp_option options[] = {
    {"fast", KEY_FAST, NULL, 0, "As quickly as it goes, for tests", 0},
    {"keep", KEY_KEEP, "DIR", 0, "Keep everything in DIR, which must not be there yet", 0},
    {"cheat", KEY_CHEAT, "NAME", 0,
     "What the second seller does: garbage, reuse, skip, truncate, low-precision, replay "
     "[garbage]", 0},
    {0}};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    enum cheat_kind kind;
    switch (key) {
    case KEY_FAST: a->fast = true; return 0;
    case KEY_KEEP: a->keep = text; return 0;
    case KEY_CHEAT:
        if (!cheat_parse(text, &kind) || kind == CHEAT_none || kind == CHEAT_one_in_100)
            argp_error(state, "--cheat: no such cheat");
        a->cheat = text;
        return 0;
    case ARGP_KEY_ARG:
        if (a->name != NULL || strcmp(text, "delivery") != 0)
            argp_error(state, "the demonstration there is: delivery");
        a->name = text;
        return 0;
    case ARGP_KEY_END:
        if (a->name == NULL) argp_error(state, "which demonstration: delivery");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static bool tell(struct story *t)
{
    (void)puts("A future on inference work, from the first trade to the last payment. Six parties, "
               "each\na process of its own: the venue, two sellers (north, who is honest, and "
               "south, who is not),\na buyer, a verifier, a certifier. They meet over sockets on "
               "this machine only. The venue's\nclock is a demonstration's: it jumps over days in "
               "which nothing happens.");
    return story_certify(t) && story_venue(t) && story_trade(t) && story_cascade(t) &&
           story_agents(t) && story_notice(t) && story_hour(t) && story_buy_in(t) &&
           story_payment(t) && story_conserved(t);
}

int cli_demo(int argc, char **argv)
{
    static struct story t;
    static const struct argp argp = {
        .options = options, .parser = parse, .args_doc = "delivery",
        .doc = "A whole story on one machine, told step by step: a contract on compute is "
               "certified, traded, cascaded, delivered with proofs and paid; one seller cheats.\v"
               "Exit status: 0 when every check of the story holds."};
    struct arguments a = {.cheat = "garbage"};
    client_parse(&argp, argc, argv, &a);
    t.fast = a.fast;
    t.cheat = a.cheat;
    if (stage_open(&t.stage, a.keep, a.keep != NULL) != 0) return 1;
    bool good = tell(&t);
    int status = stage_close(&t.stage);
    if (good && status == 0) (void)puts("\nEverything that was checked holds.");
    return good ? status : 1;
}
