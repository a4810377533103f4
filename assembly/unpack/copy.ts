// Copies of literals and matches. Both may write up to SLACK bytes behind their end, which what follows overwrites.

/** Copies `length` bytes that do not overlap. */
// @ts-ignore: decorator
@inline export function copyLiterals(to: usize, from: usize, length: usize): void {
  const end = to + length;
  do {
    v128.store(to, v128.load(from));
    to += 16;
    from += 16;
  } while (to < end);
}

/** Repeats what lies `distance` bytes before `to`; the match may overlap what it produces. */
// @ts-ignore: decorator
@inline export function copyMatch(to: usize, distance: usize, length: usize): void {
  const end = to + length;
  let from = to - distance;
  if (distance >= 16) {
    do {
      v128.store(to, v128.load(from));
      to += 16;
      from += 16;
    } while (to < end);
  } else if (distance >= 8) {
    do {
      store<u64>(to, load<u64>(from));
      to += 8;
      from += 8;
    } while (to < end);
  } else if (distance == 1) memory.fill(to, load<u8>(from), length);
  else {
    do {
      store<u8>(to++, load<u8>(from++));
    } while (to < end);
  }
}
