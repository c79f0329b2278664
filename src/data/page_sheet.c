#include "data/page_sheet.h"

#include "core/integers.h"
#include "core/status.h"
#include "data/page_bright.h"
#include "data/page_parts.h"

#include <math.h>

enum {
    SIDE = 256,    /* pixels of the longer side of the picture in which a sheet is looked for */
    MIN_SIDE = 32, /* of the shorter one */
    RIM = 2        /* pixels along the sheet's edge that aren't counted to it */
};

static const double DARK_EDGE = 0.7, DARK_GROUND = 0.8, WITH_EDGES = 0.1;

/* The pixels that lie farthest along both diagonals. */
PageCorners page_sheet_corners(PIX *mask) {
    PageCorners corners = {{0}, {0}};
    int far[4];
    bool any = false;
    for (int y = 0; y < pixGetHeight(mask); y++) {
        const l_uint32 *line = pixGetData(mask) + (int64_t)y * pixGetWpl(mask);
        for (int x = 0; x < pixGetWidth(mask); x++) {
            const int along[] = {-x - y, x - y, x + y, y - x};
            if (!GET_DATA_BIT(line, x)) continue;
            for (int c = 0; c < 4; c++)
                if (!any || along[c] > far[c]) {
                    far[c] = along[c];
                    corners.x[c] = x;
                    corners.y[c] = y;
                }
            any = true;
        }
    }
    return corners;
}

/* Whether a pixel lies in a quadrilateral: on the same side of each of its sides. */
static bool is_between(const PageCorners *corners, int x, int y) {
    for (int c = 0; c < 4; c++) {
        const int next = (c + 1) % 4;
        const int along_x = corners->x[next] - corners->x[c], along_y = corners->y[next] - corners->y[c];
        if (along_x * (y - corners->y[c]) - along_y * (x - corners->x[c]) < 0) return false;
    }
    return true;
}

/* Pixels by which a mask differs from the quadrilateral between its corners. */
static int off_straight_sides(PIX *mask) {
    const PageCorners corners = page_sheet_corners(mask);
    int off = 0;
    for (int y = 0; y < pixGetHeight(mask); y++) {
        const l_uint32 *line = pixGetData(mask) + (int64_t)y * pixGetWpl(mask);
        for (int x = 0; x < pixGetWidth(mask); x++)
            off += (GET_DATA_BIT(line, x) != 0) != is_between(&corners, x, y);
    }
    return off;
}

/* A long strip is rather a stroke, light on dark. */
static bool is_strip(PIX *part) {
    BOX *box = NULL;
    l_int32 width = 0, height = 0;
    pixClipToForeground(part, NULL, &box);
    boxGetGeometry(box, NULL, NULL, &width, &height);
    boxDestroy(&box);
    return 5 * smaller(width, height) < 2 * larger(width, height);
}

/* Whether a part has four straight sides, is large, or at least not small and away from the page's edge, as a
 * note is, and leaves a ground around it: more than half of the page's edge lies outside, and at most two of
 * its sides touch more of the part than a corner, as those of a crooked scan do. */
static bool has_shape_of_sheet(PIX *part) {
    const int width = pixGetWidth(part), height = pixGetHeight(part);
    const struct {
        int x, y, width, height;
    } sides[] = {{0, 0, width, 1}, {0, height - 1, width, 1}, {0, 0, 1, height}, {width - 1, 0, 1, height}};
    l_int32 area = 0, on_edge = 0, touched = 0;
    pixCountPixels(part, &area, NULL);
    for (int s = 0; s < 4; s++) {
        l_int32 pixels = 0;
        BOX *box = boxCreate(sides[s].x, sides[s].y, sides[s].width, sides[s].height);
        pixCountPixelsInRect(part, box, &pixels, NULL);
        boxDestroy(&box);
        touched += 8 * pixels > L_MAX(sides[s].width, sides[s].height);
        on_edge += pixels;
    }
    return (on_edge ? 10 : 20) * area >= width * height && 10 * off_straight_sides(part) <= area &&
           touched <= 2 && on_edge < width + height && !is_strip(part);
}

/* Mean of grey within `reach` pixels of a mask's outline, outside of it or inside. */
static double mean_along(PIX *grey, PIX *mask, int reach, bool outside) {
    PIX *ring = outside ? pixDilateBrick(NULL, mask, 2 * reach + 1, 2 * reach + 1)
                        : pixErodeBrick(NULL, mask, 2 * reach + 1, 2 * reach + 1);
    pixXor(ring, ring, mask);
    const double mean = page_mean_where(grey, ring, 0, 0);
    pixDestroy(&ring);
    return mean;
}

/* Whether the page is darker right outside of the side of a part that follows corner c; also where that lies
 * beyond the page. */
static bool is_darker_beside(PIX *grey, const PageCorners *corners, int c) {
    enum { POINTS = 32 };
    const double least = 0.9;
    const int next = (c + 1) % 4;
    const double x = corners->x[next] - corners->x[c], y = corners->y[next] - corners->y[c],
                 reach = 2 * RIM / fmax(hypot(x, y), 1);
    int64_t inside = 0, outside = 0;
    for (int i = 1; i < POINTS; i++) {
        const double from_x = corners->x[c] + x * i / POINTS, from_y = corners->y[c] + y * i / POINTS;
        l_uint32 in, out;
        if (pixGetPixel(grey, (int)lround(from_x - y * reach), (int)lround(from_y + x * reach), &in) ||
            pixGetPixel(grey, (int)lround(from_x + y * reach), (int)lround(from_y - x * reach), &out))
            continue;
        inside += in;
        outside += out;
    }
    return inside == 0 || (double)outside < least * (double)inside;
}

static bool is_darker_all_round(PIX *grey, PIX *part) {
    const PageCorners corners = page_sheet_corners(part);
    bool darker = true;
    for (int c = 0; c < 4; c++)
        darker = darker && is_darker_beside(grey, &corners, c);
    return darker;
}

/* Whether what is around a part has at most this share of its light, as it hasn't at the edge of a patch of
 * light; or, where each of its sides has an edge, somewhat more. */
static bool is_dark_around(PIX *grey, PIX *part, double share, double most) {
    return share < most || (share < most + WITH_EDGES && is_darker_all_round(grey, part));
}

/* Whether the page is dark right outside of a part. */
static bool has_dark_edge(PIX *grey, PIX *part) {
    const double outside = mean_along(grey, part, 2 * RIM, true);
    return is_dark_around(grey, part, outside / mean_along(grey, part, 2 * RIM, false), DARK_EDGE);
}

/* page at a size at which a sheet is found quickly; NULL where it is too narrow. */
static PIX *small_page(PIX *page) {
    const int width = pixGetWidth(page), height = pixGetHeight(page);
    const double scale = fmin(1, SIDE / (double)larger(width, height));
    if ((double)smaller(width, height) * scale < MIN_SIDE) return NULL;
    return pixScaleToSize(page, (int)lround(width * scale), (int)lround(height * scale));
}

/* Whether sheet a is read before sheet b: those beside each other from the left, others from above. */
static bool is_before(const PageRect *a, const PageRect *b) {
    const bool beside = 2 * -page_gap_y(a, b) >= smaller(a->height, b->height);
    return beside ? a->x < b->x : a->y < b->y;
}

/* Adds a sheet, a part of the small page, in reading order. */
static void add_sheet(PIX *part, PIX *page, PageSheets *sheets) {
    BOX *place = NULL;
    PIX *whole = pixScaleToSize(part, pixGetWidth(page), pixGetHeight(page)), *mask = NULL;
    if (!pixClipToForeground(whole, &mask, &place) && place) {
        PageRect box;
        boxGetGeometry(place, &box.x, &box.y, &box.width, &box.height);
        int s = sheets->count++;
        for (; s > 0 && is_before(&box, &sheets->boxes[s - 1]); s--) {
            sheets->boxes[s] = sheets->boxes[s - 1];
            sheets->masks[s] = sheets->masks[s - 1];
        }
        sheets->boxes[s] = box;
        sheets->masks[s] = mask;
    }
    boxDestroy(&place);
    pixDestroy(&whole);
}

static bool is_sheet(PIX *grey, PIX *part) {
    return has_shape_of_sheet(part) && has_dark_edge(grey, part);
}

/* Share of a part that isn't as straight as its corners say. */
static double roughness(PIX *part) {
    l_int32 area = 0;
    pixCountPixels(part, &area, NULL);
    return (double)off_straight_sides(part) / L_MAX(area, 1);
}

/* Whether more than half of a mask lies on another. */
static bool lies_on(PIX *part, PIX *other) {
    l_int32 area = 0, on = 0;
    PIX *both = pixAnd(NULL, part, other);
    pixCountPixels(part, &area, NULL);
    pixCountPixels(both, &on, NULL);
    pixDestroy(&both);
    return 2 * on > area;
}

/* Adds to a part what makes it a sheet: the half that lies in shadow. What belongs to the ground lies all
 * around a sheet that is whole, or makes its sides rougher. */
static void unite_with_shadow(PIX *grey, PIX *part, PIX **darker, int count) {
    const bool whole = is_sheet(grey, part);
    const double roughest = whole ? fmax(2 * roughness(part), 0.02) : 1;
    bool sheet = false;
    for (int i = 0; i < count && !sheet; i++) {
        if (whole && lies_on(part, darker[i])) continue;
        PIX *both = pixOr(NULL, part, darker[i]);
        page_fill_ink(both);
        sheet = roughness(both) <= roughest && is_sheet(grey, both);
        if (sheet) pixCopy(part, both);
        pixDestroy(&both);
    }
}

/* Both parts as one where no more than a line lies between them; NULL where they are farther apart. */
static PIX *joined_across_line(PIX *a, PIX *b) {
    enum { NEAR = 5 /* more than a line is wide, in pixels */ };
    l_int32 count = 0;
    PIX *both = pixOr(NULL, a, b), *closed = pixCloseSafeBrick(NULL, both, NEAR, NEAR);
    pixCountConnComp(closed, 4, &count);
    pixDestroy(&closed);
    if (count > 1) pixDestroy(&both);
    return both;
}

/* Joins the parts of sheets that lines cross from side to side. Returns how many parts are left. */
static int join_across_lines(PIX *grey, PIX **parts, int count) {
    for (int i = 0; i < count; i++)
        for (int j = i + 1; j < count; j++) {
            PIX *both = joined_across_line(parts[i], parts[j]);
            if (both) page_fill_ink(both);
            if (both && is_sheet(grey, both)) {
                pixCopy(parts[i], both);
                pixDestroy(&parts[j]);
                parts[j] = parts[--count];
                j = i;
            }
            pixDestroy(&both);
        }
    return count;
}

static bool is_larger(PIX *a, PIX *b) {
    l_int32 pixels_a = 0, pixels_b = 0;
    pixCountPixels(a, &pixels_a, NULL);
    pixCountPixels(b, &pixels_b, NULL);
    return pixels_a > pixels_b;
}

/* Adds a part to sheets, unless it is in one of them, and in place of those that are in it, of two that are
 * in each other the larger one: several bright parts may be written on the same sheet, and no place is read
 * twice. Returns how many sheets there are. */
static int add_apart(PIX *part, PIX **sheets, int count) {
    for (int i = 0; i < count; i++)
        if (lies_on(part, sheets[i]) && !(lies_on(sheets[i], part) && is_larger(part, sheets[i]))) {
            pixDestroy(&part);
            return count;
        }
    for (int i = count - 1; i >= 0; i--)
        if (lies_on(sheets[i], part)) {
            pixDestroy(&sheets[i]);
            sheets[i] = sheets[--count];
        }
    sheets[count++] = part;
    return count;
}

/* Whether one mask has most of the pixels of another. A thick light stroke keeps less. */
static bool is_most_of(PIX *rest, PIX *part) {
    l_int32 left = 0, area = 0;
    pixCountPixels(rest, &left, NULL);
    pixCountPixels(part, &area, NULL);
    return 10 * (int64_t)left >= 6 * (int64_t)area;
}

/* Replaces a part by what is a sheet in it: if it is none, without the light squares of a cloth that touch
 * it, and without another thing at its edge, which is smaller than it, if it is far straighter so. Whether
 * there is one. */
static bool find_within(PIX *grey, PIX *bright, PIX *part) {
    bool sheet = is_sheet(grey, part);
    for (int way = sheet; way < 2; way++) {
        PIX *rest = way ? page_without_narrow(part) : page_without_strips(bright, part);
        if (rest && is_most_of(rest, part) && is_sheet(grey, rest) &&
            (!sheet || 2 * roughness(rest) < roughness(part))) {
            pixCopy(part, rest);
            sheet = true;
        }
        pixDestroy(&rest);
    }
    return sheet;
}

/* The bright parts of a page, of what isn't bright the brighter ones, and what both make together, that have
 * a sheet's shape and edge; their number. */
static int find_parts(PIX *grey, PIX *sheets[PAGE_MOST_SHEETS]) {
    const int corner = 11; /* where a sheet in shadow meets a ground in light that is as bright */
    PIX *page = pixCreate(pixGetWidth(grey), pixGetHeight(grey), 1);
    pixSetAll(page);
    PIX *bright = page_bright_within(grey, page), *rest = pixSubtract(NULL, page, bright);
    PIX *darker = page_bright_within(grey, rest), *ink = pixHolesByFilling(darker, 4);
    PIX *parts[PAGE_MOST_SHEETS], *shadows[PAGE_MOST_SHEETS];
    pixOpenBrick(bright, bright, 3, 3);
    pixOr(darker, darker, ink);
    pixOpenBrick(darker, darker, corner, corner);
    const int parts_count = join_across_lines(grey, parts, page_large_parts(bright, parts, PAGE_MOST_SHEETS)),
              shadows_count = page_large_parts(darker, shadows, PAGE_MOST_SHEETS);
    int count = 0;
    for (int i = 0; i < parts_count; i++) {
        /* first, as with another thing at its edge a sheet is as rough as with ground for a shadow */
        if (is_sheet(grey, parts[i])) find_within(grey, bright, parts[i]);
        unite_with_shadow(grey, parts[i], shadows, shadows_count);
        if (find_within(grey, bright, parts[i]))
            count = add_apart(parts[i], sheets, count);
        else
            pixDestroy(&parts[i]);
    }
    for (int i = 0; i < shadows_count; i++)
        pixDestroy(&shadows[i]);
    pixDestroy(&page);
    pixDestroy(&bright);
    pixDestroy(&rest);
    pixDestroy(&darker);
    pixDestroy(&ink);
    return count;
}

/* Adds the parts of a page that are sheets: the ground that none of them covers is darker, as it isn't
 * around what lies between rules. grey: the small page. */
static void add_sheets(PIX *page, PIX *grey, PageSheets *sheets) {
    PIX *parts[PAGE_MOST_SHEETS], *ground = pixCreate(pixGetWidth(grey), pixGetHeight(grey), 1);
    const int count = find_parts(grey, parts);
    for (int i = 0; i < count; i++)
        pixOr(ground, ground, parts[i]);
    pixInvert(ground, ground);
    const double dark = page_mean_where(grey, ground, 0, 0);
    for (int i = 0; i < count; i++) {
        if (is_dark_around(grey, parts[i], dark / mean_along(grey, parts[i], 2 * RIM, false), DARK_GROUND)) {
            pixErodeBrick(parts[i], parts[i], 2 * RIM + 1, 2 * RIM + 1);
            add_sheet(parts[i], page, sheets);
        }
        pixDestroy(&parts[i]);
    }
    pixDestroy(&ground);
}

PageSheets page_find_sheets(PIX *page) {
    PageSheets sheets = {0};
    PIX *grey = small_page(page);
    if (grey) add_sheets(page, grey, &sheets);
    pixDestroy(&grey);
    return sheets;
}

void page_sheets_free(PageSheets *sheets) {
    for (int s = 0; s < sheets->count; s++)
        pixDestroy(&sheets->masks[s]);
    sheets->count = 0;
}

/* Where a page has sheets; NULL where they cover half of it or more. */
static PIX *covered(PIX *page, const PageSheets *sheets) {
    l_int32 area = 0;
    PIX *mask = pixCreate(pixGetWidth(page), pixGetHeight(page), 1);
    if (!mask) fatal("out of memory for the sheets in a picture; read smaller pictures");
    for (int s = 0; s < sheets->count; s++) {
        const PageRect *box = &sheets->boxes[s];
        pixRasterop(mask, box->x, box->y, box->width, box->height, PIX_PAINT, sheets->masks[s], 0, 0);
    }
    pixCountPixels(mask, &area, NULL);
    if (2 * (int64_t)area >= (int64_t)pixGetWidth(page) * pixGetHeight(page)) pixDestroy(&mask);
    return mask;
}

PIX *page_without_sheets(PIX *page, const PageSheets *sheets, PIX **outside) {
    PIX *mask = covered(page, sheets), *ground = mask ? pixCopy(NULL, page) : NULL;
    if (!ground) return NULL;
    const int rim = (int)larger(1, RIM * larger(pixGetWidth(page), pixGetHeight(page)) / SIDE),
              size = 8 * rim + 1; /* masks are smaller than sheets, and these have shadows */
    *outside = pixDilateBrick(NULL, mask, size, size);
    pixSetMasked(ground, *outside, (l_uint32)lround(mean_along(page, *outside, rim, true)));
    pixDestroy(&mask);
    return ground;
}
