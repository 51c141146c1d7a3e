"""Predictions: restraints, the pipeline of folding, network and decoding, and the loaded predictor."""
