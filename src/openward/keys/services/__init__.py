"""Key services that `OPENWARD_KMS` may name: what wraps data keys is then nowhere on this machine."""
