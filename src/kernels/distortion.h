/* The image distortion model: how well one digit turns into another when each of its pixels may move a little
 * by itself (Keysers, Deselaers, Gollan, Ney: Deformation models for image recognition, IEEE TPAMI 29(8),
 * 2007, "IDM"). Everything is integers, so a cost is one and the same on any machine.
 *
 * An image is seen through its gradients in two or four directions (Sobel's horizontal and vertical ones, and
 * the same turned by 45 degrees), of which the signed square root is kept, so that faint strokes count beside
 * dark ones. The cost of turning a query into a reference is
 *
 *   sum over pixels p of the query of
 *       min over displacements d in [-warp, warp]^2 of
 *           sum over offsets o in [-context, context]^2 of  |query(p + o) - reference(p + o + d)|^2
 *
 * with gradients of zero outside of the image. Small is similar; it isn't symmetric. Nothing here starts
 * threads or communicates. */
#ifndef PARDIGITS_KERNELS_DISTORTION_H
#define PARDIGITS_KERNELS_DISTORTION_H

#include "store/image_set.h"

#include <stdint.h>

enum {
    DISTORTION_MAX_WARP = 3,
    DISTORTION_MAX_CONTEXT = 2,
    DISTORTION_MAX_DIRECTIONS = 4,
};

typedef struct {
    int warp;       /* 0..DISTORTION_MAX_WARP pixels */
    int context;    /* 0..DISTORTION_MAX_CONTEXT pixels each way: 1 compares 3x3 */
    int directions; /* 2 or 4 */
    ImageSpec spec; /* of the images */
} Distortion;

/* The gradients of one image. */
typedef struct {
    int8_t *along;          /* [directions][height][stride]; zeros behind each row */
    int first_row, end_row; /* rows outside of [first_row, end_row) are zeros */
} Gradients;

/* Bytes of the gradients of an image. */
int64_t distortion_gradient_bytes(const Distortion *distortion);

/* Fills gradients of image [height][width], whose memory is there: with more directions and a wider context
 * they are coarser, for sums to fit in 16 bits. */
void distortion_gradients(const Distortion *distortion, const uint8_t *image, Gradients *gradients);

/* A query, spread out for comparisons. Comparing uses memory of its own, so each thread needs one. */
typedef struct DistortionQuery DistortionQuery;

/* Room for a query, filled by distortion_query_set; freed by distortion_query_destroy. */
DistortionQuery *distortion_query_create(const Distortion *distortion);

/* Frees and clears *query (NULL is allowed). */
void distortion_query_destroy(DistortionQuery **query);

/* Takes over the gradients of an image, in place of an earlier one. */
void distortion_query_set(DistortionQuery *query, const Gradients *gradients);

/* The cost of turning the query into the reference if it is at most `limit`; else anything above the limit
 * (the sum is given up when it passes it). */
uint32_t distortion_cost(DistortionQuery *query, const Gradients *reference, uint32_t limit);

#endif
