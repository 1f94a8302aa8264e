import Foundation
import Graft

/// The result of a measurement.
struct BenchReport: Encodable, Sendable {
  /// One operation of the plan.
  struct Operation: Encodable, Sendable {
    let name: String
    let implementation: String
    let isBackward: Bool
    let milliseconds: Double
    let limitMilliseconds: Double?
    let operationCount: Int
    let dimensions: [Int]
    let layout: String
    let byteCount: Int
  }

  /// What trained.
  let train: String
  /// Pictures a second.
  let imagesPerSecond: Double
  /// The median time of a step.
  let stepMilliseconds: Double
  /// What the step's convolutions and matrix products take by themselves.
  let limitMilliseconds: Double
  /// How long it took to compile the plan.
  let planMilliseconds: Double
  /// The pictures that go at once through what trains, or through all for inference.
  let microBatchSize: Int
  /// The pictures that go at once through the frozen part in front of what trains; nil where there is none.
  let frozenMicroBatchSize: Int?
  /// The most memory that the process had while it was measured.
  let peakResidentBytes: Int
  /// The memory of the plan: activations, gradients, packed parameters.
  let arenaBytes: Int
  /// In how many segments the network is computed again on the way back; 1 where all activations are kept.
  let segments: Int
  /// How many numbers train.
  let trainableParameters: Int
  /// What is computed with.
  let precision: String
  /// The pictures of a step.
  let batchSize: Int
  /// How many threads compute.
  let threads: Int
  /// What became of the weights of the file; nil for generated ones.
  let loading: LoadingSummary?
  /// Every operation of the plan; nil where nobody asked.
  let operations: [Operation]?
}

extension BenchReport.Operation {
  fileprivate init(_ profile: StepProfile) {
    self.init(
      name: profile.name, implementation: profile.implementation, isBackward: profile.isBackward,
      milliseconds: profile.milliseconds, limitMilliseconds: profile.limitMilliseconds,
      operationCount: profile.operationCount, dimensions: profile.dimensions, layout: profile.layout,
      byteCount: profile.byteCount)
  }
}

/// A measurement of one workload.
@EngineActor
struct Bench {
  private let workload: BenchWorkload
  private let threadCount: Int
  private let parameters: ParameterBank
  private let clock = ContinuousClock()

  /// A measurement that is about to begin.
  init(_ workload: BenchWorkload, threadCount: Int) throws {
    self.workload = workload
    self.threadCount = threadCount
    parameters = try ParameterBank(graph: workload.subject.graph, weights: workload.subject.weights)
  }

  /// Chooses a micro-batch, warms up, and measures.
  ///
  /// - Parameters:
  ///   - listingOperations: Whether the report holds every operation.
  ///   - turns: Called before each step, which is measured where it answers true, and told the time of the last; nil
  ///     measures for some seconds.
  func run(listingOperations: Bool, turns: ((_ last: Double?) throws -> Bool)? = nil) throws -> BenchReport {
    let size = try workload.microBatchSize ?? fastestMicroBatchSize()
    PeakMemory.forget()
    let stepper = try Stepper(workload, parameters: parameters, microBatchSize: size)
    let buildMilliseconds = stepper.buildMilliseconds
    let milliseconds =
      if let turns { try median(of: stepper, turns: turns) } else {
        times(of: stepper, seconds: 2, leastCount: 5).median
      }
    let peak = peakResidentBytes()
    // The limit is measured in the same process, but its own memory does not count.
    var limit = 0.0
    for plan in stepper.plans { limit += try plan.primitiveLimitMilliseconds(batchSize: workload.batchSize) }
    let operations = listingOperations ? stepper.plans.flatMap { $0.profile().map(BenchReport.Operation.init) } : nil
    return BenchReport(
      train: "\(workload.selection)", imagesPerSecond: Double(workload.batchSize) / milliseconds * 1000,
      stepMilliseconds: milliseconds, limitMilliseconds: limit, planMilliseconds: buildMilliseconds,
      microBatchSize: size, frozenMicroBatchSize: stepper.frozen?.batchSize, peakResidentBytes: peak,
      arenaBytes: stepper.plans.reduce(0) { $0 + $1.arenaByteCount }, segments: stepper.plan.segmentCount,
      trainableParameters: workload.trainableCount,
      precision: workload.precision.rawValue,
      batchSize: workload.batchSize, threads: threadCount, loading: workload.subject.loading, operations: operations)
  }

  /// The power of two up to the batch size with which a step is fastest, or the largest of those that are as good as that.
  ///
  /// By the shortest of some steps in two rounds, as others that use the machine only ever make a step longer.
  private func fastestMicroBatchSize() throws -> Int {
    let sizes = sequence(first: 1) { $0 * 2 }.prefix { $0 <= workload.batchSize }
    var shortest: [Int: Double] = [:]
    var best: (size: Int, milliseconds: Double) {
      shortest.min { $0.value < $1.value }.map { ($0.key, $0.value) } ?? (1, .infinity)
    }
    for _ in 0..<2 {
      // Two larger ones that were slower are enough.
      for size in sizes where size <= 4 * best.size {
        if let own = shortest[size], own > 1.3 * best.milliseconds { continue }
        let stepper = try Stepper(workload, parameters: parameters, microBatchSize: size)
        let times = times(of: stepper, seconds: 0.3, leastCount: 3)
        shortest[size] = times.reduce(shortest[size] ?? .infinity, min)
      }
    }
    // What is nearer than a machine repeats itself is no difference, and more pictures at once read all kernels less often,
    // which counts where other programs have used the caches between two steps.
    return shortest.filter { $0.value <= 1.05 * best.milliseconds }.keys.max() ?? best.size
  }

  /// The times of steps in milliseconds, after two steps that do not count.
  private func times(of stepper: Stepper, seconds: Double, leastCount: Int) -> [Double] {
    stepper.step()
    stepper.step()
    var times: [Double] = []
    let begin = clock.now
    while times.count < leastCount || (clock.now - begin < .seconds(seconds) && times.count < 1000) {
      let start = clock.now
      stepper.step()
      times.append((clock.now - start).inMilliseconds)
    }
    return times
  }

  /// The median time of the steps that somebody else asks for, after two steps that do not count.
  private func median(of stepper: Stepper, turns: (_ last: Double?) throws -> Bool) throws -> Double {
    stepper.step()
    stepper.step()
    var times: [Double] = []
    while try turns(times.last) {
      let start = clock.now
      stepper.step()
      times.append((clock.now - start).inMilliseconds)
    }
    guard !times.isEmpty else { throw CommandFailure("no step was asked for on standard input") }
    return times.median
  }
}

/// A plan with everything that one step of it needs.
///
/// As in training without a cache, the frozen part in front of what trains is a plan of its own, with fewer pictures at
/// once.
@EngineActor
private final class Stepper {
  /// What trains, or all of it for inference.
  let plan: Plan
  /// What comes before.
  let frozen: Plan?
  let buildMilliseconds: Double
  private let optimizer: Optimizer?
  private let passCount: Int

  init(_ workload: BenchWorkload, parameters: ParameterBank, microBatchSize: Int) throws {
    let graph = workload.subject.graph
    let start = ContinuousClock.now
    let frontier = workload.frontier
    plan = try Plan(
      frontier?.suffix ?? graph, parameters: parameters, options: workload.options(microBatchSize: microBatchSize))
    frozen = try frontier?.prefix.map { prefix in
      try Plan(
        prefix, parameters: parameters, options: workload.frozenOptions(for: microBatchSize))
    }
    buildMilliseconds = (ContinuousClock.now - start).inMilliseconds
    passCount = (workload.batchSize + microBatchSize - 1) / microBatchSize
    let first = frozen ?? plan
    for input in first.inputs {
      let numbers = Tensor(
        generatedFor: "bench/\(input.name)", shape: input.shape.batched(first.batchSize), factor: 255, summand: 0)
      numbers.withFloats { _ = input.values.update(fromContentsOf: $0) }
    }
    guard !workload.trainable.isEmpty else {
      optimizer = nil
      return
    }
    let optimizer = Optimizer(graph: graph, parameters: parameters)
    optimizer.train(plan.gradients, by: .sgd())
    self.optimizer = optimizer
  }

  /// Forward and backward for each micro-batch, and one update.
  func step() {
    for pass in 0..<passCount {
      feed()
      plan.forward(step: UInt64(pass))
      guard optimizer != nil else { continue }
      // Small gradients of no loss in particular: what they are does not change what they cost.
      for gradient in plan.outputGradients { gradient.update(repeating: 1e-6) }
      plan.backward(accumulating: pass > 0, completing: pass == passCount - 1)
    }
    optimizer?.step(learningRate: 1e-12)
  }
}

extension Stepper {
  /// All plans, in the order in which they run.
  var plans: [Plan] { (frozen.map { [$0] } ?? []) + [plan] }

  /// Brings pictures through the frozen part to what trains.
  private func feed() {
    guard let frozen else { return }
    for first in stride(from: 0, to: plan.batchSize, by: frozen.batchSize) {
      frozen.forward()
      let count = min(frozen.batchSize, plan.batchSize - first)
      for (output, input) in zip(frozen.outputs, plan.inputs) {
        let length = output.shape.elementCount
        _ = input.values[(first * length)..<((first + count) * length)].update(
          fromContentsOf: output.values[..<(count * length)])
      }
    }
  }
}

/// The most memory that the process has had since a moment.
private enum PeakMemory {
  /// Begins anew, where the system can: the memory of what was tried before does not count.
  static func forget() {
    #if os(Linux)
      if let file = fopen("/proc/self/clear_refs", "w") {
        fputs("5", file)
        fclose(file)
      }
    #endif
  }
}

extension Duration {
  fileprivate var inMilliseconds: Double {
    Double(components.seconds) * 1e3 + Double(components.attoseconds) * 1e-15
  }
}

extension [Double] {
  /// The middle value, or the mean of the two in the middle.
  fileprivate var median: Double {
    let ordered = sorted()
    return count.isMultiple(of: 2)
      ? (ordered[count / 2 - 1] + ordered[count / 2]) / 2 : ordered[count / 2]
  }
}
