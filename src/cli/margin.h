/* margin.h: what `dojima margin` and its forms share: the files that go in. Not for other folders.
 *
 * Upstream: files, plain or gz. Downstream: quant.
 */
#ifndef DOJIMA_CLI_MARGIN_H
#define DOJIMA_CLI_MARGIN_H

#include "quant/fund.h"
#include "wire/json.h"

#include <argp.h>
#include <stdio.h>

#define MARGIN_PARAMETERS_PATH "config/margin/parameters.csv"
enum { MARGIN_HISTORIES_MAX = 64, MARGIN_FILE_MAX = 256 << 20 };

/* Options of all forms: --history, --parameters, --stress, --date. */
struct margin_files {
    const char *histories[MARGIN_HISTORIES_MAX]; /* [NAME=]FILE[:OPTIONS] */
    int history_count;
    const char *parameters_path, *stress_path;
    const char *date;
    /* what was read */
    struct history history;
    struct parameters parameters;
    struct stress_set stress;
};

extern const struct argp margin_files_argp; /* an argp_child; its input is the margin_files */

void margin_files_init(struct margin_files *m);
/* Reads parameters, stress set and histories; 0, or 1 with the sentence said. */
int margin_files_read(struct margin_files *m);
void margin_files_close(struct margin_files *m);

/* A whole file in memory, to be freed, unpacked when it is gz. NULL and the sentence. */
char *margin_file_load(const char *path, size_t *length, struct quant_error *error);
int margin_parameters_read(struct parameters *p, const char *path, struct quant_error *error);

/* An option's YYYY-MM-DD. -1 and the sentence when it is anything else. */
int margin_day(const char *option, const char *text, int32_t *day, struct quant_error *error);
int32_t margin_today(void); /* in UTC */

/* Prints "dojima: SENTENCE" to standard error; returns 1. */
int margin_say(const struct quant_error *error);

/* ---- margin_accounts.c ---- */
struct margin_account {
    const char *name; /* the portfolio's */
    struct requirement requirement;
};
struct margin_accounts {
    struct margin_account *items; /* in the portfolio's order */
    uint32_t count;
};
/* Of all accounts, or of the one with this name. On -1 free it all the same. */
int margin_accounts_compute(struct margin_accounts *a, const struct portfolio *p,
                            const struct risk *r, const char *only, struct quant_error *error);
void margin_accounts_free(struct margin_accounts *a);

/* ---- margin_text.c ---- */

/* Prints the object and a newline. 0, or 1 with the sentence said: it is too long. */
int margin_json_print(const struct json_writer *w);

/* USD with two places, rounded up, thousands apart by commas. */
enum { MARGIN_USD_SIZE = 40 };
const char *margin_usd(char text[MARGIN_USD_SIZE], int64_t micro);

/* What was worst, in words: "2020-03-05 to 2020-03-09, mirrored" or a scenario's name. */
enum { MARGIN_DRIVER_SIZE = 128 };
const char *margin_driver(char text[MARGIN_DRIVER_SIZE], const struct risk *r,
                          const struct measure *m, bool stress);
const char *margin_binding(enum requirement_binding binding);

/* ---- margin_svg.c ---- */

/* A file with a white drawing and its title begun, and ended: 0, or 1 with the sentence said. NULL:
 * it cannot be written. */
FILE *margin_svg_open(const char *path, int width, int height, int font, int left,
                      const char *title);
int margin_svg_close(FILE *f, const char *path);
/* At most this many characters of a text, as XML. */
void margin_svg_text(FILE *f, const char *text, int most);

/* The chart of each account's parts as SVG. 0, or 1 with the sentence said. */
int margin_svg(const char *path, const struct margin_accounts *a);

/* ---- the default fund (CLEAR-11) ---- */
struct margin_fund {
    struct fund *size;
    char (*members)[QUANT_NAME_SIZE];
    uint32_t member_count;
    int64_t *member_worst; /* each member's shortfall in its own worst scenario, micro-USD */
};
/* Cover 2 of the portfolio's members against the margin of all its accounts; what credits stand for
 * is no money in a default. -1: nothing is held. */
int margin_fund_cover(struct margin_fund *f, const struct portfolio *p, const struct risk *r,
                      const struct margin_accounts *margins, struct quant_error *error);
void margin_fund_free(struct margin_fund *f);
void margin_fund_print(const struct margin_fund *f, const struct risk *r);

int cli_margin_backtest(int argc, char **argv);
int cli_margin_run(int argc, char **argv);

#endif
