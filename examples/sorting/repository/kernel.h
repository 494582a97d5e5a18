#ifndef KERNEL_H
#define KERNEL_H

#include <stddef.h>

/* Sort ``count`` integers in place, ascending. */
void sort(int *values, size_t count);

#endif
