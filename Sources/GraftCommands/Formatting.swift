import Foundation

extension Int {
  /// The number with commas between thousands: `4,652,008`.
  var grouped: String {
    let digits = String(magnitude)
    var result = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index).isMultiple(of: 3) { result.append(",") }
      result.append(digit)
    }
    return self < 0 ? "-\(result)" : result
  }

  /// A number of bytes in MiB: `18.5 MiB`.
  var asMebibytes: String { (Double(self) / 1_048_576).formatted(digits: 1) + " MiB" }
}

extension Double {
  /// The number with so many digits after the point, whatever the locale.
  func formatted(digits: Int) -> String { String(format: "%.\(digits)f", self) }

  /// The same with more digits where a small number needs them to say its first two: `12.3`, `0.0021`.
  func formatted(atLeastDigits digits: Int) -> String {
    guard isFinite, magnitude > 0, magnitude < 1 else { return formatted(digits: digits) }
    // The place of the first digit behind the point that is not zero.
    let first = Int(-log10(magnitude).rounded(.down))
    return formatted(digits: max(digits, min(first + 1, 12)))
  }

  /// A share as percent: `91.3 %`.
  var asPercent: String { (self * 100).formatted(digits: 1) + " %" }

  /// A time in seconds, minutes or hours: `48 s`, `2 min 5 s`, `1 h 3 min`.
  var asTime: String {
    let seconds = isFinite ? Int(rounded()) : 0
    if seconds < 60 { return "\(seconds) s" }
    if seconds < 3600 { return "\(seconds / 60) min \(seconds % 60) s" }
    return "\(seconds / 3600) h \(seconds % 3600 / 60) min"
  }

  /// The same, with digits behind the point where there are few seconds: `3.2 s`, `0.0021 s`.
  var asShortTime: String { magnitude < 10 ? "\(formatted(atLeastDigits: 1)) s" : asTime }
}
