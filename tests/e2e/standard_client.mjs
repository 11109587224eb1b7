// oauth4webapi asks Keyturn for a token; aws4fetch signs what it sends. argv is the issuer, the client, the scope, the resource.
import { AwsClient } from "aws4fetch";
import * as oauth from "oauth4webapi";

const [issuer, client_id, scope, resource] = process.argv.slice(2);
const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION } = process.env;
const aws = new AwsClient({
  accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY,
  service: "execute-api", region: AWS_REGION, retries: 0,
});
const options = { [oauth.allowInsecureRequests]: true };  // the local AWS speaks HTTP

const found = await oauth.discoveryRequest(new URL(issuer), options);
const server = await oauth.processDiscoveryResponse(new URL(issuer), found);
server.token_endpoint += `/${client_id}`;
const client = { client_id };
const parameters = new URLSearchParams({ scope, resource });
const answer = await oauth.clientCredentialsGrantRequest(server, client, oauth.None(), parameters, {
  ...options, [oauth.customFetch]: (url, request) => aws.fetch(url, { ...request, body: `${request.body}` }),
});
console.log(JSON.stringify(await oauth.processClientCredentialsResponse(server, client, answer)));
