#include "cnn/cnn_options.h"

#define OPTIONS CnnOptions
#include "core/config_table.h"

static const ConfigKey keys[] = {
    TEXT("cnn", layers, "conv:16:3 bn relu pool:2 conv:32:3 bn relu pool:2 dense:classes",
         "the network, layer by layer (MANUAL.md: Layers of a network)"),
    INT("cnn", epochs, "5", 1, 100000, "", "passes over the training images"),
    INT("cnn", batch, "128", 1, 1048576, "images", "the global batch, over all ranks"),
    INT("cnn", micro_batch, "32", 1, 4096, "images",
        "fixed part of a batch whose gradient is computed in one fixed order; a power of two"),
    CHOICE("cnn", sum_bits, "64", "64|32|16",
           "bits in which a gradient's sum over all micro-batches travels: fewer are faster between nodes"),
    REAL("cnn", lr, "0.1", 0, 1000, "", "learning rate (the peak of a schedule)"),
    REAL("cnn", momentum, "0.9", 0, 0.9999, "", "momentum of SGD"),
    CHOICE("cnn", nesterov, "yes", "no|yes", "Nesterov's form of momentum"),
    REAL("cnn", weight_decay, "0.0005", 0, 1, "", "L2 penalty on weights (not on biases and batch norm)"),
    REAL(
        "cnn", lars, "0", 0, 1, "",
        "trust coefficient of layer-wise learning rates (LARS), such as 0.02, for large batches; 0 disables"),
    CHOICE("cnn", schedule, "onecycle", "constant|onecycle|cosine",
           "how the learning rate changes over the run"),
    REAL("cnn", warmup, "0.25", 0, 1, "of the run",
         "part of the run in which onecycle and cosine rise to lr"),
    REAL("cnn", bn_momentum, "0.1", 0.0001, 1, "", "share of a new batch in batch norm's running statistics"),
    REAL("cnn", ema, "0", 0, 0.999999, "a step",
         "the model is a moving average of the weights with this decay; 0 disables"),
    REAL("cnn", label_smoothing, "0", 0, 0.9, "",
         "share of the target that is spread over all classes; the training loss is of these targets"),
    TEXT("cnn", class_weights, "",
         "the loss of an image is multiplied by its class's weight: `balanced`, or a number for each class; "
         "empty: "
         "1"),
    REAL("cnn", shift, "0", 0, 8, "pixels", "augmentation: random shifts up to this far in x and y"),
    REAL("cnn", rotate, "0", 0, 90, "degrees", "augmentation: random rotations up to this angle, either way"),
    REAL("cnn", zoom, "0", 0, 0.5, "", "augmentation: random scale factors between 1 - zoom and 1 + zoom"),
    REAL("cnn", shear, "0", 0, 60, "degrees", "augmentation: random slants up to this angle, either way"),
    REAL("cnn", stretch, "0", 0, 1, "",
         "augmentation: up to 1 + stretch times as wide and as low, or as narrow and as high"),
    REAL("cnn", thickness, "0", 0, 1, "",
         "augmentation: strokes thicker or thinner, up to this share of a dilation or erosion by one pixel"),
    REAL("cnn", elastic, "0", 0, 8, "pixels",
         "augmentation: random smooth displacements, root mean square in x and in y"),
    REAL("cnn", elastic_sigma, "4", ELASTIC_SIGMA_MIN, 28, "pixels",
         "deviation of the Gaussian (as a cubic spline on a coarse lattice) that smooths elastic's noise"),
    CHOICE("cnn", keep, "last", "last|best",
           "the model is that of the last epoch, or of the one that is best on the held-out images"),
    CHOICE("cnn", best_by, "loss", "loss|accuracy", "what makes an epoch the best, of the held-out images"),
    INT("cnn", patience, "0", 0, 100000, "epochs",
        "stop after so many epochs without a better one on the held-out images; 0 disables"),
    WORK_INT("cnn", test_shifts, "0", 0, 4, "pixels",
             "evaluate and predict average over all shifts of an image up to this far in x and y"),
    WORK_INT("cnn", checkpoint_s, "60", 0, 1e6, "s",
             "time between checkpoints; 0: one at the end of each epoch"),
    WORK_INT("cnn", checkpoint_steps, "0", 0, 1e9, "steps",
             "a checkpoint also each time so many steps of the run are done; 0: none"),
};

static const ConfigSynonym synonyms[] = {
    {"learning_rate", "cnn.lr", NULL, false},
    {"class_weight", "cnn.class_weights", NULL, false},
    {"eta", "cnn.lr", NULL, false},
    {"alpha", "cnn.lr", NULL, false},
    {"batch_size", "cnn.batch", NULL, false},
    {"minibatch", "cnn.batch", NULL, false},
    {"microbatch_size", "cnn.micro_batch", NULL, false},
    {"num_epochs", "cnn.epochs", NULL, false},
    {"n_epochs", "cnn.epochs", NULL, false},
    {"max_epochs", "cnn.epochs", NULL, false},
    {"iterations", "cnn.epochs", NULL, false},
    {"optimizer", "cnn.momentum", "the optimizer is SGD; cnn.momentum, cnn.nesterov and cnn.lars shape it",
     false},
    {"optimiser", "cnn.momentum", "the optimizer is SGD; cnn.momentum, cnn.nesterov and cnn.lars shape it",
     false},
    {"dropout", "cnn.layers", "dropout is a layer, such as dropout:0.4", false},
    {"hidden", "cnn.layers", "a hidden layer is written dense:UNITS", false},
    {"hidden_size", "cnn.layers", "a hidden layer is written dense:UNITS", false},
    {"hidden_units", "cnn.layers", "a hidden layer is written dense:UNITS", false},
    {"hidden_layers", "cnn.layers", "a hidden layer is written dense:UNITS", false},
    {"units", "cnn.layers", "a hidden layer is written dense:UNITS", false},
    {"filters", "cnn.layers", "a convolution is written conv:FILTERS:KERNEL", false},
    {"kernel_size", "cnn.layers", "a convolution is written conv:FILTERS:KERNEL", false},
    {"architecture", "cnn.layers", NULL, false},
    {"network", "cnn.layers", NULL, false},
    {"activation", "cnn.layers", "an activation is a layer: relu", false},
    {"residual", "cnn.layers", "a skip connection is written add:NAME, where an earlier layer ends in @NAME",
     false},
    {"skip", "cnn.layers", "a skip connection is written add:NAME, where an earlier layer ends in @NAME",
     false},
    {"pooling", "cnn.layers", "pooling is a layer: pool:WINDOW, avgpool:WINDOW or avgpool:all", false},
    {"batch_norm", "cnn.layers", "batch norm is a layer: bn", false},
    {"l2", "cnn.weight_decay", NULL, false},
    {"decay", "cnn.weight_decay", NULL, false},
    {"regularization", "cnn.weight_decay", NULL, false},
    {"scheduler", "cnn.schedule", NULL, false},
    {"lr_schedule", "cnn.schedule", NULL, false},
    {"rotation", "cnn.rotate", NULL, false},
    {"translate", "cnn.shift", NULL, false},
    {"augment", "cnn.rotate",
     "each kind of augmentation has a key: shift, rotate, zoom, shear, stretch, thickness, elastic", false},
    {"augmentation", "cnn.rotate",
     "each kind of augmentation has a key: shift, rotate, zoom, shear, stretch, thickness, elastic", false},
    {"early_stopping", "cnn.patience", NULL, false},
    {"save_best", "cnn.keep", NULL, false},
    {"restore_best_weights", "cnn.keep", NULL, false},
    {"ensemble", "cnn.members", NULL, false},
    {"tta", "cnn.test_shifts", NULL, false},
    {"cnn.leaf", "cnn.micro_batch", NULL, true},
};

static const ConfigNeed needs[] = {
    {"cnn.nesterov", "cnn.momentum>0"},
    {"cnn.warmup", "cnn.schedule=onecycle|cnn.schedule=cosine"},
    {"cnn.elastic_sigma", "cnn.elastic>0"},
    {"cnn.best_by", "cnn.keep=best|cnn.patience>0"},
};

const ConfigTable cnn_keys = {COUNT_OF(keys), COUNT_OF(synonyms), keys, synonyms, COUNT_OF(needs), needs};

CnnOptions cnn_options(const Config *config) {
    CnnOptions options;
    config_fill(config, &cnn_keys, &options);
    return options;
}

Augmentation cnn_augmentation(const CnnOptions *options) {
    return (Augmentation){(float)options->shift,   (float)options->rotate,   (float)options->zoom,
                          (float)options->shear,   (float)options->elastic,  (float)options->elastic_sigma,
                          (float)options->stretch, (float)options->thickness};
}
