import Freezing
import Testing

@Suite struct NamePatternTests {
  @Test(arguments: [
    ("conv", ["block1_conv1", "conv"], ["cnv", ""]),
    ("^block5_", ["block5_conv1"], ["my_block5_conv1", "block5"]),
    ("conv[12]$", ["block1_conv1", "conv2"], ["conv3", "conv1_bn"]),
    ("^(stem|top)_(conv|bn)$", ["stem_conv", "top_bn"], ["stem_convx", "stemconv"]),
    ("block\\d+[a-c]_", ["block12b_expand"], ["blockb_", "block12d_"]),
    ("^a?b*c+$", ["c", "abbcc", "bc"], ["a", "ab", "aac"]),
    ("^a{2}$", ["aa"], ["a", "aaa"]),
    ("^a{2,}$", ["aa", "aaaa"], ["a"]),
    ("^(ab){1,2}$", ["ab", "abab"], ["", "ababab"]),
    ("^.$", ["x", "ü"], ["", "xy"]),
    ("[^0-9]", ["a1"], ["123", ""]),
    ("^[\\d_]+$", ["1_2"], ["1-2"]),
    ("^[a\\-c]+$", ["a-c"], ["b"]),
    ("^[^\\d]$", ["x"], ["7"]),
    ("\\bconv\\b", ["a/conv/b", "conv"], ["conv1", "my_conv"]),
    ("e\\B", ["bed"], ["be"]),
    ("\\.", ["a.b"], ["ab"]),
    ("conv/kernel$", ["block1_conv/kernel"], ["block1_conv/bias"]),
    ("^(?:a|)b$", ["ab", "b"], ["aab"]),
    ("a + b & c", ["a   b & c"], ["a b &c"]),
    ("(a*)*b", ["aaab", "b"], ["aaa"]),
  ])
  func findsWhatItSays(source: String, matching: [String], others: [String]) throws {
    let pattern = try NamePattern(source)
    for name in matching { #expect(pattern.matches(name), "\(name)") }
    for name in others { #expect(!pattern.matches(name), "\(name)") }
  }

  @Test(arguments: [
    ("", "has no characters, so it would match every name"),
    ("(", "a parenthesis is never closed"),
    ("a)", "a parenthesis closes that was never opened"),
    ("[a", "a set is never closed by ]"),
    ("[]", "a set [] has no characters"),
    ("[z-a]", "a set has a range whose end is before its start"),
    ("*", "* has nothing before it to repeat; a plain one is \\*"),
    ("a{2", "expected {n}, {n,} or {n,m} with numbers up to 100; a plain brace is \\{"),
    ("a{3,2}", "expected {n}, {n,} or {n,m} with numbers up to 100; a plain brace is \\{"),
    ("a{999}", "expected {n}, {n,} or {n,m} with numbers up to 100; a plain brace is \\{"),
    ("a\\", "a backslash stands at the end"),
    ("(a)\\1", "\\1 means nothing here"),
    ("(?=a)", "looks around with (?, which patterns of names do not know"),
    ("((a{100}){100}){100}", "takes more than 1000 steps with all its repetitions"),
    ("((((){100}){100}){100}){100}", "takes more than 1000 steps with all its repetitions"),
  ])
  func whatIsNoPatternIsRefused(source: String, detail: String) {
    let error = #expect(throws: ScheduleError.self) { try NamePattern(source) }
    #expect(error?.description == "pattern /\(source)/: \(detail)")
  }

  @Test(arguments: ["(", "a", "a*", "[", "a|", "{", "\\"])
  func whatIsEndlessIsRefused(part: String) {
    #expect(throws: ScheduleError.self) { try NamePattern(String(repeating: part, count: 100_000)) }
  }

  /// These take a backtracking search longer than anybody waits.
  @Test(arguments: ["(a+)+$", "^(a|aa)*$", "(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)x$", "(a?){90}a{90}$"])
  func noPatternTakesLong(source: String) throws {
    let pattern = try NamePattern(source)
    let name = String(repeating: "a", count: 2000) + "b"
    #expect(!pattern.matches(name))
  }

  @Test(arguments: 1...200 as ClosedRange<UInt64>)
  func agreesWithAPlainSearchForWords(seed: UInt64) throws {
    var random = SeededGenerator(seed)
    func word(_ count: Int) -> String {
      String((0..<count).map { _ in ["a", "b", "_"][Int(random.next() % 3)] as Character })
    }
    let words = (0..<3).map { _ in word(1 + Int(random.next() % 3)) }
    let pattern = try NamePattern(words.joined(separator: "|"))
    let name = word(Int(random.next() % 8))
    #expect(pattern.matches(name) == words.contains { name.contains($0) })
  }

  @Test(arguments: ["a/b", "a\\/b", "\\\\/", "[/]", "a\\\\", "x"])
  func slashesAreHiddenInSelections(source: String) throws {
    let pattern = try NamePattern(source)
    let selection = ParameterSelection.layersMatching(pattern)
    #expect(try ParameterSelection(selection.description) == selection)
  }
}
