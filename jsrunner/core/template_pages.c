/* The cold part of a copy: its pages are written when they are accessed first.
 *
 * Theory. A page of the cold part is not accessible at first. At an access the system sends the signal SIGSEGV. Its
 * handler makes the page accessible and writes it, and the access is repeated.
 *
 * Measured: 8 us per page. VUs of bench/scripts/idle.js access 2 of 33 cold pages.
 *
 * A process may have some 65,000 ranges of pages with different rights (vm.max_map_count). A copy takes two, and two more
 * for each page that comes alone. All copies together may take RANGES_MOST. A copy that would take more gets its whole
 * cold part.
 *
 * Invariants.
 *  - The kernel is never given an address in a copy, because its accesses cause no signal.
 *  - Only the thread of the VUs accesses cold parts. The watchdog's thread accesses runtimes and contexts, which are hot.
 *  - The handler calls nothing that is forbidden in a signal handler, and no other handler runs in the middle of it.
 */
#define _GNU_SOURCE
#include "template.h"

#include "template_image.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { RANGES_MOST = 20000, RANGES_OF_COPY = 2 };

/* What happened at SIGSEGV before. */
static struct sigaction previous;
/* Ranges that all copies take. */
static size_t range_count;

size_t template_page_bytes(void)
{
    static size_t bytes;
    if (!bytes) bytes = (size_t)sysconf(_SC_PAGESIZE);
    return bytes;
}

size_t template_page_end(size_t bytes)
{
    size_t page = template_page_bytes();
    return (bytes + page - 1) / page * page;
}

static bool is_written(const struct copy *copy, size_t page) { return copy->written[page / 64] >> page % 64 & 1; }

static void write_page(struct copy *copy, size_t page)
{
    size_t from = page * template_page_bytes(), end = from + template_page_bytes();
    if (end > copy->image->size) end = copy->image->size;
    template_write((char *)copy, copy->image, from, end);
    copy->written[page / 64] |= (uint64_t)1 << page % 64;
}

/* Make pages from `first` to `last` accessible, and write those that are not. Returns false if the system refuses. */
static bool bring(struct copy *copy, size_t first, size_t last)
{
    size_t bytes = template_page_bytes();
    if (mprotect((char *)copy + first * bytes, (last - first + 1) * bytes, PROT_READ | PROT_WRITE) != 0) return false;
    for (size_t page = first; page <= last; page++)
        if (!is_written(copy, page)) write_page(copy, page);
    return true;
}

/* Set the number of ranges that a copy takes. */
static void note_ranges(struct copy *copy, size_t count)
{
    range_count += count - copy->range_count;
    copy->range_count = (uint32_t)count;
}

static size_t first_cold_page(const struct copy *copy)
{
    return template_page_end(copy->image->hot_bytes) / template_page_bytes();
}

/* Make all pages of the cold part accessible, and write those that are not. Returns false if the system refuses. */
static bool bring_all(struct copy *copy)
{
    size_t first = first_cold_page(copy), last = (copy->image->size - 1) / template_page_bytes();
    if (first <= last && !bring(copy, first, last)) return false;
    if (copy->range_count > RANGES_OF_COPY) note_ranges(copy, RANGES_OF_COPY);
    return true;
}

/* Make one page accessible and write it, or all pages if the copy would take too many ranges. Returns false if the system
 * refuses. */
static bool bring_one(struct copy *copy, size_t page)
{
    size_t count = copy->range_count + 2;
    if (page == first_cold_page(copy) || is_written(copy, page - 1)) count -= 2;
    if (is_written(copy, page + 1)) count -= 2;
    if (range_count + count - copy->range_count > RANGES_MOST || !bring(copy, page, page)) return bring_all(copy);
    note_ranges(copy, count);
    return true;
}

void template_begin_lazy(struct copy *copy)
{
    if (range_count + RANGES_OF_COPY <= RANGES_MOST) note_ranges(copy, RANGES_OF_COPY);
    else if (mprotect(copy, SLOT_BYTES, PROT_READ | PROT_WRITE) == 0) bring_all(copy); /* one range with its neighbours */
}

void template_end_lazy(struct copy *copy) { note_ranges(copy, 0); }

/* Append the number of the block that begins with a page to the file that the environment names. */
static void record(const struct copy *copy, size_t page)
{
    static FILE *file;
    if (!file) file = fopen(getenv("JSRUNNER_HEAT"), "a");
    if (!file) abort();
    uint32_t number = 0;
    for (size_t at = 0; at < page * template_page_bytes() / WORD; at++) number += copy->image->block_words[at] != 0;
    fwrite(&number, sizeof number, 1, file);
    fflush(file);
}

/* Write a block that has pages of its own, and record it. */
static bool bring_block(struct copy *copy, size_t page)
{
    size_t page_words = template_page_bytes() / WORD;
    while (!copy->image->block_words[page * page_words]) page--;
    record(copy, page);
    return bring(copy, page, page + (copy->image->block_words[page * page_words] - 1) / page_words);
}

/* Write the page of a copy's cold part that has an address. Returns false if it is not the address of such a page. */
static bool write_page_of(const void *address)
{
    struct copy *copy = template_copy_of(address);
    if (!copy) return false;
    size_t page_bytes = template_page_bytes(), offset = (size_t)((const char *)address - (const char *)copy);
    size_t page = offset / page_bytes, last = (copy->image->size - 1) / page_bytes;
    if (offset < copy->image->hot_bytes || page > last || is_written(copy, page)) return false;
    if (RECORDS_HEAT) return bring_block(copy, page);
    return bring_one(copy, page);
}

void template_complete(char *copy) { bring_all((struct copy *)copy); }

static void on_fault(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context;
    int error = errno;
    /* A fault that is not ours happens again when this function has returned, and then has its previous effect. */
    if (!write_page_of(info->si_addr)) sigaction(SIGSEGV, &previous, NULL);
    errno = error;
}

bool template_catch_faults(void)
{
    static bool is_caught;
    if (is_caught) return true;
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    sigfillset(&action.sa_mask);
    is_caught = sigaction(SIGSEGV, &action, &previous) == 0;
    return is_caught;
}
