/* web_asset.h: the trading page as it is bundled into the program: a table that web/build.mjs
 * generates. Every asset is gzipped; page.c inflates it for a client that does not take gzip.
 *
 * Upstream: web/. Downstream: gate/http.
 */
#ifndef DOJIMA_GATE_WEB_ASSET_H
#define DOJIMA_GATE_WEB_ASSET_H

#include <stddef.h>

struct web_asset {
    const char *path;         /* as requested: "/", "/main.js", ... */
    const char *content_type;
    const char *etag;         /* strong, in its quotes */
    const unsigned char *bytes; /* gzip */
    size_t size;
};

extern const struct web_asset web_assets[];
extern const size_t web_assets_count; /* 0 in a program that was built without node */

#endif
