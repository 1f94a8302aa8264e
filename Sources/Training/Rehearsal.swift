import Engine
import Foundation
import Freezing
import Graphs
import Tasks

/// Compiles every phase of a run and takes a few steps of each, to say what the run is going to take.
///
/// The plans are the real ones, so that their memory is known to the byte, and the steps are real ones on some of the
/// pictures, but for their rate, which is zero: nothing is learnt and nothing written.
@EngineActor
package struct Rehearsal {
  private let context: RunContext
  private let state: RunState
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
    let state = try RunState(
      graph: graph, weights: weights, record: RunRecord(version: graftVersion, engine: .current, phases: []))
    self.state = state
    let headLayers = Set(heads.flatMap(\.layers))
    let plans = try schedule.phases.map { phase in
      var plan = PhasePlan(
        phase, trainable: try phase.trainableOrCandidates(in: graph, headLayers: headLayers), graph: graph,
        heads: heads, batchSize: min(options.batchSize, data.training.count),
        microBatchSize: options.microBatchSize)
      if let budget = options.memoryBudget {
        try plan.fit(into: budget, phase: phase, parameters: state.parameters, options: options)
      }
      try plan.checkMemory(phase, of: graph, parameters: state.parameters, options: options)
      return plan
    }
    context = RunContext(
      graph: graph, heads: heads, data: data, schedule: schedule, isRefit: false,
      forms: (schedule.refit ? try data.trainingOnValidation : data).trainingForms, options: options, plans: plans,
      features: FeatureChain(
        graph, frontiers: plans.map(\.frontier), parameters: state.parameters, source: data.pictures,
        options: options),
      cacheFolder: nil, library: nil, events: { _ in })
  }

  /// A copy of the weights, which stay as they were.
  package var weights: Weights { state.parameters.snapshot() }

  /// Takes the few steps of every phase.
  package func run() throws -> Forecast {
    let schedule = context.schedule
    var phases: [Forecast.Phase] = []
    var kept = KeptFeatures()
    var peak = 0
    for index in schedule.phases.indices {
      try Task.checkCancellation()
      let (phase, resident) = try rehearse(index, &kept)
      phases.append(phase)
      peak = max(peak, resident)
      context.features.forget(but: nil, ofPhase: index)
    }
    if schedule.refit { phases += zip(schedule.allPhases.dropFirst(phases.count), phases).map(refitted) }
    return Forecast(phases: phases, peakResidentBytes: max(peak, try residentBytesAtTheEnd(kept)))
  }

  /// What the process has when the finished network is measured and written.
  private func residentBytesAtTheEnd(_ kept: KeptFeatures) throws -> Int {
    let evaluator = try context.features.evaluator(parameters: state.parameters, labels: context.data.labels)
    let resident = withExtendedLifetime(evaluator) { residentBytes() } + kept.byteCount - kept.thereByteCount
    // A copy of the weights, and then either a plan with weights of its own that makes the parity sample, or the HDF5 file
    // and the archive around it.
    let model = 4 * context.graph.parameters.reduce(0) { $0 + $1.parameter.shape.elementCount }
    let plan = try Plan.byteCount(
      of: context.graph, parameters: state.parameters, options: PlanOptions(batchSize: 1))
    return resident + model + max(model + plan, 2 * model)
  }

  /// The same phase once more, on the validation samples too and without measuring anything with them.
  private func refitted(_ phase: Phase, after first: Forecast.Phase) -> Forecast.Phase {
    var again = first
    again.name = phase.name
    let sampleCount = context.data.training.count + context.data.validation.count
    again.stepsPerEpoch = (sampleCount + first.batchSize - 1) / first.batchSize
    again.secondsPerEpoch *= Double(again.stepsPerEpoch) / Double(first.stepsPerEpoch)
    again.secondsBefore = 0
    return again
  }
}

// MARK: - One phase

extension Rehearsal {
  /// Takes the steps of one phase.
  ///
  /// - Returns: What it takes, and the memory of the process while a checkpoint is written and all features are kept.
  private func rehearse(_ index: Int, _ kept: inout KeptFeatures) throws -> (Forecast.Phase, residentBytes: Int) {
    let (phase, plan) = (context.schedule.phases[index], context.plans[index])
    let (data, options) = (context.data, context.options)
    let sampleCount =
      plan.movingStatistics.isEmpty
      ? data.training.count : data.training.count / context.batchSize * context.batchSize
    let stepSize = min(context.batchSize * options.accumulation, sampleCount)
    let stepsPerEpoch = (sampleCount + stepSize - 1) / stepSize
    let machine = try PhaseMachine(phase, plan, context: context, parameters: state.parameters)
    let pipeline = machine.pipeline
    state.include(plan.changing, isRestored: phase.restore ?? context.schedule.restore != .last)
    state.best.take()
    if let average = context.schedule.average { state.beginAverage(average, of: plan.changing, stepCount: 0) }
    defer { state.endAverage() }
    state.optimizer.train(machine.trained.gradients, by: phase.optimizer, clipping: phase.clipping)

    // The first pictures of an epoch, and some to measure with.
    let requests = data.trainingRequests(seed: options.seed, epoch: 0).prefix(max(stepSize, min(sampleCount, 32)))
    let validation = Array(data.validation.prefix(16))
    let isKept = options.cachesFeatures && context.forms != nil
    var secondsBefore = 0.0
    if options.cachesFeatures {
      let wanted = Set((context.forms ?? []) + data.validation.map { PictureRequest($0) }).count
      let some = (isKept ? Array(requests) : []) + validation.map { PictureRequest($0) }
      let others = try context.features.usefulLater(at: plan.frontier, ofPhase: index)
      let begin = clock.now
      let outcome = try pipeline.cache(
        some, alongWith: others, memoryBudget: options.featureMemoryBudget, folder: nil, progress: { _ in })
      secondsBefore = (clock.now - begin).inSeconds / Double(some.count) * Double(wanted)
      if outcome.hasRoom { kept.note([pipeline] + others, count: wanted, ofWhichAreThere: some.count) }
    }
    let stepSeconds = try seconds(ofStepsIn: machine, requests, by: stepSize, phase)
    let measuring = clock.now
    _ = try machine.evaluator.measure(validation)
    let secondsPerMeasured = (clock.now - measuring).inSeconds / Double(validation.count)

    let isCached = isKept && pipeline.hasPrefix
    let partsPerStep = (stepSize + plan.microBatchSize - 1) / plan.microBatchSize
    var operationCount = machine.trained.operationCount * partsPerStep
    if !isKept {
      operationCount += pipeline.operationCount * ((stepSize + pipeline.chunkSize - 1) / pipeline.chunkSize)
    }
    let forecast = Forecast.Phase(
      name: phase.name, trains: "\(phase.selection)", trainableParameters: plan.trainableCount,
      epochs: phase.epochCount(stepsPerEpoch: stepsPerEpoch), stepsPerEpoch: stepsPerEpoch, batchSize: stepSize,
      microBatchSize: plan.microBatchSize, flopsPerStep: operationCount,
      secondsPerEpoch: stepSeconds * Double(stepsPerEpoch) + secondsPerMeasured * Double(data.validation.count),
      secondsBefore: secondsBefore, arenaBytes: machine.trained.arenaByteCount,
      featureBytes: isCached ? kept.byteCount(of: pipeline) : 0, cached: isCached)
    let origin = Checkpoint.Origin(configuration: "", data: "", eventByteCount: 0)
    let resident = try withExtendedLifetime(machine) {
      try Checkpoint.withContents(of: state, origin: origin, name: "checkpoint") { _ in residentBytes() }
    }
    return (forecast, resident + kept.byteCount - kept.thereByteCount)
  }

  /// The time of a step in epochs of a few, after one that does not count.
  private func seconds(
    ofStepsIn machine: PhaseMachine, _ requests: ArraySlice<PictureRequest>, by stepSize: Int, _ phase: Phase
  ) throws -> Double {
    let encoder = JSONEncoder()
    var progress = state.progress
    var times: [Double] = []
    let begin = clock.now
    repeat {
      progress.phase.losses = machine.losses.zeros
      let batches = requests.chunked(by: stepSize).filter { $0.count == stepSize }
      let mixing = context.options.mixing.map {
        MixedEpoch(
          $0, of: requests, shapes: machine.trained.inputs.map(\.shape), seed: context.options.seed, epoch: 0)
      }
      let feed = machine.pipeline.feed(
        batches.flatMap { $0.chunked(by: machine.plan.microBatchSize) }, mixing: mixing)
      for batch in batches {
        try Task.checkCancellation()
        let start = clock.now
        let loss = try machine.computeGradients(of: batch, from: feed, mixing: mixing, noting: &progress)
        state.optimizer.step(learningRate: 0)
        // What a step tells takes longer than a small head.
        _ = try encoder.encode(
          TrainingEvent.step(
            TrainingEvent.StepReport(
              phase: phase.name, epoch: 1, step: times.count, loss: loss.isFinite ? loss : 0, learningRate: 0,
              imagesPerSecond: 0, secondsLeft: 0)))
        times.append((clock.now - start).inSeconds)
      }
    } while times.count < 4 || (times.count < 200 && (clock.now - begin).inSeconds < 0.3)
    let counted = times.dropFirst().sorted()
    return counted[counted.count / 2]
  }
}

/// What pipelines keep in a run, and the little of it that they keep in a rehearsal.
@EngineActor
private struct KeptFeatures {
  private var entries: [ObjectIdentifier: (pipeline: FeaturePipeline, count: Int, there: Int)] = [:]

  /// Takes note of pipelines that keep so many pictures in a run.
  mutating func note(_ pipelines: [FeaturePipeline], count: Int, ofWhichAreThere there: Int) {
    for pipeline in pipelines { entries[ObjectIdentifier(pipeline)] = (pipeline, count, there) }
  }

  /// What a run keeps.
  var byteCount: Int { byteCount(\.count) }

  /// What the rehearsal keeps.
  var thereByteCount: Int { byteCount(\.there) }

  /// What a run keeps behind one pipeline.
  func byteCount(of pipeline: FeaturePipeline) -> Int {
    entries[ObjectIdentifier(pipeline)].map { $0.count * pipeline.rowByteCount } ?? 0
  }

  /// Of pipelines that have not forgotten what they kept.
  private func byteCount(
    _ count: KeyPath<(pipeline: FeaturePipeline, count: Int, there: Int), Int>
  ) -> Int {
    entries.values.reduce(0) { sum, entry in
      entry.pipeline.keepsFeatures ? sum + entry[keyPath: count] * entry.pipeline.rowByteCount : sum
    }
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
