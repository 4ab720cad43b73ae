/* serve.c: `dojima serve`: the node. */
#include "cli/cli.h"

#include "base/time_text.h"
#include "cli/client_http.h"
#include "node/node.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void usage(FILE *to)
{
    fputs("Usage: dojima serve [--data DIR] [--listen HOST:PORT] [--config FILE] [--demo]\n"
          "                    [--clock START]\n\n"
          "  --data DIR          data directory, made when absent [data]\n"
          "  --listen HOST:PORT  HTTP and WebSocket; port 0 takes any free one [127.0.0.1:8080]\n"
          "  --config FILE       venue settings, products and instruments to begin with\n"
          "  --clock START       a demonstration's clock that begins at this RFC 3339 time and\n"
          "                      that an officer may move (private/officer_clock); for a data\n"
          "                      directory of its own\n"
          "  --demo              simulated participants on seeded contracts\n"
          "  --demo-rate N       their commands a second [120]\n"
          "  --tls-cert FILE     certificate chain (PEM); with --tls-key: HTTPS\n"
          "  --tls-key FILE      its private key (PEM)\n"
          "  --plain             allow an address that is not the loopback without TLS\n"
          "  --limits LIST       NAME=N,...: rate, burst, cancel_rate (requests a second and\n"
          "                      session), connections, address_connections, body_bytes,\n"
          "                      message_bytes, send_bytes, request_ms, idle_ms, ping_ms\n"
          "  --no-history        no SQL history beside the journal\n"
          "  --quiet             log warnings and errors only\n", to);
}

/* Where a limit is kept, by its name; NULL: there is no such limit. */
static uint32_t *limit_place(struct gate_options *g, const char *name)
{
    const struct { const char *name; uint32_t *place; } places[] = {
        {"rate", &g->rate},
        {"burst", &g->burst},
        {"cancel_rate", &g->cancel_rate},
        {"connections", &g->server.connections_max},
        {"address_connections", &g->server.address_max},
        {"body_bytes", &g->server.body_bytes_max},
        {"message_bytes", &g->server.message_bytes_max},
        {"send_bytes", &g->server.send_bytes_max},
        {"request_ms", &g->server.request_ms},
        {"idle_ms", &g->server.idle_ms},
        {"ping_ms", &g->server.ping_ms},
    };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (strcmp(places[i].name, name) == 0) return places[i].place;
    }
    return NULL;
}

static int number(const char *text, uint32_t *value)
{
    char *end = NULL;
    unsigned long v = strtoul(text, &end, 10);
    if (end == text || *end != 0 || v == 0 || v > 1000000000ul) return -1;
    *value = (uint32_t)v;
    return 0;
}

static int limits_read(struct gate_options *g, char *list)
{
    char *save = NULL;
    for (char *word = strtok_r(list, ",", &save); word != NULL; word = strtok_r(NULL, ",", &save)) {
        char *equals = strchr(word, '=');
        if (equals != NULL) *equals = 0;
        uint32_t *place = limit_place(g, word);
        if (equals == NULL || place == NULL || number(equals + 1, place) != 0) {
            fprintf(stderr, "dojima serve: no such limit, or not a number: %s\n", word);
            return -1;
        }
    }
    return 0;
}

static int read_one(struct node_options *o, int option, char *value, int *plain)
{
    switch (option) {
    case 'd': o->data = value; return 0;
    case 'l': o->gate.server.listen = value; return 0;
    case 'c': o->config = value; return 0;
    case 'D': o->demo = true; return 0;
    case 'T': return time_parse(value, strlen(value), &o->clock);
    case 'r': return number(value, &o->demo_rate);
    case 'C': o->gate.server.tls_cert = value; return 0;
    case 'K': o->gate.server.tls_key = value; return 0;
    case 'p': *plain = 1; return 0;
    case 'L': return limits_read(&o->gate, value);
    case 'H': o->history = false; return 0;
    case 'q': o->quiet = true; return 0;
    default: return -1;
    }
}

int cli_serve(int argc, char **argv)
{
    static const struct option options[] = {
        {"data", required_argument, NULL, 'd'},     {"listen", required_argument, NULL, 'l'},
        {"config", required_argument, NULL, 'c'},   {"demo", no_argument, NULL, 'D'},
        {"clock", required_argument, NULL, 'T'},
        {"demo-rate", required_argument, NULL, 'r'}, {"tls-cert", required_argument, NULL, 'C'},
        {"tls-key", required_argument, NULL, 'K'},  {"plain", no_argument, NULL, 'p'},
        {"limits", required_argument, NULL, 'L'},   {"no-history", no_argument, NULL, 'H'},
        {"quiet", no_argument, NULL, 'q'},          {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct node_options o = node_options_default();
    int plain = 0;
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (option == 'h') {
            usage(stdout);
            return 0;
        }
        if (read_one(&o, option, optarg, &plain) != 0) {
            usage(stderr);
            return 2;
        }
    }
    const char *wrong = NULL;
    const struct server_options *s = &o.gate.server;
    if (optind != argc) wrong = "there are no further arguments";
    else if ((s->tls_cert == NULL) != (s->tls_key == NULL))
        wrong = "--tls-cert and --tls-key go together";
    else if (s->tls_cert == NULL && !http_address_is_loopback(s->listen) && !plain)
        wrong = "an address that is not the loopback needs --tls-cert and --tls-key, or --plain "
                "behind a TLS proxy";
    if (wrong != NULL) {
        fprintf(stderr, "dojima serve: %s\n", wrong);
        return 2;
    }
    return node_run(&o);
}
