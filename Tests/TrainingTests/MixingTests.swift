import Engine
import Foundation
import Freezing
import Graphs
import Tensors
import Testing
import TinyRuns
import Training

/// Samples that are mixed with each other: what is drawn, what it does to pictures, and what a head learns of it.
@EngineActor
@Suite struct MixingTests {
  private static let order = (0..<40).map { PictureRequest($0) }

  private func epoch(_ mixing: Mixing, shapes: [Shape] = [[8, 8, 3]], seed: UInt64 = 1) -> MixedEpoch {
    MixedEpoch(mixing, of: Self.order[...], shapes: shapes, seed: seed, epoch: 0)
  }

  private func mixes(_ mixing: Mixing, shapes: [Shape] = [[8, 8, 3]], seed: UInt64 = 1) -> [Mix] {
    let epoch = epoch(mixing, shapes: shapes, seed: seed)
    return Self.order.indices.map { epoch.mix(of: $0) }
  }

  @Test func everySampleIsMixedWithTheOneBeforeIt() {
    let epoch = epoch(Mixing(mixup: 1))
    #expect(epoch.partner(of: 5) == PictureRequest(4))
    #expect(epoch.partner(of: 0) == PictureRequest(39))
  }

  @Test(arguments: [0.05, 0.2, 1.0, 4.0]) func sharesHaveTheMeanAndTheSpreadOfTheirDistribution(alpha: Double) {
    let shares = (1...100 as ClosedRange<UInt64>).flatMap { mixes(Mixing(mixup: alpha), seed: $0) }.map(\.share)
    let mean = shares.reduce(0, +) / Double(shares.count)
    let variance = shares.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(shares.count)
    #expect(shares.allSatisfy { (0...1).contains($0) })
    // Beta(α, α): mean 1/2, variance 1 / (4 (2α + 1)); 4000 draws.
    #expect(abs(mean - 0.5) < 0.04)
    #expect(abs(variance - 1 / (4 * (2 * alpha + 1))) < 0.02)
  }

  @Test func drawsDependOnSeedAndEpochAlone() {
    let mixing = Mixing(mixup: 0.5, cutmix: 1)
    #expect(mixes(mixing) == mixes(mixing))
    #expect(mixes(mixing) != mixes(mixing, seed: 2))
    #expect(mixes(mixing).contains { $0.rectangle != nil } && mixes(mixing).contains { $0.rectangle == nil })
  }

  @Test func aRectangleShowsThePartnerAndItsAreaIsThePartnersShare() {
    for shapes in [[[8, 8, 3]], [[16, 12, 2], [8, 6, 5]], [[9, 4]]] as [[Shape]] {
      for mix in mixes(Mixing(cutmix: 1), shapes: shapes) {
        for shape in shapes {
          var sample = [Float](repeating: 0, count: shape.elementCount)
          let partner = [Float](repeating: 1, count: shape.elementCount)
          sample.withUnsafeMutableBufferPointer { sample in
            partner.withUnsafeBufferPointer { mix.apply(to: sample, partner: $0.baseAddress!, shape: shape) }
          }
          #expect(sample.allSatisfy { $0 == 0 || $0 == 1 })
          let area = Double(sample.reduce(0, +)) / Double(sample.count)
          #expect(abs(area - (1 - mix.share)) < 1e-6, "\(shape)")
        }
      }
    }
  }

  @Test func vectorsAreAveragedWherePicturesWouldBeCut() {
    let mixes = mixes(Mixing(cutmix: 1), shapes: [[7]])
    #expect(mixes.allSatisfy { $0.rectangle == nil })
    var sample: [Float] = [1, 2, 3, 4, 5, 6, 7]
    sample.withUnsafeMutableBufferPointer { sample in
      [Float](repeating: 10, count: 7).withUnsafeBufferPointer {
        mixes[3].apply(to: sample, partner: $0.baseAddress!, shape: [7])
      }
    }
    let share = Float(mixes[3].share)
    #expect(zip(sample, 1...7).allSatisfy { abs($0 - (share * Float($1) + (1 - share) * 10)) < 1e-5 })
  }

  /// One step of a head by plain gradient descent is −rate · mean over samples of x̃ᵀ (softmax(x̃ W) − t̃) with x̃ and t̃
  /// the means of features and of targets.
  @Test func aHeadTakesTheStepOfBothLabels() throws {
    var tiny = TinyRun()
    tiny.options.batchSize = 22
    tiny.options.mixing = Mixing(mixup: 1)
    let rate = 0.5
    let phase = Phase(
      name: "head", train: .head, epochs: 1, learningRate: .constant(rate), optimizer: .sgd(momentum: 0))
    let model = try TinyNetwork.model(tasks: tiny.tasks, dropout: 0)
    let data = try tiny.data
    let trainer = try Trainer(
      graph: model.logitsGraph(), weights: model.weights, heads: model.heads, data: data,
      schedule: Schedule(phases: [phase], restore: .last), options: tiny.options)
    _ = try trainer.run()

    // The features, by the network as it is cut before its head.
    let graph = try model.logitsGraph()
    let headLayer = try #require(model.heads[0].layers.last { graph[layer: $0] is Dense })
    let trainable = graph.parameters(of: headLayer).map { ParameterPath(headLayer, $0.name) }
    let prefix = try Plan(
      #require(Frontier(graph, trainable: Set(trainable)).prefix),
      parameters: ParameterBank(graph: graph, weights: model.weights), options: PlanOptions(batchSize: 1))
    let featureCount = prefix.outputs[0].shape.elementCount
    let pictures = data.pictures.pictures((0..<22).map { PictureRequest($0) })
    let features = try (0..<22).map { _ in
      try pictures.next(into: prefix.inputs[0].values)
      prefix.forward()
      return Array(prefix.outputs[0].values.prefix(featureCount)).map(Double.init)
    }
    let kernelPath = ParameterPath(headLayer, "kernel")
    let kernel = try #require(model.weights[kernelPath]).floats.map(Double.init)
    let requests = data.trainingRequests(seed: tiny.options.seed, epoch: 0)
    let epoch = MixedEpoch(
      Mixing(mixup: 1), of: requests[...], shapes: [[featureCount]], seed: tiny.options.seed, epoch: 0)
    var expected = kernel
    for index in requests.indices {
      let share = epoch.mix(of: index).share
      let (own, other) = (requests[index].sample, epoch.partner(of: index).sample)
      let mixed: [Double] = zip(features[own], features[other]).map { share * $0 + (1 - share) * $1 }
      var logits = [Double](repeating: 0, count: 3)
      for place in 0..<featureCount {
        for k in 0..<3 { logits[k] += mixed[place] * kernel[place * 3 + k] }
      }
      let sum = logits.reduce(0) { $0 + exp($1) }
      for k in 0..<3 {
        var target = tiny.classes[own] == k ? share : 0
        if tiny.classes[other] == k { target += 1 - share }
        let difference = exp(logits[k]) / sum - target
        for place in 0..<featureCount { expected[place * 3 + k] -= rate / 22 * mixed[place] * difference }
      }
    }
    let found = try #require(trainer.parameters.snapshot()[kernelPath]).floats
    let largest = expected.map(abs).max() ?? 0
    for (value, wanted) in zip(found, expected) { #expect(abs(Double(value) - wanted) < 1e-5 * largest) }
    #expect(zip(found, kernel).contains { abs(Double($0) - $1) > 1e-3 * largest })
  }

  @Test func theRangeOfAlphaIsChecked() {
    for mixing in [Mixing(), Mixing(mixup: 0), Mixing(cutmix: 5), Mixing(mixup: .nan)] {
      #expect(throws: TrainingError.self) { try mixing.validate() }
    }
  }
}
