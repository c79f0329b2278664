/* A network in one line, for images whose height, width and classes the first three bytes give. */
#include "fuzz/fuzz.h"

#include "cnn/network.h"
#include "core/mem.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 3) return 0;
    Status status = {0};
    const int sides = SIDE_MAX - SIDE_MIN + 1;
    const ImageSpec spec = {SIDE_MIN + data[0] % sides, SIDE_MIN + data[1] % sides,
                            data[2] < CLASSES_MIN ? CLASSES_MIN : data[2], 0, false};
    char *text = mem_new(size - 2, 1);
    memcpy(text, data + 3, size - 3);
    Network *net = mem_new(1, sizeof *net);
    if (!network_parse(net, text, spec, &status)) {
        fuzz_require(net->parameters > 0 && net->parameters <= NETWORK_MAX_PARAMS,
                     "a network has its parameters");
        fuzz_require(network_max_values(net) > 0 && network_work_floats(net, 1) >= 0,
                     "its sizes are positive");
    }
    fuzz_check_status(&status);
    mem_free(net);
    mem_free(text);
    return 0;
}
