#include "report/gnuplot.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool gnuplot_is_there(void) {
    const char *folders = getenv("PATH");
    for (const char *folder = folders; folder; folder = strchr(folder, ':')) {
        if (*folder == ':') folder++;
        char path[4096];
        snprintf(path, sizeof path, "%.*s/gnuplot", (int)strcspn(folder, ":"), folder);
        if (access(path, X_OK) == 0) return true;
    }
    return false;
}

/* A line break would end the command. */
void gnuplot_print_quoted(FILE *script, const char *text) {
    fputc('\'', script);
    for (; *text; text++) {
        if (*text == '\'') fputc('\'', script);
        fputc(*text == '\n' || *text == '\r' ? ' ' : *text, script);
    }
    fputc('\'', script);
}

static void print_styles(FILE *script) {
    static const char *const colours[GNUPLOT_STYLES] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                                        "#E69F00", "#56B4E9", "#7F6000", "#666666"};
    static const int shapes[GNUPLOT_STYLES] = {7, 9, 5, 13, 6, 8, 4, 1};
    for (int s = 0; s < GNUPLOT_STYLES; s++)
        fprintf(script,
                "set style line %d linecolor rgb '%s' linewidth %s dashtype %d pointtype %d pointsize 0.8\n",
                s + 1, colours[s], s == GNUPLOT_SERIES ? "1.5" : "2", s == GNUPLOT_SERIES ? 2 : 1, shapes[s]);
    fprintf(script, "set grid linecolor rgb '#dddddd' linetype 1 linewidth 0.5\nset border 3\n"
                    "set tics nomirror\n");
}

StatusCode gnuplot_draw(const Figure *figure, Status *status) {
    static const struct {
        const char *ending, *terminal, *font;
    } formats[] = {{"svg", "svg", "font 'sans,14' background 'white'"},
                   {"png", "pngcairo", "font 'sans,11'"}};
    if (status->code) return status->code;
    void (*broken_pipe)(int) = signal(SIGPIPE, SIG_IGN); /* of a gnuplot that has ended: pclose tells */
    FILE *script = popen("LC_ALL=C.UTF-8 gnuplot", "w");
    for (size_t f = 0; script && f < sizeof formats / sizeof *formats; f++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s.%s", figure->folder, figure->name, formats[f].ending);
        fprintf(script, "reset\nset encoding utf8\nset terminal %s size %d,%d %s\nset output ",
                formats[f].terminal, figure->width, figure->height, formats[f].font);
        gnuplot_print_quoted(script, path);
        fputc('\n', script);
        print_styles(script);
        figure->print(script, figure->context);
        fprintf(script, "\nset output\n");
    }
    const bool good = script && pclose(script) == 0;
    signal(SIGPIPE, broken_pipe);
    if (!good)
        status_set(status, STATUS_FAILED, "gnuplot failed to draw %s/%s.svg and .png: see its message above.",
                   figure->folder, figure->name);
    return status->code;
}
