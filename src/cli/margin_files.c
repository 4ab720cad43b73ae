/* margin_files.c: the files of `dojima margin`, read whole; see margin.h. */
#include "cli/margin.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { KEY_HISTORY = 600, KEY_PARAMETERS, KEY_STRESS, KEY_DATE, CHUNK = 1 << 18 };

static const struct argp_option options[] = {
    {"history", KEY_HISTORY, "[NAME=]FILE[:OPTIONS]", 0,
     "Price history; may be given several times. NAME where the file names no series; OPTIONS as "
     "docs/margin.md says", 5},
    {"parameters", KEY_PARAMETERS, "FILE", 0,
     "Numbers of the method [config/margin/parameters.csv]", 5},
    {"stress", KEY_STRESS, "FILE", 0, "The stress set [config/margin/stress.csv]", 5},
    {"date", KEY_DATE, "YYYY-MM-DD", 0, "As of this day [the latest of the histories]", 5},
    {0}};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct margin_files *m = state->input;
    switch (key) {
    case KEY_HISTORY:
        if (m->history_count == MARGIN_HISTORIES_MAX) argp_error(state, "too many histories");
        m->histories[m->history_count++] = text;
        return 0;
    case KEY_PARAMETERS: m->parameters_path = text; return 0;
    case KEY_STRESS: m->stress_path = text; return 0;
    case KEY_DATE: m->date = text; return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

const struct argp margin_files_argp = {.options = options, .parser = parse};

void margin_files_init(struct margin_files *m)
{
    memset(m, 0, sizeof *m);
    m->parameters_path = "config/margin/parameters.csv";
    m->stress_path = "config/margin/stress.csv";
}

int margin_say(const struct quant_error *error)
{
    (void)fprintf(stderr, "dojima: %s\n", error->text);
    return 1;
}

char *margin_file_load(const char *path, size_t *length, struct quant_error *error)
{
    gzFile gz = gzopen(path, "rb");
    char *text = NULL;
    size_t used = 0, capacity = 0;
    int got = 1;
    while (gz != NULL && got > 0) {
        if (used == capacity) {
            capacity = capacity == 0 ? CHUNK : capacity * 2;
            char *moved = capacity > MARGIN_FILE_MAX ? NULL : realloc(text, capacity);
            if (moved == NULL) break;
            text = moved;
        }
        size_t room = capacity - used < CHUNK ? capacity - used : CHUNK;
        got = gzread(gz, text + used, (unsigned)room);
        if (got > 0) used += (size_t)got;
    }
    int status = gz == NULL || got != 0 || gzclose(gz) != Z_OK ? -1 : 0;
    if (status == 0) {
        *length = used;
        return text;
    }
    if (gz != NULL && got != 0) (void)gzclose(gz);
    free(text);
    (void)quant_fail(error, path, 0, "the file cannot be read");
    return NULL;
}

/* NAME=FILE:OPTIONS; a NAME has no slash and no dot, OPTIONS have a '='. */
static int read_history(struct margin_files *m, const char *spec, struct quant_error *error)
{
    char copy[1024], *path = copy, *options_at = NULL;
    const char *name = NULL;
    if (strlen(spec) >= sizeof copy) return quant_fail(error, spec, 0, "the name is too long");
    memcpy(copy, spec, strlen(spec) + 1);
    size_t key = strcspn(copy, "=");
    if (copy[key] == '=' && strcspn(copy, "/.:") > key && key > 0 && key < QUANT_NAME_SIZE) {
        copy[key] = 0;
        name = copy;
        path = copy + key + 1;
    }
    char *colon = strrchr(path, ':');
    if (colon != NULL && strchr(colon, '=') != NULL) {
        *colon = 0;
        options_at = colon + 1;
    }
    size_t length;
    char *text = margin_file_load(path, &length, error);
    if (text == NULL) return -1;
    const struct history_source source = {.name = name, .file = path, .text = text,
                                          .length = length,
                                          .options = options_at != NULL ? options_at : ""};
    int status = history_read(&m->history, &source, error);
    free(text);
    return status;
}

int margin_files_read(struct margin_files *m, bool with_history)
{
    struct quant_error error = {0};
    size_t length;
    history_open(&m->history);
    char *text = margin_file_load(m->parameters_path, &length, &error);
    if (text == NULL) return margin_say(&error);
    int status = parameters_read(&m->parameters, m->parameters_path, text, length, &error);
    free(text);
    if (status != 0) return margin_say(&error);
    text = margin_file_load(m->stress_path, &length, &error);
    if (text == NULL) return margin_say(&error);
    status = stress_read(&m->stress, m->stress_path, text, length, &error);
    free(text);
    if (status != 0) return margin_say(&error);
    if (with_history && m->history_count == 0) {
        (void)quant_fail(&error, "--history", 0, "a price history is needed");
        return margin_say(&error);
    }
    for (int i = 0; i < m->history_count; i++) {
        if (read_history(m, m->histories[i], &error) != 0) return margin_say(&error);
    }
    return 0;
}

void margin_files_close(struct margin_files *m) { history_close(&m->history); }

/* ---- words ---- */
const char *margin_usd(char text[MARGIN_USD_SIZE], int64_t micro)
{
    int64_t cents = micro / 10000 + (micro > 0 && micro % 10000 != 0);
    char digits[24], *out = text;
    int length = snprintf(digits, sizeof digits, "%lld", (long long)(cents < 0 ? -cents : cents) /
                                                             100);
    if (cents < 0) *out++ = '-';
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) *out++ = ',';
        *out++ = digits[i];
    }
    (void)snprintf(out, 4, ".%02d", (int)((cents < 0 ? -cents : cents) % 100));
    return text;
}

const char *margin_driver(char text[MARGIN_DRIVER_SIZE], const struct risk *r,
                          const struct measure *m, bool stress)
{
    if (m->worst_loss == 0) {
        (void)snprintf(text, MARGIN_DRIVER_SIZE, "nothing loses");
        return text;
    }
    if (stress) {
        const struct stress_scenario *s = &r->stress->scenarios[r->stress_index[m->worst]];
        (void)snprintf(text, MARGIN_DRIVER_SIZE, "%s", s->name);
        return text;
    }
    char a[QUANT_DATE_SIZE], b[QUANT_DATE_SIZE];
    (void)snprintf(text, MARGIN_DRIVER_SIZE, "%s to %s%s",
                   quant_date(a, r->day[r->move_start[m->worst]]),
                   quant_date(b, r->day[r->move_end[m->worst]]), m->mirrored ? ", mirrored" : "");
    return text;
}

const char *margin_binding(enum requirement_binding binding)
{
    static const char *const names[] = {"core", "floor_notional", "floor_volume", "short_option"};
    return names[binding];
}
