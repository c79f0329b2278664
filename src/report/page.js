"use strict";
// Builds the page from the data within it. Every text goes in as text, never as markup; figures are SVG of gnuplot.

const page = JSON.parse(document.getElementById("page-data").textContent);
const runs = document.getElementById("runs-data").textContent.trim().split("\n").map((line) => JSON.parse(line));
const pngs = new Map(page.images.map((image) => [image.set + ":" + image.index, image.png]));
const figures = page.figures || [];
const main = document.getElementById("main");

const percent = (share, digits = 2) => share === null ? "–" : (100 * share).toFixed(digits) + " %";
const classes = (run) => page.sets[run.set].classes.map((entry) => entry.name);
const evaluated = (run) => run.set !== undefined;
const of = (list) => list && list[0] || {};

// element("td", {class: "number"}, "text", child, ...)
function element(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {}))
        if (name === "onclick") made.addEventListener("click", value);
        else if (value !== null && value !== undefined) made.setAttribute(name, value);
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
}

// rows: arrays of cells; a number is set to the right, a string isn't, an element stands as it is. of: the name of the run that it is of, if the
// caption doesn't have it.
function table(caption, titles, rows, of = "") {
    const isNumber = (cell, c) => cell === null || typeof cell === "number" || c > 0 && /^[<\d. –-]+( %)?$/.test(cell);
    const numeric = titles.map((_, c) => rows.every((row) => isNumber(row[c], c)));
    const head = titles.map((title, c) => element("th", {scope: "col", class: numeric[c] ? "number" : null}, title));
    const body = rows.map((row) => element("tr", {}, ...row.map((cell, c) => c === 0 && typeof cell === "string"
        ? element("th", {scope: "row", class: "text", style: "--letters: " + cell.length}, cell)
        : element("td", {class: numeric[c] ? "number" : "text"}, cell === null ? "–" : cell instanceof Node ? cell : String(cell)))));
    const made = element("table", {class: titles.length > 2 ? "columns" : null}, element("caption", {}, caption), element("thead", {}, element("tr", {}, ...head)),
        element("tbody", {}, ...body));
    return wide(made, of ? of + ": " + caption : caption);
}

// What is wider than the page scrolls by itself, by keyboard too.
function wide(child, name) {
    const box = element("div", {class: "wide"}, child);
    new ResizeObserver(() => {
        const scrolls = box.scrollWidth > box.clientWidth;
        const attributes = {tabindex: "0", role: "region", "aria-label": name};
        for (const [attribute, value] of Object.entries(attributes))
            if (scrolls) box.setAttribute(attribute, value);
            else box.removeAttribute(attribute);
    }).observe(box);
    return box;
}

function section(id, title, ...children) {
    main.append(element("section", {id, "aria-labelledby": id + "-title"}, element("h2", {id: id + "-title"}, title), ...children));
    document.getElementById("sections").append(element("li", {}, element("a", {href: "#" + id}, title)));
}

function details(title, ...children) {
    return element("details", {}, element("summary", {}, title), ...children);
}

// --- figures

function save(name, blob) {
    const url = URL.createObjectURL(blob);
    element("a", {href: url, download: name}).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
}

// A picture of the SVG in twice its size, for paper and slides.
function savePng(figure) {
    const image = new Image();
    image.onload = () => {
        const canvas = element("canvas", {width: 2 * image.width, height: 2 * image.height});
        canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
        canvas.toBlob((blob) => save(figure.name + ".png", blob));
    };
    image.src = "data:image/svg+xml," + encodeURIComponent(figure.svg);
}

function drawn(figure) {
    const svg = document.importNode(new DOMParser().parseFromString(figure.svg, "image/svg+xml").documentElement, true);
    svg.querySelectorAll("g[id], title, desc").forEach((part) => part.tagName === "g" ? part.removeAttribute("id") : part.remove());
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", figure.title + ". The tables have its numbers.");
    const saveSvg = () => save(figure.name + ".svg", new Blob([figure.svg], {type: "image/svg+xml"}));
    const kind = figure.kind === "confusion" ? " paper small" : figure.kind === "calibration" ? " small" : "";
    return element("figure", {class: "figure" + kind}, wide(svg, figure.title + " (figure)"), element("figcaption", {}, figure.title,
        element("button", {type: "button", onclick: saveSvg, "aria-label": "Save as SVG: " + figure.title}, "SVG"),
        element("button", {type: "button", onclick: () => savePng(figure), "aria-label": "Save as PNG: " + figure.title}, "PNG")));
}

function figuresOf(kind, run) {
    return figures.filter((figure) => figure.kind === kind && (run === undefined || figure.run === run)).map(drawn);
}

// --- pictures

function picture(run, entry) {
    const names = classes(run), label = names[entry.label], predicted = names[entry.predicted], number = run.first + entry.index;
    const text = "image " + number + ": label " + label + ", predicted " + predicted + ", confidence " + percent(entry.confidence, 1);
    return element("figure", {}, element("img", {src: pngs.get(run.set + ":" + entry.index), alt: text, width: 88, height: 88, loading: "lazy"}),
        element("figcaption", {}, label === predicted ? label + " (right)" : label + " taken for " + predicted,
            element("br"), percent(entry.confidence, 1), element("br"), element("span", {class: "quiet"}, "#" + number)));
}

const FEW = 24, DOUBTFUL = 48;

// The first of them, and a button for the others.
function pictures(run, entries) {
    if (!entries.length) return element("p", {}, "None.");
    const box = element("div", {class: "pictures"}, ...entries.slice(0, FEW).map((entry) => picture(run, entry)));
    const more = entries.length <= FEW ? null : element("button", {type: "button", class: "more", onclick: () => {
        const added = entries.slice(FEW).map((entry) => picture(run, entry));
        box.append(...added);
        more.remove();
        added[0].tabIndex = -1;
        added[0].focus();
    }}, "Show " + (entries.length - FEW) + " more");
    return element("div", {}, box, more, more && element("p", {class: "paper-only"}, "The first " + FEW + " of " + entries.length + "."));
}

const gallery = document.getElementById("gallery");
document.getElementById("gallery-close").addEventListener("click", () => gallery.close());

function openCell(run, label, predicted, count) {
    const names = classes(run);
    const entries = run.pictures.filter((entry) => entry.label === label && entry.predicted === predicted);
    const what = label === predicted ? names[label] + " recognised: the most doubtful" : names[label] + " taken for " + names[predicted] + ":";
    document.getElementById("gallery-title").textContent = what + " " + entries.length + " of " + count;
    document.getElementById("gallery-pictures").replaceChildren(...entries.map((entry) => picture(run, entry)));
    gallery.showModal();
}

// --- confusion matrix

// One cell is in the tab order; arrow keys move to the next cell with images in that direction.
function moveByArrows(box) {
    const steps = {ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0]};
    const at = new Map([...box.querySelectorAll("button")].map((button) => [button.dataset.row + ":" + button.dataset.column, button]));
    const size = box.querySelectorAll("tbody tr").length;
    box.addEventListener("keydown", (event) => {
        const step = steps[event.key];
        if (!step || event.target.tagName !== "BUTTON") return;
        event.preventDefault();
        let row = +event.target.dataset.row, column = +event.target.dataset.column, next;
        do {
            row += step[0];
            column += step[1];
            next = at.get(row + ":" + column);
        } while (!next && row >= 0 && column >= 0 && row < size && column < size);
        if (!next) return;
        event.target.tabIndex = -1;
        next.tabIndex = 0;
        next.focus();
    });
}

function cell(run, names, r, c, rowSum) {
    const count = run.confusion[r][c];
    if (!count) return element("td", {}, "·");
    const strength = r === c ? 0.1 + 0.4 * count / rowSum : Math.min(0.7, 0.12 + 8 * count / rowSum);
    const colour = {class: r === c ? "right" : "wrong", style: "--share: " + strength.toFixed(3)};
    if (!run.pictures.some((entry) => entry.label === r && entry.predicted === c)) return element("td", colour, String(count));
    const text = count + " of label " + names[r] + " predicted " + names[c] + ": show images";
    const button = element("button", {type: "button", "aria-label": text, tabindex: -1, "data-row": r, "data-column": c,
        onclick: () => openCell(run, r, c, count)}, String(count));
    return element("td", colour, button);
}

function confusion(run) {
    const names = classes(run);
    const rows = run.confusion.map((counts, r) => {
        const sum = counts.reduce((a, b) => a + b, 0);
        return element("tr", {}, element("th", {scope: "row"}, names[r]), ...counts.map((_, c) => cell(run, names, r, c, sum)));
    });
    const made = element("table", {class: "confusion"},
        element("caption", {}, "Rows are labels, columns predictions. A number opens its images; arrow keys move between numbers."),
        element("thead", {}, element("tr", {}, element("td", {}), ...names.map((name) => element("th", {scope: "col"}, name)))),
        element("tbody", {}, ...rows));
    const first = made.querySelector("button");
    if (first) first.tabIndex = 0;
    moveByArrows(made);
    return wide(made, "Confusion matrix of " + run.name);
}

function byClass(run) {
    const names = classes(run), matrix = run.confusion;
    const rows = names.map((name, k) => {
        const labelled = matrix[k].reduce((a, b) => a + b, 0), predicted = matrix.reduce((sum, row) => sum + row[k], 0);
        const precision = predicted ? matrix[k][k] / predicted : null, recall = labelled ? matrix[k][k] / labelled : null;
        const f1 = labelled + predicted ? 2 * matrix[k][k] / (labelled + predicted) : null;
        return [name, labelled, percent(precision), percent(recall), percent(f1)];
    });
    return table("Precision: how many of those predicted are right. Recall: how many of those labelled are found.",
        ["class", "images", "precision", "recall", "F1"], rows, run.name);
}

// --- sections

// Of the runs that have something to say.
function sentences(name, between) {
    return runs.filter((run) => run[name]).map((run) => element("p", {}, run.name + between + run[name]));
}

function accuracySection() {
    const shown = runs.filter(evaluated);
    const missing = [...sentences("no_predictions", " is shown without predictions: "), ...sentences("doubt", ": ")];
    if (!shown.length) return missing.length ? section("accuracy", "Accuracy", ...missing) : undefined;
    const rows = shown.map((run) => [run.name, of(run.model).about, run.correct, run.n, percent(run.accuracy),
        element("span", {class: "narrow"}, percent(run.low) + " to " + percent(run.high)), run.seconds.toFixed(2)]);
    const pairs = page.pairs.map((pair) => [runs[pair.a].name, runs[pair.b].name, pair.only_a, pair.only_b,
        pair.p < 0.0001 ? "< 0.0001" : pair.p.toFixed(4)]);
    section("accuracy", "Accuracy", ...figuresOf("accuracy"),
        table("Correct predictions; the interval is Wilson's, 95 %", ["run", "model", "correct", "images", "accuracy", "interval", "seconds"], rows),
        pairs.length ? table("McNemar's exact test of each two models: p is how likely two equally good ones differ at least that much",
            ["run", "beside", "only the first right", "only the second right", "p"], pairs) : null, ...missing);
}

function learningSection() {
    const shown = figuresOf("learning");
    const tables = runs.filter((run) => of(run.metrics).epochs).map((run) => details("Epochs of " + run.name, metricsTable(run, "epochs")));
    if (shown.length || tables.length) section("learning", "Learning curves", ...shown, ...tables);
}

function runSection(run, r) {
    if (!evaluated(run)) return;
    const wrong = run.pictures.filter((entry) => entry.label !== entry.predicted);
    const doubtful = run.pictures.slice().sort((a, b) => a.confidence - b.confidence || a.index - b.index).slice(0, DOUBTFUL);
    const shape = figuresOf("confusion", r);
    section("run-" + (r + 1), run.name,
        element("p", {}, percent(run.accuracy) + " of " + run.n + " images: " + (run.n - run.correct) + " are wrong."),
        element("h3", {}, "Confusion matrix"), confusion(run), shape.length ? details("As a figure", ...shape) : null,
        element("h3", {}, "Each class"), byClass(run),
        element("h3", {}, "Wrong images, the most confident first"),
        wrong.length < run.n - run.correct ? element("p", {class: "quiet"}, wrong.length + " of " + (run.n - run.correct) + " are in this page: the most confident of all, then of each number of the matrix.") : null,
        pictures(run, wrong),
        element("h3", {}, "The most doubtful images"), pictures(run, doubtful));
}

function calibrationSection() {
    const shown = runs.filter(evaluated);
    if (!shown.length) return;
    const tables = shown.map((run) => {
        const gap = run.calibration.reduce((sum, bin) => sum + bin.images * Math.abs(bin.accuracy - bin.confidence), 0) / run.n;
        return details(run.name + ": confidence and accuracy differ by " + percent(gap) + " (expected calibration error)",
            table("Images by confidence, in tenths", ["images", "mean confidence", "accuracy"],
                run.calibration.map((bin) => [bin.images, percent(bin.confidence), percent(bin.accuracy)]), run.name));
    });
    section("calibration", "Calibration", element("p", {class: "quiet"}, "What a confidence means: of images with a confidence of 90 %, nine of ten should be right. Points on the dashed line are."),
        ...figuresOf("calibration"), ...tables);
}

function timeSection() {
    const shown = figuresOf("times"), scaling = figuresOf("scaling"), missing = sentences("no_metrics", " is shown without its metrics: ");
    const rows = runs.filter((run) => run.metrics && run.metrics.length).map((run) => {
        const facts = of(run.metrics);
        return [run.name, facts.ranks, facts.threads, facts.host_names, facts.seconds == null ? null : facts.seconds.toFixed(1)];
    });
    const tables = runs.filter((run) => of(run.metrics).phases).map((run) => details("Phases of " + run.name + " over the ranks", metricsTable(run, "phases")));
    const taken = rows.length ? table("Where and how long the runs took", ["run", "ranks", "threads a rank", "hosts", "seconds"], rows) : null;
    if (taken || missing.length) section("time", "Time", taken, ...missing, ...shown, ...tables);
    const studies = page.studies.map(studyTable);
    if (studies.length) section("scaling", "Scaling", ...scaling, ...studies);
}

// Columns that no point has a value in are left out.
function studyTable(study) {
    const range = (point, name) => point[name] === null ? null
        : element("span", {class: "narrow"}, point[name].toFixed(3) + " (" + point[name + "_least"].toFixed(3) + " to " + point[name + "_most"].toFixed(3) + ")");
    const share = (value) => value === null ? null : percent(value, 1);
    const columns = [["hosts", (point) => point.hosts], ["ranks", (point) => point.ranks], ["threads a rank", (point) => point.threads],
        ["images", (point) => point.images], ["runs", (point) => point.repeats], ["seconds", (point) => range(point, "seconds")],
        ["images/s", (point) => Math.round(point.images_per_s)], ["speed-up", (point) => range(point, "speedup")],
        ["efficiency", (point) => share(point.efficiency)], ["waiting", (point) => share(point.wait_share)], ["exposed", (point) => share(point.exposed_share)]]
        .filter(([, value]) => study.points.some((point) => value(point) !== null));
    return table(study.model + ": " + study.title + "; speed-up over " + study.base + "; configuration of " + study.configuration_of, columns.map(([title]) => title),
        study.points.map((point) => columns.map(([, value]) => value(point))));
}

function metricsTable(run, name) {
    const rows = of(run.metrics)[name], titles = Object.keys(rows[0] || {});
    const text = (value) => typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;
    return table("/" + name + " of " + run.name, titles, rows.map((row) => titles.map((title) => text(row[title]))));
}

function describeRun(run) {
    const model = of(run.model), facts = of(run.metrics);
    const rows = [["model", model.about], ["training", model.training], ["digest", model.digest], ["images", model.shape],
        ["data", evaluated(run) ? run.data : null], ["predictions", run.no_predictions || run.doubt], ["metrics", run.no_metrics], ["training images", facts.train_images], ["ranks", facts.ranks],
        ["threads a rank", facts.threads], ["hosts", facts.host_names], ["binding", facts.binding], ["build", facts.build],
        ["seconds", facts.seconds ? facts.seconds.toFixed(1) : null]].filter((row) => row[1] !== null && row[1] !== undefined).map((row) => [row[0], String(row[1])]);
    const others = Object.keys(facts).filter((name) => Array.isArray(facts[name]) && facts[name].length && name !== "epochs" && name !== "phases");
    return element("div", {}, element("h3", {}, run.name), table("What it is", ["what", "value"], rows, run.name),
        model.layers ? details("Network", table("Layers: their output for an image, and their parameters", ["layer", "output", "parameters", "multiply-adds"],
            model.layers.map((layer) => [layer.layer, layer.output, layer.parameters, layer.multiply_adds]), run.name)) : null,
        model.configuration ? details("Configuration", table("Keys of the run and of its family", ["key", "value"],
            model.configuration.map((entry) => [entry.key, entry.value]), run.name)) : null,
        ...others.map((name) => details("Metrics: " + name, metricsTable(run, name))));
}

document.getElementById("about").textContent = runs.map((run) => run.name).join(", ") + (page.sets.length ? " on the " + page.split + " images of " +
    [...new Set(runs.filter(evaluated).map((run) => run.data + " (" + page.sets[run.set].n + ")"))].join(", ") : "") + ". Made " + page.made + " by " + page.build + ".";
if (page.no_figures) main.append(element("p", {}, page.no_figures));
accuracySection();
learningSection();
runs.forEach(runSection);
calibrationSection();
timeSection();
section("details", "Runs in detail", ...runs.map(describeRun));

// Paper can't be opened, and doesn't scroll: what is wider than it is drawn smaller. The width between the margins of A4.
const PAPER_WIDTH = 680;
addEventListener("beforeprint", () => {
    document.querySelectorAll("details").forEach((part) => { part.open = true; });
    document.querySelectorAll(".wide > table").forEach((made) => { made.style.zoom = Math.min(1, PAPER_WIDTH / made.scrollWidth); });
});
addEventListener("afterprint", () => document.querySelectorAll(".wide > table").forEach((made) => { made.style.zoom = ""; }));
