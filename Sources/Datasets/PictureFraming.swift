/// Which part of a picture is shown where in the output.
///
/// A frame is a rectangle around or inside of the picture; scaled to the output's size it *is* the output. What of it
/// lies beside the picture stays white.
struct PictureFraming: Equatable {
  /// Left to right.
  let horizontal: Axis
  /// Top to bottom.
  let vertical: Axis

  /// One direction: an interval of the picture, and the pixels of the output that it fills.
  struct Axis: Equatable {
    /// The share of the picture's length where the interval begins, and its share of the length.
    let start: Double
    let length: Double
    /// The pixels of the output that show it.
    let output: Range<Int>
  }

  /// The framing of a picture of `width` by `height` pixels for a decoder's output.
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
    horizontal = Axis(picture: picture.width, frame: frame.width, position: position.x, output: decoder.width)
    vertical = Axis(picture: picture.height, frame: frame.height, position: position.y, output: decoder.height)
  }

  /// By how much a JPEG may be made smaller while it is decoded, so that enough is left for a good filter.
  func shrink(width: Int, height: Int) -> Int {
    let scale = min(
      horizontal.length * Double(width) / Double(horizontal.output.count),
      vertical.length * Double(height) / Double(vertical.output.count))
    return [8, 4, 2].first { scale >= 1.5 * Double($0) } ?? 1
  }
}

extension PictureFraming.Axis {
  /// A frame at a position between 0 and 1.
  ///
  /// A frame shorter than the picture moves inside of it, a longer one around it, so that no more white than needed is
  /// seen.
  fileprivate init(picture: Double, frame: Double, position: Double, output: Int) {
    if frame <= picture {
      self.init(start: (picture - frame) * position / picture, length: frame / picture, output: 0..<output)
    } else {
      let shown = min(output, max(1, Int((picture * Double(output) / frame).rounded())))
      let first = Int((Double(output - shown) * (1 - position)).rounded(.down))
      self.init(start: 0, length: 1, output: first..<first + shown)
    }
  }
}
