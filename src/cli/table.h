/* table.h: aligned columns for people. Numbers stand at the right, decimals of a column have
 * equally many places; colour only where the caller says so.
 *
 * Upstream: cli. Downstream: standard output.
 */
#ifndef DOJIMA_CLI_TABLE_H
#define DOJIMA_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { TABLE_COLUMNS_MAX = 12, TABLE_CELL_SIZE = 80 };

enum table_align {
    TABLE_TEXT = 0, /* left */
    TABLE_NUMBER,   /* right */
    TABLE_DECIMAL,  /* right, with as many places as the longest of the column */
};

enum table_colour { TABLE_PLAIN = 0, TABLE_GREEN, TABLE_RED, TABLE_DIM, TABLE_BOLD };

struct table_column {
    const char *title; /* NULL ends the list */
    enum table_align align;
};

struct table;

/* Columns end with a title of NULL and must outlive the table. NULL: no memory. */
struct table *table_new(const struct table_column *columns, bool colour);
/* Appends a cell to the row; after the last column a new row begins. Longer text is cut. */
void table_add(struct table *t, enum table_colour colour, const char *text);
size_t table_rows(const struct table *t);
void table_print(const struct table *t, FILE *out, bool titles);
void table_free(struct table *t); /* NULL is allowed */

#endif
