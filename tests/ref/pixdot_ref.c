#include "ref/pixdot_ref.h"

int64_t ref_pixdot(const uint8_t *a, const uint8_t *b, int columns) {
    int64_t sum = 0;
    for (int c = 0; c < columns; c++)
        sum += (int64_t)a[c] * b[c];
    return sum;
}

int64_t ref_square_distance(const uint8_t *a, const uint8_t *b, int columns) {
    int64_t sum = 0;
    for (int c = 0; c < columns; c++) {
        int64_t difference = (int64_t)a[c] - b[c];
        sum += difference * difference;
    }
    return sum;
}
