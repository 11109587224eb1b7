# Deploys a Keyturn release (`make package`) that is in the folder of this file.
variable "bucket" {
  type        = string
  description = "An S3 bucket of yours in the Region of the stack."
}

locals {
  release = "keyturn-0.1.0"
}

resource "aws_s3_object" "release" {
  for_each    = fileset("${path.module}/${local.release}", "*")
  bucket      = var.bucket
  key         = "${local.release}/${each.value}"
  source      = "${path.module}/${local.release}/${each.value}"
  source_hash = filemd5("${path.module}/${local.release}/${each.value}")
}

resource "aws_cloudformation_stack" "keyturn" {
  name         = "keyturn"
  template_url = "https://${var.bucket}.s3.amazonaws.com/${aws_s3_object.release["template.yaml"].key}"
  capabilities = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
  parameters = {
    ArtefactBucket = var.bucket
    RetainKeyset   = "true"
    LogRetention   = "400"
  }
  depends_on = [aws_s3_object.release]
}

output "issuer" {
  value = aws_cloudformation_stack.keyturn.outputs["Issuer"]
}

output "authorizer_arn" {
  value = aws_cloudformation_stack.keyturn.outputs["AuthorizerArn"]
}
