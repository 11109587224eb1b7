// What oauth4webapi makes of an issuer's metadata and of a resource's: argv is the issuer, the resource, its document.
import {
  discoveryRequest, processDiscoveryResponse, processResourceDiscoveryResponse,
} from "oauth4webapi";

const [issuer, resource, document] = process.argv.slice(2);
const found = {};
for (const algorithm of ["oauth2", "oidc"]) {
  const response = await discoveryRequest(new URL(issuer), { algorithm });
  found[algorithm] = await processDiscoveryResponse(new URL(issuer), response);
}
const answer = new Response(document, { headers: { "Content-Type": "application/json" } });
found.resource = await processResourceDiscoveryResponse(new URL(resource), answer);
console.log(JSON.stringify(found));
