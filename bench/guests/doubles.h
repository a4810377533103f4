// Double precision: a matrix product and five bodies under gravity. Only +, -, *, / and square roots, all of which
// IEEE 754 rounds in one way, so that a program's checksum is the same everywhere. Who includes this decides whether
// SSE2 or the x87 computes.
#ifndef WKVM_BENCH_DOUBLES_H
#define WKVM_BENCH_DOUBLES_H
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "programs.h"

enum { SIZE = 96, BODIES = 5 };

static uint64_t bits(double x) {
  uint64_t u;
  memcpy(&u, &x, sizeof u);
  return u;
}

static inline uint64_t matrices(uint32_t rounds) {
  static double a[SIZE][SIZE], b[SIZE][SIZE], c[SIZE][SIZE];
  for (int i = 0; i < SIZE; i++) {
    for (int j = 0; j < SIZE; j++) {
      a[i][j] = (i + 1.0) / (j + 2.0);
      b[i][j] = (i - j) / 16.0;
    }
  }
  for (uint32_t round = 0; round < rounds; round++) {
    for (int i = 0; i < SIZE; i++) {
      for (int j = 0; j < SIZE; j++) {
        double sum = 0;
        for (int k = 0; k < SIZE; k++) sum += a[i][k] * b[k][j];
        c[i][j] = sum;
      }
    }
    a[round % SIZE][3] = c[5][round % SIZE] / 1024;
  }
  uint64_t sum = 0;
  for (int i = 0; i < SIZE; i++) sum = mix(sum, bits(c[i][SIZE - 1 - i]));
  return sum;
}

static inline uint64_t bodies(uint32_t steps) {
  double position[BODIES][3], velocity[BODIES][3], mass[BODIES];
  for (int i = 0; i < BODIES; i++) {
    mass[i] = i == 0 ? 40 : 0.01 * i;
    for (int k = 0; k < 3; k++) {
      position[i][k] = i * 5.5 + (k == i % 3) * 2.25;
      velocity[i][k] = i == 0 ? 0 : (k - 1) * 2.5 / i;
    }
  }
  for (uint32_t step = 0; step < steps; step++) {
    for (int i = 0; i < BODIES; i++) {
      for (int j = i + 1; j < BODIES; j++) {
        double d[3], square = 0;
        for (int k = 0; k < 3; k++) {
          d[k] = position[i][k] - position[j][k];
          square += d[k] * d[k];
        }
        double pull = 0.001 / (square * sqrt(square));
        for (int k = 0; k < 3; k++) {
          velocity[i][k] -= d[k] * mass[j] * pull;
          velocity[j][k] += d[k] * mass[i] * pull;
        }
      }
    }
    for (int i = 0; i < BODIES; i++) {
      for (int k = 0; k < 3; k++) position[i][k] += 0.001 * velocity[i][k];
    }
  }
  uint64_t sum = 0;
  for (int i = 0; i < BODIES; i++) {
    for (int k = 0; k < 3; k++) sum = mix(sum, bits(position[i][k]));
  }
  return sum;
}

#endif
