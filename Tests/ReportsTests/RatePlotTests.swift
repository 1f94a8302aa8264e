import Foundation
import Reports
import Testing
import Training

/// The plot of a search for a learning rate.
@Suite struct RatePlotTests {
  /// A search that learns between 1e-4 and 1e-2 and then diverges.
  static func search(stepCount: Int = 80) -> RateSearch {
    let range = RateRange(lowest: 1e-6, highest: 10, stepCount: stepCount)
    var search = RateSearch(phase: "probe")
    for step in 0..<stepCount {
      let rate = range.rate(step: step)
      let loss = 2.3 - 1.6 / (1 + pow(1e-3 / rate, 2)) + pow(rate / 0.3, 3)
      guard search.note(learningRate: rate, loss: loss) else { break }
    }
    return search
  }

  @Test func theSuggestionIsWhereTheLossFallsFastest() throws {
    let search = Self.search()
    #expect(search.hasDiverged)
    let rate = try #require(search.suggestion)
    // The loss itself falls fastest at 1e-3; its running mean some steps later.
    #expect(rate > 7e-4 && rate < 1e-2, "\(rate)")
  }

  @Test func aLossThatNeverFallsSuggestsNothing() {
    var search = RateSearch(phase: "probe")
    for step in 0..<40 { _ = search.note(learningRate: pow(10, Double(step) / 10 - 6), loss: 1 + Double(step) * 0.01) }
    #expect(search.suggestion == nil)
    #expect(!search.hasDiverged)
  }

  @Test func whatIsNoNumberEndsTheSearch() {
    var search = Self.search(stepCount: 20)
    let count = search.steps.count
    let goesOn = search.note(learningRate: 100, loss: .nan)
    #expect(!goesOn)
    #expect(search.hasDiverged)
    #expect(search.steps.count == count)
  }

  @Test func thePictureIsWellFormedAndShowsEveryStepThatFits() throws {
    let search = Self.search()
    let svg = RatePlot(search, title: "tiny <net> & more").svg
    let parser = XMLCount(Data(svg.utf8))
    #expect(parser.isWellFormed)
    let ceiling = 1.3 * (search.steps.prefix(10).map(\.smoothedLoss).max() ?? 0)
    #expect(parser.counts["circle"] == search.steps.filter { $0.loss <= ceiling }.count)
    #expect(svg.contains("tiny &lt;net&gt; &amp; more"))
    #expect(!svg.contains("nan") && !svg.contains("inf"))
  }

  @Test func aSearchWithoutStepsHasAPictureToo() {
    #expect(XMLCount(Data(RatePlot(RateSearch(phase: "probe"), title: "nothing").svg.utf8)).isWellFormed)
  }

  @Test(arguments: [(2.44e-3, "2.4e-3"), (1, "1.0e0"), (3.16e-6, "3.2e-6")])
  func ratesHaveTwoDigits(rate: Double, text: String) { #expect(RatePlot.rounded(rate) == text) }
}

/// Counts the elements of a document, without an XML parser: tags open and close, and quotes are balanced.
private struct XMLCount {
  var counts: [String: Int] = [:]
  var isWellFormed = true

  init(_ data: Data) {
    var open: [String] = []
    for piece in String(decoding: data, as: UTF8.self).split(separator: "<") {
      let parts = piece.split(separator: ">", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, parts[0].filter({ $0 == "\"" }).count.isMultiple(of: 2) else {
        isWellFormed = false
        return
      }
      let name = String(parts[0].prefix { $0 != " " && $0 != "/" })
      if parts[0].hasPrefix("/") {
        if open.popLast() != String(parts[0].dropFirst()) { isWellFormed = false }
        continue
      }
      counts[name, default: 0] += 1
      if !parts[0].hasSuffix("/") { open.append(name) }
    }
    if !open.isEmpty { isWellFormed = false }
  }
}
