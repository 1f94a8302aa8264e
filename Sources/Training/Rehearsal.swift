import Engine
import Foundation
import Freezing
import Graphs
import Tasks
import Tensors

/// Compiles every phase of a run and takes a few steps of each, to say what the run is going to take.
///
/// The plans are the real ones, so that their memory is known to the byte; times are those of a few steps on black
/// pictures. Nothing is learnt and nothing written.
@EngineActor
package struct Rehearsal {
  private let graph: Graph
  private let data: TrainingData
  private let schedule: Schedule
  private let options: TrainingOptions
  private let parameters: ParameterBank
  private let plans: [PhasePlan]
  private let features: FeatureChain
  private let clock = ContinuousClock()

  /// A rehearsal of a run; see `Trainer`.
  ///
  /// - Throws: ``TrainingError`` for options that do not fit, `ScheduleError`, and `EngineError` where weights are missing.
  package init(
    graph: Graph, weights: Weights, heads: [Head], data: TrainingData, schedule: Schedule, options: TrainingOptions
  ) throws {
    try options.validate()
    try schedule.validate()
    EngineThreads.use(options.threads)
    self.graph = graph
    self.data = data
    self.schedule = schedule
    self.options = options
    let bank = try ParameterBank(graph: graph, weights: weights)
    parameters = bank
    let headLayers = Set(heads.flatMap(\.layers))
    plans = try schedule.phases.map { phase in
      var plan = PhasePlan(
        phase, trainable: try phase.trainableOrCandidates(in: graph, headLayers: headLayers), graph: graph,
        heads: heads, batchSize: min(options.batchSize, data.training.count),
        microBatchSize: options.microBatchSize)
      if let budget = options.memoryBudget {
        try plan.fit(into: budget, phase: phase, parameters: bank, options: options)
      }
      return plan
    }
    features = FeatureChain(
      graph, frontiers: plans.map(\.frontier), parameters: bank, source: data.pictures, options: options)
  }

  /// A copy of the weights, which stay as they were.
  package var weights: Weights { parameters.snapshot() }

  /// Takes the few steps of every phase.
  package func run() throws -> Forecast {
    var phases: [Forecast.Phase] = []
    var kept: [ObjectIdentifier: Int] = [:]
    var trained: Set<ParameterPath> = []
    var restored: Set<ParameterPath> = []
    var peak = 0
    let optimizer = Optimizer(graph: graph, parameters: parameters)
    for index in schedule.phases.indices {
      try Task.checkCancellation()
      trained.formUnion(plans[index].trainable)
      if schedule.phases[index].restore ?? schedule.restore != .last { restored.formUnion(plans[index].trainable) }
      let (phase, resident) = try rehearse(index, optimizer, &kept)
      phases.append(phase)
      // What training fills and the rehearsal does not: features, the best weights of what has trained, and a checkpoint
      // of them, of the present ones, and of what the optimizer keeps.
      let best = byteCount(of: restored)
      let checkpoint = best + byteCount(of: trained) + optimizer.momentByteCount
      peak = max(peak, resident + kept.values.reduce(0, +) + best + checkpoint)
    }
    if schedule.refit { phases += zip(schedule.allPhases.dropFirst(phases.count), phases).map(refitted) }
    // At the end the whole network measures the finished model, which is then written: its weights, those of the plan that
    // makes its parity sample with a plan of its own, its HDF5 file and the archive around that.
    let whole = try Plan(
      graph, parameters: parameters, options: PlanOptions(batchSize: options.frozenMicroBatchSize))
    whole.forward()
    let model = 4 * graph.parameters.reduce(0) { $0 + $1.parameter.shape.elementCount }
    peak = max(peak, residentBytes() + kept.values.reduce(0, +) + 4 * model + whole.arenaByteCount / whole.batchSize)
    return Forecast(phases: phases, peakResidentBytes: peak)
  }

  private func byteCount(of paths: Set<ParameterPath>) -> Int {
    paths.reduce(0) { $0 + parameters.values(at: $1).count * MemoryLayout<Float>.stride }
  }

  /// The same phase once more, on the validation samples too and without measuring anything with them.
  private func refitted(_ phase: Phase, after first: Forecast.Phase) -> Forecast.Phase {
    var again = first
    again.name = phase.name
    let sampleCount = data.training.count + data.validation.count
    again.stepsPerEpoch = (sampleCount + first.batchSize - 1) / first.batchSize
    again.secondsPerEpoch *= Double(again.stepsPerEpoch) / Double(first.stepsPerEpoch)
    again.secondsBefore = 0
    return again
  }

  /// Takes the steps of one phase.
  ///
  /// - Returns: What it takes, and the memory of the process while its plans are there.
  private func rehearse(
    _ index: Int, _ optimizer: Optimizer, _ kept: inout [ObjectIdentifier: Int]
  ) throws -> (Forecast.Phase, residentBytes: Int) {
    let (phase, plan) = (schedule.phases[index], plans[index])
    let batchSize = min(options.batchSize, data.training.count)
    let sampleCount =
      plan.movingStatistics.isEmpty ? data.training.count : data.training.count / batchSize * batchSize
    let stepSize = min(batchSize * options.accumulation, sampleCount)
    let stepsPerEpoch = (sampleCount + stepSize - 1) / stepSize
    let pipeline = try features.pipeline(to: plan.frontier)
    var planOptions = plan.options(phase, options)
    planOptions.memoryBudget = options.memoryBudget
    let trained = try Plan(plan.frontier.suffix, parameters: parameters, options: planOptions)
    let inference = try Plan(
      plan.frontier.suffix, parameters: parameters,
      options: PlanOptions(batchSize: plan.microBatchSize, precision: options.precision.trained))
    optimizer.train(trained.gradients, by: phase.optimizer, clipping: phase.clipping)

    // What is kept of the frozen part, where it was not kept on the way to an earlier phase.
    let forms =
      options.cachesFeatures && pipeline.hasPrefix
      ? (schedule.refit ? try data.trainingOnValidation : data).trainingForms : nil
    let pictureCount = Set(forms ?? []).union(data.validation.map { PictureRequest($0) }).count
    var secondsBefore = 0.0
    let secondsPerPicture = pipeline.hasPrefix ? pipeline.secondsPerChunk() / Double(pipeline.chunkSize) : 0
    if forms != nil, kept[ObjectIdentifier(pipeline)] == nil {
      secondsBefore = Double(pictureCount) * (secondsPerPicture + secondsPerDecoding())
      for target in [pipeline] + (try features.usefulLater(at: plan.frontier, ofPhase: index)) {
        kept[ObjectIdentifier(target)] = pictureCount * target.rowByteCount
      }
    }
    let partsPerStep = (stepSize + plan.microBatchSize - 1) / plan.microBatchSize
    let stepSeconds = seconds(ofStepIn: trained, partCount: partsPerStep, optimizer)
    let inferenceSeconds = median(of: 3) { inference.forward() }
    let validationParts = (data.validation.count + plan.microBatchSize - 1) / plan.microBatchSize
    var epochSeconds = stepSeconds * Double(stepsPerEpoch) + inferenceSeconds * Double(validationParts)
    var operationCount = trained.operationCount * partsPerStep
    if forms == nil {
      let perEpoch = sampleCount + (options.cachesFeatures ? 0 : data.validation.count)
      epochSeconds += Double(perEpoch) * (secondsPerPicture + secondsPerDecoding())
      operationCount += pipeline.operationCount * ((stepSize + pipeline.chunkSize - 1) / pipeline.chunkSize)
    }
    let forecast = Forecast.Phase(
      name: phase.name, trains: "\(phase.selection)", trainableParameters: plan.trainableCount,
      epochs: phase.epochCount(stepsPerEpoch: stepsPerEpoch), stepsPerEpoch: stepsPerEpoch, batchSize: stepSize,
      microBatchSize: plan.microBatchSize, flopsPerStep: operationCount, secondsPerEpoch: epochSeconds,
      secondsBefore: secondsBefore, arenaBytes: trained.arenaByteCount,
      featureBytes: forms == nil ? 0 : pictureCount * pipeline.rowByteCount, cached: forms != nil)
    return (forecast, withExtendedLifetime((trained, inference)) { Training.residentBytes() })
  }

  /// The time of one step of the optimizer, which changes nothing.
  private func seconds(ofStepIn plan: Plan, partCount: Int, _ optimizer: Optimizer) -> Double {
    median(of: 3) {
      for part in 0..<partCount {
        plan.forward(step: UInt64(part))
        for gradient in plan.outputGradients { gradient.update(repeating: 1e-6) }
        plan.backward(accumulating: part > 0, completing: part == partCount - 1)
      }
      optimizer.step(learningRate: 0)
    }
  }

  /// The time that one picture of the data takes from its file or from what has been decoded.
  private func secondsPerDecoding() -> Double {
    let requests = data.trainingRequests(seed: options.seed, epoch: 0).prefix(16)
    let pixels = FloatBuffer(count: data.pictures.pictureShape.elementCount)
    let begin = clock.now
    let pictures = data.pictures.pictures(Array(requests))
    // A picture that cannot be read was named before; here it only takes no time.
    for _ in requests { try? pictures.next(into: pixels.values) }
    return (clock.now - begin).inSeconds / Double(max(requests.count, 1))
  }

  /// The middle of several times, after one run that does not count.
  private func median(of count: Int, _ body: () -> Void) -> Double {
    body()
    let times = (0..<count).map { _ in
      let begin = clock.now
      body()
      return (clock.now - begin).inSeconds
    }
    return times.sorted()[count / 2]
  }
}

/// The memory that this process has at the moment, in bytes; the most that it has had where the system does not say.
func residentBytes() -> Int {
  #if os(Linux)
    if let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) {
      let numbers = text.split(separator: " ")
      if numbers.count > 1, let pages = Int(numbers[1]) { return pages * Int(sysconf(Int32(_SC_PAGESIZE))) }
    }
  #endif
  return peakResidentBytes()
}
