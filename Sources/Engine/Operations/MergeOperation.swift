import CKernels
import Graphs
import Tensors

/// The sum or product of two inputs, where an axis of extent 1 is repeated.
@EngineActor final class MergeOperation: Operation {
  enum Kind {
    case add
    case multiply
  }

  let name: String
  var inputs: [Program.ValueID]
  var output: Program.ValueID = -1
  let kind: Kind

  init(name: String, _ kind: Kind, _ left: Program.ValueID, _ right: Program.ValueID) {
    self.name = name
    self.kind = kind
    inputs = [left, right]
  }

  /// How the shapes of the inputs go together.
  private enum Pairing {
    /// Both are alike.
    case same
    /// The input at this place is an image, the other one number for each of its channels.
    case byChannel(image: Int)
    /// Anything else.
    case general
  }

  private func pairing(_ emitter: Emitter) -> Pairing {
    let shapes = inputs.map { emitter.program.shapes[$0] }
    if shapes[0] == shapes[1] { return .same }
    let result = emitter.program.shapes[output]
    for image in 0...1 where shapes[image] == result && result.rank == 3 {
      if shapes[1 - image] == [1, 1, result[2]] { return .byChannel(image: image) }
    }
    return .general
  }

  /// Both inputs in a layout and type in which the kernels can combine them.
  private func operands(_ emitter: Emitter) throws(EngineError) -> [Emitter.Activation] {
    switch pairing(emitter) {
    case .same:
      let layout = emitter.stored(inputs[0]).layout
      let type: NumberType = inputs.allSatisfy { emitter.stored($0).type == .bf16 } ? .bf16 : .f32
      return [
        try emitter.activation(inputs[0], in: layout, as: type),
        try emitter.activation(inputs[1], in: layout, as: type),
      ]
    case .byChannel(let place):
      let image = emitter.stored(inputs[place])
      let vector = try emitter.activation(inputs[1 - place], in: image.layout)
      return place == 0 ? [image, vector] : [vector, image]
    case .general:
      return [
        try emitter.activation(inputs[0], in: .channelsLast), try emitter.activation(inputs[1], in: .channelsLast),
      ]
    }
  }

  func emitForward(_ emitter: Emitter) throws(EngineError) {
    let values = try operands(emitter)
    let shape = emitter.program.shapes[output]
    let kind = kind
    switch pairing(emitter) {
    case .same:
      let y = emitter.activation(shape, values[0].layout, values[0].type)
      let (a, b, target, n) = (values[0].buffer, values[1].buffer, y.buffer, emitter.count(y))
      let type = y.type.kernel
      emitter.step(name, "\(kind)", touching: [a, b, target]) {
        switch kind {
        case .add: graft_add(target.address, a.address, b.address, n, type)
        case .multiply: graft_multiply(target.address, a.address, b.address, n, type)
        }
      }
      emitter.set(output, y)
    case .byChannel(let image):
      let y = emitter.activation(shape, values[image].layout, values[image].type)
      let type = y.type.kernel
      let (x, g, target, view) = (values[image].buffer, values[1 - image].buffer, y.buffer, emitter.view(y))
      emitter.step(name, "\(kind)_by_channel", touching: [x, g, target]) {
        switch kind {
        case .add: graft_pixel_add(target.address, x.address, g.floats, view, type)
        case .multiply: graft_gate(target.address, x.address, g.floats, view, false, type)
        }
      }
      emitter.set(output, y)
    case .general:
      let y = emitter.activation(shape, .channelsLast)
      try emitter.broadcast(
        values[0], values[1], to: y, over: shape, multiplies: kind == .multiply, accumulates: false, name: name)
      emitter.set(output, y)
    }
  }

  func emitBackward(_ emitter: Emitter) throws(EngineError) {
    guard let gradient = emitter.takeGradient(of: output) else { return }
    let values = try operands(emitter)
    for (place, input) in inputs.enumerated() where emitter.needsGradient(input) {
      let other = values[1 - place]
      let own = values[place]
      switch pairing(emitter) {
      case .same where kind == .add: try emitter.pass(gradient, to: input)
      case .same:
        let target = emitter.activation(own.shape, own.layout, own.type)
        let (dy, b, dx, n) = (gradient.buffer, other.buffer, target.buffer, emitter.count(target))
        let type = own.type.kernel
        emitter.step(name, "multiply", touching: [dy, b, dx]) {
          graft_multiply(dx.address, dy.address, b.address, n, type)
        }
        try emitter.pass(target, to: input)
      case .byChannel(let image):
        try emitChannelGradient(emitter, gradient, own, other, to: input, isImage: image == place)
      case .general:
        let target = emitter.activation(own.shape, .channelsLast)
        let (dx, n) = (target.buffer, emitter.count(target))
        emitter.step(name, "fill", touching: [dx]) { graft_fill(dx.floats, 0, n) }
        let factor = kind == .multiply ? other : nil
        try emitter.broadcast(
          gradient, factor, to: target, over: gradient.shape, multiplies: true, accumulates: true, name: name)
        try emitter.pass(target, to: input)
      }
    }
  }

  private func emitChannelGradient(
    _ emitter: Emitter, _ gradient: Emitter.Activation, _ own: Emitter.Activation, _ other: Emitter.Activation,
    to input: Program.ValueID, isImage: Bool
  ) throws(EngineError) {
    if isImage && kind == .add { return try emitter.pass(gradient, to: input) }
    let target = emitter.activation(own.shape, own.layout, own.type)
    let view = emitter.view(gradient)
    let (dy, b, dx, kind, type) = (gradient.buffer, other.buffer, target.buffer, kind, gradient.type.kernel)
    emitter.step(name, "\(kind)_by_channel_gradient", touching: [dy, b, dx]) {
      switch (kind, isImage) {
      case (.multiply, true): graft_gate(dx.address, dy.address, b.floats, view, false, type)
      case (.multiply, false): graft_gate_gradient(dx.floats, dy.address, b.address, view, false, type)
      case (.add, _): graft_pixel_sum(dx.floats, dy.address, view, false, type)
      }
    }
    try emitter.pass(target, to: input)
  }
}

extension Emitter {
  /// y = a·b or a + b, or y += a·b, with the strides of channels-last arrays; without b it counts as one.
  func broadcast(
    _ a: Activation, _ b: Activation? = nil, to y: Activation, over shape: Shape, multiplies: Bool = true,
    accumulates: Bool, name: String
  ) throws(EngineError) {
    guard shape.rank <= 3 else {
      throw EngineError(.unsupportedLayer, subject: name, detail: "repeats axes of more than three, \(shape)")
    }
    let batch = batch
    let full = [batch] + Array(repeating: 1, count: 3 - shape.rank) + shape.dimensions
    func strides(_ own: Shape) -> (Int, Int, Int, Int) {
      let extents = [batch] + Array(repeating: 1, count: 3 - own.rank) + own.dimensions
      var result = [0, 0, 0, 0]
      var stride = 1
      for axis in (0..<4).reversed() {
        result[axis] = extents[axis] == 1 && full[axis] > 1 ? 0 : stride
        stride *= extents[axis]
      }
      return (result[0], result[1], result[2], result[3])
    }
    let one = buffer(floatCount: 1)
    let (ys, xs) = (strides(y.shape), strides(a.shape))
    let bs = b.map { strides($0.shape) } ?? (0, 0, 0, 0)
    let counts = (full[0], full[1], full[2], full[3])
    let (target, left, right) = (y.buffer, a.buffer, b?.buffer ?? one)
    step(name, "broadcast", touching: [target, left, right, one]) {
      one.floats[0] = 1
      withArray(ys) { ys in
        withArray(xs) { xs in
          withArray(bs) { bs in
            withArray(counts) { counts in
              graft_broadcast(
                target.floats, ys, left.floats, xs, right.floats, bs, counts, multiplies, accumulates)
            }
          }
        }
      }
    }
  }
}

/// Calls `body` with four numbers as the array that C expects.
private func withArray(_ values: (Int, Int, Int, Int), _ body: (UnsafePointer<Int>) -> Void) {
  withUnsafePointer(to: values) { pointer in
    pointer.withMemoryRebound(to: Int.self, capacity: 4) { body($0) }
  }
}
