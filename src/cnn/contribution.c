#include "cnn/contribution.h"

#include <stdio.h>

int64_t contribution_loss(const Network *net) {
    return net->param_floats + net->statistic_floats;
}

int64_t contribution_correct(const Network *net) {
    return contribution_loss(net) + 1;
}

int64_t contribution_floats(const Network *net) {
    return contribution_correct(net) + 1;
}

void contribution_describe(const Network *net, int64_t value, char *text, int size) {
    const int64_t statistic = value - net->param_floats;
    snprintf(text, (size_t)size, "the loss, of what %s gives,", net->layers[net->layer_count - 1].name);
    for (int a = 0; a < net->array_count; a++)
        if (value >= net->arrays[a].first && value < net->arrays[a].first + net->arrays[a].count)
            snprintf(text, (size_t)size, "the gradient of %s", net->arrays[a].name);
    for (int s = 0; s < net->statistic_count; s++)
        if (statistic >= net->statistics[s].first &&
            statistic < net->statistics[s].first + net->statistics[s].count)
            snprintf(text, (size_t)size, "the batch norm statistic %s", net->statistics[s].name);
}
