import Graphs
import Tensors

extension BatchNormalization: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    let normalization = FrozenNormalization(
      gamma: scales ? site.path("gamma") : nil, beta: centers ? site.path("beta") : nil,
      mean: site.path("moving_mean"), variance: site.path("moving_variance"), epsilon: epsilon)
    let operation: any Operation =
      if site.usesBatchStatistics {
        BatchStatisticsOperation(
          name: site.name, input: site.inputs[0], normalization: normalization, momentum: momentum)
      } else {
        ChannelAffineOperation(name: site.name, input: site.inputs[0], source: .normalization(normalization))
      }
    return program.append(operation, shape: site.outputShape)
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
    let shape = program.shapes[site.inputs[0]]
    let axes = Set(axes.map { $0 < 0 ? $0 + shape.rank : $0 })
    let statistics = RowStatistics.deviation(
      removesMean: !usesRMSScaling, isAboutMean: true, factor: 1 / Float(axes.reduce(1) { $0 * shape[$1] }),
      epsilon: epsilon)
    return program.overLastAxes(axes, of: site.inputs[0], name: site.name) { program, value, count in
      program.append(
        RowNormalizationOperation(
          name: site.name, input: value, columnCount: count, statistics: statistics,
          gamma: hasGamma ? site.path("gamma") : nil, beta: hasBeta ? site.path("beta") : nil),
        shape: program.shapes[value])
    }
  }
}

extension Normalization: Lowerable {
  func lower(_ site: LoweringSite, into program: inout Program) throws(EngineError) -> Program.ValueID {
    let channels = site.outputShape[-1]
    let source: ChannelAffineOperation.Source
    if let statistics {
      let mean = spread(statistics.mean, over: channels)
      let scale = spread(statistics.variance, over: channels).map { 1 / max($0.squareRoot(), 1e-7) }
      source = .constants(scale: scale, shift: zip(scale, mean).map { -$0 * $1 })
    } else {
      source = .statistics(mean: site.path("mean"), variance: site.path("variance"))
    }
    return program.append(
      ChannelAffineOperation(name: site.name, input: site.inputs[0], source: source), shape: site.outputShape)
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
