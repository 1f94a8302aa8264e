import CDNNL

/// One thing that a plan does when it runs.
final class Step {
  /// The layer that it works for.
  let name: String
  /// What does the work: a kernel's or primitive's name.
  let implementation: String
  /// Multiplications and additions.
  let operationCount: Int
  /// What a table says of it.
  let facts: StepFacts
  /// Without isolation: each lane's thread runs its own steps while the engine's waits for them.
  private let body: () -> Void

  init(
    name: String, implementation: String, operationCount: Int = 0, facts: StepFacts = StepFacts(),
    body: @escaping () -> Void
  ) {
    self.name = name
    self.implementation = implementation
    self.operationCount = operationCount
    self.facts = facts
    self.body = body
  }

  func run() { body() }
}

/// The arguments of a primitive's execution in the array that oneDNN wants.
final class Arguments {
  private let storage: UnsafeMutableBufferPointer<dnnl_exec_arg_t>
  private let memories: [Memory]

  init(_ arguments: [(index: Int32, memory: Memory)]) {
    storage = .allocate(capacity: arguments.count)
    memories = arguments.map(\.memory)
    for (position, argument) in arguments.enumerated() {
      storage.initializeElement(at: position, to: dnnl_exec_arg_t(arg: argument.index, memory: argument.memory.handle))
    }
  }

  func execute(_ primitive: Primitive, on stream: dnnl_stream_t) {
    let status = dnnl_primitive_execute(primitive.handle, stream, Int32(storage.count), storage.baseAddress)
    precondition(status == dnnl_success, "a primitive that was made with these layouts runs with them")
  }

  deinit { storage.deallocate() }
}
