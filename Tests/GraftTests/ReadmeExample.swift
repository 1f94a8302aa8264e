import Graft

func fineTune(_ pictures: String, into output: String) async throws {
  let dataset = try Dataset.read(at: pictures)
  let backbone = try Backbone.load("efficientnet-lite0")
  var tuning = FineTuning(backbone, on: dataset)
  tuning.schedule.phases[1].train = .head + .stages(last: 1)  // all else stays frozen
  let run = try await tuning.run(output: output)
  print("test accuracy", run.result.test["class"]?.accuracy ?? 0)
  for answer in try await run.model.predict([dataset.file(of: 0)]) { print(answer.top[0].name) }
  try run.model.write(to: "\(output)/model.h5", format: .wholeModelH5)
}
