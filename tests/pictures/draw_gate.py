#!/usr/bin/env python3
"""Draws what the gate (src/data/gate.h) learns from, as IDX files of 28x28 pixels: digits with their labels, and other shapes
(label 10).

Usage: draw_gate.py MNIST_DIR OUT_DIR [--fonts DIR]... [--count N] [--seed S]

Digits are MNIST's first 50,000 training images and those of printed, handwriting-like and stroke fonts, each as it is or drawn
anew: blurred, at few pixels, thin, thick, slanted, noisy. Others are letters and signs of the same fonts, letters of bent strokes,
Japanese signs, symbols and small drawings, filled and in outline, scribbles, pairs and pieces of digits, rests of rules, blots, noise. All pass through the same cutting out and scaling as on a
page. The fonts aren't those of draw.py, neither its test part's nor its validation part's. The test part of the files has the
other 10,000 training images, drawn likewise, and other shapes of fonts that aren't in the training part.
"""

import argparse
import functools
import glob
import multiprocessing
import os
import struct
import unicodedata

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

OTHER = 10
# Families of draw.py, which the gate may not know.
KEPT_APART = ("dkg", "becausewec", "becausewem", "becausewebo", "becauseweo", "humor", "rufscript", "breip", "klee", "comicneue",
              "setofont", "kiloji", "kristi", "dancingscript", "femkeklaver", "domestic", "tomsontalks", "dustismo", "fontawesome")
# Of the others those that have no usual digits or letters.
UNUSUAL = ("ocrbs", "ocrbx", "ocrbe", "ocrbf", "hairline", "thin", "mathtex", "cmex", "cmsy", "msam", "msbm", "esint", "stmary",
           "wasy", "cmmi", "dsrom", "eufm", "rsfs", "navilu", "typoscript", "balker", "swift", "wargames", "marked", "winks",
           "progenisis", "flatline", "symbola", "joscelyn", "elusive", "opens___")
OLD_FIGURES = ("essays", "goudy", "isabella", "ebgaramond")  # 0 and 1 like o and I: only their letters are used
VALID_FONTS = ("andika", "opendyslexic", "play", "ecolier", "essays", "engadget", "oldstandard", "havana")
SIGNS = "ACEFHJKLMNPQRTUVWXYacdefhkmnprtuvwxyAEFGHKMNPRTUWXYadefhkmnrtuwxy&@%?+=#<>*$€ÄÖé"
# Fonts of strokes (Hershey's, in Debian's hershey-fonts-data), which a pen of any width draws.
STROKES = "/usr/share/hershey-fonts"
STROKE_FONTS = ("futural", "futuram", "rowmans", "rowmand", "timesr", "timesi", "scripts", "scriptc", "cursive")
# Fonts of symbols, and of their names' words those of which a person may read a digit.
SYMBOL_FONTS = ("symbola", "dejavusans.ttf", "freeserif.", "freesans.", "opens___")
SYMBOLS = [chr(code) for low, high in ((0x2190, 0x2200), (0x2300, 0x2400), (0x25a0, 0x27c0), (0x2900, 0x2980), (0x2b00, 0x2b50),
                                       (0x1f300, 0x1f5fb), (0x1f600, 0x1f650), (0x1f680, 0x1f6d0)) for code in range(low, high)]
LIKE_DIGITS = ("DIGIT", "NUMBER", "CIRCLE", "KEYCAP", "HUNDRED", "VERTICAL", "BULLET", "HEAVY SINGLE", "CALENDAR", "CLOCK", "MOON",
               "DECIMAL", "LOLLIPOP", "BILLIARDS", "INPUT SYMBOL FOR", "UNDERAGE", "EIGHTEEN", "PARENTHESIS", "BRACKET", "BRACE", "INTEGRAL",
               "ELLIPSE", "ELLIPTICAL", "DOUGHNUT", "HOLE", "EGG", "JUPITER", "LINE", "TALL", "BALLOON")
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

DIGITS_OF_STROKES = {  # as they are taught in many countries and MNIST has few of them
    0: [[[(.6, .02), (.2, .15), (0, .5), (.2, .9), (.6, 1), (.9, .6), (.8, .15), (.5, .02), (.35, .2)]]],
    1: [[[(.1, .4), (.6, 0), (.6, 1)]], [[(.25, .25), (.55, 0), (.5, 1)]], [[(0, .5), (.7, 0), (.65, 1)]],
        [[(.2, .3), (.5, 0), (.5, 1)], [(.2, 1), (.8, 1)]]],
    2: [[[(.05, .25), (.4, 0), (.8, .2), (.6, .55), (.05, .95), (.25, .8), (.5, .95), (1, .95)]]],
    4: [[[(.55, 0), (0, .65), (1, .65)], [(.7, .3), (.65, 1)]], [[(.15, 0), (.05, .5), (.9, .5)], [(.8, 0), (.75, 1)]],
        [[(.7, 1), (.7, 0), (0, .7), (1, .7)]]],
    7: [[[(0, .05), (1, 0), (.35, 1)], [(.25, .5), (.95, .45)]], [[(0, .15), (.05, 0), (1, 0), (.5, .5), (.4, 1)], [(.2, .55), (.85, .5)]]],
    9: [[[(.9, .15), (.4, 0), (.05, .3), (.4, .5), (.9, .2), (.85, 1)]], [[(.9, .2), (.4, 0), (.1, .3), (.5, .5), (.9, .2), (.8, .8), (.4, 1), (.1, .85)]]],
}


def arc(x, y, across, down, start=0, end=360, points=16):
    """Part of an ellipse, in degrees clockwise from its right end."""
    angles = np.radians(np.linspace(start, end, points))
    return [(x + across * np.cos(a), y + down * np.sin(a)) for a in angles]


def star(points, inner):
    angles = np.radians(np.arange(2 * points + 1) * 180 / points - 90)
    return [(.5 + (.5, inner)[k % 2] * np.cos(a), .5 + (.5, inner)[k % 2] * np.sin(a)) for k, a in enumerate(angles)]


HEART = [(.5 + .5 * np.sin(t) ** 3, .45 - (13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)) / 32)
         for t in np.linspace(0, 2 * np.pi, 24)]
SPIRAL = [(.5 + t / 40 * np.cos(t), .5 + t / 40 * np.sin(t)) for t in np.linspace(0, 20, 50)]
DRAWINGS = [  # what people draw beside their digits, as lines in the unit square
    [HEART], [SPIRAL], [star(5, .2)], [star(4, .15)], [star(6, .28)], [star(8, .25)],
    [[(k / 5, 1 - (k / 5) % .4 * 2.5) for k in range(6)]], [[(0, .4), (.25, .7), (.5, .4), (.75, .7), (1, .4)]],
    [[(0, .5), (1, .5)], [(.7, .25), (1, .5), (.7, .75)]], [[(.5, 1), (.5, 0)], [(.25, .3), (.5, 0), (.75, .3)]],
    [[(.5, 0), (.5, 1)], [(.2, .65), (.5, 1), (.8, .65)]], [[(0, 1), (1, 0)], [(.55, .05), (1, 0), (.95, .45)]],
    [[(1, .6), (.5, .2), (0, .6)], [(.05, .3), (0, .6), (.3, .65)]],
    [arc(.5, .5, .5, .25), arc(.5, .5, .14, .14)], [arc(.5, .8, .6, .55, 200, 340), arc(.5, .2, .6, .55, 20, 160), arc(.5, .5, .12, .15)],
    [arc(.4, .4, .4, .4), [(.68, .68), (1, 1)]],
    [arc(.5, .5, .5, .5), arc(.5, .5, .3, .3, 20, 160), [(.3, .3), (.32, .4)], [(.7, .3), (.68, .4)]],
    [arc(.5, .5, .5, .5), [(.15, .15), (.85, .85)], [(.85, .15), (.15, .85)]], [arc(.5, .5, .5, .5), [(.5, 0), (.5, 1)], [(0, .5), (1, .5)]],
    [arc(.5, .5, .5, .5), [(.5, .5), (.5, .15)], [(.5, .5), (.75, .6)]], [arc(.5, .5, .5, .5), arc(.5, .5, .3, .3), arc(.5, .5, .12, .12)],
    [[(0, .5), (.5, 0), (1, .5)], [(.15, .5), (.15, 1), (.85, 1), (.85, .5)]], [[(.3, 0), (.3, 1)], [(0, .35), (.6, .35)]],
    [[(0, .5), (.35, 1), (1, 0)]], [[(0, .6), (.3, .9), (.9, .1)], [(.1, .2), (.1, .2)]], [[(.6, 0), (.2, .55), (.8, .45), (.3, 1)]],
    [arc(.25, .6, .25, .25, 90, 270) + arc(.5, .35, .3, .3, 190, 350) + arc(.8, .6, .2, .25, -90, 90) + [(.25, .85)]],
    [arc(.5, .5, .15, .15)] + [arc(.5 + .3 * np.cos(a), .5 + .3 * np.sin(a), .17, .17) for a in np.arange(5) * 2 * np.pi / 5],
    [arc(.4, .5, .4, .25), [(.78, .5), (1, .25), (1, .75), (.78, .5)]], [arc(.5, .5, .5, .5, 60, 300) + arc(.7, .5, .4, .42, 270, 90)],
    [[(.1, .2), (.2, 1), (.7, 1), (.8, .2), (.1, .2)], arc(.8, .5, .2, .2, -90, 90)], [arc(.2, .5, .2, .2), [(.4, .5), (1, .5)], [(.8, .5), (.8, .75)], [(.95, .5), (.95, .7)]],
    [[(.2, 0), (.2, 1)], [(.8, 0), (.8, 1)], [(.2, .25), (.8, .25)], [(.2, .5), (.8, .5)], [(.2, .75), (.8, .75)]],
    [arc(.25, .85, .25, .15), [(.5, .85), (.5, 0), (.9, .2)]], [arc(.2, .85, .2, .13), [(.4, .85), (.4, .1), (.95, 0), (.95, .75)], arc(.75, .75, .2, .13)],
    [[(.1, .2), (.3, 0), (.7, 0), (.9, .25), (.5, .5), (.5, .7)], [(.5, .95), (.5, 1)]],
    [arc(.5, .15, .15, .15), [(.5, .3), (.5, .65), (.25, 1)], [(.5, .65), (.75, 1)], [(.2, .45), (.8, .45)]],
    [[(.5, 0), (.1, .8), (.9, .8), (.5, 0)], [(.5, .8), (.5, 1)]],
    [[(.6, 0), (.2, .1), (.35, .4), (.1, .5), (.35, .6), (.2, .95), (.6, 1)]],
    [[(0, 0), (1, 0), (1, .7), (.4, .7), (.2, 1), (.2, .7), (0, .7), (0, 0)]], [[(0, .2), (1, .2), (1, .8), (0, .8), (0, .2), (.5, .55), (1, .2)]],
    [[(.5, .25), (.25, 0), (.1, .15), (.5, .25), (.75, 0), (.9, .15), (.5, .25), (.1, .9)], [(.5, .25), (.9, .9)]],
    [arc(.5, .5, .28, .28)] + [[(.5 + .36 * np.cos(a), .5 + .36 * np.sin(a)), (.5 + .5 * np.cos(a), .5 + .5 * np.sin(a))] for a in np.arange(8) * np.pi / 4],
    [[(0, 1), (0, 0)], [(0, 1), (1, 1)], [(.1, .8), (.4, .5), (.6, .6), (.95, .1)]],
    [[(0, .1), (.15, .1), (.3, .7), (.85, .7), (1, .25), (.2, .25)], arc(.4, .9, .08, .08), arc(.75, .9, .08, .08)],
    [[(.1, .5), (.1, 1), (.9, 1), (.9, .5), (.1, .5)], [(.25, .5)] + arc(.5, .3, .25, .3, 180, 360) + [(.75, .5)]],
    [arc(.5, .65, .4, .35), [(.25, .4), (.1, 0), (.45, .3)], [(.55, .3), (.9, 0), (.75, .4)], [(.35, .65), (.35, .65)], [(.65, .65), (.65, .65)]],
    [[(.45, .4)] + arc(.3, .3, .3, .25, 30, 330) + [(.45, .4)] + arc(.7, .3, .3, .25, 210, 500) + [(.5, .5), (.5, 1)]],
]


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
        self.symbols = [(path, sign) for path in find_symbol_fonts() for sign in symbols_in(path)]
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

    def symbol(self):
        """Of a font, filled or its outline."""
        path, sign = self.choice(self.symbols)
        image = self.pen(self.bent(self.text(sign, [path]), self.choice((.2, .6, 1))))
        return self.hollow(image) if self.between(0, 1) else image

    def drawing(self):
        """A small drawing of a few strokes."""
        return self.bent(self.strokes(self.choice(DRAWINGS), self.choice((.01, .03, .05)), self.between(2, 8)), self.choice((.3, .8, 1.3)))

    def taught(self):
        """A digit of DIGITS_OF_STROKES, its label."""
        label = self.choice(list(DIGITS_OF_STROKES))
        lines = self.choice(DIGITS_OF_STROKES[label])
        return self.bent(self.strokes(lines, self.choice((.01, .03, .04)), self.between(3, 9)), self.choice((.3, .8))), label

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
        elif kind < 15:
            image, label = self.taught()
        else:
            image = self.bent(self.text(str(label), self.digit_fonts), self.choice((0.2, .6, 1)))
        return seen(self.worn(self.pen(image)), self.random.uniform(.3, .5)), label

    def other(self):
        kind = self.between(0, 24)
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
        elif kind < 20:
            image = self.symbol()
        elif kind < 22:
            image = self.drawing()
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


@functools.lru_cache(maxsize=None)
def find_symbol_fonts():
    found = sorted(glob.glob("/usr/share/fonts/**/*.ttf", recursive=True))
    return [p for p in found if os.path.basename(p).lower().startswith(SYMBOL_FONTS)]


@functools.lru_cache(maxsize=None)
def symbols_in(path):
    """Those of SYMBOLS that a font has and that aren't like digits."""
    font = ImageFont.truetype(path, 24)
    missing = bytes(font.getmask("\uffff"))
    named = [sign for sign in SYMBOLS if not any(word in unicodedata.name(sign, "DIGIT") for word in LIKE_DIGITS)]
    return [sign for sign in named if font.getmask(sign).getbbox() and bytes(font.getmask(sign)) != missing]


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
