#include "cnn/micro_batch.h"

#include "cnn/contribution.h"
#include "cnn/micro_batch_loss.h"
#include "core/integers.h"
#include "core/timer.h"

/* One micro-batch under way, as one thread of its team sees it. */
typedef struct {
    MicroBatchWork *work;
    const Network *net;
    const MicroBatch *batch;
    const TeamMember *member;
    int n;
    float *gradient, *next_gradient; /* those of work, in turn */
} MicroBatchRun;

/* Some images of it. */
typedef struct {
    int first, n;
} Group;

/* A group's part of an array [images][layer->out]. */
static int64_t part_of(const Layer *layer, Group group) {
    return group.first * tensor_values(layer->out);
}

/* Gradients of a source's output. */
static float *source_gradient(const MicroBatchRun *run, int source, Group group) {
    const Layer *layer = &run->net->layers[source];
    return run->work->source_gradient + layer->source_first * run->work->micro_batch + part_of(layer, group);
}

static void set_arrays(const MicroBatchRun *run, LayerPass *pass) {
    for (int k = 0; k < LAYER_ARRAYS; k++) {
        if (pass->layer->arrays[k] < 0) continue;
        const int64_t first = run->net->arrays[pass->layer->arrays[k]].first;
        pass->params[k] = run->batch->params + first;
        pass->param_gradients[k] = run->batch->contribution + first;
    }
}

/* What layer i works on, but for gradients. */
static LayerPass pass_of(const MicroBatchRun *run, int i, Group group) {
    const MicroBatchWork *work = run->work;
    const Layer *layer = &run->net->layers[i];
    LayerPass pass = {
        .layer = layer,
        .n = group.n,
        .first = group.first,
        .all = run->n,
        .micro_batch = work->micro_batch,
        .relu = layer->does_relu,
        .in = (i ? work->out[i - 1] : work->input) + group.first * tensor_values(layer->in),
        .out = work->out[i] + part_of(layer, group),
        .packed = run->batch->packed->forward[i],
        .packed_back = run->batch->packed->backward[i],
        .statistics = run->batch->contribution + run->net->param_floats + layer->statistics,
        .kept = work->kept[i],
        .mask = work->masks[i] ? work->masks[i] + part_of(layer, group) : NULL,
        .work = run->member->scratch->kernel_work,
    };
    if (layer->source >= 0)
        pass.source = work->out[layer->source] + part_of(&run->net->layers[layer->source], group);
    set_arrays(run, &pass);
    return pass;
}

static int threads_of(const MicroBatchRun *run) {
    return run->member->team->threads;
}

static bool is_first_thread(const MicroBatchRun *run) {
    return run->member->me == 0;
}

static int next_task(const MicroBatchRun *run) {
    return team_next_task(run->member->team);
}

static void wait_for_team(const MicroBatchRun *run) {
    team_barrier(run->member->team);
}

/* Groups of so many images. */
static int group_count(const MicroBatchRun *run, int images) {
    return (int)divide_up(run->n, images);
}

static Group nth_group(const MicroBatchRun *run, int images, int k) {
    const int first = k * images, left = run->n - first;
    return (Group){first, left < images ? left : images};
}

/* Whether a stage has too few groups for each thread to take some of its own. */
static bool has_few_groups(const MicroBatchRun *run, const Stage *stage) {
    return group_count(run, stage->group) <= stage_few_groups(threads_of(run));
}

/* Images that a thread takes at a time: a group, or an even share of the micro-batch. */
static int images_at_a_time(const MicroBatchRun *run, const Stage *stage) {
    if (!has_few_groups(run, stage)) return stage->group;
    const int threads = threads_of(run);
    const int rounds = (int)divide_up(group_count(run, stage->group), threads);
    return group_count(run, rounds * threads);
}

static void tell_group_done(const MicroBatchRun *run) {
    const MicroBatchEvents *events = run->batch->events;
    if (events) events->group_done(events->context);
}

static void tell_values_ready(const MicroBatchRun *run, Range values) {
    const MicroBatchEvents *events = run->batch->events;
    if (events && is_first_thread(run)) events->values_ready(events->context, values);
}

static void forward_layer(const MicroBatchRun *run, int i, Group group) {
    LayerPass pass = pass_of(run, i, group);
    const LayerDraw draw = {run->work->seed, run->batch->epoch, (uint32_t)i,
                            run->batch->samples.indices + group.first, run->member->scratch->random};
    pass.draw = &draw;
    pass.layer->type->forward(&pass);
}

/* The layer at the border of a stage that gathers what the stage brings; NULL: it doesn't, or isn't there. */
static const LayerType *gathering_layer(const MicroBatchRun *run, int i) {
    if (i < 0 || i >= run->net->layer_count) return NULL;
    return run->net->layers[i].type->gather ? run->net->layers[i].type : NULL;
}

/* What a layer gathers of group k. */
static void gather(const MicroBatchRun *run, int i, Group group, int k) {
    const LayerPass pass = pass_of(run, i, group);
    Turns *turns = &run->work->turns[i][LAYER_TURNS_FORWARD];
    pass.layer->type->gather(&pass);
    turns_begin(turns, k);
    pass.layer->type->add_gathered(&pass);
    turns_end(turns);
}

static void gather_back(const MicroBatchRun *run, int i, Group group, int k, float *gradient) {
    LayerPass pass = pass_of(run, i, group);
    Turns *turns = &run->work->turns[i][LAYER_TURNS_BACK];
    pass.gradient = gradient;
    pass.layer->type->gather_back(&pass);
    turns_begin(turns, k);
    pass.layer->type->add_gathered_back(&pass);
    turns_end(turns);
}

/* All threads have gathered: one of them ends it for a layer. */
static void end_gather(const MicroBatchRun *run, int i, void (*gathered)(const LayerPass *pass)) {
    if (is_first_thread(run)) {
        const LayerPass pass = pass_of(run, i, (Group){0, run->n});
        gathered(&pass);
    }
    wait_for_team(run);
}

static void run_forward(const MicroBatchRun *run, const Stage *stage) {
    const LayerType *gathering = gathering_layer(run, stage->end);
    const int images = images_at_a_time(run, stage), parts = group_count(run, images);
    const int groups = group_count(run, stage->group);
    for (int k; (k = next_task(run)) < parts;) {
        const Group group = nth_group(run, images, k);
        for (int i = stage->first; i < stage->end; i++)
            forward_layer(run, i, group);
        if (gathering && images == stage->group) gather(run, stage->end, group, k);
        tell_group_done(run);
    }
    wait_for_team(run);
    if (!gathering) return;
    if (images != stage->group) {
        for (int k; (k = next_task(run)) < groups;)
            gather(run, stage->end, nth_group(run, stage->group, k), k);
        wait_for_team(run);
    }
    end_gather(run, stage->end, gathering->gathered);
}

/* The last layer that a stage passes on the way back and that writes its gradient elsewhere; -1: none. */
static int last_out_of_place_layer(const MicroBatchRun *run, const Stage *stage) {
    for (int i = stage->first; i < stage->end; i++)
        if (!run->net->layers[i].type->gradient_in_place) return i;
    return -1;
}

/* Whether somebody needs the gradient of layer i's output. */
static bool needs_gradient(const MicroBatchRun *run, int i) {
    return i >= run->net->first_trained;
}

/* In how many parts threads sum a layer's weight gradient; 0: it has none. */
static int weight_parts(const MicroBatchRun *run, const Layer *layer) {
    if (!layer->type->sum_weights) return 0;
    const int parts = layer->type->weight_parts(layer), threads = threads_of(run);
    return parts < threads ? parts : threads;
}

/* Group k's part of a layer's weight gradient, after those of the groups before. */
static void sum_weights_in_turn(const MicroBatchRun *run, int i, Group group, int k, float *gradient) {
    LayerPass pass = pass_of(run, i, group);
    if (!pass.layer->type->sum_weights) return;
    pass.gradient = gradient;
    pass.parts = pass.end_part = weight_parts(run, pass.layer);
    pass.turns = &run->work->turns[i][LAYER_TURNS_WEIGHTS];
    pass.turn = k;
    pass.layer->type->sum_weights(&pass);
}

/* One part of it over all images, group after group as above; gradient of the whole micro-batch. */
static void sum_weights_part(const MicroBatchRun *run, const Stage *stage, int i, int part, float *gradient) {
    for (int k = 0; k < group_count(run, stage->group); k++) {
        LayerPass pass = pass_of(run, i, nth_group(run, stage->group, k));
        pass.gradient = gradient + part_of(pass.layer, nth_group(run, stage->group, k));
        pass.first_part = part;
        pass.end_part = part + 1;
        pass.parts = weight_parts(run, pass.layer);
        pass.layer->type->sum_weights(&pass);
    }
}

static void backward_layer(const MicroBatchRun *run, int i, Group group, float *gradient,
                           float *in_gradient) {
    const Network *net = run->net;
    LayerPass pass = pass_of(run, i, group);
    pass.gradient = gradient;
    pass.in_gradient = in_gradient;
    if (pass.layer->source >= 0 && needs_gradient(run, pass.layer->source))
        pass.source_gradient = source_gradient(run, pass.layer->source, group);
    pass.layer->type->backward(&pass);
    /* what came here from layers that took the output of the one below */
    if (i > 0 && net->layers[i - 1].is_source && needs_gradient(run, i - 1))
        add_forward(group.n * tensor_values(pass.layer->in), in_gradient, source_gradient(run, i - 1, group),
                    false, in_gradient);
}

/* Group k through a stage. Returns the gradient of the stage's input. */
static float *backward_group(const MicroBatchRun *run, const Stage *stage, Group group, int k) {
    const Layer *layers = run->net->layers;
    float *const *group_gradient = run->member->scratch->group_gradient;
    const int last_out_of_place = last_out_of_place_layer(run, stage);
    float *gradient = run->gradient + part_of(&layers[stage->end - 1], group);
    for (int i = stage->end - 1; i >= stage->first; i--) {
        float *in_gradient = gradient;
        if (i == last_out_of_place)
            in_gradient = run->next_gradient + group.first * tensor_values(layers[i].in);
        else if (!layers[i].type->gradient_in_place)
            in_gradient = group_gradient[gradient == group_gradient[0]];
        sum_weights_in_turn(run, i, group, k, gradient);
        backward_layer(run, i, group, gradient, in_gradient);
        gradient = in_gradient;
    }
    return gradient;
}

/* Each thread takes groups through the stage. */
static void backward_groups(const MicroBatchRun *run, const Stage *stage, int gathering) {
    const int groups = group_count(run, stage->group);
    for (int k; (k = next_task(run)) < groups;) {
        const Group group = nth_group(run, stage->group, k);
        float *gradient = backward_group(run, stage, group, k);
        if (gathering >= 0) gather_back(run, gathering, group, k, gradient);
        tell_group_done(run);
    }
    wait_for_team(run);
}

/* Task k of a layer's weight gradient, where the threads go through it together: a part, or, of one that has
 * but one, a group. */
static void sum_weights_task(const MicroBatchRun *run, const Stage *stage, int i, int k, float *gradient) {
    const Layer *layer = &run->net->layers[i];
    const Group group = nth_group(run, stage->group, k);
    if (weight_parts(run, layer) > 1)
        sum_weights_part(run, stage, i, k, gradient);
    else
        sum_weights_in_turn(run, i, group, k, gradient + part_of(layer, group));
}

/* The threads go through one layer together: gradients are those of the whole micro-batch. */
static void backward_layer_together(const MicroBatchRun *run, const Stage *stage, int i, float *gradient,
                                    float *in_gradient) {
    const Layer *layer = &run->net->layers[i];
    const int parts = weight_parts(run, layer), images = images_at_a_time(run, stage);
    const int weight_tasks = parts == 1 ? group_count(run, stage->group) : parts;
    const int tasks = weight_tasks + group_count(run, images);
    for (int task; (task = next_task(run)) < tasks;) {
        const Group group = nth_group(run, images, task - weight_tasks);
        if (task < weight_tasks)
            sum_weights_task(run, stage, i, task, gradient);
        else
            backward_layer(run, i, group, gradient + part_of(layer, group),
                           in_gradient + group.first * tensor_values(layer->in));
        tell_group_done(run);
    }
    wait_for_team(run);
}

static void backward_layers(const MicroBatchRun *run, const Stage *stage, int gathering) {
    const int groups = group_count(run, stage->group),
              last_out_of_place = last_out_of_place_layer(run, stage);
    float *gradient = run->gradient;
    for (int i = stage->end - 1; i >= stage->first; i--) {
        float *in_gradient = gradient;
        if (i == last_out_of_place)
            in_gradient = run->next_gradient;
        else if (!run->net->layers[i].type->gradient_in_place)
            in_gradient = run->work->stage_gradient[gradient == run->work->stage_gradient[0]];
        backward_layer_together(run, stage, i, gradient, in_gradient);
        gradient = in_gradient;
    }
    if (gathering < 0) return;
    for (int k; (k = next_task(run)) < groups;) {
        const Group group = nth_group(run, stage->group, k);
        gather_back(run, gathering, group, k, gradient + part_of(&run->net->layers[gathering], group));
    }
    wait_for_team(run);
}

static void run_backward(MicroBatchRun *run, const Stage *stage) {
    const int below = stage->first - 1;
    const bool gathers = needs_gradient(run, below) && gathering_layer(run, below);
    (has_few_groups(run, stage) ? backward_layers : backward_groups)(run, stage, gathers ? below : -1);
    if (gathers) end_gather(run, below, run->net->layers[below].type->gathered_back);
    if (last_out_of_place_layer(run, stage) < 0) return;
    float *gradient = run->gradient;
    run->gradient = run->next_gradient;
    run->next_gradient = gradient;
}

/* Returns the seconds that it took. */
static double load_samples(const MicroBatchRun *run) {
    double began_s = timer_now_s();
    MicroBatchWork *work = run->work;
    const Samples *samples = &run->batch->samples;
    const ImageSpec spec = run->net->spec;
    const int64_t pixels = image_spec_pixels(spec);
    for (int s; (s = next_task(run)) < run->n;) {
        int64_t row = samples->rows[s];
        augment_image(&work->augmentation, spec,
                      (AugmentKey){work->seed, run->batch->epoch, samples->indices[s]},
                      samples->images + row * pixels, work->input + s * pixels);
        work->labels[s] = samples->labels[row];
    }
    wait_for_team(run);
    return timer_now_s() - began_s;
}

static void restart_turns(const MicroBatchRun *run) {
    for (int i = 0; i < run->net->layer_count; i++)
        for (int k = 0; k < LAYER_TURNS; k++)
            turns_restart(&run->work->turns[i][k]);
}

double micro_batch_run(MicroBatchWork *work, const MicroBatch *batch, const TeamMember *member) {
    const Network *net = work->net;
    const MicroBatchPlan *plan = &work->plan;
    MicroBatchRun run = {
        work, net, batch, member, (int)batch->samples.n, work->gradient, work->next_gradient};
    wait_for_team(&run); /* nobody works on the one before any more */
    if (is_first_thread(&run)) restart_turns(&run);
    TraceThread *trace = member->scratch->trace;
    double traced_s = trace_begin(trace);
    double input_s = load_samples(&run);
    traced_s = trace_end(trace, TRACE_LOAD, traced_s, 0, 0);
    for (int k = 0; k < plan->forward_count; k++) {
        const Stage *stage = &plan->forward[k];
        run_forward(&run, stage);
        traced_s = trace_end(trace, TRACE_FORWARD, traced_s, stage->first + 1, stage->end);
    }
    if (is_first_thread(&run)) micro_batch_loss(work, run.n, batch->contribution);
    wait_for_team(&run);
    tell_values_ready(&run, (Range){net->param_floats, contribution_floats(net)});
    traced_s = trace_end(trace, TRACE_LOSS, traced_s, 0, 0);
    for (int k = 0; k < plan->backward_count; k++) {
        const Stage *stage = &plan->backward[k];
        run_backward(&run, stage);
        tell_values_ready(&run, stage->params);
        traced_s = trace_end(trace, TRACE_BACKWARD, traced_s, stage->end, stage->first + 1);
    }
    return input_s;
}
