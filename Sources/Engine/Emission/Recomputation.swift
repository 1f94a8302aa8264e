import Graphs

/// Activations that a step does not keep: where the way back comes to a segment, its operations run forward once more.
///
/// A training step keeps only what crosses from one segment to the next, and the inside of one segment at a time. The
/// price is a second forward pass, except through the last segment.
struct Recomputation {
  /// The operations of each segment, in order.
  let segments: [Range<Int>]

  /// Every activation is kept.
  static let none = Recomputation(segments: [])

  private init(segments: [Range<Int>]) { self.segments = segments }

  /// Cuts a program where little crosses, into segments of about the same amount of activations.
  @EngineActor init(of program: Program, segmentCount: Int) {
    let sizes = program.operations.map { operation in
      program.needsGradient[operation.output] ? program.shapes[operation.output].elementCount : 0
    }
    let crossing = Recomputation.crossing(in: program)
    let total = sizes.reduce(0, +)
    var cuts = [0]
    var sums = [0]
    for size in sizes { sums.append(sums[sums.count - 1] + size) }
    for part in 1..<max(1, segmentCount) {
      // Anywhere near the part's fair end; the least that crosses costs least memory.
      let slack = total / (4 * segmentCount)
      let target = total * part / segmentCount
      let near = sums.indices.dropFirst().dropLast().filter {
        abs(sums[$0] - target) <= slack && $0 > cuts[cuts.count - 1]
      }
      if let best = near.min(by: { crossing[$0] < crossing[$1] }) { cuts.append(best) }
    }
    cuts.append(program.operations.count)
    segments = zip(cuts, cuts.dropFirst()).map { $0..<$1 }
  }

  /// How much of what was made before each operation is still read by it or after it.
  @EngineActor private static func crossing(in program: Program) -> [Int] {
    var last = Array(repeating: -1, count: program.shapes.count)
    for (place, operation) in program.operations.enumerated() { for input in operation.inputs { last[input] = place } }
    for output in program.outputs { last[output.value] = program.operations.count }
    var change = Array(repeating: 0, count: program.operations.count + 2)
    for (place, operation) in program.operations.enumerated() where last[operation.output] > place {
      change[place + 1] += program.shapes[operation.output].elementCount
      change[last[operation.output] + 1] -= program.shapes[operation.output].elementCount
    }
    var sum = 0
    return change.map { difference in
      sum += difference
      return sum
    }
  }
}

extension Emitter {
  /// Adds the backward steps of all operations, and before those of a segment its forward steps once more.
  func emitOperationsBackward(recomputing recomputation: Recomputation) throws(EngineError) {
    let operations = program.operations
    guard recomputation.segments.count > 1 else {
      for operation in operations.reversed() where needsGradient(operation.output) {
        try operation.emitBackward(self)
      }
      return
    }
    for (place, segment) in recomputation.segments.enumerated().reversed() {
      if place + 1 < recomputation.segments.count {
        isRecomputing = true
        for operation in operations[segment] where needsGradient(operation.output) {
          try operation.emitForward(self)
        }
        isRecomputing = false
      }
      atHand = segment
      for operation in operations[segment].reversed() where needsGradient(operation.output) {
        try operation.emitBackward(self)
      }
    }
  }
}
