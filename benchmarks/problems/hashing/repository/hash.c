/* Where words go in a table of 1024 rows: those that are read, row by row. */
#include <stdio.h>

#define SEED 7
#define FACTOR 31
#define SHIFT 3
#define MASK 1023

static unsigned hash(const char *word)
{
    unsigned value = SEED;
    while (*word) {
        value = value * FACTOR + (unsigned char)*word++;
    }
    value = value + (value >> SHIFT);
    return value & MASK;
}

int main(void)
{
    char word[64];
    int first = 1;
    printf("[");
    while (scanf("%63s", word) == 1) {
        printf(first ? "%u" : ", %u", hash(word) % 1024);
        first = 0;
    }
    printf("]\n");
    return 0;
}
