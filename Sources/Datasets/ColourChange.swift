/// A change of brightness, contrast and saturation as one linear map of the colours of a picture.
///
/// With the luma l = 0.299 r + 0.587 g + 0.114 b and its mean m over the picture, brightness b, contrast c and saturation
/// s: x' = c·(b·(s·x + (1 − s)·l) − b·m) + b·m. A factor of 1 changes nothing.
struct ColourChange: Hashable, Sendable {
  var brightness: Double
  var contrast: Double
  var saturation: Double

  /// Whether it leaves every picture as it is.
  var isIdentity: Bool { brightness == 1 && contrast == 1 && saturation == 1 }

  /// Changes a picture in place; results are rounded and kept inside 0…255.
  func apply(to pixels: UnsafeMutableBufferPointer<UInt8>) {
    if isIdentity || pixels.isEmpty { return }
    let own = Float(contrast * brightness * saturation)
    let shared = Float(contrast * brightness * (1 - saturation))
    // A half more, so that cutting the fraction off rounds.
    let offset = Float((1 - contrast) * brightness * meanLuma(pixels)) + 0.5
    for pixel in stride(from: 0, to: pixels.count - 2, by: 3) {
      let (red, green, blue) = (Float(pixels[pixel]), Float(pixels[pixel + 1]), Float(pixels[pixel + 2]))
      let luma = 0.299 * red + 0.587 * green + 0.114 * blue
      let base = shared * luma + offset
      pixels[pixel] = UInt8(max(0, min(255, own * red + base)))
      pixels[pixel + 1] = UInt8(max(0, min(255, own * green + base)))
      pixels[pixel + 2] = UInt8(max(0, min(255, own * blue + base)))
    }
  }

  private func meanLuma(_ pixels: UnsafeMutableBufferPointer<UInt8>) -> Double {
    var (red, green, blue) = (0, 0, 0)
    for pixel in stride(from: 0, to: pixels.count - 2, by: 3) {
      red += Int(pixels[pixel])
      green += Int(pixels[pixel + 1])
      blue += Int(pixels[pixel + 2])
    }
    let count = Double(pixels.count / 3)
    return (0.299 * Double(red) + 0.587 * Double(green) + 0.114 * Double(blue)) / count
  }
}
