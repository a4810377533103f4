// What an access class may do with a page (SDM volume 3, 4.6).
import { CR0_WP, CR4_PKE, CR4_PKS, CR4_SMEP, EFER_LMA, cpu } from "../cpu";
import { CPU_CR0, CPU_CR4, CPU_EFER, CPU_PKRS, CPU_PKRU } from "../layout";
import { CLASS_KERNEL_SMAP, CLASS_USER } from "./state";
import { PTE_NX, PTE_USER, PTE_WRITE, walkLeaf, walkRights } from "./walk";

export const MAY_READ: i32 = 1;
export const MAY_WRITE: i32 = 2;
export const MAY_FETCH: i32 = 4;

/** MAY_* of class `cls` for the page just walked (SDM volume 3, 4.6.1). */
// @ts-ignore: decorator
@inline export function rightsOf(cls: i32): i32 {
  const userPage = (walkRights & PTE_USER) != 0;
  let may = 0;
  if (cls == CLASS_USER) {
    if (!userPage) return 0;
    may = walkRights & PTE_WRITE ? MAY_READ | MAY_WRITE | MAY_FETCH : MAY_READ | MAY_FETCH;
  } else {
    if (!userPage || cls != CLASS_KERNEL_SMAP) {
      may = MAY_READ | MAY_FETCH;
      if ((walkRights & PTE_WRITE) != 0 || (load<u64>(cpu, CPU_CR0) & CR0_WP) == 0) may |= MAY_WRITE;
    } else may = MAY_FETCH;
    if (userPage && (load<u64>(cpu, CPU_CR4) & CR4_SMEP) != 0) may &= ~MAY_FETCH;
  }
  if (walkRights & PTE_NX) may &= ~MAY_FETCH;
  if (load<u64>(cpu, CPU_CR4) & (CR4_PKE | CR4_PKS)) may &= ~deniedByKey(cls);
  return may;
}

/**
 * MAY_READ and MAY_WRITE as far as the protection key of the page just walked takes them away: by PKRU for a user's page,
 * by IA32_PKRS for a supervisor's (SDM volume 3, 4.6.2).
 */
export function deniedByKey(cls: i32): i32 {
  const userPage = (walkRights & PTE_USER) != 0;
  const enabled = load<u64>(cpu, CPU_CR4) & (userPage ? CR4_PKE : CR4_PKS);
  // What level 3 may do with a supervisor's page is not a question of keys.
  if (!enabled || (!userPage && cls == CLASS_USER) || !(load<u64>(cpu, CPU_EFER) & EFER_LMA)) return 0;
  const key = <u32>(walkLeaf >> 59) & 15;
  const rights = (userPage ? load<u32>(cpu, CPU_PKRU) : load<u32>(cpu, CPU_PKRS)) >> (key << 1);
  if (rights & 1) return MAY_READ | MAY_WRITE;
  const applies = cls == CLASS_USER || (load<u64>(cpu, CPU_CR0) & CR0_WP) != 0;
  return (rights & 2) != 0 && applies ? MAY_WRITE : 0;
}
