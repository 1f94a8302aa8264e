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

  /// A share as percent: `91.3 %`.
  var asPercent: String { (self * 100).formatted(digits: 1) + " %" }

  /// A time in seconds, minutes or hours: `48 s`, `2 min 5 s`, `1 h 3 min`.
  var asTime: String {
    let seconds = isFinite ? Int(rounded()) : 0
    if seconds < 60 { return "\(seconds) s" }
    if seconds < 3600 { return "\(seconds / 60) min \(seconds % 60) s" }
    return "\(seconds / 3600) h \(seconds % 3600 / 60) min"
  }
}
