// SHA extensions. FIPS 180-4; SDM volume 2, SHA1RNDS4 to SHA256RNDS2. Word 3 of an operand is its top dword.

// @ts-ignore: decorator
@inline function word(x: v128, i: u8): u32 {
  if (i == 3) return i32x4.extract_lane(x, 3);
  if (i == 2) return i32x4.extract_lane(x, 2);
  return i == 1 ? i32x4.extract_lane(x, 1) : i32x4.extract_lane(x, 0);
}

// @ts-ignore: decorator
@inline function words(w3: u32, w2: u32, w1: u32, w0: u32): v128 {
  return i32x4.replace_lane(i32x4.replace_lane(i32x4.replace_lane(i32x4.splat(w0), 1, w1), 2, w2), 3, w3);
}

/** SHA1NEXTE. */
export function sha1Next(x: v128, y: v128): v128 {
  return i32x4.replace_lane(y, 3, word(y, 3) + rotl<u32>(word(x, 3), 30));
}

/** SHA1MSG1. */
export function sha1Message1(x: v128, y: v128): v128 {
  return v128.xor(x, i64x2.shuffle(y, x, 1, 2));
}

/** SHA1MSG2. */
export function sha1Message2(x: v128, y: v128): v128 {
  const w16 = rotl<u32>(word(x, 3) ^ word(y, 2), 1);
  const w17 = rotl<u32>(word(x, 2) ^ word(y, 1), 1);
  const w18 = rotl<u32>(word(x, 1) ^ word(y, 0), 1);
  return words(w16, w17, w18, rotl<u32>(word(x, 0) ^ w16, 1));
}

/** SHA1RNDS4: four rounds with the function and constant that bits 0-1 of `which` name. */
export function sha1Rounds(x: v128, y: v128, which: u32): v128 {
  let a = word(x, 3);
  let b = word(x, 2);
  let c = word(x, 1);
  let d = word(x, 0);
  let e: u32 = 0;
  for (let i = 0; i < 4; i++) {
    const w = i == 0 ? word(y, 3) : i == 1 ? word(y, 2) : i == 2 ? word(y, 1) : word(y, 0);
    let f: u32;
    let k: u32;
    switch (which & 3) {
      case 0: f = (b & c) ^ (~b & d); k = 0x5a827999; break;
      case 1: f = b ^ c ^ d; k = 0x6ed9eba1; break;
      case 2: f = (b & c) ^ (b & d) ^ (c & d); k = 0x8f1bbcdc; break;
      default: f = b ^ c ^ d; k = 0xca62c1d6; break;
    }
    const next = f + rotl<u32>(a, 5) + w + e + k;
    e = d;
    d = c;
    c = rotl<u32>(b, 30);
    b = a;
    a = next;
  }
  return words(a, b, c, d);
}

/** SHA256MSG1. */
export function sha256Message1(x: v128, y: v128): v128 {
  const next = i32x4.shuffle(x, y, 1, 2, 3, 4);
  const by7 = v128.or(i32x4.shr_u(next, 7), i32x4.shl(next, 25));
  const by18 = v128.or(i32x4.shr_u(next, 18), i32x4.shl(next, 14));
  return i32x4.add(x, v128.xor(v128.xor(by7, by18), i32x4.shr_u(next, 3)));
}

// @ts-ignore: decorator
@inline function sigma1(x: u32): u32 { return rotr<u32>(x, 17) ^ rotr<u32>(x, 19) ^ (x >> 10); }

/** SHA256MSG2. */
export function sha256Message2(x: v128, y: v128): v128 {
  const w16 = word(x, 0) + sigma1(word(y, 2));
  const w17 = word(x, 1) + sigma1(word(y, 3));
  const w18 = word(x, 2) + sigma1(w16);
  return words(word(x, 3) + sigma1(w17), w18, w17, w16);
}

/** SHA256RNDS2: two rounds on CDGH in x and ABEF in y with the words of `wk`; the new ABEF. */
export function sha256Rounds(x: v128, y: v128, wk: v128): v128 {
  let a = word(y, 3);
  let b = word(y, 2);
  let c = word(x, 3);
  let d = word(x, 2);
  let e = word(y, 1);
  let f = word(y, 0);
  let g = word(x, 1);
  let h = word(x, 0);
  for (let i = 0; i < 2; i++) {
    const choose = (e & f) ^ (~e & g);
    const sum1 = rotr<u32>(e, 6) ^ rotr<u32>(e, 11) ^ rotr<u32>(e, 25);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const sum0 = rotr<u32>(a, 2) ^ rotr<u32>(a, 13) ^ rotr<u32>(a, 22);
    const one = choose + sum1 + (i ? word(wk, 1) : word(wk, 0)) + h;
    h = g;
    g = f;
    f = e;
    e = one + d;
    d = c;
    c = b;
    b = a;
    a = one + majority + sum0;
  }
  return words(a, b, e, f);
}
