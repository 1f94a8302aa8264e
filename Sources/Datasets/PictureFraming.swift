import CVips

/// Which part of a picture is shown where in the output.
///
/// A frame is a rectangle in the picture's own pixels, which may reach beyond its edges; scaled to the output's size it
/// *is* the output. From it follow the size that the whole picture is scaled to and the part of that which is seen; the
/// rest stays white.
struct PictureFraming: Equatable {
  /// The size that the whole picture is scaled to, in pixels.
  var scaledWidth: Int
  var scaledHeight: Int
  /// Where the seen part begins in the scaled picture.
  var left: Int
  var top: Int
  /// Where the seen part begins in the output.
  var outputLeft: Int
  var outputTop: Int
  /// The size of the seen part.
  var width: Int
  var height: Int

  /// The framing of a picture of `width` by `height` pixels for an output of the given size.
  init(width: Int, height: Int, decoder: PictureDecoder, crop: AugmentationDraw.Crop?) {
    let picture = (width: Double(width), height: Double(height))
    let output = (width: Double(decoder.width), height: Double(decoder.height))

    // The frame without augmentation.
    var frame = picture
    let isTooWide = picture.width * output.height > picture.height * output.width
    switch decoder.fit {
    case .squash: break
    case .crop where isTooWide, .pad where !isTooWide: frame.width = picture.height * output.width / output.height
    case .crop, .pad: frame.height = picture.width * output.height / output.width
    }
    let limit = (width: max(frame.width, picture.width), height: max(frame.height, picture.height))
    var position = (x: 0.5, y: 0.5)
    if let crop {
      frame.width = min(limit.width, frame.width * (crop.area * crop.aspect).squareRoot())
      frame.height = min(limit.height, frame.height * (crop.area / crop.aspect).squareRoot())
      position = (crop.x, crop.y)
    }

    let horizontal = Axis(picture: width, frame: frame.width, position: position.x, output: decoder.width)
    let vertical = Axis(picture: height, frame: frame.height, position: position.y, output: decoder.height)
    (scaledWidth, left, outputLeft, self.width) = horizontal.parts
    (scaledHeight, top, outputTop, self.height) = vertical.parts
  }

  /// Whether the picture fills the whole output.
  func fills(_ decoder: PictureDecoder) -> Bool { width == decoder.width && height == decoder.height }

  var window: graft_vips_window {
    graft_vips_window(
      scaled_width: Int32(scaledWidth), scaled_height: Int32(scaledHeight), left: Int32(left), top: Int32(top),
      width: Int32(width), height: Int32(height))
  }

  /// One direction of a frame.
  private struct Axis {
    let parts: (scaled: Int, left: Int, outputLeft: Int, length: Int)

    /// A frame at a position between 0 and 1. A frame shorter than the picture moves inside of it, a longer one around
    /// it, so that no more white than needed is seen.
    init(picture: Int, frame: Double, position: Double, output: Int) {
      let scale = Double(output) / frame
      let scaled = max(1, Int((Double(picture) * scale).rounded()))
      let offset = Int((Double(scaled - output) * position).rounded(.down))
      let left = max(0, offset)
      let outputLeft = max(0, -offset)
      parts = (scaled, left, outputLeft, min(scaled - left, output - outputLeft))
    }
  }
}
