import Foundation
import Training

/// The loss over the learning rate as a picture, in SVG.
public struct RatePlot: Sendable {
  /// What is shown.
  public var search: RateSearch
  /// The line above the picture.
  public var title: String

  /// A plot of a search.
  public init(_ search: RateSearch, title: String) {
    self.search = search
    self.title = title
  }

  private static let (width, height) = (720.0, 440.0)
  private static let (left, right, top, bottom) = (64.0, 24.0, 48.0, 56.0)

  /// The picture as a document of its own: losses as dots, their running mean as a line, the suggested rate marked.
  ///
  /// The rate's axis is logarithmic. What lies far above the first losses, where the search diverges, is cut off.
  public var svg: String {
    let steps = search.steps
    let (first, last) = (steps.first?.learningRate ?? 1, steps.last?.learningRate ?? 10)
    let ceiling = 1.3 * (steps.prefix(10).map(\.smoothedLoss).max() ?? 1)
    let floor = min(0, steps.map(\.smoothedLoss).min() ?? 0)
    let plotWidth = Self.width - Self.left - Self.right
    let plotHeight = Self.height - Self.top - Self.bottom
    func x(_ rate: Double) -> Double { Self.left + plotWidth * log(rate / first) / max(log(last / first), 1e-9) }
    func y(_ loss: Double) -> Double {
      Self.top + plotHeight * (1 - (min(loss, ceiling) - floor) / max(ceiling - floor, 1e-9))
    }
    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 440\" width=\"720\" height=\"440\" "
        + "font-family=\"sans-serif\" font-size=\"13\" fill=\"#333\">",
      "<title>\(escaped(title))</title>",
      "<rect width=\"720\" height=\"440\" fill=\"white\"/>",
      "<text x=\"\(Self.left)\" y=\"28\" font-size=\"16\">\(escaped(title))</text>",
    ]
    for tick in ticks(from: floor, to: ceiling) {
      lines.append(
        "<path d=\"M\(text(Self.left)) \(text(y(tick)))H\(text(Self.width - Self.right))\" stroke=\"#ddd\"/>"
          + "<text x=\"\(text(Self.left - 8))\" y=\"\(text(y(tick) + 4))\" text-anchor=\"end\">\(text(tick))</text>")
    }
    for power in Int(log10(first).rounded(.up))...max(Int(log10(first).rounded(.up)), Int(log10(last).rounded(.down))) {
      let place = x(pow(10, Double(power)))
      lines.append(
        "<path d=\"M\(text(place)) \(text(Self.top))V\(text(Self.height - Self.bottom))\" stroke=\"#eee\"/>"
          + "<text x=\"\(text(place))\" y=\"\(text(Self.height - Self.bottom + 20))\" text-anchor=\"middle\">1e\(power)</text>"
      )
    }
    lines.append(
      "<text x=\"\(text(Self.left + plotWidth / 2))\" y=\"\(text(Self.height - 12))\" text-anchor=\"middle\">"
        + "learning rate</text>")
    lines.append("<text x=\"16\" y=\"\(text(Self.top - 10))\">loss</text>")
    for step in steps where step.loss <= ceiling {
      lines.append(
        "<circle cx=\"\(text(x(step.learningRate)))\" cy=\"\(text(y(step.loss)))\" r=\"2\" fill=\"#b9cbe6\"/>")
    }
    let curve = steps.map { "\(text(x($0.learningRate))) \(text(y($0.smoothedLoss)))" }.joined(separator: "L")
    if !curve.isEmpty { lines.append("<path d=\"M\(curve)\" fill=\"none\" stroke=\"#2459a9\" stroke-width=\"2\"/>") }
    if let rate = search.suggestion {
      lines.append(
        "<path d=\"M\(text(x(rate))) \(text(Self.top))V\(text(Self.height - Self.bottom))\" stroke=\"#c0392b\" "
          + "stroke-dasharray=\"5 4\"/><text x=\"\(text(x(rate) + 6))\" y=\"\(text(Self.top + 14))\" fill=\"#c0392b\">"
          + "\(RatePlot.rounded(rate))</text>")
    }
    return (lines + ["</svg>", ""]).joined(separator: "\n")
  }

  /// A rate with two digits, as `2.4e-3`.
  public static func rounded(_ rate: Double) -> String {
    let exponent = Int(log10(rate).rounded(.down))
    return String(format: "%.1fe%d", rate / pow(10, Double(exponent)), exponent)
  }

  /// Some round numbers between two.
  private func ticks(from low: Double, to high: Double) -> [Double] {
    let rough = (high - low) / 5
    guard rough > 0 else { return [low] }
    let power = pow(10, log10(rough).rounded(.down))
    let step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= rough } ?? rough
    return Array(stride(from: (low / step).rounded(.up) * step, through: high, by: step))
  }

  private func text(_ number: Double) -> String {
    let text = String(format: "%.3f", number)
    return text.hasSuffix(".000") ? String(text.dropLast(4)) : text
  }

  private func escaped(_ text: String) -> String {
    text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
      .replacingOccurrences(of: ">", with: "&gt;")
  }
}
