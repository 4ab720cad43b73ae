/* import_pairs.c: see import_pairs.h. */
#include "cli/import_pairs.h"

#include <string.h>

static bool name_make(char *name, const char *base, const char *quote)
{
    size_t length = 0;
    const char *parts[2] = {base, quote};
    for (int i = 0; i < 2; i++) {
        for (const char *c = parts[i]; *c != 0; c++) {
            if (*c == '/') continue;
            bool small = *c >= 'a' && *c <= 'z', large = *c >= 'A' && *c <= 'Z';
            if (!small && !large && !(*c >= '0' && *c <= '9')) return false;
            if (length == IMPORT_PAIR_NAME_SIZE - 1) return false;
            name[length++] = small ? (char)(*c - 'a' + 'A') : *c;
        }
    }
    name[length] = 0;
    return length > 0;
}

struct import_pair *import_pair_find(struct import_pairs *p, const char *base, const char *quote,
                                     bool make)
{
    char name[IMPORT_PAIR_NAME_SIZE];
    if (!name_make(name, base, quote)) return NULL;
    for (int i = 0; i < p->count; i++) {
        if (strcmp(p->pairs[i].name, name) == 0) return &p->pairs[i];
    }
    if (!make || p->count == IMPORT_PAIRS_MAX) return NULL;
    struct import_pair *pair = &p->pairs[p->count++];
    *pair = (struct import_pair){0};
    (void)snprintf(pair->name, sizeof pair->name, "%s", name);
    return pair;
}

static int int_max(int a, int b) { return a > b ? a : b; }

bool import_pair_measure(struct import_pair *pair, const char *price, const char *volume)
{
    int used_price = 0, used_volume = 0;
    int width_price = import_decimals(price, &used_price);
    int width_volume = import_decimals(volume, &used_volume);
    if (width_price < 0 || width_volume < 0) return false;
    pair->price_width = int_max(pair->price_width, width_price);
    pair->volume_width = int_max(pair->volume_width, width_volume);
    pair->price_scale = int_max(pair->price_scale, used_price);
    pair->volume_scale = int_max(pair->volume_scale, used_volume);
    return pair->price_width <= 18 && pair->volume_width <= 18;
}

int import_pairs_list(struct import_pairs *p, struct import_venue *v, enum trading_state state)
{
    for (int i = 0; i < p->count; i++) {
        p->pairs[i].instrument = import_venue_list(v, p->pairs[i].name, 1, 0, state);
        if (p->pairs[i].instrument == 0) return -1;
    }
    return 0;
}
