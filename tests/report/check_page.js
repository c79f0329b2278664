// Opens a report in headless Chromium, in both themes, and fails unless it works: no error or warning on the console, nothing loaded from
// outside, cells open by mouse and keyboard, figures can be saved, axe-core finds nothing serious. Chromium is told what to do over the two
// pipes of --remote-debugging-pipe. Usage: node check_page.js PAGE.html AXE.js [FOLDER for screenshots]
"use strict";
const {spawn} = require("child_process");
const fs = require("fs");
const path = require("path");
const [pagePath, axePath, folder] = process.argv.slice(2);

const profile = fs.mkdtempSync(path.join(process.env.TMPDIR || "/tmp", "pardigits-chromium-"));
const browser = spawn("chromium", ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--user-data-dir=" + profile],
    {stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"]});
const waiting = new Map(), listeners = [], loaded = [], complaints = [];
let messages = 0, received = "";

browser.stdio[4].on("data", (data) => {
    received += data;
    const parts = received.split("\0");
    received = parts.pop();
    for (const message of parts.map((part) => JSON.parse(part))) {
        if (message.id) waiting.get(message.id)(message);
        else listeners.forEach((listener) => listener(message));
    }
});

let session;
function send(method, params) {
    const id = ++messages;
    browser.stdio[3].write(JSON.stringify({id, method, params, sessionId: session}) + "\0");
    return new Promise((resolve, reject) => waiting.set(id, (message) => message.error ? reject(new Error(method + ": " + message.error.message)) : resolve(message.result)));
}

async function evaluate(expression) {
    const answer = await send("Runtime.evaluate", {expression, awaitPromise: true, returnByValue: true});
    if (answer.exceptionDetails) throw new Error(expression + ": " + (answer.exceptionDetails.exception.description || answer.exceptionDetails.text));
    return answer.result.value;
}

async function press(key, code) {
    const event = {key, code: key, windowsVirtualKeyCode: code, text: key === "Enter" ? "\r" : undefined};
    await send("Input.dispatchKeyEvent", {type: "keyDown", ...event});
    await send("Input.dispatchKeyEvent", {type: "keyUp", ...event});
}

function must(holds, what) {
    if (!holds) throw new Error("expected: " + what);
}

listeners.push((message) => {
    const {method, params} = message;
    if (method === "Network.requestWillBeSent") loaded.push(params.request.url);
    if (method === "Runtime.consoleAPICalled" && ["error", "warning", "assert"].includes(params.type)) complaints.push(params.args.map((arg) => arg.value).join(" "));
    if (method === "Runtime.exceptionThrown") complaints.push(params.exceptionDetails.exception.description);
    if (method === "Log.entryAdded") complaints.push(params.entry.text);
});

async function open(theme) {
    await send("Emulation.setEmulatedMedia", {features: [{name: "prefers-color-scheme", value: theme}]});
    const done = new Promise((resolve) => listeners.push((message) => message.method === "Page.loadEventFired" && resolve()));
    await send("Page.navigate", {url: "file://" + path.resolve(pagePath)});
    await done;
}

async function screenshot(name) {
    if (!folder) return;
    const picture = await send("Page.captureScreenshot", {format: "png", captureBeyondViewport: name.startsWith("page")});
    fs.writeFileSync(path.join(folder, name + ".png"), Buffer.from(picture.data, "base64"));
}

// Serious findings of axe-core, with dialogs and details as they are now.
async function audit(what) {
    const found = await evaluate("axe.run().then((result) => result.violations.filter((v) => ['serious', 'critical'].includes(v.impact))" +
        ".map((v) => v.id + ': ' + v.help + ': ' + v.nodes.slice(0, 3).map((node) => node.html.slice(0, 200)).join(' ')).join('\\n'))");
    must(!found, "nothing serious by axe-core, " + what + ":\n" + found);
}

const focused = "document.activeElement.getAttribute('aria-label') || document.activeElement.textContent";
const isOpen = "document.getElementById('gallery').open";
const galleryCount = "document.querySelectorAll('#gallery-pictures img').length";

async function checkCells() {
    await evaluate("document.querySelector('.confusion td.wrong button').click()");
    must(await evaluate(isOpen) && await evaluate(galleryCount) > 0, "a click on a cell opens its images");
    must(await evaluate("[...document.querySelectorAll('#gallery-pictures img')].every((image) => / label .* predicted .* confidence /.test(image.alt))"),
        "each image has its label, prediction and confidence in words");
    await evaluate("document.getElementById('gallery-close').click()");
}

// From the matrix's cell in the tab order to another one, into its images and back, with keys alone.
async function checkKeyboard() {
    must(await evaluate("document.querySelectorAll('.confusion')[0].querySelectorAll('button[tabindex=\"0\"]').length") === 1, "one cell is in the tab order");
    await evaluate("document.querySelector('.confusion button[tabindex=\"0\"]').focus()");
    const first = await evaluate(focused);
    await press("ArrowDown", 40);
    await press("ArrowRight", 39);
    const second = await evaluate(focused);
    must(first !== second && / of label /.test(second), "arrow keys move between cells, not from '" + first + "' to '" + second + "'");
    await press("Enter", 13);
    must(await evaluate(isOpen), "Enter opens the cell");
    await press("Escape", 27);
    must(!await evaluate(isOpen) && await evaluate(focused) === second, "Escape closes its images and returns to the cell");
}

async function checkFigures() {
    const figures = await evaluate("document.querySelectorAll('.figure svg[role=img][aria-label]').length");
    must(figures === await evaluate("page.figures.length") && figures > 0, "each figure stands in the page, with a name");
    const saved = await evaluate("new Promise((resolve) => { save = (name, blob) => resolve(name + ' ' + blob.type + ' ' + (blob.size > 1000)); savePng(figures[0]); })");
    must(/\.png image\/png true$/.test(saved), "a figure is saved as PNG, not " + saved);
}

async function run() {
    const {targetId} = await send("Target.createTarget", {url: "about:blank"});
    session = (await send("Target.attachToTarget", {targetId, flatten: true})).sessionId;
    for (const domain of ["Page", "Runtime", "Network", "Log"]) await send(domain + ".enable");
    await send("Emulation.setDeviceMetricsOverride", {width: 1200, height: 900, deviceScaleFactor: 1, mobile: false});
    for (const theme of ["light", "dark"]) {
        await open(theme);
        await screenshot("page-" + theme);
        await evaluate(fs.readFileSync(axePath, "utf8") + "; 0");
        await audit("in the " + theme + " theme");
        await evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })");
        await audit("in the " + theme + " theme, all opened");
        await checkCells();
        await checkKeyboard();
        await evaluate("document.querySelector('.confusion td.wrong button').click()");
        await audit("in the " + theme + " theme, with images opened");
        await screenshot("cell-" + theme);
    }
    await checkFigures();
    // names of regions that scroll differ, and in a narrow window what is wide scrolls, not the page
    await send("Emulation.setDeviceMetricsOverride", {width: 360, height: 800, deviceScaleFactor: 1, mobile: false});
    await open("light");
    await evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; }); new Promise((resolve) => setTimeout(resolve, 300))");
    const regions = await evaluate("[...document.querySelectorAll('.wide[role=region]')].map((box) => box.getAttribute('aria-label'))");
    must(regions.length > 5 && new Set(regions).size === regions.length, "regions that scroll have names of their own, not " + regions.join("; "));
    must(await evaluate("document.documentElement.scrollWidth <= 360"), "a narrow window doesn't scroll sideways");
    must(await evaluate("[...document.querySelectorAll('.figure svg')].every((svg) => svg.getBoundingClientRect().width > 400)"), "figures can be read in a narrow window");
    await send("Emulation.setEmulatedMedia", {media: "print"});
    await evaluate("dispatchEvent(new Event('beforeprint'))");
    must(await evaluate("[...document.querySelectorAll('.wide > table')].every((made) => made.getBoundingClientRect().width <= PAPER_WIDTH + 20)"), "no table is wider than paper");
    await send("Emulation.setEmulatedMedia", {media: ""});
    await evaluate("dispatchEvent(new Event('afterprint'))");
    const pdf = await send("Page.printToPDF", {});
    must(pdf.data.length > 10000, "the page prints");
    if (folder) fs.writeFileSync(path.join(folder, "page.pdf"), Buffer.from(pdf.data, "base64"));
    const outside = loaded.filter((url) => !/^(data|blob):/.test(url) && url !== "file://" + path.resolve(pagePath));
    must(!outside.length, "nothing is loaded from outside, not " + outside.join(" "));
    must(!complaints.length, "no complaint on the console, not " + complaints.join("; "));
}

const limit = setTimeout(() => finish(new Error("chromium gave no answer for two minutes")), 120000);
function finish(error) {
    clearTimeout(limit);
    if (error) console.error(error.message);
    process.exitCode = error ? 1 : 0;
    browser.on("exit", () => fs.rmSync(profile, {recursive: true, force: true, maxRetries: 5, retryDelay: 200}));
    browser.kill();
}
run().then(() => finish(), finish);
