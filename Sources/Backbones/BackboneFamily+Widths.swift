import Foundation

/// The names of families that come in any width.
extension BackboneFamily {
  /// `mobilenet`, `mobilenet-0.75`.
  static func widthName(_ stem: String, _ alpha: Double) -> String { alpha == 1 ? stem : "\(stem)-\(alpha)" }

  /// `MobileNet`, `MobileNet 0.75`.
  static func widthTitle(_ stem: String, _ alpha: Double) -> String { alpha == 1 ? stem : "\(stem) \(alpha)" }

  /// `mobilenet-0.5` and `mobilenet-0.50`.
  static func widthAliases(_ stem: String, _ alpha: Double) -> [String] {
    let names = ["\(stem)-\(alpha)", "\(stem)-\(twoDigits(alpha))"]
    return names[0] == names[1] ? [names[0]] : names
  }

  /// The Python expression that makes the network: `keras.applications.MobileNet(alpha=0.5)`.
  static func widthCall(_ function: String, _ alpha: Double, _ options: String = "") -> String {
    "keras.applications.\(function)(alpha=\(alpha)\(options))"
  }

  /// A width as Keras writes it in the names of networks: `0.50`.
  static func twoDigits(_ alpha: Double) -> String { String(format: "%.2f", alpha) }

  /// The family of a name that ends in a width: `mobilenetv2-0.6`; nil for anything else.
  static func named(withWidth name: String) -> BackboneFamily? {
    guard let end = name.lastIndex(where: { !$0.isNumber && $0 != "." }), let alpha = Double(name[end...].dropFirst()),
      widthRange.contains(alpha), name[end] == "-" || name[end] == "_"
    else { return nil }
    let family: (Double) -> BackboneFamily
    switch comparable(String(name[..<end])) {
    case "mobilenet", "mobilenetv1": family = mobileNet
    case "mobilenetv2": family = mobileNetV2
    case "mobilenetv3small": family = { mobileNetV3(.small, alpha: $0) }
    case "mobilenetv3large": family = { mobileNetV3(.large, alpha: $0) }
    default: return nil
    }
    return family(alpha)
  }

  /// The widths that can be built: below, the narrowest layer would have no channel left.
  static let widthRange = 0.05...16.0
}
