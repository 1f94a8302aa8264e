import CDNNL
import CKernels

/// What decides the last bits of what a plan computes, besides the plan itself: who computes, and with how many threads.
package enum ComputeIdentity {
  /// The version of oneDNN, the instructions that it uses, and the number of threads, as text to compare.
  @EngineActor package static var description: String {
    let version = dnnl_version().pointee
    let hash = version.hash.map { String(cString: $0) } ?? ""
    return "oneDNN \(version.major).\(version.minor).\(version.patch) \(hash), "
      + "instructions \(dnnl_get_effective_cpu_isa().rawValue), \(graft_use_threads(0)) threads"
  }
}
