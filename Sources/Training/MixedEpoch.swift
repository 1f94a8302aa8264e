import Datasets
import Engine
import Foundation
import Tensors

/// Which sample of an epoch is mixed with which, and how: drawn for each sample by itself, whatever is drawn for others.
package struct MixedEpoch {
  /// The samples of the epoch in their order.
  private let requests: ArraySlice<PictureRequest>
  private let mixing: Mixing
  private let seed: UInt64
  private let epoch: Int
  /// Height and width of the coarsest image that is mixed; nil where nothing has an extent.
  private let grid: (height: Int, width: Int)?

  /// The mixing of one epoch.
  ///
  /// - Parameter shapes: The shapes of what is mixed, without the batch.
  package init(_ mixing: Mixing, of requests: ArraySlice<PictureRequest>, shapes: [Shape], seed: UInt64, epoch: Int) {
    self.mixing = mixing
    self.requests = requests
    self.seed = seed
    self.epoch = epoch
    grid = shapes.compactMap(\.extent).min { $0.height * $0.width < $1.height * $1.width }
  }

  /// What a sample is mixed with: the one before it, and the last before the first.
  package func partner(of index: Int) -> PictureRequest {
    requests[index == requests.startIndex ? requests.endIndex - 1 : index - 1]
  }

  /// How a sample is mixed with its partner.
  package func mix(of index: Int) -> Mix {
    var generator = SeededGenerator(
      seed: seed, mixingPurpose, UInt64(bitPattern: Int64(epoch)), UInt64(bitPattern: Int64(requests[index].sample)))
    let cuts = generator.unit() < 0.5
    if let alpha = mixing.mixup, mixing.cutmix == nil || !cuts {
      return Mix(share: generator.beta(alpha), rectangle: nil)
    }
    let own = generator.beta(mixing.cutmix ?? 1)
    guard let grid else { return Mix(share: own, rectangle: nil) }
    return Mix(cutting: 1 - own, of: grid, centre: (generator.unit(), generator.unit()))
  }
}

/// How two samples become one.
package struct Mix: Hashable {
  /// A part of every image, as shares of height and width.
  package struct Rectangle: Hashable {
    package var rows: Range<Double>
    package var columns: Range<Double>
  }

  /// The share of the sample itself; the rest is its partner's.
  package let share: Double
  /// What shows the partner instead; nil where both are averaged.
  package let rectangle: Rectangle?

  fileprivate init(share: Double, rectangle: Rectangle?) {
    self.share = share
    self.rectangle = rectangle
  }

  /// A rectangle of whole cells that covers about so much of a grid, and less where it hangs over an edge.
  fileprivate init(cutting area: Double, of grid: (height: Int, width: Int), centre: (y: Double, x: Double)) {
    let side = area.squareRoot()
    func cells(_ count: Int, around centre: Double) -> Range<Int> {
      let low = ((centre - side / 2) * Double(count)).rounded()
      let high = ((centre + side / 2) * Double(count)).rounded()
      return Int(max(0, low))..<Int(min(Double(count), high))
    }
    let (rows, columns) = (cells(grid.height, around: centre.y), cells(grid.width, around: centre.x))
    share = 1 - Double(rows.count * columns.count) / Double(grid.height * grid.width)
    func shares(_ cells: Range<Int>, of count: Int) -> Range<Double> {
      Double(cells.lowerBound) / Double(count)..<Double(cells.upperBound) / Double(count)
    }
    rectangle = Rectangle(rows: shares(rows, of: grid.height), columns: shares(columns, of: grid.width))
  }

  /// Mixes a partner into a sample.
  ///
  /// ## Shapes
  /// - sample, partner: `shape`, channels last
  package func apply(to sample: UnsafeMutableBufferPointer<Float>, partner: UnsafePointer<Float>, shape: Shape) {
    guard let rectangle, let extent = shape.extent else {
      let (own, other) = (Float(share), Float(1 - share))
      for place in sample.indices { sample[place] = own * sample[place] + other * partner[place] }
      return
    }
    let channelCount = sample.count / (extent.height * extent.width)
    func pixels(_ shares: Range<Double>, of count: Int) -> Range<Int> {
      Int((shares.lowerBound * Double(count)).rounded())..<Int((shares.upperBound * Double(count)).rounded())
    }
    let columns = pixels(rectangle.columns, of: extent.width)
    for row in pixels(rectangle.rows, of: extent.height) {
      let start = (row * extent.width + columns.lowerBound) * channelCount
      let part = UnsafeMutableBufferPointer(rebasing: sample[start..<start + columns.count * channelCount])
      _ = part.update(fromContentsOf: UnsafeBufferPointer(start: partner + start, count: part.count))
    }
  }
}

/// Mixes what enters a plan, row by row, and remembers the last sample for the first of the next rows.
@EngineActor
final class FeatureMixer {
  private let epoch: MixedEpoch
  /// For each input, the last sample as it was, and room for the last of the rows that are mixed now.
  private let held: [(last: FloatBuffer, next: FloatBuffer)]

  /// A mixer of what enters the inputs, whose first row will be the sample at `index` of the epoch.
  init(_ epoch: MixedEpoch, inputs: [PlanPort]) {
    self.epoch = epoch
    held = inputs.map {
      (FloatBuffer(count: $0.shape.elementCount), FloatBuffer(count: $0.shape.elementCount))
    }
  }

  /// Takes the sample in the first row as the one before the next rows.
  func begin(with inputs: [PlanPort]) {
    for (input, held) in zip(inputs, held) { _ = held.last.values.update(fromContentsOf: input[0]) }
  }

  /// Mixes the rows with these places in the epoch.
  func mix(_ indices: Range<Int>, in inputs: [PlanPort]) {
    for (input, held) in zip(inputs, held) {
      _ = held.next.values.update(fromContentsOf: input[indices.count - 1])
      // From the last to the first, so that each still finds its partner as it was.
      for row in stride(from: indices.count - 1, through: 0, by: -1) {
        let partner = row == 0 ? held.last.values : input[row - 1]
        guard let start = partner.baseAddress else { continue }
        epoch.mix(of: indices.lowerBound + row).apply(to: input[row], partner: start, shape: input.shape)
      }
      _ = held.last.values.update(fromContentsOf: held.next.values)
    }
  }
}

extension Shape {
  /// Height and width of an image `[H, W, C]` or of a sequence `[L, C]`; nil for a vector.
  fileprivate var extent: (height: Int, width: Int)? {
    switch rank {
    case 2: (self[0], 1)
    case 3: (self[0], self[1])
    default: nil
    }
  }
}

extension SeededGenerator {
  /// A number of the distribution Beta(α, α), by the method of Jöhnk (1964); `alpha` is small.
  fileprivate mutating func beta(_ alpha: Double) -> Double {
    while true {
      let (first, second) = (unit(), unit())
      let (x, y) = (pow(first, 1 / alpha), pow(second, 1 / alpha))
      // Where α is so small that both vanish, the larger one is infinitely larger.
      if x + y == 0 { return first > second ? 1 : 0 }
      if x + y <= 1 { return x / (x + y) }
    }
  }
}

/// The first step of the random path that mixing is drawn from: "mixing" in bytes.
private let mixingPurpose: UInt64 = 0x6d69_7869_6e67
