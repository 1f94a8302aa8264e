import Graft

/// Measurements in words.
enum MetricLines {
  /// How often a part's classes were found.
  static func accuracy(_ part: String, _ metrics: ClassificationMetrics) -> String {
    "\(part) accuracy: \(metrics.accuracy.asPercent) of \(metrics.count) pictures "
      + "(loss \(metrics.loss.formatted(digits: 3)), macro F1 \(metrics.macroF1.formatted(digits: 3)))"
  }

  /// The most frequent mistake; nil where there was none.
  static func worstPair(_ metrics: ClassificationMetrics) -> String? {
    metrics.worstPair.map { pair in
      "most frequent mistake: \(pair.label) taken for \(pair.predicted), \(pair.count) of \(pair.of)"
    }
  }
}
