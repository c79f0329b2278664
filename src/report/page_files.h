/* The parts of a report's page, which are in the program: page.html with markers for the others. */
#ifndef PARDIGITS_REPORT_PAGE_FILES_H
#define PARDIGITS_REPORT_PAGE_FILES_H

extern const char page_html[], page_css[], page_js[];

#endif
