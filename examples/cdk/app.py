"""Deploy a Keyturn release (`make package`), copied to a bucket, as a nested stack of a CDK app."""

import os

import aws_cdk as cdk

RELEASE = "keyturn-0.1.0"
BUCKET = os.environ["KEYTURN_BUCKET"]  # in the Region of the stack

app = cdk.App()
stack = cdk.Stack(app, "Identity")
keyturn = cdk.CfnStack(
    stack,
    "Keyturn",
    template_url=f"https://{BUCKET}.s3.amazonaws.com/{RELEASE}/template.yaml",
    parameters={"ArtefactBucket": BUCKET, "RetainKeyset": "true", "LogRetention": "400"},
)
for output in ("Issuer", "AuthorizerArn"):
    cdk.CfnOutput(stack, output, value=keyturn.get_att(f"Outputs.{output}").to_string())
app.synth()
