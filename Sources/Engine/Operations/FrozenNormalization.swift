import Graphs

/// A batch normalisation with frozen statistics: y = s·x + t with s = γ / √(σ² + ε) and t = β − s·μ for each channel.
@EngineActor struct FrozenNormalization {
  let gamma: ParameterPath?
  let beta: ParameterPath?
  let mean: ParameterPath
  let variance: ParameterPath
  let epsilon: Float

  var parameters: [ParameterPath] { [gamma, beta, mean, variance].compactMap(\.self) }

  /// What s depends on.
  var scaleParameters: [ParameterPath] { [gamma, variance].compactMap(\.self) }

  /// Computes s.
  func writeScale(from bank: ParameterBank, to scale: UnsafeMutablePointer<Float>) {
    let variances = bank.values(at: variance)
    let gammas = gamma.map { bank.values(at: $0) }
    for c in variances.indices { scale[c] = (gammas?[c] ?? 1) / (variances[c] + epsilon).squareRoot() }
  }
}
