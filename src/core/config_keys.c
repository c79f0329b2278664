#include "core/config.h"

#define INT(name, initial, min, max, unit, help)                                                             \
    { name, CONFIG_INT, initial, min, max, "", unit, help, true }
#define INT_OR(word, name, initial, min, max, unit, help)                                                    \
    { name, CONFIG_INT, initial, min, max, word, unit, help, true }
#define REAL(name, initial, min, max, unit, help)                                                            \
    { name, CONFIG_REAL, initial, min, max, "", unit, help, true }
#define CHOICE(name, initial, choices, help)                                                                 \
    { name, CONFIG_CHOICE, initial, 0, 0, choices, "", help, true }
#define TEXT(name, initial, help)                                                                            \
    { name, CONFIG_TEXT, initial, 0, 0, "", "", help, true }
/* A key whose value doesn't change the trained model. */
#define WORK_INT(name, initial, min, max, unit, help)                                                        \
    { name, CONFIG_INT, initial, min, max, "", unit, help, false }

#define WORK_CHOICE(name, initial, choices, help)                                                            \
    { name, CONFIG_CHOICE, initial, 0, 0, choices, "", help, false }

static const ConfigKey keys[] = {
    CHOICE("run.model", "knn", "knn|svm|cnn", "model family"),
    INT("run.seed", "1", 0, 4294967295.0, "", "seed of every random number of the run"),
    INT("run.valid", "0", 0, 59999, "images",
        "how many of the last training images are held out for validation"),
    INT("run.train", "0", 0, 1e9, "images", "train on only the first so many of the rest; 0 for all"),
    CHOICE("run.preprocess", "none", "none|deskew|deskew-blur|deskew-centre|width",
           "what is done to every image first, in training and in use"),

    INT_OR("auto", "knn.k", "3", 1, 1000, "neighbours",
           "how many nearest training images vote; auto chooses by leaving out each training image in turn"),
    INT("knn.k_max", "25", 1, 1000, "neighbours", "the largest k that auto tries"),
    CHOICE("knn.votes", "plain", "plain|distance",
           "how neighbours vote: each alike, or each with the inverse of its distance"),
    CHOICE(
        "knn.metric", "l2", "l2|gradient|idm",
        "distance: l2 is the exact Euclidean one on 8-bit pixels, gradient the same on the strokes' edges by "
        "place and direction, idm that of the image distortion model"),
    INT("knn.candidates", "3000", 1, 1000000, "images",
        "idm: how many nearest training images by l2 are compared by idm"),
    INT("knn.warp", "2", 0, 3, "pixels", "idm: how far each pixel may move in x and in y"),
    INT("knn.context", "1", 0, 2, "pixels",
        "idm: how many pixels each way are compared with a pixel; 1 is 3x3"),
    CHOICE("knn.directions", "4", "2|4",
           "idm: gradients that are compared, 2 across and down, 4 along both diagonals too"),
    WORK_CHOICE("knn.search", "auto", "auto|brute|pruned",
                "how neighbours are found, exactly in any way; auto takes what is faster with this build"),

    CHOICE("svm.features", "pixels", "pixels|gradient",
           "what the kernel sees: the pixels, or the strokes' edges by place and direction"),
    CHOICE("svm.kernel", "rbf", "rbf|poly|linear",
           "kernel: exp(-gamma |u-v|^2), (gamma u.v + coef0)^degree, u.v"),
    REAL("svm.c", "10", 1e-6, 1e9, "", "cost of a margin violation"),
    REAL("svm.gamma", "0.02", 1e-9, 1e6, "",
         "gamma of the kernel, for pixels or features scaled to [0,1], or with normalize for images of "
         "length 1"),
    INT("svm.degree", "3", 1, 20, "", "degree of the polynomial kernel"),
    REAL("svm.coef0", "0", -1e6, 1e6, "", "constant term of the polynomial kernel"),
    CHOICE("svm.normalize", "no", "no|yes", "yes: the kernel sees every image scaled to length 1"),
    INT("svm.virtual", "0", 0, 3, "pixels",
        "virtual support vectors: train, shift the support vectors by 1, 2, ... this many pixels in 8 "
        "directions, "
        "train again on these; 0 for not"),
    REAL("svm.eps", "0.001", 1e-9, 1, "", "stop when the largest violation of optimality is below this"),
    CHOICE("svm.search", "none", "none|grid",
           "grid: first look for C and gamma by cross-validation over grid_c and grid_gamma"),
    TEXT("svm.grid_c", "1 3 10 30", "values of C that a search tries"),
    TEXT("svm.grid_gamma", "0.01 0.02 0.04",
         "values of gamma that a search tries: around svm.gamma, which depends on normalize"),
    CHOICE(
        "svm.probability", "no", "no|yes",
        "yes: fit class probabilities by cross-validation within training, which are then the confidences"),
    INT("svm.folds", "5", 2, 100, "folds", "parts of a cross-validation"),
    WORK_INT("svm.cache_mb", "1000", 1, 1e6, "MiB a rank", "memory for kernel rows"),
    WORK_INT("svm.shard", "4000", 1, 1e9, "samples",
             "where several ranks solve one pair of classes, each gets at least so many of its samples"),
    WORK_INT("svm.checkpoint_s", "60", 0, 1e6, "s",
             "seconds after which a rank begins no other class pair, or part of a search, before what is "
             "solved is saved"),

    TEXT("cnn.layers", "conv:16:3 bn relu pool:2 conv:32:3 bn relu pool:2 dense:10",
         "the network, layer by layer (README: The network in one line)"),
    INT("cnn.epochs", "5", 1, 100000, "", "passes over the training images"),
    INT("cnn.batch", "128", 1, 1048576, "images", "the global batch, over all ranks"),
    INT("cnn.micro_batch", "32", 1, 4096, "images",
        "images of a batch that one thread works on alone; a power of two"),
    REAL("cnn.lr", "0.1", 0, 1000, "", "learning rate (the peak of a schedule)"),
    REAL("cnn.momentum", "0.9", 0, 0.9999, "", "momentum of SGD"),
    CHOICE("cnn.nesterov", "yes", "no|yes", "Nesterov's form of momentum"),
    REAL("cnn.weight_decay", "0.0005", 0, 1, "", "L2 penalty on weights (not on biases and batch norm)"),
    REAL("cnn.lars", "0", 0, 1, "",
         "trust coefficient of layer-wise learning rates for large batches, such as 0.02; 0 for one rate"),
    CHOICE("cnn.schedule", "onecycle", "constant|onecycle|cosine",
           "how the learning rate changes over the run"),
    REAL("cnn.warmup", "0.25", 0, 1, "of the run", "part of the run in which onecycle and cosine rise to lr"),
    REAL("cnn.bn_momentum", "0.1", 0.0001, 1, "", "share of a new batch in batch norm's running statistics"),
    INT("cnn.members", "1", 1, 1000, "networks",
        "networks trained with seeds of their own, whose class probabilities are averaged"),
    TEXT("cnn.member_preprocess", "",
         "what run.preprocess is for each member in turn, such as: none width deskew; empty: the same for "
         "all"),
    TEXT("cnn.member_layers", "",
         "what cnn.layers is for each member in turn, with a | between them; empty: the same for all"),
    TEXT("cnn.member_settings", "",
         "other keys of [cnn] for each member in turn, such as: epochs=20 elastic=0.8 | rotate=6; empty: the "
         "same for all"),
    REAL("cnn.ema", "0", 0, 0.999999, "a step",
         "the model is a moving average of the weights with this decay; 0 for the weights themselves"),
    REAL("cnn.label_smoothing", "0", 0, 0.9, "",
         "share of the target that is spread over all classes; the training loss is of these targets"),
    REAL("cnn.shift", "0", 0, 8, "pixels", "augmentation: random shifts up to this far in x and y"),
    REAL("cnn.rotate", "0", 0, 90, "degrees", "augmentation: random rotations up to this angle, either way"),
    REAL("cnn.zoom", "0", 0, 0.5, "", "augmentation: random scale factors between 1 - zoom and 1 + zoom"),
    REAL("cnn.shear", "0", 0, 60, "degrees", "augmentation: random slants up to this angle, either way"),
    REAL("cnn.stretch", "0", 0, 1, "",
         "augmentation: up to 1 + stretch times as wide and as low, or as narrow and as high"),
    REAL("cnn.thickness", "0", 0, 1, "",
         "augmentation: strokes thicker or thinner, up to this share of a dilation or erosion by one pixel"),
    REAL("cnn.elastic", "0", 0, 8, "pixels",
         "augmentation: random smooth displacements, root mean square in x and in y"),
    REAL("cnn.elastic_sigma", "4", 2, 28, "pixels",
         "deviation of the Gaussian (as a cubic spline on a coarse lattice) that smooths elastic's noise"),
    WORK_INT("cnn.test_shifts", "0", 0, 4, "pixels",
             "evaluate and predict average over all shifts of an image up to this far in x and y"),
    WORK_INT("cnn.use_members", "0", 0, 1000, "networks",
             "evaluate and predict use only the first so many members; 0 for all"),
    WORK_INT("cnn.checkpoint_s", "60", 0, 1e6, "s",
             "least seconds between checkpoints, which are at ends of epochs"),
};

const ConfigKey *config_keys(size_t *count) {
    *count = sizeof keys / sizeof *keys;
    return keys;
}
