// Page tables of long mode, over the identity map that payloads start with.
#pragma once
#include "payload.h"

#define PTE_P 1ul
#define PTE_W 2ul
#define PTE_U 4ul
#define PTE_PWT 8ul
#define PTE_PCD 0x10ul
#define PTE_A 0x20ul
#define PTE_D 0x40ul
#define PTE_PS 0x80ul
#define PTE_G 0x100ul
#define PTE_NX 0x8000000000000000ul
#define PTE_KEY(n) ((u64)(n) << 59)
#define PAGE 0x1000ul
#define PAGE_MASK 0x000ffffffffff000ul
/** What tables point to tables with, where nothing else is wanted. */
#define TABLE (PTE_P | PTE_W | PTE_U)

// Page-fault error code.
#define PF_P 1
#define PF_W 2
#define PF_U 4
#define PF_RSVD 8
#define PF_FETCH 0x10
#define PF_KEY 0x20

/** Nothing is mapped from here on (the second half of the lower canonical half). */
#define FREE_ADDRESS 0x400000000000ul

/** A zeroed page, never freed. */
void *new_page(void);
/** The entry that maps `address` at a level: 0 for 4 KiB pages, 1 for 2 MiB, 2 for 1 GiB, 3 for the PML4. Makes tables above. */
u64 *entry_at(word address, int level);
/** Maps one page at a level and forgets what the TLB had for it. */
u64 *map_at(word address, int level, u64 entry);
/** Maps a fresh 4 KiB page; returns its memory through the identity map. */
u8 *map_page(word address, u64 flags);
/** Gives the payload's own memory to supervisors only (`user` 0) or to all (PTE_U): SMEP and SMAP are about users' pages. */
void own_memory(u64 user);
