// How jemalloc, which the program is linked with, is set up: it reads this symbol before main().
// Few arenas, as few threads allocate at a time; pages that are free go back to the system, also while nothing
// allocates.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "narenas:4,background_thread:true,dirty_decay_ms:3000,muzzy_decay_ms:0";
}
