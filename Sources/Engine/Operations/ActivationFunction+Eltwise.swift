import CDNNL
import CKernels
import Graphs

extension ActivationFunction {
  /// The function as one of oneDNN's, which can be applied by the primitive before it; nil where there is none.
  var eltwise: Eltwise? {
    switch self {
    case .relu(nil, let slope, 0): Eltwise(algorithm: dnnl_eltwise_relu, alpha: slope)
    case .relu(let top?, 0, 0): Eltwise(algorithm: dnnl_eltwise_clip_v2, beta: top)
    case .clip(let low, let high):
      Eltwise(
        algorithm: dnnl_eltwise_clip_v2, alpha: max(low, -.greatestFiniteMagnitude),
        beta: min(high, .greatestFiniteMagnitude))
    case .elu(let alpha): Eltwise(algorithm: dnnl_eltwise_elu, alpha: alpha)
    case .sigmoid: Eltwise(algorithm: dnnl_eltwise_logistic)
    case .silu: Eltwise(algorithm: dnnl_eltwise_swish, alpha: 1)
    case .hardSilu: Eltwise(algorithm: dnnl_eltwise_hardswish, alpha: 1 / 6, beta: 0.5)
    case .tanh: Eltwise(algorithm: dnnl_eltwise_tanh)
    case .gelu(let approximate): Eltwise(algorithm: approximate ? dnnl_eltwise_gelu_tanh : dnnl_eltwise_gelu_erf)
    case .softplus: Eltwise(algorithm: dnnl_eltwise_soft_relu, alpha: 1)
    default: nil
    }
  }

  /// The function as one of the kernels', which take no part in primitives; nil where there is none.
  var kernel: (function: graft_function, p: Float, q: Float)? {
    switch self {
    case .selu: (graft_selu, 0, 0)
    case .celu(let alpha): (graft_celu, alpha, 0)
    case .softsign: (graft_softsign, 0, 0)
    case .mish: (graft_mish, 0, 0)
    case .exponential: (graft_exponential, 0, 0)
    case .hardTanh: (graft_hard_tanh, 0, 0)
    case .hardShrink(let threshold): (graft_hard_shrink, threshold, 0)
    case .softShrink(let threshold): (graft_soft_shrink, threshold, 0)
    case .tanhShrink: (graft_tanh_shrink, 0, 0)
    case .threshold(let threshold, let value): (graft_threshold, threshold, value)
    case .squareplus(let b): (graft_squareplus, b, 0)
    case .sparsePlus: (graft_sparse_plus, 0, 0)
    case .sparseSigmoid: (graft_sparse_sigmoid, 0, 0)
    case .logSigmoid: (graft_log_sigmoid, 0, 0)
    default: nil
    }
  }

  /// The same function for oneDNN's backward pass from the output; nil where it needs the input.
  var eltwiseFromOutput: Eltwise? {
    switch self {
    case .elu(let alpha) where alpha >= 0: Eltwise(algorithm: dnnl_eltwise_elu_use_dst_for_bwd, alpha: alpha)
    case .sigmoid: Eltwise(algorithm: dnnl_eltwise_logistic_use_dst_for_bwd)
    case .tanh: Eltwise(algorithm: dnnl_eltwise_tanh_use_dst_for_bwd)
    default: nil
    }
  }

  /// Whether the derivative can be told from the output, so that the input need not be kept.
  var hasDerivativeFromOutput: Bool {
    switch self {
    case .linear, .hardSigmoid: true
    case .relu(_, let slope, let threshold): threshold == 0 && slope >= 0
    default: eltwiseFromOutput != nil
    }
  }

  /// Whether no output is below zero.
  var isNonNegative: Bool {
    switch self {
    case .relu(_, let slope, let threshold): slope == 0 && threshold >= 0
    case .clip(let low, _): low >= 0
    case .sigmoid, .hardSigmoid, .softplus, .softmax: true
    default: false
    }
  }

  /// Whether the gradient comes through unchanged where the output lies between `bounds`, and not at all elsewhere.
  var onlyCuts: Bool {
    if case .relu(_, 0, 0) = self { true } else { false }
  }

  /// The lowest and highest value, where the function does nothing but cut to them.
  var bounds: (low: Float, high: Float)? {
    switch self {
    case .linear: (-.infinity, .infinity)
    case .relu(let top, 0, 0): (0, top ?? .infinity)
    case .clip(let low, let high): (low, high)
    default: nil
    }
  }
}

extension Emitter {
  /// Adds the steps for y = f(x); `y` may be `x`.
  func apply(_ function: ActivationFunction, _ x: Activation, to y: Activation, name: String) throws(EngineError) {
    let (n, source, target, type) = (count(x), x.buffer, y.buffer, x.type.kernel)
    switch function {
    case .linear, .softmax, .logSoftmax, .sparsemax:
      preconditionFailure("\(function) is no function of one number that changes it")
    case .relu(let top, let slope, let threshold):
      step(name, "relu", touching: [source, target]) {
        graft_relu(target.address, source.address, n, slope, threshold, top ?? .infinity, type)
      }
    case .hardSigmoid(let slope, let offset):
      step(name, "hard_sigmoid", touching: [source, target]) {
        graft_hard_sigmoid(target.address, source.address, n, slope, offset, type)
      }
    case .hardSilu:
      step(name, "hard_silu", touching: [source, target]) { graft_hard_silu(target.address, source.address, n, type) }
    default:
      if let kernel = function.kernel {
        let from = single(x)
        let to = y.type == .f32 ? y : from
        let (source, target) = (from.buffer, to.buffer)
        step(name, "\(function)", touching: [source, target]) {
          graft_apply(kernel.function, target.floats, source.floats, n, kernel.p, kernel.q)
        }
        if to.type != y.type { convert(to, to: y) }
        return
      }
      guard let eltwise = function.eltwise else { return }
      let from = operand(x)
      let to = from.type == y.type ? y : from
      let layout = try descriptor(from)
      try step(
        name, eltwiseForward(eltwise, layout, name: name),
        [(graft_arg_source, layout, from.buffer), (graft_arg_destination, layout, to.buffer)])
      if to.type != y.type { convert(to, to: y) }
    }
  }

  /// Turns the gradient of f(x) into that of x, in place where the gradient is nobody else's.
  ///
  /// - Parameters:
  ///   - output: f(x), which must be there still.
  ///   - input: x, where the derivative needs it.
  func throughActivation(
    _ function: ActivationFunction, _ gradient: Activation, output: Activation, input: Activation? = nil, name: String
  ) throws(EngineError) -> Activation {
    if function == .linear || gradient.isCut { return gradient }
    let target = writable(gradient)
    let (dy, dx, n, type) = (gradient.buffer, target.buffer, count(gradient), gradient.type.kernel)
    let known = function.hasDerivativeFromOutput ? output : input ?? output
    precondition(known.type == gradient.type, "a value and its gradient are of one type")
    let value = known.buffer
    switch function {
    case .linear, .softmax, .logSoftmax, .sparsemax:
      preconditionFailure("\(function) is no function of one number that changes it")
    case .relu(let top, let slope, let threshold):
      step(name, "relu_gradient", touching: [dy, dx, value]) {
        graft_relu_gradient(dx.address, dy.address, value.address, n, slope, threshold, top ?? .infinity, type)
      }
    case .hardSigmoid(let slope, _):
      step(name, "hard_sigmoid_gradient", touching: [dy, dx, value]) {
        graft_hard_sigmoid_gradient(dx.address, dy.address, value.address, n, slope, type)
      }
    case .hardSilu:
      step(name, "hard_silu_gradient", touching: [dy, dx, value]) {
        graft_hard_silu_gradient(dx.address, dy.address, value.address, n, type)
      }
    default:
      if let kernel = function.kernel {
        let (from, at) = (single(gradient), single(known))
        let to = target.type == .f32 ? target : from
        let (source, input, result) = (from.buffer, at.buffer, to.buffer)
        step(name, "\(function)_gradient", touching: [source, input, result]) {
          graft_apply_gradient(kernel.function, result.floats, source.floats, input.floats, n, kernel.p)
        }
        if to.type != target.type { convert(to, to: target) }
        return target
      }
      guard let eltwise = function.eltwiseFromOutput ?? function.eltwise else { return gradient }
      let (from, at) = (operand(gradient), operand(known))
      let to = from.type == target.type ? target : from
      let layout = try descriptor(from)
      let hint = try eltwiseForward(eltwise, layout, name: name)
      let attributes = try Attributes()
      let descriptor = try PrimitiveDescriptor(name) { [engine] handle in
        graft_eltwise_backward(
          &handle, engine, eltwise.algorithm, layout.handle, layout.handle, eltwise.alpha, eltwise.beta, hint.handle,
          attributes.handle)
      }
      let place = function.eltwiseFromOutput == nil ? graft_arg_source : graft_arg_destination
      try step(
        name, descriptor,
        [
          (place, layout, at.buffer), (graft_arg_destination_gradient, layout, from.buffer),
          (graft_arg_source_gradient, layout, to.buffer),
        ])
      if to.type != target.type { convert(to, to: target) }
    }
    return target
  }

  private func eltwiseForward(
    _ eltwise: Eltwise, _ layout: MemoryDescriptor, name: String
  ) throws(EngineError) -> PrimitiveDescriptor {
    let attributes = try Attributes()
    return try PrimitiveDescriptor(name) { [engine] handle in
      graft_eltwise_forward(
        &handle, engine, dnnl_forward_training, eltwise.algorithm, layout.handle, eltwise.alpha, eltwise.beta,
        attributes.handle)
    }
  }
}
