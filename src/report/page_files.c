#include "report/page_files.h"

/* The assembler takes in the files, whose paths are those from the folder that make runs in. */
#define EMBED(name, path)                                                                                    \
    __asm__(".pushsection .rodata\n.global " name "\n" name ":\n.incbin \"" path "\"\n.byte 0\n.popsection")

EMBED("page_html", "src/report/page.html");
EMBED("page_css", "src/report/page.css");
EMBED("page_js", "src/report/page.js");
