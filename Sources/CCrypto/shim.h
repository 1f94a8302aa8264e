// What Graft needs of OpenSSL's libcrypto: digests.
#ifndef GRAFT_CCRYPTO_SHIM_H
#define GRAFT_CCRYPTO_SHIM_H

#include <openssl/evp.h>

#endif
