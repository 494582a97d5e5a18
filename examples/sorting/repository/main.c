/* Reads integers from standard input as the machine has them, writes them sorted. */
#include <stdio.h>
#include <stdlib.h>

#include "kernel.h"

int main(void)
{
    size_t room = 1 << 20;
    int *values = malloc(room * sizeof *values);
    if (values == NULL) {
        return 1;
    }
    size_t count = fread(values, sizeof *values, room, stdin);
    sort(values, count);
    return fwrite(values, sizeof *values, count, stdout) == count ? 0 : 1;
}
