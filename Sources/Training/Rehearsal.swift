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
  let context: RunContext
  let state: RunState
  private let clock = ContinuousClock()

  /// A rehearsal of a run; see `Trainer`.
  ///
  /// - Throws: ``TrainingError`` for options that do not fit, `ScheduleError`, and `EngineError` where weights are missing.
  package init(
    graph: Graph, weights: Weights, heads: [Head], data: TrainingData, schedule: Schedule, options: TrainingOptions
  ) throws {
    try options.validate()
    try schedule.validate()
    try schedule.check(tasks: data.labels.tasks.map(\.name))
    EngineThreads.choose(options.threads)
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
        try plan.fit(into: budget, phase: phase, in: graph, parameters: state.parameters, options: options)
      }
      return plan
    }
    // What is still to be chosen has no frontier yet, and what fits again starts from the same ones.
    let frontiers: [Frontier?] = zip(schedule.phases, plans).map { $0.isOpen ? nil : $1.frontier }
    context = RunContext(
      graph: graph, heads: heads, data: data, schedule: schedule, isRefit: false,
      forms: (schedule.refit ? try data.trainingOnValidation : data).trainingForms, options: options, plans: plans,
      features: FeatureChain(
        graph, frontiers: schedule.refit ? frontiers + frontiers : frontiers, parameters: state.parameters,
        source: data.pictures, options: options),
      cacheFolder: nil, library: nil, events: { _ in })
  }

  /// A copy of the weights, which stay as they were.
  package var weights: Weights { state.parameters.snapshot() }

  /// Takes the few steps of every phase.
  package func run() throws -> Forecast {
    let schedule = context.schedule
    var phases: [Forecast.Phase] = []
    var paces: [PhasePace] = []
    var kept = KeptFeatures(memoryBudget: context.options.featureMemoryBudget)
    for index in schedule.phases.indices {
      try Task.checkCancellation()
      let (phase, pace) = try rehearse(index, &kept)
      phases.append(phase)
      paces.append(pace)
      context.features.forget(but: nil, ofPhase: index)
    }
    let peak = max(phases.map(\.peakResidentBytes).max() ?? 0, try residentBytesAtTheEnd(kept))
    if schedule.refit {
      for (index, phase) in schedule.allPhases.dropFirst(phases.count).enumerated() {
        let (again, pace) = refitted(phase, after: phases[index])
        phases.append(again)
        paces.append(pace)
      }
    }
    return Forecast(phases: phases, seconds: seconds(of: paces), peakResidentBytes: peak)
  }

  /// What all phases take one after the other, each as far as the time goes that the schedule has left for it.
  private func seconds(of paces: [PhasePace]) -> Double {
    let whole = context.schedule.budget?.seconds
    var sum = 0.0
    for (pace, phase) in zip(paces, context.schedule.allPhases) {
      // The first phase trains for a step in any case.
      if let whole, sum >= whole { break }
      let budgets = [whole.map { $0 - sum }, phase.budget?.seconds].compactMap(\.self)
      sum += pace.length(within: budgets.min()).seconds
    }
    return sum
  }

  /// What the process has when the finished network is measured and written.
  private func residentBytesAtTheEnd(_ kept: KeptFeatures) throws -> Int {
    let evaluator = try context.features.evaluator(parameters: state.parameters, labels: context.data.labels)
    let resident = withExtendedLifetime(evaluator) { residentBytes() } + kept.memoryByteCount - kept.thereByteCount
    // A copy of the weights, and then either a plan with weights of its own that makes the parity sample, or the HDF5 file
    // and the archive around it.
    let model = 4 * context.graph.parameters.reduce(0) { $0 + $1.parameter.shape.elementCount }
    let plan = try Plan.byteCount(
      of: context.graph, parameters: state.parameters, options: PlanOptions(batchSize: 1))
    return resident + model + max(model + plan, 2 * model)
  }

  /// The same phase once more, on the validation samples too and without measuring anything with them.
  private func refitted(_ phase: Phase, after first: Forecast.Phase) -> (Forecast.Phase, PhasePace) {
    var again = first
    again.name = phase.name
    let sampleCount = context.data.training.count + context.data.validation.count
    again.stepsPerEpoch = (sampleCount + first.batchSize - 1) / first.batchSize
    again.secondsPerEpoch *= Double(again.stepsPerEpoch) / Double(first.stepsPerEpoch)
    // The features are there already, but those behind chosen stages, which are chosen anew.
    if !phase.isOpen { again.secondsBefore = 0 }
    let pace = PhasePace(
      stepCount: min(phase.stepCount(stepsPerEpoch: again.stepsPerEpoch), first.epochs * again.stepsPerEpoch),
      stepsPerEpoch: again.stepsPerEpoch, secondsBefore: again.secondsBefore,
      secondsPerStep: again.secondsPerEpoch / Double(again.stepsPerEpoch), secondsPerValidation: 0)
    let length = pace.length(within: nil)
    (again.epochs, again.steps, again.seconds) = (length.epochs, length.steps, length.seconds)
    return (again, pace)
  }
}

// MARK: - One phase

extension Rehearsal {
  /// Takes the steps of one phase.
  ///
  /// - Returns: What it takes, its memory while a checkpoint is written and all features are kept, and its pace.
  private func rehearse(_ index: Int, _ kept: inout KeptFeatures) throws -> (Forecast.Phase, PhasePace) {
    let (data, options, written) = (context.data, context.options, context.schedule.phases[index])
    let choice = try written.isOpen ? measure(index) : (seconds: 0.0, residentBytes: 0)
    let peakOfChoice = choice.residentBytes + kept.memoryByteCount - kept.thereByteCount
    let phase = mostOf(written)
    let plan = context.plan(
      phase, at: index, trainable: try phase.trainable(in: context.graph, headLayers: context.headLayers))
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
    let secondsOfFeatures = try keepFeatures(of: Array(requests), validation, for: machine, at: index, &kept)
    let place = options.cachesFeatures && context.forms != nil ? kept.place(of: pipeline) : nil
    let stepSeconds = try seconds(ofStepsIn: machine, requests, by: stepSize, phase)
    let measuring = clock.now
    _ = try machine.evaluator.measure(validation)
    let secondsPerMeasured = (clock.now - measuring).inSeconds / Double(validation.count)

    let isCached = place != nil && pipeline.hasPrefix
    let partsPerStep = (stepSize + plan.microBatchSize - 1) / plan.microBatchSize
    var operationCount = machine.trained.operationCount * partsPerStep
    if !isCached {
      operationCount += pipeline.operationCount * ((stepSize + pipeline.chunkSize - 1) / pipeline.chunkSize)
    }
    let secondsOfChoice = choice.seconds + stepSeconds * Double((written.choose?.batches ?? 1) - 1)
    let pace = PhasePace(
      stepCount: phase.stepCount(stepsPerEpoch: stepsPerEpoch), stepsPerEpoch: stepsPerEpoch,
      secondsBefore: secondsOfFeatures + (written.isOpen ? secondsOfChoice : 0), secondsPerStep: stepSeconds,
      secondsPerValidation: secondsPerMeasured * Double(data.validation.count))
    let budgets = [phase.budget, context.schedule.budget].compactMap { $0?.seconds }
    let length = pace.length(within: budgets.min())
    let origin = Checkpoint.Origin(configuration: "", data: "", eventByteCount: 0)
    let resident = try withExtendedLifetime(machine) {
      try Checkpoint.withContents(of: state, origin: origin, name: "checkpoint") { _ in residentBytes() }
    }
    let forecast = Forecast.Phase(
      name: phase.name, trains: whatTrains(in: written),
      trainableParameters: max(plan.trainableCount, try mostTrainableCount(in: written)),
      epochs: length.epochs, steps: length.steps, stepsPerEpoch: stepsPerEpoch, batchSize: stepSize,
      microBatchSize: plan.microBatchSize, flopsPerStep: operationCount, secondsPerEpoch: pace.secondsPerEpoch,
      secondsBefore: pace.secondsBefore, seconds: length.seconds, arenaBytes: machine.trained.arenaByteCount,
      featureBytes: isCached ? (place?.byteCount ?? 0) : 0, featurePlace: isCached ? place?.place : nil,
      cached: isCached,
      peakResidentBytes: max(resident + kept.memoryByteCount - kept.thereByteCount, peakOfChoice))
    return (forecast, pace)
  }

  /// Keeps the features of some pictures where a run would keep those of all.
  ///
  /// - Returns: How long a run takes for all; 0 where it has them already, or keeps none.
  private func keepFeatures(
    of requests: [PictureRequest], _ validation: [Int], for machine: PhaseMachine, at index: Int,
    _ kept: inout KeptFeatures
  ) throws -> Double {
    guard context.options.cachesFeatures else { return 0 }
    let wanted = Set((context.forms ?? []) + context.data.validation.map { PictureRequest($0) }).count
    let some = (context.forms == nil ? [] : requests) + validation.map { PictureRequest($0) }
    let others = try context.features.usefulLater(at: machine.plan.frontier, ofPhase: index)
    context.features.dropStale()
    let isThere = kept.holds(machine.pipeline)
    let keeping = kept.reserve(machine.pipeline, alongWith: others, count: wanted, ofWhichAreThere: some.count)
    guard !keeping.isEmpty else { return 0 }
    let begin = clock.now
    // The few have room in memory wherever all of them go.
    _ = try machine.pipeline.cache(
      some, alongWith: Array(keeping.dropFirst()), memoryBudget: .max, folder: nil, progress: { _ in })
    return isThere ? 0 : (clock.now - begin).inSeconds / Double(some.count) * Double(wanted)
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
