#include "report/gnuplot.h"

#include "core/mem.h"
#include "parallel/stop.h"
#include "store/atomic_file.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool gnuplot_is_there(void) {
    const char *folders = getenv("PATH");
    bool found = false;
    for (const char *folder = folders; folder && !found; folder = strchr(folder, ':')) {
        if (*folder == ':') folder++;
        char *path = mem_format("%.*s/gnuplot", (int)strcspn(folder, ":"), folder);
        found = access(path, X_OK) == 0;
        mem_free(path);
    }
    return found;
}

bool gnuplot_note_missing(Log *log) {
    if (gnuplot_is_there()) return false;
    log_line(log, "no figures are drawn, as gnuplot isn't installed (`make deps` installs it)");
    return true;
}

/* A line break would end the command; a quote, and what else is special, counts when it is doubled. */
static void print_quoted(FILE *script, const char *text, const char *special) {
    fputc('\'', script);
    for (; *text; text++) {
        if (strchr(special, *text)) fputc(*text, script);
        fputc(*text == '\n' || *text == '\r' ? ' ' : *text, script);
    }
    fputc('\'', script);
}

void gnuplot_print_quoted(FILE *script, const char *text) {
    print_quoted(script, text, "'");
}

/* gnuplot cuts longer ones off; the end of a run's path tells more than its beginning. */
static void print_shorter(FILE *script, const char *text, const char *special) {
    enum { MOST_BYTES = 49 };
    static const char dots[] = "...";
    char shorter[MOST_BYTES + 1];
    const size_t length = strlen(text);
    const char *end = text + (length > MOST_BYTES ? length - (MOST_BYTES - strlen(dots)) : 0);
    while ((*end & 0xc0) == 0x80)
        end++; /* not within a character */
    snprintf(shorter, sizeof shorter, "%s%s", end == text ? "" : dots, end);
    print_quoted(script, shorter, special);
}

void gnuplot_print_name(FILE *script, const char *text) {
    print_shorter(script, text, "'");
}

void gnuplot_print_tic(FILE *script, const char *text, int place) {
    print_shorter(script, text, "'%");
    fprintf(script, " %d", place);
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

static const struct {
    const char *ending, *terminal, *font;
    const char *last; /* bytes of a whole file */
    int last_bytes;
} formats[] = {{"svg", "svg", "font 'sans,14' background 'white'", "</svg>", 6},
               {"png", "pngcairo", "font 'sans,11'", "IEND\xae\x42\x60\x82", 8}};

enum { FORMATS = sizeof formats / sizeof *formats };

/* Whether a file has its last bytes, within a few of its end: gnuplot doesn't notice a full disk. */
static bool is_whole(const char *path, const char *last, int bytes) {
    char end[16] = {0};
    FILE *file = fopen(path, "rb");
    const size_t read =
        file && !fseek(file, -(long)sizeof end, SEEK_END) ? fread(end, 1, sizeof end, file) : 0;
    bool whole = false;
    for (size_t at = 0; at + (size_t)bytes <= read && !whole; at++)
        whole = !memcmp(end + at, last, (size_t)bytes);
    if (file) fclose(file);
    return whole;
}

/* gnuplot with what it says kept until it fails: its warnings, as of a range with one point, are no concern
 * of who reads the figure. */
static const char command[] =
    "said=$(LC_ALL=C.UTF-8 gnuplot 2>&1); code=$?; "
    "[ $code -eq 0 ] || echo \"gnuplot ended with code $code${said:+: $said}\" >&2; exit $code";

static void print_figure(FILE *script, const Figure *figure, AtomicFile *files) {
    for (int f = 0; f < FORMATS; f++) {
        fprintf(script, "reset\nset encoding utf8\nset terminal %s size %d,%d %s\nset output ",
                formats[f].terminal, figure->width, figure->height, formats[f].font);
        gnuplot_print_quoted(script, files[f].temporary);
        fputc('\n', script);
        print_styles(script);
        figure->print(script, figure->context);
        fprintf(script, "\nset output\n");
    }
}

static StatusCode run_gnuplot(const Figure *figure, AtomicFile *files, Status *status) {
    if (status->code) return status->code;
    void (*broken_pipe)(int) = signal(SIGPIPE, SIG_IGN); /* of a gnuplot that has ended: pclose tells */
    FILE *script = popen(command, "w");
    if (script) print_figure(script, figure, files);
    const bool good = script && pclose(script) == 0;
    signal(SIGPIPE, broken_pipe);
    if (!good)
        status_set(status, STATUS_FAILED,
                   "gnuplot failed to draw %s/%s.svg and .png, as the line above says.", figure->folder,
                   figure->name);
    for (int f = 0; f < FORMATS && !status->code; f++)
        if (!is_whole(files[f].temporary, formats[f].last, formats[f].last_bytes))
            status_set(status, STATUS_FAILED, "%s couldn't be written whole: its disk may be full.",
                       files[f].path);
    return status->code;
}

StatusCode gnuplot_draw(const Figure *figure, Status *status) {
    if (status->code) return status->code;
    if (stop_signalled()) return status_set(status, STATUS_STOPPED, "Stopped by %s.", stop_signal_name());
    AtomicFile files[FORMATS];
    for (int f = 0; f < FORMATS; f++) {
        char *path = mem_format("%s/%s.%s", figure->folder, figure->name, formats[f].ending);
        atomic_file_begin(&files[f], path, status);
        mem_free(path);
    }
    run_gnuplot(figure, files, status);
    for (int f = 0; f < FORMATS; f++)
        atomic_file_end(&files[f], status);
    return status->code;
}
