/* Sorts integers in place, ascending: passes between neighbours, then Shell's method. */
#include "kernel.h"

#define PASSES 3 /* between neighbours, to and fro, before the gaps */

/* How far apart compared elements are, round by round. The last must be 1. */
static const size_t gaps[] = {
    32768, 16384, 8192, 4096, 2048, 1024, 512, 256, 128, 64, 32, 16, 8, 4, 2, 1,
};

static void settle(int *values, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (values[i - 1] > values[i]) {
            int larger = values[i - 1];
            values[i - 1] = values[i];
            values[i] = larger;
        }
    }
    for (size_t i = count - 1; i > 0; i--) {
        if (values[i - 1] > values[i]) {
            int larger = values[i - 1];
            values[i - 1] = values[i];
            values[i] = larger;
        }
    }
}

void sort(int *values, size_t count)
{
    for (int pass = 0; pass < PASSES && count > 1; pass++) {
        settle(values, count);
    }
    for (size_t round = 0; round < sizeof gaps / sizeof gaps[0]; round++) {
        size_t gap = gaps[round];
        for (size_t i = gap; i < count; i++) {
            int moved = values[i];
            size_t place = i;
            while (place >= gap && values[place - gap] > moved) {
                values[place] = values[place - gap];
                place -= gap;
            }
            values[place] = moved;
        }
    }
}
