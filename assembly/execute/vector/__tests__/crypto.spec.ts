// Published examples: FIPS 197 (AES), FIPS 180-4 (SHA), and a carry-less product worked out by hand.
import { decrypt, decryptLast, encrypt, encryptLast, keyAssist, mixColumnsBack } from "../aes";
import { multiply } from "../carryless";
import { sha256Message1, sha256Message2, sha256Rounds } from "../sha";

const KEYS: usize = memory.data(256);

/** Sixteen bytes as two numbers written in the order of the bytes. */
function block(first: u64, second: u64): v128 {
  return i64x2.replace_lane(i64x2.splat(bswap<u64>(first)), 1, bswap<u64>(second));
}

function expectBlock(x: v128, first: u64, second: u64): void {
  expect(bswap<u64>(i64x2.extract_lane(x, 0))).toBe(first);
  expect(bswap<u64>(i64x2.extract_lane(x, 1))).toBe(second);
}

/** One step of the AES-128 key schedule. */
function nextKey(key: v128, assist: v128): v128 {
  const word = i32x4.splat(i32x4.extract_lane(assist, 3));
  let sum = key;
  for (let i = 0; i < 3; i++) {
    key = i8x16.shuffle(i32x4.splat(0), key, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27);
    sum = v128.xor(sum, key);
  }
  return v128.xor(sum, word);
}

function schedule(): void {
  let key = block(0x0001020304050607, 0x08090a0b0c0d0e0f);
  v128.store(KEYS, key);
  let constant: u32 = 1;
  for (let round: usize = 1; round <= 10; round++) {
    key = nextKey(key, keyAssist(key, constant));
    v128.store(KEYS + (round << 4), key);
    constant = constant == 0x80 ? 0x1b : constant << 1;
  }
}

describe("AES", () => {
  test("FIPS 197 C.1 encrypts", () => {
    schedule();
    expectBlock(v128.load(KEYS + 160), 0x13111d7fe3944a17, 0xf307a78b4d2b30c5);
    let x = v128.xor(block(0x0011223344556677, 0x8899aabbccddeeff), v128.load(KEYS));
    for (let round: usize = 1; round < 10; round++) x = encrypt(x, v128.load(KEYS + (round << 4)));
    expectBlock(encryptLast(x, v128.load(KEYS + 160)), 0x69c4e0d86a7b0430, 0xd8cdb78070b4c55a);
  });

  test("and decrypts, with the keys of the equivalent inverse cipher", () => {
    schedule();
    let x = v128.xor(block(0x69c4e0d86a7b0430, 0xd8cdb78070b4c55a), v128.load(KEYS + 160));
    for (let round: usize = 9; round > 0; round--) x = decrypt(x, mixColumnsBack(v128.load(KEYS + (round << 4))));
    expectBlock(decryptLast(x, v128.load(KEYS)), 0x0011223344556677, 0x8899aabbccddeeff);
  });
});

describe("PCLMULQDQ", () => {
  test("multiplies the halves that the immediate names", () => {
    const x = i64x2.replace_lane(i64x2.splat(3), 1, <i64>0xffffffffffffffff);
    const y = i64x2.replace_lane(i64x2.splat(5), 1, <i64>0xffffffffffffffff);
    expect(i64x2.extract_lane(multiply(x, y, 0x00), 0)).toBe(15);
    expect(i64x2.extract_lane(multiply(x, y, 0x00), 1)).toBe(0);
    // The square of a polynomial has its bits two places apart.
    expect(<u64>i64x2.extract_lane(multiply(x, y, 0x11), 0)).toBe(0x5555555555555555);
    expect(<u64>i64x2.extract_lane(multiply(x, y, 0x11), 1)).toBe(0x5555555555555555);
  });
});

/** The 64 round constants of FIPS 180-4, 4.2.2. */
const CONSTANTS = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);
const MESSAGE: usize = memory.data(256);

describe("SHA-256", () => {
  test("of \"abc\"", () => {
    // The padded block, as words.
    memory.fill(MESSAGE, 0, 256);
    store<u32>(MESSAGE, 0x61626380);
    store<u32>(MESSAGE, 24, 60);
    for (let at: usize = 64; at < 256; at += 16) {
      const older = sha256Message1(v128.load(MESSAGE + at - 64), v128.load(MESSAGE + at - 48));
      const seven = i32x4.shuffle(v128.load(MESSAGE + at - 32), v128.load(MESSAGE + at - 16), 1, 2, 3, 4);
      v128.store(MESSAGE + at, sha256Message2(i32x4.add(older, seven), v128.load(MESSAGE + at - 16)));
    }
    const first = i32x4(0x9b05688c, 0x510e527f, 0xbb67ae85, 0x6a09e667);
    const second = i32x4(0x5be0cd19, 0x1f83d9ab, 0xa54ff53a, 0x3c6ef372);
    let abef = first;
    let cdgh = second;
    for (let at: usize = 0; at < 256; at += 8) {
      const wk = i32x4.add(i64x2.splat(load<i64>(MESSAGE + at)), i64x2.splat(load<i64>(CONSTANTS + at)));
      const next = sha256Rounds(cdgh, abef, wk);
      cdgh = abef;
      abef = next;
    }
    abef = i32x4.add(abef, first);
    expect(<u32>i32x4.extract_lane(abef, 3)).toBe(0xba7816bf);
    expect(<u32>i32x4.extract_lane(abef, 2)).toBe(0x8f01cfea);
  });
});
