/* index_series.h: what the files of `dojima index series` offer each other. Not for others. */
#ifndef DOJIMA_CLI_INDEX_SERIES_H
#define DOJIMA_CLI_INDEX_SERIES_H

#include "cli/client.h"
#include "cli/index.h"
#include "quant/series.h"

enum { INDEX_TYPES_MAX = 32 };

struct index_series_options {
    struct panel_options panel;
    struct { /* --gpus TYPE=N */
        char name[32];
        double gpus;
    } types[INDEX_TYPES_MAX];
    uint32_t type_count;
};

/* -1 with the sentence, and nothing to close. *more: the last page names a next one. */
int index_aws_read(struct panel *panel, const struct index_series_options *o, const char *file,
                   const char *text, size_t length, bool *more, struct quant_error *error);

/* CT an hour of a signed certificate (CERT-01); -1 with the sentence. */
int index_certificate_work(const char *path, double *ct, struct quant_error *error);

/* Sends a value as a source: 0, or 1 with the sentence said. */
int index_series_submit(struct client *client, const char *index, double value,
                        int64_t observed_ms);

/* The index and the naive median over time. 0, or 1 with the sentence said. */
int index_series_svg(const char *path, const char *title, const struct index_series_made *s);

#endif
