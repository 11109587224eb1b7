// Node's own crypto and three libraries, as their documentation uses them, with the same checks.
import { createPublicKey, verify as rsaVerify } from "node:crypto";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { JwtVerifier } from "aws-jwt-verify";
import { createLocalJWKSet, jwtVerify } from "jose";
import jsonwebtoken from "jsonwebtoken";

const material = JSON.parse(readFileSync(process.argv[2], "utf8"));
const { issuer, audience, jwks, tokens } = material;
const key = createPublicKey({ key: jwks.keys[0], format: "jwk" });
const required = ["iss", "sub", "aud", "exp", "iat", "nbf", "jti", "client_id"];

const insistOn = (claims) => {
  for (const name of required) if (claims[name] === undefined) throw new Error(`no ${name}`);
  return claims;
};

const aws = JwtVerifier.create({
  issuer,
  audience,
  jwksUri: `${issuer}/.well-known/jwks.json`,
  graceSeconds: 30,
  customJwtCheck: ({ payload }) => void insistOn(payload),
});
aws.cacheJwks(jwks);

const localJwks = createLocalJWKSet(jwks);
const options = { issuer, audience, algorithms: ["RS256"], typ: "at+jwt", clockTolerance: 30 };

const contestants = {
  "Node crypto.verify, raw": (token) => {
    const dot = token.lastIndexOf(".");
    const signature = Buffer.from(token.slice(dot + 1), "base64url");
    if (!rsaVerify("RSA-SHA256", Buffer.from(token.slice(0, dot)), key, signature)) throw new Error();
  },
  "aws-jwt-verify (Node)": (token) => aws.verifySync(token),
  "jsonwebtoken (Node)": (token) =>
    insistOn(jsonwebtoken.verify(token, key, { ...options, clockTolerance: 30 })),
  "jose (Node)": (token) =>
    jwtVerify(token, localJwks, { ...options, requiredClaims: required }),
};

for (const [name, verify] of Object.entries(contestants)) {
  await verify(tokens[0]);
  for (const [problem, token] of Object.entries(material.bad)) {
    if (name.includes("raw") && problem !== "another key") continue;
    let accepted = true;
    try {
      await verify(token);
    } catch {
      accepted = false;
    }
    if (accepted) throw new Error(`${name} accepts a token that is bad: ${problem}`);
  }
}

console.log(JSON.stringify(Object.keys(contestants)));
for await (const line of createInterface({ input: process.stdin })) {
  const verify = contestants[line.trim()];
  const began = process.hrtime.bigint();
  if (line.startsWith("jose")) for (const token of tokens) await verify(token);
  else for (const token of tokens) verify(token);
  console.log(Number(process.hrtime.bigint() - began) / 1e9 / tokens.length);
}
