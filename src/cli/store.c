/* store.c: `dojima store rebuild|statement`: the SQL history of a data directory.
 *
 * rebuild throws the history away and makes it again from the journal; the node must not run.
 * statement is `dojima statement` (statement.c).
 */
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/store_replay.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { KEY_DATA = 256, KEY_JSON, PATH_SIZE = 512 };

struct arguments {
    const char *verb;
    const char *data;
    bool json;
    bool terminal;
};

static const struct argp_option options[] = {
    {"data", KEY_DATA, "DIR", 0, "The data directory", 0},
    {"json", KEY_JSON, NULL, 0, "The figures as one JSON object", 0},
    {0}};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case KEY_DATA: a->data = text; return 0;
    case KEY_JSON: a->json = true; return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num > 0 || strcmp(text, "rebuild") != 0) argp_usage(state);
        a->verb = text;
        return 0;
    case ARGP_KEY_END:
        if (a->verb == NULL || a->data == NULL) argp_usage(state);
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "rebuild --data DIR\nstatement --data DIR ACCOUNT YYYY-MM-DD",
    .doc = "The SQL history of a data directory: DIR/history.sqlite, whose tables stand in "
           "src/store/schema.h.\vThe history is derived: `rebuild` makes it again from the journal "
           "while the node is stopped."};

static int fail(const char *text)
{
    (void)fprintf(stderr, "dojima store: %s\n", text);
    return 1;
}

static void draw(void *context, uint64_t seq)
{
    const struct arguments *a = context;
    if (a->terminal && seq % 65536 == 0)
        (void)fprintf(stderr, "\r%llu commands", (unsigned long long)seq);
}

static void remove_history(const char *path)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        char name[PATH_SIZE + 8];
        (void)snprintf(name, sizeof name, "%s%s", path, ends[i]);
        (void)remove(name);
    }
}

static int rebuild(struct arguments *a, const char *path)
{
    char error[512] = "";
    struct store *s = NULL;
    struct store_replay_result result;
    int status = 1;
    struct io *io = io_directory_open(a->data, 0, error, sizeof error); /* takes the lock */
    if (io == NULL) return fail(error);
    remove_history(path);
    uint64_t start = uv_hrtime();
    if (store_open(path, &s) != STORE_OK) {
        (void)fail(s == NULL ? "no memory" : store_error(s));
    } else if (store_replay(io, s, 0, draw, a, &result, error, sizeof error) != 0) {
        (void)fail(error);
    } else {
        uint64_t ms = (uv_hrtime() - start) / 1000000;
        if (a->terminal) (void)fprintf(stderr, "\r%*s\r", 40, "");
        const char *sentence = "history to seq %llu: %llu commands, %llu rows, %llu ms\n";
        const char *object = "{\"seq\":%llu,\"commands\":%llu,\"rows\":%llu,\"ms\":%llu}\n";
        (void)printf(a->json ? object : sentence, (unsigned long long)result.seq,
                     (unsigned long long)result.commands, (unsigned long long)store_rows(s),
                     (unsigned long long)ms);
        status = 0;
    }
    store_close(s);
    io_directory_close(io);
    return status;
}

int cli_store(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "statement") == 0) return cli_statement(argc - 1, argv + 1);
    struct arguments a = {0};
    char path[PATH_SIZE];
    client_parse(&argp, argc, argv, &a);
    (void)snprintf(path, sizeof path, "%s/history.sqlite", a.data);
    a.terminal = uv_guess_handle(fileno(stderr)) == UV_TTY;
    return rebuild(&a, path);
}
