/* schema.h: the tables of the history, in one place. Read by people too: the file is plain SQLite.
 *
 * Units as in msg/: prices in 10^-6 USD (NULL: none), amounts in lots, money in 10^-6 of its asset,
 * times in ns since 1970 UTC, `day` in days since 1970-01-01 UTC; enums by their number in
 * msg/command.h and msg/event.h. seq is the engine's sequence number, idx the event's place within
 * its command. Ids are the engine's.
 *
 *   projector            where the projection stands: one row
 *   assets, members, accounts, products, instruments   the directory
 *   orders               latest state of every order ever entered; a mass quote's from its first
 *                        fill on
 *   order_texts          label and client order id, of those that have any
 *   order_history        one row per event of an order
 *   trades               price, quantity, both sides, fees
 *   settlements          settlement prices in order of publication
 *   postings             the ledger, line by line
 *   statement_cash       per account, day and money asset: movements by kind, balance at the end
 *   statement_positions  per account, day and instrument: bought, sold, settled, position at the
 *                        end
 *   statement_margin     per account and mark-to-market: what it had and had to have then (money in
 *                        10^-6 USD); of a day the last counts
 *   calls                every change of a margin call
 *   slices               every slice of a liquidation
 *   busts                trades that were undone or adjusted
 *   token_classes        vintage, grade and region of tokens; a token's asset is named after them
 *   certificates         the latest of every certificate: status, faults (bits), what it certifies
 *   notices              every notice day of a delivery: lots delivered, lots ended in money, seed
 *   allocations          the latest of every allocation; price_resold: of one that was resold, what
 *                        its buyer pays of a CT's price
 *   delivery_hours       the latest of every hour of one: work, evidence, what was paid
 *   delivery_cash        what ended in money, why and by whose fault
 *   spot_auctions        the latest of every auction of hours: kind (enum spot_kind), state, times,
 *                        bids that stood, surplus and its bounds (price x lots, 128 bits in
 *                        two columns)
 *   spot_hours           an auction's hours: price and the range that clears the same, lots (of
 *                        delivery's nano-CT), what was wanted or offered
 *   spot_bids            the latest of every bid: lots of a step, or of a block all hours together,
 *                        with a JSON array by hour in `amounts`
 *   indices              names of the reference prices
 *   index_prices         an hour's reference price, its tier, how many inputs it was made of
 *   candles              per instrument, resolution (60, 3600, 86400 s) and start: prints of the
 *                        book (continuous and auction; legs of spread trades and blocks are not)
 *   states               every change of a product's trading state, with its reason
 *   auctions             final results of auctions
 *
 * A file of another version is not migrated: it is made again from the journal.
 */
#ifndef DOJIMA_STORE_SCHEMA_H
#define DOJIMA_STORE_SCHEMA_H

enum { STORE_SCHEMA_VERSION = 7 };

#define STORE_SCHEMA_DIRECTORY                                                                     \
    "CREATE TABLE projector(id INTEGER PRIMARY KEY CHECK(id=1), seq INTEGER NOT NULL,"             \
    " idx INTEGER NOT NULL, ts INTEGER NOT NULL);"                                                 \
    "INSERT INTO projector VALUES(1,0,0,0);"                                                       \
    "CREATE TABLE assets(id INTEGER PRIMARY KEY, name TEXT NOT NULL);"                             \
    "CREATE TABLE members(id INTEGER PRIMARY KEY, name TEXT NOT NULL, killed INTEGER NOT NULL);"   \
    "CREATE TABLE accounts(id INTEGER PRIMARY KEY, name TEXT NOT NULL, member INTEGER NOT NULL,"   \
    " mode INTEGER NOT NULL, origin INTEGER NOT NULL, killed INTEGER NOT NULL,"                    \
    " system INTEGER NOT NULL);"                                                                   \
    "CREATE TABLE products(id INTEGER PRIMARY KEY, name TEXT NOT NULL, state INTEGER NOT NULL,"    \
    " settlement INTEGER NOT NULL, algorithm INTEGER NOT NULL, tick INTEGER NOT NULL,"             \
    " contract_size INTEGER NOT NULL);"                                                            \
    "CREATE TABLE instruments(id INTEGER PRIMARY KEY, name TEXT NOT NULL,"                         \
    " product INTEGER NOT NULL, period INTEGER NOT NULL, block INTEGER NOT NULL,"                  \
    " is_spread INTEGER NOT NULL, expired INTEGER NOT NULL, hours INTEGER NOT NULL,"               \
    " leg_a INTEGER NOT NULL, leg_b INTEGER NOT NULL, start INTEGER NOT NULL,"                     \
    " end INTEGER NOT NULL, expires_at INTEGER NOT NULL, created INTEGER NOT NULL,"                \
    " tick INTEGER NOT NULL, contract_size INTEGER NOT NULL);"

#define STORE_SCHEMA_ORDERS                                                                        \
    "CREATE TABLE orders(order_id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, ts INTEGER NOT NULL," \
    " account INTEGER NOT NULL, instrument INTEGER NOT NULL, side INTEGER NOT NULL,"               \
    " type INTEGER NOT NULL, tif INTEGER NOT NULL, state INTEGER NOT NULL, cause INTEGER NOT NULL,"\
    " flags INTEGER NOT NULL, smp_mode INTEGER NOT NULL, peg INTEGER NOT NULL,"                    \
    " link_type INTEGER NOT NULL, session INTEGER NOT NULL, price INTEGER, qty INTEGER NOT NULL,"  \
    " filled INTEGER NOT NULL, left INTEGER NOT NULL, shown INTEGER NOT NULL,"                     \
    " max_show INTEGER NOT NULL, trigger INTEGER, offset INTEGER, min_qty INTEGER NOT NULL,"       \
    " smp_id INTEGER NOT NULL, linked_id INTEGER NOT NULL, notional_high INTEGER NOT NULL,"        \
    " notional_low INTEGER NOT NULL, created INTEGER NOT NULL, modified INTEGER NOT NULL,"         \
    " expires_at INTEGER NOT NULL);"                                                               \
    "CREATE INDEX orders_closed ON orders(account, seq) WHERE state IN (2,3);"                     \
    "CREATE TABLE order_texts(order_id INTEGER PRIMARY KEY, client_order_id TEXT NOT NULL,"        \
    " label TEXT NOT NULL);"                                                                       \
    "CREATE TABLE order_history(order_id INTEGER NOT NULL, seq INTEGER NOT NULL,"                  \
    " idx INTEGER NOT NULL, ts INTEGER NOT NULL, state INTEGER NOT NULL, cause INTEGER NOT NULL,"  \
    " price INTEGER, qty INTEGER NOT NULL, filled INTEGER NOT NULL, left INTEGER NOT NULL);"       \
    "CREATE INDEX order_history_order ON order_history(order_id);"                                 \
    "CREATE TABLE trades(trade_id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, ts INTEGER NOT NULL," \
    " instrument INTEGER NOT NULL, instrument_seq INTEGER NOT NULL, kind INTEGER NOT NULL,"        \
    " aggressor_side INTEGER NOT NULL, price INTEGER NOT NULL, qty INTEGER NOT NULL, mark INTEGER,"\
    " buy_order INTEGER NOT NULL, sell_order INTEGER NOT NULL, buy_account INTEGER NOT NULL,"      \
    " sell_account INTEGER NOT NULL, buy_maker INTEGER NOT NULL, sell_maker INTEGER NOT NULL,"     \
    " buy_fee INTEGER NOT NULL, sell_fee INTEGER NOT NULL, reference INTEGER NOT NULL,"            \
    " busted INTEGER NOT NULL);"                                                                   \
    "CREATE INDEX trades_instrument ON trades(instrument);"                                        \
    "CREATE INDEX trades_buyer ON trades(buy_account);"                                            \
    "CREATE INDEX trades_seller ON trades(sell_account);"

#define STORE_SCHEMA_MONEY                                                                         \
    "CREATE TABLE settlements(id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, ts INTEGER NOT NULL,"  \
    " instrument INTEGER NOT NULL, final INTEGER NOT NULL, price INTEGER NOT NULL);"               \
    "CREATE INDEX settlements_instrument ON settlements(instrument);"                              \
    "CREATE TABLE postings(posting_id INTEGER PRIMARY KEY, seq INTEGER NOT NULL,"                  \
    " ts INTEGER NOT NULL, chain_id INTEGER NOT NULL, account INTEGER NOT NULL,"                   \
    " asset INTEGER NOT NULL, code INTEGER NOT NULL, phase INTEGER NOT NULL,"                      \
    " instrument INTEGER NOT NULL, amount INTEGER NOT NULL, balance INTEGER NOT NULL,"             \
    " reference INTEGER NOT NULL);"                                                                \
    "CREATE INDEX postings_account ON postings(account);"                                          \
    "CREATE TABLE statement_cash(account INTEGER NOT NULL, day INTEGER NOT NULL,"                  \
    " asset INTEGER NOT NULL, postings INTEGER NOT NULL, deposits INTEGER NOT NULL,"               \
    " withdrawals INTEGER NOT NULL, transfers INTEGER NOT NULL, variation INTEGER NOT NULL,"       \
    " fees INTEGER NOT NULL, other INTEGER NOT NULL, closing INTEGER NOT NULL,"                    \
    " PRIMARY KEY(account, asset, day)) WITHOUT ROWID;"                                            \
    "CREATE TABLE statement_positions(account INTEGER NOT NULL, day INTEGER NOT NULL,"             \
    " instrument INTEGER NOT NULL, trades INTEGER NOT NULL, bought INTEGER NOT NULL,"              \
    " sold INTEGER NOT NULL, settled INTEGER NOT NULL, closing INTEGER NOT NULL,"                  \
    " PRIMARY KEY(account, instrument, day)) WITHOUT ROWID;"                                       \
    "CREATE TABLE statement_margin(account INTEGER NOT NULL, day INTEGER NOT NULL,"                \
    " mark INTEGER NOT NULL, seq INTEGER NOT NULL, ts INTEGER NOT NULL, mode INTEGER NOT NULL,"    \
    " status INTEGER NOT NULL, cash INTEGER NOT NULL, pending INTEGER NOT NULL,"                   \
    " unsettled INTEGER NOT NULL, equity INTEGER NOT NULL, credit INTEGER NOT NULL,"               \
    " initial INTEGER NOT NULL, maintenance INTEGER NOT NULL, missing INTEGER NOT NULL,"           \
    " call INTEGER NOT NULL, call_state INTEGER NOT NULL, called INTEGER NOT NULL,"                \
    " deadline INTEGER NOT NULL, PRIMARY KEY(account, day, mark)) WITHOUT ROWID;"                  \
    "CREATE TABLE calls(seq INTEGER NOT NULL, idx INTEGER NOT NULL, ts INTEGER NOT NULL,"          \
    " call INTEGER NOT NULL, account INTEGER NOT NULL, state INTEGER NOT NULL,"                    \
    " called INTEGER NOT NULL, missing INTEGER NOT NULL, equity INTEGER NOT NULL,"                 \
    " credit INTEGER NOT NULL, initial INTEGER NOT NULL, maintenance INTEGER NOT NULL,"            \
    " issued INTEGER NOT NULL, deadline INTEGER NOT NULL, slices INTEGER NOT NULL,"                \
    " PRIMARY KEY(seq, idx)) WITHOUT ROWID;"                                                       \
    "CREATE TABLE slices(seq INTEGER NOT NULL, idx INTEGER NOT NULL, ts INTEGER NOT NULL,"         \
    " call INTEGER NOT NULL, number INTEGER NOT NULL, account INTEGER NOT NULL,"                   \
    " instrument INTEGER NOT NULL, side INTEGER NOT NULL, result INTEGER NOT NULL,"                \
    " reason INTEGER NOT NULL, before INTEGER NOT NULL, asked INTEGER NOT NULL,"                   \
    " filled INTEGER NOT NULL, price INTEGER, PRIMARY KEY(seq, idx)) WITHOUT ROWID;"               \
    "CREATE TABLE busts(seq INTEGER NOT NULL, idx INTEGER NOT NULL, ts INTEGER NOT NULL,"          \
    " trade_id INTEGER NOT NULL, instrument INTEGER NOT NULL, adjusted INTEGER NOT NULL,"          \
    " price INTEGER NOT NULL, qty INTEGER NOT NULL, adjusted_price INTEGER,"                       \
    " reason TEXT NOT NULL, PRIMARY KEY(seq, idx)) WITHOUT ROWID;"                                 \
    "CREATE TABLE candles(instrument INTEGER NOT NULL, resolution INTEGER NOT NULL,"               \
    " start INTEGER NOT NULL, open INTEGER NOT NULL, high INTEGER NOT NULL, low INTEGER NOT NULL," \
    " close INTEGER NOT NULL, volume INTEGER NOT NULL, trades INTEGER NOT NULL,"                   \
    " PRIMARY KEY(instrument, resolution, start)) WITHOUT ROWID;"                                  \
    "CREATE TABLE states(seq INTEGER NOT NULL, ts INTEGER NOT NULL, product INTEGER NOT NULL,"     \
    " state INTEGER NOT NULL, before INTEGER NOT NULL, reason TEXT NOT NULL);"                     \
    "CREATE TABLE auctions(seq INTEGER NOT NULL, ts INTEGER NOT NULL, instrument INTEGER NOT NULL,"\
    " price INTEGER, qty INTEGER NOT NULL, surplus INTEGER NOT NULL);"

#define STORE_SCHEMA_COMPUTE                                                                       \
    "CREATE TABLE token_classes(id INTEGER PRIMARY KEY, vintage INTEGER NOT NULL,"                 \
    " grade TEXT NOT NULL, region TEXT NOT NULL);"                                                 \
    "CREATE TABLE certificates(id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, ts INTEGER NOT NULL," \
    " account INTEGER NOT NULL, status INTEGER NOT NULL, faults INTEGER NOT NULL,"                 \
    " vintage INTEGER NOT NULL, work INTEGER NOT NULL, submitted INTEGER NOT NULL,"                \
    " effective INTEGER NOT NULL, expires INTEGER NOT NULL, ended INTEGER NOT NULL,"               \
    " appeals INTEGER NOT NULL, reversed_by INTEGER NOT NULL, resource TEXT NOT NULL,"             \
    " grade TEXT NOT NULL, region TEXT NOT NULL, reason TEXT NOT NULL);"

#define STORE_SCHEMA_DELIVERY                                                                      \
    "CREATE TABLE notices(seq INTEGER NOT NULL, ts INTEGER NOT NULL, instrument INTEGER NOT NULL," \
    " allocations INTEGER NOT NULL, price INTEGER, open INTEGER NOT NULL,"                         \
    " allotted INTEGER NOT NULL, cash INTEGER NOT NULL, state_seq INTEGER NOT NULL,"               \
    " seed BLOB NOT NULL);"                                                                        \
    "CREATE TABLE allocations(id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, ts INTEGER NOT NULL,"  \
    " replaces INTEGER NOT NULL, instrument INTEGER NOT NULL, state INTEGER NOT NULL,"             \
    " buyer INTEGER NOT NULL, seller INTEGER NOT NULL, resource INTEGER NOT NULL,"                 \
    " grade INTEGER NOT NULL, flags INTEGER NOT NULL, reason INTEGER NOT NULL,"                    \
    " lots INTEGER NOT NULL, work_due INTEGER NOT NULL, work_done INTEGER NOT NULL,"               \
    " work_made_up INTEGER NOT NULL, work_bought INTEGER NOT NULL, work_resold INTEGER NOT NULL,"  \
    " price INTEGER NOT NULL, price_resold INTEGER NOT NULL, factor INTEGER NOT NULL,"             \
    " first_hour INTEGER NOT NULL, ends INTEGER NOT NULL, paid INTEGER NOT NULL,"                  \
    " damages INTEGER NOT NULL);"                                                                  \
    "CREATE INDEX allocations_instrument ON allocations(instrument);"                              \
    "CREATE TABLE delivery_hours(allocation INTEGER NOT NULL, hour INTEGER NOT NULL,"              \
    " seq INTEGER NOT NULL, ts INTEGER NOT NULL, instrument INTEGER NOT NULL,"                     \
    " state INTEGER NOT NULL, flags INTEGER NOT NULL, outcome INTEGER NOT NULL,"                   \
    " work_due INTEGER NOT NULL, work_claimed INTEGER NOT NULL, work INTEGER NOT NULL,"            \
    " tasks INTEGER NOT NULL, sampled INTEGER NOT NULL, failed INTEGER NOT NULL,"                  \
    " bound INTEGER NOT NULL, reference INTEGER, paid INTEGER NOT NULL, root BLOB NOT NULL,"       \
    " seed BLOB NOT NULL, verifier BLOB NOT NULL, PRIMARY KEY(allocation, hour)) WITHOUT ROWID;"   \
    "CREATE TABLE delivery_cash(seq INTEGER NOT NULL, ts INTEGER NOT NULL,"                        \
    " allocation INTEGER NOT NULL, instrument INTEGER NOT NULL, reason INTEGER NOT NULL,"          \
    " buyer INTEGER NOT NULL, seller INTEGER NOT NULL, at_fault INTEGER NOT NULL,"                 \
    " lots INTEGER NOT NULL, work INTEGER NOT NULL, price INTEGER NOT NULL, reference INTEGER,"    \
    " difference INTEGER NOT NULL, damages INTEGER NOT NULL);"

#define STORE_SCHEMA_SPOT                                                                          \
    "CREATE TABLE spot_auctions(id INTEGER PRIMARY KEY, seq INTEGER NOT NULL,"                     \
    " ts INTEGER NOT NULL, kind INTEGER NOT NULL, product INTEGER NOT NULL,"                       \
    " state INTEGER NOT NULL, version INTEGER NOT NULL, reference INTEGER NOT NULL,"               \
    " hours INTEGER NOT NULL, start INTEGER NOT NULL, opened INTEGER NOT NULL,"                    \
    " closes INTEGER NOT NULL, deadline INTEGER NOT NULL, done INTEGER NOT NULL,"                  \
    " price_min INTEGER NOT NULL, price_max INTEGER NOT NULL, steps INTEGER NOT NULL,"             \
    " blocks INTEGER NOT NULL, optimal INTEGER NOT NULL, nodes INTEGER NOT NULL,"                  \
    " accepted INTEGER NOT NULL, paradoxical INTEGER NOT NULL, surplus_high INTEGER NOT NULL,"     \
    " surplus_low INTEGER NOT NULL, bound_high INTEGER NOT NULL, bound_low INTEGER NOT NULL,"      \
    " claimed_high INTEGER NOT NULL, claimed_low INTEGER NOT NULL, vintage INTEGER NOT NULL,"      \
    " class TEXT NOT NULL);"                                                                       \
    "CREATE INDEX spot_auctions_product ON spot_auctions(product);"                                \
    "CREATE TABLE spot_hours(auction INTEGER NOT NULL, hour INTEGER NOT NULL,"                     \
    " instrument INTEGER NOT NULL, start INTEGER NOT NULL, price INTEGER, price_low INTEGER,"      \
    " price_high INTEGER, qty INTEGER NOT NULL, wanted INTEGER NOT NULL,"                          \
    " PRIMARY KEY(auction, hour)) WITHOUT ROWID;"                                                  \
    "CREATE TABLE spot_bids(id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, ts INTEGER NOT NULL,"    \
    " auction INTEGER NOT NULL, account INTEGER NOT NULL, kind INTEGER NOT NULL,"                  \
    " side INTEGER NOT NULL, state INTEGER NOT NULL, parent INTEGER NOT NULL,"                     \
    " hour INTEGER NOT NULL, created INTEGER NOT NULL, price INTEGER NOT NULL,"                    \
    " qty INTEGER NOT NULL, filled INTEGER NOT NULL, amounts TEXT);"                               \
    "CREATE INDEX spot_bids_account ON spot_bids(account);"                                        \
    "CREATE INDEX spot_bids_auction ON spot_bids(auction);"                                        \
    "CREATE TABLE indices(id INTEGER PRIMARY KEY, name TEXT NOT NULL);"                            \
    "CREATE TABLE index_prices(index_id INTEGER NOT NULL, hour INTEGER NOT NULL,"                  \
    " seq INTEGER NOT NULL, ts INTEGER NOT NULL, price INTEGER, tier INTEGER NOT NULL,"            \
    " median INTEGER, inputs INTEGER NOT NULL, counted INTEGER NOT NULL,"                          \
    " trimmed INTEGER NOT NULL, PRIMARY KEY(index_id, hour)) WITHOUT ROWID;"

#endif
