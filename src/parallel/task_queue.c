#include "parallel/task_queue.h"

#include "core/integers.h"
#include "core/mem.h"
#include "parallel/comm_mpi.h"

#include <stdatomic.h>
#include <time.h>

/* A rank sends how many tasks its threads wait for, and rank 0 answers with as many consecutive ones as there
 * are. The number 0 says that the rank leaves. One message of a rank is under way at a time. */
typedef struct {
    int64_t first, count;
} Given;

struct TaskQueue {
    MPI_Comm mpi;
    Progress *progress;
    int rank, size, threads;
    int64_t tasks;
    /* rank 0 */
    atomic_int_fast64_t next;
    int left;             /* other ranks that have left */
    int64_t *wanted;      /* [size] as received */
    Given *given;         /* [size] as sent */
    MPI_Request *receive; /* [size] */
    MPI_Request *send;    /* [size] */
    /* the other ranks */
    atomic_int_fast64_t *slots; /* [threads] a task for the thread, or what it waits for */
    int64_t number, asked;      /* last sent; the same if it isn't answered yet, else 0 */
    bool exhausted;
    Given answer;
    MPI_Request question, answered;
};

/* Beside tasks and TASK_NONE. TASK_LATER: the thread waits until the main thread has polled. */
enum { TASK_LATER = -2, SLOT_FREE = -3 };

static void receive_from(TaskQueue *queue, int rank) {
    comm_check(MPI_Irecv(&queue->wanted[rank], 1, MPI_INT64_T, rank, 0, queue->mpi, &queue->receive[rank]),
               "MPI_Irecv");
}

TaskQueue *task_queue_create(const Comm *comm, int64_t tasks, int threads) {
    TaskQueue *queue = mem_new(1, sizeof *queue);
    *queue =
        (TaskQueue){.rank = comm_rank(comm), .size = comm_size(comm), .threads = threads, .tasks = tasks};
    queue->progress = comm_progress(comm);
    queue->question = queue->answered = MPI_REQUEST_NULL;
    queue->slots = mem_new((size_t)threads, sizeof *queue->slots);
    for (int t = 0; t < threads; t++)
        atomic_init(&queue->slots[t], SLOT_FREE);
    if (queue->size == 1) return queue;
    comm_check(MPI_Comm_dup(comm_mpi(comm), &queue->mpi), "MPI_Comm_dup");
    if (queue->rank > 0) return queue;
    queue->wanted = mem_new((size_t)queue->size, sizeof *queue->wanted);
    queue->given = mem_new((size_t)queue->size, sizeof *queue->given);
    queue->receive = mem_new((size_t)queue->size, sizeof *queue->receive);
    queue->send = mem_new((size_t)queue->size, sizeof *queue->send);
    queue->receive[0] = MPI_REQUEST_NULL;
    for (int r = 0; r < queue->size; r++)
        queue->send[r] = MPI_REQUEST_NULL;
    for (int r = 1; r < queue->size; r++)
        receive_from(queue, r);
    return queue;
}

/* Rank 0: up to `most` tasks. */
static Given give(TaskQueue *queue, int64_t most) {
    const int64_t first = smaller(atomic_fetch_add(&queue->next, most), queue->tasks);
    return (Given){first, smaller(most, queue->tasks - first)};
}

/* A task, TASK_NONE, or TASK_LATER. */
static int64_t take(TaskQueue *queue, int thread) {
    if (queue->rank == 0) {
        const Given given = give(queue, 1);
        return given.count ? given.first : TASK_NONE;
    }
    atomic_int_fast64_t *slot = &queue->slots[thread];
    const int64_t found = atomic_load(slot);
    if (found == SLOT_FREE) atomic_store(slot, TASK_LATER);
    if (found < 0) return found == TASK_NONE ? TASK_NONE : TASK_LATER;
    atomic_store(slot, SLOT_FREE);
    return found;
}

static void nap(void) {
    nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
}

int64_t task_queue_wait(TaskQueue *queue, int thread, bool (*interrupted)(void *context), void *context) {
    int64_t task = take(queue, thread);
    if (task != TASK_LATER) return task;
    if (thread == 0) progress_wait_begin(queue->progress);
    while (task == TASK_LATER && !interrupted(context)) {
        nap();
        task = take(queue, thread);
    }
    if (thread == 0) progress_wait_end(queue->progress);
    return task == TASK_LATER ? TASK_NONE : task;
}

int64_t task_queue_given(const TaskQueue *queue) {
    return smaller(atomic_load(&queue->next), queue->tasks);
}

/* Rank 0: all questions that have come. */
static void answer_questions(TaskQueue *queue) {
    for (;;) {
        int rank, found;
        comm_check(MPI_Testany(queue->size, queue->receive, &rank, &found, MPI_STATUS_IGNORE), "MPI_Testany");
        if (!found || rank == MPI_UNDEFINED) return;
        if (queue->wanted[rank] == 0) {
            queue->left++;
            continue;
        }
        /* it asks again only when it has the last answer */
        comm_check(MPI_Wait(&queue->send[rank], MPI_STATUS_IGNORE), "MPI_Wait");
        queue->given[rank] = give(queue, queue->wanted[rank]);
        comm_check(
            MPI_Isend(&queue->given[rank], sizeof(Given), MPI_BYTE, rank, 0, queue->mpi, &queue->send[rank]),
            "MPI_Isend");
        receive_from(queue, rank);
    }
}

/* Gives the threads that wait what has come: a task each, or none. */
static void hand_out(TaskQueue *queue) {
    if (queue->answer.count < queue->asked) queue->exhausted = true;
    queue->asked = 0;
    for (int t = 0; t < queue->threads && queue->answer.count > 0; t++) {
        if (atomic_load(&queue->slots[t]) != TASK_LATER) continue;
        atomic_store(&queue->slots[t], queue->answer.first++);
        queue->answer.count--;
    }
}

static void send_number(TaskQueue *queue, int64_t number) {
    comm_check(MPI_Wait(&queue->question, MPI_STATUS_IGNORE), "MPI_Wait");
    queue->number = queue->asked = number;
    comm_check(MPI_Isend(&queue->number, 1, MPI_INT64_T, 0, 0, queue->mpi, &queue->question), "MPI_Isend");
}

/* For all threads that wait. */
static void ask(TaskQueue *queue) {
    int64_t waiting = 0;
    for (int t = 0; t < queue->threads; t++) {
        if (atomic_load(&queue->slots[t]) != TASK_LATER) continue;
        if (queue->exhausted)
            atomic_store(&queue->slots[t], TASK_NONE);
        else
            waiting++;
    }
    if (waiting == 0) return;
    comm_check(MPI_Irecv(&queue->answer, sizeof(Given), MPI_BYTE, 0, 0, queue->mpi, &queue->answered),
               "MPI_Irecv");
    send_number(queue, waiting);
}

/* Whether no answer is under way. */
static bool take_answer(TaskQueue *queue) {
    int found;
    if (queue->asked == 0) return true;
    comm_check(MPI_Test(&queue->answered, &found, MPI_STATUS_IGNORE), "MPI_Test");
    if (found) hand_out(queue);
    return found;
}

void task_queue_poll(TaskQueue *queue) {
    if (queue->size == 1) return;
    if (queue->rank == 0)
        answer_questions(queue);
    else if (take_answer(queue))
        ask(queue);
}

/* Whether this rank is done with the queue. */
static bool try_to_leave(TaskQueue *queue) {
    if (queue->size == 1) return true;
    if (queue->rank == 0) {
        answer_questions(queue);
        return queue->left == queue->size - 1;
    }
    if (!take_answer(queue)) return false;
    send_number(queue, 0);
    return true;
}

void task_queue_leave(TaskQueue *queue, StopWatch *watch) {
    progress_wait_begin(queue->progress);
    while (!try_to_leave(queue)) {
        if (watch) stop_watch_poll(watch);
        nap();
    }
    progress_wait_end(queue->progress);
}

void task_queue_destroy(TaskQueue **pointer) {
    TaskQueue *queue = *pointer;
    if (queue->size > 1) {
        comm_check(MPI_Wait(&queue->question, MPI_STATUS_IGNORE), "MPI_Wait");
        if (queue->rank == 0)
            comm_check(MPI_Waitall(queue->size, queue->send, MPI_STATUSES_IGNORE), "MPI_Waitall");
        comm_check(MPI_Comm_free(&queue->mpi), "MPI_Comm_free");
    }
    mem_free(queue->slots);
    mem_free(queue->wanted);
    mem_free(queue->given);
    mem_free(queue->receive);
    mem_free(queue->send);
    mem_free(queue);
    *pointer = NULL;
}
