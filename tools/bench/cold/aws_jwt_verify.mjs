// aws-jwt-verify with its keys in SSM.
import { createPublicKey } from "node:crypto";
import { GetPublicKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { GetParametersByPathCommand, SSMClient } from "@aws-sdk/client-ssm";
import { JwtVerifier } from "aws-jwt-verify";

const [ssm, kms] = [new SSMClient({}), new KMSClient({})];
const event = JSON.parse(process.argv[2]);
const { Parameters } = await ssm.send(new GetParametersByPathCommand({ Path: "/keyturn/bench/keyset" }));
const [active] = JSON.parse(Parameters[0].Value).keys;
const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId: active.kms_key_arn }));
const jwk = createPublicKey({ key: Buffer.from(PublicKey), format: "der", type: "spki" }).export({ format: "jwk" });
const verifier = JwtVerifier.create({
  issuer: "https://issuer.example",
  audience: "orders",
  jwksUri: "https://issuer.example/.well-known/jwks.json",
});
verifier.cacheJwks({ keys: [{ ...jwk, kid: active.kid, alg: "RS256", use: "sig" }] });
const { sub } = verifier.verifySync(event.authorizationToken.split(" ")[1]);
if (!sub) process.exit(1);
console.log("decided");
