#!/usr/bin/env python3
"""Draws pictures with known digits, and some without any, for `make bench-pictures`. Seeded: the same every time.

Usage: draw.py FOLDER [--mnist DIR] [--part test|valid] [--each N] [--seed S]

FOLDER/truth.csv names each picture, its set, its kind and its digits in reading order. The digits are MNIST's test images, or
with --part valid the last 10,000 training images, which settings may be chosen on; the set `hand` has digits of fonts that look
like handwriting and, where scikit-learn is installed, those of its load_digits, each at five sizes, in both parts other ones.
"""

import argparse
import csv
import glob
import gzip
import os

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

# Fonts that look like handwriting, of digits and of letters; the gate's training (draw_gate.py) has none of them.
HAND_FONTS = {
    "test": ("dkg", "BecauseWeConnect", "BecauseWeCreate", "BecauseWeMentor", "BecauseWeOrganize", "Humor-Sans", "Rufscript",
             "breipfont", "KleeOne-Regular", "ComicNeue-Regular", "setofont."),
    "valid": ("kiloji_p", "Kristi", "DancingScript-Regular", "femkeklaver", "Domestic_Manners", "TomsonTalks"),
}
LABELS = ("Room", "Amount", "Phone", "Customer", "Meter", "Date", "Weight", "Part")
LABEL_FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
# Those of Font Awesome that aren't digits or rings.
SYMBOL_FONT = "/usr/share/fonts/truetype/font-awesome/fontawesome-webfont.ttf"
SYMBOLS = [code for code in range(0xf000, 0xf200)
           if code % 16 < 15 and code not in (0xf0cb, 0xf10c, 0xf111, 0xf1ce, 0xf1db, 0xf162, 0xf163, 0xf12b, 0xf12c, 0xf142, 0xf192)]
LETTERS = "ACEFHJKMNPRTVWXYadefhkmnprtvwxy"


def read_idx(folder, name, offset):
    path = os.path.join(folder, name)
    data = open(path, "rb").read() if os.path.exists(path) else gzip.open(path + ".gz").read()
    return np.frombuffer(data, np.uint8)[offset:]


def read_digits(folder, part):
    name = "t10k" if part == "test" else "train"
    images = read_idx(folder, name + "-images-idx3-ubyte", 16).reshape(-1, 28, 28)[-10000:]
    return images, read_idx(folder, name + "-labels-idx1-ubyte", 8)[-10000:]


def thinned(bits):
    """The middle lines of strokes (Zhang & Suen, 1984)."""
    while True:
        before = bits.copy()
        for step in range(2):
            p = [np.roll(bits, shift, (0, 1)) for shift in ((1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1))]
            neighbours = sum(q.astype(int) for q in p)
            turns = sum((~a & b).astype(int) for a, b in zip(p, p[1:] + p[:1]))
            a, b = ((p[0] & p[2] & p[4]), (p[2] & p[4] & p[6])) if step == 0 else ((p[0] & p[2] & p[6]), (p[0] & p[4] & p[6]))
            bits = bits & ~((neighbours >= 2) & (neighbours <= 6) & (turns == 1) & ~a & ~b)
        if (bits == before).all():
            return bits


class Drawer:
    """Makes pictures; each draw_* gives (an image of mode L or RGB, the digits in it)."""

    def __init__(self, images, labels, part, seed):
        self.images, self.labels, self.random = images, labels, np.random.RandomState(seed)
        self.fonts = find_fonts(part)
        self.next = (seed - 1) * 1237 % len(images)  # another seed shows other digits, too

    def between(self, low, high):
        return int(self.random.randint(low, high + 1))

    def digit(self, height):
        """Ink (255 is full) of the next digit, cropped, and its label."""
        image, label = self.images[self.next], str(self.labels[self.next])
        self.next = (self.next + 7) % len(self.images)
        rows, columns = np.where(image.max(1) > 0)[0], np.where(image.max(0) > 0)[0]
        cropped = Image.fromarray(image[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1])
        large = cropped.resize((max(1, round(cropped.width * height / cropped.height * 2)), height * 2), Image.BICUBIC)
        smooth = large.filter(ImageFilter.GaussianBlur(height / 28)).point(lambda v: max(0, min(255, (v - 96) * 5)))
        return smooth.resize((max(1, smooth.width // 2), height), Image.BOX), label

    def page(self, width, height, paper=250):
        return Image.new("RGB", (width, height), (paper, paper, paper) if isinstance(paper, int) else paper)

    def put(self, page, ink, x, y, colour=(20, 20, 30)):
        page.paste(Image.new("RGB", ink.size, colour), (x, y), ink)

    def one(self, side=300, paper=250, colour=(20, 20, 30), height=None):
        """A page with one digit somewhere in it."""
        ink, label = self.digit(height or self.between(side // 3, side * 2 // 3))
        page = self.page(side, side, paper)
        self.put(page, ink, self.between(side // 12, max(side // 12, side - ink.width - side // 12)),
                 self.between(side // 12, max(side // 12, side - ink.height - side // 12)), colour)
        return page, label

    def light(self, page, low=0.45, high=1.0):
        width, height = page.size
        x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
        angle = self.random.rand() * 6.3
        ramp = np.cos(angle) * (x - 0.5) + np.sin(angle) * (y - 0.5)
        ramp = (ramp - ramp.min()) / (ramp.max() - ramp.min() + 1e-9) * (high - low) + low
        return Image.fromarray(np.clip(np.asarray(page) * ramp[..., None], 0, 255).astype(np.uint8))

    def noise(self, page, sigma=6):
        grain = self.random.normal(0, sigma, np.asarray(page).shape)
        return Image.fromarray(np.clip(np.asarray(page) + grain, 0, 255).astype(np.uint8))

    def rules(self, page, pitch, colour, width=1, squared=False):
        draw = ImageDraw.Draw(page)
        first = self.between(2, pitch)
        for y in range(first, page.height, pitch):
            draw.line((0, y, page.width, y), fill=colour, width=width)
        for x in range(first, page.width, pitch) if squared else ():
            draw.line((x, 0, x, page.height), fill=colour, width=width)
        return page

    def perspective(self, page, k=0.08):
        width, height = page.size
        corners = [(0, 0), (width, 0), (width, height), (0, height)]
        moved = [(x + self.random.uniform(-k, k) * width, y + self.random.uniform(-k, k) * height) for x, y in corners]
        rows = []
        for (x, y), (u, v) in zip(corners, moved):
            rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        map_ = np.linalg.solve(np.array(rows, float), np.array(moved).reshape(8))
        corner = page.getpixel((2, 2))
        return page.transform(page.size, Image.PERSPECTIVE, map_, Image.BICUBIC, fillcolor=corner)

    # One digit.
    def draw_plain(self):
        return self.one(self.between(60, 400))

    def draw_uneven_light(self):
        page, label = self.one(320, 235)
        return self.noise(self.light(page), 4), label

    def draw_shadow(self):
        page, label = self.one(360, 230)
        edge = self.between(100, 260)
        dark = np.asarray(page).astype(float)
        dark[:, edge:] *= 0.5
        return self.noise(Image.fromarray(dark.astype(np.uint8)).filter(ImageFilter.GaussianBlur(2)), 3), label

    def draw_noise(self):
        page, label = self.one(280, 200, (60, 60, 60))
        return self.noise(page, 18), label

    def draw_perspective(self):
        page, label = self.one(320, 240)
        return self.perspective(page), label

    def draw_ruled(self):
        page = self.rules(self.page(320, 320, 248), self.between(36, 60), (150, 170, 220), self.between(1, 3))
        ink, label = self.digit(self.between(110, 200))
        self.put(page, ink, self.between(40, 120), self.between(40, 100), (30, 40, 140))
        return page, label

    def draw_squared(self):
        page = self.rules(self.page(320, 320, 250), self.between(18, 40), (160, 190, 210), 1, True)
        ink, label = self.digit(self.between(90, 200))
        self.put(page, ink, self.between(40, 120), self.between(40, 100), (40, 40, 40))
        return page, label

    def draw_coloured(self):
        colours = [(200, 30, 40), (30, 60, 190), (20, 130, 60), (220, 120, 20), (140, 40, 150)]
        return self.one(300, (250, 246, 235), colours[self.between(0, 4)])

    def draw_pencil(self):
        page, label = self.one(320, 245, (165, 165, 168))
        return self.noise(page, 5), label

    def draw_thin_pen(self):
        ink, label = self.digit(60)
        bits = thinned(np.pad(np.asarray(ink) > 128, 2))
        large = Image.fromarray((bits * 255).astype(np.uint8)).resize((bits.shape[1] * 3, bits.shape[0] * 3), Image.BICUBIC)
        page = self.page(320, 320)
        self.put(page, large.filter(ImageFilter.GaussianBlur(1.5)).point(lambda v: min(255, v * 3)), 60, 40)
        return page, label

    def draw_marker(self):
        ink, label = self.digit(self.between(150, 220))
        wide = Image.new("L", (ink.width + 40, ink.height + 40))
        wide.paste(ink, (20, 20))
        page = self.page(320, 320)
        self.put(page, wide.filter(ImageFilter.MaxFilter(2 * self.between(2, 5) + 1)), 40, 30)
        return page, label

    def draw_chalk(self):
        page, label = self.one(300, (40, 70, 50), (225, 225, 215))
        return self.noise(page, 5), label

    def draw_frame(self):
        page, label = self.one(260, 250)
        margin, width = self.between(0, 12), self.between(1, 6)
        ImageDraw.Draw(page).rectangle((margin, margin, 259 - margin, 259 - margin), outline=(30, 30, 30), width=width)
        return page, label

    def draw_scan(self):
        page, label = self.one(300, 248)
        dark = ImageDraw.Draw(page)
        width = self.between(4, 16)
        dark.rectangle((0, 0, width, 299), fill=(10, 10, 10))
        if self.between(0, 1):
            dark.rectangle((0, 300 - width, 299, 299), fill=(10, 10, 10))
        return page, label

    def draw_small_on_page(self):
        page = self.page(1240, 1754, 250)
        ink, label = self.digit(self.between(28, 60))
        self.put(page, ink, self.between(100, 1000), self.between(100, 1500))
        return page, label

    def draw_desk(self):
        page = self.noise(self.page(480, 400, (70, 50, 35)), 8)
        sheet, label = self.one(220, 240)
        page.paste(sheet, (self.between(30, 230), self.between(30, 150)))
        return page.rotate(self.random.uniform(-4, 4), Image.BICUBIC, fillcolor=(70, 50, 35)), label

    def draw_at_border(self):
        ink, label = self.digit(180)
        page = self.page(260, 220)
        self.put(page, ink, 0 if self.between(0, 1) else 260 - ink.width, self.between(0, 40))
        return page, label

    def draw_dirt(self):
        page, label = self.one(300, 246)
        draw = ImageDraw.Draw(page)
        for _ in range(25):
            x, y, r = self.between(0, 299), self.between(0, 299), self.between(0, 2)
            draw.ellipse((x, y, x + r, y + r), fill=(90, 80, 70))
        return page, label

    def draw_tiny(self):
        return self.one(self.between(20, 36), 250, (20, 20, 30), self.between(12, 18))

    # Kinds that were found later.
    def draw_outline(self, paper=250, colour=(20, 20, 30)):
        """Cut out along the digit's outline."""
        ink, label = self.digit(self.between(40, 200))
        page = self.page(*ink.size, paper)
        self.put(page, ink, 0, 0, colour)
        return page, label

    def draw_outline_light(self):
        return self.draw_outline((40, 70, 50), (225, 225, 215))

    def draw_tight(self):
        """One digit or two, of a thin, a usual or a thick pen, with 0 to 3 pixels of paper around."""
        light, pen = self.between(0, 1), self.between(0, 2)
        height, left = self.between(40, 200), self.between(0, 3)
        drawn = Image.new("L", (height * 5, height + 40))
        text, x = "", 20
        for _ in range(self.between(1, 2)):
            ink, label = self.digit(60 if pen == 0 else height)
            if pen == 0:
                lines = Image.fromarray((thinned(np.pad(np.asarray(ink) > 128, 2)) * 255).astype(np.uint8))
                size = (max(1, lines.width * height // lines.height), height)
                ink = lines.resize(size, Image.BICUBIC).filter(ImageFilter.GaussianBlur(height / 80)).point(lambda v: min(255, v * 4))
            drawn.paste(ink, (x, 20))
            text, x = text + label, x + ink.width + height // 6
        if pen == 2:
            drawn = drawn.filter(ImageFilter.MaxFilter(2 * max(1, height // 40) + 1))
        x, y, right, bottom = drawn.getbbox()
        drawn = drawn.crop((x - left, y - left, right + left, bottom + left))
        page = self.page(*drawn.size, (40, 70, 50) if light else 250)
        self.put(page, drawn, 0, 0, (225, 225, 215) if light else (20, 20, 30))
        return page, text

    def draw_faint(self):
        page, label = self.one(230, 150, (110, 110, 112), 130)
        return self.noise(page, 3), label

    def draw_thick_light(self):
        page, label = self.draw_marker()
        return page.point(lambda v: 40 + (250 - v) * 3 // 4), label

    def draw_ringed(self):
        page, (ink, label), r = self.page(300, 300, 248), self.digit(self.between(80, 120)), self.between(95, 125)
        self.put(page, ink, 150 - ink.width // 2, 150 - ink.height // 2)
        around = [(150 + (r - a / 6) * np.cos(a + 2), 150 + (r - a / 6) * np.sin(a + 2)) for a in np.linspace(0, 6.5, 60)]
        ImageDraw.Draw(page).line(around, fill=(60, 60, 60), width=self.between(2, 6), joint="curve")
        return page, label

    def draw_underlined(self):
        page, height, low = self.page(560, 240, 248), self.between(80, 110), self.between(8, 30)
        text = self.row(page, self.between(1, 4), 60, 50, height, 18)
        right = np.where(np.asarray(page.convert("L")).min(0) < 128)[0][-1]
        y = 50 + height + height // 10 + low
        ImageDraw.Draw(page).line((50, y, max(right, 110), y + self.between(-4, 4)), fill=(20, 20, 30), width=self.between(3, 7))
        return page, text

    def draw_comb(self):
        """Boxes that are open at the top."""
        page, text, side = self.page(600, 160), "", 75
        draw = ImageDraw.Draw(page)
        draw.line((30, 125, 30 + 7 * side, 125), fill=(70, 70, 70), width=2)
        for k in range(8):
            draw.line((30 + k * side, 95, 30 + k * side, 125), fill=(70, 70, 70), width=2)
        for k in range(7):
            ink, label = self.digit(self.between(50, 62))
            self.put(page, ink, 30 + k * side + (side - ink.width) // 2, 119 - ink.height)
            text += label
        return page, text

    def draw_pattern(self):
        """On paper with a pattern, such as a cheque's."""
        page = self.page(560, 260, (240, 245, 238))
        draw = ImageDraw.Draw(page)
        for k in range(24):
            wave = [(x, 130 + 100 * np.sin(x / 40 + k / 4) * np.cos(x / 170 + k / 9)) for x in range(0, 560, 4)]
            draw.line(wave, fill=(190, 215, 195), width=1)
        return page, self.row(page, self.between(1, 4), 50, 60, self.between(80, 110), 20, (25, 30, 90))

    def draw_askew(self):
        """On ruled or squared paper that isn't level."""
        page = self.rules(self.page(460, 460, 248), self.between(24, 60), (150, 170, 220), self.between(1, 3), bool(self.between(0, 1)))
        text = self.row(page, self.between(1, 3), 90, 150, self.between(80, 110), 18, (30, 40, 140))
        return page.rotate(self.random.uniform(-6, 6), Image.BICUBIC).crop((40, 40, 420, 420)), text

    def draw_sheets(self):
        """Two sheets on a desk."""
        page, text = self.noise(self.page(760, 440, (70, 50, 35)), 8), ""
        for x in (50, 420):
            sheet, label = self.one(260, 242)
            page.paste(sheet, (x + self.between(-20, 20), self.between(40, 140)))
            text += label
        return page.rotate(self.random.uniform(-3, 3), Image.BICUBIC, fillcolor=(70, 50, 35)), text

    def draw_sheets_of_lines(self):
        """Two sheets on a desk with two lines each; one is read after the other."""
        page, text = self.noise(self.page(760, 520, (70, 50, 35)), 8), ""
        for x in (50, 420):
            sheet = self.page(270, 300, 242)
            for y in (40, 165):
                for k in range(self.between(1, 3)):
                    ink, label = self.digit(self.between(60, 75))
                    self.put(sheet, ink, 25 + k * 80, y + self.between(-6, 6), (40, 40, 50))
                    text += label
            page.paste(sheet, (x + self.between(-15, 15), self.between(30, 190)))
        return page.rotate(self.random.uniform(-3, 3), Image.BICUBIC, fillcolor=(70, 50, 35)), text

    def draw_heading(self):
        """A number, and under it two lines of numbers of a half to a fifth of its height."""
        page, text, low, colour = self.page(900, 700, 250), "", self.between(32, 60), (30, 30, 60)
        high = round(low * self.random.uniform(2, 5))
        for y, height, count in ((40, high, 2), (430, low, self.between(2, 4)), (560, low, self.between(2, 4))):
            x = 60
            for _ in range(count):
                ink, label = self.digit(height)
                self.put(page, ink, x, y, colour)
                x, text = x + ink.width + height // 3, text + label
        return page, text

    def draw_crooked_scan(self):
        """Lines on a sheet that lay askew in the scanner; its corners lie at the picture's sides."""
        page, text = self.page(620, 760), ""
        for y in (90, 230, 370, 510):
            text += self.row(page, self.between(2, 5), 90 + self.between(0, 60), y, self.between(60, 75), 16, (30, 40, 120))
        dark = (20, 20, 22) if self.between(0, 3) else (235, 235, 240)
        return page.rotate(self.random.uniform(2, 9) * self.random.choice((-1, 1)), Image.BICUBIC, True, fillcolor=dark), text

    def draw_exponents(self):
        """Numbers with an exponent each, which is read after its number."""
        page, text = self.page(760, 420), ""
        for y in (70, 250):
            for x in (50, 400):
                for height, raised in ((self.between(70, 85), 0), (self.between(70, 85), 0), (self.between(38, 48), 22)):
                    ink, label = self.digit(height)
                    self.put(page, ink, x, y - raised, (30, 40, 140))
                    x, text = x + ink.width + 12, text + label
        return page, text

    def draw_fractions(self):
        """Read in lines: first all numerators."""
        page, below = self.page(760, 330), ""
        draw, text = ImageDraw.Draw(page), ""
        for x in (50, 300, 550):
            tops, bottoms = self.between(1, 2), self.between(1, 2)
            text += self.row(page, tops, x, 50, self.between(70, 80), 14, (30, 40, 140))
            below += self.row(page, bottoms, x, 180, self.between(70, 80), 14, (30, 40, 140))
            draw.line((x - 12, 155 + self.between(-4, 4), x + 65 * max(tops, bottoms), 155 + self.between(-4, 4)), fill=(30, 40, 140), width=5)
        return page, text + below

    def draw_touching_line(self):
        """A number whose digits touch the line under it."""
        page, high = self.page(560, 240), self.between(80, 100)
        text, right = "", 50
        for _ in range(self.between(2, 5)):
            ink, label = self.digit(high)
            self.put(page, ink, right, 70, (30, 40, 140))
            right, text = right + ink.width + 16, text + label
        ImageDraw.Draw(page).line((44, 66 + high, right, 66 + high + self.between(-3, 3)), fill=((30, 40, 140), (200, 30, 40))[self.between(0, 1)], width=5)
        return page, text

    def shade(self, page, turn, soft):
        """Half of a page in shadow; turn: of the shadow's edge."""
        x, y = np.meshgrid(np.arange(page.width) - page.width / 2, np.arange(page.height) - page.height / 2)
        along = x * np.cos(turn) + y * np.sin(turn) + self.between(-page.width // 6, page.width // 6)
        dark = 1 - self.random.uniform(0.35, 0.6) * np.clip(along / soft + 0.5, 0, 1)
        return self.noise(Image.fromarray((np.asarray(page) * dark[..., None]).astype(np.uint8)), 3)

    def sheet_of_lines(self):
        page = self.page(480, 560, 240)
        return page, "".join(self.row(page, self.between(2, 4), 60, 60 + 125 * k, 65, 16, (30, 40, 140)) for k in range(4))

    def draw_half_in_shadow(self):
        page, text = self.sheet_of_lines()
        return self.shade(page, self.between(0, 3) * np.pi / 2 + self.random.uniform(0.5, 1.07), self.between(2, 60)), text

    def draw_shadow_on_desk(self):
        page, (sheet, text) = self.page(620, 720, (70, 50, 35)), self.sheet_of_lines()
        page.paste(sheet, (70, 80))
        page = page.rotate(self.random.uniform(-3, 3), Image.BICUBIC, fillcolor=(70, 50, 35))
        return self.shade(page, self.random.uniform(0, 6.3), self.between(2, 30)), text

    def draw_notes(self):
        """Notes, with their shadows, on a wall that is as light; numbers beside each other are read first."""
        page, text = self.page(760, 420, (225, 220, 212)), ""
        draw, colours = ImageDraw.Draw(page), ((250, 235, 120), (250, 160, 190), (160, 220, 150), (150, 205, 240), (200, 170, 115))
        for x in (50, 400):
            draw.rectangle((x + 10, 70, x + 318, 378), fill=(150, 146, 140))
            draw.rectangle((x, 60, x + 310, 370), fill=colours[self.between(0, 4)])
        for y in (95, 220):
            for x in (85, 435):
                text += self.row(page, self.between(1, 3), x, y, 48, 12)
        return page.filter(ImageFilter.GaussianBlur(0.8)), text

    def seen_at_an_angle(self, page, ground, most=0.02):
        """page, its corners moved by up to `most` of its sides, with its shadow on a ground that is a tenth larger."""
        w, h = page.size
        corners = [(w * (x + 0.05 + self.random.uniform(-most, most)), h * (y + 0.05 + self.random.uniform(-most, most)))
                   for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))]
        rows, goal = [], []
        for (x, y), (u, v) in zip(corners, ((0, 0), (w, 0), (w, h), (0, h))):
            rows += [(x, y, 1, 0, 0, 0, -u * x, -u * y), (0, 0, 0, x, y, 1, -v * x, -v * y)]
            goal += [u, v]
        back = tuple(np.linalg.solve(np.array(rows, float), np.array(goal, float)))
        moved = lambda picture: picture.transform(ground.size, Image.PERSPECTIVE, back, Image.BICUBIC)
        place = moved(Image.new("L", page.size, 255))
        shadow = Image.new("L", ground.size)
        shadow.paste(place, (6, 6))
        dark = 1 - 0.35 * np.asarray(shadow.filter(ImageFilter.GaussianBlur(6)), float)[..., None] / 255
        seen = Image.fromarray((np.asarray(ground) * dark).astype(np.uint8))
        seen.paste(moved(page), (0, 0), place)
        return self.noise(self.light(seen, 0.25).filter(ImageFilter.GaussianBlur(0.7)), 3)

    def draw_sudoku_photo(self):
        """On a table that is nearly as light."""
        page, text, side = self.page(640, 640), "", 62
        draw = ImageDraw.Draw(page)
        for k in range(10):
            at, wide = 40 + k * side, 4 if k % 3 == 0 else 1
            draw.line((40, at, 40 + 9 * side, at), (30, 30, 30), wide)
            draw.line((at, 40, at, 40 + 9 * side), (30, 30, 30), wide)
        for k in range(81):
            if self.between(0, 3):
                ink, label = self.digit(self.between(34, 42))
                self.put(page, ink, 40 + k % 9 * side + (side - ink.width) // 2, 40 + k // 9 * side + (side - ink.height) // 2, (30, 50, 130))
                text += label
        return self.seen_at_an_angle(page, Image.new("RGB", (704, 704), (235, 233, 228))), text

    def draw_sheet_on_wood(self):
        x, y = np.meshgrid(np.arange(528), np.arange(616))
        grain = 1 + 0.1 * np.sin(y / self.random.uniform(4, 12) + x / 90 + 2 * np.sin(x / 150 + y / 70))
        ground = Image.fromarray((grain[..., None] * np.array((150, 105, 65))).astype(np.uint8))
        page, text = self.sheet_of_lines()
        return self.seen_at_an_angle(page, ground), text

    def draw_comb_touched(self):
        """Digits that touch the teeth of a comb."""
        page, text = self.page(720, 240), ""
        draw = ImageDraw.Draw(page)
        draw.line((40, 152, 680, 152), (60, 60, 60), 2)
        for k in range(9):
            draw.line((40 + k * 80, 112, 40 + k * 80, 152), (60, 60, 60), 2)
        for k in range(8):
            ink, label = self.digit(66)
            self.put(page, ink, 40 + k * 80 + self.between(18, 34), 76 + self.between(-4, 4), (30, 40, 140))
            text += label
        return page, text

    def draw_sizes(self):
        """A number under one that is up to three times as large."""
        page = self.page(900, 640)
        text = self.row(page, 3, 60, 50, 230, 40)
        for y, height in ((360, 90), (510, self.between(70, 90))):
            text += self.row(page, self.between(3, 6), 70, y, height, 18, (30, 40, 140))
        return page, text

    def draw_fainter(self):
        """A number in black, and one in pencil that is far fainter, below or beside it."""
        page, grey, height = self.page(700, 420), 250 - self.between(40, 70), self.between(44, 60)
        text = self.row(page, 3, 50, 60, 60, 10)
        x, y = ((50, 250), (420, 64))[self.between(0, 1)]
        return page, text + self.row(page, 4, x, y, height, 10, (grey, grey, grey))

    def draw_printed(self):
        """Two printed numbers, small or large, some in a font whose zeros have dots."""
        size, page, text = self.between(18, 48), self.page(420, 220), ""
        font = ImageFont.truetype(LABEL_FONT.replace("Sans", ("Sans", "SansMono")[self.between(0, 1)]), size)
        for line in range(2):
            number = "".join(str(self.between(0, 9)) for _ in range(8))
            ImageDraw.Draw(page).text((20, 20 + 90 * line), number, font=font, fill=(20, 20, 20))
            text += number
        return page, text

    def draw_signs(self):
        """Printed numbers with brackets, slashes and per cent signs."""
        size, page, text = self.between(28, 60), self.page(420, 420), ""
        font = ImageFont.truetype(LABEL_FONT.replace("Sans", ("Sans", "SansMono", "Serif", "Sans-Bold", "Serif-Italic")[self.between(0, 4)]), size)
        for line, (before, after) in enumerate((("(", ")"), ("", "%"), ("", "/"), ("[", "]"))):
            first, second = ("".join(str(self.between(0, 9)) for _ in range(self.between(1, 3))) for _ in range(2))
            second = second if after == "/" else ""
            ImageDraw.Draw(page).text((40, 20 + 95 * line), before + first + after + second, font=font, fill=(20, 20, 20))
            text += first + second
        return page, text

    def draw_per_cent(self):
        """Numbers with a per cent sign, by hand."""
        page, height, text = self.page(420, 260), self.between(56, 80), ""
        pen, ring = max(3, height // 12), height * self.between(30, 42) // 100
        for line in range(2):
            digits, x = self.number_at(page, 2, 40, 30 + 110 * line, height)
            text += digits
            draw, x, y = ImageDraw.Draw(page), x + height // 4, 30 + 110 * line
            draw.ellipse((x, y, x + ring, y + ring), outline=(20, 20, 30), width=pen)
            draw.ellipse((x + height // 2, y + height - ring, x + height // 2 + ring, y + height), outline=(20, 20, 30), width=pen)
            draw.line((x + height * 7 // 10, y, x + ring // 2, y + height), fill=(20, 20, 30), width=pen)
        return page, text

    def draw_separate_boxes(self):
        """In printed boxes side by side, out of which the digits reach."""
        side = self.between(70, 100)
        page, text, step, line = self.page(8 * side, 2 * side + 60), "", side * self.between(115, 130) // 100, self.between(2, 3)
        draw, pen = ImageDraw.Draw(page), ((20, 20, 20), (30, 40, 120))[self.between(0, 1)]
        for k in range(5):
            x = 40 + k * step
            draw.rectangle((x, 50, x + side, 50 + side * 6 // 5), outline=(60, 60, 60), width=line)
            ink, label = self.digit(side * self.between(90, 112) // 100)
            self.put(page, ink, x + (side - ink.width) // 2 + self.between(-12, 12), 50 + side // 8 + self.between(-10, 14), pen)
            text += label
        return page, text

    def draw_enlarged(self):
        """Images side by side, four to twelve times as large, so that their edges are soft."""
        shown, zoom = [(self.next + 7 * k) % len(self.images) for k in range(5)], self.between(4, 12)
        row = Image.fromarray(255 - np.hstack([self.images[i] for i in shown]))
        page = self.page(row.width * zoom + 80, row.height * zoom + 80, 255)
        page.paste(row.resize((row.width * zoom, row.height * zoom), Image.BICUBIC).convert("RGB"), (40, 40))
        self.next = (self.next + 35) % len(self.images)
        return page, "".join(str(self.labels[i]) for i in shown)

    def draw_cast_shadow(self):
        """The shadow of a hand, of an arm or of a window's frame on a sheet."""
        page, text = self.sheet_of_lines()
        shadow, soft, turn = Image.new("L", page.size), self.between(4, 24), self.random.rand() * 6.3
        draw, x, y = ImageDraw.Draw(shadow), self.between(120, 360), self.between(140, 420)
        kind, wide, far = self.between(0, 2), self.between(50, 150), 2 * page.height
        along = np.array((np.cos(turn), np.sin(turn)))
        across = np.array((-along[1], along[0]))
        if kind == 0:
            draw.ellipse((x - wide, y - wide * 3 // 4, x + wide, y + wide * 3 // 4), fill=255)
        else:
            start, end = np.array((x, y)) - far * along * (kind == 1), np.array((x, y)) + far * along
            draw.polygon([tuple(p) for p in (start, end, end + wide * across, start + wide * across)], fill=255)
        dark = 1 - self.random.uniform(0.3, 0.55) * np.asarray(shadow.filter(ImageFilter.GaussianBlur(soft)), float)[..., None] / 255
        return self.noise(Image.fromarray((np.asarray(page) * dark).astype(np.uint8)), 3), text

    def draw_stained(self):
        """Under a cup's ring, or a stain."""
        page, text = self.sheet_of_lines()
        stain, r = Image.new("L", page.size), self.between(70, 160)
        x, y = self.between(80, 400), self.between(80, 480)
        if self.between(0, 2):
            ImageDraw.Draw(stain).ellipse((x - r, y - r, x + r, y + r), outline=255, width=self.between(4, 14))
        else:
            ImageDraw.Draw(stain).ellipse((x - r // 2, y - r // 2, x + r // 2, y + r // 2), fill=255)
        part = self.random.uniform(0.15, 0.35) * np.asarray(stain.filter(ImageFilter.GaussianBlur(2)), float)[..., None] / 255
        brown = np.asarray(page) * (1 - part) + np.array((125, 85, 50)) * part
        return self.noise(Image.fromarray(brown.astype(np.uint8)), 3), text

    def draw_low_comb(self):
        """A line with low teeth between the places for the digits."""
        page, text, side, tooth = self.page(640, 160), "", 75, self.between(10, 18)
        draw, wide = ImageDraw.Draw(page), self.between(1, 2)
        draw.line((30, 125, 30 + 7 * side, 125), fill=(70, 70, 70), width=wide)
        for k in range(8):
            draw.line((30 + k * side, 125 - tooth, 30 + k * side, 125), fill=(70, 70, 70), width=wide)
        for k in range(7):
            ink, label = self.digit(self.between(50, 66))
            self.put(page, ink, 30 + k * side + (side - ink.width) // 2 + self.between(-6, 6), 120 - ink.height)
            text += label
        return page, text

    def draw_labelled(self):
        """Numbers that are filled in beside printed words."""
        page, text, y = self.page(820, 420), "", 60
        font = ImageFont.truetype(LABEL_FONT, self.between(26, 40))
        for k in self.random.permutation(len(LABELS))[:3]:
            ImageDraw.Draw(page).text((40, y + 50), LABELS[k], (30, 30, 30), font, "ls")
            text += self.row(page, self.between(2, 5), 60 + int(font.getlength(LABELS[k])), y, 52, 12, (30, 40, 140))
            y += 120
        return page, text

    def draw_discs(self):
        """Light digits on dark discs, and a dark number beside them."""
        page, text, x, ink = self.page(760, 220), "", 30, (240, 240, 240)
        colour = ((200, 50, 40), (30, 60, 140), (40, 40, 40))[self.between(0, 2)]
        for _ in range(self.between(1, 3)):
            digit, label = self.digit(self.between(70, 85))
            ImageDraw.Draw(page).ellipse((x, 30, x + 150, 180), fill=colour)
            self.put(page, digit, x + 75 - digit.width // 2, 105 - digit.height // 2, ink)
            x, text = x + 180, text + label
        return page, text + self.row(page, 2, x + 20, 70, 70, 14)

    def slash(self, page, x, top, height):
        """Draws a slash that reaches a little beyond digits of this height; returns the place after it."""
        beyond = height * self.between(6, 12) // 100
        ImageDraw.Draw(page).line((x + height * 4 // 10, top - beyond, x, top + height + beyond), fill=(20, 20, 30), width=max(3, height // 12))
        return x + height * 4 // 10

    def number_at(self, page, count, x, top, height):
        """Digits that stand on one line; their text, and the place after them."""
        text = ""
        for _ in range(count):
            digit, label = self.digit(height)
            self.put(page, digit, x, top + height - digit.height, (20, 20, 30))
            x, text = x + digit.width + height // 6, text + label
        return text, x

    def draw_dates(self):
        """12/05/24"""
        page, height, x, text = self.page(800, 200), self.between(56, 80), 40, ""
        for part in range(3):
            x = self.slash(page, x, 60, height) + height // 6 if part else x
            digits, x = self.number_at(page, 2, x, 60, height)
            text += digits
        return page, text

    def draw_brackets(self):
        """Numbers in brackets."""
        page, height = self.page(520, 200), self.between(56, 80)
        beyond, wide, draw = height // 5, height // 4, ImageDraw.Draw(page)
        text, x = self.number_at(page, self.between(2, 3), 80, 60, height)
        box = lambda left: (left, 60 - beyond, left + 2 * wide, 60 + height + beyond)
        draw.arc(box(72 - wide), 120, 240, fill=(20, 20, 30), width=max(3, height // 12))
        draw.arc(box(x - wide), -60, 60, fill=(20, 20, 30), width=max(3, height // 12))
        return page, text

    def draw_bar_code(self):
        page, x = self.page(520, 240), 40
        while x < 470:
            width = self.between(1, 4) * 3
            ImageDraw.Draw(page).rectangle((x, 40, x + width - 1, 190), fill=(20, 20, 20))
            x += width + self.between(1, 4) * 3
        return page, ""

    def draw_cut_off(self):
        """A line of digits, and one that the picture's lower edge cuts off."""
        page, height = self.page(520, 260), self.between(60, 80)
        text, _ = self.number_at(page, 4, 50, 50, height)
        self.number_at(page, 4, 50, 260 - height * self.between(45, 65) // 100, height)
        return page, text

    def draw_band(self):
        """A light number on a dark band across the page, as a table's head, and a dark one below."""
        page, height = self.page(640, 320), self.between(46, 60)
        ImageDraw.Draw(page).rectangle((0, 30, 640, 130), fill=((40, 40, 40), (40, 60, 120), (120, 40, 40))[self.between(0, 2)])
        above = self.row(page, 4, 60, 80 - height // 2, height, 10, (240, 240, 240))
        return page, above + self.row(page, 4, 60, 200, height, 10)

    def draw_badge(self):
        """A light digit on a dark disc, alone."""
        radius = self.between(60, 110)
        page, (digit, label) = self.page(320, 320), self.digit(self.between(8, 12) * radius // 10)
        ImageDraw.Draw(page).ellipse((160 - radius, 160 - radius, 160 + radius, 160 + radius), fill=(40, 40, 40))
        self.put(page, digit, 160 - digit.width // 2, 160 - digit.height // 2, (240, 240, 240))
        return page, label

    def draw_axes(self):
        """The axes of a graph and the numbers at them."""
        page, width = self.page(820, 760), self.between(2, 5)
        draw, text = ImageDraw.Draw(page), ""
        draw.line((130, 60, 130, 660), fill=(30, 30, 30), width=width)
        draw.line((130, 660, 780, 660), fill=(30, 30, 30), width=width)
        for k in range(4):
            text += self.row(page, 1, 70, 90 + 140 * k, 44, 8)
        return page, text + "".join(self.row(page, 1, 180 + 140 * k, 680, 44, 8) for k in range(4))

    def draw_check_boxes(self):
        """Some of them with a cross."""
        page = self.page(420, 320)
        draw, crossed = ImageDraw.Draw(page), self.between(0, 11)
        for k in range(12):
            x, y, side = 40 + k % 4 * 95, 40 + k // 4 * 90, 46
            draw.rectangle((x, y, x + side, y + side), outline=(40, 40, 40), width=3)
            if k == crossed or not self.between(0, 3):
                for from_y, to_y in ((y + 4, y + 42), (y + 42, y + 4)):
                    draw.line((x + self.between(2, 5), from_y, x + side - self.between(2, 5), to_y), fill=(30, 40, 140), width=5)
        return page, ""

    def draw_struck_out(self):
        """A number that doesn't count any more."""
        page, count = self.page(420, 200), self.between(1, 3)
        self.row(page, count, 70, 60, 65, 12, (30, 40, 140))
        right = np.where(np.asarray(page.convert("L")).min(0) < 128)[0][-1]
        colour = ((30, 40, 140), (200, 30, 40))[self.between(0, 1)]
        ImageDraw.Draw(page).line((54, 92 + self.between(-5, 5), right + 16, 92 + self.between(-5, 5)), fill=colour, width=5)
        return page, ""

    def draw_struck_twice(self):
        """By two lines, as people mostly do."""
        page, count = self.page(420, 200), self.between(1, 3)
        self.row(page, count, 70, 60, 65, 12, (30, 40, 140))
        right = np.where(np.asarray(page.convert("L")).min(0) < 128)[0][-1]
        for y in (84, 100):
            ends = (54 + self.between(-6, 6), y + self.between(-3, 3), right + 16 + self.between(-6, 6), y + self.between(-3, 3))
            ImageDraw.Draw(page).line(ends, fill=(30, 40, 140), width=self.between(3, 5))
        return page, ""

    def draw_ruled_photo(self):
        """Ruled paper that is bent as a bound page is, or seen at an angle."""
        pitch, colour = self.between(52, 72), (150, 170, 200) if self.between(0, 2) else (90, 90, 100)
        page, text = self.page(640, 800, 248), ""
        draw = ImageDraw.Draw(page)
        for y in range(pitch // 2, page.height, pitch):
            draw.line((0, y, page.width, y), fill=colour, width=2)
        for k in range(3):
            height = pitch * 3 // 4
            text += self.row(page, 5, 90 + self.between(0, 80), pitch // 2 + pitch * (2 + 3 * k) + height // 5, height, height // 3)
        if self.between(0, 1):
            page = page.crop((0, 40, 640, 760))
            left, right = (self.between(0, 60) for _ in range(2))
            page = page.transform(page.size, Image.QUAD, (0, left, 0, 720 - left, 640, 720 - right, 640, right), Image.BICUBIC)
        else:
            rows = np.asarray(page)
            down = (np.sin(np.arange(640) / 640 * 3.14) * self.between(8, 20)).astype(int)
            places = (np.arange(760)[:, None] + down[None]).clip(0, 799)
            page = Image.fromarray(rows[places, np.arange(640)[None]])
        return self.noise(self.light(page, 0.7), 4), text

    def draw_squared_large(self):
        """Digits that are larger than the squares of their paper, which isn't quite level."""
        page, pitch, text = self.page(640, 480), self.between(26, 36), ""
        colour = [(150, 180, 220), (165, 165, 170), (190, 205, 225)][self.between(0, 2)]
        page = self.rules(page, pitch, colour, 2, True)
        for k in range(3):
            text += self.row(page, 4, 60 + self.between(0, 30), 20 + 150 * k, self.between(17, 24) * pitch // 10, pitch * 6 // 10)
        page = page.rotate(self.between(-15, 15) / 10, Image.BICUBIC, fillcolor=(250, 250, 250)).crop((20, 15, 620, 465))
        return self.noise(self.light(page, 0.7), 4), text

    def in_photo(self, page):
        """A sheet whose edges lie partly within the photograph, with light and shadow."""
        page = page.rotate(self.random.uniform(-5, 5), Image.BICUBIC, fillcolor=page.getpixel((2, 2)))
        page = self.light(self.perspective(page, 0.03), 0.7)
        if self.between(0, 2) == 0:
            page = self.shade(page, self.random.uniform(-0.4, 0.4), 12)
        return self.noise(page.filter(ImageFilter.GaussianBlur(0.8)), 6)

    def draw_empty_rules(self):
        """Squared or ruled paper on which nothing is written."""
        page, colour = self.page(1000, 760, 245), [(130, 155, 205), (150, 150, 160), (110, 130, 180)][self.between(0, 2)]
        return self.in_photo(self.rules(page, self.between(36, 80), colour, self.between(1, 2), self.between(0, 2) > 0)), ""

    def draw_texture(self):
        """Grass, or stones."""
        page, grass = self.page(800, 600, (40, 70, 30)), self.between(0, 1)
        draw = ImageDraw.Draw(page)
        for _ in range(6000 if grass else 300):
            x, y, grey = self.between(0, 800), self.between(0, 600), self.between(70, 200)
            if grass:
                end = (x + self.between(-9, 9), y - self.between(10, 35))
                draw.line((x, y) + end, (grey * 2 // 3, grey, grey // 3), 2)
            else:
                a, b = self.between(12, 45), self.between(9, 32)
                draw.ellipse((x - a, y - b, x + a, y + b), (grey, grey, grey), (60, 56, 50))
        return self.noise(self.light(page.filter(ImageFilter.GaussianBlur(1)), 0.8), 5), ""

    def draw_hairs(self):
        """Two numbers among hairs, which are thin and not as dark."""
        page = self.page(900, 620, 240)
        text = "".join(self.row(page, 5, 110, 110 + 250 * k, self.between(70, 95), 24) for k in range(2))
        draw = ImageDraw.Draw(page)
        for k in range(6):
            x, y, along = self.between(20, 860), (30, 245, 500)[k % 3] + self.between(0, 40), self.random.uniform(0, 6.3, 2)
            turns = along[0] + np.linspace(0, along[1] / 2, 24)[:, None]
            bends = np.cumsum(np.hstack((np.cos(turns), np.sin(turns))) * self.random.uniform(2, 4), 0) + (x, y)
            draw.line([tuple(bend) for bend in bends], (150, 150, 150), 1)
        return self.noise(self.light(page.filter(ImageFilter.GaussianBlur(0.6)), 0.8), 5), text

    def draw_spiral_pad(self):
        """Numbers on squared paper beside the holes and the wire of a spiral pad."""
        page, text = self.rules(self.page(760, 920, 245), 48, (160, 190, 225), 1, True), ""
        draw, pitch, size = ImageDraw.Draw(page), self.between(46, 60), self.between(9, 13)
        for y in range(30, page.height, pitch):
            draw.ellipse((36 - size, y - size, 36 + size, y + size), (45, 45, 45))
            draw.line((0, y - 14, 38, y), (80, 80, 85), 5)
        for k in range(4):
            text += self.row(page, self.between(2, 5), 150, 120 + 180 * k, self.between(60, 75), 18)
        page = page.rotate(self.random.uniform(-2, 2), Image.BICUBIC, fillcolor=(245, 245, 245))
        return self.noise(self.light(page.filter(ImageFilter.GaussianBlur(0.7)), 0.7), 5), text

    def draw_words(self):
        """Handwriting without digits."""
        page = self.page(700, 320)
        font = ImageFont.truetype(self.fonts[self.between(0, len(self.fonts) - 1)], self.between(50, 90))
        for y in (90, 220):
            word = "".join(LETTERS[self.between(0, len(LETTERS) - 1)] for _ in range(self.between(4, 7)))
            ImageDraw.Draw(page).text((60, y), word, (30, 40, 140), font, "lm")
        return page, ""

    def draw_over_cells(self):
        """In cells that the digits reach out of."""
        page, text, side = self.page(600, 160), "", 80
        draw = ImageDraw.Draw(page)
        for k in range(6):
            draw.rectangle((30 + k * side, 30, 30 + (k + 1) * side, 30 + side), outline=(90, 90, 90), width=2)
            ink, label = self.digit(self.between(70, 84))
            self.put(page, ink, 30 + k * side + (side - ink.width) // 2 + self.between(-8, 8), 34 + self.between(-8, 8), (30, 40, 120))
            text += label
        return page, text

    def draw_highlighted(self):
        page = self.page(480, 240, 252)
        ImageDraw.Draw(page).rectangle((25, 50, 455, 185), fill=(250, 245, 90))
        return page, self.row(page, self.between(1, 4), 45, 70, self.between(75, 95), 16, (30, 50, 150))

    def draw_same_brightness(self):
        """Ink that differs from its paper in colour alone."""
        pairs = [((120, 200, 120), (230, 140, 140)), ((180, 150, 230), (120, 180, 120)), ((230, 190, 120), (120, 200, 230))]
        return self.one(300, *pairs[self.between(0, 2)])

    def draw_drawing(self):
        """A face, a heart, an arrow or a star."""
        page, kind, width = self.page(300, 300), self.between(0, 3), self.between(3, 8)
        draw, turn = ImageDraw.Draw(page), self.random.rand() * 6.3
        at = lambda angle, r: (150 + r * np.cos(turn + angle), 150 + r * np.sin(turn + angle))
        if kind == 0:
            draw.ellipse((60, 60, 240, 240), outline=(20, 20, 30), width=width)
            for x in (110, 175):
                draw.ellipse((x, 115, x + 15, 130), fill=(20, 20, 30))
            draw.arc((105, 120, 195, 200), 20, 160, fill=(20, 20, 30), width=width)
            return page, ""
        if kind == 1:
            lines = [[(150 + 90 * np.sin(t) ** 3, 140 - 6 * (13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t)))
                      for t in np.linspace(0, 6.3, 60)]]
        elif kind == 2:
            lines = [[at(np.pi, 100), at(0, 100)], [at(.4, 60), at(0, 100), at(-.4, 60)]]
        else:
            lines = [[at(np.pi * k / 5, 100 if k % 2 else 42) for k in range(12)]]
        for line in lines:
            draw.line(line, fill=(20, 20, 30), width=width, joint="curve")
        return page, ""

    def draw_symbols(self):
        """A symbol of a program's buttons, filled or its outline."""
        sign, height = chr(SYMBOLS[self.between(0, len(SYMBOLS) - 1)]), self.between(40, 160)
        ink = Image.new("L", (3 * height, 2 * height))
        ImageDraw.Draw(ink).text((ink.width // 2, height), sign, 255, ImageFont.truetype(SYMBOL_FONT, height), "mm")
        ink = ink.rotate(self.random.uniform(-8, 8), Image.BICUBIC)
        if self.between(0, 1):
            width = 1 + 2 * self.between(1, 2)
            values = [np.asarray(ink.filter(kind(width))) for kind in (ImageFilter.MaxFilter, ImageFilter.MinFilter)]
            ink = Image.fromarray(values[0] - values[1])
        page = self.page(3 * height, 2 * height)
        page.paste((30, 30, 60), (0, 0), ink)
        return page, ""

    # Several.
    def row(self, page, count, x, y, height, gap, colour=(20, 20, 30)):
        text = ""
        for _ in range(count):
            ink, label = self.digit(height + self.between(-height // 10, height // 10))
            self.put(page, ink, x, y, colour)
            x += ink.width + gap
            text += label
        return text

    def draw_number(self):
        page, height = self.page(640, 200), self.between(60, 110)
        return page, self.row(page, self.between(2, 5), 20, 40, height, height // 5)

    def draw_lines(self):
        page = self.page(640, 480)
        return page, "".join(self.row(page, self.between(2, 6), 30, 30 + 150 * k, 70, 18) for k in range(3))

    def draw_cells(self):
        page, text, side = self.page(600, 160), "", 90
        draw = ImageDraw.Draw(page)
        for k in range(5):
            draw.rectangle((30 + k * side, 30, 30 + (k + 1) * side, 30 + side), outline=(60, 60, 60), width=2)
            ink, label = self.digit(self.between(45, 64))
            self.put(page, ink, 30 + k * side + (side - ink.width) // 2, 30 + (side - ink.height) // 2)
            text += label
        return page, text

    def draw_touching(self):
        page = self.page(320, 200)
        return page, self.row(page, 2, 40, 50, 90, -3)

    # None.
    def draw_blank(self):
        page = self.page(self.between(30, 400), self.between(30, 400), self.between(180, 255))
        return (self.noise(self.light(page, 0.6), 4) if self.between(0, 1) else page), ""

    def draw_only_rules(self):
        return self.rules(self.page(320, 320), self.between(20, 60), (140, 160, 210), self.between(1, 3),
                          bool(self.between(0, 1))), ""

    def draw_only_noise(self):
        side = self.between(28, 200)
        return Image.fromarray(self.random.randint(0, 256, (side, side, 3)).astype(np.uint8)), ""

    def draw_dots(self):
        page = self.page(300, 300)
        draw = ImageDraw.Draw(page)
        for _ in range(self.between(1, 5)):
            x, y, r = self.between(20, 260), self.between(20, 260), self.between(0, 16)
            draw.ellipse((x, y, x + r, y + r), fill=(20, 20, 20))
        return page, ""

    def draw_empty_box(self):
        page = self.page(300, 300)
        a, b = self.between(5, 80), self.between(150, 290)
        ImageDraw.Draw(page).rectangle((a, a, b, b), outline=(20, 20, 20), width=self.between(1, 6))
        return page, ""

    def draw_letter(self):
        font = ImageFont.truetype(self.fonts[self.between(0, len(self.fonts) - 1)], self.between(60, 160))
        page = self.page(300, 300)
        ImageDraw.Draw(page).text((150, 150), LETTERS[self.between(0, len(LETTERS) - 1)], (20, 20, 20), font, "mm")
        return page, ""


ONE = ("plain", "uneven_light", "shadow", "noise", "perspective", "ruled", "squared", "coloured", "pencil", "thin_pen", "marker",
       "chalk", "frame", "scan", "small_on_page", "desk", "at_border", "dirt", "tiny")
SEVERAL = ("number", "lines", "cells", "touching")
NONE = ("blank", "only_rules", "only_noise", "dots", "empty_box", "letter")
MORE = ("outline", "outline_light", "faint", "thick_light", "ringed", "underlined", "comb", "pattern", "askew", "sheets", "over_cells",
        "highlighted", "same_brightness", "drawing", "sheets_of_lines", "heading", "crooked_scan", "exponents", "fractions", "words",
        "touching_line", "half_in_shadow", "shadow_on_desk", "notes",
        "check_boxes", "struck_out", "struck_twice", "sudoku_photo",
        "sheet_on_wood", "ruled_photo", "squared_large", "comb_touched",
        "sizes", "cast_shadow", "stained", "low_comb", "labelled", "discs", "axes", "badge", "band",
        "dates", "brackets", "bar_code", "cut_off", "fainter", "printed", "enlarged", "signs", "per_cent",
        "separate_boxes", "empty_rules", "texture", "hairs", "spiral_pad", "tight",
        "symbols")  # found later; drawn last, so that the others stay what they were


def find_fonts(part):
    paths = sorted(glob.glob("/usr/share/fonts/**/*.?tf", recursive=True))
    return [p for p in paths if any(name in os.path.basename(p) for name in HAND_FONTS[part])]


def save_pnm(page, path, maxval):
    grey = (np.asarray(page.convert("L")).astype(int) * maxval + 127) // 255
    with open(path, "wb") as file:
        file.write(b"P5\n%d %d\n%d\n" % (page.width, page.height, maxval))
        file.write(grey.astype(">u2" if maxval > 255 else "u1").tobytes())


def save_turned(page, path, orientation):
    ways = {2: Image.FLIP_LEFT_RIGHT, 3: Image.ROTATE_180, 4: Image.FLIP_TOP_BOTTOM, 5: Image.TRANSPOSE,
            6: Image.ROTATE_90, 7: Image.TRANSVERSE, 8: Image.ROTATE_270}
    exif = Image.Exif()
    exif[0x112] = orientation
    page.transpose(ways[orientation]).save(path, exif=exif)


def save_transparent(page, path, ink):
    alpha = page.convert("L").point(lambda v: 255 - v)
    picture = Image.new("RGBA", page.size, ink + (0,))
    picture.putalpha(alpha)
    picture.save(path)


FORMATS = (
    ("png", lambda page, path: page.save(path)),
    ("jpg", lambda page, path: page.save(path, quality=88)),
    ("jpg", lambda page, path: page.convert("CMYK").save(path, quality=90)),
    ("tif", lambda page, path: page.save(path)),
    ("tif", lambda page, path: page.save(path, compression="tiff_lzw")),
    ("webp", lambda page, path: page.save(path, quality=85)),
    ("gif", lambda page, path: page.save(path)),
    ("bmp", lambda page, path: page.save(path)),
    ("png", lambda page, path: Image.fromarray(np.asarray(page.convert("L")).astype(np.uint16) * 257).save(path)),
    ("png", lambda page, path: page.quantize(16).save(path)),
    ("pgm", lambda page, path: save_pnm(page, path, 100)),
    ("pgm", lambda page, path: save_pnm(page, path, 4095)),
) + tuple(("jpg", lambda page, path, o=o: save_turned(page, path, o)) for o in range(2, 9)) + (
    ("png", lambda page, path: save_transparent(page, path, (255, 255, 255))),
    ("png", lambda page, path: save_transparent(page, path, (0, 0, 0))),
)


def hand_digits(part, each):
    """Digits of other hands than MNIST's: (ink, label)."""
    digits = []
    for font in find_fonts(part):
        for label in "0123456789":
            image = Image.new("L", (160, 160))
            ImageDraw.Draw(image).text((80, 80), label, 255, ImageFont.truetype(font, 90), "mm")
            if image.getbbox():
                digits.append((image.crop(image.getbbox()), label, "fonts"))
    try:
        from sklearn.datasets import load_digits
        bunch = load_digits()
        step = max(2, len(bunch.images) // (10 * each))
        for k in range(0 if part == "test" else step // 2, len(bunch.images), step):
            ink = Image.fromarray((bunch.images[k] * 15.9).astype(np.uint8)).resize((128, 128), Image.BICUBIC)
            digits.append((ink.crop(ink.point(lambda v: 255 * (v > 30)).getbbox()), str(bunch.target[k]), "load_digits"))
    except ImportError:
        print("draw.py: without scikit-learn's load_digits, which isn't installed")
    return digits


def write_hand(folder, rows, part, each):
    for k, (ink, label, kind) in enumerate(hand_digits(part, each)):
        height = (24, 48, 96, 160, 320)[k % 5]
        scaled = ink.resize((max(1, round(ink.width * height / ink.height)), height), Image.BICUBIC)
        page = Image.new("L", (scaled.width + height, height * 2), 250)
        page.paste(Image.new("L", scaled.size, 20), (height // 2, height // 2), scaled)
        name = f"hand-{k:04d}.png"
        page.save(os.path.join(folder, name))
        rows.append((name, "hand", kind, label))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--mnist", default="data/mnist")
    parser.add_argument("--part", default="test", choices=("test", "valid"))
    parser.add_argument("--each", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kinds", nargs="+", help="only these, of all but formats; hand: digits of other hands")
    given = parser.parse_args()
    os.makedirs(given.folder, exist_ok=True)
    drawer, rows = Drawer(*read_digits(given.mnist, given.part), given.part, given.seed), []

    def draw(name, kinds, each):
        for kind in kinds:
            for k in range(each if not given.kinds or kind in given.kinds else 0):
                page, text = getattr(drawer, "draw_" + kind)()
                path = f"{kind}-{k:03d}.png"
                page.save(os.path.join(given.folder, path))
                rows.append((path, name, kind, text))

    draw("one", ONE, given.each)
    draw("several", SEVERAL, given.each)
    draw("none", NONE, given.each * 5 // 2)
    for k in range(0 if given.kinds else given.each * 5):
        end, save = FORMATS[k % len(FORMATS)]
        page, text = drawer.one(240, 255, (0, 0, 0))
        path = f"format-{k:03d}.{end}"
        save(page, os.path.join(given.folder, path))
        rows.append((path, "one", "formats", text))
    if not given.kinds or "hand" in given.kinds:
        write_hand(given.folder, rows, given.part, given.each)
    draw("more", MORE, given.each)
    with open(os.path.join(given.folder, "truth.csv"), "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("picture", "set", "kind", "digits"))
        writer.writerows(rows)


main()
