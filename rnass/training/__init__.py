"""Training: records and sampling, the loop, contact model, backbone, energies, probe."""
