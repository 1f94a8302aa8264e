"""Writes small pictures of every kind that the decoder has to read or refuse, and what Pillow makes of them.

`goldens.json` holds, for each picture that is to be read, its upright size, the pixels as hexadecimal RGB, the largest
difference that is put up with, and where that number comes from. Everything is made from fixed formulas: a second run
with the same versions of Pillow and NumPy writes the same bytes.
"""

import io
import json
import pathlib
import struct
import sys
import zlib

import numpy
import PIL
from PIL import Image, ImageCms

WIDTH, HEIGHT = 24, 16
folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
for old in folder.iterdir():
    old.unlink()
goldens = {}


def scene(width=WIDTH, height=HEIGHT, dtype=numpy.uint8):
    """A smooth picture without any symmetry: red grows to the right, green downwards, blue along the diagonal."""
    y, x = numpy.mgrid[0:height, 0:width].astype(numpy.float64)
    u, v = x / (width - 1), y / (height - 1)
    red, green, blue = 30 + 200 * u, 20 + 180 * v * v, 220 - 100 * u - 90 * v
    largest = numpy.iinfo(dtype).max
    return numpy.round(numpy.stack([red, green, blue], -1) / 255 * largest).astype(dtype)


def ramp_alpha(width=WIDTH, height=HEIGHT):
    return numpy.tile(numpy.linspace(0, 255, width).round().astype(numpy.uint8), (height, 1))


def on_white(rgb, alpha):
    a = alpha[..., None].astype(numpy.float64) / 255
    return numpy.round(rgb * a + 255 * (1 - a)).astype(numpy.uint8)


def golden(name, pixels, tolerance, reason):
    pixels = numpy.ascontiguousarray(pixels, dtype=numpy.uint8)
    height, width, _ = pixels.shape
    goldens[name] = {
        "width": width, "height": height, "tolerance": tolerance, "reason": reason, "pixels": pixels.tobytes().hex(),
    }


def save(name, image, **options):
    image.save(folder / name, **options)


def opened(name):
    return numpy.asarray(Image.open(folder / name).convert("RGB"))


EXACT = "stored without loss"
JPEG = "two decoders of one JPEG may round differently"
BLEND = "alpha is multiplied in and out in whole numbers"

picture = scene()
image = Image.fromarray(picture)

# EXIF orientation: what is stored, turned by its tag, is the same upright picture.
inverse = {1: None, 2: Image.FLIP_LEFT_RIGHT, 3: Image.ROTATE_180, 4: Image.FLIP_TOP_BOTTOM, 5: Image.TRANSPOSE,
           6: Image.ROTATE_90, 7: Image.TRANSVERSE, 8: Image.ROTATE_270}
for orientation, turn in inverse.items():
    exif = Image.Exif()
    exif[0x0112] = orientation
    name = f"orientation-{orientation}.jpg"
    save(name, image if turn is None else image.transpose(turn), quality=98, subsampling=0, exif=exif)
    golden(name, picture, 4, "JPEG of quality 98 against the picture it was made from")

# JPEG
save("colour.jpg", image, quality=90, subsampling=0)
golden("colour.jpg", opened("colour.jpg"), 2, JPEG)
save("progressive.jpg", image, quality=90, subsampling=0, progressive=True)
golden("progressive.jpg", opened("progressive.jpg"), 2, JPEG)
save("grey.jpg", image.convert("L"), quality=90)
golden("grey.jpg", opened("grey.jpg"), 2, JPEG)
cmyk = numpy.zeros((HEIGHT, WIDTH, 4), numpy.uint8)
cmyk[:, 8:16, 3] = 255
cmyk[:, 16:, 1:3] = 255
save("cmyk.jpg", Image.fromarray(cmyk, "CMYK"), quality=95)
save("cmyk.tif", Image.fromarray(cmyk, "CMYK"))
for name in ("cmyk.jpg", "cmyk.tif"):
    golden(name, opened(name), 70, "Pillow subtracts inks, libvips prints them: white, black and red stay themselves")

# A profile whose red and blue primaries are exchanged: shown rightly, red and blue of the file change places.
profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
profile[24:36] = struct.pack(">6H", 2020, 1, 1, 0, 0, 0)
for index in range(struct.unpack_from(">I", profile, 128)[0]):
    place = 132 + 12 * index
    tag = bytes(profile[place:place + 4])
    if tag in (b"rXYZ", b"bXYZ"):
        profile[place:place + 4] = b"bXYZ" if tag == b"rXYZ" else b"rXYZ"
save("profile.png", image, icc_profile=bytes(profile))
golden("profile.png", picture[..., ::-1], 3, "rounding of the colour conversion")
save("damaged-profile.jpg", image, quality=90, subsampling=0, icc_profile=b"this is no profile" * 20)
golden("damaged-profile.jpg", opened("damaged-profile.jpg"), 2, JPEG)


# PNG; Pillow writes no 16-bit colour and no interlacing, so these are put together here.
def png(name, rows, depth, colour_type, interlace=0, declared=None):
    height, width = rows.shape[:2]

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    def packed(part):
        big = part.astype(">u2") if depth == 16 else part
        return b"".join(b"\0" + big[row].tobytes() for row in range(part.shape[0]))

    if interlace:
        passes = [(0, 8, 0, 8), (0, 8, 4, 8), (4, 8, 0, 4), (0, 4, 2, 4), (2, 4, 0, 2), (0, 2, 1, 2), (1, 2, 0, 1)]
        data = b"".join(packed(rows[y::dy, x::dx]) for y, dy, x, dx in passes if rows[y::dy, x::dx].size)
    else:
        data = packed(rows)
    width, height = declared or (width, height)
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, interlace)
    (folder / name).write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b""))


alpha = ramp_alpha()
save("colour.png", image)
golden("colour.png", picture, 0, EXACT)
save("grey.png", image.convert("L"))
golden("grey.png", opened("grey.png"), 0, EXACT)
save("bilevel.png", image.convert("1"))
golden("bilevel.png", opened("bilevel.png"), 0, EXACT)
png("interlaced.png", picture, 8, 2, interlace=1)
golden("interlaced.png", opened("interlaced.png"), 0, EXACT)
deep = scene(dtype=numpy.uint16)
png("colour-16.png", deep, 16, 2)
golden("colour-16.png", deep >> 8, 1, "the lower byte is cut off or rounded")
png("grey-16.png", deep[..., :1], 16, 0)
golden("grey-16.png", numpy.repeat(deep[..., :1] >> 8, 3, -1), 1, "the lower byte is cut off or rounded")
png("alpha-16.png", numpy.concatenate([deep, alpha[..., None].astype(numpy.uint16) * 257], -1), 16, 6)
golden("alpha-16.png", on_white(picture, alpha), 2, BLEND)
save("alpha.png", Image.fromarray(numpy.concatenate([picture, alpha[..., None]], -1), "RGBA"))
golden("alpha.png", on_white(picture, alpha), 2, BLEND)
grey = numpy.asarray(image.convert("L"))
save("grey-alpha.png", Image.fromarray(numpy.stack([grey, alpha], -1), "LA"))
golden("grey-alpha.png", on_white(numpy.repeat(grey[..., None], 3, -1), alpha), 2, BLEND)
palette = image.quantize(16, dither=Image.Dither.NONE)
indices = numpy.asarray(palette)
save("palette.png", palette)
golden("palette.png", opened("palette.png"), 0, EXACT)
save("palette-transparent.png", palette, transparency=3)
clear = (numpy.asarray(palette) != 3).astype(numpy.uint8) * 255
golden("palette-transparent.png", on_white(opened("palette.png"), clear), 0, EXACT)

# WebP, GIF, TIFF
save("lossless.webp", image, lossless=True)
golden("lossless.webp", picture, 0, EXACT)
save("lossy.webp", image, quality=90)
golden("lossy.webp", opened("lossy.webp"), 2, "two decoders of one WebP may round differently")
save("alpha.webp", Image.fromarray(numpy.concatenate([picture, alpha[..., None]], -1), "RGBA"), lossless=True, exact=True)
golden("alpha.webp", on_white(picture, alpha), 2, BLEND)
second = Image.fromarray(255 - picture)
save("animated.webp", image, save_all=True, append_images=[second], duration=100, lossless=True)
golden("animated.webp", picture, 0, EXACT)
save("still.gif", palette)
golden("still.gif", opened("still.gif"), 0, EXACT)
save("animated.gif", palette, save_all=True, append_images=[second.quantize(16)], duration=100)
golden("animated.gif", opened("still.gif"), 0, EXACT)
save("transparent.gif", palette, transparency=3)
golden("transparent.gif", on_white(opened("palette.png"), clear), 0, EXACT)
save("plain.tif", image)
golden("plain.tif", picture, 0, EXACT)
save("deflate.tiff", image, compression="tiff_adobe_deflate")
golden("deflate.tiff", picture, 0, EXACT)
save("pages.tif", image, save_all=True, append_images=[second])
golden("pages.tif", picture, 0, EXACT)
save("alpha.tif", Image.fromarray(numpy.concatenate([picture, alpha[..., None]], -1), "RGBA"))
golden("alpha.tif", on_white(picture, alpha), 2, BLEND)


# BMP: the width of 21 leaves every kind of row with padding.
def bmp(name, rows, width, height, bits, palette=b"", masks=None, header=40, compression=0, declared=None, data=None):
    stride = (width * bits + 31) // 32 * 4
    if data is None:
        data = b"".join(row + b"\0" * (stride - len(row)) for row in rows)
    declared_width, declared_height = declared or (width, height)
    if header == 12:
        info = struct.pack("<IHHHH", 12, declared_width, declared_height, 1, bits)
    else:
        colours = len(palette) // 4
        info = struct.pack("<IiiHHIIiiII", header, declared_width, declared_height, 1, bits, compression, len(data),
                           2835, 2835, colours, 0)
        info += b"".join(struct.pack("<I", mask) for mask in masks or [])
        info = info.ljust(header + (len(masks) * 4 if masks and header == 40 else 0), b"\0")
    offset = 14 + len(info) + len(palette)
    (folder / name).write_bytes(b"BM" + struct.pack("<IHHI", offset + len(data), 0, 0, offset) + info + palette + data)


def packed_bits(values, bits):
    per_byte = 8 // bits
    padded = numpy.pad(values, ((0, 0), (0, -values.shape[1] % per_byte)))
    groups = padded.reshape(len(padded), -1, per_byte).astype(int)
    shifts = 8 - bits * (numpy.arange(per_byte) + 1)
    return [bytes(row.tolist()) for row in (groups << shifts).sum(-1)]


w, h = 21, 11
small = scene(w, h)
bgr = [row[:, ::-1].tobytes() for row in small]
bmp("24-bits.bmp", bgr[::-1], w, h, 24)
bmp("top-down.bmp", bgr, w, h, 24, declared=(w, -h))
bmp("core-header.bmp", bgr[::-1], w, h, 24, header=12)
bgrx = [numpy.concatenate([row[:, ::-1], numpy.zeros((w, 1), numpy.uint8)], -1).tobytes() for row in small]
bmp("32-bits.bmp", bgrx[::-1], w, h, 32)
for name in ("24-bits.bmp", "top-down.bmp", "core-header.bmp", "32-bits.bmp"):
    golden(name, small, 0, EXACT)
    assert (opened(name) == small).all(), name
small_alpha = ramp_alpha(w, h)
rgba = [numpy.concatenate([row, a[:, None]], -1).tobytes() for row, a in zip(small, small_alpha)]
bmp("alpha.bmp", rgba[::-1], w, h, 32, header=108, compression=3, masks=[0xFF, 0xFF00, 0xFF0000, 0xFF000000])
golden("alpha.bmp", on_white(small, small_alpha), 1, BLEND)
five = small.astype(int)
word = (five[..., 0] >> 3 << 11) | (five[..., 1] >> 2 << 5) | (five[..., 2] >> 3)
bmp("565.bmp", [row.astype("<u2").tobytes() for row in word][::-1], w, h, 16, compression=3,
    masks=[0xF800, 0x7E0, 0x1F])
golden("565.bmp", opened("565.bmp"), 1, "five bits are spread over eight by rounding or by repeating them")
word = (five[..., 0] >> 3 << 10) | (five[..., 1] >> 3 << 5) | (five[..., 2] >> 3)
bmp("16-bits.bmp", [row.astype("<u2").tobytes() for row in word][::-1], w, h, 16)
golden("16-bits.bmp", opened("16-bits.bmp"), 1, "five bits are spread over eight by rounding or by repeating them")
for bits in (1, 4, 8):
    count = 1 << bits
    few = Image.fromarray(small).quantize(min(count, 100), dither=Image.Dither.NONE)
    table = numpy.array(few.getpalette(), dtype=numpy.uint8).reshape(-1, 3)[:count]
    entries = b"".join(bytes([b, g, r, 0]) for r, g, b in table.tolist())
    name = f"{bits}-bits.bmp"
    bmp(name, packed_bits(numpy.asarray(few), bits)[::-1], w, h, bits, palette=entries)
    golden(name, table[numpy.asarray(few)], 0, EXACT)
    assert (opened(name) == table[numpy.asarray(few)]).all(), name

# What is in a file counts, not its name.
(folder / "png-named.jpg").write_bytes((folder / "colour.png").read_bytes())
golden("png-named.jpg", picture, 0, EXACT)
(folder / "webp-named.png").write_bytes((folder / "lossless.webp").read_bytes())
golden("webp-named.png", picture, 0, EXACT)

# Scaling, by Pillow's own averaging filter: a picture five times as large, one that lies on its side, and a small one.
SCALE = {"png": "one rounding in between", "jpg": "shrinking inside of the JPEG decoder, on a smooth picture"}
scenes = {"large": scene(WIDTH * 5, HEIGHT * 5), "tall": scene(50, 130), "small": scene(9, 7)}
for title, pixels in scenes.items():
    source = Image.fromarray(pixels)
    wide, high = source.size
    save(f"{title}.png", source)
    save(f"{title}.jpg", source, quality=95, subsampling=0)

    def scaled(box, size):
        return numpy.asarray(source.resize(size, Image.Resampling.BICUBIC, box=box))

    side = min(wide, high)
    left, top = (wide - side) / 2, (high - side) / 2
    padded = numpy.full((24, 24, 3), 255, numpy.uint8)
    shown = (round(wide * 24 / max(wide, high)), round(high * 24 / max(wide, high)))
    x, y = (24 - shown[0]) // 2, (24 - shown[1]) // 2
    padded[y:y + shown[1], x:x + shown[0]] = scaled((0, 0, wide, high), shown)
    framed = {
        "crop": scaled((left, top, left + side, top + side), (16, 16)),
        "squash": scaled((0, 0, wide, high), (20, 16)),
        "pad": padded,
    }
    for fit, expected in framed.items():
        for kind, tolerance in (("png", 1), ("jpg", 5)):
            golden(f"{fit}:{title}.{kind}", expected, tolerance, SCALE[kind])

# What must be refused.
(folder / "bad-text.jpg").write_text("This is a text and no picture.\n")
(folder / "bad-empty.png").write_bytes(b"")
(folder / "bad-random.gif").write_bytes(bytes((i * 197 + 91) % 256 for i in range(300)))
(folder / "bad-pdf.jpg").write_bytes(b"%PDF-1.4\n1 0 obj << >> endobj\n")
(folder / "bad-svg.png").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>\n')
noise = Image.fromarray(((numpy.arange(64 * 48 * 3).reshape(48, 64, 3) * 2654435761 >> 13) % 256).astype(numpy.uint8))
for name, options in {"png": {}, "jpg": {"quality": 90}, "webp": {"lossless": True}, "gif": {}, "tif": {}, "bmp": {},
                      "tiff": {"compression": "tiff_adobe_deflate"}}.items():
    stream = io.BytesIO()
    format = {"jpg": "jpeg", "tif": "tiff"}.get(name, name)
    noise.save(stream, format, **options)
    data = stream.getvalue()
    if format == "tiff":
        # The directory is at the end: keep it, and move the pixels' place past the end of the file instead.
        data = data.replace(struct.pack("<HHII", 273, 4, 1, 8), struct.pack("<HHII", 273, 4, 1, len(data) - 9))
        if data == stream.getvalue():
            data = data.replace(struct.pack("<HHI", 273, 4, 1), struct.pack("<HHI", 273, 4, 1))[: len(data) * 2 // 3]
    else:
        data = data[: len(data) * 2 // 3]
    (folder / f"bad-truncated.{name}").write_bytes(data)
tall = Image.fromarray(numpy.asarray(noise.resize((40, 240), Image.Resampling.NEAREST)))
stream = io.BytesIO()
tall.save(stream, "png")
(folder / "bad-truncated-below-the-crop.png").write_bytes(stream.getvalue()[: len(stream.getvalue()) * 9 // 10])
header_only = bytearray((folder / "colour.png").read_bytes())
header_only[45] ^= 0xFF
(folder / "bad-checksum.png").write_bytes(bytes(header_only))
png("bad-huge.png", numpy.zeros((1, 1, 3), numpy.uint8), 8, 2, declared=(100_000, 100_000))
bmp("bad-huge.bmp", [b"\0" * 4], 1, 1, 24, declared=(100_000, 100_000))
bmp("bad-huge-negative.bmp", [b"\0" * 4], 1, 1, 24, declared=(2, -2**31))
bmp("bad-rle.bmp", [], w, h, 8, palette=b"\0" * 1024, compression=1, data=bytes([w, 1, 0, 0] * h + [0, 1]))
bmp("bad-palette.bmp", packed_bits(numpy.full((h, w), 9), 4), w, h, 4, palette=b"\0" * 20)
bmp("bad-mask.bmp", bgrx, w, h, 32, compression=3, masks=[0xFF00FF, 0xFF00, 0xFF])
png("bad-strip.png", numpy.zeros((500, 1, 3), numpy.uint8), 8, 2)

(folder / "goldens.json").write_text(json.dumps(
    {"pillow": PIL.__version__, "numpy": numpy.__version__, "pictures": goldens}, indent=0, sort_keys=True) + "\n")
print(f"{len(list(folder.iterdir())) - 1} pictures, {len(goldens)} goldens")
