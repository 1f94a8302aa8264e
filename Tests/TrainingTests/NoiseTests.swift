import Engine
import Freezing
import Graphs
import Testing
import TinyRuns
import Training

/// Layers that put out other numbers each time while they train.
@EngineActor
@Suite struct NoiseTests {
  @Test(
    arguments: [
      SpatialDropout2D(rate: 0.5), GaussianNoise(deviation: 0.5), GaussianDropout(rate: 0.5), AlphaDropout(rate: 0.5),
    ] as [any Layer])
  func noiseOfEveryKindActsBehindWhatTrains(noise: any Layer) throws {
    func train(_ noise: any Layer, cachesFeatures: Bool = true) throws -> Weights {
      var tiny = TinyRun()
      tiny.options.cachesFeatures = cachesFeatures
      let model = try TinyNetwork.model(tasks: tiny.tasks, noise: noise)
      let phase = Phase(name: "tune", train: .head + .stages(last: 2), epochs: 1, learningRate: .constant(1e-2))
      let trainer = try Trainer(
        graph: model.logitsGraph(), weights: model.weights, heads: model.heads, data: tiny.data,
        schedule: Schedule(phases: [phase]), options: tiny.options)
      _ = try trainer.run()
      return trainer.parameters.snapshot()
    }
    let noisy = try train(noise)
    #expect(try noisy != train(Identity()))
    #expect(try noisy == train(noise, cachesFeatures: false))
  }
}
