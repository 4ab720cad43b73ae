/* margin_files.c: the files of `dojima margin`, read whole; see margin.h. */
#include "cli/margin.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
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
    m->parameters_path = MARGIN_PARAMETERS_PATH;
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

int margin_parameters_read(struct parameters *p, const char *path, struct quant_error *error)
{
    size_t length;
    char *text = margin_file_load(path, &length, error);
    if (text == NULL) return -1;
    int status = parameters_read(p, path, text, length, error);
    free(text);
    return status;
}

static int read_stress(struct margin_files *m, struct quant_error *error)
{
    size_t length;
    char *text = margin_file_load(m->stress_path, &length, error);
    if (text == NULL) return -1;
    int status = stress_read(&m->stress, m->stress_path, text, length, error);
    free(text);
    return status;
}

int margin_day(const char *option, const char *text, int32_t *day, struct quant_error *error)
{
    if (quant_day(text, strlen(text), day)) return 0;
    return quant_fail(error, option, 0, "is not YYYY-MM-DD");
}

int32_t margin_today(void) { return (int32_t)(time(NULL) / 86400); }

int margin_files_read(struct margin_files *m)
{
    struct quant_error error = {0};
    history_open(&m->history);
    int status = margin_parameters_read(&m->parameters, m->parameters_path, &error);
    if (status == 0) status = read_stress(m, &error);
    if (status == 0 && m->history_count == 0)
        status = quant_fail(&error, "--history", 0, "a price history is needed");
    for (int i = 0; i < m->history_count && status == 0; i++)
        status = read_history(m, m->histories[i], &error);
    return status != 0 ? margin_say(&error) : 0;
}

void margin_files_close(struct margin_files *m) { history_close(&m->history); }
