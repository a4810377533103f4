// Integer vectors (SSE2): sums of absolute differences, saturating adds, multiplications, compares and shuffles.
#include <emmintrin.h>
#include <string.h>

#include "programs.h"

enum { BYTES = 32768 };

uint64_t simd_run(unsigned scale) {
  static uint8_t left[BYTES] __attribute__((aligned(16))), right[BYTES] __attribute__((aligned(16)));
  uint64_t state = 1181783497276652981u, sum = 0;
  for (int i = 0; i < BYTES; i++) {
    left[i] = (uint8_t)next_random(&state);
    right[i] = (uint8_t)(next_random(&state) >> 8);
  }
  __m128i distance = _mm_setzero_si128(), words = _mm_set1_epi16(3), equal = _mm_setzero_si128();
  for (uint32_t round = 0; round < scale * 1200u; round++) {
    for (int i = 0; i < BYTES; i += 16) {
      __m128i a = _mm_load_si128((const __m128i *)(left + i)), b = _mm_load_si128((const __m128i *)(right + i));
      distance = _mm_add_epi64(distance, _mm_sad_epu8(a, b));
      words = _mm_adds_epi16(_mm_mullo_epi16(words, a), _mm_unpacklo_epi8(b, _mm_setzero_si128()));
      equal = _mm_sub_epi8(equal, _mm_cmpgt_epi8(a, b));
      words = _mm_xor_si128(_mm_shuffle_epi32(words, 0x39), _mm_srli_epi32(equal, 3));
      _mm_store_si128((__m128i *)(left + i), _mm_subs_epu8(_mm_avg_epu8(a, b), _mm_set1_epi8(1)));
    }
    memcpy(right, left + 16 * (round & 63), 1024);
  }
  uint64_t out[6];
  _mm_storeu_si128((__m128i *)out, distance);
  _mm_storeu_si128((__m128i *)(out + 2), words);
  _mm_storeu_si128((__m128i *)(out + 4), equal);
  for (int i = 0; i < 6; i++) sum = mix(sum, out[i]);
  return sum;
}
