#include "paging.h"
#ifdef __x86_64__

#define POOL_PAGES 192
static u8 pool[POOL_PAGES][PAGE] __attribute__((aligned(4096)));
static unsigned used;
extern u64 boot_map[512];

void *new_page(void) {
  if (used == POOL_PAGES) {
    print("# no page is left\n");
    finish();
  }
  memset(pool[used], 0, PAGE);
  return pool[used++];
}

u64 *entry_at(word address, int level) {
  u64 *table = boot_map;
  for (int at = 3; at > level; at--) {
    u64 *entry = &table[(address >> (12 + 9 * at)) & 511];
    if (!(*entry & PTE_P)) *entry = (u64)new_page() | TABLE;
    table = (u64 *)(*entry & PAGE_MASK);
  }
  return &table[(address >> (12 + 9 * level)) & 511];
}

u64 *map_at(word address, int level, u64 entry) {
  u64 *at = entry_at(address, level);
  *at = entry;
  flush_page((void *)address);
  return at;
}

u8 *map_page(word address, u64 flags) {
  u8 *page = new_page();
  map_at(address, 0, (u64)page | flags);
  return page;
}

void own_memory(u64 user) {
  for (word at = 0; at < 0x800000; at += 0x200000) {
    u64 *entry = entry_at(at, 1);
    *entry = (*entry & ~PTE_U) | user;
  }
  flush_tlb();
}
#endif
