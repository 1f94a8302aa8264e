import CDNNL
import Graphs
import Tensors

/// An image enlarged by whole factors.
@EngineActor final class ResamplingOperation: Operation {
  let name: String
  var inputs: [Program.ValueID]
  var output: Program.ValueID = -1
  let interpolation: UpSampling2D.Interpolation

  private var hint: PrimitiveDescriptor?

  init(name: String, input: Program.ValueID, interpolation: UpSampling2D.Interpolation) {
    self.name = name
    inputs = [input]
    self.interpolation = interpolation
  }

  private var algorithm: dnnl_alg_kind_t {
    interpolation == .nearest ? dnnl_resampling_nearest : dnnl_resampling_linear
  }

  func emitForward(_ emitter: Emitter) throws(EngineError) {
    let (layout, type) = (emitter.stored(inputs[0]).layout, emitter.stored(inputs[0]).type)
    let x = try emitter.operand(inputs[0], in: layout, as: type)
    let y = emitter.activation(emitter.program.shapes[output], layout, x.type)
    let (from, to) = (try emitter.descriptor(x), try emitter.descriptor(y))
    let attributes = try Attributes()
    let algorithm = algorithm
    let descriptor = try PrimitiveDescriptor(name) { [engine = emitter.engine] handle in
      graft_resampling_forward(
        &handle, engine, dnnl_forward_training, algorithm, from.handle, to.handle, attributes.handle)
    }
    try emitter.step(
      name, descriptor,
      [(graft_arg_source, from, x.buffer), (graft_arg_destination, to, y.buffer)])
    emitter.set(output, y, as: type)
    hint = descriptor
  }

  func emitBackward(_ emitter: Emitter) throws(EngineError) {
    guard let taken = emitter.takeGradient(of: output), let hint else { return }
    let gradient = emitter.operand(taken)
    let from = try emitter.descriptor(gradient)
    try emitter.contribute(to: inputs[0], as: gradient.type) { target throws(EngineError) in
      let to = try emitter.descriptor(target)
      let attributes = try Attributes()
      let algorithm = algorithm
      let descriptor = try PrimitiveDescriptor(name) { [engine = emitter.engine] handle in
        graft_resampling_backward(
          &handle, engine, algorithm, to.handle, from.handle, hint.handle, attributes.handle)
      }
      try emitter.step(
        name, descriptor,
        [
          (graft_arg_destination_gradient, from, gradient.buffer),
          (graft_arg_source_gradient, to, target.buffer),
        ])
    }
  }
}
