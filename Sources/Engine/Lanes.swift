import CKernels

/// The steps of one lane of a plan, with the memory that they work in.
final class Lane {
  /// What the steps look at.
  let run: RunState
  /// Forward, then backward.
  let steps: [Step]
  /// What comes then for all lanes at once.
  let jointSteps: [Step]
  /// This lane's share of the gradients of all parameters that train.
  let gradients: UnsafeMutableBufferPointer<Float>
  /// Multiplications and additions of the convolutions and matrix products among the steps.
  let operationCount: Int
  private let arena: Arena?

  @EngineActor init(_ emitter: Emitter, arena: Arena) {
    run = emitter.run
    steps = emitter.steps
    jointSteps = emitter.jointSteps
    gradients = UnsafeMutableBufferPointer(
      start: emitter.gradientBuffer.floats, count: emitter.gradientBuffer.byteCount / 4)
    operationCount = emitter.operationCount
    self.arena = arena
  }

  /// Steps alone, which keep the memory that they work in themselves.
  init(steps: [Step]) {
    run = RunState()
    self.steps = steps
    jointSteps = []
    gradients = UnsafeMutableBufferPointer(start: nil, count: 0)
    operationCount = 0
    arena = nil
  }

  var arenaByteCount: Int { arena?.byteCount ?? 0 }
}

/// All lanes of a plan, each of which runs on a thread of its own.
final class Lanes {
  let lanes: [Lane]
  /// Whether one thread does everything.
  let isAlone: Bool
  /// What each lane's thread does with the gradients of a whole batch.
  private let finishes: [[Finish]]
  /// What the lanes do next.
  private var work = Work.finishes

  private enum Work {
    case steps(Range<Int>)
    case finishes
  }

  init(_ lanes: [Lane], isAlone: Bool = false, finishes: [Finish] = [], jointGradients: [Range<Int>] = []) {
    self.lanes = lanes
    self.isAlone = isAlone
    let sums =
      lanes.count > 1 ? Finish.sums(of: lanes[0].gradients.count, besides: finishes, and: jointGradients) : []
    self.finishes = (finishes + sums).shared(among: lanes.count, by: \.count)
  }

  var first: Lane { lanes[0] }

  /// Runs the same steps of all lanes, and comes back when all have.
  @EngineActor func run(_ range: Range<Int>) { run(.steps(range)) }

  /// Does what is done for all lanes at once, after their steps.
  @EngineActor func runTogether() { withTheirThreads { for step in first.jointSteps { step.run() } } }

  /// Makes the gradients of all parts of a batch those of the whole, in the first lane.
  @EngineActor func finishGradients() { run(.finishes) }

  @EngineActor private func run(_ work: Work) {
    self.work = work
    guard lanes.count > 1 else { return withTheirThreads { workLane(0) } }
    graft_run_lanes(
      Int32(lanes.count),
      { lanes, index in
        guard let lanes else { return }
        Unmanaged<Lanes>.fromOpaque(lanes).takeUnretainedValue().workLane(Int(index))
      }, Unmanaged.passUnretained(self).toOpaque())
  }

  /// Does one lane's part of the work.
  private func workLane(_ index: Int) {
    switch work {
    case .steps(let range):
      let steps = lanes[index].steps
      for step in range { steps[step].run() }
    case .finishes: finish(index)
    }
  }

  /// Adds the gradients of all lanes up, always in one order, and does what is left to do with each while it is near.
  private func finish(_ index: Int) {
    let last = lanes.count > 1 ? lanes[lanes.count - 1].gradients.baseAddress : nil
    for finish in finishes[index] {
      for range in finish.ranges { for other in lanes.dropFirst() { add(other, range) } }
      for other in lanes.dropFirst().dropLast() { add(other, finish.ownRange) }
      finish.body(last.map { UnsafePointer($0) })
    }
  }

  private func add(_ other: Lane, _ range: Range<Int>) {
    graft_accumulate(
      first.gradients.baseAddress.map { $0 + range.lowerBound },
      other.gradients.baseAddress.map { $0 + range.lowerBound }, range.count, graft_f32)
  }

  /// Does work for the lanes from outside: where one thread does everything, without the others.
  @EngineActor func withTheirThreads(_ body: () -> Void) {
    let rounding = graft_begin_flushing()
    defer { graft_end_flushing(rounding) }
    guard isAlone else { return body() }
    let threadCount = graft_begin_alone()
    defer { graft_end_alone(threadCount) }
    body()
  }
}
