// Verify Keyturn's tokens with aws-jwt-verify; with `maxAge`, in seconds, the JWKS is fetched again.
import { JwtVerifier } from "aws-jwt-verify";

export function verifier(issuer, audience, { maxAge = Infinity } = {}) {
  const tokens = JwtVerifier.create({ issuer, audience, graceSeconds: 30 });
  let fetched = Date.now();
  return async (token) => {
    if (Date.now() - fetched >= maxAge * 1000) {
      await tokens.hydrate();
      fetched = Date.now();
    }
    return tokens.verify(token);
  };
}
