/* Tasks that the threads of all ranks take one after the other, as soon as they are free: so that work is
 * shared by how fast it gets done. Rank 0 counts, and gives tasks to the others whenever it polls. */
#ifndef PARDIGITS_PARALLEL_TASK_QUEUE_H
#define PARDIGITS_PARALLEL_TASK_QUEUE_H

#include "parallel/comm.h"
#include "parallel/stop.h"

typedef struct TaskQueue TaskQueue;

enum { TASK_NONE = -1 }; /* beside tasks */

/* Tasks 0 .. tasks - 1 for `threads` threads of this rank. Collective; destroyed by task_queue_destroy,
 * collectively. */
TaskQueue *task_queue_create(const Comm *comm, int64_t tasks, int threads);

/* The next task for a thread, the lowest that nobody was given; TASK_NONE: there are no more. Each task is
 * given once. While it waits it calls interrupted(context), which on the main thread, whose number must be 0,
 * has to poll, and returns TASK_NONE if that is true. By any thread; not collective. */
int64_t task_queue_wait(TaskQueue *queue, int thread, bool (*interrupted)(void *context), void *context);

/* On rank 0: how many tasks have been given. */
int64_t task_queue_given(const TaskQueue *queue);

/* Lets tasks be given. Main thread only; not collective. It takes about a microsecond: call it every few ms.
 */
void task_queue_poll(TaskQueue *queue);

/* This rank takes no more tasks; one that was on its way to it is lost. Returns when the others don't need
 * this rank's polling any more; until then it polls watch (NULL: none), too. Main thread only; collective,
 * but it doesn't wait for all. */
void task_queue_leave(TaskQueue *queue, StopWatch *watch);

/* After task_queue_leave. */
void task_queue_destroy(TaskQueue **queue);

#endif
