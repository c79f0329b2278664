/* Figures drawn by gnuplot. Not collective. */
#ifndef PARDIGITS_REPORT_GNUPLOT_H
#define PARDIGITS_REPORT_GNUPLOT_H

#include "core/log.h"
#include "core/status.h"

#include <stdbool.h>
#include <stdio.h>

/* Whether there is a program gnuplot. */
bool gnuplot_is_there(void);

/* Says so where there is none; returns whether it said so. */
bool gnuplot_note_missing(Log *log);

/* A figure: where it goes, its size in pixels, and what prints its script (data and plot commands). Line
 * styles 1 to GNUPLOT_STYLES are set: colours that colour-blind people can tell apart (Okabe and Ito's), each
 * with a shape and dashes of its own; the last is for what is ideal. */
typedef struct {
    const char *folder, *name;
    int width, height;
    void (*print)(FILE *script, const void *context);
    const void *context;
} Figure;

enum { GNUPLOT_SERIES = 7, GNUPLOT_STYLES };

/* Draws it as FOLDER/NAME.svg and FOLDER/NAME.png; old ones stay until the new ones are whole. */
StatusCode gnuplot_draw(const Figure *figure, Status *status);

/* A text within gnuplot's single quotes. */
void gnuplot_print_quoted(FILE *script, const char *text);

/* The same of a run's name in a key. Of a long one only the end is drawn. */
void gnuplot_print_name(FILE *script, const char *text);

/* A mark of an axis, within `set xtics (...)`: a text, which gnuplot takes for a format, at a place. Of a
 * long one only the end is drawn. */
void gnuplot_print_tic(FILE *script, const char *text, int place);

#endif
