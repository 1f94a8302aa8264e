import Graphs
import Tensors

extension BatchNormalization: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    let normalization = FrozenNormalization(
      gamma: scales ? site.path("gamma") : nil, beta: centers ? site.path("beta") : nil,
      mean: site.path("moving_mean"), variance: site.path("moving_variance"), epsilon: epsilon)
    let momentum = momentum
    func normalize(_ program: inout Program, _ value: Program.ValueID) -> Program.ValueID {
      let operation: any Operation =
        if site.usesBatchStatistics {
          BatchStatisticsOperation(name: site.name, input: value, normalization: normalization, momentum: momentum)
        } else {
          ChannelAffineOperation(name: site.name, input: value, source: .normalization(normalization))
        }
      return program.append(operation, shape: program.shapes[value])
    }
    let rank = site.outputShape.rank
    let place = axis < 0 ? axis + rank : axis
    if place == rank - 1 { return program.throughImage(site.inputs[0], name: site.name, normalize) }
    return program.overLastAxes([place], of: site.inputs[0], name: site.name) { program, value, _ in
      normalize(&program, value)
    }
  }
}

extension GroupNormalization: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    let place = axis < 0 ? axis + site.outputShape.rank : axis
    return program.overLastAxes([place], of: site.inputs[0], name: site.name) { program, value, count in
      program.append(
        GroupNormalizationOperation(
          name: site.name, input: value, groupCount: groups == -1 ? count : groups, epsilon: epsilon,
          gamma: scales ? site.path("gamma") : nil, beta: centers ? site.path("beta") : nil),
        shape: program.shapes[value])
    }
  }
}

extension UnitNormalization: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    program.normalizeRows(site, axes: axes, gamma: nil, beta: nil) { _ in .length(least: 1e-24) }
  }
}

extension RMSNormalization: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    program.normalizeRows(site, axes: axes, gamma: site.path("scale"), beta: nil) { count in
      .deviation(removesMean: false, isAboutMean: false, factor: 1 / Float(count), epsilon: epsilon)
    }
  }
}

extension Program {
  /// Rows of all elements of some axes, brought to a common scale.
  fileprivate mutating func normalizeRows(
    _ site: LoweringSite, axes: [Int], gamma: ParameterPath?, beta: ParameterPath?,
    _ statistics: (_ count: Int) -> RowStatistics
  ) -> ValueID {
    let axes = Set(axes.map { $0 < 0 ? $0 + site.outputShape.rank : $0 })
    return overLastAxes(axes, of: site.inputs[0], name: site.name) { program, value, count in
      program.append(
        RowNormalizationOperation(
          name: site.name, input: value, columnCount: count, statistics: statistics(count), gamma: gamma, beta: beta),
        shape: program.shapes[value])
    }
  }
}

extension LayerScale: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    program.append(
      ChannelAffineOperation(name: site.name, input: site.inputs[0], source: .factors(site.path("gamma"))),
      shape: site.outputShape)
  }
}

extension LayerNormalization: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    program.normalizeRows(
      site, axes: axes, gamma: hasGamma ? site.path("gamma") : nil, beta: hasBeta ? site.path("beta") : nil
    ) { count in
      .deviation(removesMean: !usesRMSScaling, isAboutMean: true, factor: 1 / Float(count), epsilon: epsilon)
    }
  }
}

extension Normalization: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    let shape = site.outputShape
    guard !axes.isEmpty else {
      // One mean for all numbers: one channel.
      let flat = program.reshape(site.inputs[0], to: [shape.elementCount, 1], name: site.name)
      return program.reshape(normalize(flat, 1, site, into: &program), to: shape, name: site.name)
    }
    let axes = Set(axes.map { $0 < 0 ? $0 + shape.rank : $0 })
    return program.overLastAxes(axes, of: site.inputs[0], name: site.name) { program, value, count in
      normalize(value, count, site, into: &program)
    }
  }

  @EngineActor private func normalize(
    _ value: Program.ValueID, _ channels: Int, _ site: LoweringSite, into program: inout Program
  ) -> Program.ValueID {
    let source: ChannelAffineOperation.Source
    if let statistics {
      let mean = spread(statistics.mean, over: channels)
      let deviation = spread(statistics.variance, over: channels).map { max($0.squareRoot(), 1e-7) }
      source =
        inverts
        ? .constants(scale: deviation, shift: mean)
        : .constants(scale: deviation.map { 1 / $0 }, shift: zip(deviation, mean).map { -$1 / $0 })
    } else {
      source = .statistics(mean: site.path("mean"), variance: site.path("variance"), inverts: inverts)
    }
    return program.append(
      ChannelAffineOperation(name: site.name, input: value, source: source), shape: program.shapes[value])
  }
}

extension Rescaling: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    let channels = site.outputShape.rank == 0 ? 1 : site.outputShape[-1]
    let source = ChannelAffineOperation.Source.constants(
      scale: spread(scale, over: channels), shift: spread(offset, over: channels))
    return program.append(
      ChannelAffineOperation(name: site.name, input: site.inputs[0], source: source), shape: site.outputShape)
  }
}

/// One number for each channel, where there may be one for all.
private func spread(_ values: [Float], over channels: Int) -> [Float] {
  values.count == 1 ? Array(repeating: values[0], count: channels) : values
}
