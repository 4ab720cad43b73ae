/* assets_none.c: the table of a program that was built without node: no page is served. */
#include "gate/web_asset.h"

const struct web_asset web_assets[1] = {{NULL, NULL, NULL, NULL, 0}};
const size_t web_assets_count = 0;
