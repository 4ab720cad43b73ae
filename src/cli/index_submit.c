/* index_submit.c: a value of a series sent to a node as a source of an index (INDEX-02, INDEX-04).
 *
 * The price goes as decimal text to 10^-6. Whether it is too old to count the venue decides.
 */
#include "cli/index_series.h"

#include <stdio.h>

int index_series_submit(struct client *client, const char *index, double value,
                        int64_t observed_ms)
{
    char text[40];
    (void)snprintf(text, sizeof text, "%.6f", value);
    client_begin(client);
    json_key_string(&client->params, "index_name", index);
    json_key_int(&client->params, "observed_at", observed_ms);
    if (!client_number(client, "value", text)) return 1;
    int status = client_call(client, "private/index_submit");
    if (status == 0) (void)fprintf(stderr, "submitted to %s: %s\n", index, text);
    return status;
}
