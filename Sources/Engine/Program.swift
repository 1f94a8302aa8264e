import Graphs
import Tensors

/// A graph taken apart into operations on values, before anything is decided about memory.
@EngineActor struct Program {
  typealias ValueID = Int

  /// The shape of one sample of every value.
  private(set) var shapes: [Shape] = []
  /// What is computed, in an order in which it can be.
  var operations: [any Operation] = []
  /// Values that are fed from outside, with the names of their layers.
  private(set) var inputs: [(name: String, value: ValueID)] = []
  /// Values that are asked for, with the names of the layers that make them.
  var outputs: [(name: String, value: ValueID)] = []
  /// The parameters that train.
  let trainable: Set<ParameterPath>
  /// Whether a gradient has to reach a value, because something before it trains.
  private(set) var needsGradient: [Bool] = []

  init(trainable: Set<ParameterPath>) { self.trainable = trainable }

  mutating func addInput(_ name: String, shape: Shape, needsGradient: Bool) -> ValueID {
    let value = addValue(shape, needsGradient: needsGradient)
    inputs.append((name, value))
    return value
  }

  /// Adds an operation whose output has the given shape.
  mutating func append(_ operation: any Operation, shape: Shape) -> ValueID {
    operations.append(operation)
    return makeOutput(of: operation, shape: shape)
  }

  /// Gives an operation an output of its own.
  mutating func makeOutput(of operation: any Operation, shape: Shape) -> ValueID {
    let gradient =
      operation.inputs.contains { needsGradient[$0] } || operation.parameters.contains(where: trainable.contains)
    operation.output = addValue(shape, needsGradient: gradient)
    return operation.output
  }

  private mutating func addValue(_ shape: Shape, needsGradient gradient: Bool) -> ValueID {
    shapes.append(shape)
    needsGradient.append(gradient)
    return shapes.count - 1
  }

  /// Applies a function to a value; `linear` is the value itself.
  mutating func activate(_ value: ValueID, _ function: ActivationFunction, name: String) -> ValueID {
    switch function {
    case .linear: value
    case .softmax: append(RowFunctionOperation(name: name, input: value, .softmax), shape: shapes[value])
    case .logSoftmax: append(RowFunctionOperation(name: name, input: value, .logSoftmax), shape: shapes[value])
    case .sparsemax: append(RowFunctionOperation(name: name, input: value, .sparsemax), shape: shapes[value])
    default: append(ActivationOperation(name: name, input: value, function: function), shape: shapes[value])
    }
  }

  /// How many operations and outputs read each value.
  var readerCounts: [Int] {
    var counts = Array(repeating: 0, count: shapes.count)
    for operation in operations { for input in operation.inputs { counts[input] += 1 } }
    for output in outputs { counts[output.value] += 1 }
    return counts
  }

  /// How many operations read each parameter.
  var parameterReaderCounts: [ParameterPath: Int] {
    var counts: [ParameterPath: Int] = [:]
    for operation in operations { for path in operation.parameters { counts[path, default: 0] += 1 } }
    return counts
  }

  /// For every value the position of the operation that makes it; nil for inputs.
  var makers: [Int?] {
    var makers = [Int?](repeating: nil, count: shapes.count)
    for (index, operation) in operations.enumerated() { makers[operation.output] = index }
    return makers
  }
}

/// One operation of a program: what it reads and makes, and the steps that compute it.
///
/// A class, because emission keeps what it chose going forward for the way back.
@EngineActor protocol Operation: AnyObject {
  /// The name of the layer that it came from.
  var name: String { get }
  /// What it reads.
  var inputs: [Program.ValueID] { get set }
  /// What it makes.
  var output: Program.ValueID { get set }
  /// The parameters that it depends on.
  var parameters: [ParameterPath] { get }

  /// Adds the steps that make the output.
  func emitForward(_ emitter: Emitter) throws(EngineError)

  /// Adds the steps that turn the output's gradient into those of inputs and parameters.
  func emitBackward(_ emitter: Emitter) throws(EngineError)
}

extension Operation {
  var parameters: [ParameterPath] { [] }
}
