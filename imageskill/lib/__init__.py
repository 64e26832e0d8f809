"""The kernel: small modules that know no model; each could be pasted into another project."""
