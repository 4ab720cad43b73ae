/* index_certificate.c: the throughput that a certificate certifies (CERT-01), for prices by the
 * CT. */
#include "cli/index_series.h"

#include "proof/certificate.h"

#include <stdlib.h>

int index_certificate_work(const char *path, double *ct, struct quant_error *error)
{
    struct certificate certificate;
    struct note_error why = {0};
    size_t length;
    char *text = index_load(path, &length, error);
    if (text == NULL) return -1;
    int status = certificate_parse(&certificate, text, length, &why);
    if (status == 0) status = certificate_verify(&certificate, &why);
    free(text);
    if (status != 0) return quant_fail(error, path, why.line, "%s", why.text);
    *ct = (double)certificate.work / 1e9;
    return 0;
}
