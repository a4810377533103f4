// Page tables of 32-bit mode, with entries of 4 bytes or, with PAE, of 8: the whole space mapped to itself.
#pragma once
#include "payload.h"

#define PTE_P 1u
#define PTE_W 2u
#define PTE_U 4u
#define PTE_A 0x20u
#define PTE_D 0x40u
#define PTE_PS 0x80u
#define PTE_G 0x100u
#define PTE_NX 0x8000000000000000ull
#define PAGE 0x1000u
#define PF_P 1
#define PF_W 2
#define PF_U 4
#define PF_RSVD 8
#define PF_FETCH 0x10
