#include "data/page_lines.h"

#include <math.h>

void page_remove_but_crossings(PIX *mask, PIX *lines, bool horizontal, int line_width) {
    const int across = line_width + 3;
    PIX *crossing = pixOpenBrick(NULL, mask, horizontal ? 1 : across, horizontal ? across : 1);
    PIX *thick = pixDilateBrick(NULL, lines, horizontal ? 1 : 3, horizontal ? 3 : 1);
    pixSubtract(thick, thick, crossing);
    pixSubtract(mask, mask, thick);
    pixDestroy(&crossing);
    pixDestroy(&thick);
}

double page_side_covered(PIX *part, int x, int y, int width, int height) {
    BOX *box = boxCreate(x, y, L_MAX(width, 1), L_MAX(height, 1));
    PIX *band = pixClipRectangle(part, box, NULL);
    NUMA *counts = width > height ? pixCountPixelsByColumn(band) : pixCountPixelsByRow(band, NULL);
    int covered = 0;
    for (int i = 0; i < numaGetCount(counts); i++) {
        l_int32 count;
        numaGetIValue(counts, i, &count);
        covered += count > 0;
    }
    const double share = (double)covered / numaGetCount(counts);
    numaDestroy(&counts);
    pixDestroy(&band);
    boxDestroy(&box);
    return share;
}

PIX *page_lines_of_runs(PIX *part, bool horizontal, int least, int run) {
    const int gap = L_MAX(run / 4, 1);
    PIX *runs = pixOpenCompBrick(NULL, part, horizontal ? run : 1, horizontal ? 1 : run);
    PIX *joined = pixCloseSafeBrick(NULL, runs, horizontal ? gap : 3, horizontal ? 3 : gap);
    PIX *lines = pixSelectBySize(joined, least, least, 8, horizontal ? L_SELECT_WIDTH : L_SELECT_HEIGHT,
                                 L_SELECT_IF_GTE, NULL);
    pixDestroy(&runs);
    pixDestroy(&joined);
    return lines;
}

void page_remove_line_pair(PIX *part, PIX *level, PIX *upright) {
    PIX *lines = pixOr(NULL, level, upright), *kept = pixCopy(NULL, part);
    const int line_width = (int)lround(page_stroke_width(lines)) + 1;
    page_remove_but_crossings(kept, level, true, line_width);
    page_remove_but_crossings(part, upright, false, line_width);
    pixAnd(part, part, kept);
    pixDestroy(&lines);
    pixDestroy(&kept);
}
