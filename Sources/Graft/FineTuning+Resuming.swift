import Backbones
import Datasets
import Engine
import Foundation
import KerasFormats
import Models
import Training

extension FineTuning {
  /// Goes on with a run where it stopped, and ends with the same bits as if it had not.
  ///
  /// A run that is finished is left alone.
  ///
  /// - Parameters:
  ///   - path: The folder of the run.
  ///   - folders: Where a backbone's name is looked for; the usual folders if nil.
  ///   - mode: How a backbone's file is read that is not a pretrained one.
  ///   - interval: How often a checkpoint is written from now on; as often as before if nil.
  ///   - featureFolder: Where what the frozen part puts out is kept for later runs; nil keeps it for this run only.
  ///   - handler: Told of everything that happens; training waits for it.
  /// - Throws: `TrainingError` where the folder holds no run, another process works on it, or pictures, backbone or
  ///   configuration are not those that it began with; the error of whatever failed.
  public static func resume(
    _ path: String, in folders: PretrainedFolders? = nil, mode: ReadingMode = .isolated,
    checkpointEvery interval: CheckpointInterval? = nil, featureFolder: String? = nil,
    handler: @escaping @Sendable (TrainingEvent) -> Void = { _ in }
  ) async throws -> FineTunedModel {
    let folder = try RunFolder(resuming: path)
    let lock = try RunLock(path)
    if let result = folder.finishedResult() {
      do {
        let model = try Model.read(folder[.model])
        handler(.note("\(path): the run is finished, and nothing is left to do"))
        return FineTunedModel(model: model, result: result, folder: folder)
      } catch {
        handler(.note("\(error), so the model is written again"))
      }
    }
    folder.removeLeftovers()
    let file = folder[.configuration]
    var configuration = try RunConfiguration(contentsOf: file)
    if let interval { configuration.options.checkpointEvery = interval }
    var tuning = try FineTuning(configuration, name: file, isResumed: true, in: folders, mode: mode)
    tuning.featureFolder = featureFolder
    return try await tuning.run(resuming: true, handler: handler) { (folder, lock) }
  }
}
