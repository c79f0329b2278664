#!/usr/bin/env python3
"""Draws what the gate (src/data/gate.h) learns from, as IDX files of 28x28 pixels: digits with their labels, and other shapes
(label 10).

Usage: draw_gate.py MNIST_DIR OUT_DIR [--fonts DIR]... [--count N] [--seed S]

Digits are MNIST's first 50,000 training images and those of printed, handwriting-like and stroke fonts, each as it is or drawn
anew: blurred, at few pixels, thin, thick, slanted, noisy. Others are letters and signs of the same fonts, letters of bent strokes,
Japanese signs, scribbles, pairs and pieces of digits, rests of rules, blots, noise. All pass through the same cutting out and scaling as on a
page. The fonts aren't those of draw.py, neither its test part's nor its validation part's. The test part of the files has the
other 10,000 training images, drawn likewise, and other shapes of fonts that aren't in the training part.
"""

import argparse
import glob
import multiprocessing
import os
import struct

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

OTHER = 10
# Families of draw.py, which the gate may not know.
KEPT_APART = ("dkg", "becausewec", "becausewem", "becausewebo", "becauseweo", "humor", "rufscript", "breip", "klee", "comicneue",
              "setofont", "kiloji", "kristi", "dancingscript", "femkeklaver", "domestic", "tomsontalks", "dustismo")
# Of the others those that have no usual digits or letters.
UNUSUAL = ("ocrbs", "ocrbx", "ocrbe", "ocrbf", "hairline", "thin", "mathtex", "cmex", "cmsy", "msam", "msbm", "esint", "stmary",
           "wasy", "cmmi", "dsrom", "eufm", "rsfs", "navilu", "typoscript", "balker", "swift", "wargames", "marked", "winks",
           "progenisis", "flatline", "symbola", "joscelyn", "elusive")
OLD_FIGURES = ("essays", "goudy", "isabella", "ebgaramond")  # 0 and 1 like o and I: only their letters are used
VALID_FONTS = ("andika", "opendyslexic", "play", "ecolier", "essays", "engadget", "oldstandard", "havana")
SIGNS = "ACEFHJKLMNPQRTUVWXYacdefhkmnprtuvwxyAEFGHKMNPRTUWXYadefhkmnrtuwxy&@%?+=#<>*$€ÄÖé"
# Fonts of strokes (Hershey's, in Debian's hershey-fonts-data), which a pen of any width draws.
STROKES = "/usr/share/hershey-fonts"
STROKE_FONTS = ("futural", "futuram", "rowmans", "rowmand", "timesr", "timesi", "scripts", "scriptc", "cursive")
SIGNS_OF_STROKES = [sign for sign in SIGNS if ord(sign) < 127]
POINTS = {  # letters as strokes in the unit square
    "A": [[(0, 1), (.5, 0), (1, 1)], [(.2, .6), (.8, .6)]], "E": [[(1, 0), (0, 0), (0, 1), (1, 1)], [(0, .5), (.8, .5)]],
    "F": [[(1, 0), (0, 0), (0, 1)], [(0, .5), (.8, .5)]], "H": [[(0, 0), (0, 1)], [(1, 0), (1, 1)], [(0, .5), (1, .5)]],
    "K": [[(0, 0), (0, 1)], [(1, 0), (0, .5), (1, 1)]], "L": [[(0, 0), (0, 1), (.9, 1)]],
    "M": [[(0, 1), (.1, 0), (.5, .7), (.9, 0), (1, 1)]], "N": [[(0, 1), (0, 0), (1, 1), (1, 0)]],
    "T": [[(0, 0), (1, 0)], [(.5, 0), (.5, 1)]], "V": [[(0, 0), (.5, 1), (1, 0)]],
    "W": [[(0, 0), (.25, 1), (.5, .3), (.75, 1), (1, 0)]], "X": [[(0, 0), (1, 1)], [(1, 0), (0, 1)]],
    "Y": [[(0, 0), (.5, .5), (1, 0)], [(.5, .5), (.5, 1)]], "P": [[(0, 1), (0, 0), (.7, .05), (.9, .25), (.7, .5), (0, .5)]],
    "R": [[(0, 1), (0, 0), (.7, .05), (.9, .25), (.7, .5), (0, .5), (1, 1)]],
    "U": [[(0, 0), (0, .7), (.3, 1), (.7, 1), (1, .7), (1, 0)]], "+": [[(0, .5), (1, .5)], [(.5, 0), (.5, 1)]],
    "#": [[(.3, 0), (.3, 1)], [(.7, 0), (.7, 1)], [(0, .3), (1, .3)], [(0, .7), (1, .7)]],
    "*": [[(0, 0), (1, 1)], [(1, 0), (0, 1)], [(.5, 0), (.5, 1)], [(0, .5), (1, .5)]],
    "=": [[(0, .2), (1, .2)], [(0, .8), (1, .8)]], "square": [[(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)]],
    "triangle": [[(.5, 0), (1, 1), (0, 1), (.5, 0)]], "n": [[(0, 0), (0, 1)], [(0, .3), (.4, 0), (.8, .2), (.9, 1)]],
    "G": [[(1, .2), (.6, 0), (.2, .2), (0, .5), (.2, .9), (.6, 1), (1, .8), (1, .55), (.6, .55)]],
    "m": [[(0, 0), (0, 1)], [(0, .2), (.3, 0), (.5, .3), (.5, 1)], [(.5, .3), (.75, 0), (1, .3), (1, 1)]],
    "h": [[(0, 0), (0, 1)], [(0, .6), (.4, .4), (.8, .6), (.8, 1)]], "r": [[(0, 0), (0, 1)], [(0, .4), (.4, .05), (.8, .15)]],
    "C": [[(1, .15), (.6, 0), (.2, .2), (0, .5), (.2, .85), (.6, 1), (1, .85)]],
    "J": [[(.2, 0), (1, 0)], [(.6, 0), (.6, .8), (.3, 1), (0, .8)]],
    "a": [[(.8, .2), (.4, 0), (.05, .4), (.3, .9), (.75, .7), (.8, .1), (.85, .8), (1, 1)]],
    "e": [[(.1, .55), (.9, .45), (.7, .05), (.3, .05), (.05, .5), (.3, .95), (.9, .85)]],
    "k": [[(0, 0), (0, 1)], [(.7, .4), (0, .7), (.8, 1)]], "f": [[(1, .1), (.6, 0), (.4, .2), (.4, 1)], [(0, .45), (.9, .45)]],
    "t": [[(.4, 0), (.4, .85), (.6, 1), (.9, .9)], [(0, .3), (.9, .3)]],
    "d": [[(.9, 0), (.9, 1)], [(.9, .55), (.5, .4), (.1, .7), (.4, 1), (.9, .85)]],
    "p": [[(0, 0), (0, 1)], [(0, .1), (.5, 0), (.9, .25), (.5, .55), (0, .45)]],
    "w": [[(0, 0), (.15, .9), (.4, .9), (.5, .2), (.6, .9), (.85, .9), (1, 0)]],
}


def grown(values, side):
    """The largest value within squares of `side` pixels (an odd number); with a negative side the smallest."""
    take, reach = (np.maximum if side > 0 else np.minimum), abs(side) // 2
    for axis in (0, 1):
        padded = np.pad(values, [(reach, reach) if a == axis else (0, 0) for a in (0, 1)])
        parts = [padded[k:k + values.shape[0]] if axis == 0 else padded[:, k:k + values.shape[1]] for k in range(2 * reach + 1)]
        values = parts[0]
        for part in parts[1:]:
            values = take(values, part)
    return values


def stroke_width(mask):
    """Twice the area by the outline's length, as src/data/page_mask.c has it."""
    area, inner = np.count_nonzero(mask), np.count_nonzero(grown(mask, -3))
    return 2 * area / max(area - inner, 1)


def mended(values, width, size):
    """Strokes about as wide as MNIST's, as src/data/page_glyph.c makes them."""
    pixel = size / 20
    if width < 1.2 * pixel:
        return grown(values, round((1.8 * pixel - width) / 2) * 2 + 1)
    if width > 5.5 * pixel:
        return grown(values, -(round(min(width - 4.9 * pixel, width / 4) / 2) * 2 + 1))
    return values


def inked_box(mask):
    rows, columns = np.where(mask.any(1))[0], np.where(mask.any(0))[0]
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


def seen(image, threshold=0.4):
    """What a model sees of ink on black (mode L) where the strokes are at least a few pixels long; None if there is nothing."""
    values = np.asarray(image).astype(float)
    core = values >= max(values.max() * threshold, 1)
    if values.max() < 20 or core.sum() < 4:
        return None
    values = np.minimum(values * 255 / np.percentile(values[core], 90), 255).astype(np.uint8)
    left, top, right, bottom = inked_box(core)
    size = max(right - left, bottom - top)
    margin = max(3, round(size / 8))
    values, core = (np.pad(v[top:bottom, left:right], margin) for v in (np.where(grown(core, margin | 1), values, 0), core))
    values = mended(values, stroke_width(core), size)
    left, top, right, bottom = inked_box(values >= 42)
    image = Image.fromarray(values[top:bottom, left:right])
    scale = 20 / max(image.size)
    image = image.resize([max(1, int(s * scale + 0.5)) for s in image.size], Image.BOX if scale < 0.7 else Image.BILINEAR)
    return centred(np.asarray(image).astype(float))


def centred(values):
    values = values * 255 / max(values.max(), 1)
    (height, width), mass = values.shape, max(values.sum(), 1)
    y, x = np.mgrid[:height, :width]
    top = min(max(round(14 - (values * y).sum() / mass), 0), 28 - height)
    left = min(max(round(14 - (values * x).sum() / mass), 0), 28 - width)
    out = np.zeros((28, 28), np.uint8)
    out[top:top + height, left:left + width] = np.round(values)
    return out


def read_strokes(name):
    """The signs of a Hershey font in their order, from the blank on; each a list of lines, of points in the unit square.

    A record: the sign's number in 5 characters, the number of its points in 3, then two characters a point, each "R" plus a
    coordinate; the first point holds the margins, " R" lifts the pen.
    """
    text = open(os.path.join(STROKES, name + ".jhf"), encoding="ascii").read().split("\n")
    signs, record = [], ""
    for line in text:
        record += line
        if len(record) < 8 or len(record) < 8 + 2 * int(record[5:8]):
            continue
        pairs = [record[at:at + 2] for at in range(10, 8 + 2 * int(record[5:8]), 2)]
        lines = [[]]
        for pair in pairs:
            if pair == " R":
                lines.append([])
            else:
                lines[-1].append((ord(pair[0]) - ord("R"), ord(pair[1]) - ord("R")))
        signs.append(in_unit_square([line for line in lines if len(line) > 1]))
        record = ""
    return signs


def in_unit_square(lines):
    """Of the height 1, in the middle; those that are wider of the width 1."""
    if not lines:
        return []
    points = np.concatenate([np.array(line, float) for line in lines])
    low, high = points.min(0), points.max(0)
    size = max((high - low).max(), 1)
    return [[tuple((np.array(point) - (low + high) / 2) / size + .5) for point in line] for line in lines]


class Drawer:
    def __init__(self, images, labels, fonts, seed):
        self.images, self.labels, self.fonts = images, labels, fonts
        self.digit_fonts = [f for f in fonts if not is_one_of(f, OLD_FIGURES)]
        self.random = np.random.RandomState(seed)
        self.loaded = {}
        self.stroke_fonts = [read_strokes(name) for name in STROKE_FONTS]
        self.kanji = [lines for lines in read_strokes("japanese") if len(lines) > 4]

    def between(self, low, high):
        return int(self.random.randint(low, high + 1))

    def choice(self, items):
        return items[self.random.randint(len(items))]

    def font(self, path):
        if path not in self.loaded:
            self.loaded[path] = ImageFont.truetype(path, 40)
        return self.loaded[path]

    def text(self, words, fonts):
        image = Image.new("L", (56 + 36 * len(words), 80))
        ImageDraw.Draw(image).text((image.width // 2, 40), words, 255, self.font(self.choice(fonts)), "mm")
        return image

    def mnist(self):
        """A digit of MNIST, large, its label."""
        k = self.random.randint(len(self.images))
        image = Image.fromarray(np.pad(self.images[k], 4)).resize((72, 72), Image.BICUBIC)
        return image, self.labels[k]

    def bent(self, image, strength):
        """Slanted, stretched, and bent as handwriting is."""
        width, height = image.size
        slant, turn = self.random.uniform(-.3, .3) * strength, self.random.uniform(-.2, .2) * strength
        wide, tall = self.random.uniform(.8, 1.25), self.random.uniform(.85, 1.1)
        x, y = np.linspace(0, width, 5), np.linspace(0, height, 5)
        moved = self.random.normal(0, 1.5 * strength, (5, 5, 2))
        at = lambda i, j: ((x[i] - width / 2) * wide + (slant + turn) * (y[j] - height / 2) + width / 2 + moved[i, j, 0],
                           (y[j] - height / 2) * tall - turn * (x[i] - width / 2) + height / 2 + moved[i, j, 1])
        mesh = [((int(x[i]), int(y[j]), int(x[i + 1]), int(y[j + 1])), at(i, j) + at(i, j + 1) + at(i + 1, j + 1) + at(i + 1, j))
                for i in range(4) for j in range(4)]
        return image.transform(image.size, Image.MESH, mesh, Image.BILINEAR)

    def pen(self, image):
        """Thinner or thicker strokes."""
        side = self.choice((-3, 1, 1, 3, 3, 5))
        return Image.fromarray(grown(np.asarray(image), side))

    def hollow(self, image):
        """Its outline, drawn once or several times, as sketched letters are."""
        out = Image.new("L", image.size)
        for _ in range(self.between(1, 3)):
            values = np.asarray(self.bent(image, .3))
            edge = grown(values, self.choice((3, 5))) - grown(values, -self.choice((1, 3)))
            out.paste(255, (0, 0), Image.fromarray(edge))
        return out

    def worn(self, image):
        """As pictures come out: few pixels, blurred, noisy, partly faded."""
        kind = self.between(0, 9)
        box = image.getbbox()
        if not box:
            return image
        if kind < 4:
            image = image.crop(box)
            height = self.between(7, 12) if kind < 2 else self.between(10, 24)
            wide = self.random.uniform(.85, 1.2) * image.width * height / image.height
            small = image.resize((max(2, round(wide)), height), Image.BOX)
            back = (max(4, round(small.width * 48 / height)), 48)
            large = Image.new("L", (back[0] + 40, back[1] + 40))
            large.paste(small.resize(back, self.choice((Image.BICUBIC, Image.BILINEAR))), (20, 20))
            return large
        if kind < 6:
            return image.filter(ImageFilter.GaussianBlur(self.random.uniform(.7, 3)))
        if kind == 6:
            noisy = np.asarray(image).astype(float) + self.random.normal(0, 25, (image.height, image.width))
            return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(1))
        return image

    def strokes(self, lines, jitter, width):
        image = Image.new("L", (96, 96))
        draw, across = ImageDraw.Draw(image), self.random.uniform(.5, 1.05)
        for line in lines:
            points = [(48 + across * 56 * (x - .5 + self.random.normal(0, jitter)),
                       48 + 56 * (y - .5 + self.random.normal(0, jitter))) for x, y in line]
            bowed = points[:1]
            for (ax, ay), (bx, by) in zip(points, points[1:]):
                bow = self.random.normal(0, .1)
                bowed += [((ax + bx) / 2 - (by - ay) * bow, (ay + by) / 2 + (bx - ax) * bow), (bx, by)]
            draw.line(bowed, fill=255, width=width, joint="curve")
            for x, y in bowed:
                draw.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=255)
        return image.filter(ImageFilter.GaussianBlur(1))

    def stroked(self, sign):
        """A sign of a font of strokes."""
        return self.curves(self.choice(self.stroke_fonts)[ord(sign) - ord(" ")])

    def curves(self, lines):
        width, across = self.between(3, 9), self.random.uniform(.6, 1.05)
        image = Image.new("L", (96, 96))
        draw = ImageDraw.Draw(image)
        for line in lines:
            points = [(48 + across * 60 * (x - .5), 48 + 60 * (y - .5)) for x, y in line]
            draw.line(points, fill=255, width=width, joint="curve")
            for x, y in points:
                draw.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=255)
        return self.bent(image.filter(ImageFilter.GaussianBlur(1)), self.choice((.3, .8, 1.3)))

    def piece(self, image):
        """Part of a shape, such as a mended rule or a cut leaves."""
        box = image.getbbox()
        if not box:
            return image
        image = image.crop(box)
        width, height = image.size
        upper = int(height * self.random.uniform(.3, .6))
        cut = image.crop(self.choice(((0, 0, width, upper), (0, upper, width, height))))
        large = Image.new("L", (cut.width + 20, cut.height + 20))
        large.paste(cut, (10, 10))
        return large

    def pair(self):
        (a, _), (b, _) = self.mnist(), self.mnist()
        image = Image.new("L", (150, 72))
        image.paste(a, (2, 0))
        image.paste(b, (self.between(32, 60), 0), b)
        return image

    def blot(self):
        kind = self.between(0, 4)
        image = Image.new("L", (120, 120))
        draw = ImageDraw.Draw(image)
        if kind == 0:
            x, y, w, h = (self.between(10, 60) for _ in range(4))
            (draw.ellipse if self.between(0, 1) else draw.rectangle)((x, y, x + w, y + h), fill=255)
        elif kind == 1:  # rests of rules and cells
            for _ in range(self.between(1, 3)):
                x, y, length, width = self.between(10, 60), self.between(10, 60), self.between(10, 50), self.between(2, 6)
                draw.line((x, y, x + length, y), fill=255, width=width)
                if self.between(0, 1):
                    draw.line((x, y - self.between(0, 15), x, y + length), fill=255, width=width)
        elif kind == 2:  # dirt
            for _ in range(self.between(3, 25)):
                x, y, r = self.between(10, 110), self.between(10, 110), self.between(1, 12)
                draw.ellipse((x, y, x + r, y + r), fill=255)
        elif kind == 3:  # noise and blotches
            noise = Image.fromarray((self.random.rand(48, 48) * 255).astype(np.uint8))
            values = np.asarray(noise.filter(ImageFilter.GaussianBlur(self.random.uniform(.3, 4)))).astype(float)
            values = (values - np.percentile(values, self.between(40, 90))) * 20
            image = Image.fromarray(np.clip(values, 0, 255).astype(np.uint8)).resize((96, 96), Image.BILINEAR)
        else:  # a scribble
            count = self.between(4, 12)
            image = self.strokes([list(zip(self.random.rand(count), self.random.rand(count)))], 0, self.between(2, 7))
        return image

    def digit(self):
        kind, label = self.between(0, 19), self.between(0, 9)
        if kind < 13:
            image, label = self.mnist()
            image = self.bent(image, .4)
        elif kind < 14:
            image = self.stroked(str(label))
        else:
            image = self.bent(self.text(str(label), self.digit_fonts), self.choice((0.2, .6, 1)))
        return seen(self.worn(self.pen(image)), self.random.uniform(.3, .5)), label

    def other(self):
        kind = self.between(0, 19)
        if kind < 10:
            image = self.pen(self.bent(self.text(self.choice(SIGNS), self.fonts), self.choice((0.2, .6, 1, 1.4))))
            if not self.between(0, 11):
                image = self.hollow(image)
        elif kind < 12:
            image = self.stroked(self.choice(SIGNS_OF_STROKES))
        elif kind < 14:
            image = self.bent(self.strokes(self.choice(list(POINTS.values())), .05, self.between(3, 9)), .8)
        elif kind < 15:
            words = self.choice(SIGNS) + self.choice(SIGNS) + (self.choice(SIGNS) if self.between(0, 1) else "")
            image = self.pen(self.bent(self.text(words, self.fonts), .6))
        elif kind < 16:
            image = self.pair()
        elif kind < 17:
            image = self.piece(self.text(self.choice(SIGNS), self.fonts))
        elif kind < 18 and self.between(0, 1):
            image = self.curves(self.choice(self.kanji))
        else:
            image = self.blot()
        return seen(self.worn(image), self.random.uniform(.3, .5)), OTHER


def draw_some(kind, count, source, seed):
    drawer, images, labels = Drawer(*source, seed), [], []
    while len(images) < count:
        image, label = getattr(drawer, kind)()
        if image is not None:
            images.append(image)
            labels.append(label)
    return np.array(images), np.array(labels)


def draw_many(source, kind, count, seed):
    """source: MNIST's images, labels, fonts. In blocks, each with its own random numbers, over all CPUs."""
    block = 500
    if count <= block:
        return draw_some(kind, count, source, seed)
    jobs = os.cpu_count()
    receivers = []
    for job in range(jobs):
        receiver, sender = multiprocessing.Pipe(False)
        mine = range(job, count // block, jobs)
        work = lambda: sender.send([(k, draw_some(kind, block, source, 1000 * seed + k)) for k in mine])
        multiprocessing.get_context("fork").Process(target=work).start()
        receivers.append(receiver)
    blocks = [drawn for _, drawn in sorted((part for r in receivers for part in r.recv()), key=lambda part: part[0])]
    return [np.concatenate(parts) for parts in zip(*blocks)]


def is_one_of(path, names):
    return any(name in os.path.basename(path).lower().replace("-", "").replace("_", "") for name in names)


def has_digits(path):
    font = ImageFont.truetype(path, 24)
    return bytes(font.getmask("5")) not in (bytes(font.getmask("7")), bytes(font.getmask("\uffff")))


def find_fonts(folders):
    paths = sorted(p for folder in folders for p in glob.glob(folder + "/**/*.?tf", recursive=True))
    usual = [p for p in paths if not is_one_of(p, KEPT_APART + UNUSUAL) and has_digits(p)]
    return [p for p in usual if not is_one_of(p, VALID_FONTS)], [p for p in usual if is_one_of(p, VALID_FONTS)]


def read_idx(folder, name, offset):
    return np.frombuffer(open(os.path.join(folder, name), "rb").read(), np.uint8)[offset:]


def write_idx(name, images, labels, random):
    order = random.permutation(len(images))
    with open(name + "-images-idx3-ubyte", "wb") as file:
        file.write(struct.pack(">iiii", 2051, len(images), 28, 28) + images[order].tobytes())
    with open(name + "-labels-idx1-ubyte", "wb") as file:
        file.write(struct.pack(">ii", 2049, len(labels)) + labels[order].astype(np.uint8).tobytes())


def write_part(path, source, own, count, seed):
    """own: MNIST's images as they are, [n][28][28], and their labels."""
    digits, others = draw_many(source, "digit", count, seed), draw_many(source, "other", count + len(own[0]) // 2, seed + 1)
    write_idx(path, np.concatenate([own[0], digits[0], others[0]]), np.concatenate([own[1], digits[1], others[1]]),
              np.random.RandomState(seed))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("mnist")
    parser.add_argument("out")
    parser.add_argument("--fonts", action="append", default=[])
    parser.add_argument("--count", type=int, default=150000)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    images = read_idx(given.mnist, "train-images-idx3-ubyte", 16).reshape(-1, 28, 28)
    labels = read_idx(given.mnist, "train-labels-idx1-ubyte", 8)
    fonts, valid_fonts = find_fonts(given.fonts or ["/usr/share/fonts"])
    print(f"{len(fonts)} fonts to learn from, {len(valid_fonts)} others")
    os.makedirs(given.out, exist_ok=True)
    half = slice(0, 50000, 2)
    write_part(os.path.join(given.out, "train"), (images[:50000], labels[:50000], fonts),
               (images[half], labels[half]), given.count, given.seed)
    write_part(os.path.join(given.out, "t10k"), (images[50000:], labels[50000:], valid_fonts),
               (images[50000:], labels[50000:]), given.count // 10, given.seed + 2)


main()
