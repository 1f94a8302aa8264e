/// How training pictures are varied: which changes, and how far they go.
public struct Augmentation: Hashable, Sendable, Codable {
  /// How often a picture is mirrored left to right, 0…1.
  public var flipProbability: Double
  /// The share of the picture that a random crop shows; nil leaves the frame alone.
  public var cropArea: ClosedRange<Double>?
  /// How much a random crop is stretched: its width over its height, as a factor on that of the output.
  public var cropAspect: ClosedRange<Double>
  /// How far the factor on brightness goes from 1.
  public var brightness: Double
  /// How far the factor on contrast goes from 1.
  public var contrast: Double
  /// How far the factor on saturation goes from 1.
  public var saturation: Double

  /// Pictures as they are.
  public static let none = Augmentation(flipProbability: 0, cropArea: nil, colour: 0)
  /// Every second picture mirrored.
  public static let flip = Augmentation(flipProbability: 0.5, cropArea: nil, colour: 0)
  /// Mirrored, cropped to at least 60 % of the area, colours changed by up to a tenth.
  public static let standard = Augmentation(flipProbability: 0.5, cropArea: 0.6...1, colour: 0.1)
  /// Mirrored, cropped to at least 25 % of the area, colours changed by up to three tenths.
  public static let strong = Augmentation(flipProbability: 0.5, cropArea: 0.25...1, colour: 0.3)

  /// The names of the ready-made augmentations.
  public static let names = ["none", "flip", "standard", "strong"]

  /// Mirroring, random resized crops and changes of colour of the given strengths.
  public init(flipProbability: Double, cropArea: ClosedRange<Double>?, colour: Double) {
    self.flipProbability = flipProbability
    self.cropArea = cropArea
    cropAspect = 0.75...(4.0 / 3)
    brightness = colour
    contrast = colour
    saturation = colour
  }

  /// A ready-made augmentation by its name.
  ///
  /// - Throws: ``DatasetError`` with ``DatasetError/Code/option`` for a name that is none of ``names``.
  public init(named name: String) throws(DatasetError) {
    switch name {
    case "none": self = .none
    case "flip": self = .flip
    case "standard": self = .standard
    case "strong": self = .strong
    default:
      let names = Augmentation.names.joined(separator: ", ")
      throw DatasetError(.option, "augment", "expected one of \(names), found \"\(name)\"")
    }
  }

  /// The changes to one sample in one variant (an epoch, or a numbered variant in a feature cache).
  ///
  /// They depend on these three numbers alone, whatever was drawn before and by whom.
  func draw(seed: UInt64, variant: Int, sample: Int) -> AugmentationDraw {
    var generator = SeededGenerator(
      seed: seed, SeedPurpose.augmentation.rawValue, UInt64(bitPattern: Int64(variant)), UInt64(sample))
    // Every number is drawn whatever is switched on, so that switching one change on leaves the others as they were.
    let flips = generator.unit() < flipProbability
    let area = generator.value(in: cropArea ?? 1...1)
    let aspect = generator.geometricValue(in: cropAspect)
    let (x, y) = (generator.unit(), generator.unit())
    return AugmentationDraw(
      flips: flips,
      crop: cropArea == nil ? nil : AugmentationDraw.Crop(area: area, aspect: aspect, x: x, y: y),
      colour: ColourChange(
        brightness: generator.value(in: 1 - brightness...1 + brightness),
        contrast: generator.value(in: 1 - contrast...1 + contrast),
        saturation: generator.value(in: 1 - saturation...1 + saturation)))
  }
}

/// What is done to one picture, drawn before it is looked at.
struct AugmentationDraw: Hashable, Sendable {
  /// A part of the picture instead of the whole.
  struct Crop: Hashable, Sendable {
    /// The share of the area that the fit alone would show.
    var area: Double
    /// Width over height, as a factor.
    var aspect: Double
    /// Where it lies, from 0 at the left and top to 1.
    var x: Double
    var y: Double
  }

  var flips: Bool
  var crop: Crop?
  var colour: ColourChange

  /// Mirrors the decoded picture and changes its colours, in place.
  func finish(_ pixels: UnsafeMutableBufferPointer<UInt8>, width: Int) {
    if flips { mirror(pixels, width: width) }
    colour.apply(to: pixels)
  }

  private func mirror(_ pixels: UnsafeMutableBufferPointer<UInt8>, width: Int) {
    for row in stride(from: 0, to: pixels.count, by: width * 3) {
      var left = row
      var right = row + (width - 1) * 3
      while left < right {
        for channel in 0..<3 { pixels.swapAt(left + channel, right + channel) }
        left += 3
        right -= 3
      }
    }
  }
}

extension SeededGenerator {
  /// A number whose logarithm is spread evenly between those of the bounds, so that 1/2 is as likely as 2.
  fileprivate mutating func geometricValue(in range: ClosedRange<Double>) -> Double {
    // By bisection with square roots alone: they are exact everywhere, logarithms differ between C libraries.
    var (low, high) = (range.lowerBound, range.upperBound)
    var position = unit()
    for _ in 0..<40 {
      let middle = (low * high).squareRoot()
      position *= 2
      if position >= 1 {
        position -= 1
        low = middle
      } else {
        high = middle
      }
    }
    return low
  }
}
