import CKernels
import Graphs

/// The gradients of values on the way back: each reader of a value adds its part.
extension Emitter {
  /// The function of one number that the maker of a value has applied last.
  func function(of value: ValueID) -> ActivationFunction? {
    switch makers[value].map({ program.operations[$0] }) {
    case let operation as ConvolutionOperation: operation.activation
    case let operation as StemOperation: operation.convolution.activation
    case let operation as ActivationOperation: operation.function
    default: nil
    }
  }

  /// The bounds beyond which the maker of a value has cut it, where that is all that it did last; nil where a gradient of the
  /// value is not to be cut on its way.
  func cut(of value: ValueID) -> (low: Float, high: Float)? {
    guard !options.without.contains(.fuse), let function = function(of: value), function.onlyCuts else { return nil }
    return function.bounds
  }

  /// Takes the gradient of an operation's output; nil where nothing depends on it.
  func takeGradient(of value: ValueID) -> Activation? { gradients.removeValue(forKey: value) }

  /// A gradient that may be overwritten: itself where nobody else still needs it, else fresh memory.
  func writable(_ gradient: Activation) -> Activation {
    isShared(gradient.buffer) ? activation(gradient.shape, gradient.layout, gradient.type) : gradient
  }

  private func isShared(_ buffer: Buffer) -> Bool { gradients.values.contains { $0.buffer === buffer } }

  /// Adds to a value's gradient what `write` puts, in a type of its choice, into memory of the value's own layout.
  ///
  /// - Parameter isCut: Whether that is zero where the function that made the value lets nothing through.
  func contribute(
    to value: ValueID, as type: NumberType = .f32, isCut: Bool = false,
    _ write: (Activation) throws(EngineError) -> Void
  ) throws(EngineError) {
    guard needsGradient(value) else { return }
    let made = stored(value)
    var fresh = activation(made.shape, made.layout, type)
    try write(fresh)
    if type != made.type {
      let written = fresh
      fresh = activation(made.shape, made.layout, made.type)
      convert(written, to: fresh)
    }
    if let existing = gradients[value] { accumulate(existing, into: fresh) } else { fresh.isCut = isCut }
    gradients[value] = fresh
  }

  /// The same for what adds what others have given already by itself, and may cut the sum: its second argument.
  func contribute(
    to value: ValueID, isCut: Bool, _ write: (Activation, _ existing: Buffer?) throws(EngineError) -> Void
  ) throws(EngineError) {
    guard needsGradient(value) else { return }
    let made = stored(value)
    guard made.type == .f32 else {
      return try contribute(to: value, isCut: isCut) { target throws(EngineError) in try write(target, nil) }
    }
    var sum = activation(made.shape, made.layout)
    try write(sum, gradients[value]?.buffer)
    sum.isCut = isCut
    gradients[value] = sum
  }

  /// Adds an array that is there already, and stays as it is, to a value's gradient.
  func pass(_ gradient: Activation, to value: ValueID) throws(EngineError) {
    guard needsGradient(value) else { return }
    let made = stored(value)
    if (made.shape.rank == 3 && gradient.layout != made.layout) || gradient.type != made.type {
      return try contribute(to: value, as: made.type) { target throws(EngineError) in
        try reorder(gradient, to: target)
      }
    }
    let same = Activation(buffer: gradient.buffer, layout: made.layout, shape: made.shape, type: made.type)
    guard let existing = gradients[value] else {
      gradients[value] = same
      return
    }
    let sum = activation(made.shape, made.layout, made.type)
    let (a, b, y, n, type) = (existing.buffer, same.buffer, sum.buffer, count(sum), made.type.kernel)
    step("sum", "add", touching: [a, b, y]) { graft_add(y.address, a.address, b.address, n, type) }
    gradients[value] = sum
  }

  private func accumulate(_ source: Activation, into target: Activation) {
    let (x, y, n, type) = (source.buffer, target.buffer, count(target), target.type.kernel)
    step("sum", "accumulate", touching: [x, y]) { graft_accumulate(y.address, x.address, n, type) }
  }
}
