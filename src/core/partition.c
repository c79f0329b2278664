#include "core/partition.h"

Range partition_range(int64_t n, int64_t parts, int64_t part) {
    int64_t size = n / parts, larger = n % parts;
    int64_t begin = part * size + (part < larger ? part : larger);
    return (Range){begin, begin + size + (part < larger)};
}

int64_t partition_owner(int64_t n, int64_t parts, int64_t item) {
    int64_t size = n / parts, larger = n % parts;
    int64_t in_larger = larger * (size + 1);
    return item < in_larger ? item / (size + 1) : larger + (item - in_larger) / size;
}
