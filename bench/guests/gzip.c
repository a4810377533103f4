// busybox's gzip over text that is made of a few hundred words: a third of its size, as prose is.
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "programs.h"

enum { BYTES_A_UNIT = 200000, WORDS = 400, LONGEST = 9 };

static size_t make_text(char *text, size_t size) {
  char words[WORDS][LONGEST + 1];
  uint64_t state = 0x2545f4914f6cdd1du;
  for (int i = 0; i < WORDS; i++) {
    unsigned length = 2 + next_random(&state) % (LONGEST - 2);
    for (unsigned k = 0; k < length; k++) words[i][k] = 'a' + next_random(&state) % 26;
    words[i][length] = 0;
  }
  size_t at = 0;
  while (at + LONGEST + 1 < size) {
    // Small numbers more often: words are not equally frequent.
    uint32_t r = (uint32_t)(next_random(&state) >> 32);
    const char *word = words[(uint64_t)(r & 0xffff) * (r >> 16) % WORDS * (r & 0xff) / 256];
    size_t length = strlen(word);
    memcpy(text + at, word, length);
    at += length;
    text[at++] = (r >> 8 & 15) == 0 ? '\n' : ' ';
  }
  return at;
}

uint64_t gzip_run(unsigned scale) {
  char *const arguments[] = {"./busybox", "gzip", "-c", 0};
  size_t size = (size_t)scale * BYTES_A_UNIT;
  char *text = malloc(size);
  uint64_t sum = command_checksum(arguments, text, make_text(text, size));
  free(text);
  return sum;
}
