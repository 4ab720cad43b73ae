/* intake.c: `dojima intake`: a buyer's gateway. intake.h says how its files go together. */
#include "cli/cli.h"
#include "cli/intake.h"
#include "cli/options.h"

#include <stdlib.h>
#include <string.h>

enum { KEY_INSTRUMENT = 800, KEY_REGION, KEY_EXCLUDE, KEY_GRADE, KEY_WORKLOAD, KEY_VINTAGE,
       KEY_PROMPTS, KEY_WEIGHTS, KEY_ANSWER_TOKENS, KEY_STANDING };

static const struct argp_option options[] = {
    {"instrument", KEY_INSTRUMENT, "NAME", 0,
     "File the intake for a long position in this day or hour; again for more", 0},
    {"standing", KEY_STANDING, NULL, 0,
     "Stand ready to take what it buys in resales, and hours of the spot market", 0},
    {"region", KEY_REGION, "NAME", 0, "Take delivery from this region; again for more [any]", 0},
    {"exclude", KEY_EXCLUDE, "ACCOUNT", 0, "Not from this provider; again for more", 0},
    {"grade", KEY_GRADE, "GRADE", 0, "The least that is taken [the product's]", 0},
    {"workload", KEY_WORKLOAD, "NAME", 0,
     "The workload of the tasks [the first of the vintage that fits]", 0},
    {"vintage", KEY_VINTAGE, "YEAR", 0, "Of --weights [2026]", 0},
    {"prompts", KEY_PROMPTS, "FILE", 0,
     "Own prompts, a line each, token numbers with spaces between", 0},
    {"weights", KEY_WEIGHTS, "FILE", 0, "Own integer weights of the workload's shape", 0},
    {"answer-tokens", KEY_ANSWER_TOKENS, "N", 0, "Tokens asked for a prompt [the workload's]", 0},
    {0}};

static bool list_add(const char **list, uint32_t *count, uint32_t most, const char *text)
{
    if (*count == most) return false;
    list[(*count)++] = text;
    return true;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct intake *n = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &n->agent; return 0;
    case KEY_INSTRUMENT:
        if (n->instrument_count == INTAKE_INSTRUMENTS_MAX || strlen(text) >= AGENT_NAME_SIZE)
            argp_error(state, "--instrument: at most 16 names of 63 letters");
        else (void)snprintf(n->instruments[n->instrument_count++].instrument, AGENT_NAME_SIZE,
                            "%s", text);
        return 0;
    case KEY_STANDING: n->standing = true; return 0;
    case KEY_REGION:
        if (!list_add(n->regions, &n->region_count, INTAKE_REGIONS_MAX, text))
            argp_error(state, "--region: at most 4");
        return 0;
    case KEY_EXCLUDE:
        if (!list_add(n->excluded, &n->excluded_count, INTAKE_EXCLUDED_MAX, text))
            argp_error(state, "--exclude: at most 8");
        return 0;
    case KEY_GRADE: n->grade = text; return 0;
    case KEY_WORKLOAD: n->workload = text; return 0;
    case KEY_PROMPTS: n->prompts_path = text; return 0;
    case KEY_WEIGHTS: n->weights_path = text; return 0;
    case KEY_VINTAGE:
        n->vintage = (uint32_t)option_whole(state, "vintage", text, 1, 9999);
        return 0;
    case KEY_ANSWER_TOKENS:
        n->answer_tokens = (uint32_t)option_whole(state, "answer-tokens", text, 1, 1000000);
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* ---- what the venue is told and asked ---- */

static void names_write(struct json_writer *w, const char *key, const char *const *names,
                        uint32_t count)
{
    if (count == 0) return;
    json_key(w, key);
    json_open_array(w);
    for (uint32_t i = 0; i < count; i++) json_string(w, names[i]);
    json_close_array(w);
}

static void constraints_write(struct intake *n, struct json_writer *w)
{
    json_key(w, "constraints");
    json_open_object(w);
    names_write(w, "regions", n->regions, n->region_count);
    names_write(w, "providers_excluded", n->excluded, n->excluded_count);
    if (n->grade != NULL) json_key_string(w, "grade_minimum", n->grade);
    json_close_object(w);
}

static void intake_params(struct intake *n)
{
    struct json_writer *w = &n->agent.client.params;
    json_key_string(w, "endpoint", n->agent.endpoint_text);
    json_key_string(w, "public_key", n->agent.key_text);
    constraints_write(n, w);
}

static void intakes_file(struct intake *n)
{
    struct client *c = &n->agent.client;
    for (uint32_t i = 0; i < n->instrument_count; i++) {
        struct agent_filing *f = &n->instruments[i];
        if (f->filed) continue;
        client_begin(c);
        json_key_string(&c->params, "instrument_name", f->instrument);
        intake_params(n);
        enum client_status status = agent_file(&n->agent, f, "private/intake", "intake of");
        if (status == CLIENT_unreachable) return;
        if (status == CLIENT_ok) agent_say(&n->agent, "the intake of %s is filed", f->instrument);
    }
    if (!n->standing || n->standing_filed) return;
    client_begin(c);
    intake_params(n);
    if (agent_call(&n->agent, "private/intake") != CLIENT_ok) return;
    n->standing_filed = true;
    agent_say(&n->agent, "the standing intake is filed");
}

static bool step(struct agent *a)
{
    struct intake *n = (struct intake *)(void *)a;
    struct deliveries_seen *seen = malloc(sizeof *seen);
    intakes_file(n);
    struct verifiers verifiers;
    if (seen != NULL && agent_deliveries(a, seen) && agent_verifiers(a, &verifiers)) {
        for (uint32_t i = 0; i < seen->count;) { /* another gateway's have other keys */
            if (memcmp(seen->list[i].buyer_key, a->key.key, NOTE_KEY_SIZE) == 0) i += 1;
            else seen->list[i] = seen->list[--seen->count];
        }
        (void)pthread_mutex_lock(&a->mutex);
        n->seen = *seen;
        n->looked = true;
        n->verifiers = verifiers;
        (void)pthread_mutex_unlock(&a->mutex);
    }
    free(seen);
    return true;
}

int cli_intake(int argc, char **argv)
{
    static struct intake n;
    static const struct argp_child children[] = {{&agent_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .options = options, .parser = parse, .children = children,
        .doc = "A buyer's gateway: gives the sellers of its allocations tasks, the buyer's own "
               "prompts over the buyer's own weights or those of a reference workload, keeps the "
               "answers under DIR/answers, and countersigns the hour's receipt over exactly what "
               "it has received.\vIts first line on standard output is its endpoint and its "
               "public key. It may be killed at any instant and goes on from there."};
    char error[256] = "";
    agent_init(&n.agent, "intake");
    n.vintage = 2026;
    (void)pthread_mutex_init(&n.store_mutex, NULL);
    client_parse(&argp, argc, argv, &n);
    if (!intake_load(&n, error, sizeof error)) {
        (void)fprintf(stderr, "dojima intake: %s\n", error);
        return 1;
    }
    int status = agent_run(&n.agent, step, intake_answer);
    free(n.weights);
    free(n.prompts.tokens);
    free(n.prompts.begin);
    return status;
}
