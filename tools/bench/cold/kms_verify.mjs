// The article's authorizer: every token is sent to kms:Verify.
import { KMSClient, VerifyCommand } from "@aws-sdk/client-kms";

const kms = new KMSClient({});
const event = JSON.parse(process.argv[2]);
const [header, payload, signature] = event.authorizationToken.split(" ")[1].split(".");
const { SignatureValid } = await kms.send(
  new VerifyCommand({
    KeyId: "alias/signing",
    Message: Buffer.from(`${header}.${payload}`),
    MessageType: "RAW",
    Signature: Buffer.from(signature, "base64url"),
    SigningAlgorithm: "RSASSA_PKCS1_V1_5_SHA_256",
  }),
);
const { exp, sub } = JSON.parse(Buffer.from(payload, "base64url"));
if (!SignatureValid || exp < Date.now() / 1000) process.exit(1);
if (!sub) process.exit(1);
console.log("decided");
