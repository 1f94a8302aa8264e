/// How much each pixel of a line adds to each pixel of a longer or shorter line.
///
/// The cubic of Keys (1981) with a = −1/2, widened by the scale where the line gets shorter, so that every pixel counts:
/// the filter that other imaging libraries call bicubic with antialiasing. At the ends the weights that fall outside are
/// left out and the others scaled up.
struct ResamplingWeights {
  /// The most input pixels that one output pixel takes.
  let tapCount: Int
  /// The first input pixel of each output pixel.
  let firsts: [Int]
  /// How many input pixels follow it, itself included.
  let counts: [Int]
  /// The weights, `tapCount` for each output pixel, zero behind its last.
  let weights: [Float]

  /// The weights that show the share of a line of `inputCount` pixels that an axis frames.
  init(_ axis: PictureFraming.Axis, inputCount: Int) {
    let scale = axis.length * Double(inputCount) / Double(axis.output.count)
    let width = max(1, scale)
    let support = 2 * width
    let tapCount = min(inputCount, Int(support.rounded(.up)) * 2 + 1)
    var firsts: [Int] = []
    var counts: [Int] = []
    var weights = [Float](repeating: 0, count: tapCount * axis.output.count)
    for index in 0..<axis.output.count {
      let centre = axis.start * Double(inputCount) + (Double(index) + 0.5) * scale
      let first = min(inputCount - 1, max(0, Int((centre - support + 0.5).rounded(.down))))
      let end = max(first + 1, min(inputCount, first + tapCount, Int((centre + support + 0.5).rounded(.down))))
      let raw = (first..<end).map { ResamplingWeights.cubic((Double($0) + 0.5 - centre) / width) }
      let sum = raw.reduce(0, +)
      for (tap, weight) in raw.enumerated() {
        weights[index * tapCount + tap] = Float(sum == 0 ? 1 / Double(raw.count) : weight / sum)
      }
      firsts.append(first)
      counts.append(end - first)
    }
    self.tapCount = tapCount
    self.firsts = firsts
    self.counts = counts
    self.weights = weights
  }

  /// The input pixels that are needed at all.
  var inputs: Range<Int> {
    let end = zip(firsts, counts).reduce(0) { max($0, $1.0 + $1.1) }
    return (firsts.first ?? 0)..<end
  }

  private static func cubic(_ x: Double) -> Double {
    let x = abs(x)
    if x < 1 { return (1.5 * x - 2.5) * x * x + 1 }
    if x < 2 { return ((-0.5 * x + 2.5) * x - 4) * x + 2 }
    return 0
  }
}
