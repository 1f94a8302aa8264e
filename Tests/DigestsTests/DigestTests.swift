import Digests
import Testing

@Suite struct DigestTests {
  @Test func publishedDigests() {
    // The examples of FIPS 180-4 and of RFC 1321.
    var digest = Digest()
    #expect(digest.hexadecimal == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    digest.update("abc")
    #expect(digest.hexadecimal == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(digest.bytes.count == 32)
    var other = Digest(.md5)
    other.update("message digest")
    #expect(other.hexadecimal == "f96b697d7cb7938d525a2f31aaf161d0")
  }

  @Test func aCopyGoesOnByItself() {
    var digest = Digest()
    digest.update("ab")
    var copy = digest
    copy.update("x")
    digest.update([UInt8(ascii: "c")])
    #expect(digest.hexadecimal == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(copy.hexadecimal != digest.hexadecimal)
  }

  @Test func bytesThatDoNotLieTogether() {
    var digest = Digest()
    digest.update("abc".utf8.lazy.map { $0 })
    #expect(digest.hexadecimal == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  }
}
