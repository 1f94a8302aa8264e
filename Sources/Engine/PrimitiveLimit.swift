import CDNNL
import Foundation
import Graphs
import Tensors

/// A convolution or matrix product of a plan, by what oneDNN has to be told of it.
struct Workload: Hashable {
  enum Kind: Hashable {
    case forward
    case inputGradient
    case parameterGradient
  }

  /// What does it.
  enum Loop: Hashable {
    case primitive
    case winograd
    case pointwise
    /// Windows of several pixels with strides.
    case strided
    /// A first convolution, on pictures of few channels.
    case stem
    /// Both gradients of a depthwise convolution.
    case depthwise
  }

  let kind: Kind
  /// Extents of one sample: channels, rows, columns; rows and columns are 1 for a matrix product.
  let input: [Int]
  let output: [Int]
  /// `[O, I, H, W]` or `[G, O, I, H, W]`; `[O, I]` for a matrix product.
  let kernel: [Int]
  let window: Window
  let insets: Insets2D
  /// What images and kernels are; the gradients of kernels are single precision always.
  var type = NumberType.f32
  var loop = Loop.primitive
  /// The channels of a block, for loops of Graft's own.
  var width = 0
}

extension Plan {
  /// The time that the plan's convolutions and matrix products alone would take for one batch, in milliseconds.
  ///
  /// Each is timed by itself, in the layouts that it likes best and with its own memory, at several numbers of samples,
  /// on all threads together and on each thread alone at the same time; the best counts. No plan of the same primitives
  /// can be faster, whatever it chooses.
  ///
  /// - Parameter batchSize: the number of samples that the time is for.
  /// - Throws: `EngineError` where oneDNN refuses a primitive.
  public func primitiveLimitMilliseconds(batchSize: Int) throws(EngineError) -> Double {
    var total = 0.0
    for (workload, count) in Dictionary(workloads.map { ($0, 1) }, uniquingKeysWith: +) {
      var best = Double.infinity
      for laneCount in Set([1, EngineThreads.use(0)]) {
        for samples in [1, 2, 4, 8, 16] {
          let milliseconds = try workload.milliseconds(samples: samples, laneCount: laneCount)
          best = min(best, milliseconds / Double(samples * laneCount))
        }
      }
      limits[workload] = best
      total += best * Double(batchSize * count)
    }
    return total
  }
}

@EngineActor extension Workload {
  /// The best of several runs of the primitive alone, by each of so many lanes at the same time.
  fileprivate func milliseconds(samples: Int, laneCount: Int) throws(EngineError) -> Double {
    let threadCount = EngineThreads.use(0)
    if laneCount > 1 { EngineThreads.use(1) }
    defer { EngineThreads.use(threadCount) }
    var all: [Lane] = []
    for lane in 0..<laneCount { all.append(Lane(steps: [try step(samples: samples, lane: lane)])) }
    let lanes = Lanes(all)
    var best = Double.infinity
    for run in 0..<4 {
      let start = DispatchTime.now().uptimeNanoseconds
      lanes.run(0..<1)
      if run > 0 { best = min(best, Double(DispatchTime.now().uptimeNanoseconds - start) * 1e-6) }
    }
    return best
  }

  /// The primitive with memory of its own.
  private func step(samples: Int, lane: Int) throws(EngineError) -> Step {
    guard loop == .primitive else { return try ownStep(samples: samples) }
    let engine = try Processor.engine
    let stream = try Processor.stream(lane: lane)
    let descriptor = try descriptor(samples: samples, engine: engine)
    let primitive = try Primitive(descriptor)
    let queries: [(query: dnnl_query_t, argument: Int)] =
      switch kind {
      case .forward:
        [
          (dnnl_query_src_md, graft_arg_source), (dnnl_query_weights_md, graft_arg_weights),
          (dnnl_query_dst_md, graft_arg_destination),
        ]
      case .inputGradient:
        [
          (dnnl_query_diff_src_md, graft_arg_source_gradient), (dnnl_query_weights_md, graft_arg_weights),
          (dnnl_query_diff_dst_md, graft_arg_destination_gradient),
        ]
      case .parameterGradient:
        [
          (dnnl_query_src_md, graft_arg_source), (dnnl_query_diff_weights_md, graft_arg_weights_gradient),
          (dnnl_query_diff_dst_md, graft_arg_destination_gradient),
        ]
      }
    var list: [(index: Int32, memory: Memory)] = []
    var storage: [AlignedMemory] = []
    for (query, argument) in queries + [(dnnl_query_scratchpad_md, graft_arg_scratchpad)] {
      guard let layout = try descriptor.layout(of: query) else { continue }
      let memory = try Memory(layout, engine: engine)
      let place = try AlignedMemory(byteCount: layout.byteCount, subject: "limit")
      if let address = place.bytes.baseAddress { memory.place(at: address) }
      storage.append(place)
      list.append((Int32(argument), memory))
    }
    let call = Arguments(list)
    return Step(name: "limit", implementation: descriptor.implementation) { [storage] in
      withExtendedLifetime(storage) { call.execute(primitive, on: stream) }
    }
  }

  private func descriptor(samples: Int, engine: dnnl_engine_t) throws(EngineError) -> PrimitiveDescriptor {
    let isMatrix = kernel.count == 2
    let source = try MemoryDescriptor([samples] + (isMatrix ? [input[0]] : input), dnnl_format_tag_any, type)
    let target = try MemoryDescriptor([samples] + (isMatrix ? [output[0]] : output), dnnl_format_tag_any, type)
    let weights = try MemoryDescriptor(kernel, dnnl_format_tag_any, type)
    let weightsGradient = try MemoryDescriptor(kernel, dnnl_format_tag_any)
    let attributes = try Attributes()
    var shimWindow = graft_window(window, insets)
    let isTraining = kind != .forward
    let forward = try PrimitiveDescriptor("limit") { handle in
      let purpose = isTraining ? dnnl_forward_training : dnnl_forward_inference
      return isMatrix
        ? graft_inner_product_forward(
          &handle, engine, purpose, source.handle, weights.handle, nil, target.handle, attributes.handle)
        : graft_convolution_forward(
          &handle, engine, purpose, source.handle, weights.handle, nil, target.handle, &shimWindow, attributes.handle)
    }
    switch kind {
    case .forward: return forward
    case .inputGradient:
      return try PrimitiveDescriptor("limit") { handle in
        isMatrix
          ? graft_inner_product_backward_data(
            &handle, engine, source.handle, weights.handle, target.handle, forward.handle, attributes.handle)
          : graft_convolution_backward_data(
            &handle, engine, source.handle, weights.handle, target.handle, &shimWindow, forward.handle,
            attributes.handle)
      }
    case .parameterGradient:
      return try PrimitiveDescriptor("limit") { handle in
        isMatrix
          ? graft_inner_product_backward_weights(
            &handle, engine, source.handle, weightsGradient.handle, nil, target.handle, forward.handle,
            attributes.handle)
          : graft_convolution_backward_weights(
            &handle, engine, source.handle, weightsGradient.handle, nil, target.handle, &shimWindow, forward.handle,
            attributes.handle)
      }
    }
  }
}

extension graft_window {
  /// A window with what lies around the image, as the shim wants it.
  init(_ window: Window, _ insets: Insets2D) {
    self.init(
      size: (Int64(window.size.height), Int64(window.size.width)),
      strides: (Int64(window.strides.height), Int64(window.strides.width)),
      dilation: (Int64(window.dilation.height - 1), Int64(window.dilation.width - 1)),
      before: (Int64(insets.top), Int64(insets.left)), after: (Int64(insets.bottom), Int64(insets.right)))
  }
}
