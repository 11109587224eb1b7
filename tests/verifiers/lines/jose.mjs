// Verify Keyturn's tokens with jose; `options` are createRemoteJWKSet's.
import { createRemoteJWKSet, jwtVerify } from "jose";

export function verifier(issuer, audience, options) {
  const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`), options);
  const expected = { issuer, audience, algorithms: ["RS256"], typ: "at+jwt", clockTolerance: 30 };
  return (token) => jwtVerify(token, keys, expected);
}
