"""Transposed convolutions, and layers that change the size of an image or do nothing in inference."""

from case import IMAGE, WIDE, Cases, of
from keras import layers

CASES = Cases()
case = CASES.case


def transposed(name, shape, *arguments, **options):
    case(f"conv2d transpose {name}", shape, body=of(layers.Conv2DTranspose, *arguments, **options, name="transpose"))


SMALL = (4, 5, 8)
transposed("3x3 stride 2 same", SMALL, 3, 3, strides=2, padding="same")
transposed("3x3 valid", SMALL, 17, 3)
transposed("2x2 stride 2 valid", (4, 5, 17), 8, 2, strides=2)
transposed("4x4 stride 2 same without bias", (3, 4, 3), 16, 4, strides=2, padding="same", use_bias=False)
transposed("2x2 stride 3 valid, gaps", SMALL, 5, 2, strides=3)
transposed("2x2 stride 3 same, gaps", SMALL, 5, 2, strides=3, padding="same")
transposed("5x3 strides 2 and 1 same with relu", (4, 5, 3), 8, (5, 3), strides=(2, 1), padding="same", activation="relu")
transposed("3x3 stride 2 same, output padding 1", SMALL, 5, 3, strides=2, padding="same", output_padding=1)
transposed("3x3 stride 2 valid, output padding 0", SMALL, 5, 3, strides=2, output_padding=0)
transposed("4x3 stride 3 same, output padding 2 and 1", SMALL, 5, (4, 3), strides=3, padding="same", output_padding=(2, 1))
transposed("3x3 dilation 2 valid", (4, 5, 16), 8, 3, dilation_rate=2)
transposed("3x3 dilation 2 same", (4, 5, 8), 3, 3, dilation_rate=2, padding="same")

case("resizing to a larger size", (4, 5, 17), body=of(layers.Resizing, 7, 9, name="resize"))
case("resizing to a smaller size", IMAGE, body=of(layers.Resizing, 5, 3, name="resize"))
case("resizing, nearest", (4, 5, 8), body=of(layers.Resizing, 7, 3, interpolation="nearest", name="resize"))
case("center crop", WIDE, body=of(layers.CenterCrop, 4, 3, name="crop"))
case("identity", IMAGE, body=of(layers.Identity, name="identity"))
case("activity regularization", IMAGE, body=of(layers.ActivityRegularization, l2=0.1, name="regularization"))
case("spatial dropout 2d in inference", IMAGE, body=of(layers.SpatialDropout2D, 0.5, name="dropout"))
case("gaussian noise in inference", IMAGE, body=of(layers.GaussianNoise, 0.5, name="noise"))
case("gaussian dropout in inference", IMAGE, body=of(layers.GaussianDropout, 0.5, name="noise"))
case("alpha dropout in inference", IMAGE, body=of(layers.AlphaDropout, 0.5, name="noise"))


def augmented(x):
    for layer in (
        layers.RandomFlip(name="flip"),
        layers.RandomRotation(0.2, name="rotation"),
        layers.RandomZoom(0.2, name="zoom"),
        layers.RandomTranslation(0.1, 0.1, name="translation"),
        layers.RandomContrast(0.2, name="contrast"),
        layers.RandomBrightness(0.2, name="brightness"),
    ):
        x = layer(x)
    return x


case("augmentation in inference", IMAGE, body=augmented)
