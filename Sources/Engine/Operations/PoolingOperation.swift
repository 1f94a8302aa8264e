import CDNNL
import CKernels
import Graphs
import Tensors

/// The largest value or the mean of each window.
@EngineActor final class PoolingOperation: Operation {
  enum Kind {
    case maximum
    case average
  }

  let name: String
  var inputs: [Program.ValueID]
  var output: Program.ValueID = -1
  let kind: Kind
  let window: Window
  var insets: Insets2D

  private var hint: PrimitiveDescriptor?
  private var workspace: (buffer: Buffer, layout: MemoryDescriptor)?

  init(name: String, input: Program.ValueID, _ kind: Kind, window: Window, insets: Insets2D) {
    self.name = name
    inputs = [input]
    self.kind = kind
    self.window = window
    self.insets = insets
  }

  private var algorithm: dnnl_alg_kind_t { kind == .maximum ? dnnl_pooling_max : dnnl_pooling_avg_exclude_padding }

  private func shimWindow(_ input: Shape, _ output: Shape) -> graft_window {
    // What lies behind the last window is no padding; oneDNN wants the padding that the last window needs.
    func after(_ input: Int, _ output: Int, _ size: Int, _ stride: Int, _ before: Int) -> Int64 {
      Int64(max(0, (output - 1) * stride + size - input - before))
    }
    return graft_window(
      size: (Int64(window.size.height), Int64(window.size.width)),
      strides: (Int64(window.strides.height), Int64(window.strides.width)), dilation: (0, 0),
      before: (Int64(insets.top), Int64(insets.left)),
      after: (
        after(input[0], output[0], window.size.height, window.strides.height, insets.top),
        after(input[1], output[1], window.size.width, window.strides.width, insets.left)
      ))
  }

  func emitForward(_ emitter: Emitter) throws(EngineError) {
    let (layout, type) = (emitter.stored(inputs[0]).layout, emitter.stored(inputs[0]).type)
    let x = try emitter.operand(inputs[0], in: layout, as: type)
    let y = emitter.activation(emitter.program.shapes[output], layout, x.type)
    let (from, to) = (try emitter.descriptor(x), try emitter.descriptor(y))
    let kind = emitter.needsGradient(output) ? dnnl_forward_training : dnnl_forward_inference
    var window = shimWindow(x.shape, y.shape)
    let attributes = try Attributes()
    let algorithm = algorithm
    let descriptor = try PrimitiveDescriptor(name) { [engine = emitter.engine] handle in
      graft_pooling_forward(
        &handle, engine, kind, algorithm, from.handle, to.handle, &window, attributes.handle)
    }
    var arguments: [(index: Int, layout: MemoryDescriptor, buffer: Buffer)] = [
      (graft_arg_source, from, x.buffer), (graft_arg_destination, to, y.buffer),
    ]
    if let layout = try descriptor.layout(of: dnnl_query_workspace_md) {
      let buffer = emitter.buffer(floatCount: (layout.byteCount + 3) / 4)
      workspace = (buffer, layout)
      arguments.append((graft_arg_workspace, layout, buffer))
    }
    try emitter.step(name, descriptor, arguments)
    emitter.set(output, y, as: type)
    hint = descriptor
  }

  func emitBackward(_ emitter: Emitter) throws(EngineError) {
    guard let taken = emitter.takeGradient(of: output), let hint else { return }
    let gradient = emitter.operand(taken)
    let from = try emitter.descriptor(gradient)
    try emitter.contribute(to: inputs[0], as: gradient.type) { target throws(EngineError) in
      let to = try emitter.descriptor(target)
      var window = shimWindow(target.shape, gradient.shape)
      let attributes = try Attributes()
      let algorithm = algorithm
      let descriptor = try PrimitiveDescriptor(name) { [engine = emitter.engine] handle in
        graft_pooling_backward(
          &handle, engine, algorithm, to.handle, from.handle, &window, hint.handle, attributes.handle)
      }
      var arguments: [(index: Int, layout: MemoryDescriptor, buffer: Buffer)] = [
        (graft_arg_destination_gradient, from, gradient.buffer),
        (graft_arg_source_gradient, to, target.buffer),
      ]
      if let workspace {
        arguments.append((graft_arg_workspace, workspace.layout, workspace.buffer))
      }
      try emitter.step(name, descriptor, arguments)
    }
  }
}

/// The mean or the largest value of every channel over the whole image.
@EngineActor final class GlobalPoolingOperation: Operation {
  let name: String
  var inputs: [Program.ValueID]
  var output: Program.ValueID = -1
  let kind: PoolingOperation.Kind

  private var places: Buffer?

  init(name: String, input: Program.ValueID, _ kind: PoolingOperation.Kind) {
    self.name = name
    inputs = [input]
    self.kind = kind
  }

  func emitForward(_ emitter: Emitter) throws(EngineError) {
    let x = emitter.stored(inputs[0])
    let shape = emitter.program.shapes[output]
    let view = emitter.view(x)
    let (source, kind, type) = (x.buffer, kind, x.type.kernel)
    // One number for each channel that takes memory, in the layout of the image.
    let pooled = emitter.buffer(floatCount: view.samples * view.blocks * view.width)
    let places = kind == .maximum ? emitter.buffer(floatCount: view.samples * view.blocks * view.width) : pooled
    emitter.step(name, "global_\(kind)", touching: [source, pooled, places]) {
      switch kind {
      case .average: graft_pixel_mean(pooled.floats, source.address, view, type)
      case .maximum:
        graft_pixel_maximum(
          pooled.floats, places.address.assumingMemoryBound(to: Int32.self), source.address, view, type)
      }
    }
    self.places = places
    if shape.rank == 3 {
      emitter.set(output, Emitter.Activation(buffer: pooled, layout: x.layout, shape: shape))
      return
    }
    let channels = shape[-1]
    let padded = view.blocks * view.width
    guard padded != channels else {
      return emitter.set(output, Emitter.Activation(buffer: pooled, layout: .channelsLast, shape: shape))
    }
    let y = emitter.activation(shape, .channelsLast)
    let copy = RowCopy(
      counts: (1, view.samples), row: channels, source: (0, 0, padded), target: (0, 0, channels))
    emitter.step(name, "copy_rows", touching: [pooled, y.buffer]) {
      copy.run(from: pooled.address, to: y.buffer.address)
    }
    emitter.set(output, y)
  }

  func emitBackward(_ emitter: Emitter) throws(EngineError) {
    guard let gradient = emitter.takeGradient(of: output), let places else { return }
    let there = emitter.stored(inputs[0])
    let bounds = kind == .average ? emitter.cut(of: inputs[0]) : nil
    try emitter.contribute(to: inputs[0], as: there.type, isCut: bounds != nil) { target throws(EngineError) in
      let view = emitter.view(target)
      let padded = view.blocks * view.width
      var source = gradient.buffer
      if gradient.shape.rank != 3 && padded != gradient.shape[-1] {
        let wide = emitter.buffer(floatCount: view.samples * padded)
        let (narrow, channels) = (source, gradient.shape[-1])
        let copy = RowCopy(
          counts: (1, view.samples), row: channels, source: (0, 0, channels), target: (0, 0, padded))
        emitter.step(name, "copy_rows", touching: [narrow, wide]) {
          graft_fill(wide.floats, 0, view.samples * padded)
          copy.run(from: narrow.address, to: wide.address)
        }
        source = wide
      }
      let (dg, dx, kind, type) = (source, target.buffer, kind, target.type.kernel)
      let values = bounds == nil ? nil : there.buffer
      emitter.step(name, "global_\(kind)_gradient", touching: [dg, dx, places] + [values].compactMap(\.self)) {
        switch kind {
        case .average:
          graft_pixel_spread(
            dx.address, dg.floats, values?.address, bounds?.low ?? 0, bounds?.high ?? 0, view, 1 / Float(view.pixels),
            type)
        case .maximum:
          graft_pixel_maximum_gradient(
            dx.address, dg.floats, places.address.assumingMemoryBound(to: Int32.self), view, type)
        }
      }
    }
  }
}
