# `predict` on pictures as people have them: formats, pages, several digits, none. The digits are MNIST's test images, mostly 0 and
# 1, a 7 and a 2, drawn as PGM.

load common

setup_file() {
    export models=$BATS_FILE_TMPDIR
    "$PARDIGITS" train configs/knn.ini --data "$data" --run "$models/knn" --set run.train=5000 2>/dev/null
    python3 - "$MNIST_DIR" "$BATS_FILE_TMPDIR" <<'PYTHON'
import base64, gzip, math, os, struct, sys, zlib
source, out = sys.argv[1:]
path = os.path.join(source, "t10k-images-idx3-ubyte")
data = open(path, "rb").read() if os.path.exists(path) else gzip.open(path + ".gz").read()


def digit(i, zoom):
    rows = [data[16 + 784 * i + 28 * y:][:28] for y in range(28)]
    return [[v for v in row for _ in range(zoom)] for row in rows for _ in range(zoom)]


class Page:
    def __init__(self, width, height, paper=245):
        self.rows = [[paper] * width for _ in range(height)]

    def put(self, i, zoom, x, y):
        for dy, row in enumerate(digit(i, zoom)):
            for dx, v in enumerate(row):
                self.rows[y + dy][x + dx] = self.rows[y + dy][x + dx] * (255 - v) // 255
        return self

    def fill(self, x, y, width, height, value):
        for row in self.rows[y:y + height]:
            row[x:x + width] = [value] * len(row[x:x + width])
        return self

    def frame(self, x, y, width, height, line):
        for box in ((x, y, width, line), (x, y + height - line, width, line), (x, y, line, height), (x + width - line, y, line, height)):
            self.fill(*box, 30)
        return self

    def save(self, name, maxval=255):
        values = [v * maxval // 255 for row in self.rows for v in row]
        with open(os.path.join(out, name), "wb") as file:
            file.write(b"P5\n%d %d\n%d\n" % (len(self.rows[0]), len(self.rows), maxval))
            file.write(struct.pack(">%d%s" % (len(values), "H" if maxval > 255 else "B"), *values))


seven = lambda: Page(200, 200).put(0, 6, 16, 16)
for maxval in (100, 1023, 65535):
    seven().save("maxval%d.pgm" % maxval, maxval)
seven().frame(2, 2, 196, 196, 3).save("frame.pgm")
seven().fill(0, 0, 9, 200, 5).fill(0, 190, 200, 10, 5).save("scan.pgm")
page = Page(200, 200)
for y in range(20, 200, 30):
    page.fill(0, y, 200, 2, 170)
page.save("rules.pgm")
page.put(0, 6, 16, 16).save("ruled.pgm")
seven().fill(0, 90, 200, 14, 245).save("torn.pgm")
page = Page(320, 320)
for k in range(6, 320, 18):
    page.fill(0, k, 320, 1, 160).fill(k, 0, 1, 320, 160)
page.put(1, 7, 50, 40).save("fine_squares.pgm")  # rules seem to end before the page does
dots = Page(300, 300)
for x, y, r in ((60, 200, 9), (170, 150, 5), (172, 195, 6), (20, 40, 4)):
    for dy in range(-r, r + 1):
        half = int((r * r - dy * dy) ** 0.5)
        dots.fill(x - half, y + dy, 2 * half + 1, 1, 20)
dots.save("dots.pgm")
desk, sheet = Page(320, 260, 60), seven()
for y in range(200):  # a sheet, a little turned, on a dark ground with grain
    desk.rows[30 + y][70 - y // 12:270 - y // 12] = sheet.rows[y]
desk.rows = [[max(0, v - (x * 7 + y * 13) % 11) for x, v in enumerate(row)] for y, row in enumerate(desk.rows)]
desk.save("desk.pgm")
sheets, other = Page(500, 280, 60), Page(200, 200).put(1, 6, 16, 16)  # two of them; the right one, of a 2, lies higher
for y in range(200):
    sheets.rows[60 + y][25:225] = sheet.rows[y]
    sheets.rows[15 + y][275:475] = other.rows[y]
sheets.save("sheets.pgm")
notes = Page(1000, 700, 90)  # small ones, on wood as light as they are dark
for x, i in ((90, 0), (390, 1), (690, 0)):
    notes.fill(x, 240, 240, 240, 175)
    notes.put(i, 5, x + 50, 290)
notes.rows = [[max(0, v - (x // 40 * 7 + y * 13) % 23) for x, v in enumerate(row)] for y, row in enumerate(notes.rows)]
notes.save("notes.pgm")
cloth = Page(900, 640, 200)  # a sheet on checked cloth
for y in range(640):
    for x in range(900):
        cloth.rows[y][x] -= 45 * (x // 30 % 2) + 45 * (y // 30 % 2)
cloth.fill(130, 70, 650, 500, 240).put(0, 5, 200, 120).put(1, 5, 400, 120).save("cloth.pgm")
Page(600, 400).put(0, 12, 10, 10).put(0, 3, 380, 50).put(1, 3, 450, 50).save("heights.pgm")  # a 7, beside it 72 of a quarter of its height
squared = seven()
for k in range(4, 200, 24):
    squared.rows = [[min(v, 175) if k in (x, y) else v for x, v in enumerate(row)] for y, row in enumerate(squared.rows)]
squared.save("squared.pgm")
photo, grid = Page(640, 420), Page(640, 420)  # rules that converge, close to digits; squares that are smaller than digits
for x in range(640):
    for k in range(7):
        photo.fill(x, 40 + 64 * k + x * (k - 3) // 60, 1, 2, 170)
for k in range(10, 640, 32):
    grid.fill(k, 0, 2, 420, 170).fill(0, k, 640, 2, 170)
for k in range(8):
    photo.put(k % 2, 2, 60 + k % 4 * 64, 103 + k // 4 * 130)
    grid.put(k % 2, 3, 60 + k % 4 * 90, 60 + k // 4 * 160)
photo.save("ruled_photo.pgm")
grid.save("squared_large.pgm")
shadow = seven()
shadow.rows = [[v if x < 100 else v // 2 for x, v in enumerate(row)] for row in shadow.rows]
shadow.save("shadow.pgm")
Page(32, 40).put(24, 1, 2, 6).save("small.pgm")  # strokes that are wide for their page
board = Page(200, 200, 255).put(450, 6, 16, 16)
board.rows = [[60 + (255 - v) * 170 // 255 for v in row] for row in board.rows]
board.save("board.pgm")  # a thick digit, light on dark, isn't a sheet
for name, i in (("outline7.pgm", 0), ("outline4.pgm", 4), ("outline1.pgm", 14)):  # cut out of a picture along its outline
    cut = Page(168, 168).put(i, 6, 0, 0)
    inked = [(x, y) for y, row in enumerate(cut.rows) for x, v in enumerate(row) if v < 200]
    (left, right), (top, bottom) = [(min(values), max(values) + 1) for values in zip(*inked)]
    cut.rows = [row[left:right] for row in cut.rows[top:bottom]]
    cut.save(name)
crowd = Page(880, 1760)
for k in range(110 * 110):
    crowd.fill(8 * (k % 110), 16 * (k // 110), 3, 11, 20)
crowd.save("crowd.pgm")
thin = Page(110, 160)  # a 7 of thin strokes, cut out likewise
thin.fill(1, 1, 108, 4, 20)
for y in range(1, 159):
    thin.fill(104 - y * 6 // 10, y, 5, 1, 20)
thin.save("outline_thin.pgm")
four = lambda: Page(300, 300).put(0, 4, 30, 20).put(1, 4, 160, 20).put(1, 4, 30, 170).put(0, 4, 160, 170)  # 72, 27
lamp, dim = four(), Page(400, 400, 60)
for y, row in enumerate(lamp.rows):  # light on a part of a sheet
    row[:] = [v if 40 + y // 9 <= x < 200 + y // 9 and 30 <= y < 160 else v // 2 for x, v in enumerate(row)]
lamp.save("lamp.pgm")
for y, row in enumerate(four().rows):  # a sheet on a desk, half of both in shadow
    dim.rows[50 + y][50:350] = row
dim.rows = [[v if 2 * y + x < 600 else v // 2 for x, v in enumerate(row)] for y, row in enumerate(dim.rows)]
dim.save("desk_shadow.pgm")
note = Page(500, 500, 200)  # a note on a wall; only its shadow has an edge
note.fill(30, 30, 430, 430, 205).fill(460, 38, 7, 429, 90).fill(38, 460, 429, 7, 90)
note.put(0, 2, 60, 60).put(1, 2, 110, 60).put(1, 2, 60, 160).put(0, 2, 110, 160).save("note.pgm")
table = Page(640, 640, 200)  # a sheet against which its digits are small
table.fill(30, 30, 570, 570, 205).fill(600, 38, 9, 571, 90).fill(38, 600, 571, 9, 90)
table.put(0, 1, 60, 60).put(1, 1, 84, 60).put(1, 1, 60, 120).put(0, 1, 84, 120).save("table.pgm")
wood, sheet = Page(400, 500, 60), Page(330, 440, 250)  # around a sheet, two sides of which are brighter than the others
wood.fill(0, 0, 30, 500, 120).fill(0, 0, 330, 30, 120)
for y in range(30, 440, 50):
    sheet.fill(0, y, 330, 2, 170)
sheet.put(0, 2, 60, 76).put(1, 2, 110, 76).put(1, 2, 60, 226).put(0, 2, 110, 226)
for y, row in enumerate(sheet.rows):
    wood.rows[30 + y][30 - y // 40:360 - y // 40] = row
wood.save("wood.pgm")
grid = Page(460, 460)  # cells that slant, as in a photograph
for y, row in enumerate(grid.rows):
    for x in range(30, 430):
        if 30 <= y < 430 and ((y * 30 + x) % 2000 < 60 or (x * 40 - y) % 2640 < 80):
            row[x] = 40
for k, i in enumerate((0, 1, 1, 0, 0, 1)):
    grid.put(i, 2, 40 + k % 3 * 66, 84 + k // 3 * 66)
grid.save("grid.pgm")
faint = Page(228, 228, 255).put(33, 6, 30, 30)
faint.rows = [[150 - (255 - v) * 40 // 255 + (x * x * 7 + y * y * 13 + x * y) % 11 for x, v in enumerate(row)] for y, row in enumerate(faint.rows)]
faint.save("faint.pgm")
crooked = Page(300, 300, 15)  # a scan of a sheet that isn't straight, so that its corners lie at the picture's sides
for y in range(300):
    for x in range(300):
        if abs(x - 150 + (y - 150) * 0.2) <= 131 and abs(y - 150 - (x - 150) * 0.2) <= 131:
            crooked.rows[y][x] = 250
corner = Page(300, 300, 40)  # a sheet with three corners isn't straightened
for y in range(300):
    corner.fill(10, y, max(0, min(280, y - 10)), 1, 245)
corner.put(0, 3, 40, 180).save("corner.pgm")
crooked.put(0, 3, 60, 80).put(1, 3, 150, 80).save("crooked.pgm")
Page(400, 300).put(0, 4, 90, 10).put(3, 4, 60, 150).put(1, 4, 140, 150).fill(64, 140, 130, 5, 30).save("fraction.pgm")  # 7 by 02
Page(400, 200).put(0, 5, 20, 50).put(1, 2, 130, 52).put(1, 5, 200, 50).save("exponent.pgm")
lined = Page(640, 200)  # 72727
for place, i in enumerate((0, 1, 0, 1, 0)):
    lined.put(i, 4, 30 + place * 110, 30)
lined.fill(40, 134, 540, 5, 30).save("touching_line.pgm")
def disc(page, left, radius, *digits):  # light digits on a dark disc
    for y in range(2 * radius):
        for x in range(2 * radius):
            if (x - radius) ** 2 + (y - radius) ** 2 <= radius ** 2:
                page.rows[20 + y][left + x] = 40
    for place, i in enumerate(digits):
        for y, row in enumerate(digit(i, 3)):
            for x, v in enumerate(row):
                if v:
                    page.rows[20 + radius - 42 + y][left + radius - 36 * len(digits) - 6 + place * 72 + x] = 40 + v * 200 // 255


discs = Page(670, 240).put(0, 4, 470, 30).put(1, 4, 550, 30)
for left, i in ((20, 1), (170, 1), (320, 2)):
    disc(discs, left, 70, i)
discs.save("discs.pgm")  # 2, 2 and 1, beside 72
discs = Page(600, 300).put(0, 4, 340, 60).put(1, 4, 420, 60)
disc(discs, 20, 120, 1, 0)
discs.save("disc_of_two.pgm")  # 27, beside 72
discs = Page(260, 240)
disc(discs, 60, 70, 2)
discs.save("disc_of_one.pgm")  # 1
discs = Page(264, 268)
disc(discs, 12, 120, 0)
discs.save("disc_fills.pgm")  # 7
band_below = Page(500, 420).fill(0, 20, 500, 130, 40).put(0, 4, 60, 160).put(1, 4, 150, 160)
for place, i in enumerate((1, 0)):
    for y, row in enumerate(digit(i, 3)):
        for x, v in enumerate(row):
            band_below.rows[43 + y][60 + place * 90 + x] += v * 200 // 255
band_below.save("head.pgm")  # 27 on a dark band, 72 below
for name, rule in (("crossed_rule", 160), ("parting_rule", 144)):
    crossed = Page(600, 480, 240).fill(0, rule, 600, 4, 20).frame(0, 0, 600, 480, 36)
    for place in range(3):
        crossed.put(place % 2, 2, 120 + 66 * place, 120).put(1 - place % 2, 2, 120 + 66 * place, 300)
    crossed.save(name + ".pgm")  # 727 on a rule that touches a scan's edges, 272
Page(700, 660).put(0, 2, 150, 580).put(1, 2, 300, 580).put(3, 2, 450, 580).fill(100, 40, 3, 523, 30).fill(100, 560, 560, 3, 30).save("axes.pgm")
Page(470, 180).put(0, 4, 34, 35).put(1, 4, 114, 35).put(1, 4, 224, 35).put(0, 4, 304, 35).frame(30, 20, 205, 140, 3).frame(232, 20, 205, 140, 3).save("cells_of_two.pgm")
for name, y, line, numbers in (("standing.pgm", 121, 4, (1, 3, 0, 0, 3)), ("standing_thin.pgm", 122, 3, (0, 1, 0, 3, 0))):
    lined = Page(640, 200)  # 20770 and 72707: strokes lie along the line
    for place, i in enumerate(numbers):
        lined.put(i, 4, 20 + place * 80, 30)
    lined.fill(44, y, 386, line, 30).save(name)
hel = ((0, 0, 12, 100), (52, 0, 12, 100), (0, 42, 64, 12), (82, 0, 12, 100), (82, 0, 56, 12), (82, 42, 50, 12), (82, 88, 56, 12), (160, 0, 12, 100))


def write(page, x, y, scale=1):  # "HEl"
    for left, top, width, height in hel:
        page.fill(x + left // scale, y + top // scale, width // scale, height // scale, 30)
    return page


write(Page(400, 160), 40, 30).save("word.pgm")
write(Page(640, 160), 40, 30).put(0, 5, 242, 20).put(1, 5, 344, 20).save("label.pgm")  # "HEl 72"
write(Page(500, 180), 40, 76, 2).put(0, 5, 121, 20).put(1, 5, 223, 20).save("low_label.pgm")  # the same, the word half as high
joined = Page(1000, 160).put(0, 5, 10, 20).put(1, 5, 112, 20)  # 72, and letters that hang together
for x in range(260, 820, 50):
    joined.fill(x, 40, 12, 80, 30).fill(x, 70, 60, 12, 30)
joined.save("joined.pgm")
text = Page(900, 420)  # words, and a 7 close to them, one that is as low against them as a small letter, one that is as high
for k in range(6):
    write(text, 30 + k % 2 * 240, 20 + k // 2 * 130)
text.put(0, 5, 470, 15).put(0, 3, 560, 175).put(0, 5, 560, 275).save("print.pgm")
ringed = Page(200, 200).put(0, 4, 44, 44)
for step in range(2000):
    angle = step * 6.2832 / 2000
    ringed.fill(int(98 + 90 * math.cos(angle)), int(98 + 90 * math.sin(angle)), 4, 4, 30)
ringed.save("ringed.pgm")
circle = Page(400, 400).put(0, 2, 60, 170)  # far larger than the digit within
for step in range(4000):
    circle.fill(int(198 + 190 * math.cos(step / 636.6)), int(198 + 190 * math.sin(step / 636.6)), 4, 4, 30)
circle.save("circle.pgm")
seven().fill(20, 184, 150, 5, 30).save("underlined.pgm")
comb = Page(400, 120).fill(20, 96, 360, 2, 70)
for k in range(5):
    comb.fill(20 + k * 90, 66, 2, 30, 70)
for k, i in enumerate((0, 1, 1, 0)):
    comb.put(i, 3, 24 + k * 90, 12)
comb.save("comb.pgm")
low = Page(340, 120).fill(20, 96, 270, 2, 70)  # a comb of which the inner teeth are lower than its ends
for k, height in enumerate((66, 22, 22, 66)):
    low.fill(20 + k * 90, 96 - height, 2, height, 70)
for k, i in enumerate((0, 1, 0)):
    low.put(i, 3, 24 + k * 90, 9)
low.save("low_teeth.pgm")
slanted = Page(240, 240).put(0, 3, 70, 70)  # a thin frame that isn't level
for k in range(120):
    slanted.fill(60 + k, 58 + k // 40, 1, 2, 90).fill(52 + k, 178 + k // 40, 1, 2, 90).fill(60 - k // 15, 58 + k, 2, 1, 90).fill(179 - k // 15, 61 + k, 2, 1, 90)
slanted.save("slanted_frame.pgm")
row = Page(640, 300)  # empty cells at the picture's side, which slant
for x in range(361):
    row.fill(x, 90 - x // 16, 1, 3, 30).fill(x, 150 - x // 16, 1, 3, 30)
for x in range(0, 361, 60):
    row.fill(x, 90 - x // 16, 3, 63, 30)
row.save("cells_at_side.pgm")
patchy = Page(480, 360)  # squares of which pieces are printed stronger than the rest
for y in range(360):
    for x in range(480):
        if x % 24 == 5 or y % 24 == 7:
            patchy.rows[y][x] = 218 if x % 24 == 5 and (x // 24 * 7 + y // 24 * 5) % 4 == 0 else 232
patchy.save("patchy_squares.pgm")
column = Page(360, 300)  # a column of 1s on squares
for k in range(5, 360, 30):
    column.fill(k, 0, 1, 300, 178).fill(0, k, 360, 1, 178)
for k in range(5):
    column.fill(200, 38 + k * 32, 3, 25, 50)
column.save("column.pgm")
bars = Page(420, 140).fill(20, 108, 380, 2, 70)  # the digits touch the comb's teeth
for k in range(6):
    bars.fill(20 + k * 75, 74, 2, 34, 70)
for k, i in enumerate((0, 1, 1, 0, 1)):
    bars.put(i, 3, 16 + k * 75, 14)
bars.save("bars.pgm")
Page(800, 560).put(0, 13, 10, 0).put(0, 11, 400, 10).put(0, 4, 20, 410).put(0, 5, 122, 400).put(0, 4, 240, 410).save("mixed.pgm")  # 77, 777 of about 0.4 of its height
band = Page(450, 600).put(0, 3, 60, 60)  # a soft shadow across the page
for y, row in enumerate(band.rows):
    for x, v in enumerate(row):
        row[x] = int(v * (1 - 0.5 / (1 + math.exp((abs(x - 300 + y / 8) - 40) / 5))))
band.save("band.pgm")
hard_band = Page(450, 400).put(0, 3, 40, 40).put(1, 3, 170, 160).put(0, 3, 40, 280)  # with sharp edges, of which one crosses the 2
for y, row in enumerate(hard_band.rows):
    row[210 - y // 8:310 - y // 8] = [v // 2 for v in row[210 - y // 8:310 - y // 8]]
hard_band.save("hard_band.pgm")
lit = Page(700, 420).put(0, 3, 30, 20).put(1, 3, 130, 20).put(1, 3, 40, 300).put(0, 3, 250, 300)  # dark writing and a light 0 in a soft shadow
for y in range(200):
    for x, v in enumerate(lit.rows[y]):
        on_zero = abs(math.hypot((x - 330) / 20, (y - 90) / 32) - 1) < 0.22
        shadow = 1 / (1 + math.exp((y - 150) / 8)) / (1 + math.exp((x - 520) / 8))
        lit.rows[y][x] = int(v * (1 - (0.05 if on_zero else 0.45) * shadow))
lit.save("lit.pgm")
sign = Page(500, 380, 60).fill(58, 58, 384, 264, 20).fill(64, 64, 372, 252, 90)  # on which each stroke is as large as a sheet may be
for k, i in enumerate((0, 1)):
    for dy, row in enumerate(digit(i, 7)):
        for dx, v in enumerate(row):
            sign.rows[90 + dy][60 + 180 * k + dx] += 150 * v // 255
sign.save("sign.pgm")
parcel = Page(500, 320, 150).fill(265, 35, 200, 140, 30).fill(267, 37, 196, 136, 245)  # large writing beside a label
parcel.put(0, 2, 300, 70).put(1, 2, 360, 70).put(0, 5, 20, 160)
parcel.save("parcel.pgm")
hand = Page(800, 620)  # a hand's soft shadow; digits lie across its fingers' edges
for k in range(4):
    hand.put(k % 2, 2, 165 + 110 * k, 60).put(k % 2, 2, 165 + 110 * k, 320)
for y, row in enumerate(hand.rows):
    for x, v in enumerate(row):
        apart = min(max(left - x, x - left - width, top - y) for left, width, top in [(150, 420, 440)] + [(180 + 110 * k, 36, 250) for k in range(4)])
        row[x] = int((245 - (245 - v) * 0.6) * (1 - 0.5 / (1 + math.exp(apart / 3))))
hand.save("hand.pgm")
cells = Page(400, 130)  # out of which digits reach
for k in range(4):
    cells.frame(20 + k * 80, 20, 82, 82, 2)
for k, i in enumerate((0, 1, 1, 0)):
    cells.put(i, 4, 6 + k * 80, 10 + k % 2 * 8)
cells.save("cells.pgm")
sudoku = Page(460, 340)  # a grid, of which cells hold a digit each
for k in range(5):
    sudoku.fill(30 + k * 66, 30, 2, 266, 30).fill(30, 30 + k * 66, 266, 2, 30)
for x, y, i in ((0, 0, 0), (1, 0, 1), (2, 0, 0), (2, 1, 1), (3, 1, 0), (0, 3, 1), (2, 3, 0), (3, 3, 1)):
    sudoku.put(i, 2, 36 + x * 66, 36 + y * 66)
sudoku.save("sudoku.pgm")
cheque = Page(900, 700)  # words of print in two sizes, in lines, and single digits away from them
for k in range(8):
    write(cheque, 20 + 100 * k, 20, 2)
    write(cheque, 20 + 100 * k, 80, 2)
for k in range(4):
    write(cheque, 20 + 210 * k, 140, 5)
for k in range(3):
    cheque.put(0, 5, 40 + 300 * k, 300).put(1, 5, 40 + 300 * k, 500)
cheque.save("cheque.pgm")
spare = Page(700, 180)  # cells, of which some are empty and one has a gap
for k in range(6):
    spare.frame(40 + k * 100, 40, 66, 100, 4)
spare.put(0, 2, 45, 60).put(1, 2, 141, 60).fill(40, 70, 4, 40, 245).save("spare.pgm")
square = Page(300, 160).put(0, 3, 20, 30)  # "720", the 0 of which has corners
square.put(1, 3, 85, 30).frame(180, 36, 40, 72, 8).save("square.pgm")
row = write(Page(800, 120), 20, 40, 3).frame(200, 20, 402, 82, 2)  # "HEl" and cells of one number, with wide gaps
for k in range(1, 5):
    row.fill(200 + k * 80, 20, 2, 82, 30)
for k, i in enumerate((0, 14, 1, 14, 0)):
    row.put(i, 2, 204 + k * 80 + k % 2 * 18, 34)
row.save("row_of_cells.pgm")
touched = Page(400, 130)  # cells that what is in them touches
for k, i in enumerate((3, 1, 3)):
    touched.frame(20 + k * 110, 18, 78, 88, 3).put(i, 4, 3 + k * 110, 5)
touched.save("touched.pgm")
pattern = Page(400, 300)
pattern.rows = [[190 if (x + y) % 12 == 0 or (x - y) % 12 == 0 else v for x, v in enumerate(row)] for y, row in enumerate(pattern.rows)]
pattern.put(0, 5, 16, 80).save("pattern.pgm")
askew = Page(200, 200)  # squared, and not level
askew.rows = [[120 if (y * 12 - x) // 12 % 24 < 2 or (x * 12 + y) // 12 % 24 < 2 else v for x, v in enumerate(row)] for y, row in enumerate(askew.rows)]
askew.put(0, 6, 16, 16).save("askew.pgm")
marked = Page(300, 220, 255).put(0, 6, 30, 26)
with open(os.path.join(out, "marked.ppm"), "wb") as file:  # blue ink on an area marked in yellow
    file.write(b"P6\n300 220\n255\n")
    for y, row in enumerate(marked.rows):
        for x, v in enumerate(row):
            paper = (250, 245, 90) if 15 <= x < 285 and 15 <= y < 205 else (252, 252, 252)
            file.write(bytes(p + (i - p) * (255 - v) // 255 for p, i in zip(paper, (30, 50, 150))))
Page(240, 200).put(4, 5, 50, 30).fill(30, 98, 180, 3, 30).save("struck.pgm")  # a 4 with a line through it
Page(240, 200).put(4, 5, 50, 30).fill(30, 88, 180, 3, 30).fill(30, 106, 176, 3, 30).save("struck_twice.pgm")
crossed = Page(200, 200).frame(60, 60, 52, 52, 3)
for step in range(44):
    crossed.fill(64 + step, 63 + step, 5, 2, 30).fill(103 - step, 63 + step, 5, 2, 30)
crossed.save("crossed.pgm")
lines = Page(400, 300)
for place, i in enumerate((0, 1, 1, 0)):
    lines.put(i, 4, 20 + place % 2 * 110, 10 + place // 2 * 150)
lines.save("lines.pgm")
filled = Page(300, 160).put(0, 3, 10, 30).put(1, 3, 180, 30)  # between a 7 and a 2 a digit whose loops are filled
for y in range(-30, 31):
    half = int(15 * (1 - y * y / 930) ** 0.5)
    filled.fill(140 - half, 72 + y, 2 * half + 1, 1, 30)
filled.save("filled.pgm")
comma = Page(500, 200).put(0, 5, 20, 20).put(1, 5, 300, 20)  # 7,2
for step in range(50):
    comma.fill(160 - step // 5, 125 + step, 6, 1, 30)
comma.save("comma.pgm")
separator = Page(600, 460).fill(290, 20, 3, 420, 30).fill(260, 20, 30, 3, 30).fill(292, 437, 18, 3, 30)  # 72, a line with hooks, 72
separator.put(0, 3, 40, 190).put(1, 3, 130, 190).put(0, 3, 340, 190).put(1, 3, 430, 190).save("separator.pgm")
cut_off = Page(400, 320).put(0, 4, 30, 20).put(1, 4, 130, 20).put(0, 4, 30, 200).put(1, 4, 130, 200).put(0, 4, 230, 200)
cut_off.rows = cut_off.rows[:270]  # 72, and the upper halves of others
cut_off.save("cut_off.pgm")
bars = Page(400, 120)
for k in range(9):
    bars.fill(30 + 38 * k, 20, 6 + k % 2 * 4, 80, 30)
bars.save("bars_of_code.pgm")
flag = Page(200, 200).fill(110, 40, 12, 120, 30)  # a 1 as print has it
for x in range(34):
    flag.fill(110 - x, 40 + x * 26 // 34, 1, 14, 30)
flag.save("flag.pgm")
date = Page(360, 200).put(0, 4, 30, 40).put(1, 4, 200, 40)
for y in range(40, 164):
    date.fill(184 - (y - 40) // 3, y, 7, 1, 30)
date.save("date.pgm")  # 7/2
dated = Page(560, 140)  # 7/2/72, with slashes as high as the digits
for x, i in ((10, 0), (140, 1), (270, 0), (350, 1)):
    dated.put(i, 3, x, 20)
for left in (100, 230):
    for y in range(42, 98):
        dated.fill(left + (97 - y) // 2, y, 6, 1, 30)
dated.save("dated.pgm")
Page(600, 200).put(0, 5, 20, 20).put(1, 5, 150, 20).fill(480, 50, 8, 75, 30).fill(478, 133, 12, 12, 30).save("mark.pgm")  # 72 !
zigzag = Page(300, 200)
for k in range(5):
    zigzag.fill(60 + 17 * k, 40 + k % 2 * 6, 7, 110, 30)
zigzag.save("zigzag.pgm")
hair = Page(300, 300)
for y in range(60, 260):
    hair.fill(150 + y // 8, y, 3, 1, 30)
hair.save("hair.pgm")


def ellipse(page, left, top, radius, value, inner=-1):
    for y in range(2 * radius):
        for x in range(2 * radius):
            away = math.hypot(x - radius, y - radius)
            if inner < away <= radius:
                page.rows[top + y][left + x] = value


Page(260, 260, 250).frame(6, 6, 248, 248, 6).put(1, 3, 120, 170).save("low_in_frame.pgm")  # 2, near the frame
small_column = Page(900, 800).put(0, 14, 20, 20).put(1, 14, 420, 20)  # a large 72, and below it 10, 12, 17, 14, 19 in small digits
for k, i in enumerate((3, 1, 0, 4, 7)):
    small_column.put(2, 2, 100, 420 + 60 * k).put(i, 2, 136, 420 + 60 * k)
small_column.save("small_column.pgm")
thin = Page(200, 200)  # 1 with a thin pen
for y in range(50, 150):
    thin.fill(100 - (y - 50) // 5, y, 3, 1, 30)
thin.save("thin.pgm")
dashed = Page(520, 240)  # 7 and 2 that reach out of dashed frames
for left, i in ((30, 0), (280, 1)):
    for at in range(0, 180, 18):
        for y in (30, 210):
            dashed.fill(left + at, y, 11, 3, 60)
        for x in (left, left + 180):
            dashed.fill(x, 30 + at, 3, 11, 60)
    dashed.put(i, 5, left + 70, 50)
dashed.save("dashed.pgm")
punched = Page(500, 600, 225)  # 72 with a thin pen on a sheet with two holes
for y in (100, 160, 220):
    punched.put(0, 1, 150, y).put(1, 1, 174, y)
for y in (166, 333):
    ellipse(punched, 25, y, 12, 130)
punched.save("punched.pgm")
stain = Page(500, 400)
ellipse(stain, 150, 100, 100, 190)
ellipse(stain, 150, 100, 100, 120, 90)
stain.save("stain.pgm")
Page(700, 400).put(0, 12, 10, 10).put(3, 2, 400, 50).put(3, 2, 448, 50).save("rings.pgm")  # a 7, beside it two rings of a sixth of its height
bracket = Page(420, 200).put(0, 4, 60, 20).put(1, 4, 170, 20)  # (72), of which the brackets reach further down alone
ink = [y for y, row in enumerate(bracket.rows) if min(row) < 100]
for x in (50, 300):
    bracket.fill(x, ink[0], 12, ink[-1] - ink[0] + 18, 30)
bracket.save("bracket.pgm")
pencil = Page(360, 280).put(0, 4, 30, 150).put(1, 4, 150, 150)
for row in pencil.rows:
    row[:] = [245 - (245 - v) // 5 for v in row]
pencil.put(0, 4, 30, 20).save("pencil.pgm")  # 7, and a far fainter 72 below


def drawn(page, width, x, y, text):  # an image of this width, packed
    pixels = zlib.decompress(base64.b64decode(text))
    for row in range(len(pixels) // width):
        page.rows[y + row][x:x + width] = pixels[width * row:][:width]
    return page


def cubic(row, x):  # Catmull and Rom's
    first = int(x // 1)
    t = x - first
    a, b, c, d = (row[min(max(first + k, 0), len(row) - 1)] for k in (-1, 0, 1, 2))
    return b + t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a))) / 2


drawn(Page(222, 54), 222, 0, 0,  # 905.80 in DejaVu Sans Mono, of which the zeros have dots
    "eNrtWdGh6yAIdRiWcRiXYRiWYZi8mCYvqFBNb/SL89WaFDwKeKTb5nA4HA6Hw+FwTAclgACQSHkQAkT6o33GeNhJPMf+V98xXIisP5DjoQAMOEj366lv/2Vy"
    "ICfL+gMx/phdNN437L+L7ByQNyYovR8PiLdq/Cm7Y+dyTDIe29Sz/ypQrFz2h8UDZbyY4UBoZEpnYpH4bNp/FSAcslzE/ICV8YfsUL6fROpZ9l/NusJwKtc5"
    "yiCi39jJn0qjpv1XD4OikIlvSUaLfOsHdqyspWn/7bTDotxDEzjlDv+VXezYn8su1J+uufzGLtWRmTr2J7NjZTXFDvxQM1NL1bY/mR01SV+kfZ6WIax6ZYWN"
    "ojKtrLRV5WaXyvjC9jQfUlAgT/PraLXtzz0RSna7zE02uzEFpelM2/7U0/z0gh/veE5JeIeEnHeC4jA9OhUlYJERuv2pSuzkWnlHzTuFoQpDUi2Tzg5naTGQ"
    "Kjo2kRm+RA6FgVKHp/097+COzSH7L9+AIvWrSl0PsV+2rtjgOw3WVJXyEnksNI9XbOqHpsxrUcPWnAhVAyBdmmHstO0rKMUOrTvN21CDB0qpz86MwCVKrMI9"
    "lyGV22eHJbv76xIV3a40Pbih9PMOrb1bcgNqS8D24HbZr5nU5heuu73aknqgM8DNeYeh5hvqmnn9YEXnYV9ErU9kdnVYCGeGJqBadlHKNRAbtqRrtHs5lUQM"
    "ZXyoHTnOwoNMndmyO7Xrf61y7/WKjt9nQhdo63RTOXy9I7TsPnJN87CkW4vmdU3rhJfskmoMbalXsFjRad+VynHVVv4k0f7FYDxez8PI2wi7Lx4W/EvicDgc"
    "DofD4XC8hH82CZYT").save("mono.pgm")
drawn(Page(400, 200, 255), 108, 12, 14,  # 4271536, 15 pixels high
    "eNrtlCGUszAMxyMjYysrkbVIZCUSi0ROnp2cnJw9iUQia5HISiwykmtLy7jduxuf/N4jYoOQ9pek+XdZTjvttNP+F6uh9n9zI4DKwT0hRLPefwO1xj2i9+qe"
    "bS2RShP8XYFUmEOoFgJrkrLnIUOb/Cxz/1tmiXWDbUMrlOEhhz6kcJutxiMwSzqwmrDQQJk+XMHVyJlmjKwP71hNh5KtD56w8U3B+gArF2NgXXR4RZlyCKvn"
    "D+eKrAa2mptmDVa+2uDlA6grdDPsckobLxVOL64K5u9rQ5Kajs6FceF7VguXtE/zitdwV0g6HQx3MnPpSNUXhHn3FjVLyXuWJTGnsuwrq4DGslHQhjcCqHzl"
    "RLLjsYC3sNKP1pM1yjROE1Q/27p+IRHrcvX0XiCewiTfoD6DVjZWT5QadNvl+Z3l8hs2VQheCKN3/Jt1SaINp9Si3OIL5N9YqzjiLTAsCqL3kJpjXT2qadMx"
    "5j9Gkz+7pK1J1VuJUQnlUxDvWZbkhlqG5xQ+6xKCg+4yN3zkR4gFsQv1PZkpW46zyn0T1oN8YbWgRzaZH58W8oFHDY9wEHc3h9j/Awv2F+4d7knqO6/RBKIK"
    "Z2pKd1HrtamPvepOO+2wfQHG2nA4").save("small_print.pgm")
rows = [left + right for left, right in zip(digit(1320, 1), digit(7946, 1))]
for _ in range(2):  # six times as large, with soft edges
    rows = [[cubic(row, (x + 0.5) / 6 - 0.5) for x in range(6 * len(row))] for row in zip(*rows)]
broad = Page(416, 248, 255)
for y, row in enumerate(rows):
    broad.rows[40 + y][40:376] = [255 - min(max(round(v), 0), 255) for v in row]
broad.save("broad.pgm")  # 83
boxes = Page(520, 240)
for k, i in enumerate((0, 5, 1)):
    boxes.frame(40 + 150 * k, 40, 100, 120, 2)
    boxes.put(i, 4, 40 + 150 * k + (20, -6, 14)[k], 40 + (30, 28, 32)[k])
boxes.save("boxes.pgm")
strokes = Page(700, 500)
for k in range(12):
    strokes.put((0, 2, 5, 4)[k % 4], 3, 40 + 160 * (k % 4), 40 + 150 * (k // 4))
strokes.save("strokes.pgm")
Page(200, 200).save("blank.pgm")
Page(200, 200).frame(30, 30, 140, 140, 3).save("box.pgm")
Page(200, 200).fill(100, 100, 1, 1, 0).save("speck.pgm")


def tiff(*pages):  # each (width, height, its rows compressed by zlib)
    file, links = b"II*\0" + bytes(4), 4
    for width, height, rows in pages:
        entries = ((256, width), (257, height), (258, 8), (259, 8), (262, 1), (273, len(file)), (278, height), (279, len(rows)))
        file += rows + b"\0" * (len(rows) % 2)
        file = file[:links] + struct.pack("<I", len(file)) + file[links + 4:]
        file += struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
        links = len(file)
        file += bytes(4)
    return file


good = zlib.compress(bytes(v for row in seven().rows for v in row))
open(os.path.join(out, "damaged.tif"), "wb").write(tiff((200, 200, good), (200, 200, good[:40] + b"\xff" * 40)))
open(os.path.join(out, "page_large.tif"), "wb").write(tiff((20000, 20000, b""), (200, 200, good)))
open(os.path.join(out, "pages_lost.tif"), "wb").write(tiff((200, 200, good))[:-4] + b"\xff\xff\xff\0")
open(os.path.join(out, "pages.tif"), "wb").write(tiff((200, 200, good), (200, 200, good)))
PYTHON
}

@test "a digit is read in a frame, beside a scan's edge, on rules, on one or two sheets on a desk, half in shadow or light, on a note, on a table that is as light, on wood, in slanted cells, in two pieces, thick, faint, cut out, ringed, underlined, in open boxes and reaching out of cells, on a sign, a parcel beside its label, a hand's shadow, a pattern, on rules askew or converging, on small squares, marked, and from a PNM of any maxval" {
    cd "$BATS_FILE_TMPDIR"
    "$PARDIGITS" predict knn maxval100.pgm maxval1023.pgm maxval65535.pgm frame.pgm scan.pgm ruled.pgm shadow.pgm desk.pgm squared.pgm torn.pgm >"$BATS_TEST_TMPDIR/out"
    cat "$BATS_TEST_TMPDIR/out"
    [[ $(cut -c1-2 "$BATS_TEST_TMPDIR/out" | tr -d '\n') == "7 7 7 7 7 7 7 7 7 7 " ]]
    # digits that reach out of boxes side by side; nothing but 1s, 4s and 7s is doubtful
    "$PARDIGITS" predict knn boxes.pgm strokes.pgm >"$BATS_TEST_TMPDIR/out"
    cat "$BATS_TEST_TMPDIR/out"
    head -n 1 "$BATS_TEST_TMPDIR/out" | tr -d '?' | grep '^712 '
    grep '^7? 1? 1? 4? / 7? 1? 1? 4? / 7? 1? 1? 4? ' "$BATS_TEST_TMPDIR/out"
    # a number for each cell of a grid, one for a row of cells
    "$PARDIGITS" predict knn sudoku.pgm row_of_cells.pgm >"$BATS_TEST_TMPDIR/out"
    cat "$BATS_TEST_TMPDIR/out"
    tr -d '?' <"$BATS_TEST_TMPDIR/out" | grep '^7 2 7 / 2 7 / 2 7 2  .*sudoku'
    tr -d '?' <"$BATS_TEST_TMPDIR/out" | grep '71217  .*row_of_cells'
    "$PARDIGITS" predict knn small.pgm board.pgm outline7.pgm outline4.pgm outline1.pgm outline_thin.pgm faint.pgm >"$BATS_TEST_TMPDIR/out"
    cat "$BATS_TEST_TMPDIR/out"
    [[ $(cut -c1-2 "$BATS_TEST_TMPDIR/out" | tr -d '\n') == "4 3 7 4 1 7 4 " ]]
    "$PARDIGITS" predict knn ringed.pgm circle.pgm underlined.pgm comb.pgm cells.pgm pattern.pgm askew.pgm marked.ppm sheets.pgm heights.pgm crooked.pgm fraction.pgm exponent.pgm touching_line.pgm corner.pgm lamp.pgm desk_shadow.pgm note.pgm touched.pgm table.pgm wood.pgm grid.pgm ruled_photo.pgm squared_large.pgm bars.pgm mixed.pgm low_teeth.pgm slanted_frame.pgm column.pgm band.pgm hard_band.pgm fine_squares.pgm standing.pgm standing_thin.pgm cells_of_two.pgm discs.pgm disc_of_two.pgm disc_of_one.pgm disc_fills.pgm head.pgm crossed_rule.pgm parting_rule.pgm axes.pgm mono.pgm broad.pgm >"$BATS_TEST_TMPDIR/out"
    cat "$BATS_TEST_TMPDIR/out"
    [[ $(sed 's/   *.*//' "$BATS_TEST_TMPDIR/out" | tr '\n' ',') == "7,7,7,7227,7227,7,7,7,7 / 2,72 / 7,72,7 / 02,7 2 2,72727,7,72 / 27,72 / 27,72 / 27,020,72 / 27,72 / 27,722 / 772,7272 / 7272,7272 / 7272,72272,77 / 777,727,7,1 / 1 / 1 / 1 / 1,7,7 / 2 / 7,2,20770,72707,72 27,2 2 1 72,27 72,1,7,27 / 72,727 / 272,727 / 272,7 2 0,90580,83," ]]
    "$PARDIGITS" predict knn sign.pgm parcel.pgm hand.pgm notes.pgm cloth.pgm >"$BATS_TEST_TMPDIR/out"
    cat "$BATS_TEST_TMPDIR/out"
    [[ $(sed 's/   *.*//' "$BATS_TEST_TMPDIR/out" | tr '\n' ',') == "72,72 / 7,7 2 7 2 / 7 2 7 2,7 / 2 / 7,7 2," ]]
    "$PARDIGITS" predict knn outline7.pgm --json >"$BATS_TEST_TMPDIR/out"
    read -r _ width height <<<"$(head -2 outline7.pgm | tr '\n' ' ')"
    [[ $(<"$BATS_TEST_TMPDIR/out") == *"\"box\":[0,0,$width,$height]"* ]] # not more than the picture
}

@test "several digits: lines, order, boxes; no digit is an empty list and no failure" {
    cd "$BATS_FILE_TMPDIR"
    "$PARDIGITS" predict knn lines.pgm blank.pgm box.pgm speck.pgm rules.pgm dots.pgm crossed.pgm cells_at_side.pgm patchy_squares.pgm --json >"$BATS_TEST_TMPDIR/json"
    python3 - "$BATS_TEST_TMPDIR/json" <<'PYTHON'
import json, sys
lines, *none = [json.loads(line) for line in open(sys.argv[1])]
assert lines["text"] == "72\n27" and lines["numbers"] == ["72", "27"], lines
assert [d["line"] for d in lines["digits"]] == [1, 1, 2, 2] and lines["label"] is None
x, y, width, height = lines["digits"][3]["box"]
assert 130 < x and x + width < 250 and 160 < y and y + height < 280, lines
assert len(none) == 8 and all(page["digits"] == [] and page["text"] == "" for page in none), none
PYTHON
    "$PARDIGITS" predict knn blank.pgm | grep '^no digit found'
    [[ $("$PARDIGITS" predict knn crowd.pgm 2>"$BATS_TEST_TMPDIR/err") == "no digit found"* ]] # but not in silence
    grep 'crowd.pgm, page 1: more than 10000 shapes are too many' "$BATS_TEST_TMPDIR/err"
    "$PARDIGITS" predict knn word.pgm --csv | tee "$BATS_TEST_TMPDIR/word" # of which the last letter looks like a 1
    [[ $(grep -c ",true," "$BATS_TEST_TMPDIR/word") -eq 3 ]]
    "$PARDIGITS" predict knn label.pgm low_label.pgm joined.pgm print.pgm >"$BATS_TEST_TMPDIR/words" # a number beside a word, in one, and on a page of print
    cat "$BATS_TEST_TMPDIR/words"
    [[ $(grep -cE '^([0-9]\?){3,} 72 .*label' "$BATS_TEST_TMPDIR/words") -eq 2 ]]
    grep '^7?2? .*joined' "$BATS_TEST_TMPDIR/words"
    grep -E '^[0-9? ]* 7\? / [0-9? ]* 7\? / [0-9? ]* 7 .*print' "$BATS_TEST_TMPDIR/words"
    "$PARDIGITS" predict knn cheque.pgm | grep '/ 7 7 7 / 2 2 2 ' # print isn't a texture, which makes all doubtful
    "$PARDIGITS" predict knn spare.pgm | grep '^7 2 '
    "$PARDIGITS" predict knn lit.pgm | grep '^72 0 / 2 7 '
    "$PARDIGITS" predict knn square.pgm | grep -E '^7\?? ?2\?? ?0\?? ' # it is read, if with doubt
    "$PARDIGITS" predict knn bracket.pgm | grep '^1?721? '
    "$PARDIGITS" predict knn comma.pgm separator.pgm date.pgm --csv | tee "$BATS_TEST_TMPDIR/strokes"
    [[ $(grep -c ',1,[^,]*,1,false' "$BATS_TEST_TMPDIR/strokes") -eq 0 && $(grep -cE ',[72],[^,]*,1,false' "$BATS_TEST_TMPDIR/strokes") -eq 8 ]]
    "$PARDIGITS" predict knn dated.pgm | tee "$BATS_TEST_TMPDIR/dated"
    grep '^7 1? 2 1? 72 ' "$BATS_TEST_TMPDIR/dated"
    "$PARDIGITS" predict knn mark.pgm zigzag.pgm hair.pgm --csv | tee "$BATS_TEST_TMPDIR/marks"
    [[ $(grep -c ',1,[^,]*,1,true' "$BATS_TEST_TMPDIR/marks") -eq 7 && $(grep -c 'mark.pgm,[72],[^,]*,1,false' "$BATS_TEST_TMPDIR/marks") -eq 2 ]]
    "$PARDIGITS" predict knn low_in_frame.pgm | grep '^2 '
    "$PARDIGITS" predict knn small_column.pgm | tee "$BATS_TEST_TMPDIR/column"
    tr -d '?' <"$BATS_TEST_TMPDIR/column" | grep '^72 / 10 / 12 / 17 / 14 / 19 '
    "$PARDIGITS" predict knn thin.pgm | grep '^1 '
    "$PARDIGITS" predict knn dashed.pgm | grep -E '^7\??  ?2\?? '
    "$PARDIGITS" predict knn punched.pgm | grep '^72 / 72 / 72 '
    [[ $("$PARDIGITS" predict knn stain.pgm --csv | grep -c ",false,") -eq 0 ]]
    "$PARDIGITS" predict knn rings.pgm | tee "$BATS_TEST_TMPDIR/rings" # letters or 0s
    grep '^0?0? / 7 ' "$BATS_TEST_TMPDIR/rings"
    [[ $("$PARDIGITS" predict knn cut_off.pgm --csv | tee "$BATS_TEST_TMPDIR/cut" | grep -c ",false,") -eq 2 && $(wc -l <"$BATS_TEST_TMPDIR/cut") -eq 6 ]]
    [[ $("$PARDIGITS" predict knn bars_of_code.pgm flag.pgm --csv | tee "$BATS_TEST_TMPDIR/bars" | grep -c ",false,") -eq 0 && $(wc -l <"$BATS_TEST_TMPDIR/bars") -eq 11 ]]
    "$PARDIGITS" predict knn small_print.pgm | grep '^427'
    "$PARDIGITS" predict knn pencil.pgm | grep '^7 / 7?2? '
    "$PARDIGITS" predict knn filled.pgm | grep -E '^7[?]?[0-9][?]?2' # not left out without a mark
    [[ $("$PARDIGITS" predict knn struck.pgm struck_twice.pgm --csv | grep -c ",true,") -eq 2 ]] # a digit that is struck out is doubtful
    # a damaged page is named; its file's others are read, and the files beside it
    fails 1 "pages_lost.tif[2] is damaged" "$PARDIGITS" predict knn pages_lost.tif --csv
    [[ $(grep -c '^pages_lost.tif,7' "$BATS_TEST_TMPDIR/out") -eq 1 ]]
    fails 1 "page_large.tif[1] has 20000 x 20000 pixels" "$PARDIGITS" predict knn page_large.tif --csv
    [[ $(grep -c '^page_large.tif,7' "$BATS_TEST_TMPDIR/out") -eq 1 ]]
    fails 1 "damaged.tif[2] is damaged" "$PARDIGITS" predict knn damaged.tif frame.pgm pages.tif --json --annotate "$BATS_TEST_TMPDIR/boxes.png"
    [[ $(python3 -c 'import json, sys; print([json.loads(l)["text"] for l in open(sys.argv[1])])' "$BATS_TEST_TMPDIR/out") == "['7', '7', '7', '7']" ]]
    [[ $("$PARDIGITS" predict knn print.pgm --probabilities | grep -cE '^    0: .*  9: [01]\.[0-9]{4}$') -eq $("$PARDIGITS" predict knn print.pgm --csv | grep -c '^print.pgm') ]]
    "$PARDIGITS" predict knn lines.pgm blank.pgm --csv --probabilities | awk -F, 'NR == 1 {n = NF} NF != n {exit 1} END {exit NR != 6}'
}

@test "of many pictures the first ones' digits are printed before the last ones are read" {
    local dir=$BATS_TEST_TMPDIR/many i
    mkdir "$dir"
    for i in {01..33}; do cp "$BATS_FILE_TMPDIR/frame.pgm" "$dir/$i.pgm"; done
    mkfifo "$dir/pipe"
    OMP_NUM_THREADS=1 "$PARDIGITS" predict "$models/knn" "$dir"/*.pgm - --csv --seen "$dir/seen.png" <"$dir/pipe" >"$dir/out" &
    exec 5>"$dir/pipe"
    for ((i = 0; i < 600 * slower; i++)); do
        [[ $(wc -l <"$dir/out") -ne 33 ]] || break # the columns' names and 32 pictures
        sleep 0.1
    done
    [[ $(wc -l <"$dir/out") -eq 33 ]]
    cat "$BATS_FILE_TMPDIR/lines.pgm" >&5
    exec 5>&-
    wait %%
    [[ $(grep -c '^picture,' "$dir/out") -eq 1 && $(wc -l <"$dir/out") -eq 38 && $(tail -n 1 "$dir/out") == "standard input,7,"* ]]
    "$PARDIGITS" predict "$models/knn" "$dir"/*.pgm "$BATS_FILE_TMPDIR/lines.pgm" --csv | sed 's/^[^,]*lines.pgm,/standard input,/' | cmp - "$dir/out"
}

@test "folders, standard input and odd names; ranks share the pictures; sheets are drawn; what isn't supported is said" {
    local dir=$BATS_TEST_TMPDIR/folder long
    long=$(printf 'x%.0s' {1..200})
    mkdir -p "$dir/below"
    ln -s .. "$dir/below/loop"
    cp "$BATS_FILE_TMPDIR/frame.pgm" "$dir/-1.pgm"
    cp "$BATS_FILE_TMPDIR/lines.pgm" "$dir/below/"$'new\nline '"$long.pgm"
    touch "$dir"/{b.heic,a.txt,c.csv,below/d}
    "$PARDIGITS" predict "$models/knn" "$dir" 2>&1 | grep 'passed over.*a.txt.*b.heic.*and 1 more'
    rm "$dir"/{b.heic,a.txt,c.csv,below/d}
    "$PARDIGITS" predict "$models/knn" - <"$BATS_FILE_TMPDIR/frame.pgm" | grep '^7 .*standard input'
    cat "$BATS_FILE_TMPDIR"/{frame,lines,maxval1023}.pgm | "$PARDIGITS" predict "$models/knn" - --json >"$BATS_TEST_TMPDIR/series"
    python3 -c 'import json, sys; assert [(p["page"], p["text"]) for p in map(json.loads, open(sys.argv[1]))] == [(1, "7"), (2, "72\n27"), (3, "7")]' "$BATS_TEST_TMPDIR/series"
    (cd "$dir" && "$PARDIGITS" predict "$models/knn" -- -1.pgm) | grep '^7'
    "$PARDIGITS" predict "$models/knn" "$dir" --json --seen "$BATS_TEST_TMPDIR/seen.png" --annotate "$BATS_TEST_TMPDIR/boxes.png" \
        >"$BATS_TEST_TMPDIR/1"
    on 2 1 predict "$models/knn" "$dir" --json >"$BATS_TEST_TMPDIR/2"
    cmp "$BATS_TEST_TMPDIR/1" "$BATS_TEST_TMPDIR/2"
    python3 -c 'import json, sys; assert [json.loads(l)["text"] for l in open(sys.argv[1])] == ["7", "72\n27"]' "$BATS_TEST_TMPDIR/1"
    for sheet in seen boxes; do [[ $(head -c 4 "$BATS_TEST_TMPDIR/$sheet.png" | tail -c 3) == PNG ]]; done
    mkdir "$BATS_TEST_TMPDIR/empty"
    : >"$BATS_TEST_TMPDIR/empty.png"
    # a folder that can't be read is told of, and the others are read; a sheet of no digit is empty, not an old one
    mkdir "$BATS_TEST_TMPDIR/part" && mkdir -m 0 "$BATS_TEST_TMPDIR/part/closed"
    cp "$BATS_FILE_TMPDIR/blank.pgm" "$BATS_TEST_TMPDIR/part"
    local -a plain=()
    [[ $(id -u) -ne 0 ]] || plain=(setpriv --bounding-set=-dac_override,-dac_read_search)
    fails 1 "part/closed can't be read" "${plain[@]}" "$PARDIGITS" predict "$models/knn" "$BATS_TEST_TMPDIR/part" --neighbours "$BATS_TEST_TMPDIR/near.png"
    grep '^no digit found' "$BATS_TEST_TMPDIR/out"
    [[ $(head -c 4 "$BATS_TEST_TMPDIR/near.png" | tail -c 3) == PNG ]]
    rmdir "$BATS_TEST_TMPDIR/part/closed"
    fails 1 "holds no picture" "$PARDIGITS" predict "$models/knn" "$BATS_TEST_TMPDIR/empty" "$BATS_TEST_TMPDIR/folder/-1.pgm"
    grep '^7' "$BATS_TEST_TMPDIR/out"
    fails 1 "empty.png is empty" "$PARDIGITS" predict "$models/knn" "$BATS_TEST_TMPDIR/empty.png"
    printf '%%PDF-1.4\n' >"$BATS_TEST_TMPDIR/a.pdf"
    fails 1 "PDF isn't supported" "$PARDIGITS" predict "$models/knn" "$BATS_TEST_TMPDIR/a.pdf"
    fails 2 '--reject' "$PARDIGITS" predict "$models/knn" "$dir" --reject 2
    fails 2 'twice' "$PARDIGITS" predict "$models/knn" - --annotate x.png
    fails 2 'x.jpg' "$PARDIGITS" predict "$models/knn" "$dir" --seen x.jpg
}
