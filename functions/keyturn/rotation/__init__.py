"""One file per Task state of the workflow, plus reconcile and the two custom resources."""
