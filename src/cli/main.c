/* pardigits: the dispatch table. */
#include "cli/cli.h"
#include "cli/same_start.h"

#include "api/build_info.h"
#include "parallel/placement.h"
#include "parallel/stop.h"
#include "parallel/watchdog.h"
#include "store/h5io.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *name;
    CommandRun run;
    const char *usage, *help;
} commands[] = {
    {"prepare", cmd_prepare,
     "prepare --idx DIR --out FILE.h5 [--class-names FILE] [--labels-from 0|1] [--transpose] [--json | "
     "--csv]\n"
     "  pardigits prepare --pictures DIR --out FILE.h5 [--shape HxW] [--invert] [--json | --csv]\n"
     "  pardigits prepare ... --grow N [--set section.key=value]...",
     "Writes a dataset of labelled grey images and prints its counts and checksums.\n"
     "  --idx DIR          IDX files, plain or .gz, with MNIST's names; a test part (t10k or test) may be "
     "absent;\n"
     "                     DIR/PREFIX- reads PREFIX-train-images-idx3-ubyte and so on\n"
     "  --grow N           makes N training images by distorting those that there are, on all ranks "
     "together\n"
     "  --set              changes run.seed, or a key of the distortions, such as cnn.elastic, for --grow\n"
     "  --class-names FILE names of the classes, one per line\n"
     "  --labels-from 1    for labels that begin at 1, as in EMNIST letters\n"
     "  --transpose        swaps rows and columns, as EMNIST needs\n"
     "  --pictures DIR     one folder per class: DIR/train/NAME/* and DIR/test/NAME/*, or DIR/NAME/*\n"
     "  --shape HxW        height and width (8 to 64) that pictures are scaled to; default: those of the "
     "first one\n"
     "  --invert           for pictures of dark ink on a light ground"},
    {"train", cmd_train,
     "train CONFIG.ini --run DIR [--data FILE.h5] [--set section.key=value]... [--resume "
     "[--allow-other-build] | "
     "--overwrite] [--init MODEL.h5] [--trace FILE.json]\n"
     "  pardigits train CONFIG.ini --dry-run [--data FILE.h5] [--set section.key=value]... [--init MODEL.h5] "
     "[--json | --csv]",
     "Trains the model that CONFIG.ini describes and writes DIR/model.h5, metrics.h5 and config.ini.\n"
     "  --set         changes a key of the configuration\n"
     "  --resume      continues the run in DIR; starts a new one if there is none\n"
     "  --allow-other-build  continues it under another build or kind of processor, too: the model gets "
     "other "
     "bits\n"
     "  --overwrite   replaces the run in DIR\n"
     "  --init        a fresh run begins with the weights of this CNN; its last layer may be another one, "
     "for "
     "other\n"
     "                classes, and is then new"
     "\n"
     "  --trace       writes what each thread did when, in Chrome's trace event format, for Perfetto and the "
     "like\n"
     "  --dry-run     writes nothing: prints the configuration, the shapes, the placement of the ranks, what "
     "memory\n"
     "                they take and, of a CNN, how long a step takes; without --run, --resume, --overwrite, "
     "--trace\n"
     "SIGUSR1, SIGUSR2, SIGTERM, SIGINT and SIGHUP save and end with exit code 75: run again with --resume."},
    {"evaluate", cmd_evaluate,
     "evaluate MODEL.h5... [--data FILE.h5] [--split train|valid|test] [--members K] [--set "
     "section.key=value]... [--predictions FILE] [--summary] [--json | --csv]",
     "Predicts all images of a part of the dataset and counts the correct ones. `seconds` is prediction "
     "alone.\n"
     "For a single ensemble, a table shows how many its first 1, 2, ... members get right together;\n"
     "--json has this as correct_by_members for each ensemble. RUN stands for RUN/model.h5.\n"
     "  --data        the dataset; default: the one that the model was trained on\n"
     "  --split       the part of the dataset; default: test\n"
     "  --predictions writes what the model says about each image: FILE.csv, .npz, .h5 or .hdf5, by the "
     "ending\n"
     "  --summary     mean and deviation of the accuracy over models that differ only in their seed\n"
     "  --members     uses only the first K members of an ensemble\n"
     "  --set         changes a key that says how the model is used, such as cnn.test_shifts"},
    {"predict", cmd_predict,
     "predict MODEL.h5 PICTURE|FOLDER|-... [--single | --whole] [--reject R] [--probabilities] [--seen "
     "SHEET.png] "
     "[--annotate OUT.png] [--neighbours SHEET.png] [--set section.key=value]... [--json | --csv]",
     "Reads the digits in pictures (PNG, JPEG, TIFF, WebP, GIF, BMP, JPEG 2000, PNM; any size; dark on light "
     "or light on dark).\n"
     "A line for each picture, or page of a TIFF: its digits in reading order, and the confidence of the "
     "least "
     "sure one.\n"
     "A digit that the model may not know is followed by ?. Of a FOLDER all pictures are read; - is standard "
     "input.\n"
     "  --single      takes each picture as one digit, whatever is on it\n"
     "  --whole       takes each picture as one image as the model was trained on: scaled to its shape, "
     "nothing "
     "cut\n"
     "                out or centred, light where the training images are\n"
     "  --reject      how sure the model has to be of a digit that isn't doubtful, 0 to 1; default: 0.5\n"
     "  --probabilities  of all classes for each digit\n"
     "  --seen        draws each digit as the model sees it\n"
     "  --annotate    draws the pictures with a box and label at each digit\n"
     "  --neighbours  draws each digit, as a KNN model sees it, beside its nearest training images (up to "
     "20),\n"
     "                each with its label and distance (the square root of what is compared)\n"
     "  --set         changes a key that says how the model is used, such as cnn.test_shifts"},
    {"show", cmd_show, "show FILE.h5 [--out SHEET.png] [--json | --csv]",
     "Describes a dataset, a model, or a file of metrics or of predictions. --out also draws samples of a "
     "dataset\n"
     "or model, or a CNN's first filters."},
    {"digest", cmd_digest, "digest MODEL.h5 [--json | --csv]",
     "Prints a SHA-256 of the model's content: the same for any number of ranks and threads."},
    {"export", cmd_export,
     "export MODEL.h5 --out FILE [--format libsvm|onnx|npz] [--split train|valid|test [--data FILE.h5]] "
     "[--set "
     "section.key=value]... [--json | --csv]",
     "Writes an SVM as a model file of LIBSVM, which svm-predict reads, a CNN, an ensemble or an SVM as an "
     "ONNX file,\n"
     "or any model as a NumPy file of arrays.\n"
     "  --format      default: onnx if --out ends in .onnx, npz if in .npz, otherwise libsvm\n"
     "  --split       writes the images of this part of the dataset instead, as the model sees them\n"
     "  --set         changes a key that says how the model is used: with cnn.test_shifts=0 ONNX predicts "
     "one "
     "image\n"
     "                instead of all its shifts"},
    {"import", cmd_import,
     "import FILE --out MODEL.h5 [--format libsvm] [--shape HxW] [--classes N] [--features-from 0|1] [--data "
     "FILE.h5] [--set "
     "section.key=value]... [--json | --csv]",
     "Converts a LIBSVM model (C-SVC, labels 0 to 255, pixels divided by 255, no svm.normalize) to a "
     "model.h5.\n"
     "  --shape       height and width of its images; default: 28x28 if the largest feature is in its second "
     "half\n"
     "  --classes     number of classes; default: 10, or more if the labels need it\n"
     "  --features-from 0  for files whose first pixel is feature 0, as scikit-learn writes them; default: "
     "1, unless a "
     "feature\n"
     "                0 is found\n"
     "  --data        takes shape, classes and their names from this dataset, which the model is then used "
     "with\n"
     "  --set         says what else the file doesn't: run.preprocess and svm.features, without which the "
     "predictions\n"
     "                of a model trained with them are wrong; run.train and run.valid"},
    {"scaling", cmd_scaling, "scaling RUN... [--accuracy A] [--out FOLDER] [--json | --csv]",
     "Compares runs of one configuration on different numbers of ranks and threads: speed-up and efficiency, "
     "of\n"
     "runs over the same images (strong scaling) and over the same number of images a thread (weak "
     "scaling).\n"
     "RUN is the folder of a finished run; several of one size are repetitions.\n"
     "  --accuracy    the accuracy on held-out images whose time is told; default: 0.99\n"
     "  --out         also writes the tables to FOLDER, and figures as SVG and PNG (by gnuplot)"},
    {"report", cmd_report,
     "report RUN... [--out report.html] [--split train|valid|test] [--data FILE.h5] [--figures FOLDER]",
     "Predicts the images of a part of the dataset by each run's model, and writes a page about the runs "
     "that a "
     "browser\n"
     "opens from disk: accuracies and tests between them, learning curves, confusion matrices that open "
     "their "
     "images,\n"
     "calibration, time, scaling, configurations. RUN is the folder of a run, or a model file.\n"
     "  --out         the page; default: report.html\n"
     "  --split       the part of the dataset; default: test\n"
     "  --data        the dataset; default: the one that each model was trained on\n"
     "  --figures     also writes the figures to FOLDER, as SVG and PNG (by gnuplot)"},
    {"watch", cmd_watch, "watch RUN [--once | --every SECONDS] [--json | --csv]",
     "Shows how a run goes until it ends: place, images a second, time left, curves; from its metrics, which "
     "may "
     "lie on a\n"
     "shared file system.\n"
     "  --once        shows it once\n"
     "  --every       looks for news so often; default: 2 seconds"},
    {"keys", cmd_keys, "keys [SECTION | KEY] [--json | --csv]",
     "Lists the keys of the configuration: defaults, ranges and meanings; --json and --csv: types, too."},
    {"bench", cmd_bench, "bench kernels|pixdot|comm|step [CONFIG.ini] [--images N] [--json | --csv]",
     "Measures the parts of the program, for the network of CONFIG.ini (default: configs/cnn.ini, or that of "
     "the keys'\n"
     "defaults where there is no such file):\n"
     "  kernels   GFLOP/s of each layer's three passes on one core, and % of the peak that arithmetic in "
     "registers reaches;\n"
     "            --images sets how many images at a time (as many as training takes)\n"
     "  pixdot    exact multiply-adds a second of the kernel under KNN and SVM\n"
     "  comm      milliseconds of sums over the ranks, as training makes them, by size and algorithm\n"
     "  step      where the time of a training step goes on one thread, and what a barrier of threads "
     "costs;\n"
     "            --images sets the images of the step (as many as cnn.batch)"},
};

enum { COMMANDS = sizeof commands / sizeof *commands };

static void print_help(FILE *file) {
    fputs("pardigits: trains and uses classifiers of small grey images in parallel (MPI ranks x OpenMP "
          "threads)\n\n",
          file);
    for (int c = 0; c < COMMANDS; c++)
        fprintf(file, "  pardigits %s\n", commands[c].usage);
    fputs("  pardigits --version\n", file);
    fputs("\nEvery command also runs under mpirun or srun. By default `train` takes the dataset run.data "
          "or " DEFAULT_DATA ",\nother commands that of the model.\n"
          "Exit codes: 0 done; 1 failed at work; 2 the command line or the configuration is wrong; 75 "
          "stopped by a\nsignal after saving (run again with --resume).\n",
          file);
}

static int find_command(const char *name) {
    for (int c = 0; c < COMMANDS; c++)
        if (name && !strcmp(commands[c].name, name)) return c;
    return -1;
}

static bool is_version(const char *word) {
    return !strcmp(word, "--version") || !strcmp(word, "version");
}

/* Help and version need no MPI, so that they work on a login node too. Returns whether it was asked for. */
static bool answer_help(int argc, char **argv) {
    if (argc == 2 && is_version(argv[1])) {
        build_info_print(stdout);
        return true;
    }
    const bool by_name = argc > 1 && !strcmp(argv[1], "help");
    bool asked = by_name;
    for (int i = 1; i < argc; i++)
        asked = asked || !strcmp(argv[i], "--help") || (i < 3 && !strcmp(argv[i], "-h"));
    if (!asked) return false;
    int c = find_command(by_name ? argv[2] : argv[1]); /* argv ends with NULL */
    if (c < 0)
        print_help(stdout);
    else
        printf("pardigits %s\n\n%s\n", commands[c].usage, commands[c].help);
    return true;
}

/* Ends what a command prints: a write that failed (a full disk) is an error. */
static StatusCode finish_output(Status *status) {
    if (fflush(stdout) || ferror(stdout))
        status_set(status, STATUS_FAILED,
                   "Standard output couldn't be written: the disk or pipe it goes to is gone.");
    return status->code;
}

static StatusCode run_command(const Comm *comm, int argc, char **argv, Status *status) {
    if (require_same_arguments(comm, argc, argv, status)) return status->code;
    int c = find_command(argc > 1 ? argv[1] : NULL);
    if (argc > 2 && is_version(argv[1]))
        return status_set(status, STATUS_USAGE, "%s takes no arguments: omit %s.", argv[1], argv[2]);
    if (c < 0)
        return status_set(status, STATUS_USAGE, "%s%s; see `pardigits --help`.",
                          argc > 1 ? "There is no command " : "No command was given",
                          argc > 1 ? argv[1] : "");
    if (require_same_build(comm, status)) return status->code;
    Log log = log_create(comm_rank(comm));
    const Context context = {comm, &log, placement_threads(comm)};
    commands[c].run(&context, argc - 1, argv + 1, status);
    finish_output(status);
    return comm_agree(comm, status);
}

/* The ranks of this run. Starting MPI takes longer than most commands do, so those that don't need it with
 * one rank start it only where there may be several. */
static Comm *start_ranks(int *argc, char ***argv) {
    static const CommandRun with_mpi[] = {cmd_train, cmd_bench};
    const int c = find_command(*argc > 1 ? (*argv)[1] : NULL);
    bool needed = comm_was_launched();
    for (size_t i = 0; c >= 0 && i < sizeof with_mpi / sizeof *with_mpi; i++)
        needed = needed || commands[c].run == with_mpi[i];
    return needed ? comm_init(argc, argv) : comm_alone();
}

/* Signals that come while a job's ranks start are for the work that follows. */
static void take_signals(int argc, char **argv, char **environment) {
    (void)environment;
    if (argc > 1 && !strcmp(argv[1], "train"))
        stop_install();
    else
        stop_exit_on_signal("run it again");
}

/* The libraries set themselves up before main, which takes some milliseconds: this is called before that. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
__attribute__((section(".preinit_array"),
               used)) static void (*const before_libraries)(int, char **, char **) = take_signals;
#endif

int main(int argc, char **argv) {
    Status status = {0};
    if (answer_help(argc, argv)) {
        if (finish_output(&status)) fprintf(stderr, "pardigits: %s\n", status.text);
        return status.code;
    }
    h5_skip_cleanup();
    signal(SIGXFSZ, SIG_IGN); /* a file beyond a limit (ulimit -f) can't be written, and a sentence says so */
    take_signals(argc, argv, NULL);
    Comm *comm = start_ranks(&argc, &argv);
    Watchdog *watchdog = watchdog_start(comm);
    run_command(comm, argc, argv, &status);
    stop_note_only();
    if (status.code && comm_rank(comm) == 0) fprintf(stderr, "pardigits: %s\n", status.text);
    watchdog_stop(&watchdog);
    if (h5_is_stuck()) _exit(fflush(NULL) ? STATUS_FAILED : status.code);
    comm_finalize(&comm);
    return status.code;
}
